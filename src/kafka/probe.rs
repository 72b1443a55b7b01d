//! What each address answers to a plain connection: librdkafka waits for its whole time-out,
//! whether a port is closed, a name is unknown or no server answers.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use crate::net::reach;

/// Kafka's default, for an address without a port.
const DEFAULT_PORT: u16 = 9092;

/// Longest wait for the answers; librdkafka waits for slower servers.
const WAIT: Duration = Duration::from_secs(1);

/// The result for all bootstrap addresses.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Probe {
    /// One accepts connections.
    Answers,
    /// All have been asked, and none does: why.
    Nobody(String),
    /// None does so far, and not all have answered.
    Unclear,
}

/// Asks all of `brokers` at once, and returns when the first one accepts a connection.
pub(super) fn probe(brokers: &str) -> Probe {
    let addresses: Vec<&str> = brokers.split(',').map(str::trim).filter(|text| !text.is_empty()).collect();
    if addresses.is_empty() {
        return Probe::Nobody("no address is given".to_owned());
    }
    let mut words = vec![String::new(); addresses.len()];
    let (tell, told) = channel();
    for (number, address) in addresses.iter().enumerate() {
        let (tell, (host, port)) = (tell.clone(), host_and_port(address));
        // Looking up a name may take longer than the wait here.
        let started = std::thread::Builder::new().name("probe".into()).spawn(move || {
            // The receiver is gone if another address was faster.
            let _ = tell.send((number, reach(&host, port, WAIT)));
        });
        if started.is_err() {
            return Probe::Unclear;
        }
    }
    drop(tell);
    let deadline = Instant::now() + WAIT;
    loop {
        match told.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok((_, Ok(()))) => return Probe::Answers,
            Ok((number, Err(why))) => words[number] = why,
            Err(RecvTimeoutError::Disconnected) => return Probe::Nobody(listed(&addresses, &words)),
            Err(RecvTimeoutError::Timeout) => return Probe::Unclear,
        }
    }
}

/// Host and port of `host:port`, with or without a scheme, as librdkafka accepts it.
fn host_and_port(address: &str) -> (String, u16) {
    let place = address.split_once("://").map_or(address, |(_, place)| place);
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.starts_with('[') => (host, port.parse().ok()),
        _ => (place, None),
    };
    (host.trim_matches(['[', ']']).to_owned(), port.unwrap_or(DEFAULT_PORT))
}

fn listed(addresses: &[&str], words: &[String]) -> String {
    match words {
        [word] => word.clone(),
        _ => {
            let each = addresses.iter().zip(words).map(|(address, word)| format!("{address}: {word}"));
            each.collect::<Vec<_>>().join(", ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn one_that_answers_is_enough_and_of_none_each_is_named() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let good = listener.local_addr().unwrap().to_string();
        assert_eq!(probe(&good), Probe::Answers);
        assert_eq!(probe(&format!("127.0.0.1:9, SSL://{good}")), Probe::Answers);
        assert_eq!(probe("127.0.0.1:9"), Probe::Nobody("connection refused".to_owned()));
        assert_eq!(probe(" ,"), Probe::Nobody("no address is given".to_owned()));
        drop(listener);
        let words = format!("127.0.0.1:9: connection refused, {good}: connection refused");
        assert_eq!(probe(&format!("127.0.0.1:9,{good}")), Probe::Nobody(words));
    }

    #[test]
    fn addresses_are_read_as_librdkafka_reads_them() {
        let read = |text: &str| host_and_port(text);
        assert_eq!(read("kafka:1"), ("kafka".to_owned(), 1));
        assert_eq!(read("SASL_SSL://kafka"), ("kafka".to_owned(), 9092));
        assert_eq!(read("[::1]:7"), ("::1".to_owned(), 7));
        assert_eq!(read("::1"), ("::1".to_owned(), 9092));
    }
}
