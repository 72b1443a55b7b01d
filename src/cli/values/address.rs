//! Addresses, all read alike: `host:port`, with or without the scheme that belongs to it, IPv6 in brackets.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};

use crate::mqtt::OutsideBroker;
use crate::options::MqttChoice;

/// Ports where none is given (MQTT's is IANA's).
const MQTT_PORT: u16 = 1883;
const KAFKA_PORT: u16 = 9092;
const DRUID_PORT: u16 = 8888;
const SUPERSET_PORT: u16 = 8088;

/// What an address may look like.
struct Kind {
    schemes: &'static [&'static str],
    /// A whole address, for messages.
    example: &'static str,
}

const MQTT: Kind = Kind { schemes: &["mqtt", "tcp"], example: "localhost:1883" };
const KAFKA: Kind = Kind { schemes: &["kafka", "plaintext"], example: "localhost:9092" };
const DRUID: Kind = Kind { schemes: &["http", "https"], example: "localhost:8888" };
const SUPERSET: Kind = Kind { schemes: &["http", "https"], example: "localhost:8088" };

/// An address in its parts.
#[derive(Debug, PartialEq, Eq)]
struct Address<'a> {
    /// In lower case; empty where there is none.
    scheme: String,
    /// Without the brackets of IPv6.
    host: &'a str,
    port: Option<u16>,
    /// From a slash on.
    path: &'a str,
}

impl Kind {
    fn wrong(&self) -> String {
        format!("must be an address such as {}", self.example)
    }

    /// An address of this kind.
    fn read<'a>(&self, text: &'a str) -> Result<Address<'a>, String> {
        let text = text.trim();
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
            None => (String::new(), text),
        };
        if !scheme.is_empty() && !self.schemes.contains(&scheme.as_str()) {
            return Err(format!("{scheme}:// does not belong here: {}", self.wrong()));
        }
        let (place, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (host, port) = match place.strip_prefix('[') {
            Some(bracketed) => {
                let (host, port) = bracketed.split_once(']').ok_or_else(|| self.wrong())?;
                let port = match port {
                    "" => None,
                    port => Some(port.strip_prefix(':').ok_or_else(|| self.wrong())?),
                };
                (host, port)
            }
            None if place.matches(':').count() > 1 => {
                return Err(format!("an IPv6 address stands in brackets: [{place}]"));
            }
            None => place.rsplit_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
        };
        let is_host = |c: char| c.is_alphanumeric() || "._-:%".contains(c);
        if host.is_empty() || !host.chars().all(is_host) {
            return Err(self.wrong());
        }
        let port = match port.map(|port| port.parse().ok().filter(|port| *port != 0).ok_or(port)).transpose()
        {
            Ok(port) => port,
            Err(port) => return Err(format!("{port:?} is not a port (1 to 65535): {}", self.wrong())),
        };
        Ok(Address { scheme, host, port, path })
    }
}

