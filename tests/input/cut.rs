//! Each sample cut off at every byte, and with bytes changed: no panic, and no tweet that was not
//! in it.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use tweetblast::source::{Frames, detect};
use tweetblast::tweet::{Parser, Record, Tweet, texts};

fn samples() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths
        .filter(|path| {
            path.extension().is_some_and(|kind| kind != "expected" && kind != "gz" && kind != "zst")
        })
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(path).unwrap()))
        .collect()
}

#[derive(Debug, Default)]
struct Found {
    tweets: Vec<String>,
    others: usize,
}

/// What is in the bytes of a file; nothing if they are not an input at all.
fn found(parser: &mut Parser, bytes: &[u8]) -> Found {
    let mut found = Found::default();
    let Ok(framing) = detect(Path::new("sample"), bytes) else { return found };
    let text = |tweet: &Tweet<'_>| format!("{:?} {:?} {}", tweet.id, tweet.event_time_ms, tweet.text);
    for frame in Frames::new(framing, bytes) {
        let _ = texts(frame).count();
        parser.parse_frame(frame, |record| match record {
            Ok(Record::Tweet(tweet)) => found.tweets.push(text(&tweet)),
            Ok(Record::Group(group)) => group.items().for_each(|item| match item {
                Ok(tweet) => found.tweets.push(text(&tweet)),
                Err(_) => found.others += 1,
            }),
            _ => found.others += 1,
        });
    }
    found
}

#[test]
fn a_cut_sample_gives_the_tweets_before_the_cut() {
    let mut parser = Parser::new();
    for (name, bytes) in samples() {
        let whole = found(&mut parser, &bytes);
        for length in 0..bytes.len() {
            let cut = found(&mut parser, &bytes[..length]);
            assert!(
                whole.tweets.starts_with(&cut.tweets),
                "{name} cut at {length} gives {:#?} instead of {:#?}",
                cut.tweets,
                whole.tweets
            );
            assert!(cut.others <= whole.others + 2, "{name} cut at {length}: {cut:?}");
        }
    }
}

proptest! {
    #[test]
    fn changed_samples_are_read_without_a_panic(
        sample: prop::sample::Index,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let samples = samples();
        let (_, mut bytes) = samples[sample.index(samples.len())].clone();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        found(&mut Parser::new(), &bytes);
    }
}
