//! No password, key or hash is in what a bridge says, at any level, or in what others can look at.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::bridge::address;
use crate::common::{Finished, Running, free_port, tls, tweetblast, write};
use crate::tls::login;
use crate::users::passwd;

/// What must be nowhere.
const SECRETS: [&str; 5] = ["mqttS3cret", "wr0ngS3cret", "kafkaS3cret", "argon2id", "BEGIN PRIVATE"];

/// GET /metrics, once the bridge is in it: then it listens.
fn metrics(port: u16) -> String {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let Ok(mut stream) = TcpStream::connect(address(port)) {
            stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            if answer.contains("tweetblast_bridge_received_messages_total") {
                return answer;
            }
        }
        assert!(Instant::now() < deadline, "no metrics");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn no_secret_is_in_logs_reports_metrics_or_the_process_list() {
    let dir = tempfile::tempdir().unwrap();
    let users = write(dir.path(), "users", passwd("sensor", "mqttS3cret"));
    let kafka = "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.username=u\nsasl.password=kafkaS3cret\n";
    let properties = format!("@{}", write(dir.path(), "kafka", kafka));
    for level in ["-qq", "-q", "-v", "-vv", "RUST_LOG=trace"] {
        let (port, seen, spool) = (free_port(), free_port(), tempfile::tempdir().unwrap());
        let (listen, show) = (format!("127.0.0.1:{port}"), format!("127.0.0.1:{seen}"));
        let (report, key, cert) =
            (dir.path().join("report"), tls::file("server.key"), tls::file("server.pem"));
        let arguments = [
            &["bridge", "--kafka", "127.0.0.1:1", "-X", &properties, "--mqtt-listen", &listen][..],
            &["--spool", spool.path().to_str().unwrap(), "--mqtt-users", &users, "--metrics", &show],
            &[
                "--mqtt-tls-cert",
                &cert,
                "--mqtt-tls-key",
                &key,
                "--force",
                "--json",
                report.to_str().unwrap(),
            ],
        ]
        .concat();
        let mut command = tweetblast();
        match level.split_once('=') {
            Some((name, value)) => command.args(&arguments).env(name, value),
            None => command.args(&arguments).arg(level),
        };
        let bridge = Running::spawn(&mut command);
        let scraped = metrics(seen);
        let client = |password| login(tls::connect(address(port), None).unwrap(), Some(("sensor", password)));
        assert_eq!((client("mqttS3cret"), client("wr0ngS3cret")), (Some(0), Some(4)), "{level}");
        let listed = std::fs::read(format!("/proc/{}/cmdline", bridge.pid())).unwrap();
        bridge.signal("USR1");
        bridge.signal("TERM");
        let Finished { stdout, stderr, .. } = bridge.finish();
        let written = std::fs::read_to_string(&report).unwrap();
        for (what, text) in [
            ("output", &stdout),
            ("log", &stderr),
            ("report", &written),
            ("metrics", &scraped),
            ("process list", &String::from_utf8_lossy(&listed).into_owned()),
        ] {
            for secret in SECRETS {
                assert!(!text.contains(secret), "{level}: {secret} is in the {what}:\n{text}");
            }
        }
    }
}
