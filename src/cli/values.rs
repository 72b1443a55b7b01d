//! Values of flags, from the words of a user.

use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use crate::kafka::embedded::Fsync;
use crate::mqtt::OutsideBroker;
use crate::options::{Loops, MqttChoice, Pace};

/// A duration: `4s`, `500ms`, `5m`, `1h30m`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let parsed: jiff::SignedDuration =
        text.parse().map_err(|_| "a duration looks like 500ms, 4s, 5m or 1h30m".to_owned())?;
    Duration::try_from(parsed).map_err(|_| "a duration cannot be below 0".to_owned())
}

/// A duration that takes time.
pub(super) fn positive_duration(text: &str) -> Result<Duration, String> {
    let duration = duration(text)?;
    if duration.is_zero() { Err("must be longer than 0".to_owned()) } else { Ok(duration) }
}

/// An event time in milliseconds since 1970 UTC: `2020-01-31`, `2020-01-31T18:00`,
/// `2020-01-31T18:00:00.500+01:00`. Without an offset it is UTC.
pub(super) fn event_time(text: &str) -> Result<i64, String> {
    use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
    let with_offset = || text.parse::<Timestamp>().ok();
    let utc = || TimeZone::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok();
    let time = with_offset().or_else(utc);
    time.map(Timestamp::as_millisecond)
        .ok_or_else(|| "a time looks like 2020-01-31, 2020-01-31T18:00:00 or 2020-01-31T18:00:00Z".to_owned())
}

/// How often: `3`, or `forever`.
pub(super) fn loops(text: &str) -> Result<Loops, String> {
    if text.eq_ignore_ascii_case("forever") {
        return Ok(Loops::Forever);
    }
    let times = text.parse().ok().filter(|times| *times > 0).map(Loops::Times);
    times.ok_or_else(|| "loops are a number such as 3, or forever".to_owned())
}

/// A speed: `100x`, `0.5x`, `100`, or `max`.
pub(super) fn speedup(text: &str) -> Result<Pace, String> {
    if text.eq_ignore_ascii_case("max") {
        return Ok(Pace::Max);
    }
    let number = text.strip_suffix(['x', 'X']).unwrap_or(text);
    positive(number).map(Pace::Speedup).ok_or_else(|| "a speed looks like 100x, 0.5x or max".to_owned())
}

/// A rate: `5000/s`, `5000`, `300/m`, `20/h`, in tweets a second.
pub(super) fn rate(text: &str) -> Result<f64, String> {
    let (number, per_s) = match text.rsplit_once('/') {
        None => (text, Some(1.0)),
        Some((number, "s" | "sec")) => (number, Some(1.0)),
        Some((number, "m" | "min")) => (number, Some(60.0)),
        Some((number, "h")) => (number, Some(3_600.0)),
        Some((number, _)) => (number, None),
    };
    positive(number)
        .zip(per_s)
        .map(|(number, per_s)| number / per_s)
        .ok_or_else(|| "a rate looks like 5000/s, 300/m or 20/h".to_owned())
}

fn positive(number: &str) -> Option<f64> {
    number.parse().ok().filter(|number: &f64| number.is_finite() && *number > 0.0)
}

/// An address to listen on: `127.0.0.1:1883`, `localhost:1883`, or a port alone, on loopback.
pub(super) fn listen(text: &str) -> Result<SocketAddr, String> {
    let with_host = if text.contains(':') { text.to_owned() } else { format!("127.0.0.1:{text}") };
    let wrong = || "an address looks like 127.0.0.1:1883, or 1883 alone".to_owned();
    with_host.to_socket_addrs().map_err(|_| wrong())?.next().ok_or_else(wrong)
}

/// The MQTT hop: `off`, or an outside broker.
pub(super) fn mqtt(text: &str) -> Result<MqttChoice, String> {
    match text {
        "off" => Ok(MqttChoice::Off),
        url => OutsideBroker::parse(url).map(MqttChoice::Outside).map_err(|error| format!("{error}; or off")),
    }
}

/// librdkafka properties: `key=value`, or `@FILE` with one of them a line, where `#` begins a comment.
pub(super) fn properties(text: &str) -> Result<Vec<(String, String)>, String> {
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
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.trim().to_owned())),
        _ => Err("a property looks like linger.ms=20".to_owned()),
    }
}

/// When to sync: `never`, `always`, or a time between two syncs.
pub(super) fn fsync(text: &str) -> Result<Fsync, String> {
    match text {
        "never" => Ok(Fsync::Never),
        "always" => Ok(Fsync::Always),
        time => duration(time).map(Fsync::Every).map_err(|_| "never, always, or a time like 1s".to_owned()),
    }
}

/// `host:port`.
pub(super) fn host_port(text: &str) -> Result<(String, u16), String> {
    text.rsplit_once(':')
        .filter(|(host, _)| !host.is_empty())
        .and_then(|(host, port)| Some((host.to_owned(), port.parse().ok()?)))
        .ok_or_else(|| "an address looks like kafka.example:9092".to_owned())
}

/// A link that a browser can open.
pub(super) fn link(text: &str) -> Result<String, String> {
    let is_link =
        ["http://", "https://"].iter().any(|scheme| text.len() > scheme.len() && text.starts_with(scheme));
    let fits = is_link && !text.contains(|c: char| c.is_whitespace() || c.is_control());
    if fits {
        Ok(text.to_owned())
    } else {
        Err("a link looks like http://127.0.0.1:8088/superset/dashboard/live/".to_owned())
    }
}

