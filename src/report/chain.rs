//! An error with its causes.

use std::error::Error;
use std::iter::successors;

/// The error and its causes, each once. No message of ours holds that of its cause.
pub fn with_causes(error: &(dyn Error + 'static)) -> String {
    let chain: Vec<String> =
        successors(Some(error), |error| (*error).source()).map(|error| plain(&error.to_string())).collect();
    chain.join(": ")
}

/// Without the system's number after its words: "No such file or directory (os error 2)".
fn plain(words: &str) -> String {
    const NUMBER: &str = " (os error ";
    let mut out = String::with_capacity(words.len());
    let mut rest = words;
    while let Some((before, after)) = rest.split_once(NUMBER) {
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        out.push_str(before);
        match after[digits..].strip_prefix(')') {
            Some(words) if digits > 0 => rest = words,
            _ => {
                out.push_str(NUMBER);
                rest = after;
            }
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceError;

    #[test]
    fn each_cause_is_said_once() {
        let source = std::io::Error::from_raw_os_error(28);
        let error = SourceError::Open { path: "t.json".into(), source };
        assert_eq!(with_causes(&error), "cannot read t.json: No space left on device");
    }

    #[test]
    fn the_number_of_a_system_error_is_omitted_wherever_it_is() {
        assert_eq!(plain("a (os error 2)"), "a");
        assert_eq!(plain("a (os error 2), b (os error 111): c"), "a, b: c");
        assert_eq!(plain("a (os error x) (os error "), "a (os error x) (os error ");
    }
}
