//! Escapes in JSON strings.

use memchr::memchr;

/// Decodes the escapes in `raw`, the bytes between the quotes of a JSON string, to the start of
/// `out`. Returns the number of bytes, never more than `raw` has; `None` for an invalid escape, or
/// half of a surrogate pair.
pub fn unescape(raw: &[u8], out: &mut [u8]) -> Option<usize> {
    let (mut from, mut to) = (0, 0);
    loop {
        // Escapes are often consecutive.
        if raw.get(from) != Some(&b'\\') {
            let rest = &raw[from..];
            let plain = memchr(b'\\', rest).unwrap_or(rest.len());
            out.get_mut(to..to + plain)?.copy_from_slice(&rest[..plain]);
            (from, to) = (from + plain, to + plain);
            if from == raw.len() {
                return Some(to);
            }
        }
        let byte = match raw.get(from + 1)? {
            byte @ (b'"' | b'\\' | b'/') => *byte,
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let (char, len) = code_point(&raw[from..])?;
                to += char.encode_utf8(out.get_mut(to..to + char.len_utf8())?).len();
                from += len;
                continue;
            }
            _ => return None,
        };
        *out.get_mut(to)? = byte;
        (from, to) = (from + 2, to + 1);
    }
}

/// The character at the start of `raw`, which is `\uXXXX` or two of them, and their length.
fn code_point(raw: &[u8]) -> Option<(char, usize)> {
    const LEN: usize = 6;
    let first = unit(raw)?;
    if !(0xd800..0xdc00).contains(&first) {
        return Some((char::from_u32(first)?, LEN));
    }
    let second = unit(&raw[LEN..]).filter(|second| (0xdc00..0xe000).contains(second))?;
    Some((char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00))?, 2 * LEN))
}

#[inline]
fn unit(raw: &[u8]) -> Option<u32> {
    let digits = raw.strip_prefix(b"\\u")?.first_chunk::<4>()?.map(|digit| HEX[usize::from(digit)]);
    let unit = digits.iter().fold(0, |unit, digit| unit << 4 | u32::from(*digit));
    digits.iter().all(|digit| *digit < 16).then_some(unit)
}

/// The value of a hexadecimal digit; 16 for all other bytes.
static HEX: [u8; 256] = {
    let mut hex = [16; 256];
    let mut digit = 0;
    while digit < 16 {
        let spelt = b"0123456789abcdef"[digit as usize];
        hex[spelt as usize] = digit;
        hex[spelt.to_ascii_uppercase() as usize] = digit;
        digit += 1;
    }
    hex
};
