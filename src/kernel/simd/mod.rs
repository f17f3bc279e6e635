//! Eight `f64` at a time, on three instruction sets. The kernels are written once over [`Simd`] and compiled for each
//! set; which one runs is chosen when an evaluator is made.
//!
//! Unsafe code is in this folder and at the entry points of the kernels. It has two reasons only: the vendor
//! intrinsics, which need an instruction set that [`Backend::detect`] has seen, and gathers without a bounds
//! check, whose indices [`crate::program::Program::compile`] has made. `tests/kernel.rs` compares every path with the
//! scalar one.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod scalar;

#[cfg(target_arch = "x86_64")]
pub use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub use avx512::Avx512;
pub use scalar::Scalar;

/// Eight lanes in one cache line.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C, align(64))]
pub struct Lanes(pub [f64; 8]);

pub const ZERO: Lanes = Lanes([0.0; 8]);

/// Groups of lanes as one slice.
#[inline(always)]
pub fn flat(groups: &[Lanes]) -> &[f64] {
    // SAFETY: `Lanes` is eight floats without padding, and its alignment is stricter.
    unsafe { std::slice::from_raw_parts(groups.as_ptr().cast(), groups.len() * 8) }
}

/// Groups of lanes as one mutable slice.
#[inline(always)]
pub fn flat_mut(groups: &mut [Lanes]) -> &mut [f64] {
    // SAFETY: as for `flat`.
    unsafe { std::slice::from_raw_parts_mut(groups.as_mut_ptr().cast(), groups.len() * 8) }
}

/// Which instruction set a kernel runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    Scalar,
    Avx2,
    Avx512,
}

impl Backend {
    /// The widest that this machine has.
    #[cfg(target_arch = "x86_64")]
    pub fn detect() -> Backend {
        let avx512 = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl");
        if avx512 {
            Backend::Avx512
        } else if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            Backend::Avx2
        } else {
            Backend::Scalar
        }
    }

    /// The widest that this machine has.
    #[cfg(not(target_arch = "x86_64"))]
    pub fn detect() -> Backend {
        Backend::Scalar
    }

    /// All that this machine has, scalar first.
    pub fn available() -> Vec<Backend> {
        let best = Backend::detect();
        let all = [Backend::Scalar, Backend::Avx2, Backend::Avx512];
        all.into_iter().take_while(|backend| *backend as u8 <= best as u8).collect()
    }
}

/// Arithmetic on eight lanes.
pub trait Simd: Copy {
    fn splat(x: f64) -> Self;
    fn load(x: &Lanes) -> Self;
    fn store(self, to: &mut Lanes);
    /// `base[index[lane]]`.
    ///
    /// # Safety
    /// Every index is below `base.len()`.
    unsafe fn gather(base: &[f64], index: &[u32; 8]) -> Self;
    fn add(self, y: Self) -> Self;
    fn sub(self, y: Self) -> Self;
    fn mul(self, y: Self) -> Self;
    fn div(self, y: Self) -> Self;
    /// `self · y + z`.
    fn fma(self, y: Self, z: Self) -> Self;
    fn abs(self) -> Self;
    /// `yes` in the lanes where `self < y`, else `no`.
    fn select_less(self, y: Self, yes: Self, no: Self) -> Self;
    /// Some lane has `self < y`.
    fn any_less(self, y: Self) -> bool;
    /// Sum of the lanes, in a fixed order.
    fn sum(self) -> f64;
    /// `(m, k)` with `self = m · 2^k` and m in [1, 2), for positive normal numbers.
    fn mantissa_exponent(self) -> (Self, Self);
    /// The nearest integer, as a float.
    fn round(self) -> Self;
    /// `self · 2^k` for an integer k in −1022…1023.
    fn scale(self, k: Self) -> Self;

