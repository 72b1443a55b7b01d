//! `tweetblast generate` as a user calls it.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::process::{Command, Output};

fn tweetblast(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tweetblast")).args(arguments).output().unwrap()
}

#[test]
fn the_defaults_make_the_sample() {
    let made = tweetblast(&["generate", "-o", "-"]);
    assert!(made.status.success());
    let sample = fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/data/tweets.json")).unwrap();
    assert!(made.stdout == sample, "data/tweets.json is not what the defaults make");
    assert!(String::from_utf8(made.stderr).unwrap().starts_with("6000 tweets"));
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
fn a_mistyped_flag_is_a_usage_error() {
    assert_eq!(tweetblast(&["generate", "--tweet", "5"]).status.code(), Some(2));
}
