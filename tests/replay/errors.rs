//! What can go wrong before or during a replay ends in one clear line that says what to do, with
//! the right exit code.

use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::common::{FREE_PORTS, Running, SAMPLE, run, topics, tweetblast, write};

/// Runs a replay that must end with `code` and one error that holds all `words`: ours, or a usage error.
fn refused(arguments: &[&str], code: i32, words: &[&str]) {
    let finished = run(arguments);
    assert_eq!(finished.code, code, "{arguments:?}\n{}\n{}", finished.stdout, finished.stderr);
    let lines: Vec<&str> = finished.stderr.lines().filter(|line| line.starts_with("error: ")).collect();
    let [_] = lines[..] else { panic!("not one line: {}", finished.stderr) };
    for word in words {
        assert!(finished.stderr.contains(word), "{word:?} is missing in: {}", finished.stderr);
    }
}

#[test]
fn a_mistyped_flag_is_a_usage_error_that_names_the_right_one() {
    let finished = run(&["--speedupp", "100x"]);
    assert_eq!(finished.code, 2);
    assert!(finished.stderr.contains("--speedup"), "{}", finished.stderr);
    let finished = run(&["--speedup", "fast"]);
    assert_eq!(finished.code, 2);
    assert!(finished.stderr.contains("100x, 0.5x or max"), "{}", finished.stderr);
    assert_eq!(run(&["--json"]).code, 2, "--json needs a value");
    assert_eq!(run(&["--speedup", "max", "--rate", "5/s"]).code, 2, "one speed at a time");
}

#[test]
fn files_that_cannot_be_replayed_are_named_with_what_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str, bytes: &[u8]| write(dir.path(), name, bytes);
    refused(&[&["no-such-file.json"], FREE_PORTS].concat(), 1, &["no-such-file.json", "No such file"]);
    refused(&[&[path("empty.json", b"").as_str()], FREE_PORTS].concat(), 1, &["empty.json", "empty"]);
    // A file in a folder is named, and so is a folder without any.
    refused(&[&[dir.path().to_str().unwrap()], FREE_PORTS].concat(), 1, &["empty.json", "empty"]);
    let no_files = tempfile::tempdir().unwrap();
    refused(&[&[no_files.path().to_str().unwrap()], FREE_PORTS].concat(), 1, &["contains no files"]);
    let random: Vec<u8> = (0u32..4_096).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8 | 1).collect();
    refused(&[&[path("random.bin", &random).as_str()], FREE_PORTS].concat(), 1, &["random.bin"]);
    let other = path("other.json", b"{\"a\":1}\n{\"b\":2}\n");
    refused(
        &[&[other.as_str()], FREE_PORTS].concat(),
        1,
        &["no tweets", "2 records (2 not a tweet)", "tweetblast generate"],
    );
    let empty_dir = tempfile::tempdir().unwrap();
    let finished = tweetblast().current_dir(empty_dir.path()).output().unwrap();
    assert_eq!(finished.status.code(), Some(1));
    assert!(String::from_utf8(finished.stderr).unwrap().contains("tweetblast generate -o tweets.json"));
}

#[test]
fn a_file_without_read_permission_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let file = write(dir.path(), "secret.json", "{}");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o000)).unwrap();
    let program = env!("CARGO_BIN_EXE_tweetblast");
    let mut command = Command::new(program);
    if std::fs::File::open(&file).is_ok() {
        // Root can read everything, unless its capabilities are dropped.
        command = Command::new("setpriv");
        command.args(["--bounding-set=-all", "--inh-caps=-all", program]);
    }
    let output = command.arg(&file).args(FREE_PORTS).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("secret.json") && stderr.contains("Permission denied"), "{stderr}");
}

#[test]
fn a_named_port_that_is_taken_is_an_error_and_a_default_one_is_not() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = holder.local_addr().unwrap().to_string();
    let free = "127.0.0.1:0";
    refused(&[SAMPLE, "--mqtt-listen", &taken, "--kafka-listen", free], 1, &[&taken, "--mqtt-listen"]);
    refused(&[SAMPLE, "--mqtt-listen", free, "--kafka-listen", &taken], 1, &[&taken, "in use"]);
    // Whichever program has the default ports, the run finds others.
    let _mqtt = TcpListener::bind("127.0.0.1:1883");
    let _kafka = TcpListener::bind("127.0.0.1:9092");
    let finished = run(&[SAMPLE, "--speedup", "max", "--limit", "10"]);
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    assert!(finished.stdout.contains("every tweet accounted for"));
}

