//! Facts about users joined to their tweets (`--enrich`), and hashtags from texts: what arrives in
//! Kafka. With the real files if they are there (see `real_files.rs`), and with small made-up ones.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tweetblast::enrich::Enrichment;

use crate::common::{FREE_PORTS, Running, read_topic, real_data, run, tweet, tweetblast, write};

/// Replays with `--hold`; the report, and the payloads in the topic.
fn replay_and_read(dir: &Path, arguments: &[&str]) -> (Value, Vec<String>) {
    let report = dir.join("report.json");
    let _ = std::fs::remove_file(&report);
    let to_report = ["--json", report.to_str().unwrap(), "--hold", "--speedup", "max"];
    let mut running = Running::start(&[arguments, &to_report, FREE_PORTS].concat());
    running.wait_for("holding:");
    let report: Value = serde_json::from_slice(&std::fs::read(&report).unwrap()).unwrap();
    let records = read_topic(report["endpoints"]["kafka"].as_str().unwrap(), "tweets");
    running.signal("INT");
    let ended = running.finish();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let schema: Value = serde_json::from_str(include_str!("../../docs/report.schema.json")).unwrap();
    let errors: Vec<String> = jsonschema::validator_for(&schema)
        .unwrap()
        .iter_errors(&report)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    (report, records.into_iter().map(|record| String::from_utf8(record.payload).unwrap()).collect())
}

fn parsed(payloads: &[String]) -> Vec<Value> {
    payloads.iter().map(|payload| serde_json::from_str(payload).unwrap()).collect()
}

