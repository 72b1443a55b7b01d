//! What Kafka is asked for: topics, librdkafka's properties, when to sync.

use super::time::duration;
use crate::kafka::embedded::Fsync;

/// What MQTT and Kafka both take as a topic's name.
pub(in crate::cli) fn topic(text: &str) -> Result<String, String> {
    let fits = (1..=249).contains(&text.len())
        && text != "."
        && text != ".."
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if fits { Ok(text.to_owned()) } else { Err("must be 1 to 249 of a-z A-Z 0-9 . _ -".to_owned()) }
}

/// librdkafka properties: `key=value`, or `@FILE` with one per line, where `#` begins a comment.
pub(in crate::cli) fn properties(text: &str) -> Result<Vec<(String, String)>, String> {
    let Some(path) = text.strip_prefix('@') else { return Ok(vec![property(text)?]) };
    let lines = std::fs::read_to_string(path).map_err(|error| format!("cannot read {path}: {error}"))?;
    let lines = lines.lines().map(str::trim).enumerate();
    lines
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        // What stands there may be a password.
        .map(|(at, line)| property(line).map_err(|words| format!("{path}, line {}: {words}", at + 1)))
        .collect()
}

fn property(text: &str) -> Result<(String, String), String> {
    let Some((key, value)) = text.split_once('=').map(|(key, value)| (key.trim(), value.trim())) else {
        return Err("must be a property such as linger.ms=20".to_owned());
    };
    match key {
        "" => Err("must be a property such as linger.ms=20".to_owned()),
        "bootstrap.servers" | "metadata.broker.list" => {
            Err("the address of Kafka is given with --kafka HOST:PORT".to_owned())
        }
        key => Ok((key.to_owned(), value.to_owned())),
    }
}

/// When to sync: `never`, `always`, or a time between two syncs.
pub(in crate::cli) fn fsync(text: &str) -> Result<Fsync, String> {
    match text {
        "never" => Ok(Fsync::Never),
        "always" => Ok(Fsync::Always),
        time => duration(time)
            .map(Fsync::Every)
            .map_err(|_| "must be never, always, or a time above 0 such as 1s".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn topics_are_what_mqtt_and_kafka_both_take() {
        assert!(topic("tweets-2.a_B").is_ok());
        for wrong in ["", "a/b", "a#", "ü", ".", "..", &"x".repeat(250)] {
            assert!(topic(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn properties_are_given_one_by_one_or_in_a_file() {
        let one = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(properties("linger.ms=20"), Ok(vec![one("linger.ms", "20")]));
        assert_eq!(properties("a=b=c"), Ok(vec![one("a", "b=c")]));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("kafka.properties");
        let file = format!("@{}", path.display());
        std::fs::write(&path, "# secrets\n\nsasl.username = me\nsasl.password=p=w\n").unwrap();
        let expected = vec![one("sasl.username", "me"), one("sasl.password", "p=w")];
        assert_eq!(properties(&file), Ok(expected));
        std::fs::write(&path, "acks=all\nhunter2\n").unwrap();
        let error = properties(&file).unwrap_err();
        assert!(error.contains("line 2") && !error.contains("hunter2"), "{error}");
        for wrong in ["", "linger.ms", "=5", "@/no/such/file"] {
            assert!(properties(wrong).is_err(), "{wrong}");
        }
        for address in ["bootstrap.servers=x:1", "metadata.broker.list=x:1"] {
            assert!(properties(address).unwrap_err().contains("--kafka"), "{address}");
        }
    }

    #[test]
    fn syncs_are_never_always_or_now_and_then() {
        assert_eq!(fsync("never"), Ok(Fsync::Never));
        assert_eq!(fsync("always"), Ok(Fsync::Always));
        assert_eq!(fsync("2s"), Ok(Fsync::Every(Duration::from_secs(2))));
        for wrong in ["", "often", "0s"] {
            assert!(fsync(wrong).is_err(), "{wrong}");
        }
    }
}
