//! A real Kafka that wants TLS, passwords and certificates.

use crate::common::secured_kafka::{PASSWORD, SecuredKafka};
use crate::common::tls::file;
use crate::common::{SAMPLE, read_topic, run};

/// A replay of a part of the sample to `address` with these properties: nothing is missing there.
fn takes(kafka: &SecuredKafka, address: &str, topic: &str, properties: &str) {
    let replay = [SAMPLE, "--limit", "500", "--speedup", "max", "--mqtt", "off", "--verify", "--json", "-"];
    let to = ["--kafka", address, "-t", topic, "-X", properties];
    let finished = run(&[&replay[..], &to].concat());
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    let report = finished.report();
    assert_eq!((&report["verdict"], &report["ledger"]["read_back"]), (&"balanced".into(), &500.into()));
    assert_eq!(read_topic(&kafka.plain, topic).len(), 500);
}

#[test]
#[ignore = "needs a build with --features tls, and what docker/native/stack needs for Kafka"]
fn a_replay_with_a_password_or_a_certificate_over_tls_is_exact() {
    let kafka = SecuredKafka::start();
    for mechanism in ["PLAIN", "SCRAM-SHA-512"] {
        takes(&kafka, &kafka.with_login, mechanism, &kafka.login(mechanism, PASSWORD));
    }
    takes(&kafka, &kafka.with_certificate, "certificate", &kafka.certificate());
}

#[test]
#[ignore = "needs a build with --features tls, and what docker/native/stack needs for Kafka"]
fn who_is_refused_is_told_what_to_type() {
    let kafka = SecuredKafka::start();
    let given = |what: &str, name: &str| format!("ssl.{what}.location={}", file(name));
    let (ca, not_ca) = (&*given("ca", "ca.pem"), &*given("ca", "client.pem"));
    let stranger = [&*given("certificate", "stranger.pem"), &*given("key", "stranger.key")];
    let scram = &*kafka.login("SCRAM-SHA-512", "open-barley");
    let plain = &*kafka.login("PLAIN", "open-wheat");
    let unknown = &*kafka.login("SCRAM-SHA-256", PASSWORD);
    let right = &*kafka.login("PLAIN", PASSWORD);
    let (tls, no_tls) = ("security.protocol=SSL", "security.protocol=SASL_PLAINTEXT");
    let (login, certificate) = (&kafka.with_login, &kafka.with_certificate);
    let password = &["refuses the user or the password", "sasl.password="][..];
    let wanted = &["-X ssl.certificate.location=FILE"][..];
    let cases: [(&str, &String, &[&str], &[&str]); 10] = [
        ("a wrong password", login, &[scram], password),
        ("a wrong password, PLAIN", login, &[plain], password),
        ("an unknown mechanism", login, &[unknown], &["PLAIN,SCRAM-SHA-512", "-X sasl.mechanism="]),
        ("another authority", login, &[right, not_ca], &["not trusted here", "-X ssl.ca.location=FILE"]),
        ("no TLS", login, &[], &["-X security.protocol=SSL", "SASL_SSL"]),
        ("no login", login, &[tls, ca], &["-X security.protocol=SASL_SSL", "sasl.username="]),
        ("a login where there is none", &kafka.plain, &[right, no_tls], &["takes no user and no password"]),
        ("TLS where there is none", &kafka.plain, &[tls, ca], &["leave security.protocol out"]),
        ("no certificate", certificate, &[tls, ca], wanted),
        ("a stranger's certificate", certificate, &[tls, ca, stranger[0], stranger[1]], wanted),
    ];
    // Some wait for ten seconds.
    std::thread::scope(|scope| {
        for (what, address, properties, words) in cases {
            scope.spawn(move || {
                let properties = properties.iter().flat_map(|property| ["-X", property]);
                let replay = [SAMPLE, "--limit", "5", "--mqtt", "off", "--kafka", address];
                let finished = run(&replay.into_iter().chain(properties).collect::<Vec<_>>());
                let said = format!("{what}: {}{}", finished.stdout, finished.stderr);
                println!("{said}");
                assert_eq!(finished.code, 1, "{said}");
                assert!(words.iter().all(|word| said.contains(word)), "{words:?} are wanted of {said}");
                assert!(!said.contains("open-"), "{said}");
                // Nobody waits longer where it can only be a refusal.
                let is_final = !["no TLS", "no login", "TLS where there is none"].contains(&what);
                assert_eq!(said.contains("within 10 s"), !is_final, "{said}");
            });
        }
    });
}
