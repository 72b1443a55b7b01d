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

/// Eight digits as a number, in three steps: of pairs, of fours, of all.
#[inline]
pub fn eight_digits(digits: &[u8; 8]) -> Option<u64> {
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    const HIGH: u64 = 0xf0f0_f0f0_f0f0_f0f0;
    let bytes = u64::from_le_bytes(*digits);
    let is_digits = bytes & HIGH == ZEROS && bytes.wrapping_add(0x0606_0606_0606_0606) & HIGH == ZEROS;
    let mut number = bytes.wrapping_sub(ZEROS);
    number = number.wrapping_mul(10).wrapping_add(number >> 8) & 0x00ff_00ff_00ff_00ff;
    number = number.wrapping_mul(100).wrapping_add(number >> 16) & 0x0000_ffff_0000_ffff;
    number = number.wrapping_mul(10_000).wrapping_add(number >> 32) & 0xffff_ffff;
    is_digits.then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn agrees_with_the_standard_library(number: u64, text in "[0-9]{0,22}", other in "[0-9+:/a -]{0,20}") {
            for text in [number.to_string(), text, other] {
                let is_plain = text.len() <= 19 && text.bytes().all(|byte| byte.is_ascii_digit());
                prop_assert_eq!(decimal(&text), text.parse().ok().filter(|_| is_plain));
            }
        }
    }
}
