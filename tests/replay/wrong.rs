//! What is said to somebody who gives the program something wrong: standard error of sixty such calls.
//!
//! Where a change of words is meant, `INSTA_UPDATE=always cargo test --test replay wrong` writes them again.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::common::{FREE_PORTS, SAMPLE, tweet, tweetblast};

/// Files that are there.
fn files() -> Vec<(&'static str, Vec<u8>)> {
    let text = |text: &str| text.as_bytes().to_vec();
    let tweets: Vec<String> = (0..3).map(|at| tweet(at + 1, 7, at, "hello")).collect();
    let dates = r#"[{"Date":"09/03/2024 18:00","Tweet":"hola a todos","Author":"ann"},
{"Date":"09/03/2024 18:05","Tweet":"adios","Author":"bob"}]"#;
    vec![
        ("good.json", text(&tweets.join("\n"))),
        ("mine.json", text("mine")),
        ("empty.json", text("")),
        ("blank.json", text(" \n\n")),
        ("list.json", text("[]\n")),
        ("dates.json", text(dates)),
        ("dates-at.json", text(r#"{"text":"a","created_at":"13.04.2020 10:00"}"#)),
        ("sensors.jsonl", text("{\"sensor\":\"a1\",\"value\":3.5,\"ts\":1625587487}\n".repeat(3).as_str())),
        (
            "wrapped.jsonl",
            text(r#"{"_index":"tw","hit":{"text":"hello you","created_at":"2020-03-03T10:00:00Z"}}"#),
        ),
        ("cut.json", text("{\"created_at\":\"Wed Jan 01 00:00:00 +0000 2020\",\n \"text\":\"a")),
        ("comma.json", text("{\"text\":\"a\",}\n{\"text\":\"b\" \"id\":1}\n")),
        ("latin.json", b"{\"text\":\"a\xf1o\"}\n".to_vec()),
        ("notices.json", text("{\"delete\":{\"status\":{\"id\":1}}}\n{\"limit\":{\"track\":3}}\n")),
        (
            "users.json",
            text("{\"id\":1,\"screen_name\":\"ann\",\"description\":\"I write\",\"statuses_count\":3}\n"),
        ),
        ("errors.json", text("{\"errors\":[{\"code\":88,\"message\":\"Rate limit exceeded\"}]}\n")),
        ("numbers.json", text("[1,2,3]")),
        ("lists.json", text("[[1],[2]]")),
        ("strings.json", text(r#"["{\"body2\":\"a\"}","{\"body2\":\"b\"}"]"#)),
        ("strings.jsonl", text("\"{\\\"body2\\\":\\\"a, b\\\"}\"\n\"{\\\"body2\\\":\\\"c\\\"}\"\n")),
        ("sse.txt", text("data: {\"text\":\"a, b\"}\n\ndata: {\"text\":\"c\"}\n")),
        ("sequence.json", text("\u{1e}{\"text\":\"a, b\"}\n")),
        ("python.txt", text("{'text': 'a'}\n{'text': 'b'}\n")),
        ("repr.txt", text("Status(_api=<tweepy.API>, _json={'id': 1, 'text': 'a'})\n")),
        ("grep.txt", text("a.json:{\"text\":\"a, b\"}\na.json:{\"text\":\"c\"}\n")),
        ("table.csv", text("1,2020-01-01,hello\n2,2020-01-02,you\n")),
        ("table.tsv", text("id\tsize\n1\t7\n2\t8\n")),
        ("page.html", text("<!DOCTYPE html><p>hello")),
        ("prose.txt", text("hello\n")),
        ("utf16.json", b"\xff\xfe{\0}\0".to_vec()),
        ("picture.png", b"\x89PNG\r\n\x1a\n\0\0".to_vec()),
        ("archive.zip", b"PK\x03\x04\0\0".to_vec()),
        ("broken.json.gz", b"\x1f\x8b\x08\0\0\0\0\0\0\x03abc".to_vec()),
    ]
}

/// The wrong calls. Those of a replay get free ports.
const CALLS: &[&str] = &[
    // Files.
    "inspect nowhere.json",
    "inspect empty.json",
    "inspect blank.json",
    "inspect folder",
    "inspect list.json",
    "inspect table.csv",
    "inspect table.tsv",
    "inspect page.html",
    "inspect prose.txt",
    "inspect utf16.json",
    "inspect picture.png",
    "inspect archive.zip",
    "inspect broken.json.gz",
    "inspect python.txt",
    "inspect repr.txt",
    "inspect sse.txt",
    "inspect sequence.json",
    "inspect strings.jsonl",
    "inspect grep.txt",
    // No tweets in it.
    "inspect dates.json",
    "inspect sensors.jsonl",
    "inspect wrapped.jsonl",
    "inspect cut.json",
    "inspect comma.json",
    "inspect latin.json",
    "inspect notices.json",
    "inspect users.json",
    "inspect errors.json",
    "inspect numbers.json",
    "inspect lists.json",
    "inspect strings.json",
    "inspect good.json --max-record 10",
    "inspect good.json --format array --map text=nope",
    "replay dates.json",
    "replay - <dates.json",
    // Fields that are named.
    "inspect dates.json --map text=nope",
    "inspect dates.json --map text=tweet",
    "inspect sensors.jsonl --map text=value",
    "inspect dates.json --map text=Tweet,time=date",
    "inspect dates.json --map text=Tweet,time=Date",
    "inspect good.json --map text=text,user=by.0.id,id=lang",
    "replay dates.json --map text=Tweet,time=Nope",
    "inspect dates-at.json",
    "inspect dates.json --map Tweet",
    "inspect dates.json --map text=Tweet,time=Date --time-format %H:%M",
    // What is asked for.
    "replay good.json --start 2030-01-01",
    "replay good.json --end 2000-01-01",
    "replay good.json --start 2030-01-01 --end 2031-01-01",
    "replay good.json --order file --start 2030-01-01",
    "replay dates.json --map text=Tweet --start 2030-01-01",
    "inspect good.json good.json",
    // What is written.
    "replay good.json --json mine.json",
    "replay good.json --json good.json",
    "replay good.json --json folder",
    "replay good.json --json no/where.json",
    "replay good.json --dead-letter mine.json",
    "inspect good.json >/dev/full",
    "generate -o - --tweets 3 >/dev/full",
    "generate -o mine.json",
    "generate -o new.json --rate 0",
    "generate -o new.json --users 0",
    "generate -o new.json --tweets 10 --rate 0.000000001",
    "generate -o new.json --users-file new.json",
    "--help >/dev/full",
    // Others.
    "replay good.json --kafka 127.0.0.1:9",
    "replay good.json --kafka 127.0.0.1:9,127.0.0.1:7",
    "replay good.json --mqtt mqtt://127.0.0.1:9",
    "replay good.json --druid http://127.0.0.1:9",
    "replay good.json --partitions 600",
    "replay good.json -X linger.mss=5",
    "compare mine.json good.json",
];

/// Runs one call in `dir`, and gives it with its exit code and standard error.
fn call(dir: &Path, words: &str) -> String {
    let (mut command, mut arguments) = (tweetblast(), Vec::new());
    command.current_dir(dir).stdin(Stdio::null());
    let mut replays = false;
    for word in words.split(' ') {
        if let Some(path) = word.strip_prefix('>') {
            command.stdout(fs::OpenOptions::new().write(true).open(path).unwrap());
        } else if let Some(path) = word.strip_prefix('<') {
            command.stdin(fs::File::open(dir.join(path)).unwrap());
        } else if word == "replay" {
            replays = true;
        } else {
            arguments.push(word);
        }
    }
    if replays {
        let own_mqtt = ["--mqtt-listen", "127.0.0.1:0"];
        arguments.extend(["--speedup", "max"]);
        match (words.contains("--kafka "), words.contains("--mqtt ")) {
            (true, _) => arguments.extend(own_mqtt),
            (_, true) => arguments.extend(["--kafka-listen", "127.0.0.1:0"]),
            _ => arguments.extend(FREE_PORTS),
        }
        command.env("XDG_STATE_HOME", dir.join("state"));
    }
    let output = command.args(arguments).output().unwrap();
    let mut said = format!("$ tweetblast {}\n", words.trim_start_matches("replay "));
    for line in String::from_utf8(output.stderr).unwrap().lines() {
        let _ = writeln!(said, "{}", masked(line));
    }
    let _ = writeln!(said, "exit {}\n", output.status.code().unwrap());
    said
}

/// A line without the ports that were free.
fn masked(line: &str) -> String {
    let mut line = line.to_owned();
    let mut from = 0;
    while let Some(at) = line[from..].find("127.0.0.1:").map(|at| from + at + "127.0.0.1:".len()) {
        let digits = line[at..].bytes().take_while(u8::is_ascii_digit).count();
        if digits > 4 {
            line.replace_range(at..at + digits, "PORT");
        }
        from = at;
    }
    line
}

#[test]
fn sixty_wrong_calls_are_told_what_to_type() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("folder")).unwrap();
    for (name, bytes) in files() {
        fs::write(dir.path().join(name), bytes).unwrap();
    }
    let said: Vec<_> = CALLS.iter().map(|_| std::sync::Mutex::default()).collect();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some((words, said)) = {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    CALLS.get(at).zip(said.get(at))
                } {
                    *said.lock().unwrap() = call(dir.path(), words);
                }
            });
        }
    });
    assert!(!dir.path().join("new.json").exists(), "an empty file is left");
    let said: String = said.into_iter().map(|said| said.into_inner().unwrap()).collect();
    for never in ["os error", "Local:", "Broker:", "{ ", "Some(", "panicked"] {
        assert!(!said.contains(never), "{never:?} is shown:\n{said}");
    }
    insta::assert_snapshot!(said);
}

