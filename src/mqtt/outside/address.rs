//! Where an outside broker is, and how to log in there: `mqtt://[user@]host[:port]`.

use std::fmt;

/// MQTT without TLS (IANA).
const DEFAULT_PORT: u16 = 1883;

/// The address and login of an MQTT broker that runs elsewhere.
#[derive(Clone, PartialEq, Eq)]
pub struct OutsideBroker {
    /// Name or address; IPv6 without brackets.
    pub host: String,
    pub port: u16,
    /// Name to log in with; `None`: no login.
    pub user: Option<String>,
    /// Never shown.
    pub password: Option<String>,
}

impl OutsideBroker {
    /// Parses `mqtt://[user@]host[:port]`. A password does not belong on a command line, where
    /// every user of the machine can see it.
    ///
    /// # Errors
    /// A message that shows what an address looks like.
    pub fn parse(url: &str) -> Result<Self, String> {
        let wrong = || "an outside broker looks like mqtt://host:1883 or mqtt://user@host".to_owned();
        if url.starts_with("mqtts://") || url.starts_with("ssl://") {
            return Err("TLS to an MQTT broker is not built in: mqtt:// only".to_owned());
        }
        let rest = url.strip_prefix("mqtt://").ok_or_else(wrong)?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (user, place) = match rest.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, rest),
        };
        if user.is_some_and(|user| user.contains(':')) {
            return Err("a password belongs into TWEETBLAST_MQTT_PASSWORD, not into the address".to_owned());
        }
        let (host, port) = match place.strip_prefix('[') {
            Some(bracketed) => {
                let (host, port) = bracketed.split_once(']').ok_or_else(wrong)?;
                let port =
                    if port.is_empty() { None } else { Some(port.strip_prefix(':').ok_or_else(wrong)?) };
                (host, port)
            }
            None => place.rsplit_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
        };
        let port = match port {
            Some(port) => port.parse().ok().filter(|port| *port != 0).ok_or_else(wrong)?,
            None => DEFAULT_PORT,
        };
        let is_name = |text: &str| !text.is_empty() && !text.contains(['/', '?', '#', ' ', '@', '[', ']']);
        let colons_fit = place.starts_with('[') || !host.contains(':');
        if !is_name(host) || !colons_fit || user.is_some_and(|user| !is_name(user)) {
            return Err(wrong());
        }
        Ok(Self { host: host.to_owned(), port, user: user.map(str::to_owned), password: None })
    }
}

impl fmt::Display for OutsideBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

impl fmt::Debug for OutsideBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OutsideBroker({self}, user {:?})", self.user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> (String, Option<String>) {
        let broker = OutsideBroker::parse(url).unwrap();
        (broker.to_string(), broker.user)
    }

    #[test]
    fn addresses_are_read_as_people_write_them() {
        assert_eq!(read("mqtt://broker"), ("broker:1883".into(), None));
        assert_eq!(read("mqtt://127.0.0.1:1884/"), ("127.0.0.1:1884".into(), None));
        assert_eq!(read("mqtt://me@broker:1"), ("broker:1".into(), Some("me".into())));
        assert_eq!(read("mqtt://me@[::1]:1884"), ("[::1]:1884".into(), Some("me".into())));
        assert_eq!(read("mqtt://[::1]"), ("[::1]:1883".into(), None));
    }

    #[test]
    fn what_is_none_is_told_what_it_should_look_like() {
        for wrong in [
            "broker",
            "mqtt://",
            "mqtt://:1883",
            "mqtt://a:x",
            "mqtt://a:0",
            "mqtt://a/b",
            "mqtt://@a",
            "mqtt://::1",
            "mqtt://[::1",
            "mqtt://[::1]x",
            "mqtt://a b",
            "http://a",
            "mqtt://a:70000",
        ] {
            let error = OutsideBroker::parse(wrong).unwrap_err();
            assert!(error.contains("mqtt://host:1883"), "{wrong}: {error}");
        }
        assert!(OutsideBroker::parse("mqtts://a").unwrap_err().contains("TLS"));
        let secret = OutsideBroker::parse("mqtt://me:secret@a").unwrap_err();
        assert!(secret.contains("TWEETBLAST_MQTT_PASSWORD") && !secret.contains("secret@"));
    }

    #[test]
    fn a_password_is_never_shown() {
        let password = Some("secret".to_owned());
        let broker = OutsideBroker { password, ..OutsideBroker::parse("mqtt://me@a").unwrap() };
        assert!(!format!("{broker:?} {broker}").contains("secret"));
    }
}
