//! The path for AVX2 with FMA.

use std::arch::x86_64::*;

use super::{Lanes, Simd};

/// Two registers of four lanes.
#[derive(Clone, Copy)]
pub struct Avx2(pub(super) __m256d, pub(super) __m256d);

// SAFETY of all blocks below: values of this type are made only in kernels entered after `Backend::detect` saw AVX2
// and FMA; loads and stores go through references to 64 aligned bytes; gathers are in bounds by their contract.
impl Simd for Avx2 {
    #[inline(always)]
    fn splat(x: f64) -> Self {
        unsafe { Avx2(_mm256_set1_pd(x), _mm256_set1_pd(x)) }
    }
    #[inline(always)]
    fn load(x: &Lanes) -> Self {
        unsafe { Avx2(_mm256_load_pd(x.0.as_ptr()), _mm256_load_pd(x.0.as_ptr().add(4))) }
    }
    #[inline(always)]
    fn store(self, to: &mut Lanes) {
        unsafe {
            _mm256_store_pd(to.0.as_mut_ptr(), self.0);
            _mm256_store_pd(to.0.as_mut_ptr().add(4), self.1);
        }
    }
    #[inline(always)]
    unsafe fn gather(base: &[f64], index: &[u32; 8]) -> Self {
        debug_assert!(index.iter().all(|i| (*i as usize) < base.len()));
        let four = |i: usize| unsafe {
            let at = |k: usize| *base.get_unchecked(index[i + k] as usize);
            _mm256_set_pd(at(3), at(2), at(1), at(0))
        };
        Avx2(four(0), four(4))
    }
    #[inline(always)]
    fn add(self, y: Self) -> Self {
        unsafe { Avx2(_mm256_add_pd(self.0, y.0), _mm256_add_pd(self.1, y.1)) }
    }
    #[inline(always)]
    fn sub(self, y: Self) -> Self {
        unsafe { Avx2(_mm256_sub_pd(self.0, y.0), _mm256_sub_pd(self.1, y.1)) }
    }
    #[inline(always)]
    fn mul(self, y: Self) -> Self {
        unsafe { Avx2(_mm256_mul_pd(self.0, y.0), _mm256_mul_pd(self.1, y.1)) }
    }
    #[inline(always)]
    fn div(self, y: Self) -> Self {
        unsafe { Avx2(_mm256_div_pd(self.0, y.0), _mm256_div_pd(self.1, y.1)) }
    }
    #[inline(always)]
    fn fma(self, y: Self, z: Self) -> Self {
        unsafe { Avx2(_mm256_fmadd_pd(self.0, y.0, z.0), _mm256_fmadd_pd(self.1, y.1, z.1)) }
    }
    #[inline(always)]
    fn abs(self) -> Self {
        unsafe {
            let sign = _mm256_set1_pd(-0.0);
            Avx2(_mm256_andnot_pd(sign, self.0), _mm256_andnot_pd(sign, self.1))
        }
    }
    #[inline(always)]
    fn select_less(self, y: Self, yes: Self, no: Self) -> Self {
        unsafe {
            Avx2(
                _mm256_blendv_pd(no.0, yes.0, _mm256_cmp_pd::<_CMP_LT_OQ>(self.0, y.0)),
                _mm256_blendv_pd(no.1, yes.1, _mm256_cmp_pd::<_CMP_LT_OQ>(self.1, y.1)),
            )
        }
    }
    #[inline(always)]
    fn any_less(self, y: Self) -> bool {
        unsafe {
            let (a, b) = (_mm256_cmp_pd::<_CMP_LT_OQ>(self.0, y.0), _mm256_cmp_pd::<_CMP_LT_OQ>(self.1, y.1));
            _mm256_movemask_pd(_mm256_or_pd(a, b)) != 0
        }
    }
    #[inline(always)]
    fn sum(self) -> f64 {
        unsafe {
            let four = _mm256_add_pd(self.0, self.1);
            let two = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd::<1>(four));
            _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)))
        }
    }
    #[inline(always)]
    fn mantissa_exponent(self) -> (Self, Self) {
        let split = |x: __m256d| unsafe {
            let bits = _mm256_castpd_si256(x);
            let mantissa = _mm256_or_si256(
                _mm256_and_si256(bits, _mm256_set1_epi64x(0x000f_ffff_ffff_ffff)),
                _mm256_set1_epi64x(0x3ff0_0000_0000_0000),
            );
            // 2^52 + e is exact in a double whose low bits are e.
            let magic = _mm256_set1_epi64x(0x4330_0000_0000_0000);
            let exponent = _mm256_castsi256_pd(_mm256_or_si256(_mm256_srli_epi64::<52>(bits), magic));
            (_mm256_castsi256_pd(mantissa), _mm256_sub_pd(exponent, _mm256_set1_pd(4_503_599_627_370_496.0 + 1023.0)))
        };
        let ((m0, e0), (m1, e1)) = (split(self.0), split(self.1));
        (Avx2(m0, m1), Avx2(e0, e1))
    }
    #[inline(always)]
    fn round(self) -> Self {
        const NEAREST: i32 = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
        unsafe { Avx2(_mm256_round_pd::<NEAREST>(self.0), _mm256_round_pd::<NEAREST>(self.1)) }
    }
    #[inline(always)]
    fn scale(self, k: Self) -> Self {
        let four = |x: __m256d, k: __m256d| unsafe {
            // The low bits of 2^52 + k + 1023 are the exponent field of 2^k.
            let biased = _mm256_add_pd(k, _mm256_set1_pd(4_503_599_627_370_496.0 + 1023.0));
            let power = _mm256_slli_epi64::<52>(_mm256_castpd_si256(biased));
            _mm256_mul_pd(x, _mm256_castsi256_pd(power))
        };
        Avx2(four(self.0, k.0), four(self.1, k.1))
    }
}
