//! `tweetblast generate` as a user runs it.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tweetblast::generate::{GenerateForm, GenerateOptions, generate};
use tweetblast::source::{Format, Frames, TableReader, TweetFile, detect};
use tweetblast::tweet::{Parser, Record, TweetForm};

fn tweetblast(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tweetblast")).args(arguments).output().unwrap()
}

#[test]
fn the_defaults_make_the_sample() {
    let made = tweetblast(&["generate", "-o", "-"]);
    assert!(made.status.success());
    let sample = fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/data/tweets.json")).unwrap();
    assert!(made.stdout == sample, "data/tweets.json is not what the defaults make");
    assert!(String::from_utf8(made.stderr).unwrap().starts_with("6,000 tweets and 24 notices, 5,"));
}

#[test]
fn a_file_that_is_there_is_written_over_only_when_forced() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tweets.json");
    fs::write(&path, "mine").unwrap();
    let path = path.to_str().unwrap();

    let refused = tweetblast(&["generate", "--tweets", "5", "-o", path]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8(refused.stderr).unwrap().contains("--force"));
    assert_eq!(fs::read_to_string(path).unwrap(), "mine");

    assert!(tweetblast(&["generate", "--tweets", "5", "--force", "-o", path]).status.success());
    assert!(fs::read_to_string(path).unwrap().lines().count() >= 5);
}

#[test]
fn the_table_of_users_fits_the_tweets_and_changes_nothing_about_them() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    for form in ["lines", "grouped"] {
        let (tweets, alone, users) = (file("tweets"), file("alone"), file("users.csv"));
        let options =
            ["generate", "--tweets", "500", "--users", "60", "--seed", "7", "--form", form, "--force"];
        let made = tweetblast(&[&options[..], &["-o", &tweets, "--users-file", &users]].concat());
        assert!(made.status.success());
        assert!(String::from_utf8(made.stderr).unwrap().starts_with("60 users: "));
        assert!(tweetblast(&[&options[..], &["-o", &alone]].concat()).status.success());
        assert!(fs::read(&tweets).unwrap() == fs::read(&alone).unwrap());

        let table = fs::read_to_string(&users).unwrap();
        assert_eq!(crc32c::crc32c(table.as_bytes()), 0x49f9_5af5, "other users than before: say so");
        let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split(',').collect()).collect();
        assert_eq!(
            rows[0],
            [
                "id",
                "screen_name",
                "label",
                "total_favorite_count",
                "total_retweet_count",
                "total_mentions_count"
            ]
        );
        assert_eq!(rows.len(), 61);
        let labels: HashSet<&str> = rows[1..].iter().map(|row| row[2]).collect();
        assert!((8..=16).contains(&labels.len()), "{labels:?}");
        let names: HashMap<i64, &str> =
            rows[1..].iter().map(|row| (row[0].parse().unwrap(), row[1])).collect();
        assert_eq!(names.len(), 60);

        let (file, mut parser, mut seen) = (TweetFile::open(Path::new(&tweets)).unwrap(), Parser::new(), 0);
        for frame in file.frames() {
            parser.parse_frame(frame, |record| match record {
                Ok(Record::Tweet(tweet)) => {
                    assert_eq!(names.get(&tweet.user_id.unwrap()).copied(), tweet.screen_name);
                    seen += 1;
                }
                Ok(Record::Group(group)) => {
                    assert!(names.contains_key(&group.user_id.unwrap()));
                    seen += group.items().count();
                }
                _ => {}
            });
        }
        assert_eq!(seen, 500);
    }
    let same = tweetblast(&["generate", "-o", &file("x"), "--users-file", &file("x")]);
    assert_eq!(same.status.code(), Some(2));
    assert!(String::from_utf8(same.stderr).unwrap().contains("name another one"));
}

#[test]
fn a_mistyped_flag_is_a_usage_error() {
    assert_eq!(tweetblast(&["generate", "--tweet", "5"]).status.code(), Some(2));
}

