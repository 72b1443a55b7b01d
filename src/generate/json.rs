//! Writes JSON by hand: strings with their escapes, and times as tweets spell them.
//!
//! By hand because it is several times faster than building values, and because no JSON library
//! offers both of the ways in which real files spell text ([`Escape`]).

use std::io::{self, Write};

use jiff::Timestamp;

/// How text outside ASCII is spelt. Real files have both ways, whole records at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escape {
    /// UTF-8 unchanged; `/` unchanged.
    Raw,
    /// `\uXXXX`, in surrogate pairs above U+FFFF; `/` as `\/`.
    Ascii,
}

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Appends `text` as a JSON string with its quotes.
pub(super) fn string(out: &mut Vec<u8>, text: &str, escape: Escape) {
    out.push(b'"');
    for c in text.chars() {
        match c {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\t' => out.extend_from_slice(b"\\t"),
            '/' if escape == Escape::Ascii => out.extend_from_slice(b"\\/"),
            ' '..='~' => out.push(c as u8),
            _ if c.is_ascii() || escape == Escape::Ascii => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let digit = |shift: u32| HEX[usize::from(*unit >> shift & 0xf)];
                    out.extend_from_slice(&[b'\\', b'u', digit(12), digit(8), digit(4), digit(0)]);
                }
            }
            _ => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out.push(b'"');
}

/// Appends `value` as a string, or `null`.
pub(super) fn string_or_null(out: &mut Vec<u8>, value: Option<&str>, escape: Escape) {
    match value {
        Some(text) => string(out, text, escape),
        None => out.extend_from_slice(b"null"),
    }
}

/// Appends the time with its quotes, as in `"Wed Aug 27 13:08:45 +0000 2008"`; fractions of a
/// second are cut off. An error beyond the year 9999.
pub(super) fn created_at(out: &mut Vec<u8>, ms: u64) -> io::Result<()> {
    let time = i64::try_from(ms)
        .ok()
        .and_then(|ms| Timestamp::from_millisecond(ms).ok())
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "event time beyond year 9999"))?;
    write!(out, "{}", time.strftime("\"%a %b %d %H:%M:%S +0000 %Y\""))
}

/// Appends the time with its quotes, as in `"2021-09-22T16:38:35.000Z"`: whole seconds, as in API
/// v2. An error beyond the year 9999.
pub(super) fn iso_time(out: &mut Vec<u8>, ms: u64) -> io::Result<()> {
    let time = i64::try_from(ms)
        .ok()
        .and_then(|ms| Timestamp::from_millisecond(ms).ok())
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "event time beyond year 9999"))?;
    write!(out, "{}", time.strftime("\"%Y-%m-%dT%H:%M:%S.000Z\""))
}

/// Appends compact JSON with one line per member and element, indented by two blanks per level from
/// `level` on.
pub(super) fn indented(out: &mut Vec<u8>, compact: &[u8], level: usize) {
    let mut depth = level;
    let (mut in_string, mut escaped) = (false, false);
    let new_line = |out: &mut Vec<u8>, depth: usize| {
        out.push(b'\n');
        out.extend(std::iter::repeat_n(b' ', 2 * depth));
    };
    out.extend(std::iter::repeat_n(b' ', 2 * level));
    for (at, byte) in compact.iter().enumerate() {
        if in_string {
            out.push(*byte);
            in_string = escaped || *byte != b'"';
            escaped = *byte == b'\\' && !escaped;
            continue;
        }
        match byte {
            b'{' | b'[' => {
                out.push(*byte);
                depth += 1;
                if !matches!(compact.get(at + 1), Some(b'}' | b']')) {
                    new_line(out, depth);
                }
            }
            b'}' | b']' => {
                depth -= 1;
                if !matches!(compact[at - 1], b'{' | b'[') {
                    new_line(out, depth);
                }
                out.push(*byte);
            }
            b',' => {
                out.push(b',');
                new_line(out, depth);
            }
            b':' => out.extend_from_slice(b": "),
            _ => {
                in_string = *byte == b'"';
                out.push(*byte);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str, escape: Escape) -> String {
        let mut out = Vec::new();
        string(&mut out, text, escape);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn strings_read_back_as_they_were() {
        let text = "quote \" back \\ slash / line\n tab\t bell\u{7} del\u{7f} é 電 👩‍🚀 \u{2028}";
        for escape in [Escape::Raw, Escape::Ascii] {
            let json = written(text, escape);
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
            assert_eq!(json.is_ascii(), escape == Escape::Ascii);
        }
    }

    #[test]
    fn beyond_the_basic_plane_stand_surrogate_pairs() {
        assert_eq!(written("😀/", Escape::Ascii), r#""\ud83d\ude00\/""#);
        assert_eq!(written("😀/", Escape::Raw), "\"😀/\"");
        assert_eq!(written("\u{7}", Escape::Raw), r#""\u0007""#);
    }

    #[test]
    fn indented_json_reads_back_as_it_was() {
        let value = serde_json::json!({"a": ["x, \"y\": {\\", {"b": [], "c": {}}, 1], "d": null});
        let mut out = Vec::new();
        indented(&mut out, &serde_json::to_vec(&value).unwrap(), 1);
        assert_eq!(serde_json::from_slice::<serde_json::Value>(&out).unwrap(), value);
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with("  {\n    \"a\": [\n      \"x, "), "{text}");
        assert!(text.ends_with("\n    \"d\": null\n  }"), "{text}");
    }

    #[test]
    fn times_are_spelt_as_in_tweets() {
        let mut out = Vec::new();
        created_at(&mut out, 1_219_842_525_999).unwrap();
        assert_eq!(out, b"\"Wed Aug 27 13:08:45 +0000 2008\"");
        assert!(created_at(&mut out, u64::MAX).is_err());
    }
}
