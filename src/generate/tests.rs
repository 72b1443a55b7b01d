//! What the generated files promise: their form, their times, and the same bytes for the same seed.

use std::collections::HashSet;

use serde_json::Value;

use super::*;

/// CRC-32C of the output for 2,000 tweets and seed 42. A change here means that the same command
/// gives other data than before: say so in the change log, and regenerate `data/tweets.json`.
const FINGERPRINTS: [(GenerateForm, u32); GenerateForm::ALL.len()] = [
    (GenerateForm::Lines, 0xe6b8_1b78),
    (GenerateForm::FullLines, 0xda6f_51b1),
    (GenerateForm::Array, 0xaa24_9635),
    (GenerateForm::Grouped, 0x669e_6cd1),
    (GenerateForm::Objects, 0x5033_aa00),
    (GenerateForm::Search, 0xa8b8_83ba),
    (GenerateForm::V2Pages, 0xcb53_2fab),
    (GenerateForm::V2Stream, 0x8ea0_cabd),
    (GenerateForm::V2Flat, 0x7da8_7e0c),
    (GenerateForm::Archive, 0x6cfb_83b9),
    (GenerateForm::ActivityStreams, 0x5707_336a),
    (GenerateForm::Flat, 0x041a_fbc3),
    (GenerateForm::FlatTable, 0xdab3_7a0c),
    (GenerateForm::Readings, 0x54fe_2c9a),
    (GenerateForm::ReadingsTable, 0x3f6a_bd23),
    (GenerateForm::Weblog, 0x47bb_ae42),
    (GenerateForm::WeblogTable, 0xe51a_dfb2),
];

fn options(form: GenerateForm) -> GenerateOptions {
    GenerateOptions { tweets: 2_000, seed: 42, form, ..GenerateOptions::default() }
}

fn make(options: &GenerateOptions) -> (Vec<u8>, GenerateSummary) {
    let mut out = Vec::new();
    let made = generate(options, &mut out).unwrap();
    assert_eq!(made.bytes, out.len() as u64);
    assert_eq!(made.tweets, options.tweets);
    (out, made)
}

fn lines(out: &[u8]) -> Vec<Value> {
    assert_eq!(out.last(), Some(&b'\n'));
    let lines = out.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
}

fn is_tweet(record: &Value) -> bool {
    record.get("id_str").is_some()
}

