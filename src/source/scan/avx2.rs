//! The scanner 64 bytes at a time, in AVX2.
//!
//! Each block becomes a few 64-bit masks, one bit a byte: quotes, backslashes, opening and closing
//! brackets, line breaks. Backslashes say which quotes are escaped; a running exclusive-or over the
//! other quotes (one carry-less multiplication by all ones) says which bytes are inside of strings;
//! what is left of the brackets is counted. Blocks in which the depth cannot come down to 0 cost
//! two population counts. The method is that of simdjson's first stage (Langdale and Lemire,
//! "Parsing Gigabytes of JSON per Second", 2019).
//!
//! Safety: there are two kinds of `unsafe`. Functions compiled for AVX2 are called only behind
//! [`is_supported`]. Loads read 32 bytes from references to arrays of at least that size, which the
//! type says. Nothing is written through a pointer.

#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m256i, _mm_clmulepi64_si128, _mm_cvtsi128_si64, _mm_set_epi64x, _mm_set1_epi8, _mm256_cmpeq_epi8,
    _mm256_loadu_si256, _mm256_max_epu8, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8,
};

use super::structure::{BLOCK, Block};

/// Whether this processor has what the module needs. The standard library asks it once.
pub fn is_supported() -> bool {
    is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("pclmulqdq")
        && is_x86_feature_detected!("popcnt")
        && is_x86_feature_detected!("bmi1")
}

/// As [`super::balanced_end`]. Only where [`is_supported`].
pub fn balanced_end(bytes: &[u8], start: usize) -> Option<usize> {
    debug_assert!(is_supported());
    // SAFETY: the caller has asked `is_supported`.
    unsafe { find_end(bytes, start) }
}

#[target_feature(enable = "avx2,pclmulqdq,popcnt,bmi1")]
fn find_end(bytes: &[u8], start: usize) -> Option<usize> {
    // Behind the bracket that opened.
    let mut at = start + 1;
    let mut state = State { depth: 1, strings: Strings::default() };
    let (blocks, rest) = bytes[at..].as_chunks::<BLOCK>();
    for block in blocks {
        match look(block, &mut state) {
            Seen::Nothing => at += BLOCK,
            Seen::End(length) => return Some(at + length),
            Seen::Broken => return None,
        }
    }
    let mut last = [b' '; BLOCK];
    last[..rest.len()].copy_from_slice(rest);
    match look(&last, &mut state) {
        Seen::End(length) => Some(at + length),
        Seen::Nothing | Seen::Broken => None,
    }
}

/// What one block tells the next.
struct State {
    /// Brackets open.
    depth: u64,
    strings: Strings,
}

/// What one block tells the next about strings.
#[derive(Default)]
struct Strings {
    /// 1 when the block before ended in a backslash that escapes the first byte of this one.
    escapes_next: u64,
    /// All ones when the block before ended inside of a string.
    inside: u64,
}

impl Strings {
    /// The quotes that open or close a string, and the bytes that are inside of one: from each
    /// opening quote to the byte before its closing one.
    #[target_feature(enable = "pclmulqdq")]
    #[inline]
    fn of(&mut self, quotes: u64, backslashes: u64) -> (u64, u64) {
        let escaped = match backslashes {
            0 => std::mem::take(&mut self.escapes_next),
            _ => escaped_bytes(backslashes, &mut self.escapes_next),
        };
        let quotes = quotes & !escaped;
        let inside = running_xor(quotes) ^ self.inside;
        self.inside = ((inside as i64) >> 63) as u64;
        (quotes, inside)
    }
}

/// As [`super::structure::fill`]. Only where [`is_supported`].
pub fn fill(bytes: &[u8], blocks: &mut [Block]) -> bool {
    debug_assert!(is_supported());
    // SAFETY: the caller has asked `is_supported`.
    unsafe { fill_blocks(bytes, blocks) }
}

#[target_feature(enable = "avx2,pclmulqdq,popcnt,bmi1")]
fn fill_blocks(bytes: &[u8], blocks: &mut [Block]) -> bool {
    let mut strings = Strings::default();
    let mut wrong = 0;
    let (whole, rest) = bytes.as_chunks::<BLOCK>();
    for (bytes, block) in whole.iter().zip(&mut *blocks) {
        wrong |= structure(bytes, block, &mut strings);
    }
    if !rest.is_empty()
        && let Some(block) = blocks.last_mut()
    {
        let mut last = [b' '; BLOCK];
        last[..rest.len()].copy_from_slice(rest);
        wrong |= structure(&last, block, &mut strings);
    }
    wrong | strings.inside == 0
}

