//! Whole numbers from their digits, eight at a time: ids and times have up to twenty.

/// The number in `text`, if it is only digits and below 10^19.
#[inline]
pub fn decimal(text: &str) -> Option<u64> {
    let (mut rest, mut number) = (text.as_bytes(), 0u64);
    if rest.is_empty() || rest.len() > 19 {
        return None;
    }
    while let Some((digits, behind)) = rest.split_first_chunk() {
        number = number * 100_000_000 + eight_digits(digits)?;
        rest = behind;
    }
    for byte in rest {
        let digit = byte.wrapping_sub(b'0');
        number = (digit < 10).then(|| number * 10 + u64::from(digit))?;
    }
    Some(number)
}

/// Whether `text` is a number for [`decimal`].
#[inline]
pub fn is_decimal(text: &str) -> bool {
    let bytes = text.as_bytes();
    let are_digits = |digits: &[u8; 8]| leading_digits(digits).1 == 8;
    match bytes.last_chunk::<8>() {
        Some(last) => {
            bytes.len() <= 19 && are_digits(last) && bytes.as_chunks::<8>().0.iter().all(are_digits)
        }
        None => !bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit),
    }
}

const ZEROS: u64 = 0x3030_3030_3030_3030;
const HIGH: u64 = 0xf0f0_f0f0_f0f0_f0f0;

/// Eight digits as a number.
#[inline]
fn eight_digits(digits: &[u8; 8]) -> Option<u64> {
    let (number, count) = leading_digits(digits);
    (count == 8).then_some(number)
}

/// The digits at the start of these bytes as a number, and how many there are.
#[inline]
pub fn leading_digits(bytes: &[u8; 8]) -> (u64, u32) {
    let values = u64::from_le_bytes(*bytes) ^ ZEROS;
    // Of the bytes up to the first that is no digit, only that one has a high bit now or with 6 added.
    let others = (values | values.wrapping_add(0x0606_0606_0606_0606)) & HIGH;
    let count = others.trailing_zeros() / u8::BITS;
    // As if there were zeros before them; in three steps: of pairs, of fours, of all.
    let mut number = values.checked_shl(u64::BITS - count * u8::BITS).unwrap_or(0);
    number = number.wrapping_mul(10).wrapping_add(number >> 8) & 0x00ff_00ff_00ff_00ff;
    number = number.wrapping_mul(100).wrapping_add(number >> 16) & 0x0000_ffff_0000_ffff;
    number = number.wrapping_mul(10_000).wrapping_add(number >> 32) & 0xffff_ffff;
    (number, count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn leading_digits_end_where_they_end(digits in "[0-9]{0,8}", then: [u8; 8]) {
            let mut bytes = then;
            bytes[..digits.len()].copy_from_slice(digits.as_bytes());
            let count = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let number = std::str::from_utf8(&bytes[..count]).unwrap().parse().unwrap_or(0);
            prop_assert_eq!(leading_digits(&bytes), (number, count as u32));
        }

        #[test]
        fn agrees_with_the_standard_library(number: u64, text in "[0-9]{0,22}", other in "[0-9+:/a -]{0,20}") {
            for text in [number.to_string(), text, other] {
                let is_plain = text.len() <= 19 && text.bytes().all(|byte| byte.is_ascii_digit());
                prop_assert_eq!(decimal(&text), text.parse().ok().filter(|_| is_plain));
                prop_assert_eq!(is_decimal(&text), decimal(&text).is_some());
            }
        }
    }
}