#[test]
fn columns_stand_between_the_tweets_own_fields_and_run_and_seq() {
    let dir = tempfile::tempdir().unwrap();
    let big = 1_176_567_558_868_103_168;
    let lines =
        [tweet(1, 5, 0, "a #b"), tweet(2, big, 1, "c"), tweet(3, 6, 2, "d"), "{\"text\":\"e\"}".into()];
    let input = write(dir.path(), "tweets.json", lines.join("\n"));
    let table = "id, label ,total,ok,lang,screen_name\n5,infp, 5129311938,True,xx,other\n1176567558868103168,enfj,NaN,false,,\nx,,,,,\n5,intp,7000000000,true,,\n";
    let csv = write(dir.path(), "users.csv", table);
    let more =
        write(dir.path(), "more.json", format!("[{{\"user_id\":{big},\"score\":0.25,\"label\":\"esfj\"}}]"));
    let dashboard = "http://127.0.0.1:8088/d/?run={run}";
    let arguments = [&input[..], "--enrich", &csv, "--enrich", &more, "--dashboard", dashboard];
    let (report, payloads) = replay_and_read(dir.path(), &arguments);
    let tail = |text: &str| {
        let payload =
            payloads.iter().find(|payload| payload.contains(&format!("\"tweet\":\"{text}\""))).unwrap();
        let from = payload.find(",\"tweet\"").unwrap();
        payload[from..].replace(report["run"].as_str().unwrap(), "RUN")
    };
    assert_eq!(
        tail("a #b"),
        r##","tweet":"a #b","id":"1","created_at":"2020-01-01T00:00:00.000Z","screen_name":"u5","hashtags":["b"],"label":"intp","total":7000000000,"ok":true,"run":"RUN","seq":0}"##
    );
    assert!(
        tail("c").contains(
            r#""screen_name":"u1176567558868103168","label":"esfj","ok":false,"score":0.25,"run":"#
        )
    );
    assert!(tail("d").contains(r#""screen_name":"u6","run":"#));
    assert_eq!(payloads.len(), 4);
    assert!(parsed(&payloads).iter().any(|payload| payload["user_id"] == json!(big)));

    let enrich = &report["enrich"];
    assert_eq!((enrich["enriched"].clone(), enrich["not_enriched"].clone()), (json!(2), json!(2)));
    let columns = json!([
        {"name": "label", "type": "text"}, {"name": "total", "type": "long"},
        {"name": "ok", "type": "boolean"}, {"name": "score", "type": "double"},
    ]);
    assert_eq!(enrich["columns"], columns);
    let file = &enrich["files"][0];
    assert_eq!(file["first_rejects"], json!([{"line": 4, "reason": "id is \"x\", no user's id"}]));
    assert_eq!((file["users"].clone(), file["duplicate_ids"].clone()), (json!(2), json!(1)));
    assert_eq!(file["skipped_columns"], json!({"lang": "a field of the tweet has this name"}));
    let link = dashboard.replace("{run}", report["run"].as_str().unwrap());
    assert_eq!(report["endpoints"]["dashboard"], json!(link));
}

#[test]
fn the_end_tells_how_many_were_enriched_and_where_the_dashboard_is() {
    let dir = tempfile::tempdir().unwrap();
    let input = write(dir.path(), "tweets.json", tweet(1, 5, 0, "a"));
    let users = write(dir.path(), "users.csv", "id,label\n5,infp\n,\n");
    let replay = |arguments: &[&str], link: &str| {
        let arguments = [&[&input[..], "--speedup", "max"], arguments, FREE_PORTS].concat();
        let ended = tweetblast().args(arguments).env("TWEETBLAST_DASHBOARD", link).output().unwrap();
        (
            ended.status.code(),
            String::from_utf8(ended.stdout).unwrap() + &String::from_utf8(ended.stderr).unwrap(),
        )
    };
    let (code, words) = replay(&["--enrich", &users], "http://127.0.0.1:8088/live");
    assert_eq!(code, Some(0), "{words}");
    assert!(words.contains("users.csv line 3: no user's id; skipped"), "{words}");
    let line =
        "enriched   1 tweet with 1 column of 1 user; 0 tweets of users who are in no table; 1 row skipped";
    assert!(words.contains(line), "{words}");
    assert!(words.contains("dashboard  http://127.0.0.1:8088/live  (run 2"), "{words}");
    let (code, words) = replay(&["--dashboard", "https://d/x"], "http://127.0.0.1:8088/live");
    assert!(
        code == Some(0) && words.contains("dashboard  https://d/x  (run ") && !words.contains("enriched")
    );
    let (code, words) = replay(&[], "nonsense");
    assert!(code == Some(2) && words.contains("TWEETBLAST_DASHBOARD must be a link"), "{words}");
    let (code, words) = replay(&[], "");
    assert!(code == Some(0) && !words.contains("dashboard"), "{words}");
}

#[test]
fn what_cannot_be_joined_ends_it_before_anything_starts() {
    let dir = tempfile::tempdir().unwrap();
    let input = write(dir.path(), "tweets.json", tweet(1, 5, 0, "a"));
    let users = write(dir.path(), "users.csv", "name,label\n5,infp\n");
    let fails = |arguments: &[&str], code: i32, words: &str| {
        let ended = run(&[&[&input[..], "--speedup", "max"], arguments, FREE_PORTS].concat());
        assert_eq!(ended.code, code, "{}", ended.stderr);
        assert!(
            ended.stderr.contains(words) && ended.stdout.is_empty(),
            "{}\n{}",
            ended.stderr,
            ended.stdout
        );
    };
    fails(&["--enrich", &users], 1, "has no column user_id, id_str, id: its columns are name, label");
    fails(&["--enrich", "nowhere.csv"], 1, "--enrich: cannot read nowhere.csv");
    fails(&["--enrich", &users, "--enrich-key", "name", "--payload", "raw"], 2, "not with --payload raw");
    fails(&["--enrich", &users, "--dry-run"], 1, "has no column");
    fails(&["--enrich-key", "x"], 2, "--enrich");
    fails(&["--enrich", &users, "--json", &users, "--force"], 2, "is the input");
    assert_eq!(std::fs::read_to_string(&users).unwrap(), "name,label\n5,infp\n");
}

#[test]
fn the_generators_table_fits_its_tweets() {
    let dir = tempfile::tempdir().unwrap();
    let (tweets, users) = (dir.path().join("t.json"), dir.path().join("users.csv"));
    let (tweets, users) = (tweets.to_str().unwrap(), users.to_str().unwrap());
    let form = ["generate", "--tweets", "300", "--users", "50", "--form", "grouped"];
    assert_eq!(run(&[&form[..], &["-o", tweets, "--users-file", users]].concat()).code, 0);
    let (report, payloads) = replay_and_read(dir.path(), &[tweets, "--enrich", users]);
    assert_eq!(report["enrich"]["enriched"], json!(300));
    for payload in parsed(&payloads) {
        assert!(payload["label"].is_string() && payload["total_retweet_count"].is_u64(), "{payload}");
        assert!(payload["screen_name"].is_string(), "{payload}");
    }
}

/// Counted by another program: tweets by label of the joined files.
const TWEETS_BY_LABEL: [(&str, u64); 16] = [
    ("enfj", 528),
    ("enfp", 236),
    ("entj", 402),
    ("entp", 276),
    ("esfj", 5),
    ("esfp", 120),
    ("estj", 186),
    ("estp", 200),
    ("infj", 126),
    ("infp", 731),
    ("intj", 178),
    ("intp", 379),
    ("isfj", 255),
    ("isfp", 239),
    ("istj", 21),
    ("istp", 220),
];

#[test]
#[ignore = "needs real tweet files"]
fn real_tables_give_the_figures_that_others_counted() {
    let folder = real_data();
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (users, labels) = (path("mbti/users1.json"), path("mbti/mbti_labels.csv"));
    let table: Vec<Value> = serde_json::from_slice(&std::fs::read(&users).unwrap()).unwrap();
    let facts: HashMap<i64, &Value> = table.iter().map(|user| (user["id"].as_i64().unwrap(), user)).collect();
    let dir = tempfile::tempdir().unwrap();
    for name in ["grouped/tweets1-form-one-line-utf8.json", "grouped/tweets1-form-indented-escaped.json"] {
        let arguments = [&path(name)[..], "--enrich", &users, "--enrich", &labels];
        let (report, payloads) = replay_and_read(dir.path(), &arguments);
        let payloads = parsed(&payloads);
        let enrich = &report["enrich"];
        assert_eq!((enrich["enriched"].clone(), enrich["not_enriched"].clone()), (json!(4_102), json!(0)));
        assert_eq!(enrich["users"], json!(8_328));
        for file in enrich["files"].as_array().unwrap() {
            assert_eq!((&file["users"], &file["rejects"]), (&json!(8_328), &json!(0)), "{file}");
        }

        let (mut by_label, mut by_user) = (BTreeMap::<&str, u64>::new(), HashMap::<i64, u64>::new());
        for payload in &payloads {
            *by_label.entry(payload["mbti_personality"].as_str().unwrap()).or_default() += 1;
            *by_user.entry(payload["user_id"].as_i64().unwrap()).or_default() += 1;
        }
        assert_eq!(by_label.into_iter().collect::<Vec<_>>(), TWEETS_BY_LABEL);
        assert_eq!((by_user.len(), by_user.values().sum::<u64>()), (72, 4_102));

        // Each payload has the table's values for its user, number for number.
        for payload in &payloads {
            let user = facts[&payload["user_id"].as_i64().unwrap()];
            for (column, value) in user.as_object().unwrap() {
                match column.as_str() {
                    "id" => assert!(payload["id"].is_null()),
                    _ if *value == json!("NaN") => assert!(payload[column].is_null(), "{payload}"),
                    _ => assert_eq!(payload[column], *value, "{column} of {payload}"),
                }
            }
            assert!(payload["pers_id"].is_i64(), "{payload}");
        }
    }

    // The tables whole: every column adds up to the independent count.
    let files = [PathBuf::from(&users), PathBuf::from(&labels)];
    let joined = Enrichment::load(&files, None, &tweetblast::source::Opening::whole(None)).unwrap();
    let types: Vec<String> = joined.columns().map(|(name, kind)| format!("{name} {}", kind.name())).collect();
    assert_eq!(
        types.join(", "),
        "location text, verified boolean, statuses_count long, total_retweet_count long, total_favorite_count long, \
         total_hashtag_count long, total_mentions_count long, total_media_count long, mbti_personality text, \
         pers_id long"
    );
}
