//! A real Kafka that wants TLS, passwords and certificates: the one of `docker/native/stack`, with a folder and ports of its
//! own, and the certificates in `tests/common/tls`. The program must be one built with `--features tls`.

use std::fs;
use std::path::Path;

use crate::common::tls::file;
use crate::common::{SAMPLE, free_port, read_topic, run, write};
use crate::stack::Stack;

const USER: &str = "ann";
const PASSWORD: &str = "open-s3same";

struct SecuredKafka {
    stack: Stack,
    dir: tempfile::TempDir,
    /// Without TLS.
    plain: String,
    /// With TLS, and a user and a password.
    with_login: String,
    /// With TLS, and a certificate of the client.
    with_certificate: String,
}

impl SecuredKafka {
    fn start() -> Self {
        let version = run(&["--version"]).stdout;
        assert!(version.contains("tls"), "cargo test --features tls builds one that speaks TLS: {version}");
        let dir = tempfile::tempdir().unwrap();
        let [port, controller, login, certificate] = [(); 4].map(|()| free_port());
        let properties =
            write(dir.path(), "properties", properties(dir.path(), [port, controller, login, certificate]));
        let environment = vec![
            ("KAFKA_PORT", port.to_string()),
            ("KAFKA_CONTROLLER_PORT", controller.to_string()),
            ("KAFKA_PROPERTIES", properties),
        ];
        let stack = Stack::new(dir.path().join("stack"), environment);
        let address = |port| format!("127.0.0.1:{port}");
        let (plain, with_login, with_certificate) = (address(port), address(login), address(certificate));
        let started = Self { stack, dir, plain, with_login, with_certificate };
        started.stack.run("up", ["kafka"]);
        let scram = format!("SCRAM-SHA-512=[password={PASSWORD}]");
        let user = ["--alter", "--add-config", &scram, "--entity-type", "users", "--entity-name", USER];
        started.stack.run("configs", user);
        started
    }

    /// `-X @FILE` with a login.
    fn login(&self, mechanism: &str, password: &str) -> String {
        let lines = [
            "security.protocol=SASL_SSL",
            &format!("ssl.ca.location={}", file("ca.pem")),
            &format!("sasl.mechanism={mechanism}"),
            &format!("sasl.username={USER}"),
            &format!("sasl.password={password}"),
        ];
        let name = format!("{mechanism}-{}.properties", password.len());
        format!("@{}", write(self.dir.path(), &name, lines.join("\n")))
    }

    /// A replay of a part of the sample to `kafka` with these properties: nothing is missing there.
    fn takes(&self, kafka: &str, topic: &str, properties: &[&str]) {
        let properties = properties.iter().flat_map(|property| ["-X", property]);
        let replay =
            [SAMPLE, "--limit", "500", "--speedup", "max", "--mqtt", "off", "--verify", "--json", "-"];
        let to = ["--kafka", kafka, "-t", topic];
        let finished = run(&replay.into_iter().chain(to).chain(properties).collect::<Vec<_>>());
        assert_eq!(finished.code, 0, "{}", finished.stderr);
        let report = finished.report();
        assert_eq!((&report["verdict"], &report["ledger"]["read_back"]), (&"balanced".into(), &500.into()));
        assert_eq!(read_topic(&self.plain, topic).len(), 500);
    }
}

impl Drop for SecuredKafka {
    fn drop(&mut self) {
        self.stack.run("down", ["kafka"]);
    }
}

/// Lines added to `server.properties`.
fn properties(dir: &Path, [plain, controller, login, certificate]: [u16; 4]) -> String {
    let store = ["server.key", "server.pem"].map(|name| fs::read_to_string(file(name)).unwrap()).concat();
    let store = write(dir, "store.pem", store);
    let ca = file("ca.pem");
    let clients = format!(
        "PLAINTEXT://127.0.0.1:{plain},LOGIN://127.0.0.1:{login},CERTIFICATE://127.0.0.1:{certificate}"
    );
    format!(
        "listeners={clients},CONTROLLER://127.0.0.1:{controller}
advertised.listeners={clients}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,LOGIN:SASL_SSL,CERTIFICATE:SSL
ssl.keystore.type=PEM
ssl.keystore.location={store}
ssl.truststore.type=PEM
ssl.truststore.location={ca}
listener.name.certificate.ssl.client.auth=required
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512
listener.name.login.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
         user_{USER}=\"{PASSWORD}\";
listener.name.login.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
"
    )
}

#[test]
#[ignore = "needs a build with --features tls, and what docker/native/stack needs for Kafka"]
fn a_replay_with_a_password_or_a_certificate_over_tls_is_exact() {
    let kafka = SecuredKafka::start();
    for mechanism in ["PLAIN", "SCRAM-SHA-512"] {
        kafka.takes(&kafka.with_login, mechanism, &[&kafka.login(mechanism, PASSWORD)]);
    }
    let properties = [
        "security.protocol=SSL".to_owned(),
        format!("ssl.ca.location={}", file("ca.pem")),
        format!("ssl.certificate.location={}", file("client.pem")),
        format!("ssl.key.location={}", file("client.key")),
    ];
    kafka.takes(&kafka.with_certificate, "certificate", &properties.each_ref().map(String::as_str));
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
