//! Products of powers of polynomials and their Taylor series (spec/eft.md, "Rational responses").