fn tweets() -> Vec<Value> {
    let (out, _) = make(&options(GenerateForm::Lines));
    lines(&out).into_iter().filter(is_tweet).collect()
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_gives_others() {
    let now = FINGERPRINTS.map(|(form, _)| (form, crc32c::crc32c(&make(&options(form)).0)));
    assert_eq!(now, FINGERPRINTS);
    for (form, _) in FINGERPRINTS {
        let (out, _) = make(&options(form));
        let (other, _) = make(&GenerateOptions { seed: 43, ..options(form) });
        assert_ne!(out, other);
    }
}

#[test]
fn the_array_holds_what_the_lines_hold() {
    let (by_line, made) = make(&options(GenerateForm::Lines));
    let (array, made_array) = make(&options(GenerateForm::Array));
    let elements: Vec<Value> = serde_json::from_slice(&array).unwrap();
    assert_eq!(elements, lines(&by_line));
    assert_eq!(elements.len() as u64, made.tweets + made.notices);
    assert_eq!((made.records, made_array.records), (elements.len() as u64, elements.len() as u64));
    assert_eq!(by_line.len() + "[]\n".len() - "\n".len() + elements.len() - 1, array.len());
}

#[test]
fn full_lines_hold_what_the_lines_hold_and_more() {
    /// Whether `more` has all that `less` has, in objects at any depth.
    fn holds(more: &Value, less: &Value) -> bool {
        match (more, less) {
            (Value::Object(more), Value::Object(less)) => {
                less.iter().all(|(key, less)| more.get(key).is_some_and(|more| holds(more, less)))
            }
            _ => more == less,
        }
    }
    let (plain, full) = (make(&options(GenerateForm::Lines)).0, make(&options(GenerateForm::FullLines)).0);
    assert!(full.len() > 2 * plain.len(), "{} and {}", full.len(), plain.len());
    let (plain, full) = (lines(&plain), lines(&full));
    assert_eq!(plain.len(), full.len());
    assert!(full.iter().zip(&plain).all(|(full, plain)| holds(full, plain)));
    let user = &full.iter().find(|record| is_tweet(record)).unwrap()["user"];
    assert!(user["profile_image_url_https"].as_str().unwrap().contains(&user["id"].to_string()));
}

#[test]
fn ids_and_both_times_agree() {
    let (out, made) = make(&options(GenerateForm::Lines));
    let (mut ids, mut times, mut nested) = (HashSet::new(), Vec::new(), 0);
    for record in lines(&out).iter().filter(|record| is_tweet(record)) {
        let ms: u64 = record["timestamp_ms"].as_str().unwrap().parse().unwrap();
        assert!(ids.insert(agrees(record, ms)));
        assert!(ms >= START_MS);
        times.push(ms);
        for key in ["retweeted_status", "quoted_status"] {
            if let Some(inner) = record.get(key) {
                nested += 1;
                assert!(inner.get("timestamp_ms").is_none());
                let inner_ms = snowflake::to_ms(inner["id"].as_u64().unwrap());
                assert!(inner_ms < ms);
                agrees(inner, inner_ms);
            }
        }
    }
    assert!(nested > 0);
    assert_eq!(made.first_ms, times.iter().copied().min());
    assert_eq!(made.last_ms, times.iter().copied().max());
    let steps_back: Vec<u64> =
        times.windows(2).filter_map(|pair| pair[0].checked_sub(pair[1])).filter(|&ms| ms > 0).collect();
    assert!((2..=20).contains(&steps_back.len()), "{} steps back", steps_back.len());
    assert!(steps_back.iter().all(|&ms| ms <= 2_000));
}

/// The id of a tweet whose id, `id_str` and `created_at` all say `ms`.
fn agrees(tweet: &Value, ms: u64) -> u64 {
    let id = tweet["id"].as_u64().unwrap();
    assert_eq!(tweet["id_str"], id.to_string());
    assert_eq!(snowflake::to_ms(id), ms);
    let spelt = tweet["created_at"].as_str().unwrap();
    let time = jiff::Timestamp::strptime("%a %b %d %H:%M:%S %z %Y", spelt).unwrap();
    assert_eq!(u64::try_from(time.as_second()).unwrap(), ms / 1000);
    id
}

#[test]
fn each_tweet_has_the_promised_fields() {
    for tweet in tweets() {
        for key in ["text", "source", "lang", "timestamp_ms"] {
            assert!(tweet[key].is_string(), "{key} in {tweet}");
        }
        for key in ["retweet_count", "favorite_count"] {
            assert!(tweet[key].is_u64(), "{key} in {tweet}");
        }
        let user = &tweet["user"];
        assert_eq!(user["id_str"], user["id"].as_u64().unwrap().to_string());
        assert!(user["screen_name"].is_string() && user["name"].is_string());
        assert!(user["followers_count"].is_u64());
        let text = tweet["text"].as_str().unwrap();
        for (key, sign) in [("hashtags", '#'), ("user_mentions", '@'), ("urls", 'h')] {
            for entity in tweet["entities"][key].as_array().unwrap() {
                let start = entity["indices"][0].as_u64().unwrap() as usize;
                assert_eq!(text.chars().nth(start), Some(sign), "{key} in {tweet}");
            }
        }
    }
}

#[test]
fn long_texts_are_truncated_and_stand_whole_beside() {
    let tweets = tweets();
    let mut truncated = 0;
    for tweet in &tweets {
        let text = tweet["text"].as_str().unwrap();
        assert!(text.chars().count() <= 140);
        let full = tweet.get("extended_tweet").map(|extended| extended["full_text"].as_str().unwrap());
        assert_eq!(tweet["truncated"], full.is_some());
        if let Some(full) = full {
            truncated += 1;
            assert!(full.chars().count() > 140);
            let kept: String = full.chars().take(100).collect();
            assert!(text.starts_with(&kept));
        }
    }
    assert!((40..300).contains(&truncated), "{truncated} of {} truncated", tweets.len());
}

#[test]
fn coordinates_are_east_first_and_geo_is_north_first() {
    let tweets = tweets();
    let located: Vec<_> = tweets.iter().filter(|tweet| !tweet["coordinates"].is_null()).collect();
    assert!(located.len() > 10);
    for tweet in located {
        let east_north = &tweet["coordinates"]["coordinates"];
        let north_east = &tweet["geo"]["coordinates"];
        assert_eq!((&east_north[0], &east_north[1]), (&north_east[1], &north_east[0]));
        let corner = &tweet["place"]["bounding_box"]["coordinates"][0][0];
        let distance = |n: usize| (corner[n].as_f64().unwrap() - east_north[n].as_f64().unwrap()).abs();
        assert!(distance(0) < 0.2 && distance(1) < 0.2, "{tweet}");
    }
}

#[test]
fn there_is_something_of_everything_that_readers_stumble_over() {
    let (out, made) = make(&options(GenerateForm::Lines));
    let text = String::from_utf8(out).unwrap();
    for piece in [
        "\\n",
        "\\t",
        "\\\"",
        "\\\\",
        "\\/",
        "\\ud83d\\ude",
        "😀",
        "{\\\"not\\\"",
        "&amp;",
        "\"retweeted_status\":{",
        "\"quoted_status\":{",
        "\"in_reply_to_status_id\":",
        "RT @",
        "{\"delete\":{\"status\":{",
        "{\"limit\":{\"track\":",
    ] {
        assert!(text.contains(piece), "no {piece}");
    }
    assert!((3..60).contains(&made.notices), "{} notices", made.notices);
    let tweets = tweets();
    let languages: HashSet<&str> = tweets.iter().map(|t| t["lang"].as_str().unwrap()).collect();
    for language in ["en", "ja", "es", "pt", "ar", "ko", "fr", "tr", "und"] {
        assert!(languages.contains(language), "no {language}");
    }
}

#[test]
fn few_users_write_much_and_many_little() {
    let mut by_user = std::collections::HashMap::new();
    for tweet in tweets() {
        *by_user.entry(tweet["user"]["id"].as_u64().unwrap()).or_insert(0_u32) += 1;
    }
    let mut counts: Vec<u32> = by_user.into_values().collect();
    counts.sort_unstable_by(|a, b| b.cmp(a));
    assert!(counts.len() > 500, "{} users", counts.len());
    assert!((30..200).contains(&counts[0]), "the busiest has {} of 2000", counts[0]);
    assert_eq!(counts[counts.len() / 2], 1);
}

#[test]
fn groups_hold_all_texts_on_one_line_without_time() {
    let (out, made) = make(&options(GenerateForm::Grouped));
    assert_eq!(out.iter().filter(|&&byte| byte == b'\n').count(), 1);
    assert!(out.starts_with(b"[{\"id\": "));
    let groups: Vec<Value> = serde_json::from_slice(&out).unwrap();
    let (mut ids, mut texts, mut large) = (HashSet::new(), 0, 0);
    for group in &groups {
        let fields = group.as_object().unwrap();
        assert_eq!(fields.len(), 2);
        let id = group["id"].as_u64().unwrap();
        large += u32::from(id > 1 << 53);
        assert!(ids.insert(id));
        let of_user = group["tweets"].as_array().unwrap();
        assert!(!of_user.is_empty() && of_user.iter().all(Value::is_string));
        texts += of_user.len();
    }
    assert_eq!((texts, groups.len() as u64), (2_000, made.records));
    assert_eq!((made.notices, made.first_ms, made.last_ms), (0, None, None));
    assert!(large > 100, "{large} ids above 2^53");
}

#[test]
fn a_file_of_nothing_is_still_of_its_form() {
    for (form, bytes) in [
        (GenerateForm::Lines, ""),
        (GenerateForm::Array, "[]\n"),
        (GenerateForm::Grouped, "[]\n"),
        (GenerateForm::Readings, ""),
        (GenerateForm::FlatTable, "tweet_id,created_at,user_id,username,text,language,retweets,likes\r\n"),
    ] {
        let (out, made) = make(&GenerateOptions { tweets: 0, ..options(form) });
        assert_eq!(out, bytes.as_bytes());
        assert_eq!(made.records, 0);
    }
}

#[test]
fn each_event_has_a_time_a_key_and_an_id_of_its_own() {
    for (form, key, id, keys) in [
        (GenerateForm::Readings, "device_id", "reading_id", 100..=100),
        (GenerateForm::Weblog, "client_ip", "request_id", 60..=100),
    ] {
        let (out, made) = make(&GenerateOptions { users: 100, ..options(form) });
        let (mut ids, mut seen, mut times) = (HashSet::new(), HashSet::new(), Vec::new());
        for event in lines(&out) {
            assert!(ids.insert(event[id].to_string()), "{event}");
            seen.insert(event[key].as_str().unwrap().to_owned());
            let time: jiff::Timestamp = event["time"].as_str().unwrap().parse().unwrap();
            times.push(u64::try_from(time.as_millisecond()).unwrap());
        }
        assert!(keys.contains(&seen.len()), "{} keys in {form:?}", seen.len());
        assert_eq!(made.first_ms, times.iter().copied().min());
        assert_eq!(made.last_ms, times.iter().copied().max());
        let back = times.windows(2).filter(|pair| pair[1] < pair[0]).count();
        assert!((2..=30).contains(&back), "{back} steps back in {form:?}");
    }
}

#[test]
fn sensors_are_silent_while_their_gateway_is_offline_and_the_mean_rate_is_kept() {
    let asked = GenerateOptions { tweets: 60_000, rate_per_s: 10.0, ..options(GenerateForm::Readings) };
    let (out, made) = make(&asked);
    let time =
        |event: &Value| event["time"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_millisecond();
    let mut times: Vec<i64> = lines(&out).iter().map(time).collect();
    times.sort_unstable();
    let gaps = times.windows(2).filter(|pair| pair[1] - pair[0] >= 7_000).count();
    assert!((8..=10).contains(&gaps), "{gaps} gaps in 100 minutes");
    let span_s = (made.last_ms.unwrap() - made.first_ms.unwrap()) as f64 / 1_000.0;
    assert!((span_s / 6_000.0 - 1.0).abs() < 0.05, "{span_s} s instead of 100 minutes");
}

#[test]
fn one_user_writes_everything_and_more_users_than_tweets_are_fine() {
    for users in [1, 100_000] {
        for form in [GenerateForm::Lines, GenerateForm::Grouped] {
            make(&GenerateOptions { users, tweets: 100, ..options(form) });
        }
    }
}

#[test]
fn options_that_cannot_be_met_are_errors() {
    let fails = |options: GenerateOptions| {
        let error = generate(&options, &mut io::sink()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        error.to_string()
    };
    let with = GenerateOptions::default;
    for rate_per_s in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(fails(GenerateOptions { rate_per_s, ..with() }).contains("rate"));
    }
    for users in [0, u64::MAX] {
        assert!(fails(GenerateOptions { users, ..with() }).contains("users"));
    }
    for rate_per_s in [1e-6, f64::MIN_POSITIVE] {
        assert!(fails(GenerateOptions { rate_per_s, ..with() }).contains("2080"));
    }
}

#[test]
fn a_full_disk_is_an_error() {
    struct Full;
    impl io::Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let error = generate(&GenerateOptions::default(), &mut Full).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
}

/// The sample in the repository is the output of `tweetblast generate` without options.
#[test]
fn the_sample_is_made_by_the_defaults() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/tweets.json");
    let sample = std::fs::read(path).unwrap();
    let (out, made) = make(&GenerateOptions::default());
    assert!(out == sample, "{path} is not what the generator gives: regenerate it");
    assert_eq!(made.tweets, 6_000);
    assert!(sample.len() < 6_000_000, "{} bytes", sample.len());
    let span_s = (made.last_ms.unwrap() - made.first_ms.unwrap()) / 1000;
    assert!((570..=630).contains(&span_s), "{span_s} s instead of ten minutes");
}
