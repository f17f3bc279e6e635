//! Morphing: from templates at basis points to the coefficients of a polynomial (spec/eft.md, "Morphing").
