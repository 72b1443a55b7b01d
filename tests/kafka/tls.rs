//! TLS in front of the embedded Kafka: clients are told the address at which they came, and without a certificate, where one
//! is asked for, or without TLS nobody gets through.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::common::tls;
use crate::common::{Running, free_port};

/// Host and port of the broker as it says to the client that asks; `None`: there is no answer.
fn told(mut stream: impl Read + Write) -> Option<(String, u16)> {
    // Metadata, version 1, of all topics.
    let request = b"\0\x03\0\x01\0\0\0\x05\0\x03raw\xff\xff\xff\xff";
    stream.write_all(&[&(request.len() as u32).to_be_bytes()[..], request].concat()).ok()?;
    stream.flush().ok()?;
    let mut length = [0; 4];
    stream.read_exact(&mut length).ok()?;
    let mut answer = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut answer).ok()?;
    // Number of the request, count of brokers, id.
    let host_bytes = usize::from(u16::from_be_bytes([answer[12], answer[13]]));
    let port_at = 14 + host_bytes;
    let port = u32::from_be_bytes(answer[port_at..port_at + 4].try_into().unwrap());
    Some((String::from_utf8(answer[14..port_at].to_vec()).unwrap(), port as u16))
}

fn plain(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// `serve` with TLS: itself, its address over TLS, and the one without.
fn serve(more: &[&str]) -> (Running, SocketAddr, SocketAddr) {
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let listen = address.to_string();
    let (cert, key) = (tls::file("server.pem"), tls::file("server.key"));
    let files = ["--kafka-tls-cert", &cert, "--kafka-tls-key", &key];
    let arguments = [&["serve", "--mqtt", "off", "--kafka-listen", &listen][..], &files, more].concat();
    let mut serve = Running::start(&arguments);
    let line = serve.wait_for("Kafka");
    assert!(line.contains(&format!("TLS at {listen}")), "{line}");
    let inside = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    (serve, address, inside)
}

#[test]
fn clients_are_told_the_address_at_which_they_came() {
    let (serve, address, inside) = serve(&[]);
    for _ in 0..2 {
        let over_tls = tls::connect(address, None).unwrap();
        assert_eq!(told(over_tls), Some(("127.0.0.1".to_owned(), address.port())));
        assert_eq!(told(plain(inside)), Some(("127.0.0.1".to_owned(), inside.port())));
        assert_eq!(told(plain(address)), None, "plain text");
    }
    serve.signal("TERM");
    let stderr = serve.finish().stderr;
    assert_eq!(stderr.matches("it does not speak TLS; more are not said").count(), 1, "{stderr}");
}

#[test]
fn what_is_advertised_is_told_to_those_who_come_over_tls_alone() {
    let (_serve, address, inside) = serve(&["--kafka-advertise", "kafka.example:9093"]);
    assert_eq!(told(tls::connect(address, None).unwrap()), Some(("kafka.example".to_owned(), 9093)));
    assert_eq!(told(plain(inside)), Some(("127.0.0.1".to_owned(), inside.port())));
}

#[test]
fn with_an_authority_for_clients_only_its_own_come_in() {
    let (serve, address, _) = serve(&["--kafka-tls-client-ca", &tls::file("ca.pem")]);
    let answered = |certificate| tls::connect(address, certificate).ok().and_then(told).is_some();
    assert!(answered(Some("client")));
    assert!(!answered(None) && !answered(Some("stranger")));
    assert!(answered(Some("client")));
    serve.signal("TERM");
    let stderr = serve.finish().stderr;
    assert_eq!(stderr.matches("it has no certificate; more are not said").count(), 1, "{stderr}");
}
