//! Reads dead letters as input; and what becomes a dead letter.

use memchr::memmem;

use crate::source::Frame;

/// How every line starts.
const START: &[u8] = b"{\"dead_letter\":{";
/// What separates the header, which contains no objects, from the record.
const RECORD: &[u8] = b"},\"record\":";

/// The record in a dead letter; `None` if it contains none. A frame that is not a dead letter is
/// returned unchanged.
pub(crate) fn unwrap(frame: Frame<'_>) -> Option<Frame<'_>> {
    if !frame.bytes.starts_with(START) {
        return Some(frame);
    }
    let start = memmem::find(frame.bytes, RECORD)? + RECORD.len();
    let bytes = frame.bytes.get(start..frame.bytes.len() - 1).filter(|bytes| !bytes.is_empty())?;
    Some(Frame { offset: frame.offset + start as u64, bytes, ..frame })
}

/// A frame of the input, or an item in it, that is not a tweet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Letter {
    /// Where the frame begins.
    pub offset: u64,
    /// Its length.
    pub bytes: usize,
    pub why: LetterReason,
}

/// Why it is not a tweet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LetterReason {
    /// Not JSON.
    Unparseable,
    /// JSON, but not a tweet: the kind.
    Reject(&'static str),
    /// An item in the list of this user's texts.
    Item { kind: &'static str, user_id: Option<i64> },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unwrapped(line: &str) -> Option<(u64, &str)> {
        let frame = unwrap(Frame { offset: 100, bytes: line.as_bytes(), includes: &[] })?;
        Some((frame.offset - 100, std::str::from_utf8(frame.bytes).unwrap()))
    }

    #[test]
    fn a_letter_is_the_record_in_it_and_everything_else_is_itself() {
        let line = r#"{"dead_letter":{"reason":"},\"record\":{"},"record":{"a":{"b":1}}}"#;
        assert_eq!(unwrapped(line), Some((line.find(r#"{"a""#).unwrap() as u64, r#"{"a":{"b":1}}"#)));
        assert_eq!(unwrapped(r#"{"text":"a"}"#), Some((0, r#"{"text":"a"}"#)));
        assert_eq!(unwrapped(r#"{"dead_letter":{"reason":"x"},"text":"},\"record\":{}"}"#), None);
        assert_eq!(unwrapped(r#"{"dead_letter":{"#), None);
        assert_eq!(unwrapped(r#"{"dead_letter":{},"record":"#), None);
    }
}
