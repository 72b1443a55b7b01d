//! Wrong uses: each message says what is wrong and, if that is known, what to type.

use std::fmt::Write;
use std::path::Path;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::common::{run, tweetblast, write};

struct WrongUse {
    arguments: &'static str,
    code: i32,
    names: &'static str,
    types: Option<&'static str>,
}

fn all() -> Vec<WrongUse> {
    let lines = include_str!("wrong_uses.tsv").lines().filter(|line| !line.starts_with('#'));
    let use_of = |line: &'static str| {
        let mut fields = line.split('\t');
        WrongUse {
            arguments: fields.next().unwrap(),
            code: fields.next().unwrap().parse().unwrap(),
            names: fields.next().unwrap(),
            types: fields.next(),
        }
    };
    lines.map(use_of).collect()
}

/// What the wrong uses name.
fn files(dir: &Path) {
    let tweets = dir.join("tweets.json");
    assert_eq!(run(&["generate", "--tweets", "20", "-o", tweets.to_str().unwrap()]).code, 0);
    let bytes = std::fs::read(&tweets).unwrap();
    write(dir, "cut.json", &bytes[..300]);
    write(dir, "nottweet.json", "{\"a\":1}\n{\"b\":2}\n");
    write(dir, "notimes.json", "{\"text\":\"a\"}\n{\"text\":\"b\"}\n");
    write(dir, "emptyarr.json", "[]");
    write(dir, "empty.json", "");
    write(dir, "report.json", "{\"x\":1}");
    write(dir, "x.csv", "a,b\n1,2\n");
    write(dir, "users.csv", "id,label\n1,a\n");
    std::fs::create_dir(dir.join("emptydir")).unwrap();
    std::fs::create_dir(dir.join("folder")).unwrap();
    write(&dir.join("folder"), "a.txt", "words\n");
}

/// The exit code, and what standard error says.
fn outcome(dir: &Path, arguments: &str) -> (i32, String) {
    let ended = tweetblast()
        .args(arguments.split_whitespace())
        .current_dir(dir)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    (ended.status.code().unwrap_or(-1), String::from_utf8(ended.stderr).unwrap())
}

#[test]
fn a_wrong_use_is_told_what_is_wrong_and_what_to_type() {
    let dir = tempfile::tempdir().unwrap();
    files(dir.path());
    let uses = all();
    assert!(uses.len() > 200, "{} wrong uses", uses.len());
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(wrong) = uses.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let told = outcome(dir.path(), wrong.arguments);
                    done.lock().unwrap().push((wrong, told));
                }
            });
        }
    });
    let mut faults = Vec::new();
    for (WrongUse { arguments, code, names, types }, (ended, stderr)) in done.lock().unwrap().iter() {
        let says = |words: &str| stderr.contains(words);
        let is_usage = *arguments == "druid";
        let right = ended == code
            && says(names)
            && types.is_none_or(says)
            && (is_usage || stderr.starts_with("error: "))
            // A tip that is never right, and words of Rust's.
            && !["as a value, use '", "invalid digit", "panicked"].into_iter().any(says);
        if !right {
            faults.push(format!("{arguments}: {ended}, {code} expected, with {names:?} {types:?}\n{stderr}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(!dir.path().join("new.json").exists(), "a file was made for a wrong use");
    write_table(&done.lock().unwrap());
}

/// Where `TWEETBLAST_WRONG_USES` names a file: A is clear and says what to type, B is clear.
fn write_table(done: &[(&WrongUse, (i32, String))]) {
    let Some(path) = std::env::var_os("TWEETBLAST_WRONG_USES") else { return };
    let mut table =
        String::from("| # | `tweetblast ...` | exit | message | |\n| ---: | --- | ---: | --- | --- |\n");
    let (mut a, mut b) = (0, 0);
    for (number, wrong) in all().iter().enumerate() {
        let (_, (code, stderr)) = done.iter().find(|(told, _)| told.arguments == wrong.arguments).unwrap();
        let lines =
            stderr.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("For more"));
        let message = lines.collect::<Vec<_>>().join(" / ").replace('|', "\\|");
        let rating = if wrong.types.is_some() { "A" } else { "B" };
        *(if wrong.types.is_some() { &mut a } else { &mut b }) += 1;
        writeln!(table, "| {} | `{}` | {code} | {message} | {rating} |", number + 1, wrong.arguments)
            .unwrap();
    }
    writeln!(table, "\n{} wrong uses: A {a}, B {b}, C 0, D 0", a + b).unwrap();
    std::fs::write(path, table).unwrap();
}
