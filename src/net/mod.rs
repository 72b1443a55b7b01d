//! Whether a host can be reached, and in plain words why not; TLS on our listeners.

mod tls;

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

pub use tls::{ServerTls, TlsFiles};

/// The addresses of a host. Looking up a name may take seconds.
///
/// # Errors
/// [`ErrorKind::NotFound`], in words for people, when it has none.
pub fn resolve(host: &str, port: u16) -> io::Result<impl Iterator<Item = SocketAddr> + use<>> {
    let unknown = |words: String| io::Error::new(ErrorKind::NotFound, words);
    let found = (host, port).to_socket_addrs().map_err(|error| unknown(words(&error)))?;
    if found.len() == 0 { Err(unknown("unknown host".to_owned())) } else { Ok(found) }
}

/// Whether a connection can be made.
///
/// # Errors
/// Why not: "connection refused", "unknown host", "no answer in 3 s", or the system's words.
pub fn reach(host: &str, port: u16, wait: Duration) -> Result<(), String> {
    let mut reason = String::new();
    for address in resolve(host, port).map_err(|error| words(&error))? {
        match TcpStream::connect_timeout(&address, wait) {
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::TimedOut => {
                reason = format!("no answer in {} s", wait.as_secs());
            }
            Err(error) => reason = words(&error),
        }
    }
    Err(reason)
}

/// An error of the system in plain words, without its number.
pub fn words(error: &io::Error) -> String {
    // The resolver's codes do not reach Rust.
    const LOOKUP: &str = "failed to lookup address information: ";
    match (error.kind(), error.raw_os_error()) {
        (ErrorKind::ConnectionRefused, _) => "connection refused".to_owned(),
        (ErrorKind::ConnectionReset, _) => "the connection was reset".to_owned(),
        (ErrorKind::TimedOut, _) if error.get_ref().is_none() => "no answer in time".to_owned(),
        (_, Some(libc::EMFILE)) => "this process may open too few files: ulimit -n".to_owned(),
        (_, Some(code)) => error.to_string().replace(&format!(" (os error {code})"), ""),
        (_, None) => match error.to_string() {
            words if !words.starts_with(LOOKUP) => words,
            words if words.contains("Temporary failure") => "the name cannot be looked up now".to_owned(),
            _ => "unknown host".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    const WAIT: Duration = Duration::from_secs(1);

    #[test]
    fn why_a_host_cannot_be_reached_is_said_in_a_few_words() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(reach("127.0.0.1", port, WAIT), Ok(()));
        drop(listener);
        assert_eq!(reach("127.0.0.1", port, WAIT), Err("connection refused".to_owned()));
        let why = reach("no-such-host.invalid", 9092, WAIT).unwrap_err();
        assert!(why == "unknown host" || why == "the name cannot be looked up now", "{why}");
    }

    #[test]
    fn numbers_of_the_system_are_not_shown() {
        assert_eq!(words(&io::Error::from_raw_os_error(28)), "No space left on device");
        assert!(words(&io::Error::from_raw_os_error(24)).contains("ulimit -n"));
        assert_eq!(words(&io::Error::new(ErrorKind::TimedOut, "it is silent")), "it is silent");
    }
}
