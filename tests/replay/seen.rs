//! What others see of a run: the HTML page, and the metrics while it goes on.

use std::fs;

use serde_json::Value;

use crate::common::scrape::{address, scrape, value};
use crate::common::{FREE_PORTS, Running, SAMPLE, run};

#[test]
fn the_page_of_a_run_has_its_figures_and_saved_runs_are_shown_side_by_side() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (json, page, both) = (path("run.json"), path("run.html"), path("both.html"));
    let label = "<i>one</i>";
    let flags = ["--speedup", "max", "--json", &json, "--report", &page, "--label", label];
    let replayed = run(&[&[SAMPLE][..], FREE_PORTS, &flags].concat());
    assert_eq!((replayed.code, replayed.stderr.as_str()), (0, ""));
    let report: Value = serde_json::from_str(&fs::read_to_string(&json).unwrap()).unwrap();
    let html = fs::read_to_string(&page).unwrap();
    let run_id = report["run"].as_str().unwrap();
    assert!(html.contains(&format!("<data data-at=\"0/run\">{run_id}</data>")));
    assert!(html.contains("<data data-at=\"0/ledger/delivered\" value=\"6000\">6,000</data>"));
    assert!(html.contains("&lt;i&gt;one") && !html.contains(label));
    assert!(html.len() < 400_000, "{}", html.len());
    assert!(report["environment"]["input_hash"].is_string());

    let shown = run(&["report", &json, &json, "-o", &both]);
    assert_eq!((shown.code, shown.stderr.as_str()), (0, ""));
    let html = fs::read_to_string(&both).unwrap();
    assert!(html.contains("Side by side") && html.contains(&format!("<data data-at=\"1/run\">{run_id}")));

    let again = run(&["report", &json, "-o", &both]);
    assert!(again.code == 1 && again.stderr.contains("is there already"), "{}", again.stderr);
    let wrong = run(&["report", &page, "-o", &path("no.html")]);
    assert!(wrong.code == 1 && wrong.stderr.contains("it is not JSON"), "{}", wrong.stderr);
    assert!(!dir.path().join("no.html").exists());
}

#[test]
fn who_scrapes_a_run_sees_it_grow_and_what_it_came_to_before_it_ends() {
    let flags = [SAMPLE, "--speedup", "300x", "--metrics", "127.0.0.1:0"];
    let mut running = Running::start(&[&flags[..], FREE_PORTS].concat());
    let line = running.wait_for("http://");
    let addr = address(&line);
    let (mut last, mut sent, mut grew) = (scrape(&addr).unwrap(), 0.0, 0);
    while let Some(metrics) = scrape(&addr) {
        let now = value(&metrics, "tweetblast_published_tweets_total").unwrap_or(0.0);
        assert!(now >= sent, "{now} after {sent}");
        grew += u32::from(now > sent);
        (last, sent) = (metrics, now);
    }
    let finished = running.finish();
    assert_eq!((finished.code, finished.stderr.as_str()), (0, ""));
    assert!(grew > 1, "it was seen while it ran");
    for (name, expected) in [
        ("run_ended", 1.0),
        ("frames_total", 6_024.0),
        ("rejects_total", 24.0),
        ("tweets_total", 6_000.0),
        ("loops_total", 1.0),
        ("published_tweets_total", 6_000.0),
        ("received_tweets_total", 6_000.0),
        ("delivered_tweets_total", 6_000.0),
        ("failed_tweets_total", 0.0),
        ("read_back_tweets_total", 6_000.0),
        ("in_flight_tweets", 0.0),
        ("lag_seconds_count", 6_000.0),
        ("acknowledged_seconds_count", 6_000.0),
    ] {
        assert_eq!(value(&last, &format!("tweetblast_{name}")), Some(expected), "{name}");
    }
    assert!(value(&last, "tweetblast_lag_seconds_sum").is_some_and(|sum| sum > 0.0));
    assert!(last.contains("tweetblast_acknowledged_seconds_bucket{le=\"+Inf\"} 6000"), "{last}");
    assert!(last.contains("tweetblast_skipped_tweets_total{reason=\"limit\"} 0"), "{last}");
    assert!(!last.contains("queryable_tweets"), "there is no Druid");
}

#[test]
fn a_server_shows_its_topics_and_clients() {
    let serve = [&["serve", "--metrics", "127.0.0.1:0"], FREE_PORTS].concat();
    let mut serving = Running::start(&serve);
    let line = serving.wait_for("http://");
    let addr = address(&line);
    let kafka = serving.wait_for("Kafka ").split_whitespace().nth(1).unwrap().to_owned();
    let replayed = run(&[SAMPLE, "--speedup", "max", "--mqtt", "off", "--kafka", &kafka, "--limit", "7"]);
    assert_eq!(replayed.code, 0, "{}", replayed.stderr);
    let metrics = loop {
        let metrics = scrape(&addr).unwrap();
        if value(&metrics, "tweetblast_kafka_messages_total{topic=\"tweets\"}") == Some(7.0) {
            break metrics;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    };
    assert!(value(&metrics, "tweetblast_mqtt_clients") == Some(0.0), "{metrics}");
    assert!(
        value(&metrics, "tweetblast_kafka_log_bytes{topic=\"tweets\"}").is_some_and(|bytes| bytes > 500.0)
    );
    serving.signal("INT");
    assert_eq!(serving.finish().code, 0);
}

#[test]
fn a_port_for_metrics_that_is_taken_ends_the_run_before_it_begins() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let refused = run(&[&[SAMPLE, "--metrics", &addr], FREE_PORTS].concat());
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains(&format!("{addr} is taken (--metrics)")), "{}", refused.stderr);
}
