//! One array, streamed element by element: a file of any size in constant memory.
//!
//! The scanner looks only at brackets, commas and strings. It finds where an element ends, not
//! whether it is valid: that is the parser's word. An element with unbalanced brackets or an
//! unclosed string cannot be told from what follows, so it becomes one frame up to the place
//! where the brackets balance again, or the end of the file.

use memchr::memchr2;

use super::{Frame, byte_order_mark, is_space};

/// The elements of one JSON array; what stands after its end, if anything, comes as one frame.
#[derive(Debug, Clone)]
pub struct Elements<'a> {
    bytes: &'a [u8],
    position: usize,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    BeforeFirst,
    Inside,
    Closed,
}

impl<'a> Elements<'a> {
    /// The elements of the array in `bytes`, a whole file.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: byte_order_mark(bytes), state: State::BeforeFirst }
    }

    fn skip_space(&mut self) {
        let rest = &self.bytes[self.position..];
        self.position += rest.iter().position(|byte| !is_space(*byte)).unwrap_or(rest.len());
    }

    /// Everything from here to the end of the file, as one frame, if there is anything.
    fn rest(&mut self) -> Option<Frame<'a>> {
        self.skip_space();
        let start = self.position;
        self.position = self.bytes.len();
        self.frame(start, self.bytes.len())
    }

    /// The bytes between, without the white space at their end; `None` when nothing is left.
    fn frame(&self, start: usize, end: usize) -> Option<Frame<'a>> {
        let bytes = &self.bytes[start..end];
        let last = bytes.iter().rposition(|byte| !is_space(*byte))?;
        Some(Frame { offset: start as u64, bytes: &bytes[..=last] })
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Frame<'a>;

    fn next(&mut self) -> Option<Frame<'a>> {
        if self.state == State::BeforeFirst {
            self.skip_space();
            if self.bytes.get(self.position) != Some(&b'[') {
                self.state = State::Closed;
                return self.rest();
            }
            self.position += 1;
            self.state = State::Inside;
        }
        while self.state == State::Inside {
            self.skip_space();
            match self.bytes.get(self.position) {
                None => return None,
                Some(b']') => {
                    self.position += 1;
                    self.state = State::Closed;
                }
                // Also a comma too many: `[1,,2]` has two elements for us.
                Some(b',') => self.position += 1,
                Some(_) => {
                    let start = self.position;
                    self.position = value_end(self.bytes, start);
                    return self.frame(start, self.position);
                }
            }
        }
        self.rest()
    }
}

/// Where the value that starts at `start` ends: at the comma or bracket behind it (white space
/// before that included), or at the end of `bytes`. Looks at brackets and strings only.
pub fn value_end(bytes: &[u8], start: usize) -> usize {
    let mut depth = 0usize;
    let mut at = start;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = string_end(bytes, at);
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 0 => return at,
            b'}' | b']' => depth -= 1,
            b',' if depth == 0 => return at,
            _ => {}
        }
        at += 1;
    }
    at
}

/// The place behind the closing quote of the string whose opening quote is at `open`; the end of
/// `bytes` when it is never closed.
pub fn string_end(bytes: &[u8], open: usize) -> usize {
    let mut at = open + 1;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += found;
        if bytes[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn elements(text: &str) -> Vec<&str> {
        Elements::new(text.as_bytes())
            .map(|frame| {
                let at = usize::try_from(frame.offset).unwrap();
                assert_eq!(&text.as_bytes()[at..at + frame.bytes.len()], frame.bytes);
                std::str::from_utf8(frame.bytes).unwrap()
            })
            .collect()
    }

    #[test]
    fn brackets_and_commas_in_strings_do_not_count() {
        assert_eq!(
            elements(r#" [ {"a":"],}\"\\"} , [1,[2]],"x,y" ,3 ] "#),
            [r#"{"a":"],}\"\\"}"#, "[1,[2]]", r#""x,y""#, "3"]
        );
    }

    #[test]
    fn empty_arrays_and_files() {
        assert!(elements("[]").is_empty());
        assert!(elements(" [ \r\n ] ").is_empty());
        assert!(elements("").is_empty());
    }

    #[test]
    fn a_cut_array_gives_its_last_element_as_far_as_it_goes() {
        assert_eq!(elements(r#"[{"a":1},{"b":"c"#), [r#"{"a":1}"#, r#"{"b":"c"#]);
        assert_eq!(elements(r#"[{"a":1},"#), [r#"{"a":1}"#]);
    }

    #[test]
    fn what_follows_the_array_is_one_frame() {
        assert_eq!(elements("[1]\n garbage [2] \n"), ["1", "garbage [2]"]);
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<String>().prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(serde_json::Value::from),
                prop::collection::hash_map(any::<String>(), inner, 0..5)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn agrees_with_a_plain_json_reader(values in prop::collection::vec(json(), 0..8), pretty: bool) {
            let text = if pretty {
                serde_json::to_string_pretty(&values).unwrap()
            } else {
                serde_json::to_string(&values).unwrap()
            };
            let read: Vec<serde_json::Value> =
                elements(&text).iter().map(|element| serde_json::from_str(element).unwrap()).collect();
            prop_assert_eq!(read, values);
        }

        #[test]
        fn any_bytes_end_without_a_panic_and_without_overlap(bytes: Vec<u8>) {
            let mut end = 0;
            for frame in Elements::new(&bytes) {
                prop_assert!(frame.offset >= end && !frame.bytes.is_empty());
                end = frame.offset + frame.bytes.len() as u64;
            }
            prop_assert!(end <= bytes.len() as u64);
        }
    }
}