#[test]
fn what_is_no_plain_file_is_written_to_without_being_asked() {
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let name = fifo.to_str().unwrap();
    let reader = |name: &str| {
        let name = name.to_owned();
        std::thread::spawn(move || fs::read_to_string(name).unwrap())
    };
    let run = |arguments: &[&str]| {
        let output = tweetblast().current_dir(dir.path()).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let replay = [&[SAMPLE, "--speedup", "max", "--limit", "5"][..], FREE_PORTS].concat();
    for flag in ["--json", "--dead-letter"] {
        run(&[&replay[..], &[flag, "/dev/null"]].concat());
        let read = reader(name);
        run(&[&replay[..], &[flag, name]].concat());
        let read = read.join().unwrap();
        assert!(read.contains(if flag == "--json" { "\"ledger\"" } else { "\"delete\"" }), "{flag}: {read}");
    }
    // All else goes to standard error then.
    let report = run(&[&replay[..], &["--json", "/dev/stdout"]].concat());
    assert!(serde_json::from_str::<serde_json::Value>(&report).is_ok(), "{report}");
    for flags in [&["-o", name][..], &["-o", "/dev/null", "--users-file", name], &["--force", "-o", name]] {
        let read = reader(name);
        run(&[&["generate", "--tweets", "3"][..], flags].concat());
        assert!(read.join().unwrap().lines().count() >= 3, "{flags:?}");
    }
    assert_eq!(run(&["generate", "--tweets", "3", "-o", "/dev/stdout"]).lines().count(), 3);
}
