//! JSON as programs write it that are careless of its rules: `NaN` and `Infinity` (Python, pandas), half of a
//! surrogate pair (a text cut within an emoji), whole numbers above 2^64. Other readers take them, so the
//! record is rewritten with what they stand for, where it cannot be read as it is.

/// What was mended in a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mended {
    /// `NaN`, `Infinity` or `-Infinity`, read as null.
    pub not_numbers: bool,
    /// Half a surrogate pair, read as U+FFFD.
    pub surrogates: bool,
    /// A whole number above 2^64, read as a text.
    pub long_numbers: bool,
}

impl Mended {
    /// The names of what was mended, for the report.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        [
            (self.not_numbers, "NaN or Infinity, read as null"),
            (self.surrogates, "half a surrogate pair, read as U+FFFD"),
            (self.long_numbers, "whole number above 2^64, read as a text"),
        ]
        .into_iter()
        .filter_map(|(is_there, name)| is_there.then_some(name))
    }
}

/// Appends `json` to `out` with what is to be mended; [`Mended::default`]: there is nothing.
pub fn mend(json: &[u8], out: &mut Vec<u8>) -> Mended {
    let mut mended = Mended::default();
    let mut at = 0;
    while let Some(byte) = json.get(at) {
        at += match byte {
            b'"' => string(&json[at..], out, &mut mended),
            b'-' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => word(&json[at..], out, &mut mended),
            byte => {
                out.push(*byte);
                1
            }
        };
    }
    mended
}

/// A number or a name; returns its length.
fn word(json: &[u8], out: &mut Vec<u8>, mended: &mut Mended) -> usize {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
    let len = json.iter().take_while(|byte| is_part(byte)).count();
    let word = &json[..len];
    let digits = word.strip_prefix(b"-").unwrap_or(word);
    let is_whole = digits.iter().all(u8::is_ascii_digit);
    // Up to 19 digits always fit.
    let is_long = is_whole && digits.len() > 19 && digits[0] != b'0';
    let fits = || std::str::from_utf8(word).is_ok_and(|word| word.parse::<u64>().is_ok());
    match word {
        b"NaN" | b"Infinity" | b"-Infinity" => {
            mended.not_numbers = true;
            out.extend_from_slice(b"null");
        }
        _ if is_long && !fits() => {
            mended.long_numbers = true;
            out.push(b'"');
            out.extend_from_slice(word);
            out.push(b'"');
        }
        _ => out.extend_from_slice(word),
    }
    len
}

/// A string, up to its closing quote or the end; returns its length.
fn string(json: &[u8], out: &mut Vec<u8>, mended: &mut Mended) -> usize {
    const LEN: usize = 6;
    out.push(b'"');
    let mut at = 1;
    while let Some(byte) = json.get(at) {
        let rest = &json[at..];
        let taken = match (byte, unit(rest)) {
            (b'"', _) => {
                out.push(b'"');
                return at + 1;
            }
            (b'\\', None) => &rest[..rest.len().min(2)],
            (b'\\', Some(0xd800..=0xdbff)) if matches!(unit(&rest[LEN..]), Some(0xdc00..=0xdfff)) => {
                &rest[..2 * LEN]
            }
            (b'\\', Some(0xd800..=0xdfff)) => {
                mended.surrogates = true;
                out.extend_from_slice(br"\ufffd");
                at += LEN;
                continue;
            }
            (b'\\', Some(_)) => &rest[..LEN],
            _ => &rest[..memchr::memchr2(b'"', b'\\', rest).unwrap_or(rest.len())],
        };
        out.extend_from_slice(taken);
        at += taken.len();
    }
    at
}

/// The code unit of the escape `\uXXXX` at the start.
fn unit(json: &[u8]) -> Option<u32> {
    let digits = json.strip_prefix(b"\\u")?.get(..4)?;
    let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
    u32::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mended(json: &str) -> (String, Vec<&'static str>) {
        let mut out = Vec::new();
        let mended = mend(json.as_bytes(), &mut out);
        (String::from_utf8(out).unwrap(), mended.names().collect())
    }

    #[test]
    fn what_other_writers_mean_is_written_as_json() {
        for (json, meant, changes) in [
            (r#"{"a":NaN,"b":[-Infinity,Infinity]}"#, r#"{"a":null,"b":[null,null]}"#, 1),
            (r#"{"a":"NaN","b":"\"NaN"}"#, r#"{"a":"NaN","b":"\"NaN"}"#, 0),
            (
                r#"["\ud83d","\ude00\ud83d\ude00","\\ud83d"]"#,
                r#"["\ufffd","\ufffd\ud83d\ude00","\\ud83d"]"#,
                1,
            ),
            (r#"["\uD83D\n","\ud83d\ud83d\ude00"]"#, r#"["\ufffd\n","\ufffd\ud83d\ude00"]"#, 1),
            (
                r#"[18446744073709551616,-99999999999999999999]"#,
                r#"["18446744073709551616","-99999999999999999999"]"#,
                1,
            ),
            (
                r#"[18446744073709551615,1e400,123456789012345678901.5]"#,
                r#"[18446744073709551615,1e400,123456789012345678901.5]"#,
                0,
            ),
            (r#"{"a":nan,"b":tru"#, r#"{"a":nan,"b":tru"#, 0),
            (r#"["cut \ud8"#, r#"["cut \ud8"#, 0),
        ] {
            let (out, names) = mended(json);
            assert_eq!((&out[..], names.len()), (meant, changes), "{json}");
        }
    }

    proptest! {
        #[test]
        fn what_is_json_stays_as_it_is(text: String, number: f64, whole: u64, other: i64) {
            let json = serde_json::json!({ &text: [number, whole, other, &text, null, true] }).to_string();
            prop_assert_eq!(mended(&json), (json.clone(), Vec::new()));
        }

        #[test]
        fn any_bytes_are_gone_through_without_a_panic(bytes: Vec<u8>, signs in r#"["\\ud8NaIn\-0-9]{0,60}"#) {
            for bytes in [&bytes[..], signs.as_bytes()] {
                let mut out = Vec::new();
                if mend(bytes, &mut out) == Mended::default() {
                    prop_assert_eq!(&out[..], bytes);
                }
            }
        }
    }
}
