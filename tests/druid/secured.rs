//! A real Druid reads from a real Kafka that wants TLS, and a password or a certificate: the secrets are in the environment of
//! Druid's processes, and nowhere else.

use std::process::Command;

use crate::common::secured_kafka::{PASSWORD, SecuredKafka};
use crate::common::tls::file;
use crate::common::{free_port, run};
use crate::stack::Stack;

const PORTS: [&str; 7] = [
    "ZOOKEEPER_PORT",
    "DERBY_PORT",
    "DRUID_COORDINATOR_PORT",
    "DRUID_BROKER_PORT",
    "DRUID_HISTORICAL_PORT",
    "DRUID_INDEXER_PORT",
    "DRUID_ROUTER_PORT",
];

const LOGIN: &str = "TWEETBLAST_KAFKA_SASL_JAAS_CONFIG";
const KEY: &str = "TWEETBLAST_KAFKA_SSL_KEY";

/// What Druid must have from the environment.
const READ_SECRETS: [&str; 2] = ["coordinator", "indexer"];

struct SecuredDruid {
    kafka: SecuredKafka,
    url: String,
}

impl SecuredDruid {
    /// Without any process of Druid.
    fn start() -> Self {
        let ports = PORTS.map(|name| (name, free_port().to_string()));
        let url = format!("http://127.0.0.1:{}", ports[PORTS.len() - 1].1);
        let kafka = SecuredKafka::start_with(ports.to_vec());
        Self { kafka, url }
    }

    /// Processes that start from now on have the variable as `druid secrets` prints it for these properties.
    fn knows(&mut self, variable: &'static str, properties: &str) {
        let printed = run(&["druid", "secrets", "-X", properties]);
        assert_eq!(printed.code, 0, "{}", printed.stderr);
        let shell = format!("{}printf %s \"${variable}\"", printed.stdout);
        let value = Command::new("sh").args(["-c", &shell]).output().unwrap().stdout;
        assert!(!value.is_empty(), "{variable}");
        self.kafka.stack.set(variable, String::from_utf8(value).unwrap());
    }

    /// Starts the processes that read from Kafka again.
    fn restart(&self) {
        self.kafka.stack.run("restart", READ_SECRETS);
    }

    /// A run of the whole sample: Druid has each row, and nobody can read a secret.
    fn reads(&self, address: &str, name: &str, properties: &str) {
        let stack = Stack::of(&self.url, address, name);
        let report = stack.exact(stack.replay_real(&["-X", properties]));
        let mut readable = vec![("report", report.to_string())];
        readable.push(("spec", stack.supervisor().spec().unwrap().unwrap().to_string()));
        for task in report["druid"]["ingestion"]["tasks"].as_array().unwrap() {
            let task = task["id"].as_str().unwrap();
            let path = format!("/druid/indexer/v1/task/{task}");
            readable.push(("task", stack.client().get(&path).unwrap().to_string()));
        }
        readable.extend(
            ["coordinator", "indexer", "broker", "historical", "router"]
                .map(|process| (process, self.kafka.stack.log_of(process))),
        );
        let key = std::fs::read_to_string(file("client.key")).unwrap();
        let key = key.lines().nth(1).unwrap();
        for (what, text) in readable {
            assert!(!text.contains(PASSWORD) && !text.contains(key), "{name}: {what} holds a secret");
        }
        println!("{name}: exact, reads every partition after {} s", report["druid"]["ready_after_s"]);
    }
}

#[test]
#[ignore = "needs a build with --features tls, and what docker/native/stack needs for Kafka and Druid"]
fn a_druid_with_the_secrets_in_its_environment_reads_every_row() {
    let mut druid = SecuredDruid::start();
    let (login, certificate) = (druid.kafka.with_login.clone(), druid.kafka.with_certificate.clone());
    let scram = druid.kafka.login("SCRAM-SHA-512", PASSWORD);
    let plain = druid.kafka.login("PLAIN", PASSWORD);
    let key = druid.kafka.certificate();
    druid.knows(LOGIN, &scram);
    druid.knows(KEY, &key);
    druid.kafka.stack.run("up", ["druid"]);
    druid.reads(&login, "scram", &scram);
    druid.reads(&certificate, "certificate", &key);

    druid.knows(LOGIN, &plain);
    druid.restart();
    druid.reads(&login, "plain", &plain);
}
