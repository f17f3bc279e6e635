//! The path without vendor instructions.

use super::{Lanes, Simd};

/// The plain path, for machines without AVX2 and as the judge of the other two.
#[derive(Clone, Copy)]
pub struct Scalar([f64; 8]);

impl Scalar {
    #[inline(always)]
    fn zip(self, y: Self, f: impl Fn(f64, f64) -> f64) -> Self {
        Scalar(std::array::from_fn(|i| f(self.0[i], y.0[i])))
    }
}

impl Simd for Scalar {
    #[inline(always)]
    fn splat(x: f64) -> Self {
        Scalar([x; 8])
    }
    #[inline(always)]
    fn load(x: &Lanes) -> Self {
        Scalar(x.0)
    }
    #[inline(always)]
    fn store(self, to: &mut Lanes) {
        to.0 = self.0;
    }
    #[inline(always)]
    unsafe fn gather(base: &[f64], index: &[u32; 8]) -> Self {
        Scalar(index.map(|i| base[i as usize]))
    }
    #[inline(always)]
    fn add(self, y: Self) -> Self {
        self.zip(y, |x, y| x + y)
    }
    #[inline(always)]
    fn sub(self, y: Self) -> Self {
        self.zip(y, |x, y| x - y)
    }
    #[inline(always)]
    fn mul(self, y: Self) -> Self {
        self.zip(y, |x, y| x * y)
    }
    #[inline(always)]
    fn div(self, y: Self) -> Self {
        self.zip(y, |x, y| x / y)
    }
    #[inline(always)]
    fn fma(self, y: Self, z: Self) -> Self {
        // Without the instruction `mul_add` is a library call, ten times slower than rounding twice.
        Scalar(std::array::from_fn(|i| self.0[i] * y.0[i] + z.0[i]))
    }
    #[inline(always)]
    fn abs(self) -> Self {
        Scalar(self.0.map(f64::abs))
    }
    #[inline(always)]
    fn select_less(self, y: Self, yes: Self, no: Self) -> Self {
        Scalar(std::array::from_fn(|i| if self.0[i] < y.0[i] { yes.0[i] } else { no.0[i] }))
    }
    #[inline(always)]
    fn any_less(self, y: Self) -> bool {
        self.0.iter().zip(&y.0).any(|(x, y)| x < y)
    }
    #[inline(always)]
    fn sum(self) -> f64 {
        let [a, b, c, d, e, f, g, h] = self.0;
        ((a + e) + (c + g)) + ((b + f) + (d + h))
    }
    #[inline(always)]
    fn mantissa_exponent(self) -> (Self, Self) {
        let mantissa = |x: f64| f64::from_bits((x.to_bits() & 0x000f_ffff_ffff_ffff) | 0x3ff0_0000_0000_0000);
        let exponent = |x: f64| (x.to_bits() >> 52) as f64 - 1023.0;
        (Scalar(self.0.map(mantissa)), Scalar(self.0.map(exponent)))
    }
    #[inline(always)]
    fn round(self) -> Self {
        Scalar(self.0.map(f64::round_ties_even))
    }
    #[inline(always)]
    fn scale(self, k: Self) -> Self {
        self.zip(k, |x, k| x * f64::from_bits(((k as i64 + 1023) as u64) << 52))
    }
}
