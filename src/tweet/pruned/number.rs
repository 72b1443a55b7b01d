//! Numbers as they appear in tweets.

use simd_json::StaticNode;

use crate::tweet::decimal::eight_digits;

/// The number at the start of `bytes` and its length. Numbers with an exponent, or with more digits
/// than an id or a coordinate needs, are left to simd-json.
pub fn parse(bytes: &[u8]) -> Option<(StaticNode, usize)> {
    const FRACTION_MAX: usize = 17;
    let is_negative = bytes[0] == b'-';
    let start = usize::from(is_negative);
    let (mut at, mut number) = (start, 0u64);
    while let Some(digits) = bytes.get(at..).and_then(|rest| eight_digits(rest.first_chunk()?)) {
        number = number.checked_mul(100_000_000)?.checked_add(digits)?;
        at += 8;
    }
    while let Some(digit) = bytes.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
        number = number.checked_mul(10)?.checked_add(u64::from(digit))?;
        at += 1;
    }
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