/// What the reader must find in a file of each form.
fn expected(form: GenerateForm) -> (Format, TweetForm) {
    match form {
        GenerateForm::Lines | GenerateForm::FullLines => (Format::Lines, TweetForm::V11),
        GenerateForm::Array => (Format::Array, TweetForm::V11),
        GenerateForm::Grouped => (Format::Array, TweetForm::Grouped),
        GenerateForm::Objects => (Format::Objects, TweetForm::V11),
        GenerateForm::Search => (Format::Pages, TweetForm::V11),
        GenerateForm::V2Pages => (Format::PageLines, TweetForm::V2),
        GenerateForm::V2Stream => (Format::Lines, TweetForm::V2),
        GenerateForm::V2Flat => (Format::Lines, TweetForm::V2),
        GenerateForm::Archive => (Format::Script, TweetForm::Archive),
        GenerateForm::ActivityStreams => (Format::Lines, TweetForm::ActivityStreams),
        GenerateForm::Flat => (Format::Lines, TweetForm::Flat),
        GenerateForm::FlatTable => (Format::Table, TweetForm::Flat),
        GenerateForm::Readings | GenerateForm::Weblog => (Format::Lines, TweetForm::Flat),
        GenerateForm::ReadingsTable | GenerateForm::WeblogTable => (Format::Table, TweetForm::Flat),
    }
}

#[test]
fn every_form_is_read_back_as_what_it_is() {
    let mut parser = Parser::new();
    let mut by_id = None;
    for form in GenerateForm::ALL.into_iter().filter(|form| form.noun() == "tweet") {
        let mut bytes = Vec::new();
        let options = GenerateOptions { tweets: 1_234, form, ..GenerateOptions::default() };
        let made = generate(&options, &mut bytes).unwrap();
        let (framing, shape) = expected(form);
        assert_eq!(detect(Path::new("made"), &bytes).unwrap(), framing, "{form:?}");
        if framing == Format::Table {
            let mut table = TableReader::new(b',');
            bytes = [table.push(&bytes), table.finish()].concat();
        }
        let (mut tweets, mut others, mut ids, mut named) = (0, 0, HashSet::new(), 0);
        let mut times: Vec<i64> = Vec::new();
        for frame in Frames::new(framing, &bytes) {
            parser.parse_frame(frame, |record| match record {
                Ok(Record::Tweet(tweet)) => {
                    assert_eq!(tweet.shape, shape, "{form:?}");
                    tweets += 1;
                    times.extend(tweet.event_time_ms);
                    ids.insert((tweet.id.unwrap().number(), tweet.text.to_owned()));
                    named += u64::from(tweet.user_id.is_some() && tweet.screen_name.is_some());
                }
                Ok(Record::Group(group)) => tweets += group.items().filter(Result::is_ok).count() as u64,
                Ok(Record::Reject(_)) => others += 1,
                Err(_) => panic!("{form:?} at byte {}", frame.offset),
            });
        }
        assert_eq!((tweets, others), (1_234, made.notices), "{form:?}");
        if form == GenerateForm::Grouped {
            continue;
        }
        assert_eq!(times.iter().min().map(|ms| *ms as u64), made.first_ms, "{form:?}");
        assert_eq!(times.iter().max().map(|ms| *ms as u64), made.last_ms, "{form:?}");
        assert_eq!(named, if form == GenerateForm::Archive { 0 } else { 1_234 }, "{form:?}");
        let first = by_id.get_or_insert_with(|| ids.clone());
        let differ: Vec<_> = ids.symmetric_difference(first).take(4).collect();
        assert!(differ.is_empty(), "{form:?} has other tweets: {differ:#?}");
    }
}

/// The file of this form, as the JSON lines that it is read as.
fn objects(form: GenerateForm) -> Vec<serde_json::Value> {
    let mut bytes = Vec::new();
    let options = GenerateOptions { tweets: 2_000, seed: 42, form, ..GenerateOptions::default() };
    generate(&options, &mut bytes).unwrap();
    if form.is_table() {
        let mut table = TableReader::new(b',');
        bytes = [table.push(&bytes), table.finish()].concat();
    }
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
}

