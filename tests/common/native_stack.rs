//! `docker/native/stack` with the state in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::needed;

pub struct Stack {
    dir: PathBuf,
    /// Variables for each command.
    environment: Vec<(&'static str, String)>,
}

impl Stack {
    /// The stack whose state is in the folder that this variable names.
    pub fn at(variable: &str) -> Self {
        Self::new(needed(variable).into(), Vec::new())
    }

    /// One with its state in this folder, and with these variables.
    pub fn new(dir: PathBuf, environment: Vec<(&'static str, String)>) -> Self {
        Self { dir, environment }
    }

    /// The same, with this variable too.
    pub fn set(&mut self, name: &'static str, value: String) {
        self.environment.retain(|(known, _)| *known != name);
        self.environment.push((name, value));
    }

    /// The one with the Kafka that the trials of `faults` kill.
    pub fn of_faults() -> Self {
        Self::at("TWEETBLAST_FAULTS_DIR")
    }

    /// The port with this name.
    pub fn port(&self, name: &str) -> u16 {
        let ports = std::fs::read_to_string(self.dir.join("ports")).unwrap();
        let port = ports.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        port.unwrap().parse().unwrap()
    }

    /// What a process has written to its log since it started.
    pub fn log_of(&self, process: &str) -> String {
        std::fs::read_to_string(self.dir.join(format!("logs/{process}.log"))).unwrap()
    }

    /// Where the only broker has its log.
    pub fn kafka_dir(&self) -> PathBuf {
        self.dir.join("data/kafka")
    }

    /// `stack COMMAND NAME...`, and for Kafka's own tools their arguments.
    pub fn run<N: AsRef<str>>(&self, command: &str, names: impl IntoIterator<Item = N>) {
        let mut stack = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("docker/native/stack"));
        // The ports of another stack may be in the environment.
        let ports = std::env::vars().map(|(name, _)| name).filter(|name| name.ends_with("_PORT"));
        for name in ports {
            stack.env_remove(name);
        }
        stack.envs(self.environment.iter().cloned());
        stack.arg(command).args(names.into_iter().map(|name| name.as_ref().to_owned()));
        let output = stack.env("TWEETBLAST_STACK_DIR", &self.dir).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
