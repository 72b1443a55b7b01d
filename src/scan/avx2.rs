//! 64 bytes in two AVX2 registers.
//!
//! Safety: besides what [`scanner`] says, loads read 32 bytes from references to arrays of 64, as
//! their type guarantees, and stores write as many to such arrays.

#![expect(unsafe_code, reason = "instructions that not every processor has")]

use std::arch::x86_64::{
    __m256i, _mm_clmulepi64_si128, _mm_cvtsi128_si64, _mm_loadu_si128, _mm_set_epi64x, _mm_set1_epi8,
    _mm256_broadcastsi128_si256, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_max_epu8, _mm256_min_epu8,
    _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8, _mm256_shuffle_epi8, _mm256_storeu_si256,
};

super::wide::scanner!(Avx2Lanes, "avx2,pclmulqdq,popcnt,bmi1", "avx2" "pclmulqdq" "popcnt" "bmi1");

#[derive(Clone, Copy)]
struct Avx2Lanes(__m256i, __m256i);

impl Avx2Lanes {
    #[target_feature(enable = "avx2")]
    #[inline]
    fn load(block: &[u8; BLOCK]) -> Self {
        let pointer = block.as_ptr().cast::<__m256i>();
        // SAFETY: two loads of 32 bytes from an array of 64; neither needs alignment.
        unsafe { Self(_mm256_loadu_si256(pointer), _mm256_loadu_si256(pointer.add(1))) }
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn store(self, block: &mut [u8; BLOCK]) {
        let pointer = block.as_mut_ptr().cast::<__m256i>();
        // SAFETY: two stores of 32 bytes to an array of 64; neither needs alignment.
        unsafe {
            _mm256_storeu_si256(pointer, self.0);
            _mm256_storeu_si256(pointer.add(1), self.1);
        }
    }

    /// One bit per byte: set if it is one of [`HOPS`], or differs from it in bit 0x20 only.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn hops(self) -> u64 {
        // SAFETY: a load of 16 bytes from an array of 16; it needs no alignment.
        let hops = unsafe { _mm_loadu_si128(HOPS.as_ptr().cast()) };
        let (hops, bit) = (_mm256_broadcastsi128_si256(hops), _mm256_set1_epi8(0x20));
        let mask = |half| {
            let expected = _mm256_shuffle_epi8(hops, half);
            u64::from(_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_or_si256(half, bit), expected)) as u32)
        };
        mask(self.0) | mask(self.1) << 32
    }

    /// This byte 64 times.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn all(byte: u8) -> Self {
        Self(_mm256_set1_epi8(byte as i8), _mm256_set1_epi8(byte as i8))
    }

    /// Of each two bytes the lower one.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn lower(self, other: Self) -> Self {
        Self(_mm256_min_epu8(self.0, other.0), _mm256_min_epu8(self.1, other.1))
    }

    /// One bit per byte: set if it is `byte`.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn equal(self, byte: u8) -> u64 {
        let wanted = _mm256_set1_epi8(byte as i8);
        let mask = |half| u64::from(_mm256_movemask_epi8(_mm256_cmpeq_epi8(half, wanted)) as u32);
        mask(self.0) | mask(self.1) << 32
    }

    /// One bit per byte: set if it is not above `most`.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn up_to(self, most: u8) -> u64 {
        let limit = _mm256_set1_epi8(most as i8);
        Self(_mm256_max_epu8(self.0, limit), _mm256_max_epu8(self.1, limit)).equal(most)
    }

    /// Each byte with these bits set.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn with_bit(self, bit: u8) -> Self {
        let bit = _mm256_set1_epi8(bit as i8);
        Self(_mm256_or_si256(self.0, bit), _mm256_or_si256(self.1, bit))
    }
}
