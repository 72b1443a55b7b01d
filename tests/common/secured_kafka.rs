//! A real Kafka that wants TLS, passwords and certificates: the one of `docker/native/stack`, with a folder and ports of its
//! own, and the certificates in `tests/common/tls`. The program must be one built with `--features tls`.

use std::fs;
use std::path::Path;

use super::native_stack::Stack;
use super::tls::file;
use super::{free_port, run, write};

pub const USER: &str = "ann";
pub const PASSWORD: &str = "open-s3same";

pub struct SecuredKafka {
    pub stack: Stack,
    pub dir: tempfile::TempDir,
    /// Without TLS.
    pub plain: String,
    /// With TLS, and a user and a password.
    pub with_login: String,
    /// With TLS, and a certificate of the client.
    pub with_certificate: String,
}

impl SecuredKafka {
    pub fn start() -> Self {
        Self::start_with(Vec::new())
    }

    /// In a stack with these variables too.
    pub fn start_with(mut environment: Vec<(&'static str, String)>) -> Self {
        let version = run(&["--version"]).stdout;
        assert!(version.contains("tls"), "cargo test --features tls builds one that speaks TLS: {version}");
        let dir = tempfile::tempdir().unwrap();
        let [port, controller, login, certificate] = [(); 4].map(|()| free_port());
        let properties =
            write(dir.path(), "properties", properties(dir.path(), [port, controller, login, certificate]));
        environment.extend([
            ("KAFKA_PORT", port.to_string()),
            ("KAFKA_CONTROLLER_PORT", controller.to_string()),
            ("KAFKA_PROPERTIES", properties),
        ]);
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
    pub fn login(&self, mechanism: &str, password: &str) -> String {
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

    /// `-X @FILE` with a certificate.
    pub fn certificate(&self) -> String {
        let lines = [
            "security.protocol=SSL",
            &format!("ssl.ca.location={}", file("ca.pem")),
            &format!("ssl.certificate.location={}", file("client.pem")),
            &format!("ssl.key.location={}", file("client.key")),
        ];
        format!("@{}", write(self.dir.path(), "certificate.properties", lines.join("\n")))
    }
}

impl Drop for SecuredKafka {
    fn drop(&mut self) {
        self.stack.run::<&str>("down", []);
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
