//! Escapes in JSON strings.

/// Decodes the escapes in `raw`, the bytes between the quotes of a JSON string, to the start of
/// `out`, which is at least as long; bytes after them are overwritten. Returns the number of bytes, never more than
/// `raw` has; `None` for an invalid escape, or half of a surrogate pair.
pub fn unescape(raw: &[u8], out: &mut [u8]) -> Option<usize> {
    let (mut from, mut to) = (0, 0);
    while let Some(byte) = raw.get(from) {
        if *byte != b'\\' {
            let plain = copy_plain(&raw[from..], out.get_mut(to..)?)?;
            (from, to) = (from + plain, to + plain);
            continue;
        }
        let byte = match raw.get(from + 1)? {
            byte @ (b'"' | b'\\' | b'/') => *byte,
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let room = out.get_mut(to..)?;
                let (read, written) = match unit(&raw[from..])? {
                    0xd800..0xe000 => (2 * UNIT_LEN, pair(&raw[from..])?.encode_utf8(room).len()),
                    unit => (UNIT_LEN, put(unit, room.first_chunk_mut()?)),
                };
                (from, to) = (from + read, to + written);
                continue;
            }
            _ => return None,
        };
        *out.get_mut(to)? = byte;
        (from, to) = (from + 2, to + 1);
    }
    Some(to)
}

/// Copies bytes up to the next backslash, at most eight; returns their number. The first is none.
#[inline]
fn copy_plain(raw: &[u8], out: &mut [u8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let (Some(chunk), Some(room)) = (raw.first_chunk(), out.first_chunk_mut()) else {
        *out.first_mut()? = *raw.first()?;
        return Some(1);
    };
    *room = *chunk;
    let others = u64::from_le_bytes(*chunk) ^ (ONES * u64::from(b'\\'));
    let backslashes = others.wrapping_sub(ONES) & !others & (ONES << 7);
    Some((backslashes.trailing_zeros() / u8::BITS) as usize)
}

/// Length of `\uXXXX`.
const UNIT_LEN: usize = 6;

/// The character of the surrogate pair at the start of `raw`.
fn pair(raw: &[u8]) -> Option<char> {
    let high = unit(raw)?.checked_sub(0xd800).filter(|high| *high < 0x400)?;
    let low = unit(&raw[UNIT_LEN..])?.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
    char::from_u32(0x1_0000 + (high << 10) + low)
}

/// Writes a character below U+10000 as UTF-8; returns its length.
#[inline]
fn put(unit: u32, room: &mut [u8; 3]) -> usize {
    let later = |shift: u32| 0x80 | (unit >> shift) as u8 & 0x3f;
    match unit {
        0..0x80 => {
            room[0] = unit as u8;
            1
        }
        0x80..0x800 => {
            (room[0], room[1]) = (0xc0 | (unit >> 6) as u8, later(0));
            2
        }
        _ => {
            *room = [0xe0 | (unit >> 12) as u8, later(6), later(0)];
            3
        }
    }
}

/// The code unit at the start of `raw`.
#[inline]
fn unit(raw: &[u8]) -> Option<u32> {
    let [b'\\', b'u', a, b, c, d] = *raw.first_chunk()? else { return None };
    let [a, b, c, d] = [a, b, c, d].map(|digit| u32::from(HEX[usize::from(digit)]));
    ((a | b | c | d) < NO_DIGIT).then_some(a << 12 | b << 8 | c << 4 | d)
}

const NO_DIGIT: u32 = 16;

/// The value of a hexadecimal digit; 16 for all other bytes.
static HEX: [u8; 256] = {
    let mut hex = [NO_DIGIT as u8; 256];
    let mut digit = 0;
    while digit < 16 {
        let spelt = b"0123456789abcdef"[digit as usize];
        hex[spelt as usize] = digit;
        hex[spelt.to_ascii_uppercase() as usize] = digit;
        digit += 1;
    }
    hex
};

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn unescaped(raw: &[u8]) -> Option<Vec<u8>> {
        let mut out = vec![0; raw.len()];
        let len = unescape(raw, &mut out)?;
        out.truncate(len);
        Some(out)
    }

    #[test]
    fn half_a_pair_is_none_and_so_is_an_escape_that_does_not_exist() {
        for raw in
            [r"\ud83d", r"\ude00", r"\ud83d\ud83d", r"\ud83dx", r"\ud83d\n", r"\x", r"\u12g4", r"\u123", r"\"]
        {
            for text in [raw.to_owned(), format!("0123456789{raw}"), format!("{raw}0123456789")] {
                let is_json = serde_json::from_str::<String>(&format!("\"{text}\"")).is_ok();
                assert_eq!(unescaped(text.as_bytes()).is_some(), is_json, "{text}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_text_is_what_another_reader_makes_of_it(raw in r#"([ -!#-\[\]-~é]|\\[\\"/bfnrtuxd0]|\\ud[89a-f][0-9]{2}|\\u[0-9a-fA-F]{4}){0,40}"#) {
            let theirs: Option<String> = serde_json::from_str(&format!("\"{raw}\"")).ok();
            prop_assert_eq!(unescaped(raw.as_bytes()), theirs.map(String::into_bytes));
        }
    }
}
