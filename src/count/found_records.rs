//! What of one run is read back from Kafka: a set of sequence numbers.

use super::NumberSet;
use crate::event::{OwnNames, seq_of_run};

/// Records of one run that were found in Kafka.
#[derive(Debug)]
pub struct FoundRecords {
    run: String,
    in_headers: bool,
    names: OwnNames,
    /// Sequence numbers found, each once.
    pub seqs: NumberSet,
    /// Records whose number was found before.
    pub repeated: u64,
    /// Records with a number that no tweet of the run has.
    pub unsent: u64,
    /// Tweets that are known to have left.
    sent: u64,
}

impl FoundRecords {
    /// Of this run, whose id and numbers are in the records' headers, or at the end of their values under `names`.
    pub fn new(run: &str, in_headers: bool, names: OwnNames) -> Self {
        let (seqs, run) = (NumberSet::default(), run.to_owned());
        Self { run, in_headers, names, seqs, repeated: 0, unsent: 0, sent: 0 }
    }

    /// Whether it looks at headers.
    pub fn in_headers(&self) -> bool {
        self.in_headers
    }

    /// Takes a record by its value. Of the run, `sent()` tweets have left so far.
    pub fn take_value(&mut self, value: &[u8], sent: impl Fn() -> u64) {
        if let Some(seq) = seq_of_run(value, &self.run, self.names) {
            self.take(seq, sent);
        }
    }

    /// Takes a record by its headers.
    pub fn take_headers<'a, 'b>(
        &mut self,
        headers: impl Iterator<Item = (&'a [u8], &'b [u8])>,
        sent: impl Fn() -> u64,
    ) {
        let (mut is_ours, mut seq) = (false, None);
        for (key, value) in headers {
            match key {
                b"run" => is_ours = value == self.run.as_bytes(),
                b"seq" => seq = std::str::from_utf8(value).ok().and_then(|digits| digits.parse().ok()),
                _ => {}
            }
        }
        if let Some(seq) = seq.filter(|_| is_ours) {
            self.take(seq, sent);
        }
    }

    fn take(&mut self, seq: u64, sent: impl Fn() -> u64) {
        if seq >= self.sent {
            self.sent = sent();
        }
        if seq >= self.sent {
            // Anybody may write such a number: the set must not grow with it.
            self.unsent += 1;
        } else if !self.seqs.insert(seq) {
            self.repeated += 1;
        }
    }

    /// Forgets all: what was found is not there any more.
    pub fn clear(&mut self) {
        *self = Self::new(&self.run, self.in_headers, self.names);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_this_run_count_once_each_and_only_with_numbers_that_were_sent() {
        let mut found = FoundRecords::new("r1", false, OwnNames::default());
        for (run, seq) in [("r1", 0), ("r1", 2), ("r2", 1), ("r1", 2), ("r1", 3), ("r1", u64::MAX)] {
            found.take_value(format!(r#"{{"tweet":"x","run":"{run}","seq":{seq}}}"#).as_bytes(), || 3);
        }
        assert_eq!((found.seqs.len(), found.repeated, found.unsent), (2, 1, 2));
        found.clear();
        assert_eq!((found.seqs.len(), found.repeated, found.unsent), (0, 0, 0));
    }

    #[test]
    fn headers_need_both_the_run_and_a_number() {
        let mut found = FoundRecords::new("r1", true, OwnNames::default());
        let ours: [&[(&str, &str)]; 3] = [
            &[("run", "r1"), ("seq", "0")],
            &[("seq", "1"), ("x", "y"), ("run", "r1")],
            &[("run", "r1"), ("seq", "1")],
        ];
        let others: [&[(&str, &str)]; 5] = [
            &[],
            &[("run", "r1")],
            &[("seq", "2")],
            &[("run", "r2"), ("seq", "2")],
            &[("run", "r1"), ("seq", "-2")],
        ];
        for headers in ours.into_iter().chain(others) {
            found.take_headers(headers.iter().map(|(key, value)| (key.as_bytes(), value.as_bytes())), || 9);
        }
        assert_eq!((found.seqs.len(), found.repeated, found.unsent), (2, 1, 0));
    }
}
