//! 64 bytes in one AVX-512 register: a comparison makes its mask at once.
//!
//! Safety: besides what [`scanner`] says, loads read 64 bytes from references to arrays of 64, as
//! their type guarantees, and stores write as many to such arrays.

#![expect(unsafe_code, reason = "instructions that not every processor has")]

use std::arch::x86_64::{
    __m512i, _mm_clmulepi64_si128, _mm_cvtsi128_si64, _mm_loadu_si128, _mm_set_epi64x, _mm_set1_epi8,
    _mm512_broadcast_i32x4, _mm512_cmpeq_epi8_mask, _mm512_cmple_epu8_mask, _mm512_loadu_si512,
    _mm512_min_epu8, _mm512_or_si512, _mm512_set1_epi8, _mm512_shuffle_epi8, _mm512_storeu_si512,
};

super::wide::scanner!(
    Avx512Lanes,
    "avx512f,avx512bw,pclmulqdq,popcnt,bmi1",
    "avx512f" "avx512bw" "pclmulqdq" "popcnt" "bmi1"
);

#[derive(Clone, Copy)]
struct Avx512Lanes(__m512i);

impl Avx512Lanes {
    #[target_feature(enable = "avx512f")]
    #[inline]
    fn load(block: &[u8; BLOCK]) -> Self {
        // SAFETY: a load of 64 bytes from an array of 64; it needs no alignment.
        unsafe { Self(_mm512_loadu_si512(block.as_ptr().cast())) }
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    fn store(self, block: &mut [u8; BLOCK]) {
        // SAFETY: a store of 64 bytes to an array of 64; it needs no alignment.
        unsafe { _mm512_storeu_si512(block.as_mut_ptr().cast(), self.0) }
    }

    /// One bit per byte: set if it is one of [`HOPS`], or differs from it in bit 0x20 only.
    #[target_feature(enable = "avx512f,avx512bw")]
    #[inline]
    fn hops(self) -> u64 {
        // SAFETY: a load of 16 bytes from an array of 16; it needs no alignment.
        let hops = unsafe { _mm_loadu_si128(HOPS.as_ptr().cast()) };
        let expected = _mm512_shuffle_epi8(_mm512_broadcast_i32x4(hops), self.0);
        _mm512_cmpeq_epi8_mask(self.with_bit(0x20).0, expected)
    }

    /// This byte 64 times.
    #[target_feature(enable = "avx512f")]
    #[inline]
    fn all(byte: u8) -> Self {
        Self(_mm512_set1_epi8(byte as i8))
    }

    /// Of each two bytes the lower one.
    #[target_feature(enable = "avx512f,avx512bw")]
    #[inline]
    fn lower(self, other: Self) -> Self {
        Self(_mm512_min_epu8(self.0, other.0))
    }

    /// One bit per byte: set if it is `byte`.
    #[target_feature(enable = "avx512f,avx512bw")]
    #[inline]
    fn equal(self, byte: u8) -> u64 {
        _mm512_cmpeq_epi8_mask(self.0, _mm512_set1_epi8(byte as i8))
    }

    /// One bit per byte: set if it is not above `most`.
    #[target_feature(enable = "avx512f,avx512bw")]
    #[inline]
    fn up_to(self, most: u8) -> u64 {
        _mm512_cmple_epu8_mask(self.0, _mm512_set1_epi8(most as i8))
    }

    /// Each byte with these bits set.
    #[target_feature(enable = "avx512f")]
    #[inline]
    fn with_bit(self, bit: u8) -> Self {
        Self(_mm512_or_si512(self.0, _mm512_set1_epi8(bit as i8)))
    }
}
