//! Plays a trial: the processes, the files, and what happens to them.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::log::{self, TopicFiles};
use super::tools::{delete_topic, forge, forge_through_mqtt, limit_files, signal};
use super::trial::{DeadLetters, Fault, InputChange, Kafka, Trial};
use crate::common::native_stack::Stack;
use crate::common::{free_port, tweet, tweetblast};

/// Nothing may last longer: the machine may be very busy.
const PATIENCE: Duration = Duration::from_secs(300);

/// How often the real Kafka was killed. Trials share it: one that kills it has it alone until it is up again, and none is
/// started meanwhile.
static KILLS: RwLock<u64> = RwLock::new(0);

/// The file with all that the program says.
const SAID: &str = "said.txt";

const LETTERS: &str = "letters.jsonl";

/// What becomes dead letters: a value that is not a tweet, and a line that is not JSON.
pub const NO_TWEETS: [&str; 2] = [r#"{"id": 1}"#, "no JSON"];

/// What became of a trial.
pub struct Played {
    pub dir: tempfile::TempDir,
    /// `None`: it was killed, or left at once.
    pub report: Option<Value>,
    pub code: Option<i32>,
    pub said: String,
    /// When the input was last changed, after the program was started.
    pub changed_after: Option<Duration>,
}

impl Played {
    /// The log of the trial's topic.
    pub fn log(&self, trial: &Trial) -> TopicFiles {
        log_of(trial, self.dir.path())
    }

    /// The dead letters, each its header.
    pub fn letters(&self) -> Vec<Value> {
        let lines = fs::read_to_string(self.dir.path().join(LETTERS)).unwrap();
        lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["dead_letter"].take()).collect()
    }
}

fn kafka_dir(dir: &Path) -> PathBuf {
    dir.join("kafka")
}

fn log_of(trial: &Trial, dir: &Path) -> TopicFiles {
    match trial.kafka {
        Kafka::Real => TopicFiles::real(&Stack::of_faults().kafka_dir(), &trial.topic),
        Kafka::Inside | Kafka::Process => TopicFiles::embedded(&kafka_dir(dir), &trial.topic),
    }
}

/// A process that is killed in the end.
struct Process(Child);

impl Process {
    fn is_over(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }

    fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The run's processes and places.
struct Stage<'t> {
    trial: &'t Trial,
    dir: &'t Path,
    input: PathBuf,
    report: PathBuf,
    port: u16,
    mqtt_port: u16,
    log: TopicFiles,
    serve: Option<Process>,
    replay: Process,
    started: Instant,
    changed_after: Option<Duration>,
    /// Kills of the real Kafka before it began, or up to its own last one.
    kills_seen: u64,
}

impl<'t> Stage<'t> {
    fn set_up(trial: &'t Trial, dir: &'t Path) -> Self {
        let (input, report) = (dir.join("tweets.json"), dir.join("report.json"));
        let tweets = (0..trial.tweets).map(|at| tweet(at + 1, at % 50, at / 20, "hello there"));
        let mut lines: Vec<String> = tweets.collect();
        if trial.dead_letters != DeadLetters::Nowhere {
            // Near the start, so that every run that sends something has met them.
            lines.splice(1..1, NO_TWEETS.map(str::to_owned));
        }
        fs::write(&input, lines.join("\n")).unwrap();
        let port =
            if trial.kafka == Kafka::Real { Stack::of_faults().port("KAFKA_PORT") } else { free_port() };
        let serve = (trial.kafka == Kafka::Process).then(|| serve(dir, port));
        let mqtt_port = free_port();
        let replay = start_replay(trial, dir, &input, &report, (port, mqtt_port));
        let (started, changed_after, log) = (Instant::now(), None, log_of(trial, dir));
        Self {
            trial,
            dir,
            input,
            report,
            port,
            mqtt_port,
            log,
            serve,
            replay,
            started,
            changed_after,
            kills_seen: 0,
        }
    }

    /// Up to the first messages.
    fn begin(trial: &'t Trial, dir: &'t Path) -> Self {
        let kills = KILLS.read().unwrap_or_else(PoisonError::into_inner);
        let mut stage = Self::set_up(trial, dir);
        let log = stage.log.clone();
        stage.wait_until("messages", || log::sizes(&log).1 > 0);
        stage.kills_seen = *kills;
        stage
    }

    fn log_pid(&self) -> u32 {
        self.serve.as_ref().map_or(self.replay.0.id(), |serve| serve.0.id())
    }

