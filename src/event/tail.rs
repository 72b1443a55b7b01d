//! Knows a replay's own messages by the last fields of their payload, without parsing it: those that come
//! back over MQTT 3.1.1, which has no properties that could carry a mark, and those read back from Kafka.
//!
//! A payload that ends like one of ours counts as ours. In well-formed JSON that cannot happen by
//! chance, because quotes inside a string are escaped.

use super::OwnNames;

/// The sequence number of a payload that ends with `,"run":"RUN","seq":N}`, with the names that ours have; `None`:
/// it is not one of this run.
pub fn seq_of_run(payload: &[u8], run: &str, names: OwnNames) -> Option<u64> {
    let head = payload.strip_suffix(b"}")?;
    let digits = head.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let (head, number) = head.split_at(head.len() - digits);
    // Only the spelling we write: at least one digit, no leading zeros.
    if number.len() > 1 && number.starts_with(b"0") {
        return None;
    }
    let seq = std::str::from_utf8(number).ok()?.parse().ok()?;
    let head = head.strip_suffix(b"\":")?.strip_suffix(names.seq().as_bytes())?.strip_suffix(b"\",\"")?;
    let head = head.strip_suffix(run.as_bytes())?.strip_suffix(b"\":\"")?;
    head.strip_suffix(names.run().as_bytes())?.ends_with(b",\"").then_some(seq)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::TakenNames;
    use proptest::prelude::*;

    const RUN: &str = "20261124T050211-7k2m";

    fn tail(run: &str, seq: impl std::fmt::Display) -> Vec<u8> {
        format!(r#","run":"{run}","seq":{seq}}}"#).into_bytes()
    }

    #[test]
    fn only_the_tail_counts_and_only_as_it_is_written() {
        let ours = [br#"{"tweet":"a""#.to_vec(), tail(RUN, 7)].concat();
        assert_eq!(seq_of_run(&ours, RUN, OwnNames::default()), Some(7));
        assert_eq!(seq_of_run(&tail(RUN, u64::MAX), RUN, OwnNames::default()), Some(u64::MAX));
        assert_eq!(seq_of_run(&ours, "20261124T050211-7k2n", OwnNames::default()), None);
        for other in [
            &b""[..],
            b"}",
            b"7}",
            b"{}",
            br#","seq":7}"#,
            br#"{"run":"20261124T050211-7k2m","seq":7}"#,
            br#","run":"20261124T050211-7k2m","seq":}"#,
            br#","run":"20261124T050211-7k2m","seq":-7}"#,
            br#","run":"20261124T050211-7k2m","seq":+7}"#,
            br#","run":"20261124T050211-7k2m","seq":07}"#,
            br#","run":"20261124T050211-7k2m","seq":7} "#,
            br#","run":"20261124T050211-7k2m","seq":7,"x":1}"#,
            br#","run":"20261124T050211-7k2m","seq":18446744073709551616}"#,
            br#"{"tweet":",\"run\":\"20261124T050211-7k2m\",\"seq\":7}"}"#,
        ] {
            assert_eq!(
                seq_of_run(other, RUN, OwnNames::default()),
                None,
                "{}",
                String::from_utf8_lossy(other)
            );
        }
    }

    #[test]
    fn ours_are_known_by_the_names_that_they_have() {
        let mut taken = TakenNames::default();
        taken.note("seq");
        let payload = br#"{"seq":"a","run":"r","_seq":7}"#;
        assert_eq!(seq_of_run(payload, "r", taken.free()), Some(7));
        assert_eq!(seq_of_run(payload, "r", OwnNames::default()), None);
    }

    proptest! {
        #[test]
        fn our_own_are_known_whatever_stands_before(before: Vec<u8>, run in "[A-Za-z0-9-]{1,64}", seq: u64) {
            prop_assert_eq!(seq_of_run(&[before, tail(&run, seq)].concat(), &run, OwnNames::default()), Some(seq));
        }

        #[test]
        fn what_is_read_is_what_would_have_been_written(
            before: Vec<u8>,
            seq: u64,
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
            cut in 0usize..60,
        ) {
            let mut payload = [before, tail(RUN, seq)].concat();
            for (at, byte) in changes {
                let at = at.index(payload.len());
                payload[at] = byte;
            }
            payload.truncate(payload.len().saturating_sub(if cut < 40 { 0 } else { cut }));
            match seq_of_run(&payload, RUN, OwnNames::default()) {
                Some(seq) => prop_assert!(payload.ends_with(&tail(RUN, seq))),
                None => prop_assert!(!payload.ends_with(&tail(RUN, seq))),
            }
        }

        #[test]
        fn hostile_bytes_are_nobody_of_ours(payload: Vec<u8>, run in "\\PC{0,70}") {
            prop_assert_eq!(seq_of_run(&payload, &format!("{run}#"), OwnNames::default()), None);
        }
    }
}
