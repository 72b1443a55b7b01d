//! An error with its causes.

use std::error::Error;
use std::iter::successors;

/// The error and its causes on one line, each once. No message of ours holds that of its cause.
pub fn with_causes(error: &(dyn Error + 'static)) -> String {
    let chain: Vec<String> =
        successors(Some(error), |error| (*error).source()).map(ToString::to_string).collect();
    chain.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceError;

    #[test]
    fn each_cause_is_said_once() {
        let source = std::io::Error::from_raw_os_error(28);
        let error = SourceError::Open { path: "t.json".into(), source };
        assert_eq!(with_causes(&error), "cannot read t.json: No space left on device (os error 28)");
    }
}
