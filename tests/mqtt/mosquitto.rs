//! Replays through an outside MQTT broker: mosquitto, as a separate process on a free port.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rumqttc::{Client, Connection, Event, MqttOptions, Packet, QoS};
use serde_json::Value;
use tempfile::TempDir;

use crate::common::{Finished, Running, SAMPLE, free_port, generate, read_topic, run, tweetblast};

const PATIENCE: Duration = Duration::from_secs(60);

/// mosquitto, stopped on drop.
struct Mosquitto {
    dir: TempDir,
    addr: SocketAddr,
    child: Child,
}

/// Debian installs it where not every user's path looks.
fn program() -> &'static str {
    const PLACES: [&str; 2] = ["mosquitto", "/usr/sbin/mosquitto"];
    let answers = |place: &&str| {
        Command::new(place).arg("-h").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
    };
    PLACES.into_iter().find(answers).expect("mosquitto is not installed")
}

impl Mosquitto {
    /// Starts it with a few lines of configuration.
    fn start(config: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        // Bound and released: if another program takes the port before mosquitto does, mosquitto
        // ends and the test says so.
        let addr = SocketAddr::from(([127, 0, 0, 1], free_port()));
        // Run by root, it drops its privileges, and could then not write into our directory.
        let me = String::from_utf8(Command::new("id").arg("-un").output().unwrap().stdout).unwrap();
        let config = format!(
            "listener {} 127.0.0.1\nuser {}\npersistence_location {}/\nlog_dest none\n{config}\n",
            addr.port(),
            me.trim(),
            dir.path().display()
        );
        std::fs::write(dir.path().join("mosquitto.conf"), config).unwrap();
        let child = spawn(dir.path(), addr);
        Self { dir, addr, child }
    }

    fn open(config: &str) -> Self {
        Self::start(&format!("allow_anonymous true\n{config}"))
    }

    fn url(&self) -> String {
        format!("mqtt://{}", self.addr)
    }

    /// Kills it without a warning, and starts it again after `pause`.
    fn kill_and_restart(&mut self, pause: Duration) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        std::thread::sleep(pause);
        self.child = spawn(self.dir.path(), self.addr);
    }

    /// Whether it still has the session of `client_id`.
    fn has_session(&self, client_id: &str) -> bool {
        let (client, mut connection) = self.client(client_id);
        let present = connection.iter().find_map(|event| match event.unwrap() {
            Event::Incoming(Packet::ConnAck(ack)) => Some(ack.session_present),
            _ => None,
        });
        drop(client);
        present.unwrap()
    }

    /// Waits until tweets arrive: then the replay's subscription is in force.
    fn wait_for_tweets(&self, client_id: &str) -> (Client, Connection) {
        let (client, mut connection) = self.client(client_id);
        client.subscribe("tweets", QoS::AtMostOnce).unwrap();
        let is_tweet = |event| matches!(event, Event::Incoming(Packet::Publish(_)));
        assert!(connection.iter().any(|event| is_tweet(event.unwrap())));
        (client, connection)
    }

    fn client(&self, client_id: &str) -> (Client, Connection) {
        let mut options = MqttOptions::new(client_id, "127.0.0.1", self.addr.port());
        options.set_clean_session(false);
        Client::new(options, 10)
    }
}

