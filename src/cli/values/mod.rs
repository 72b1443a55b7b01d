//! Values of flags, from the words of a user. Each refusal says what to type; clap puts the flag and the value
//! before it.

mod address;
mod kafka;
mod number;
mod route;
mod time;
mod users;

pub(super) use address::{advertised, druid, kafka, listen, mqtt, superset};
pub(super) use kafka::{fsync, properties, topic};
pub(super) use number::{MOST, count, loops, profile, rate, record_size, size, speedup};
pub(super) use route::{JsonPath, json_path, topic_route};
pub(super) use time::{duration, event_time, time_zone, wait};
pub(super) use users::mqtt_users;

/// A link that a browser can open.
pub(super) fn link(text: &str) -> Result<String, String> {
    let is_link =
        ["http://", "https://"].iter().any(|scheme| text.len() > scheme.len() && text.starts_with(scheme));
    let fits = is_link && !text.contains(|c: char| c.is_whitespace() || c.is_control());
    match fits {
        true => Ok(text.to_owned()),
        false => Err("must be a link such as http://127.0.0.1:8088/superset/dashboard/live/".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_one_that_a_browser_opens() {
        assert!(link("http://127.0.0.1:8088/superset/dashboard/live/?run={run}").is_ok());
        for wrong in ["", "live", "http://", "file:///etc", "http://a b", "http://a\nb", "javascript:x"] {
            assert!(link(wrong).is_err(), "{wrong}");
        }
    }
}
