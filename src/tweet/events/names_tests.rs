//! Names and their ranks; the dashboard of events finds its columns by the same lists.

use std::fmt::Write;

use serde_json::json;

use super::*;

fn path(path: &str) -> Vec<String> {
    path.split('.').map(str::to_owned).collect()
}

#[test]
fn names_are_split_where_a_word_begins() {
    for (name, words) in [
        ("createdAt", "created at"),
        ("@timestamp", "timestamp"),
        ("UserID", "user id"),
        ("HTTPServerName", "http server name"),
        ("trip_pickup_datetime", "trip pickup datetime"),
        ("ts_ms", "ts ms"),
        ("", ""),
    ] {
        assert_eq!(words_of(name).join(" "), words, "{name}");
    }
}

#[test]
fn the_time_of_the_event_is_before_all_others() {
    let better = |a: &str, b: &str| assert!(time_rank(&path(a)) > time_rank(&path(b)), "{a} {b}");
    better("@timestamp", "UtcTime");
    better("time", "createdAt");
    better("ts_ms", "updated_at");
    better("startTime", "endTime");
    better("tweet_date", "user_created");
    better("created_utc", "retrieved_on");
    better("event_time", "arrival_time");
    better("arrival_time", "user.created_at");
    better("created", "member.joined");
    for name in ["timezone", "duration", "response_time", "id", "size", "timeTaken"] {
        assert_eq!(time_rank(&path(name)), None, "{name}");
    }
}

#[test]
fn a_key_is_who_or_what_and_an_id_which() {
    for key in
        ["user", "userId", "actor.id", "after.id", "deviceId", "service_name", "request.client_ip", "host"]
    {
        assert!(key_rank(&path(key)).is_some(), "{key}");
    }
    for other in ["user_agent", "name", "title", "source_port", "user_location", "before.id"] {
        assert_eq!(key_rank(&path(other)), None, "{other}");
    }
    assert!(key_rank(&path("actor.id")) > key_rank(&path("actor.login")));
    assert!(key_rank(&path("remote_ip")) > key_rank(&path("host")));
    assert!(id_rank(&path("id")) > id_rank(&path("order_id")));
    assert_eq!(id_rank(&path("idea")), None);
}

/// Compares `found` with a file of the repository, or writes it there.
fn assert_is_current(file: &str, found: &str) {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("TWEETBLAST_WRITE_SCHEMAS").is_some() {
        std::fs::write(&file, found).unwrap();
    }
    let there = std::fs::read_to_string(&file).unwrap();
    assert!(found == there, "{} is old: TWEETBLAST_WRITE_SCHEMAS=1 cargo test --lib names", file.display());
}

const LISTS: [(&str, &str); 12] = [
    ("written", WRITTEN),
    ("time", TIME),
    ("small", SMALL),
    ("itself", ITSELF),
    ("beginning", BEGINNING),
    ("later", LATER),
    ("others", OTHERS),
    ("long_ago", LONG_AGO),
    ("no_time", NO_TIME),
    ("persons", PERSONS),
    ("things", THINGS),
    ("hosts", HOSTS),
];

#[test]
fn the_dashboard_of_events_has_the_same_lists() {
    let mut lists: serde_json::Map<_, _> = LISTS
        .map(|(name, list)| (name.to_owned(), list.split_whitespace().collect::<Vec<_>>().join(" ").into()))
        .into_iter()
        .collect();
    lists.insert("callers".to_owned(), json!(CALLERS.map(|words| words.join(" "))));
    let text = serde_json::to_string_pretty(&lists).unwrap() + "\n";
    assert_is_current("docker/superset/event_names.json", &text);
}

/// `docker/superset/test_event_sql.py` compares the dashboard's ranks with these.
#[test]
fn ranks_of_names_are_written_for_the_dashboard_of_events() {
    let first = |(_, list): &(&'static str, &'static str)| list.split_whitespace().next().unwrap();
    let mut words: Vec<&str> = LISTS.iter().map(first).collect();
    words.extend(["epoch", "id", "name", "login", "screen", "ip", "address", "key", "after", "other"]);
    let mut names: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    for one in &words {
        names.extend(words.iter().flat_map(|two| [format!("{one}_{two}"), format!("{one}.{two}")]));
    }
    names.extend(
        "@timestamp a.@timestamp createdAt UserID userID2 HTTPServerName iso8601 time8601 Fecha größe 日時 _ - x.y.z \
         event.start.time log_time_ms timeCreatedUTC event_record_time tweet_other_time user.event.time after.x.id \
         remoteAddr request.client_ip device.info.id user_account.id"
            .split_whitespace()
            .map(str::to_owned),
    );
    let rank = |rank: Option<u32>| rank.map_or("-".to_owned(), |rank| rank.to_string());
    let mut text = String::new();
    for name in names {
        let path = path(&name);
        writeln!(text, "{name}\t{}\t{}", rank(time_rank(&path)), rank(key_rank(&path))).unwrap();
    }
    assert_is_current("tests/data/events/name_ranks.tsv", &text);
}