/// The masks of one block; bits where it cannot be JSON.
#[target_feature(enable = "avx2,pclmulqdq,popcnt,bmi1")]
#[inline]
fn structure(bytes: &[u8; BLOCK], block: &mut Block, strings: &mut Strings) -> u64 {
    let (low, high) = load(bytes);
    let backslashes = equal(low, high, b'\\');
    let (quotes, inside) = strings.of(equal(low, high, b'"'), backslashes);
    let colons = equal(low, high, b':') & !inside;
    let controls = up_to(low, high, 0x1f);
    // `[` and `{` differ in one bit, and so do `]` and `}`.
    let bit = _mm256_set1_epi8(0x20);
    let (low, high) = (_mm256_or_si256(low, bit), _mm256_or_si256(high, bit));
    let opens = equal(low, high, b'{') & !inside;
    let closes = equal(low, high, b'}') & !inside;
    *block = Block {
        hops: colons | opens | closes,
        opens,
        closes,
        quotes,
        backslashes,
        opened: opens.count_ones(),
        closed: closes.count_ones(),
    };
    (controls & inside) | (backslashes & !inside)
}

enum Seen {
    Nothing,
    /// The outermost bracket is closed; so many bytes of the block belong to the value.
    End(usize),
    Broken,
}

#[target_feature(enable = "avx2,pclmulqdq,popcnt,bmi1")]
#[inline]
fn look(block: &[u8; BLOCK], state: &mut State) -> Seen {
    let (low, high) = load(block);
    let quotes = equal(low, high, b'"');
    let backslashes = equal(low, high, b'\\');
    let line_breaks = equal(low, high, b'\n');
    // `[` and `{` differ in one bit, and so do `]` and `}`.
    let bit = _mm256_set1_epi8(0x20);
    let (low, high) = (_mm256_or_si256(low, bit), _mm256_or_si256(high, bit));
    let opens = equal(low, high, b'{');
    let closes = equal(low, high, b'}');

    let (_, in_string) = state.strings.of(quotes, backslashes);
    let (opens, closes) = (opens & !in_string, closes & !in_string);
    let wrong = (backslashes & !in_string) | (line_breaks & in_string);

    let closed = u64::from(closes.count_ones());
    if closed < state.depth {
        state.depth = state.depth + u64::from(opens.count_ones()) - closed;
        return if wrong == 0 { Seen::Nothing } else { Seen::Broken };
    }
    let (mut left, mut nth) = (closes, 0);
    while left != 0 {
        let before = left.wrapping_sub(1) & !left;
        left &= left - 1;
        nth += 1;
        if state.depth + u64::from((opens & before).count_ones()) == nth {
            return if wrong & before == 0 {
                Seen::End(before.count_ones() as usize + 1)
            } else {
                Seen::Broken
            };
        }
    }
    state.depth = state.depth + u64::from(opens.count_ones()) - closed;
    if wrong == 0 { Seen::Nothing } else { Seen::Broken }
}

#[target_feature(enable = "avx2")]
#[inline]
fn load(block: &[u8; BLOCK]) -> (__m256i, __m256i) {
    let pointer = block.as_ptr().cast::<__m256i>();
    // SAFETY: two loads of 32 bytes from an array of 64; neither needs alignment.
    unsafe { (_mm256_loadu_si256(pointer), _mm256_loadu_si256(pointer.add(1))) }
}

/// One bit for each of the 64 bytes that is `byte`.
#[target_feature(enable = "avx2")]
#[inline]
fn equal(low: __m256i, high: __m256i, byte: u8) -> u64 {
    let wanted = _mm256_set1_epi8(byte as i8);
    let mask = |half| u64::from(_mm256_movemask_epi8(_mm256_cmpeq_epi8(half, wanted)) as u32);
    mask(low) | mask(high) << 32
}

/// One bit for each of the 64 bytes that is not above `most`.
#[target_feature(enable = "avx2")]
#[inline]
fn up_to(low: __m256i, high: __m256i, most: u8) -> u64 {
    let limit = _mm256_set1_epi8(most as i8);
    equal(_mm256_max_epu8(low, limit), _mm256_max_epu8(high, limit), most)
}

/// The bytes that a backslash before them escapes: every second one of a run of backslashes, and
/// the byte behind a run of odd length.
fn escaped_bytes(backslashes: u64, escapes_next: &mut u64) -> u64 {
    const EVEN: u64 = 0x5555_5555_5555_5555;
    let backslashes = backslashes & !*escapes_next;
    let behind = backslashes << 1 | *escapes_next;
    let odd_starts = backslashes & !EVEN & !behind;
    // The carry of the sum runs through each run of backslashes and comes out behind it.
    let (even_runs, overflow) = odd_starts.overflowing_add(backslashes);
    *escapes_next = u64::from(overflow);
    (EVEN ^ (even_runs << 1)) & behind
}

/// Bit n of the result: the exclusive-or of bits 0 to n. With quotes as input, 1 from each opening
/// quote to the byte before its closing one.
#[target_feature(enable = "pclmulqdq")]
#[inline]
fn running_xor(bits: u64) -> u64 {
    let product = _mm_clmulepi64_si128::<0>(_mm_set_epi64x(0, bits as i64), _mm_set1_epi8(-1));
    _mm_cvtsi128_si64(product) as u64
}