/// As it is written, with the brackets of IPv6.
fn with_port(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// Kafka's bootstrap servers: one address, or several with commas between them.
pub(in crate::cli) fn kafka(text: &str) -> Result<String, String> {
    let one = |address: &str| {
        let (scheme, _) = address.split_once("://").unwrap_or_default();
        if ["ssl", "sasl_ssl", "sasl_plaintext"].contains(&scheme.trim().to_ascii_lowercase().as_str()) {
            return Err(format!(
                "{scheme}:// is given with -X security.protocol={scheme}; {}",
                KAFKA.wrong()
            ));
        }
        let address = KAFKA.read(address)?;
        match address.path {
            "" | "/" => Ok(with_port(address.host, address.port.unwrap_or(KAFKA_PORT))),
            _ => Err(KAFKA.wrong()),
        }
    };
    Ok(text.split(',').map(one).collect::<Result<Vec<_>, _>>()?.join(","))
}

/// The MQTT hop: `off`, or an outside broker. A password does not belong on a command line, where everybody on
/// the machine sees it.
pub(in crate::cli) fn mqtt(text: &str) -> Result<MqttChoice, String> {
    const TLS: [&str; 4] = ["mqtts://", "ssl://", "tls://", "mqtt+ssl://"];
    const NOT_OFF: [&str; 4] = ["no", "none", "false", "on"];
    let text = text.trim();
    let lower = text.to_ascii_lowercase();
    if lower == "off" {
        return Ok(MqttChoice::Off);
    }
    let wrong = || format!("must be off, or an address such as {} or mqtt://user@host", MQTT.example);
    if NOT_OFF.contains(&&*lower) {
        return Err(format!("{}; without --mqtt the embedded broker is used", wrong()));
    }
    if TLS.iter().any(|scheme| lower.starts_with(scheme)) {
        return Err("TLS to an MQTT broker is not built in: mqtt:// only".to_owned());
    }
    // The user stands between the two, and is no part of an address elsewhere.
    let (scheme, rest) = text.split_at(text.find("://").map_or(0, |scheme| scheme + 3));
    let (user, place) = match rest.rsplit_once('@') {
        Some((user, place)) => (Some(user), place),
        None => (None, rest),
    };
    if user.is_some_and(|user| user.contains(':')) {
        return Err(
            "the password is read from TWEETBLAST_MQTT_PASSWORD; the address is mqtt://USER@HOST".to_owned()
        );
    }
    if user.is_some_and(|user| user.is_empty() || user.contains(['/', '?', '#', ' ', '@'])) {
        return Err(wrong());
    }
    let whole = format!("{scheme}{place}");
    let address = MQTT.read(&whole).map_err(|words| format!("{words}, or off"))?;
    match address.path {
        "" | "/" => Ok(MqttChoice::Outside(OutsideBroker {
            host: address.host.to_owned(),
            port: address.port.unwrap_or(MQTT_PORT),
            user: user.map(str::to_owned),
            password: None,
        })),
        _ => Err(format!("{}, or off", MQTT.wrong())),
    }
}

/// Druid's router.
pub(in crate::cli) fn druid(text: &str) -> Result<String, String> {
    const LOGIN: &str = "user and password are read from TWEETBLAST_DRUID_USER and TWEETBLAST_DRUID_PASSWORD";
    http(&DRUID, DRUID_PORT, text, LOGIN)
}

/// Superset, which is looked at without a login.
pub(in crate::cli) fn superset(text: &str) -> Result<String, String> {
    http(&SUPERSET, SUPERSET_PORT, text, "Superset is looked at without a login")
}

/// An address with its scheme, which is HTTP where none is given; the port is the usual one then. `login` says
/// where the user belongs.
fn http(kind: &Kind, port: u16, text: &str, login: &str) -> Result<String, String> {
    if text.contains('@') {
        return Err(format!("{login}: {}", kind.wrong()));
    }
    let address = kind.read(text)?;
    if address.path.contains(['?', '#', ' ', '@']) {
        return Err(kind.wrong());
    }
    let path = address.path.trim_end_matches('/');
    let host =
        if address.host.contains(':') { format!("[{}]", address.host) } else { address.host.to_owned() };
    Ok(match (&*address.scheme, address.port) {
        ("", given) => format!("http://{host}:{}{path}", given.unwrap_or(port)),
        (scheme, Some(given)) => format!("{scheme}://{host}:{given}{path}"),
        (scheme, None) => format!("{scheme}://{host}{path}"),
    })
}

/// What the embedded Kafka tells its clients.
pub(in crate::cli) fn advertised(text: &str) -> Result<(String, u16), String> {
    let address = KAFKA.read(text)?;
    Ok((address.host.to_owned(), address.port.unwrap_or(KAFKA_PORT)))
}

/// An address to listen on, for MQTT or for Kafka: `127.0.0.1:1883`, `localhost:1883`, or a port alone, on
/// loopback. Port 0 is any free one.
pub(in crate::cli) fn listen(text: &str, port: u16) -> Result<SocketAddr, String> {
    let wrong =
        || format!("must be an address such as 127.0.0.1:{port} or localhost:{port}, or the port alone");
    let text = text.trim();
    let text = text.split_once("://").map_or(text, |(_, rest)| rest.trim_end_matches('/'));
    if let Ok(port) = text.parse::<u16>() {
        return Ok(([127, 0, 0, 1], port).into());
    }
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Err(format!("must have a port: {}", SocketAddr::new(ip, port)));
    }
    if let Some(port) = text.strip_prefix(':').or_else(|| text.strip_prefix("*:")) {
        return Err(format!(
            "must say where: 127.0.0.1:{port} is this machine alone, 0.0.0.0:{port} the network too"
        ));
    }
    let addresses: Vec<SocketAddr> = text.to_socket_addrs().map_err(|_| wrong())?.collect();
    // `localhost` may be both, and most clients ask for the first.
    addresses.iter().find(|address| address.is_ipv4()).or(addresses.first()).copied().ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kafka_is_an_address_or_several() {
        for (text, expected) in [
            ("localhost", "localhost:9092"),
            ("localhost:19092", "localhost:19092"),
            ("kafka://localhost:9092/", "localhost:9092"),
            ("PLAINTEXT://a:1", "a:1"),
            ("a:1, b:2,c", "a:1,b:2,c:9092"),
            ("[::1]:9092", "[::1]:9092"),
            ("[::1]", "[::1]:9092"),
        ] {
            assert_eq!(kafka(text).as_deref(), Ok(expected), "{text}");
        }
        for wrong in [
            "",
            " ",
            "a:1,",
            ":9092",
            "a:x",
            "a:0",
            "a:70000",
            "a b:1",
            "http://a:1",
            "a:1/b",
            "[::1",
            "[::1]x",
        ] {
            assert!(kafka(wrong).unwrap_err().contains("localhost:9092"), "{wrong}");
        }
        assert!(kafka("::1").unwrap_err().contains("[::1]"));
        assert!(kafka("SASL_SSL://a:1").unwrap_err().contains("-X security.protocol="));
    }

    #[test]
    fn an_mqtt_broker_is_an_address_with_a_user_or_without() {
        let read = |text: &str| match mqtt(text).unwrap() {
            MqttChoice::Outside(broker) => (broker.to_string(), broker.user),
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(read("broker"), ("broker:1883".into(), None));
        assert_eq!(read("broker:1884"), ("broker:1884".into(), None));
        assert_eq!(read("mqtt://127.0.0.1:1884/"), ("127.0.0.1:1884".into(), None));
        assert_eq!(read("tcp://broker"), ("broker:1883".into(), None));
        assert_eq!(read("mqtt://me@broker:1"), ("broker:1".into(), Some("me".into())));
        assert_eq!(read("me@[::1]:1884"), ("[::1]:1884".into(), Some("me".into())));
        assert_eq!(mqtt("off"), Ok(MqttChoice::Off));
        assert_eq!(mqtt("OFF"), Ok(MqttChoice::Off));
        for wrong in [
            "",
            "mqtt://",
            "mqtt://:1883",
            "a:x",
            "a:0",
            "a/b",
            "@a",
            "[::1",
            "a b",
            "http://a",
            "on",
            "none",
        ] {
            let error = mqtt(wrong).unwrap_err();
            assert!(error.contains("localhost:1883") && error.contains("off"), "{wrong}: {error}");
        }
        assert!(mqtt("mqtts://a").unwrap_err().contains("TLS"));
        let secret = mqtt("mqtt://me:secret@a").unwrap_err();
        assert!(secret.contains("TWEETBLAST_MQTT_PASSWORD") && !secret.contains("secret"));
    }

    #[test]
    fn druid_and_superset_need_no_scheme() {
        for (text, expected) in [
            ("localhost", "http://localhost:8888"),
            ("localhost:8888", "http://localhost:8888"),
            ("http://router:8888/", "http://router:8888"),
            ("https://druid.example/druid", "https://druid.example/druid"),
            ("[::1]:8888", "http://[::1]:8888"),
        ] {
            assert_eq!(druid(text).as_deref(), Ok(expected), "{text}");
        }
        assert_eq!(superset("localhost").as_deref(), Ok("http://localhost:8088"));
        for wrong in ["", "http://", "kafka://a:1", "a:x", "http://a b", "http://a?b", "a:99999"] {
            assert!(druid(wrong).unwrap_err().contains("localhost:8888"), "{wrong}");
        }
        let secret = druid("http://me:secret@a:8888").unwrap_err();
        assert!(secret.contains("TWEETBLAST_DRUID_PASSWORD") && !secret.contains("secret"));
    }

    #[test]
    fn an_end_listens_on_loopback_unless_told_where() {
        let loopback = |port: u16| Ok(SocketAddr::from(([127, 0, 0, 1], port)));
        assert_eq!(listen("1883", 1883), loopback(1883));
        assert_eq!(listen("localhost:0", 1883), loopback(0));
        assert_eq!(listen("kafka://127.0.0.1:9092", 9092), loopback(9092));
        assert_eq!(listen("[::1]:1883", 1883).unwrap().to_string(), "[::1]:1883");
        for wrong in ["", "99999", "localhost:x", "a b:1"] {
            assert!(listen(wrong, 9092).unwrap_err().contains("127.0.0.1:9092"), "{wrong}");
        }
        assert!(listen(":9092", 9092).unwrap_err().contains("0.0.0.0:9092"));
        assert_eq!(listen("0.0.0.0", 9092).unwrap_err(), "must have a port: 0.0.0.0:9092");
        assert_eq!(listen("::1", 9092).unwrap_err(), "must have a port: [::1]:9092");
    }

    #[test]
    fn clients_are_told_a_host_and_a_port() {
        assert_eq!(advertised("kafka.example:9092"), Ok(("kafka.example".to_owned(), 9092)));
        assert_eq!(advertised("kafka.example"), Ok(("kafka.example".to_owned(), 9092)));
        assert!(advertised(":9092").is_err() && advertised("").is_err());
    }
}