/// A size below 4 GiB in bytes: `16MiB`, `64KiB`, `1000`.
pub(super) fn size(text: &str) -> Result<usize, String> {
    big_size(text)
        .ok()
        .filter(|bytes| *bytes <= u64::from(u32::MAX))
        .and_then(|bytes| usize::try_from(bytes).ok())
        .ok_or_else(|| "a size looks like 16MiB, 64KiB or 1000, and is below 4 GiB".to_owned())
}

/// A size in bytes: `2GiB`, `16MiB`, `1000`.
pub(super) fn big_size(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 3] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];
    let (number, unit) =
        UNITS.iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, *unit))).unwrap_or((text, 1));
    let bytes = number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    bytes.filter(|bytes| *bytes > 0).ok_or_else(|| "a size looks like 2GiB, 16MiB or 1000".to_owned())
}

/// What MQTT and Kafka both take as a topic's name.
pub(super) fn topic(text: &str) -> Result<String, String> {
    let fits = (1..=249).contains(&text.len())
        && text != "."
        && text != ".."
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if fits { Ok(text.to_owned()) } else { Err("a topic is 1 to 249 of a-z A-Z 0-9 . _ -".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_rates_and_times_are_read_as_people_write_them() {
        assert_eq!(speedup("100x"), Ok(Pace::Speedup(100.0)));
        assert_eq!(speedup("0.5"), Ok(Pace::Speedup(0.5)));
        assert_eq!(speedup("max"), Ok(Pace::Max));
        assert_eq!(rate("5000/s"), Ok(5_000.0));
        assert_eq!(rate("300/m"), Ok(5.0));
        assert_eq!(duration("1h30m"), Ok(Duration::from_secs(5_400)));
        assert_eq!(loops("3"), Ok(Loops::Times(3)));
        assert_eq!(loops("Forever"), Ok(Loops::Forever));
        assert_eq!(size("16MiB"), Ok(16 << 20));
        assert_eq!(big_size("8GiB"), Ok(8 << 30));
        assert_eq!(mqtt("off"), Ok(MqttChoice::Off));
        assert!(matches!(mqtt("mqtt://broker"), Ok(MqttChoice::Outside(_))));
        assert_eq!(fsync("1s"), Ok(Fsync::Every(Duration::from_secs(1))));
        assert_eq!(host_port("kafka:9092"), Ok(("kafka".into(), 9_092)));
        assert_eq!(listen("1883"), Ok(([127, 0, 0, 1], 1883).into()));
        assert_eq!(link("http://h/d/{run}"), Ok("http://h/d/{run}".into()));
        assert_eq!(property("linger.ms=20=x"), Ok(("linger.ms".into(), "20=x".into())));
    }

    #[test]
    fn event_times_are_utc_unless_they_say_otherwise() {
        const DAY_MS: i64 = 1_580_428_800_000;
        for (text, ms) in [
            ("2020-01-31", DAY_MS),
            ("2020-01-31T18:00", DAY_MS + 18 * 3_600_000),
            ("2020-01-31 18:00:00.5", DAY_MS + 18 * 3_600_000 + 500),
            ("2020-01-31T18:00:00Z", DAY_MS + 18 * 3_600_000),
            ("2020-01-31T18:00:00+02:00", DAY_MS + 16 * 3_600_000),
        ] {
            assert_eq!(event_time(text), Ok(ms), "{text}");
        }
        assert!(event_time("yesterday").is_err() && event_time("2020-02-30").is_err());
    }

    #[test]
    fn nonsense_is_told_what_it_should_look_like() {
        for wrong in ["0x", "-1x", "fast", "", "inf", "NaNx"] {
            assert!(speedup(wrong).unwrap_err().contains("100x"), "{wrong}");
        }
        for wrong in ["0/s", "5/d", "/s"] {
            assert!(rate(wrong).unwrap_err().contains("5000/s"), "{wrong}");
        }
        assert!(duration("4").is_err());
        assert!(duration("-4s").is_err() && positive_duration("0s").is_err());
        assert!(loops("0").is_err() && loops("-1").is_err() && loops("many").is_err());
        assert!(size("0").is_err() && size("16MB").is_err() && size("99999GiB").is_err());
        assert!(mqtt("on").unwrap_err().ends_with("mqtt://user@host; or off"));
        assert!(fsync("often").is_err() && host_port("kafka").is_err());
        assert!(listen("host").is_err() && listen("99999").is_err());
        assert!(link("h:8088").is_err() && link("http://").is_err() && link("http://h/ a").is_err());
        assert!(property("=x").is_err() && property("x").is_err());
        assert!(properties("@/nowhere").unwrap_err().contains("/nowhere"));
    }

    #[test]
    fn properties_come_from_files_too_and_are_not_shown() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let name = format!("@{}", file.path().display());
        std::fs::write(file.path(), "# Kafka\n\nsasl.username = ann\r\nsasl.password=a=b #c\n").unwrap();
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let read = [pair("sasl.username", "ann"), pair("sasl.password", "a=b #c")];
        assert_eq!(properties(&name).unwrap(), read);
        std::fs::write(file.path(), "a=b\ns3cret").unwrap();
        let words = properties(&name).unwrap_err();
        assert!(words.contains("line 2") && !words.contains("s3cret"), "{words}");
    }
}
