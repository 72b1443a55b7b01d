//! One run with faults: drawn from a seed, played, and told.

use std::fmt;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use super::log;
use super::tools::{Forgery, delete_topic, forge, forge_through_mqtt, limit_files, signal};
use crate::common::{free_port, tweet, tweetblast};

/// Nothing may last longer: the machine may be very busy.
const PATIENCE: Duration = Duration::from_secs(120);

pub const TOPIC: &str = "tweets";

/// The file with all that the program says.
const SAID: &str = "said.txt";

/// What happens to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// SIGKILL of the program, and the same command again.
    KillAndRunAgain,
    /// SIGSTOP of the program, and SIGCONT.
    Stop {
        ms: u64,
    },
    /// Each of these signals.
    Signals(&'static [&'static str]),
    Input(InputChange),
    DeleteTopic {
        made_again: bool,
    },
    Forge(Forgery),
    /// No file of the process that has the log may grow; whether it may again later.
    FullDisk {
        lifted: bool,
    },
    /// SIGSTOP of the Kafka process, and SIGCONT.
    PauseKafka {
        ms: u64,
    },
    /// SIGKILL of the Kafka process, and a new one.
    KillKafka,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputChange {
    Cut,
    Grown,
    Overwritten,
}

/// A run and what happens in it.
#[derive(Debug)]
pub struct Trial {
    tweets: u64,
    rate: u64,
    payload: &'static str,
    order: &'static str,
    partitions: u32,
    mqtt: bool,
    /// Whether the Kafka is a process of its own.
    outside: bool,
    verify: bool,
    /// Whether others write through the embedded MQTT broker, not into Kafka.
    forge_through_mqtt: bool,
    /// What happens, and when: a share of the planned time after the first message.
    faults: Vec<(f64, Fault)>,
}

fn one_of<T: Copy>(rng: &mut ChaCha8Rng, all: &[T]) -> T {
    all[rng.random_range(0..all.len())]
}

impl Trial {
    pub fn draw(seed: u64) -> Self {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let outside = rng.random_bool(0.4);
        let count = if rng.random_bool(0.3) { 2 } else { 1 };
        let mut faults: Vec<_> =
            (0..count).map(|_| (rng.random_range(0.05_f64..0.8), Fault::draw(rng, outside))).collect();
        faults.sort_by(|one, other| one.0.total_cmp(&other.0));
        let mut trial = Self {
            tweets: rng.random_range(300..1_500),
            rate: rng.random_range(800..2_500),
            payload: one_of(rng, &["tweet", "tweet", "minimal", "raw"]),
            order: one_of(rng, &["file", "time", "shuffle", "window"]),
            partitions: rng.random_range(1..4),
            mqtt: rng.random_bool(0.5),
            outside,
            verify: outside && rng.random_bool(0.6),
            forge_through_mqtt: false,
            faults,
        };
        trial.forge_through_mqtt = trial.mqtt && rng.random_bool(0.5);
        trial
    }

    pub fn has(&self, is: impl Fn(Fault) -> bool) -> bool {
        self.faults.iter().any(|(_, fault)| is(*fault))
    }

    /// Whether the program reads the log back by itself.
    pub fn reads_back(&self) -> bool {
        !self.outside || self.verify
    }

    /// Whether all of what happens fulfils this.
    pub fn has_only(&self, is: impl Fn(Fault) -> bool) -> bool {
        self.faults.iter().all(|(_, fault)| is(*fault))
    }

    /// Whether the program was begun again after the last change of its input.
    pub fn runs_again_after_change(&self) -> bool {
        let last = |is: fn(Fault) -> bool| self.faults.iter().rposition(|(_, fault)| is(*fault));
        last(|fault| fault == Fault::KillAndRunAgain) > last(|fault| matches!(fault, Fault::Input(_)))
    }

    /// How long the run is to last.
    fn planned(&self) -> Duration {
        Duration::from_secs_f64(self.tweets as f64 / self.rate as f64)
    }
}