    /// ln x of positive normal numbers, to about one ulp: x = m 2^k, s = f/(2 + f) with f = m − 1,
    /// ln m = f − f²/2 + s (f²/2 + R), R = Σ 2 s^{2j}/(2j + 1) from the series of artanh.
    #[inline(always)]
    fn ln(self) -> Self {
        const LN2_HIGH: f64 = 0.693_147_180_369_123_8; // the leading 32 bits of ln 2
        const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10; // the rest
        let (m, k) = self.mantissa_exponent();
        let high = Self::splat(std::f64::consts::SQRT_2).select_less(m, Self::splat(1.0), Self::splat(0.0));
        let m = high.fma(m.mul(Self::splat(-0.5)), m);
        let k = k.add(high);
        let f = m.sub(Self::splat(1.0));
        let s = f.div(f.add(Self::splat(2.0)));
        let z = s.mul(s);
        let mut r = Self::splat(2.0 / 23.0);
        for j in (1..11).rev() {
            r = r.fma(z, Self::splat(2.0 / (2 * j + 1) as f64));
        }
        let r = r.mul(z);
        let half_square = f.mul(f).mul(Self::splat(0.5));
        let low = s.fma(half_square.add(r), k.mul(Self::splat(LN2_LOW)));
        k.fma(Self::splat(LN2_HIGH), f.sub(half_square.sub(low)))
    }

    /// eˣ to about one ulp for |x| < 708, where it saturates: x = k ln 2 + r, Taylor series of e^r.
    #[inline(always)]
    fn exp(self) -> Self {
        const LN2_HIGH: f64 = 0.693_147_180_369_123_8;
        const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
        let limit = Self::splat(708.0);
        let x = limit.select_less(self, limit, self);
        let x = x.select_less(Self::splat(-708.0), Self::splat(-708.0), x);
        let k = x.mul(Self::splat(std::f64::consts::LOG2_E)).round();
        let r = k.fma(Self::splat(-LN2_HIGH), x);
        let r = k.fma(Self::splat(-LN2_LOW), r);
        let mut sum = Self::splat(1.0 / FACTORIALS[13]);
        for j in (0..13).rev() {
            sum = sum.fma(r, Self::splat(1.0 / FACTORIALS[j]));
        }
        sum.scale(k)
    }
}

const FACTORIALS: [f64; 14] = {
    let mut table = [1.0; 14];
    let mut i = 1;
    while i < 14 {
        table[i] = table[i - 1] * i as f64;
        i += 1;
    }
    table
};

/// Defines a kernel's entry point: `fn name(backend, arguments…)` runs `body::<S>(arguments…)` compiled for the
/// instruction set of `backend`.
macro_rules! entry_point {
    ($(#[$doc:meta])* $name:ident = $body:ident($($arg:ident: $type:ty),* $(,)?) $(-> $out:ty)?) => {
        $(#[$doc])*
        #[allow(clippy::too_many_arguments)]
        pub(crate) fn $name(backend: $crate::kernel::simd::Backend, $($arg: $type),*) $(-> $out)? {
            use $crate::kernel::simd::Backend;
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2($($arg: $type),*) $(-> $out)? {
                $body::<$crate::kernel::simd::Avx2>($($arg),*)
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx2,fma")]
            fn avx512($($arg: $type),*) $(-> $out)? {
                $body::<$crate::kernel::simd::Avx512>($($arg),*)
            }
            match backend {
                Backend::Scalar => $body::<$crate::kernel::simd::Scalar>($($arg),*),
                // SAFETY: `Backend::detect` saw the instruction set before it named it.
                #[cfg(target_arch = "x86_64")]
                Backend::Avx2 => unsafe { avx2($($arg),*) },
                #[cfg(target_arch = "x86_64")]
                Backend::Avx512 => unsafe { avx512($($arg),*) },
                #[cfg(not(target_arch = "x86_64"))]
                _ => $body::<$crate::kernel::simd::Scalar>($($arg),*),
            }
        }
    };
}
pub(crate) use entry_point;
