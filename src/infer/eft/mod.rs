//! What EFT responses say before any fit: yields, signs, information; and bins above a cut taken away.

pub mod closure;
pub mod decomposition;
pub mod information;
pub mod positivity;
pub mod responses;
pub mod validity;