impl Fault {
    fn draw(rng: &mut ChaCha8Rng, outside: bool) -> Self {
        let ms = rng.random_range(20..700);
        let draws = if outside { 12 } else { 10 };
        match rng.random_range(0..draws) {
            0 => Self::KillAndRunAgain,
            1 => Self::Stop { ms },
            2 => Self::Signals(one_of(rng, &[&["INT"], &["TERM"]])),
            3 => Self::Signals(one_of(rng, &[&["INT", "INT"], &["TERM", "TERM"], &["INT", "TERM"]])),
            4 => Self::Input(one_of(rng, &[InputChange::Cut, InputChange::Grown, InputChange::Overwritten])),
            5 => Self::DeleteTopic { made_again: false },
            6 => Self::DeleteTopic { made_again: true },
            7 | 8 => Self::Forge(one_of(rng, &Forgery::ALL)),
            9 => Self::FullDisk { lifted: rng.random_bool(0.5) },
            10 => Self::PauseKafka { ms },
            _ => Self::KillKafka,
        }
    }
}

impl fmt::Display for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

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
    pub fn kafka(&self) -> PathBuf {
        kafka_dir(self.dir.path())
    }
}

fn kafka_dir(dir: &Path) -> PathBuf {
    dir.join("kafka")
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
    serve: Option<Process>,
    replay: Process,
    started: Instant,
    changed_after: Option<Duration>,
}

impl<'t> Stage<'t> {
    fn set_up(trial: &'t Trial, dir: &'t Path) -> Self {
        let (input, report, port) = (dir.join("tweets.json"), dir.join("report.json"), free_port());
        let lines: Vec<String> =
            (0..trial.tweets).map(|at| tweet(at + 1, at % 50, at / 20, "hello there")).collect();
        fs::write(&input, lines.join("\n")).unwrap();
        let serve = trial.outside.then(|| serve(dir, port));
        let mqtt_port = free_port();
        let replay = start_replay(trial, dir, &input, &report, (port, mqtt_port));
        let (started, changed_after) = (Instant::now(), None);
        Self { trial, dir, input, report, port, mqtt_port, serve, replay, started, changed_after }
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
                delete_topic(self.port, TOPIC, made_again.then_some(self.trial.partitions as i32));
            }
            Fault::Forge(forgery) if self.trial.forge_through_mqtt => {
                forge_through_mqtt(self.mqtt_port, TOPIC, forgery, &kafka_dir(self.dir), self.trial.tweets);
            }
            Fault::Forge(forgery) => {
                forge(self.port, TOPIC, forgery, &kafka_dir(self.dir), self.trial.tweets)
            }
            Fault::FullDisk { lifted } => {
                let (largest, _) = log::sizes(&kafka_dir(self.dir), TOPIC);
                limit_files(self.log_pid(), Some((largest + 1_000).max(64 << 10)));
                if lifted {
                    std::thread::sleep(Duration::from_millis(400));
                    limit_files(self.log_pid(), None);
                }
            }
            Fault::PauseKafka { ms } => pause(self.log_pid(), ms),
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
    let mut stage = Stage::set_up(trial, dir.path());
    stage.wait_until("messages", || log::sizes(&kafka_dir(dir.path()), TOPIC).1 > 0);
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
    command.arg(input).args(["-t", TOPIC, "-X", "compression.type=none", "--force", "--json"]).arg(report);
    command.args(["--payload", trial.payload, "--order", trial.order]);
    command.args(["--rate", &format!("{}/s", trial.rate), "--partitions", &trial.partitions.to_string()]);
    match trial.outside {
        true => command.args(["--kafka", &kafka]),
        false => command.args(["--kafka-listen", &kafka, "--kafka-dir"]).arg(kafka_dir(dir)),
    };
    match trial.mqtt {
        true => command.args(["--mqtt-listen", &format!("127.0.0.1:{mqtt_port}")]),
        false => command.args(["--mqtt", "off"]),
    };
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
