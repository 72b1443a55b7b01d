//! The section of a replay.

use serde_json::Value;

use super::figure::{Form, escape, figure};
use super::percentiles::LATENCIES;
use super::replay_charts::write_charts;
use super::section::{Column, Section};

/// The figures that are read first.
const TILES: [Column; 9] = [
    ("sent", "/ledger/published", Form::Count),
    ("acknowledged", "/ledger/delivered", Form::Count),
    ("queryable", "/ledger/queryable", Form::Count),
    ("rate", "/pace/rate_per_s", Form::Rate),
    ("sending took", "/pace/duration_s", Form::Seconds),
    ("lag p99", "/pace/lag_ms/p99", Form::Millis),
    ("acknowledged p99", "/hops/kafka/acked_ms/p99", Form::Millis),
    ("queryable p99", "/druid/time_to_queryable_ms/p99", Form::Millis),
    ("bottleneck", "/bottleneck", Form::Text),
];

const PERCENTILES: [Column; 5] = [
    ("p50", "/p50", Form::Millis),
    ("p90", "/p90", Form::Millis),
    ("p99", "/p99", Form::Millis),
    ("p99.9", "/p999", Form::Millis),
    ("max", "/max", Form::Millis),
];

const HOP: [Column; 3] = [
    ("tweets", "/tweets", Form::Count),
    ("CPU per tweet", "/cpu_us_per_tweet", Form::Micros),
    ("blocked", "/blocked_s", Form::Seconds),
];

/// The lines of the ledger: the two sides of each, and by what the left one is multiplied. What is null was off.
const LINES: [(&str, &[&str], &[&str]); 9] = [
    ("frames", &["frames"], &["records", "unparseable"]),
    ("items", &["items"], &["tweets", "rejects"]),
    ("tweets", &["tweets", "loops"], &["published", "skipped"]),
    ("mqtt", &["published"], &["received", "mqtt_lost"]),
    ("kafka", &["received"], &["delivered", "failed"]),
    ("kafka", &["published"], &["delivered", "failed"]),
    ("read back", &["delivered"], &["read_back"]),
    ("druid", &["delivered"], &["queryable"]),
    ("foreign", &["foreign"], &["foreign_delivered", "foreign_failed"]),
];

const MORE_OF_THE_LEDGER: [Column; 8] = [
    ("skipped by --limit", "/ledger/skipped_by/limit", Form::Count),
    ("skipped by --start and --end", "/ledger/skipped_by/range", Form::Count),
    ("skipped by --dedup", "/ledger/skipped_by/duplicate_id", Form::Count),
    ("skipped by --duration", "/ledger/skipped_by/duration", Form::Count),
    ("skipped after the stop", "/ledger/skipped_by/stop", Form::Count),
    ("in Kafka twice", "/ledger/duplicates", Form::Count),
    ("removed by retention, unread", "/ledger/removed_unread", Form::Count),
    ("foreign, overwritten", "/ledger/foreign_lost", Form::Count),
];

const PLAN: [Column; 12] = [
    ("pace", "/pace/requested", Form::Text),
    ("order", "/pace/order", Form::Text),
    ("planned rate", "/pace/planned_rate_per_s", Form::Rate),
    ("planned duration", "/pace/planned_duration_s", Form::Seconds),
    ("warm-up", "/pace/warmup_s", Form::Seconds),
    ("first send", "/pace/started_at", Form::Text),
    ("acknowledged after", "/pace/delivered_after_s", Form::Seconds),
    ("input", "/input/file", Form::Text),
    ("size", "/input/bytes", Form::Bytes),
    ("first tweet", "/input/first", Form::Text),
    ("last tweet", "/input/last", Form::Text),
    ("checksum", "/environment/input_hash", Form::Text),
];

const ENDS: [Column; 6] = [
    ("MQTT", "/endpoints/mqtt", Form::Text),
    ("MQTT topic", "/endpoints/mqtt_topic", Form::Text),
    ("Kafka", "/endpoints/kafka", Form::Text),
    ("Kafka topic", "/endpoints/kafka_topic", Form::Text),
    ("Kafka is embedded", "/endpoints/kafka_embedded", Form::Text),
    ("dashboard", "/endpoints/dashboard", Form::Text),
];

const DRUID: [Column; 14] = [
    ("address", "/druid/url", Form::Text),
    ("datasource", "/druid/datasource", Form::Text),
    ("supervisor", "/druid/supervisor", Form::Text),
    ("read after", "/druid/ready_after_s", Form::Seconds),
    ("rows", "/druid/rows", Form::Count),
    ("distinct", "/druid/distinct", Form::Count),
    ("missing", "/druid/missing/count", Form::Count),
    ("last row after", "/druid/queryable_after_s", Form::Seconds),
    ("rate of rows", "/druid/rows_per_s", Form::Rate),
    ("unparseable", "/druid/unparseable", Form::Count),
    ("thrown away", "/druid/thrown_away", Form::Count),
    ("in published segments", "/druid/durable", Form::Text),
    ("published after", "/druid/durable_after_s", Form::Seconds),
    ("why not counted", "/druid/count_error", Form::Text),
];

