//! The path for AVX-512.

use std::arch::x86_64::*;

use super::{Avx2, Lanes, Simd};

/// One register of eight lanes.
#[derive(Clone, Copy)]
pub struct Avx512(__m512d);

// SAFETY: as for `Avx2`, with AVX-512 F, DQ and VL.
impl Simd for Avx512 {
    #[inline(always)]
    fn splat(x: f64) -> Self {
        unsafe { Avx512(_mm512_set1_pd(x)) }
    }
    #[inline(always)]
    fn load(x: &Lanes) -> Self {
        unsafe { Avx512(_mm512_load_pd(x.0.as_ptr())) }
    }
    #[inline(always)]
    fn store(self, to: &mut Lanes) {
        unsafe { _mm512_store_pd(to.0.as_mut_ptr(), self.0) }
    }
    #[inline(always)]
    unsafe fn gather(base: &[f64], index: &[u32; 8]) -> Self {
        debug_assert!(index.iter().all(|i| (*i as usize) < base.len()));
        unsafe {
            let index = _mm256_loadu_si256(index.as_ptr().cast());
            Avx512(_mm512_i32gather_pd::<8>(index, base.as_ptr()))
        }
    }
    #[inline(always)]
    fn add(self, y: Self) -> Self {
        unsafe { Avx512(_mm512_add_pd(self.0, y.0)) }
    }
    #[inline(always)]
    fn sub(self, y: Self) -> Self {
        unsafe { Avx512(_mm512_sub_pd(self.0, y.0)) }
    }
    #[inline(always)]
    fn mul(self, y: Self) -> Self {
        unsafe { Avx512(_mm512_mul_pd(self.0, y.0)) }
    }
    #[inline(always)]
    fn div(self, y: Self) -> Self {
        unsafe { Avx512(_mm512_div_pd(self.0, y.0)) }
    }
    #[inline(always)]
    fn fma(self, y: Self, z: Self) -> Self {
        unsafe { Avx512(_mm512_fmadd_pd(self.0, y.0, z.0)) }
    }
    #[inline(always)]
    fn abs(self) -> Self {
        unsafe { Avx512(_mm512_abs_pd(self.0)) }
    }
    #[inline(always)]
    fn select_less(self, y: Self, yes: Self, no: Self) -> Self {
        unsafe { Avx512(_mm512_mask_blend_pd(_mm512_cmp_pd_mask::<_CMP_LT_OQ>(self.0, y.0), no.0, yes.0)) }
    }
    #[inline(always)]
    fn any_less(self, y: Self) -> bool {
        unsafe { _mm512_cmp_pd_mask::<_CMP_LT_OQ>(self.0, y.0) != 0 }
    }
    #[inline(always)]
    fn sum(self) -> f64 {
        unsafe {
            let (low, high) = (_mm512_castpd512_pd256(self.0), _mm512_extractf64x4_pd::<1>(self.0));
            Avx2(low, high).sum()
        }
    }
    #[inline(always)]
    fn mantissa_exponent(self) -> (Self, Self) {
        unsafe {
            let mantissa = _mm512_getmant_pd::<_MM_MANT_NORM_1_2, _MM_MANT_SIGN_ZERO>(self.0);
            (Avx512(mantissa), Avx512(_mm512_getexp_pd(self.0)))
        }
    }
    #[inline(always)]
    fn round(self) -> Self {
        unsafe { Avx512(_mm512_roundscale_pd::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(self.0)) }
    }
    #[inline(always)]
    fn scale(self, k: Self) -> Self {
        unsafe { Avx512(_mm512_scalef_pd(self.0, k.0)) }
    }
}
