//! TLS in front of the embedded broker: who comes in, who does not, and what is said of it.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::bridge::{address, begin, bridge};
use crate::common::tls::{self, TlsClient};
use crate::common::{Running, free_port, run, write};
use crate::raw::{packet, text};
use crate::users::passwd;

/// Flags for TLS with the test's certificate.
fn flags(more: &[&str]) -> Vec<String> {
    let own = ["--kafka-listen", "127.0.0.1:0", "-vv", "--mqtt-tls-cert"].map(str::to_owned);
    let files = [tls::file("server.pem"), "--mqtt-tls-key".to_owned(), tls::file("server.key")];
    own.into_iter().chain(files).chain(more.iter().map(|word| (*word).to_owned())).collect()
}

fn strs(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

/// The code of CONNACK; `None`: there is none.
pub fn login(mut stream: impl Read + Write, login: Option<(&str, &str)>) -> Option<u8> {
    let mut body = text("MQTT");
    body.extend([4, if login.is_some() { 0xC2 } else { 2 }, 0, 0]);
    body.extend(text("x"));
    if let Some((user, password)) = login {
        body.extend([text(user), text(password)].concat());
    }
    stream.write_all(&packet(0x10, &body)).ok()?;
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).ok()?;
    (answer[0] == 0x20).then_some(answer[3])
}

fn plain(port: u16) -> TcpStream {
    let stream = TcpStream::connect(address(port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

fn said(bridge: Running) -> String {
    bridge.signal("TERM");
    let finished = bridge.finish();
    [finished.stdout, finished.stderr].concat()
}

#[test]
fn over_tls_users_come_in_and_others_and_plain_text_do_not() {
    let dir = tempfile::tempdir().unwrap();
    let (users, port) = (write(dir.path(), "users", passwd("sensor", "s3cret")), free_port());
    let bridge = bridge(port, &strs(&flags(&["--mqtt-users", &users])));
    let connect = || tls::connect(address(port), None).unwrap();
    let mut client: TlsClient = connect();
    assert_eq!(login(&mut client, Some(("sensor", "s3cret"))), Some(0));
    let body = [&text("a/b")[..], &[0, 7], br#"{"user_id":1}"#].concat();
    client.write_all(&packet(0x32, &body)).unwrap();
    let mut answer = [0; 4];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(answer, [0x40, 2, 0, 7], "PUBACK");
    assert_eq!(login(connect(), Some(("sensor", "wr0ng"))), Some(4));
    assert_eq!(login(connect(), None), Some(5));
    for _ in 0..3 {
        assert_eq!(login(plain(port), Some(("sensor", "s3cret"))), None, "plain text");
    }
    drop(client);
    let said = said(bridge);
    assert_eq!(said.matches("it does not speak TLS; more are not said").count(), 1, "{said}");
    assert_eq!(said.matches("an MQTT client was refused").count(), 1, "{said}");
    for secret in ["s3cret", "wr0ng", "PRIVATE", "argon2"] {
        assert!(!said.contains(secret), "{said}");
    }
    assert!(said.contains("1 received = 1 delivered"), "{said}");
}

#[test]
fn with_an_authority_for_clients_only_its_own_come_in() {
    let port = free_port();
    let bridge = bridge(port, &strs(&flags(&["--mqtt-tls-client-ca", &tls::file("ca.pem")])));
    let connack = |certificate| login(tls::connect(address(port), certificate).ok()?, None);
    assert_eq!(connack(Some("client")), Some(0));
    // In TLS 1.3 a client learns that it is refused after its handshake.
    assert_eq!((connack(None), connack(Some("stranger"))), (None, None));
    assert_eq!(login(plain(port), None), None);
    assert_eq!(connack(Some("client")), Some(0), "and still after all these");
    let said = said(bridge);
    assert_eq!(said.matches("it has no certificate; more are not said").count(), 1, "{said}");
}

#[test]
fn those_who_never_shake_hands_hold_up_nobody() {
    let port = free_port();
    let _bridge = bridge(port, &strs(&flags(&[])));
    // They are given up after 10 s; on a machine that takes longer for the rest nothing is seen.
    let is_served_meanwhile = || {
        let mut silent: Vec<TcpStream> = (0..200).map(|_| plain(port)).collect();
        // The beginning of a handshake.
        silent.iter_mut().step_by(2).for_each(|stream| stream.write_all(&[0x16, 3, 1, 2, 0, 1]).unwrap());
        let mut client = tls::connect(address(port), None).unwrap();
        assert_eq!(login(&mut client, None), Some(0));
        let body = [&text("a/b")[..], &[0, 7], br#"{"user_id":1}"#].concat();
        client.write_all(&packet(0x32, &body)).unwrap();
        let mut answer = [0; 4];
        client.read_exact(&mut answer).unwrap();
        assert_eq!(answer, [0x40, 2, 0, 7], "PUBACK");
        silent.iter_mut().all(|stream| {
            stream.set_nonblocking(true).unwrap();
            stream.read(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
        })
    };
    assert!((0..5).any(|_| is_served_meanwhile()));
}

#[test]
fn another_address_takes_a_password_a_certificate_or_insecure() {
    let listen = |port: u16| format!("0.0.0.0:{port}");
    let tls = flags(&[]);
    let finished = run(&[&["bridge", "--mqtt-listen", &listen(0)][..], &strs(&tls)].concat());
    assert!(
        finished.code == 2 && finished.stderr.contains("--mqtt-tls-client-ca FILE"),
        "{}",
        finished.stderr
    );
    let kafka = ["serve", "--mqtt", "off", "--kafka-listen", "0.0.0.0:0"];
    let finished = run(&kafka);
    assert!(
        finished.code == 2 && finished.stderr.contains("--kafka-tls-client-ca FILE"),
        "{}",
        finished.stderr
    );
    let port = free_port();
    let with_ca = flags(&["--mqtt-tls-client-ca", &tls::file("ca.pem"), "--mqtt-listen", &listen(port)]);
    let mut running = Running::start(&[&["bridge"][..], &strs(&with_ca)].concat());
    running.wait_for("bridging until");
    assert_eq!(login(tls::connect(address(port), Some("client")).unwrap(), None), Some(0));
    assert!(!said(running).contains("asks for no password"));
}

#[test]
fn wrong_files_are_named_and_not_shown() {
    let dir = tempfile::tempdir().unwrap();
    let (server, key) = (tls::file("server.pem"), tls::file("server.key"));
    let broken = write(dir.path(), "broken.pem", "-----BEGIN PRIVATE KEY-----\nc2VjcmV0!\n");
    let empty = write(dir.path(), "empty.pem", "");
    for (cert, key, words) in [
        (&*server, &*tls::file("client.key"), "is not the key of the certificate"),
        (&*server, &*broken, "broken.pem"),
        (&*empty, &*key, "there is no certificate in it"),
        ("/no/such.pem", &*key, "/no/such.pem: No such file or directory"),
        (&*server, &*server, "there is no private key in it"),
    ] {
        let finished = run(&["bridge", "--mqtt-tls-cert", cert, "--mqtt-tls-key", key]);
        assert!(finished.code == 2 && finished.stderr.contains(words), "{words}: {}", finished.stderr);
        assert!(!finished.stderr.contains("c2VjcmV0"), "{}", finished.stderr);
    }
    let finished = begin(free_port(), &["--mqtt-tls-cert", &server]).finish();
    assert!(finished.stderr.contains("--mqtt-tls-key"), "{}", finished.stderr);
}
