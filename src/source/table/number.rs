//! Which cells are numbers.

/// Significant digits that a double always keeps (`f64::DIGITS`).
const SAFE_DIGITS: usize = f64::DIGITS as usize;

/// What the bytes of a cell are, counted: [`kind`] of each, added up. Of up to 15 bytes no count runs over.
pub(super) type Kinds = u64;

const DIGIT: Kinds = 1;
const DOT: Kinds = 1 << 16;
const MINUS: Kinds = 1 << 32;
/// In some numbers, or around them.
const RARE: Kinds = 1 << 40;
const OTHER: Kinds = 1 << 48;

/// What a cell is whose first byte is that of no number.
pub(super) const NO_NUMBER: Kinds = OTHER;

/// Whether a number, or blanks before it, may begin with this byte.
#[inline(always)]
pub(super) fn may_begin(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'-' | b' ')
}

const KINDS: [Kinds; 256] = {
    let mut kinds = [OTHER; 256];
    let mut byte = 0;
    while byte < 256 {
        kinds[byte] = match byte as u8 {
            b'0'..=b'9' => DIGIT,
            b'.' => DOT,
            b'-' => MINUS,
            b'e' | b'E' | b'+' | b' ' => RARE,
            _ => OTHER,
        };
        byte += 1;
    }
    kinds
};

/// What a byte of a cell is.
#[inline(always)]
pub(super) fn kind(byte: u8) -> Kinds {
    KINDS[usize::from(byte)]
}

/// The number in a cell of these kinds, without blanks around it. Most cells are decided without another loop over
/// their bytes.
#[inline]
pub(super) fn number_in(cell: &[u8], kinds: Kinds) -> Option<&[u8]> {
    if cell.len() > SAFE_DIGITS || kinds & (OTHER - RARE) != 0 {
        let (first, last) = (*cell.first()?, *cell.last()?);
        let may_be = may_begin(first) && matches!(last, b' ' | b'0'..=b'9');
        let number = if may_be { cell.trim_ascii() } else { &[] };
        return is_number(number).then_some(number);
    }
    if kinds >= OTHER {
        return None;
    }
    let is_negative = *cell.first()? == b'-';
    let digits = &cell[usize::from(is_negative)..];
    let (first, second) = (*digits.first()?, digits.get(1).copied().unwrap_or(b'.'));
    let is_number = (kinds & (OTHER - 1) & !((DOT - 1) | DOT) == if is_negative { MINUS } else { 0 })
        & first.is_ascii_digit()
        & ((first != b'0') | (second == b'.'))
        & cell[cell.len() - 1].is_ascii_digit();
    is_number.then_some(cell)
}

/// Whether a cell is a number in JSON that a reader with 64 bits per number reads as it stands: no leading zeros, no
/// plus sign, no more digits than a long or a double has.
pub(super) fn is_number(cell: &[u8]) -> bool {
    let digits = cell.strip_prefix(b"-").unwrap_or(cell);
    let whole = count_digits(digits);
    if whole == 0 || (whole > 1 && digits[0] == b'0') {
        return false;
    }
    if whole == digits.len() {
        // Up to 18 digits always fit.
        return whole <= 18 || parsed::<i64>(cell).is_some();
    }
    is_double(&digits[whole..]) && keeps_digits(cell)
}

/// Whether `rest` is what may follow the whole part: a fraction, an exponent, or both.
fn is_double(mut rest: &[u8]) -> bool {
    if let Some(fraction) = rest.strip_prefix(b".") {
        let digits = count_digits(fraction);
        rest = &fraction[digits..];
        if digits == 0 {
            return false;
        }
    }
    match rest {
        [] => true,
        [b'e' | b'E', b'+' | b'-', power @ ..] | [b'e' | b'E', power @ ..] => {
            !power.is_empty() && count_digits(power) == power.len()
        }
        _ => false,
    }
}

/// Whether a double keeps all significant digits of a number.
fn keeps_digits(cell: &[u8]) -> bool {
    let Some(number) = parsed::<f64>(cell).filter(|number| number.is_finite()) else { return false };
    let written = significant(cell);
    if written.len() <= SAFE_DIGITS {
        return number != 0.0 || written.is_empty();
    }
    // The cell has the shortest digits that name this double. Where two are as near to it, programs write one or the
    // other: 253283521721822.125 is ...22.13 here, and ...22.12 where halves go to the even digit.
    let is_as = |text: String| significant(text.as_bytes()) == written;
    is_as(format!("{number:e}"))
        || serde_json::Number::from_f64(number).is_some_and(|number| is_as(number.to_string()))
}

/// The digits before the exponent, without zeros at their start and end.
fn significant(number: &[u8]) -> Vec<u8> {
    let mantissa = number.split(|byte| matches!(byte, b'e' | b'E')).next().unwrap_or_default();
    let digits: Vec<u8> = mantissa.iter().copied().filter(u8::is_ascii_digit).collect();
    let first = digits.iter().position(|digit| *digit != b'0').unwrap_or(digits.len());
    let last = digits.iter().rposition(|digit| *digit != b'0').map_or(first, |last| last + 1);
    digits[first..last].to_vec()
}

fn count_digits(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

fn parsed<T: std::str::FromStr>(cell: &[u8]) -> Option<T> {
    std::str::from_utf8(cell).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_of_json_are_numbers_unless_digits_would_be_lost() {
        for cell in [
            "0",
            "-7",
            "12.700",
            "0.5",
            "1e-05",
            "1.5E+3",
            "9223372036854775807",
            "-9223372036854775808",
            "40.74181700000001",
            "123456789012345e3",
            "253283521721822.12",
            "253283521721822.13",
        ] {
            assert!(is_number(cell.as_bytes()), "{cell}");
        }
        for cell in [
            "",
            "-",
            "007",
            "+5",
            ".5",
            "5.",
            "1e",
            "1e400",
            "1e-400",
            "0x10",
            "1,5",
            "NaN",
            "9223372036854775808",
            "0.1234567890123456789",
            "1693840800.123456789",
            "253283521721822.11",
            "253283521721822.125",
            "1 2",
        ] {
            assert!(!is_number(cell.as_bytes()), "{cell}");
        }
    }

    proptest! {
        #[test]
        fn what_a_program_writes_for_a_long_or_a_double_is_a_number(long: i64, double in prop::num::f64::NORMAL) {
            prop_assert!(is_number(long.to_string().as_bytes()));
            for written in [serde_json::json!(double).to_string(), format!("{double:e}")] {
                prop_assert!(is_number(written.as_bytes()), "{}", written);
            }
        }

        #[test]
        fn numbers_are_found_by_what_their_bytes_are(cell in " ?-?[0-9.eE+x-]{0,18} ?") {
            let cell = cell.as_bytes();
            let found = number_in(cell, cell.iter().map(|byte| kind(*byte)).sum());
            prop_assert_eq!(found.is_some(), is_number(cell.trim_ascii()), "{:?}", cell);
        }

        #[test]
        fn a_number_is_one_for_a_json_parser_too(cell in "-?[0-9.eE+-]{0,24}") {
            if is_number(cell.as_bytes()) {
                prop_assert!(serde_json::from_str::<serde_json::Number>(&cell).is_ok(), "{}", cell);
            }
        }
    }
}
