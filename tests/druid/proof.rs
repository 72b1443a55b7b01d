//! Each row is proven, run by run; what is not ours stays unchanged.

use serde_json::{Value, json};
use tweetblast::druid::{Granularity, Proof, SpecOptions, make_spec};
use tweetblast::event::PayloadForm;

use crate::common::tweetblast;
use crate::stack::{Stack, TWEETS};

#[test]
#[ignore = "needs a Druid and its Kafka"]
fn two_replays_share_a_datasource_and_each_is_exact_with_queries_meanwhile() {
    let stack = Stack::new("twice");
    // The first one begins before Druid knows the datasource.
    let [first, second] = [(); 2].map(|()| stack.exact(stack.replay_real(&["--query-load", "20/s"])));
    for load in [&first, &second].map(|report| &report["druid"]["query_load"]) {
        assert_eq!((&load["failed"], &load["error"]), (&json!(0), &Value::Null), "{load:#}");
        assert!(
            load["answered"].as_u64() >= Some(5) && load["took_ms"]["p50"].as_f64() > Some(0.0),
            "{load:#}"
        );
    }
    assert_ne!(first["run"], second["run"]);
    assert_eq!(first["druid"]["submitted"], "created");
    assert_eq!(second["druid"]["submitted"], "there already");
    assert_eq!(stack.proof(&first), Proof::expected(TWEETS), "the first one is still whole");

    // The steps alone.
    let step = |step: &str| {
        let output = tweetblast().args(["druid", step, &stack.name, "--druid", &stack.url]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let status = step("status");
    assert!(status.contains("RUNNING") && status.contains(&format!("topic {}", stack.name)), "{status}");
    assert!(step("suspend").contains("suspended"));
    assert_eq!(stack.supervisor().spec().unwrap().unwrap()["suspended"], true);
    step("suspend");
    assert!(step("terminate").contains("terminated"));
}

#[test]
#[ignore = "needs a Druid and its Kafka"]
fn joined_columns_are_typed_and_stay_when_a_later_run_has_none() {
    let stack = Stack::new("enrich");
    // The sample is the generator's default output, and this is its table of users.
    let file = |name: &str| stack.state.path().join(name).to_str().unwrap().to_owned();
    let (tweets, users) = (file("tweets.json"), file("users.csv"));
    let made = tweetblast().args(["generate", "-o", &tweets, "--users-file", &users]).output().unwrap();
    assert!(made.status.success());
    let enriched = stack.exact(stack.replay_real(&["--enrich", &users]));
    assert_eq!(
        (&enriched["enrich"]["enriched"], &enriched["druid"]["submitted"]),
        (&json!(TWEETS), &json!("created"))
    );
    let loaded = &enriched["druid"]["users"];
    assert_eq!(
        (&loaded["datasource"], &loaded["rows"]),
        (&json!(format!("{}_users", stack.name)), &enriched["enrich"]["users"])
    );
    let plain = stack.exact(stack.replay_real(&[]));
    assert_eq!(
        (&plain["druid"]["submitted"], &plain["druid"]["users"]),
        (&json!("there already"), &Value::Null)
    );
    // Not over rows of another origin.
    let (_, code, stderr) = stack.replay_real(&["--enrich", &users, "--druid-users", &stack.name]);
    assert!(code == 1 && stderr.contains("did not load") && stderr.contains("--druid-users"), "{stderr}");
    let again = stack.exact(stack.replay_real(&["--enrich", &users]));
    assert_eq!(again["druid"]["submitted"], "there already");

    let sql = |query: &str| Value::from(stack.client().sql(query, &[]).unwrap());
    let types = sql(&format!(
        "SELECT COLUMN_NAME AS name, DATA_TYPE AS type FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_NAME = '{}' AND \
         COLUMN_NAME IN ('label', 'total_favorite_count', 'total_retweet_count', 'user_id') ORDER BY 1",
        stack.name
    ));
    let kind = |name: &str, kind: &str| json!({"name": name, "type": kind});
    let long = "BIGINT";
    let [favorites, retweets] = ["total_favorite_count", "total_retweet_count"].map(|name| kind(name, long));
    assert_eq!(types, json!([kind("label", "VARCHAR"), favorites, retweets, kind("user_id", long)]));
    for (run, labelled) in [(&enriched, TWEETS), (&plain, 0), (&again, TWEETS)] {
        let counts = sql(&format!(
            "SELECT COUNT(label) AS labels, COUNT(total_retweet_count) AS totals FROM \"{}\" WHERE run = '{}'",
            stack.name,
            run["run"].as_str().unwrap()
        ));
        assert_eq!(counts, json!([{"labels": labelled, "totals": labelled}]));
    }
    // The greatest total of all, and the ids above 2^53, as in the table.
    let table = std::fs::read_to_string(&users).unwrap();
    let rows = table.lines().skip(1).map(|row| row.split(',').collect::<Vec<_>>());
    let by_id: std::collections::HashMap<i64, i64> =
        rows.map(|row| (row[0].parse().unwrap(), row[4].parse().unwrap())).collect();
    let found = sql(&format!(
        "SELECT user_id, MAX(total_retweet_count) AS total FROM \"{}\" WHERE user_id > 9007199254740992 GROUP BY 1",
        stack.name
    ));
    let found = found.as_array().unwrap();
    assert!(found.len() > 100, "{}", found.len());
    for row in found {
        assert_eq!(by_id[&row["user_id"].as_i64().unwrap()], row["total"].as_i64().unwrap());
    }
}

#[test]
#[ignore = "needs a Druid and its Kafka"]
fn several_partitions_and_dropping_the_supervisor() {
    let stack = Stack::new("three");
    let report = stack.exact(stack.replay_real(&["--partitions", "3", "--druid-after", "drop"]));
    assert_eq!(report["druid"]["paired_by"], "partition");
    assert_eq!(report["druid"]["durable"], true);
    assert!(stack.supervisor().spec().unwrap().is_none());
}

#[test]
#[ignore = "needs a Druid and its Kafka"]
fn a_strangers_supervisor_stays_untouched_and_can_be_used_as_it_is() {
    let stack = Stack::new("stranger");
    let mut spec = make_spec(&SpecOptions {
        events: None,
        extra: Vec::new(),
        datasource: stack.name.clone(),
        topic: stack.name.clone(),
        kafka: stack.kafka.clone(),
        form: PayloadForm::Tweet,
        tasks: 1,
        granularity: Granularity::Day,
    });
    spec["context"] = json!({"owner": "somebody else"});
    stack.client().post("/druid/indexer/v1/supervisor", Some(&spec)).unwrap();
    let there = stack.supervisor().spec().unwrap().unwrap();

    let (_, code, stderr) = stack.replay_real(&[]);
    assert_eq!(code, 1, "{stderr}");
    for flag in ["--druid-supervisor", "--druid-datasource", "--druid-overwrite"] {
        assert!(stderr.contains(flag), "{stderr}");
    }
    let refused =
        tweetblast().args(["druid", "terminate", &stack.name, "--druid", &stack.url]).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(stack.supervisor().spec().unwrap().unwrap(), there);

    let used = stack.exact(stack.replay_real(&["--druid-supervisor", &stack.name]));
    assert_eq!(
        (&used["druid"]["submitted"], &used["druid"]["after"]),
        (&json!("used as it is"), &json!("keep"))
    );
    assert_eq!(stack.supervisor().spec().unwrap().unwrap(), there);

    let (_, code, stderr) = stack.replay_real(&["--druid-supervisor", "nobody"]);
    assert!(code == 1 && stderr.contains(&stack.name), "names those that are there: {stderr}");

    let replaced = stack.exact(stack.replay_real(&["--druid-overwrite"]));
    assert_eq!(replaced["druid"]["submitted"], "updated");
}

#[test]
#[ignore = "needs a Druid and its Kafka"]
fn two_plain_runs_with_the_embedded_kafka_are_exact_and_durable() {
    let stack = Stack::new("embedded");
    let first = stack.exact(stack.replay(&[]));
    let second = stack.exact(stack.replay(&[]));
    for report in [&first, &second] {
        assert_eq!(
            (&report["druid"]["after"], &report["druid"]["durable"]),
            (&json!("suspend"), &json!(true))
        );
    }
    assert_eq!(second["druid"]["submitted"], "resumed");
    assert_eq!(first["endpoints"]["kafka"], second["endpoints"]["kafka"], "the port is remembered");
    let dir = first["endpoints"]["kafka_dir"].as_str().unwrap();
    assert!(dir.starts_with(stack.state.path().to_str().unwrap()), "{dir}");
    assert_eq!(stack.proof(&first), Proof::expected(TWEETS));
    // While Kafka is still there: a supervisor that cannot find its Kafka takes minutes to end.
    stack.exact(stack.replay(&["--druid-after", "drop"]));
    assert!(stack.supervisor().spec().unwrap().is_none());
}

#[test]
#[ignore = "needs a Druid and its Kafka"]
fn messages_with_run_and_seq_in_their_headers_are_proven_too() {
    let stack = Stack::new("minimal");
    stack.exact(stack.replay_real(&["--payload", "minimal"]));
}
