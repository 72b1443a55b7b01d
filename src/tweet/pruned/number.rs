//! Numbers as they appear in tweets.

use simd_json::StaticNode;

use crate::tweet::decimal::leading_digits;

/// The number at the start of `bytes` and its length. Numbers with an exponent, or with more digits
/// than an id or a coordinate needs, are left to simd-json.
#[inline(never)]
pub fn parse(bytes: &[u8]) -> Option<(StaticNode, usize)> {
    const FRACTION_MAX: usize = 17;
    let is_negative = bytes[0] == b'-';
    let start = usize::from(is_negative);
    let (number, at) = digits(bytes, start)?;
    if at == start || (bytes[start] == b'0' && at > start + 1) {
        return None;
    }
    match bytes.get(at) {
        Some(b'.') => {
            let digits = bytes[at + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            let end = at + 1 + digits;
            let is_short = digits > 0 && end <= FRACTION_MAX;
            if !is_short || matches!(bytes.get(end), Some(b'e' | b'E')) {
                return None;
            }
            let number = std::str::from_utf8(&bytes[..end]).ok()?.parse().ok()?;
            Some((StaticNode::F64(number), end))
        }
        Some(b'e' | b'E') => None,
        _ if !is_negative => Some((StaticNode::U64(number), at)),
        _ => Some((StaticNode::I64(0i64.checked_sub_unsigned(number)?), at)),
    }
}

/// The digits from `start` on as a number, and where they end; `None` if there are more than 19, or fewer than eight bytes
/// after them.
#[inline]
fn digits(bytes: &[u8], start: usize) -> Option<(u64, usize)> {
    const POWERS: [u64; 8] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000];
    const MOST: usize = 19;
    let (mut at, mut number) = (start, 0u64);
    loop {
        let (next, count) = leading_digits(bytes.get(at..)?.first_chunk()?);
        at += count as usize;
        let Some(power) = POWERS.get(count as usize) else {
            // Three times eight are too many, and after twice eight it cannot overflow.
            if at - start > MOST {
                return None;
            }
            number = number * 100_000_000 + next;
            continue;
        };
        return (at - start <= MOST).then(|| (number * power + next, at));
    }
}