/// What a figure depends on; in the report of a replay and of find-max.
pub(super) const MACHINE: [Column; 9] = [
    ("tweetblast", "/tweetblast_version", Form::Text),
    ("commit", "/environment/commit", Form::Text),
    ("profile", "/environment/profile", Form::Text),
    ("compiler", "/environment/rustc", Form::Text),
    ("librdkafka", "/environment/librdkafka", Form::Text),
    ("processor", "/environment/cpu_model", Form::Text),
    ("cores", "/environment/cores", Form::Count),
    ("memory", "/environment/memory_mib", Form::Mebibytes),
    ("kernel", "/environment/kernel", Form::Text),
];

const COST: [Column; 4] = [
    ("CPU per tweet", "/cpu/us_per_tweet", Form::Micros),
    ("CPU time", "/cpu/total_s", Form::Seconds),
    ("share of the machine's CPU time", "/cpu/share", Form::Share),
    ("memory of the process", "/memory/own_mib", Form::Mebibytes),
];

/// All of one replay.
pub(super) fn replay_section(
    number: usize,
    json: &Value,
    (steps_max, of_several): (usize, bool),
) -> Section<'_> {
    let mut section = Section::new(number, json).shorter(of_several);
    write_head(&mut section);
    section.facts("tiles", &TILES);
    write_charts(&mut section, steps_max);
    write_times(&mut section);
    write_hops(&mut section);
    write_ledger(&mut section);
    write_events(&mut section);
    write_plan(&mut section);
    if section.has("/druid") {
        section.heading("Druid");
        section.facts("facts", &DRUID);
        section.paragraphs("dim", "/druid/notes");
        section.details("the supervisor's spec", "/druid/spec");
    }
    write_machine(&mut section, &COST);
    section
}

fn write_head(section: &mut Section<'_>) {
    let name = if section.has("/label") { "/label" } else { "/run" };
    let (name, run) = (section.figure(name, Form::Text), section.figure("/run", Form::Text));
    section.html += &format!("<h2>{name}</h2>\n<p class=\"dim\">run {run}</p>\n");
    let class = match section.text_at("/verdict") {
        Some("balanced") if section.json["exit_code"] == 0 => "good",
        Some("unbalanced") | Some("balanced") => "bad",
        _ => "doubtful",
    };
    let (verdict, code) = (section.figure("/verdict", Form::Text), section.figure("/exit_code", Form::Count));
    section.html += &format!("<p><span class=\"verdict {class}\">{verdict}</span>, exit code {code}</p>\n");
    section.paragraph("bad", "/error");
    section.paragraphs(class, "/reasons");
    if section.has("/druid/causes/0") {
        section.table_of_list(
            "Why rows are missing",
            "/druid/causes",
            "/name",
            &[("what is wrong", "/cause", Form::Text), ("what helps", "/remedy", Form::Text)],
        );
    }
}

/// Percentiles as the report has them.
fn write_times(section: &mut Section<'_>) {
    let known = LATENCIES.iter().filter(|(_, _, ms)| section.has(ms));
    let rows: Vec<(String, String)> =
        known.map(|(name, _, ms)| ((*name).to_owned(), (*ms).to_owned())).collect();
    if !rows.is_empty() {
        section.heading("Times");
        section.table("", &rows, &PERCENTILES);
        section.html += "<p class=\"dim\">lag: send − intended send; acknowledged: Kafka's delivery report − send; queryable: the \
                         query that counted it − intended send.</p>\n";
    }
    section.table_of_list(
        "Queries asked meanwhile",
        "/druid/query_load/queries",
        "/name",
        &[
            ("answered", "/answered", Form::Count),
            ("failed", "/failed", Form::Count),
            ("p50", "/took_ms/p50", Form::Millis),
            ("p99", "/took_ms/p99", Form::Millis),
            ("max", "/took_ms/max", Form::Millis),
        ],
    );
    section.table_of_list(
        "Phases",
        "/phases",
        "/name",
        &[
            ("tweets", "/tweets", Form::Count),
            ("from", "/from_s", Form::Seconds),
            ("to", "/to_s", Form::Seconds),
            ("rate", "/rate_per_s", Form::Rate),
            ("lag p99", "/lag_ms/p99", Form::Millis),
            ("acknowledged p99", "/acked_ms/p99", Form::Millis),
            ("queryable p99", "/time_to_queryable_ms/p99", Form::Millis),
        ],
    );
}

