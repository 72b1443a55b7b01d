//! Properties under which "acknowledged" does not mean "there, once".
//!
//! Judged by their effective values in librdkafka, which knows the aliases; the last one given counts.

use super::ProducerOptions;

/// Name of a property, its safe values, and what the other values risk.
type Rule = (&'static str, fn(&str) -> bool, &'static str);

/// Settings that need `--unsafe`.
const UNSAFE: [Rule; 4] = [
    ("acks", |value| matches!(value, "-1" | "all"), "Kafka acknowledges what it may still lose"),
    ("enable.idempotence", |value| value == "true", "a message that is sent again may be there twice"),
    ("message.timeout.ms", |value| value == "0", "a message that may have arrived is counted as failed"),
    (
        "message.send.max.retries",
        |value| value == "2147483647",
        "a message that may have arrived is counted as failed",
    ),
];

/// Settings with which no replay works.
const IMPOSSIBLE: [Rule; 3] = [
    (
        "delivery.report.only.error",
        |value| value == "false",
        "Kafka's word on each message is what the ledger counts",
    ),
    ("test.mock.num.brokers", |value| value == "0", "librdkafka's mock cluster keeps nothing"),
    ("transactional.id", str::is_empty, "a replay has no transactions"),
];

/// The unsafe properties, each as `name=value` with its risk.
///
/// # Errors
/// When there are some and they are not allowed, or one with which no replay works.
pub fn check_settings(properties: &[(String, String)], allow_unsafe: bool) -> Result<Vec<String>, String> {
    let options = ProducerOptions { properties: properties.to_vec(), ..ProducerOptions::default() };
    // If librdkafka refuses the properties, `check_properties` reports it.
    let Ok(effective) = options.client_config().create_native_config() else { return Ok(Vec::new()) };
    let breaks = |(name, is_fine, brings): &Rule| {
        let value = effective.get(name).unwrap_or_default();
        (!is_fine(&value)).then(|| format!("{name}={value}: {brings}"))
    };
    if let Some(words) = IMPOSSIBLE.iter().find_map(breaks) {
        return Err(format!("-X {words}"));
    }
    let found: Vec<String> = UNSAFE.iter().filter_map(breaks).collect();
    match found.first() {
        Some(words) if !allow_unsafe => {
            Err(format!("-X {words}; --unsafe allows it, and the run is unproven"))
        }
        _ => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(properties: &[(&str, &str)], allow_unsafe: bool) -> Result<Vec<String>, String> {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        check_settings(&properties.iter().map(own).collect::<Vec<_>>(), allow_unsafe)
    }

    #[test]
    fn our_own_and_others_that_lose_nothing_are_safe() {
        for safe in [
            &[][..],
            &[("linger.ms", "50"), ("compression.type", "none"), ("max.in.flight", "1")],
            &[("acks", "all")],
            &[("request.required.acks", "-1"), ("delivery.timeout.ms", "0"), ("enable.idempotence", "true")],
            &[("acks", "0"), ("acks", "all")],
            // Told elsewhere.
            &[("no.such.property", "1")],
            &[("acks", "some")],
        ] {
            assert_eq!(check(safe, false), Ok(Vec::new()), "{safe:?}");
        }
    }

    #[test]
    fn unsafe_ones_are_found_under_each_of_their_names_and_refused_unless_allowed() {
        for (name, value, canonical) in [
            ("acks", "0", "acks"),
            ("acks", "1", "acks"),
            ("request.required.acks", "1", "acks"),
            ("enable.idempotence", "false", "enable.idempotence"),
            ("message.timeout.ms", "1000", "message.timeout.ms"),
            ("delivery.timeout.ms", "1000", "message.timeout.ms"),
            ("retries", "0", "message.send.max.retries"),
            ("message.send.max.retries", "3", "message.send.max.retries"),
        ] {
            let refused = check(&[(name, value)], false).unwrap_err();
            assert!(refused.starts_with(&format!("-X {canonical}={value}: ")), "{name}: {refused}");
            assert!(refused.contains("--unsafe"), "{refused}");
            assert_eq!(check(&[(name, value)], true).unwrap().len(), 1, "{name}");
        }
        let both = check(&[("enable.idempotence", "false"), ("acks", "0")], true).unwrap();
        assert_eq!(both.len(), 2, "{both:?}");
    }

    #[test]
    fn what_cannot_work_is_refused_in_any_case() {
        for (name, value) in [
            ("delivery.report.only.error", "true"),
            ("test.mock.num.brokers", "1"),
            ("transactional.id", "t"),
        ] {
            for allow in [false, true] {
                assert!(check(&[(name, value)], allow).unwrap_err().starts_with(&format!("-X {name}=")));
            }
        }
    }
}
