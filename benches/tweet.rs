//! Parsing and encoding, compared with simd-json's bare tape over the same frames, serde_json
//! reading the fields of a user with their texts, and serde_json writing the same fields. With
//! `--features sonic-rs` also with its search for the same members. Rows with `real_` in their name
//! read real files, the others generated ones.

mod real;
mod settings;

use std::hint::black_box;

use bytes::BytesMut;
use criterion::{
    BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};
use serde::{Deserialize, Serialize};
use simd_json::prelude::*;
use tweetblast::event::PayloadForm;
use tweetblast::generate::{GenerateForm, GenerateOptions, generate};
use tweetblast::source::{Format, Frame, Frames};
use tweetblast::tweet::{Hashtags, Id, Parser, Record, TIMESTAMP_BYTES, Tweet, encode, write_timestamp};

use real::{RealInput, real_inputs};

#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

const TWEETS: u64 = 5_000;

fn input(form: GenerateForm, users: u64) -> Vec<u8> {
    let mut input = Vec::new();
    generate(&GenerateOptions { tweets: TWEETS, users, form, ..GenerateOptions::default() }, &mut input)
        .expect("a vector takes all bytes");
    input
}

/// Parses every frame and encodes every tweet, if there is a buffer for it; returns their number.
fn replay(frames: &[Frame<'_>], parser: &mut Parser, mut out: Option<&mut BytesMut>) -> u64 {
    let mut tweets = 0;
    for frame in frames {
        parser.parse(frame.bytes, |record| {
            let mut take = |tweet| {
                tweets += 1;
                match &mut out {
                    Some(out) => encode(&tweet, PayloadForm::Tweet, None, "run", tweets, out),
                    None => {
                        black_box(tweet);
                    }
                }
            };
            match record {
                Ok(Record::Tweet(tweet)) => take(tweet),
                Ok(Record::Group(group)) => group.items().flatten().for_each(take),
                _ => {}
            }
        });
    }
    tweets
}

/// A user with their texts, for serde_json.
#[derive(Deserialize)]
struct User<'a> {
    id: i64,
    #[serde(borrow)]
    tweets: Vec<std::borrow::Cow<'a, str>>,
}

fn parse(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("tweet");
    for (name, form, users, framing) in [
        ("v11", GenerateForm::Lines, 1_500, Format::Lines),
        ("v11_full", GenerateForm::FullLines, 1_500, Format::Lines),
        ("grouped", GenerateForm::Grouped, 50, Format::Array),
    ] {
        rows(&mut group, name, &input(form, users), framing, TWEETS);
    }
    for RealInput { name, framing, json, tweets, .. } in real_inputs("tweet") {
        rows(&mut group, name, &json, framing, tweets);
    }
}

fn rows(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, input: &[u8], framing: Format, tweets: u64) {
    let frames: Vec<Frame<'_>> = Frames::new(framing, input).collect();
    group.throughput(Throughput::Bytes(input.len() as u64));
    group.bench_function(format!("tape_limit/{name}/{tweets}"), |bencher| {
        let (mut scratch, mut buffers) = (Vec::new(), simd_json::Buffers::default());
        bencher.iter(|| {
            for frame in &frames {
                scratch.clear();
                scratch.extend_from_slice(frame.bytes);
                let tape = simd_json::to_tape_with_buffers(&mut scratch, &mut buffers);
                black_box(tape.expect("the input is JSON"));
            }
        });
    });
    if name.contains("grouped") {
        typed(group, name, &frames, tweets);
    } else {
        #[cfg(feature = "sonic-rs")]
        found(group, name, &frames, tweets);
    }
    let mut parser = Parser::new();
    group.bench_function(format!("parse/{name}/{tweets}"), |bencher| {
        bencher.iter(|| assert_eq!(replay(&frames, &mut parser, None), tweets));
    });
    let mut out = BytesMut::new();
    group.bench_function(format!("parse_encode/{name}/{tweets}"), |bencher| {
        bencher.iter(|| {
            out.clear();
            assert_eq!(replay(&frames, &mut parser, Some(&mut out)), tweets);
        });
    });
    if name == "v11_full" {
        group.throughput(Throughput::Bytes(2 * input.len() as u64));
        let mut parsers = [Parser::new(), Parser::new()];
        group.bench_function(format!("parse_two_threads/{name}/{tweets}"), |bencher| {
            bencher.iter(|| {
                std::thread::scope(|scope| {
                    for parser in &mut parsers {
                        scope.spawn(|| assert_eq!(replay(&frames, parser, None), tweets));
                    }
                });
            });
        });
    }
}

