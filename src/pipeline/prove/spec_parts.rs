//! What the parts of a supervisor's spec say.

use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use serde_json::Value;

use crate::druid::Symptoms;

/// A part of a spec as Druid returns it: inside `spec`, or at its top in older versions.
pub(super) fn part<'a>(spec: &'a Value, name: &str) -> &'a Value {
    if spec["spec"][name].is_object() { &spec["spec"][name] } else { &spec[name] }
}

/// The spec's `ioConfig`.
pub(crate) fn io_config(spec: &Value) -> &Value {
    part(spec, "ioConfig")
}

/// How its tasks keep and hand over rows.
pub(crate) fn tuning_config(spec: &Value) -> &Value {
    part(spec, "tuningConfig")
}

/// The dimensions that a spec lists.
pub(super) fn dimensions_of(spec: &Value) -> &Value {
    &part(spec, "dataSchema")["dimensionsSpec"]["dimensions"]
}

/// Names of the dimensions that a spec lists; empty if Druid is to find them itself.
pub(crate) fn dimension_names(spec: &Value) -> Vec<&str> {
    let all = dimensions_of(spec).as_array().into_iter().flatten();
    all.filter_map(|dimension| dimension.as_str().or(dimension["name"].as_str())).collect()
}

/// What a supervisor's spec says, and whether its Kafka can be reached from here.
pub(crate) fn add_own_view(seen: &mut Symptoms, spec: &Value) {
    let io = io_config(spec);
    seen.kafka = io["consumerProperties"]["bootstrap.servers"].as_str().unwrap_or_default().to_owned();
    seen.secrets = io["consumerProperties"]["druid.dynamic.config.provider"].is_object();
    seen.kafka_listens = listens(&seen.kafka);
    seen.from_earliest = io["useEarliestOffset"].as_bool().unwrap_or(false);
}

/// Whether an address is one of this machine.
pub(crate) fn is_loopback(address: &str) -> bool {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    host == "localhost" || host.starts_with("127.") || host == "[::1]"
}

/// Whether a server listens at the first of these addresses, as seen from here.
pub(crate) fn listens(addresses: &str) -> Option<bool> {
    let first = addresses.split(',').next()?;
    let address = first.to_socket_addrs().ok()?.next()?;
    Some(TcpStream::connect_timeout(&address, Duration::from_secs(2)).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_this_machine_are_known_and_a_listener_is_found() {
        assert!(is_loopback("127.0.0.1:9092") && is_loopback("localhost:1") && is_loopback("[::1]:1"));
        assert!(!is_loopback("kafka:9092"));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        assert_eq!(listens(&address), Some(true));
        drop(listener);
        assert_eq!(listens(&address), Some(false));
    }
}