fn spawn(dir: &Path, addr: SocketAddr) -> Child {
    let mut child = Command::new(program())
        .arg("-c")
        .arg(dir.join("mosquitto.conf"))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let since = Instant::now();
    while TcpStream::connect(addr).is_err() {
        assert!(child.try_wait().unwrap().is_none(), "mosquitto has ended");
        assert!(since.elapsed() < PATIENCE, "mosquitto does not listen");
        std::thread::sleep(Duration::from_millis(10));
    }
    child
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A replay with its report, and the contents of its Kafka.
struct Replay {
    running: Running,
    dir: TempDir,
}

impl Replay {
    /// Starts a replay that holds its Kafka at the end.
    fn start(file: &str, broker: &str, arguments: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let json = dir.path().join("report.json");
        let fixed = ["--mqtt", broker, "--kafka-listen", "127.0.0.1:0", "--hold", "--json"];
        let running = Running::start(&[&[file][..], &fixed, &[json.to_str().unwrap()], arguments].concat());
        Self { running, dir }
    }

    /// The report, the sequence numbers in Kafka, as often as each is there, and how many messages
    /// have none.
    fn finish(mut self) -> (Value, Vec<u64>, usize) {
        self.running.wait_for("holding:");
        let report: Value =
            serde_json::from_slice(&std::fs::read(self.dir.path().join("report.json")).unwrap()).unwrap();
        let kafka = report["endpoints"]["kafka"].as_str().unwrap();
        let records = read_topic(kafka, "tweets");
        let seq = |payload: &[u8]| {
            let payload: Value = serde_json::from_slice(payload).ok()?;
            if payload["run"] != report["run"] { None } else { payload["seq"].as_u64() }
        };
        let mut seqs: Vec<u64> = records.iter().filter_map(|record| seq(&record.payload)).collect();
        let others = records.len() - seqs.len();
        seqs.sort_unstable();
        (report, seqs, others)
    }
}

fn ledger(report: &Value, keys: &[&str]) -> Vec<u64> {
    keys.iter().map(|key| report["ledger"][key].as_u64().unwrap_or_else(|| panic!("no {key}"))).collect()
}

fn refused(finished: &Finished, code: i32, words: &[&str]) {
    assert_eq!(finished.code, code, "{}\n{}", finished.stdout, finished.stderr);
    for word in words {
        assert!(finished.stderr.contains(word), "{word:?} is missing in: {}", finished.stderr);
    }
}

#[test]
#[ignore = "needs mosquitto"]
fn the_sample_at_full_speed_arrives_once_each_and_the_broker_keeps_nothing() {
    for limits in ["", "max_inflight_messages 0"] {
        let mosquitto = Mosquitto::open(limits);
        let (report, seqs, others) = Replay::start(SAMPLE, &mosquitto.url(), &["--speedup", "max"]).finish();
        assert_eq!(report["verdict"], "balanced", "{limits:?} {report:#}");
        let counts = ["published", "received", "delivered", "mqtt_lost", "duplicates", "foreign", "failed"];
        assert_eq!(ledger(&report, &counts), [6_000, 6_000, 6_000, 0, 0, 0, 0], "{limits:?}");
        assert_eq!(report["mqtt_repeats_dropped"], 0);
        assert_eq!(report["endpoints"]["mqtt"], mosquitto.addr.to_string());
        assert_eq!((seqs, others), ((0..6_000).collect::<Vec<_>>(), 0));
        assert!(!mosquitto.has_session(&format!("tweetblast-{}", report["run"].as_str().unwrap())));
    }
}

#[test]
#[ignore = "needs mosquitto"]
fn a_broker_that_refuses_the_messages_is_given_up_by_itself_and_after_a_stop() {
    for limit in ["max_qos 0", "max_packet_size 200"] {
        let mosquitto = Mosquitto::open(limit);
        let url = mosquitto.url();
        let arguments =
            [SAMPLE, "--limit", "50", "--mqtt", &url, "--kafka-listen", "127.0.0.1:0", "--speedup", "max"];
        let finished = run(&arguments);
        refused(&finished, 1, &["refuses the messages", "max_qos"]);
        let mut running = Running::start(&arguments);
        running.wait_for("plan");
        std::thread::sleep(Duration::from_secs(2));
        running.signal("INT");
        assert!(running.ends_within(Duration::from_secs(5)), "{limit}: a stop does not end it");
    }
}

#[test]
#[ignore = "needs mosquitto"]
fn a_broker_that_acknowledges_messages_and_drops_them_is_given_up() {
    let mosquitto = Mosquitto::open("message_size_limit 200");
    let url = mosquitto.url();
    let finished =
        run(&[SAMPLE, "--limit", "50", "--mqtt", &url, "--kafka-listen", "127.0.0.1:0", "--speedup", "max"]);
    refused(&finished, 1, &["drops the messages", "message_size_limit"]);
}

/// Kills mosquitto in the middle of a replay.
fn killed_in_the_middle(config: &str) -> Value {
    let mut mosquitto = Mosquitto::open(config);
    let dir = tempfile::tempdir().unwrap();
    let file = generate(dir.path(), "lines", 20_000);
    let replay = Replay::start(&file, &mosquitto.url(), &["--rate", "5000/s"]);
    drop(mosquitto.wait_for_tweets("watcher"));
    for _ in 0..2 {
        std::thread::sleep(Duration::from_millis(700));
        mosquitto.kill_and_restart(Duration::from_millis(300));
    }
    let (report, seqs, others) = replay.finish();
    assert_eq!(report["verdict"], "balanced", "{report:#}");
    let counts = ["published", "received", "delivered", "mqtt_lost", "duplicates", "failed"];
    assert_eq!(ledger(&report, &counts), [20_000, 20_000, 20_000, 0, 0, 0]);
    assert_eq!((seqs, others), ((0..20_000).collect::<Vec<_>>(), 0), "each once");
    let outages = report["outages"].as_array().unwrap();
    let is_over = |outage: &Value| outage["hop"] == "mqtt" && outage["ended"] == "back";
    assert!(outages.len() >= 2 && outages.iter().all(is_over), "{outages:#?}");
    report
}

#[test]
#[ignore = "needs mosquitto"]
fn a_broker_that_is_killed_and_keeps_what_it_had_costs_repeats_and_loses_nothing() {
    let keeping =
        "persistence true\nautosave_on_changes true\nautosave_interval 500\nmax_inflight_messages 0";
    let report = killed_in_the_middle(keeping);
    println!("repeats dropped: {}", report["mqtt_repeats_dropped"]);
}

#[test]
#[ignore = "needs mosquitto"]
fn a_broker_that_is_killed_and_has_forgotten_everything_loses_nothing_either() {
    killed_in_the_middle("persistence false\nmax_inflight_messages 0");
}

#[test]
#[ignore = "needs mosquitto"]
fn a_message_under_the_number_of_a_tweet_never_stands_for_it() {
    let mosquitto = Mosquitto::open("max_inflight_messages 0");
    let replay = Replay::start(SAMPLE, &mosquitto.url(), &["--rate", "1500/s"]);
    let (client, mut connection) = mosquitto.wait_for_tweets("forger");
    let driver = std::thread::spawn(move || {
        let mut tweets = connection.iter().filter_map(|event| match event {
            Ok(Event::Incoming(Packet::Publish(publish))) => Some(publish.payload),
            _ => None,
        });
        let tweet = String::from_utf8(tweets.next().unwrap().to_vec()).unwrap();
        let head = tweet.rsplit_once(",\"seq\":").unwrap().0.to_owned();
        // Of the past, on their way, of the future, and of no tweet at all.
        let forged = (0..7_000).step_by(5).map(move |seq| format!("{head},\"seq\":{seq}}}"));
        let forged = forged.map(|tweet| tweet.replacen("\"tweet\":\"", "\"tweet\":\"FORGED ", 1));
        let sending = client.clone();
        let sender = std::thread::spawn(move || {
            forged.for_each(|tweet| sending.publish("tweets", QoS::AtMostOnce, false, tweet).unwrap());
        });
        tweets.by_ref().take(4_000).for_each(drop);
        sender.join().unwrap();
        client.disconnect().unwrap();
        tweets.for_each(drop);
    });
    let (report, _, others) = replay.finish();
    drop(driver);
    let counts = ["published", "received", "delivered", "mqtt_lost", "duplicates", "failed", "read_back"];
    assert_eq!(ledger(&report, &counts), [6_000, 6_000, 6_000, 0, 0, 0, 6_000], "{report:#}");
    assert_eq!((others, &report["mqtt_repeats_dropped"]), (0, &0.into()));
    // The forged ones are in Kafka too, under numbers of the run, and the report says so.
    assert_eq!(report["verdict"], "unbalanced");
}

#[test]
#[ignore = "needs mosquitto"]
fn a_subscriber_whose_connection_is_taken_gets_the_same_messages_again_and_drops_them() {
    let mosquitto = Mosquitto::open("");
    let arguments = ["--rate", "2000/s"];
    let mut replay = Replay::start(SAMPLE, &mosquitto.url(), &arguments);
    let run = replay.running.wait_for("tweetblast ");
    let client_id = format!("tweetblast-{}", run.trim().rsplit(' ').next().unwrap());
    drop(mosquitto.wait_for_tweets("watcher"));
    // A second client with the same id ends the first one's connection.
    for _ in 0..5 {
        std::thread::sleep(Duration::from_millis(300));
        assert!(mosquitto.has_session(&client_id));
    }
    let (report, seqs, others) = replay.finish();
    assert_eq!(report["verdict"], "balanced", "{report:#}");
    assert_eq!((seqs, others), ((0..6_000).collect::<Vec<_>>(), 0));
    assert!(report["mqtt_repeats_dropped"].as_u64() > Some(0), "{report:#}");
}

#[test]
#[ignore = "needs mosquitto"]
fn a_queue_that_is_too_small_for_the_window_makes_the_broker_drop_and_nothing_is_lost() {
    let mosquitto = Mosquitto::open("max_queued_messages 50");
    let (report, seqs, _) = Replay::start(SAMPLE, &mosquitto.url(), &["--speedup", "max"]).finish();
    assert_eq!(report["verdict"], "balanced", "{report:#}");
    assert_eq!(seqs, (0..6_000).collect::<Vec<_>>());
}

#[test]
#[ignore = "needs mosquitto"]
fn messages_of_others_on_the_topic_go_on_and_are_foreign() {
    let mosquitto = Mosquitto::open("");
    let replay = Replay::start(SAMPLE, &mosquitto.url(), &["--rate", "3000/s"]);
    let (client, mut connection) = mosquitto.wait_for_tweets("another");
    let other = r#"{"tweet":"x","run":"20200101T000000-0000","seq":3}"#;
    for (qos, payload) in [(QoS::AtLeastOnce, "mine"), (QoS::AtMostOnce, ""), (QoS::AtLeastOnce, other)] {
        client.publish("tweets", qos, false, payload).unwrap();
    }
    client.disconnect().unwrap();
    // Ends with the connection.
    connection.iter().take_while(Result::is_ok).for_each(drop);
    let (report, seqs, others) = replay.finish();
    assert_eq!(report["verdict"], "balanced", "{report:#}");
    assert_eq!(ledger(&report, &["foreign", "foreign_delivered", "received"]), [3, 3, 6_000]);
    assert_eq!((seqs, others), ((0..6_000).collect::<Vec<_>>(), 3));
}

#[test]
#[ignore = "needs mosquitto"]
fn a_stop_while_the_broker_is_away_ends_with_what_is_missing_as_lost() {
    let mut mosquitto = Mosquitto::open("");
    let arguments = [SAMPLE, "--rate", "1000/s", "--mqtt", &mosquitto.url(), "--kafka-listen", "127.0.0.1:0"];
    let replay = Running::start(&[&arguments[..], &["--drain-timeout", "1s"]].concat());
    drop(mosquitto.wait_for_tweets("watcher"));
    mosquitto.child.kill().unwrap();
    mosquitto.child.wait().unwrap();
    std::thread::sleep(Duration::from_millis(500));
    replay.signal("INT");
    let finished = replay.finish();
    refused(&finished, 3, &[]);
    assert!(finished.stdout.contains("lost in the MQTT broker"), "{}", finished.stdout);
    assert!(finished.stderr.contains("no connection to the MQTT broker"), "{}", finished.stderr);
}

#[test]
fn a_broker_that_refuses_the_connection_is_one_clear_error() {
    let since = Instant::now();
    let free = format!("127.0.0.1:{}", free_port());
    let url = format!("mqtt://{free}");
    let arguments = [SAMPLE, "--kafka-listen", "127.0.0.1:0", "--mqtt"];
    refused(&run(&[&arguments[..], &[&url]].concat()), 1, &[&free, "refused", "is it running"]);
    assert!(since.elapsed() < Duration::from_secs(30));
    // A server that answers, but not in MQTT.
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("mqtt://{}", other.local_addr().unwrap());
    std::thread::spawn(move || {
        use std::io::{Read, Write};
        let (mut stream, _) = other.accept().unwrap();
        let _ = stream.read(&mut [0; 1_024]);
        stream.write_all(&[b'S'; 100]).unwrap();
        // Until the other side has closed.
        let _ = stream.read(&mut [0; 1_024]);
    });
    refused(&run(&[&arguments[..], &[&url]].concat()), 1, &["does not speak MQTT"]);
    for payload in ["raw", "minimal"] {
        let usage = run(&[&arguments[..], &[&url, "--payload", payload]].concat());
        refused(&usage, 2, &["--payload raw and minimal", "run and seq"]);
    }
}

#[test]
#[ignore = "needs mosquitto"]
fn a_password_comes_from_the_environment() {
    let dir = tempfile::tempdir().unwrap();
    let passwords = dir.path().join("passwords");
    let made =
        Command::new("mosquitto_passwd").args(["-b", "-c"]).arg(&passwords).args(["me", "secret"]).output();
    assert!(made.unwrap().status.success());
    let config = format!("allow_anonymous false\npassword_file {}", passwords.display());
    let mosquitto = Mosquitto::start(&config);
    let url = format!("mqtt://me@{}", mosquitto.addr);
    let arguments =
        [SAMPLE, "--speedup", "max", "--limit", "50", "--kafka-listen", "127.0.0.1:0", "--mqtt", &url];
    let with = |password: &str| {
        tweetblast().args(arguments).env("TWEETBLAST_MQTT_PASSWORD", password).output().unwrap()
    };
    assert!(with("secret").status.success());
    let wrong = with("wrong");
    let stderr = String::from_utf8(wrong.stderr).unwrap();
    assert_eq!(wrong.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("TWEETBLAST_MQTT_PASSWORD") && !stderr.contains("wrong"), "{stderr}");
}
