//! The plain scanner: it runs where there are no vector instructions, and the vector scanners are
//! tested against it.

use memchr::{memchr_iter, memchr3};

use super::block::{BLOCK, Block, LineEndsOfBlock};
use super::scanner::Scanner;

/// The scanner that any processor can run.
pub const SCANNER: Scanner = Scanner { balanced_end, fill, line_ends };

fn balanced_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut depth = 1usize;
    let mut at = start + 1;
    loop {
        match bytes.get(at)? {
            b'"' => {
                at = string_end(bytes, at)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            b'\\' => return None,
            _ => {}
        }
        at += 1;
    }
}

/// The position after the closing quote of the string whose opening quote is at `open`. `None` if
/// it is not closed before the end, or before a line break, which JSON strings may not contain.
pub fn string_end(bytes: &[u8], open: usize) -> Option<usize> {
    let mut at = open + 1;
    loop {
        at += memchr3(b'"', b'\\', b'\n', bytes.get(at..)?)?;
        match bytes[at] {
            b'"' => return Some(at + 1),
            // A backslash does not make a line break part of a string.
            b'\\' if *bytes.get(at + 1)? != b'\n' => at += 2,
            _ => return None,
        }
    }
}

fn fill(bytes: &[u8], copy: &mut [[u8; BLOCK]], blocks: &mut [Block]) -> bool {
    let (mut in_string, mut is_escaped, mut is_right) = (false, false, true);
    for ((bytes, copy), block) in bytes.chunks(BLOCK).zip(copy).zip(blocks) {
        *block = Block::default();
        *copy = [b' '; BLOCK];
        copy[..bytes.len()].copy_from_slice(bytes);
        for (place, byte) in copy.iter().enumerate() {
            let bit = 1 << place;
            let was_escaped = std::mem::take(&mut is_escaped);
            match byte {
                b'"' if !was_escaped => {
                    block.quotes |= bit;
                    in_string = !in_string;
                }
                b'\\' => {
                    block.backslashes |= bit;
                    is_escaped = !was_escaped;
                    is_right &= in_string;
                }
                b':' if !in_string => block.hops |= bit,
                b'{' | b'[' | b'}' | b']' | 0x1a if !in_string => {
                    block.hops |= bit;
                    block.brackets |= bit;
                }
                0..b' ' => is_right &= !in_string,
                _ => {}
            }
        }
    }
    is_right && !in_string
}

fn line_ends(bytes: &[u8], found: &mut [LineEndsOfBlock]) -> usize {
    let mut count = 0;
    for (nth, block) in bytes.chunks(BLOCK).enumerate() {
        let ends = memchr_iter(b'\n', block).fold(0, |ends, at| ends | 1 << at);
        if ends != 0 {
            found[count] = LineEndsOfBlock { start: nth * BLOCK, ends };
            count += 1;
        }
    }
    count
}