fn typed(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, frames: &[Frame<'_>], tweets: u64) {
    group.bench_function(format!("serde_json/{name}/{tweets}"), |bencher| {
        bencher.iter(|| {
            let users = frames.iter().map(|frame| {
                let user: User<'_> = serde_json::from_slice(frame.bytes).expect("the input is JSON");
                black_box(user.id);
                user.tweets.into_iter().map(black_box).count() as u64
            });
            assert_eq!(users.sum::<u64>(), tweets);
        });
    });
}

/// The members that are kept of a tweet of the API v1.1, as they are in the line: no text is decoded, no number or time read.
#[cfg(feature = "sonic-rs")]
fn found(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, frames: &[Frame<'_>], tweets: u64) {
    let mut members = sonic_rs::PointerTree::new();
    let paths = "created_at timestamp_ms id id_str text full_text lang retweet_count favorite_count coordinates geo \
        user/id user/id_str user/screen_name entities/hashtags extended_tweet/full_text extended_tweet/entities/hashtags";
    for path in paths.split(' ') {
        members.add_path(path.split('/').collect::<Vec<_>>());
    }
    group.bench_function(format!("sonic_get_many/{name}/{tweets}"), |bencher| {
        bencher.iter(|| {
            let found = |frame: &Frame<'_>| {
                let values = sonic_rs::get_many(frame.bytes, &members).expect("the input is JSON");
                values.iter().any(Option::is_some)
            };
            assert!(black_box(frames.iter().filter(|frame| found(frame)).count()) as u64 >= tweets);
        });
    });
}

/// The payload, for serde_json.
#[derive(Serialize)]
struct Payload<'a> {
    timestamp: &'a str,
    user_id: Option<i64>,
    tweet: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lang: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    screen_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retweet_count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    favorite_count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hashtags: Option<&'a [&'static str]>,
    run: &'a str,
    seq: u64,
}

const BLANK: &str = "                        ";

impl<'a> Payload<'a> {
    fn of(tweet: &Tweet<'a>, hashtags: &'a [&'static str], created_at: Option<&'a str>, seq: u64) -> Self {
        let id = match tweet.id {
            Some(Id::Text(id)) => Some(id),
            _ => None,
        };
        let Tweet { user_id, text, lang, screen_name, retweet_count, favorite_count, .. } = *tweet;
        let hashtags = Some(hashtags).filter(|_| matches!(tweet.hashtags, Hashtags::Listed(_)));
        Self {
            timestamp: BLANK,
            user_id,
            tweet: text,
            id,
            created_at,
            lang,
            screen_name,
            retweet_count,
            favorite_count,
            hashtags,
            run: "run",
            seq,
        }
    }
}

/// The tweets of some frames, leaked, each with its hashtags. Only what is encoded is kept of the
/// records: in a run it was parsed just before, and is in the caches.
fn tweets(frames: &[Frame<'_>]) -> Vec<(Tweet<'static>, Vec<&'static str>)> {
    let keep = |text: &str| -> &'static str { String::leak(text.to_owned()) };
    let mut parser = Parser::new();
    let tweets = frames.iter().filter_map(|frame| {
        let mut json = frame.bytes.to_vec();
        let tape = simd_json::to_tape(&mut json).ok()?;
        let hashtags = tape.as_value().as_object()?.get("entities")?.as_object()?.get("hashtags")?.encode();
        let tape: &'static _ =
            Box::leak(Box::new(simd_json::to_tape(Vec::leak(hashtags.into_bytes())).ok()?));
        let hashtags = tape.as_value();
        let texts = hashtags.as_array()?.iter().filter_map(|tag| tag.as_object()?.get("text")?.into_string());
        let texts = texts.collect();
        parser.parse(frame.bytes, |record| match record {
            Ok(Record::Tweet(tweet)) => {
                let id = tweet.id.and_then(Id::number).map(|id| Id::Text(keep(&id.to_string())));
                let (lang, screen_name) = (tweet.lang.map(keep), tweet.screen_name.map(keep));
                let Tweet { shape, user_id, event_time_ms, retweet_count, favorite_count, .. } = tweet;
                let position = None;
                let (text, hashtags) = (keep(tweet.text), Hashtags::Listed(hashtags.into()));
                let tweet = Tweet {
                    shape,
                    id,
                    user_id,
                    text,
                    event_time_ms,
                    lang,
                    screen_name,
                    retweet_count,
                    favorite_count,
                    hashtags,
                    position,
                    is_vague: false,
                };
                Some((tweet, texts))
            }
            _ => None,
        })
    });
    tweets.collect()
}

fn encoding(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("tweet");
    let input = input(GenerateForm::Lines, 1_500);
    let frames: Vec<Frame<'_>> = Frames::new(Format::Lines, &input).collect();
    let tweets = tweets(&frames);
    assert_eq!(tweets.len() as u64, TWEETS);
    let mut out = BytesMut::new();
    let ours = |out: &mut BytesMut| {
        out.clear();
        for (seq, (tweet, _)) in tweets.iter().enumerate() {
            encode(black_box(tweet), PayloadForm::Tweet, None, "run", seq as u64, out);
        }
    };
    let theirs = |out: &mut Vec<u8>| {
        out.clear();
        for (seq, (tweet, hashtags)) in tweets.iter().enumerate() {
            let tweet = black_box(tweet);
            let mut stamp = [0; TIMESTAMP_BYTES];
            let created_at = tweet.event_time_ms.and_then(|ms| {
                write_timestamp(ms, &mut stamp);
                std::str::from_utf8(&stamp).ok()
            });
            serde_json::to_writer(&mut *out, &Payload::of(tweet, hashtags, created_at, seq as u64))
                .expect("a vector takes all bytes");
        }
    };
    ours(&mut out);
    let mut reference = Vec::new();
    theirs(&mut reference);
    assert!(out[..] == reference[..], "both write the same");
    group.throughput(Throughput::Elements(TWEETS));
    group.bench_function(format!("encode_serde_json/v11/{TWEETS}"), |bencher| {
        bencher.iter(|| theirs(&mut reference));
    });
    group.bench_function(format!("encode/v11/{TWEETS}"), |bencher| bencher.iter(|| ours(&mut out)));
}

criterion_group! {
    name = benches;
    config = settings::criterion();
    targets = parse, encoding
}
criterion_main!(benches);