fn write_hops(section: &mut Section<'_>) {
    let there = ["feed", "pace", "mqtt", "kafka"].iter().map(|hop| (*hop, format!("/hops/{hop}")));
    let rows: Vec<(String, String)> =
        there.filter(|(_, place)| section.has(place)).map(|(hop, place)| (hop.to_owned(), place)).collect();
    section.heading("Hops");
    section.table("hop", &rows, &HOP);
    section.html += "<p class=\"dim\">blocked: by the next hop.</p>\n";
}

fn write_ledger(section: &mut Section<'_>) {
    section.heading("Ledger");
    let ledger = &section.json["ledger"];
    let with_mqtt = ledger["received"].is_u64();
    let lines = LINES.iter().filter(|(name, left, _)| match (*name, *left) {
        ("kafka", ["published"]) => !with_mqtt,
        (_, [left, ..]) => ledger[*left].is_u64(),
        _ => false,
    });
    let mut html = "<div class=\"scroll\"><table><tbody>\n".to_owned();
    for (name, left, right) in lines.filter(|(_, _, right)| ledger[right[0]].is_u64()) {
        let value = |key: &&str| ledger[*key].as_u64().unwrap_or(0);
        let holds = left.iter().map(value).product::<u64>() == right.iter().map(value).sum::<u64>();
        let (class, sign) = if holds { ("good", "✓ holds") } else { ("bad", "✗ does not hold") };
        let term = |key: &&str| {
            let shown = figure(section.number, section.json, &format!("/ledger/{key}"), Form::Count);
            let name = if *key == "tweets" { section.noun.of("tweets") } else { key.replace('_', " ") };
            format!("{shown} {}", escape(&name))
        };
        let side = |keys: &[&str], sign: &str| keys.iter().map(term).collect::<Vec<_>>().join(sign);
        let (left, right) = (side(left, " × "), side(right, " + "));
        html += &format!(
            "<tr><td>{}</td><td>{left} = {right}</td><td class=\"{class}\">{sign}</td></tr>\n",
            section.noun.of(name)
        );
    }
    section.html += &(html + "</tbody></table></div>\n");
    section.facts("facts", &MORE_OF_THE_LEDGER);
    section.counts("Rejects", "/rejects_by_kind", "/count");
    section.counts("Failed, by Kafka's reason", "/failed_by_reason", "");
}

/// What happened on the way, and what was to be so.
fn write_events(section: &mut Section<'_>) {
    section.table_of_list(
        "Outages",
        "/outages",
        "/hop",
        &[
            ("at", "/at_s", Form::Seconds),
            ("for", "/duration_s", Form::Seconds),
            ("what", "/what", Form::Text),
            ("reason", "/reason", Form::Text),
            ("ended", "/ended", Form::Text),
        ],
    );
    section.table_of_list(
        "Tasks of Druid",
        "/druid/ingestion/tasks",
        "/id",
        &[
            ("from", "/from_s", Form::Seconds),
            ("published from", "/publishing_from_s", Form::Seconds),
            ("gone at", "/gone_s", Form::Seconds),
        ],
    );
    section.table_of_list(
        "Pauses and changes of speed",
        "/pace/changes",
        "",
        &[
            ("at", "/at_s", Form::Seconds),
            ("paused for", "/paused_s", Form::Seconds),
            ("stopped for", "/stopped_s", Form::Seconds),
            ("speed", "/speed_factor", Form::Times),
        ],
    );
    section.table_of_list(
        "Limits (--fail-if)",
        "/thresholds",
        "/expression",
        &[
            ("fails", "/failed", Form::Text),
            ("measured", "/value", Form::Text),
            ("why not measured", "/not_measured", Form::Text),
        ],
    );
}

fn write_plan(section: &mut Section<'_>) {
    section.heading("Plan and input");
    section.facts("facts", &PLAN);
    if section.list_at("/input/files").len() > 1 {
        section.table_of_list(
            "Files",
            "/input/files",
            "/file",
            &[
                ("size", "/bytes", Form::Bytes),
                ("format", "/format", Form::Text),
                ("frames", "/frames", Form::Count),
                ("tweets", "/tweets", Form::Count),
                ("unparseable", "/unparseable", Form::Count),
            ],
        );
    }
    section.heading(&section.noun.of("Where the tweets went"));
    section.facts("facts", &ENDS);
}

/// The command, the versions and the machine.
pub(super) fn write_machine(section: &mut Section<'_>, cost: &[Column]) {
    if section.has("/environment/command") {
        section.heading("Command");
        let command = section.figure("/environment/command", Form::Command);
        section.html += &format!("<pre>{command}</pre>\n");
    }
    section.heading("Machine and versions");
    section.facts("facts", &[&MACHINE[..], cost].concat());
}
