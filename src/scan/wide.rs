//! The scanner that works on 64 bytes at a time: the part that all vector instructions share.
//!
//! Each block becomes a few 64-bit masks, one bit per byte: quotes, backslashes, opening and
//! closing brackets, line breaks. Backslashes determine which quotes are escaped; a running
//! exclusive-or over the other quotes (one carry-less multiplication by all ones) determines which
//! bytes are inside strings; the remaining brackets are counted. Blocks in which the depth cannot
//! reach 0 cost two population counts. The method is that of simdjson's first stage (Langdale and
//! Lemire, "Parsing Gigabytes of JSON per Second", 2019).

/// The last of the control characters, which strings may not have.
pub const CONTROLS: u8 = 0x1f;

/// Colons and brackets, at the places of their lower four bits. With bit 0x20 set, as it is here, each bracket is the same
/// as its square twin, and no other byte is one of these, but for 0x1A.
pub const HOPS: [u8; 16] = *b"\0\0\0\0\0\0\0\0\0\0:{\0}\0\0";

/// What one block passes to the next about strings.
#[derive(Default)]
pub struct Strings {
    /// 1 if the previous block ended in a backslash that escapes the first byte of this one.
    escapes_next: u64,
    /// All ones if the previous block ended inside a string.
    pub inside: u64,
}

impl Strings {
    /// The `quotes` that open or close a string.
    #[inline(always)]
    pub fn unescaped(&mut self, quotes: u64, backslashes: u64) -> u64 {
        if backslashes == 0 {
            return quotes & !std::mem::take(&mut self.escapes_next);
        }
        let escaped = escaped_bytes(backslashes, &mut self.escapes_next);
        quotes & !escaped
    }

    /// The bytes inside strings: from each opening quote to the byte before its closing one.
    /// `flips` is the running exclusive-or of the block's quotes.
    #[inline(always)]
    pub fn inside(&mut self, flips: u64) -> u64 {
        let inside = flips ^ self.inside;
        self.inside = ((inside as i64) >> 63) as u64;
        inside
    }
}

/// The bytes that are escaped by a backslash before them: every second one of a run of backslashes,
/// and the byte after a run of odd length.
#[inline(always)]
fn escaped_bytes(backslashes: u64, escapes_next: &mut u64) -> u64 {
    const EVEN: u64 = 0x5555_5555_5555_5555;
    let backslashes = backslashes & !*escapes_next;
    let behind = backslashes << 1 | *escapes_next;
    let odd_starts = backslashes & !EVEN & !behind;
    // The carry of the sum runs through each run of backslashes and comes out after it.
    let (even_runs, overflow) = odd_starts.overflowing_add(backslashes);
    *escapes_next = u64::from(overflow);
    (EVEN ^ (even_runs << 1)) & behind
}

pub enum BlockEnd {
    Nothing,
    /// The outermost bracket is closed; this many bytes of the block belong to the value.
    End(usize),
    Broken,
}

/// Counts the brackets of one block, outside strings; `wrong` marks bytes that JSON cannot have
/// there.
#[inline(always)]
pub fn count(opens: u64, closes: u64, wrong: u64, depth: &mut u64) -> BlockEnd {
    let closed = u64::from(closes.count_ones());
    if closed >= *depth {
        let (mut left, mut nth) = (closes, 0);
        while left != 0 {
            let before = left.wrapping_sub(1) & !left;
            left &= left - 1;
            nth += 1;
            if *depth + u64::from((opens & before).count_ones()) == nth {
                return if wrong & before == 0 {
                    BlockEnd::End(before.count_ones() as usize + 1)
                } else {
                    BlockEnd::Broken
                };
            }
        }
    }
    *depth = *depth + u64::from(opens.count_ones()) - closed;
    if wrong == 0 { BlockEnd::Nothing } else { BlockEnd::Broken }
}

