//! Small files that once were not read, or not rightly. They are not part of the repository: they lie beside the
//! real ones, in `found`.

use serde_json::Value;

use crate::common::{Finished, real_data, run, run_piped};

fn found(name: &str) -> String {
    real_data().join("found").join(name).to_str().unwrap().to_owned()
}

fn inspected(name: &str) -> (Value, String) {
    let finished = run(&["inspect", "--json", "-", &found(name)]);
    assert_eq!(finished.code, 0, "{name}: {}", finished.stderr);
    (finished.report(), finished.stderr)
}

/// The same from standard input.
fn piped(name: &str) -> Finished {
    run_piped(&found(name), &["inspect", "--json", "-", "-"])
}

#[test]
#[ignore = "needs real tweet files"]
fn real_each_has_the_tweets_that_a_person_would_see_in_it_also_on_standard_input() {
    for (name, tweets) in [
        ("bom-in-the-middle.jsonl", 3),
        ("gzip-zeros-after.jsonl.gz", 8),
        ("pzstd-skippable-first.zst", 8),
        ("zstd-window-256MiB.zst", 8),
        ("tar-of-jsonl.tar", 8),
        ("double-encoded.jsonl", 5),
        ("ask-elasticdump.jsonl", 3),
        ("ask-jetstream.jsonl", 3),
        ("ask-mastodon.json", 3),
    ] {
        for report in [inspected(name).0, piped(name).report()] {
            assert_eq!((&report["tweets"], &report["unparseable"]), (&tweets.into(), &0.into()), "{name}");
        }
    }
}

#[test]
#[ignore = "needs real tweet files"]
fn real_the_users_of_mastodon_and_the_jetstream_are_found_with_their_times() {
    for (name, users) in [("ask-mastodon.json", 1), ("ask-jetstream.jsonl", 3), ("ask-elasticdump.jsonl", 1)]
    {
        let (report, _) = inspected(name);
        assert_eq!((&report["users"], &report["without_time"]), (&users.into(), &0.into()), "{name}");
        assert!(report["first"].as_str().unwrap().starts_with("2020-03-03T10:00:00"), "{name}");
    }
}

#[test]
#[ignore = "needs real tweet files"]
fn real_server_sent_events_are_named() {
    let refused = run(&["inspect", &found("sse.txt")]);
    assert!(refused.code == 1 && refused.stderr.contains("server-sent events (SSE)"), "{}", refused.stderr);
}

#[test]
#[ignore = "needs real tweet files"]
fn real_a_long_window_of_zstd_is_read_and_its_memory_said() {
    let (_, stderr) = inspected("zstd-window-256MiB.zst");
    assert!(stderr.contains("takes up to 256.00 MiB of memory"), "{stderr}");
}