#[test]
fn a_kafka_that_does_not_answer_is_an_error_that_names_it() {
    let arguments = [SAMPLE, "--kafka", "127.0.0.1:9", "--mqtt-listen", "127.0.0.1:0"];
    refused(&arguments, 1, &["127.0.0.1:9", "connection refused", "is it running", "tweetblast doctor"]);
    let hosts = "127.0.0.1:9,no-such-host.invalid:9092";
    let arguments = [SAMPLE, "--kafka", hosts, "--mqtt-listen", "127.0.0.1:0"];
    refused(&arguments, 1, &["127.0.0.1:9: connection refused, no-such-host.invalid:9092: "]);
}

#[test]
fn a_kafka_that_takes_connections_and_says_nothing_is_named_with_what_librdkafka_saw() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    // Every connection is closed, as by a port that wants TLS.
    std::thread::spawn(move || silent.incoming().for_each(drop));
    let arguments = [SAMPLE, "--kafka", &address, "--mqtt-listen", "127.0.0.1:0"];
    refused(&arguments, 1, &[&address, "within 10 s", "security.protocol", "Disconnected"]);
}

#[test]
fn what_the_broker_says_of_a_topic_is_shown() {
    let mut kafka = Running::start(&["serve", "--mqtt", "off", "--kafka-listen", "127.0.0.1:0"]);
    let address = kafka.wait_for("Kafka ").split_whitespace().nth(1).unwrap().to_owned();
    let refusal = &["cannot create topic tweets", "512 partitions in all"];
    refused(&[SAMPLE, "--partitions", "600", "--kafka", &address, "--mqtt", "off"], 1, refusal);
}