    fn wait_until(&mut self, what: &str, mut is_there: impl FnMut() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_there() && !self.replay.is_over() {
            assert!(Instant::now() < deadline, "gave up waiting for {what}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn make(&mut self, fault: Fault) {
        let replay = self.replay.0.id();
        match fault {
            Fault::KillAndRunAgain => {
                self.replay.kill();
                let ports = (self.port, self.mqtt_port);
                self.started = Instant::now();
                self.replay = start_replay(self.trial, self.dir, &self.input, &self.report, ports);
                // Before it says anything, a signal simply ends it.
                let said = self.dir.join(SAID);
                self.wait_until("a word", || fs::metadata(&said).is_ok_and(|said| said.len() > 0));
            }
            Fault::Stop { ms } => pause(replay, ms),
            Fault::Signals(names) => names.iter().for_each(|name| signal(replay, name)),
            Fault::Input(change) => {
                change.make(&self.input);
                self.changed_after = Some(self.started.elapsed());
            }
            Fault::DeleteTopic { made_again } => {
                delete_topic(
                    self.port,
                    &self.trial.topic,
                    made_again.then_some(self.trial.partitions as i32),
                );
            }
            Fault::Forge(forgery) if self.trial.forge_through_mqtt => {
                forge_through_mqtt(self.mqtt_port, &self.trial.topic, forgery, &self.log, self.trial.tweets);
            }
            Fault::Forge(forgery) => {
                forge(self.port, &self.trial.topic, forgery, &self.log, self.trial.tweets)
            }
            Fault::FullDisk { lifted } => {
                let (largest, _) = log::sizes(&self.log);
                limit_files(self.log_pid(), Some((largest + 1_000).max(64 << 10)));
                if lifted {
                    std::thread::sleep(Duration::from_millis(400));
                    limit_files(self.log_pid(), None);
                }
            }
            Fault::PauseKafka { ms } => pause(self.log_pid(), ms),
            Fault::KillKafka if self.trial.kafka == Kafka::Real => {
                self.kills_seen = kill_real_kafka(self.kills_seen);
            }
            Fault::KillKafka => {
                if let Some(process) = &mut self.serve {
                    process.kill();
                    *process = serve(self.dir, self.port);
                }
            }
        }
    }
}

/// Plays a trial to its end.
pub fn play(trial: &Trial) -> Result<Played, String> {
    let dir = tempfile::tempdir().unwrap();
    let mut stage = Stage::begin(trial, dir.path());
    let (began, mut is_stopped) = (Instant::now(), false);
    for (moment, fault) in &trial.faults {
        let due = trial.planned().mul_f64(*moment);
        std::thread::sleep(due.saturating_sub(began.elapsed()));
        // What happens to the topic later is no matter of the run: it may have looked for the last time.
        let is_of_others = matches!(fault, Fault::DeleteTopic { .. } | Fault::Forge(_));
        if stage.replay.is_over() || is_stopped && is_of_others {
            break;
        }
        is_stopped |= matches!(fault, Fault::Signals(_));
        stage.make(*fault);
    }
    let made = Instant::now();
    while !stage.replay.is_over() {
        if made.elapsed() > PATIENCE {
            return Err(format!("it did not end within {PATIENCE:?}"));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let (changed_after, code) = (stage.changed_after, stage.replay.0.wait().unwrap().code());
    let said = fs::read_to_string(dir.path().join(SAID)).unwrap();
    let report = fs::read(&stage.report).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    drop(stage);
    Ok(Played { dir, report, code, said, changed_after })
}

/// Kills it and starts it again, if no other trial has done so since there were so many kills; gives their number.
fn kill_real_kafka(seen: u64) -> u64 {
    let mut kills = KILLS.write().unwrap_or_else(PoisonError::into_inner);
    if *kills == seen {
        let stack = Stack::of_faults();
        stack.run("kill", ["kafka"]);
        stack.run("up", ["kafka"]);
        *kills += 1;
    }
    *kills
}

fn pause(pid: u32, ms: u64) {
    signal(pid, "STOP");
    std::thread::sleep(Duration::from_millis(ms));
    signal(pid, "CONT");
}

impl InputChange {
    fn make(self, path: &Path) {
        use std::io::{Seek, SeekFrom, Write};
        let mut file = fs::OpenOptions::new().write(true).open(path).unwrap();
        let size = file.metadata().unwrap().len();
        match self {
            Self::Cut => file.set_len(size / 3).unwrap(),
            Self::Grown => {
                file.seek(SeekFrom::End(0)).unwrap();
                file.write_all(b"\n{}").unwrap();
            }
            Self::Overwritten => {
                file.seek(SeekFrom::Start(size / 2)).unwrap();
                file.write_all(b"\n\n\n\n").unwrap();
            }
        }
    }
}

fn serve(dir: &Path, port: u16) -> Process {
    let mut child = tweetblast()
        .args(["serve", "--no-mqtt", "--kafka-listen", &port.to_string(), "--kafka-dir"])
        .arg(kafka_dir(dir))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let is_ready = lines.map_while(Result::ok).any(|line| line.starts_with("serving"));
    assert!(is_ready, "the endpoint did not start");
    Process(child)
}

fn start_replay(
    trial: &Trial,
    dir: &Path,
    input: &Path,
    report: &Path,
    (port, mqtt_port): (u16, u16),
) -> Process {
    let kafka = format!("127.0.0.1:{port}");
    let mut command = tweetblast();
    command
        .arg(input)
        .args(["-t", &trial.topic, "-X", "compression.type=none", "--force", "--json"])
        .arg(report);
    command.args(["--payload", trial.payload, "--order", trial.order]);
    command.args(["--rate", &format!("{}/s", trial.rate), "--partitions", &trial.partitions.to_string()]);
    match trial.kafka {
        Kafka::Process | Kafka::Real => command.args(["--kafka", &kafka]),
        Kafka::Inside => command.args(["--kafka-listen", &kafka, "--kafka-dir"]).arg(kafka_dir(dir)),
    };
    match trial.mqtt {
        true => command.args(["--mqtt-listen", &format!("127.0.0.1:{mqtt_port}")]),
        false => command.args(["--mqtt", "off"]),
    };
    match trial.dead_letters {
        DeadLetters::Nowhere => {}
        DeadLetters::File => drop(command.arg("--dead-letter").arg(dir.join(LETTERS))),
        DeadLetters::FullDisk => drop(command.args(["--dead-letter", "/dev/full"])),
    }
    if trial.verify {
        command.arg("--verify");
    }
    // Nothing else ends a wait for a disk that stays full.
    if trial.has(|fault| fault == Fault::FullDisk { lifted: false }) {
        command.args(["--drain-timeout", "1s"]);
    }
    // Not a pipe, which nobody reads meanwhile.
    let said = fs::File::create(dir.join(SAID)).unwrap();
    command.stdin(Stdio::null()).stdout(said.try_clone().unwrap()).stderr(said);
    Process(command.spawn().unwrap())
}