/// The functions of a scanner, compiled for the instructions of the module that invokes this.
/// `$lanes` is a type of 64 bytes with `load`, `store`, `all`, `equal`, `hops`, `up_to`, `lower` and `with_bit`.
///
/// Safety: functions compiled for these instructions are reached through `scanner` only, which
/// checks the processor first.
macro_rules! scanner {
    ($lanes:ident, $features:literal, $($feature:tt)+) => {
        use super::scanner::Scanner;
        use super::block::{BLOCK, Block, LineEndsOfBlock};
        use super::wide::{BlockEnd, CONTROLS, HOPS, Strings, count};

        /// The scanner, if this processor has the instructions.
        pub fn scanner() -> Option<Scanner> {
            let is_supported = $(is_x86_feature_detected!($feature))&&+;
            // SAFETY: each is compiled for the instructions just checked.
            is_supported.then_some(Scanner {
                balanced_end: |bytes, start| unsafe { balanced_end(bytes, start) },
                fill: |bytes, copy, blocks| unsafe { fill(bytes, copy, blocks) },
                line_ends: |bytes, found| unsafe { line_ends(bytes, found) },
            })
        }

        #[target_feature(enable = $features)]
        fn balanced_end(bytes: &[u8], start: usize) -> Option<usize> {
            // After the opening bracket.
            let mut at = start + 1;
            let (mut strings, mut depth) = (Strings::default(), 1);
            let (blocks, rest) = bytes[at..].as_chunks::<BLOCK>();
            for block in blocks {
                match look(block, &mut strings, &mut depth) {
                    BlockEnd::Nothing => at += BLOCK,
                    BlockEnd::End(length) => return Some(at + length),
                    BlockEnd::Broken => return None,
                }
            }
            match look(&padded(rest), &mut strings, &mut depth) {
                BlockEnd::End(length) => Some(at + length),
                BlockEnd::Nothing | BlockEnd::Broken => None,
            }
        }

        #[target_feature(enable = $features)]
        #[inline]
        fn look(block: &[u8; BLOCK], strings: &mut Strings, depth: &mut u64) -> BlockEnd {
            let lanes = $lanes::load(block);
            let backslashes = lanes.equal(b'\\');
            let quotes = strings.unescaped(lanes.equal(b'"'), backslashes);
            let line_breaks = lanes.equal(b'\n');
            // `[` and `{` differ in one bit, and so do `]` and `}`.
            let lanes = lanes.with_bit(0x20);
            let (opens, closes) = (lanes.equal(b'{'), lanes.equal(b'}'));
            let inside = strings.inside(running_xor(quotes));
            let wrong = (backslashes & !inside) | (line_breaks & inside);
            count(opens & !inside, closes & !inside, wrong, depth)
        }

        #[target_feature(enable = $features)]
        fn fill(bytes: &[u8], copy: &mut [[u8; BLOCK]], blocks: &mut [Block]) -> bool {
            let mut strings = Strings::default();
            let (mut wrong, mut lowest) = (0, $lanes::all(u8::MAX));
            let (whole, rest) = bytes.as_chunks::<BLOCK>();
            for ((bytes, copy), block) in whole.iter().zip(&mut *copy).zip(&mut *blocks) {
                let lanes = $lanes::load(bytes);
                lanes.store(copy);
                lowest = lowest.lower(lanes);
                wrong |= structure(lanes, block, &mut strings);
            }
            if !rest.is_empty()
                && let (Some(copy), Some(block)) = (copy.last_mut(), blocks.last_mut())
            {
                *copy = padded(rest);
                let lanes = $lanes::load(copy);
                lowest = lowest.lower(lanes);
                wrong |= structure(lanes, block, &mut strings);
            }
            let may_be = wrong | strings.inside == 0;
            may_be && (lowest.up_to(CONTROLS) == 0 || !has_control_in_string(copy, blocks))
        }

        /// Whether a string in these blocks has a control character.
        #[target_feature(enable = $features)]
        #[cold]
        fn has_control_in_string(copy: &[[u8; BLOCK]], blocks: &[Block]) -> bool {
            let mut strings = Strings::default();
            copy.iter().zip(blocks).any(|(bytes, block)| {
                let inside = strings.inside(running_xor(block.quotes));
                $lanes::load(bytes).up_to(CONTROLS) & inside != 0
            })
        }

        /// Fills in the masks of one block; returns bits where it cannot be JSON.
        #[target_feature(enable = $features)]
        #[inline]
        fn structure(lanes: $lanes, block: &mut Block, strings: &mut Strings) -> u64 {
            let backslashes = lanes.equal(b'\\');
            let quotes = strings.unescaped(lanes.equal(b'"'), backslashes);
            let inside = strings.inside(running_xor(quotes));
            let hops = lanes.hops() & !inside;
            *block = Block { hops, brackets: hops & !lanes.equal(b':'), quotes, backslashes };
            backslashes & !inside
        }

        #[target_feature(enable = $features)]
        fn line_ends(bytes: &[u8], found: &mut [LineEndsOfBlock]) -> usize {
            let (whole, rest) = bytes.as_chunks::<BLOCK>();
            let (mut start, mut count) = (0, 0);
            let mut put = |bytes: &[u8; BLOCK]| {
                let ends = $lanes::load(bytes).equal(b'\n');
                // Without a branch: the next block overwrites one without line ends.
                found[count] = LineEndsOfBlock { start, ends };
                count += usize::from(ends != 0);
                start += BLOCK;
            };
            whole.iter().for_each(&mut put);
            if !rest.is_empty() {
                put(&padded(rest));
            }
            count
        }

        fn padded(rest: &[u8]) -> [u8; BLOCK] {
            let mut block = [b' '; BLOCK];
            block[..rest.len()].copy_from_slice(rest);
            block
        }

        /// Bit n of the result: the exclusive-or of bits 0 to n. With quotes as input, 1 from each
        /// opening quote to the byte before its closing one.
        #[target_feature(enable = "pclmulqdq")]
        #[inline]
        fn running_xor(bits: u64) -> u64 {
            let product = _mm_clmulepi64_si128::<0>(_mm_set_epi64x(0, bits as i64), _mm_set1_epi8(-1));
            _mm_cvtsi128_si64(product) as u64
        }
    };
}
pub(super) use scanner;