#[test]
fn a_table_holds_what_the_lines_hold() {
    assert_eq!(objects(GenerateForm::ReadingsTable), objects(GenerateForm::Readings));
    assert_eq!(objects(GenerateForm::WeblogTable), objects(GenerateForm::Weblog));
    let (flat, table) = (objects(GenerateForm::Flat), objects(GenerateForm::FlatTable));
    assert_eq!((flat.len(), table.len()), (2_000, 2_000));
    for (flat, row) in flat.iter().zip(&table) {
        for key in ["text", "created_at", "username", "retweets"] {
            assert_eq!(flat[key], row[key]);
        }
        assert_eq!(flat["tweet_id"], row["tweet_id"].to_string());
    }
}

/// By `--map`, as records that somebody else wrote.
#[test]
fn readings_and_a_web_log_are_replayed_alike_from_lines_and_from_a_table() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    for (form, map) in [
        ("readings", "time=time,text=device_id,user=device_id,id=reading_id"),
        ("weblog", "time=time,text=path,user=client_ip"),
    ] {
        let facts = ["lines", "csv"].map(|format| {
            let file = path(format);
            let made =
                tweetblast(&["generate", "--form", form, "--format", format, "-n", "500", "-o", &file]);
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
            let found = tweetblast(&["inspect", &file, "--map", map, "--json", "-"]);
            let found: serde_json::Value = serde_json::from_slice(&found.stdout).unwrap();
            assert_eq!(found["format"], format);
            let keys = ["tweets", "unparseable", "users", "first", "last", "longest_gap_s", "without_time"];
            keys.map(|key| found[key].clone())
        });
        assert_eq!(facts[0], facts[1]);
        assert_eq!((&facts[0][0], &facts[0][1], &facts[0][6]), (&500.into(), &0.into(), &0.into()));
        fs::remove_file(path("lines")).unwrap();
        fs::remove_file(path("csv")).unwrap();
    }
}

#[test]
fn options_that_cannot_be_are_usage_errors_and_no_file_is_opened() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (tweets, users) = (path("t.json"), path("u.csv"));
    for wrong in
        [["--rate", "0"], ["--rate", "inf"], ["--users", "0"], ["--users", "4294967296"], ["--rate", "1e-9"]]
    {
        let made = tweetblast(&[&["generate", "-o", &tweets, "--users-file", &users][..], &wrong].concat());
        assert_eq!(made.status.code(), Some(2), "{wrong:?}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "{wrong:?}");
    }
    // The second cannot be opened, so the first is not written either.
    fs::write(&tweets, "mine").unwrap();
    let made = tweetblast(&["generate", "-o", &tweets, "--users-file", &users]);
    assert_eq!(made.status.code(), Some(1));
    assert!(!Path::new(&users).exists());
}

#[test]
fn of_a_file_that_cannot_be_written_to_its_end_nothing_is_left() {
    let dir = tempfile::tempdir().unwrap();
    let small = |flags: &str| {
        let line = format!("ulimit -f 200; exec \"$0\" generate -o made.json {flags}");
        let mut shell = Command::new("sh");
        shell.args(["-c", &line, env!("CARGO_BIN_EXE_tweetblast")]).current_dir(dir.path()).output().unwrap()
    };
    let made = small("");
    let stderr = String::from_utf8(made.stderr).unwrap();
    assert_eq!(made.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("cannot write to made.json: File too large"), "{stderr}");
    assert!(!dir.path().join("made.json").exists(), "a part of it is left");
    // One that was there before is not ours to remove.
    fs::write(dir.path().join("made.json"), "mine").unwrap();
    let stderr = String::from_utf8(small("--force").stderr).unwrap();
    assert!(stderr.contains("a part of it is written"), "{stderr}");
    assert!(dir.path().join("made.json").exists());
}