#[test]
fn a_report_that_standard_output_does_not_take_is_an_error_and_a_closed_pipe_is_none() {
    let dir = tempfile::tempdir().unwrap();
    let report = dir.path().join("report.json").to_str().unwrap().to_owned();
    let replay = [&[SAMPLE, "--speedup", "max", "--limit", "5", "--json", &report][..], FREE_PORTS].concat();
    let compare = ["compare", &report, &report];
    let doctor = [&["doctor"][..], FREE_PORTS].concat();
    for arguments in [
        &replay[..],
        &compare,
        &doctor,
        &["druid", "spec"],
        &["inspect", SAMPLE],
        &["--help"],
        &["generate", "-o", "-"],
    ] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = tweetblast().args(arguments).stdout(full).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {stderr}");
        let words = "cannot write to standard output: No space left on device";
        assert!(stderr.contains(words), "{arguments:?}: {stderr}");
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let force: &[&str] = if arguments == replay { &["--force"] } else { &[] };
        let output = tweetblast().args(arguments).args(force).stdout(writer).output().unwrap();
        assert_eq!(
            output.status.code(),
            Some(0),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[test]
fn a_kafka_that_stops_answering_is_given_up_after_the_drain_timeout_also_with_a_full_queue() {
    let mut kafka = Running::start(&["serve", "--no-mqtt", "--kafka-listen", "127.0.0.1:0"]);
    let address = kafka.wait_for("Kafka ").split_whitespace().nth(1).unwrap().to_owned();
    // More than librdkafka is given at a time, but no more than the queues before it hold.
    let arguments = [SAMPLE, "--speedup", "max", "--delay", "4s", "--kafka", &address, "--json", "-"];
    let limit = ["--drain-timeout", "500ms", "--mqtt-listen", "127.0.0.1:0", "--quiet"];
    let mut replay = Running::start(&[&arguments[..], &limit].concat());
    let deadline = Instant::now() + Duration::from_secs(30);
    while !topics(&address).contains(&"tweets".to_owned()) {
        assert!(Instant::now() < deadline, "the topic was not made");
        std::thread::sleep(Duration::from_millis(20));
    }
    // Until the producer is ready; the first tweet waits longer.
    std::thread::sleep(Duration::from_secs(1));
    kafka.signal("STOP");
    let has_ended = replay.ends_within(Duration::from_secs(60));
    kafka.signal("CONT");
    assert!(has_ended, "it still waits for a Kafka that took nothing");
    let finished = replay.finish();
    assert_eq!(finished.code, 3, "{}", finished.stderr);
    let ledger = &finished.report()["ledger"];
    assert_eq!((ledger["delivered"].as_u64(), ledger["failed"].as_u64()), (Some(0), Some(6_000)), "{ledger}");
}

#[test]
fn nothing_is_written_over_the_input_or_a_file_that_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let input = write(dir.path(), "tweets.json", std::fs::read(SAMPLE).unwrap());
    for force in [&[][..], &["--force"]] {
        refused(&[&[&input, "--json", &input][..], FREE_PORTS, force].concat(), 2, &["is the input"]);
    }
    assert_eq!(std::fs::read(&input).unwrap(), std::fs::read(SAMPLE).unwrap());
    let report = write(dir.path(), "report.json", "mine");
    refused(&[&[&input, "--json", &report][..], FREE_PORTS].concat(), 1, &["--force"]);
    assert_eq!(std::fs::read_to_string(&report).unwrap(), "mine");
    let foreign = dir.path().to_str().unwrap();
    let arguments = [&input, "--kafka-dir", foreign, "--mqtt-listen", "127.0.0.1:0"];
    refused(&arguments, 1, &["not made by tweetblast"]);
}

#[test]
#[ignore = "needs the right to mount"]
fn a_full_disk_ends_the_run_with_its_ledger() {
    let dir = tempfile::tempdir().unwrap();
    let small = dir.path().to_str().unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=300k", "tmpfs", small]).output();
    assert!(mounted.unwrap().status.success(), "a small file system cannot be mounted here");
    let kafka_dir = dir.path().join("kafka");
    let arguments = [SAMPLE, "--speedup", "max", "--kafka-dir", kafka_dir.to_str().unwrap()];
    let elsewhere = tempfile::tempdir().unwrap();
    let report = elsewhere.path().join("report.json");
    let json = ["--drain-timeout", "1s", "--json", report.to_str().unwrap()];
    let arguments = [&arguments[..], &json, FREE_PORTS].concat();
    let finished = run(&arguments);
    assert!(Command::new("umount").arg(small).status().unwrap().success());
    assert_eq!(finished.code, 1, "{}\n{}", finished.stdout, finished.stderr);
    let error = finished.stderr.lines().find(|line| line.starts_with("error: ")).unwrap();
    assert!(error.contains("kafka/topics/tweets/0") && error.contains("has room"), "{error}");
    assert!(error.ends_with("No space left on device"), "{error}");
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    assert_eq!(format!("error: {}", report["error"].as_str().unwrap()), error);
    assert!(finished.stdout.contains("\nunbalanced: "), "{}", finished.stdout);
    // How many were sent before the error was noticed depends on the machine.
    let count = |key: &str| report["ledger"][key].as_u64().unwrap();
    assert_eq!(count("received"), count("delivered") + count("failed"), "{}", finished.stdout);
    assert!(count("failed") > 0 && count("published") == count("received"), "{}", finished.stdout);
}

#[test]
fn a_log_that_has_grown_to_the_limit_of_a_file_ends_the_run_with_its_ledger() {
    let dir = tempfile::tempdir().unwrap();
    let kafka_dir = dir.path().join("kafka");
    let arguments = [SAMPLE, "--speedup", "max", "--kafka-dir", kafka_dir.to_str().unwrap()];
    let arguments = [&arguments[..], &["--drain-timeout", "1s", "--json", "-"], FREE_PORTS].concat();
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "ulimit -f 200; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_tweetblast")])
        .args(&arguments);
    let output = shell.output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let error = report["error"].as_str().unwrap();
    assert!(error.ends_with("File too large") && stderr.contains(error), "{error}\n{stderr}");
    assert_ne!(report["verdict"], "balanced");
}

#[test]
#[ignore = "needs the right to mount"]
fn a_replay_waits_on_a_full_disk_until_there_is_room() {
    let dir = tempfile::tempdir().unwrap();
    let small = dir.path().to_str().unwrap();
    let mount = |options: &str| {
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs", small]).output();
        assert!(mounted.unwrap().status.success(), "a small file system cannot be mounted here");
    };
    mount("size=300k");
    let kafka_dir = dir.path().join("kafka");
    let arguments = [SAMPLE, "--speedup", "max", "--json", "-", "--kafka-dir", kafka_dir.to_str().unwrap()];
    let mut replay = Running::start(&[&arguments[..], FREE_PORTS].concat());
    // Longer than the whole replay takes, and than it took to give up before.
    let ended = replay.ends_within(Duration::from_secs(8));
    mount("remount,size=64m");
    let finished = replay.finish();
    assert!(Command::new("umount").arg(small).status().unwrap().success());
    assert!(!ended, "{}", finished.stderr);
    assert_eq!(
        (finished.code, &finished.report()["verdict"]),
        (0, &"balanced".into()),
        "{}",
        finished.stderr
    );
    assert_eq!(finished.report()["ledger"]["read_back"], 6_000);
    assert_eq!(finished.stderr.matches("cannot append to the log").count(), 1, "{}", finished.stderr);
}
