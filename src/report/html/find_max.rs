//! The section of `find-max`: each search, and what a sweep came to.

use serde_json::Value;

use super::chart::{Band, Chart, Line, Mark, rounded};
use super::figure::Form;
use super::replay::write_machine;
use super::section::{Column, Section};

const SEARCH: [Column; 13] = [
    ("sustainable", "/sustainable_per_s", Form::Rate),
    ("speedup of the input", "/speedup", Form::Times),
    ("above", "/limit_above_per_s", Form::Rate),
    ("capacity", "/capacity/per_s", Form::Rate),
    ("± ", "/capacity/half_width_per_s", Form::Rate),
    ("capacity with rollovers", "/capacity/with_rollovers_per_s", Form::Rate),
    ("per task", "/per_task_per_s", Form::Rate),
    ("per core", "/per_core_per_s", Form::Rate),
    ("tasks", "/tasks", Form::Count),
    ("worker slots", "/worker_slots", Form::Count),
    ("longest handoff", "/handoff_max_s", Form::Seconds),
    ("queryable", "/queryable", Form::Count),
    ("took", "/seconds", Form::Seconds),
];

const HOLD: [Column; 11] = [
    ("rate", "/rate_per_s", Form::Rate),
    ("for", "/seconds", Form::Seconds),
    ("rollovers", "/rollovers", Form::Count),
    ("backlog grew", "/growth_per_s", Form::Growth),
    ("± ", "/growth_half_width_per_s", Form::Rate),
    ("processed", "/processed_per_s", Form::Rate),
    ("queryable p50", "/queryable_s/p50", Form::Seconds),
    ("p99", "/queryable_s/p99", Form::Seconds),
    ("max", "/queryable_s/max", Form::Seconds),
    ("p99 with rollovers", "/queryable_with_rollovers_s/p99", Form::Seconds),
    ("max with rollovers", "/queryable_with_rollovers_s/max", Form::Seconds),
];

const SWEPT: [Column; 9] = [
    ("verdict", "/verdict", Form::Text),
    ("sustainable", "/sustainable_per_s", Form::Rate),
    ("capacity", "/capacity/per_s", Form::Rate),
    ("per task", "/per_task_per_s", Form::Rate),
    ("per core", "/per_core_per_s", Form::Rate),
    ("worker slots", "/worker_slots", Form::Count),
    ("longest handoff", "/handoff_max_s", Form::Seconds),
    ("segments", "/segments/count", Form::Count),
    ("bytes of segments", "/segments/bytes", Form::Bytes),
];

/// All searches of one call.
pub(super) fn find_max_section(number: usize, json: &Value, of_several: bool) -> Section<'_> {
    let mut section = Section::new(number, json).shorter(of_several);
    let quick = if json["quick"] == true { " (quick: its figures are rough)" } else { "" };
    section.html += &format!("<h2>find-max{quick}</h2>\n");
    section.facts("facts", &[("Druid", "/druid", Form::Text), ("Kafka", "/kafka", Form::Text)]);
    let searches = section.list_at("/searches");
    if searches.len() > 1 {
        write_sweep(&mut section, searches);
    }
    if section.has("/wanted") {
        section.heading("Tasks for a rate (--for)");
        section.facts(
            "facts",
            &[
                ("rows", "/wanted/rows_per_s", Form::Rate),
                ("tasks", "/wanted/task_count", Form::Count),
                ("measured with that many tasks", "/wanted/measured", Form::Text),
                ("worker slots", "/wanted/worker_slots", Form::Count),
            ],
        );
    }
    for (place, search) in searches.iter().enumerate() {
        write_search(&mut section, place, search);
    }
    write_machine(&mut section, &[]);
    section
}

fn write_sweep(section: &mut Section<'_>, searches: &[Value]) {
    let names: Vec<String> =
        searches.iter().map(|search| search["swept"].as_str().unwrap_or("–").to_owned()).collect();
    section.table_of_list("Sweep", "/searches", "/swept", &SWEPT);
    let line = |label: &str, colour: usize, pointer: &str| {
        let values = searches.iter().map(|search| search.pointer(pointer).and_then(Value::as_f64)).collect();
        Line::new(label, colour, values)
    };
    let short = |name: &String| name.rsplit_once('=').map_or(name.clone(), |(_, value)| value.to_owned());
    section.chart(Chart {
        id: format!("sweep-{}", section.number),
        title: names
            .first()
            .and_then(|name| name.split_once('='))
            .map_or("Sweep", |(place, _)| place)
            .to_owned(),
        group: format!("sweep-{}", section.number),
        x: "name",
        xs: (0..searches.len()).map(|place| place as f64).collect(),
        names: names.iter().map(short).collect(),
        unit: "/s",
        series: vec![
            line("sustainable", 1, "/sustainable_per_s"),
            line("capacity", 2, "/capacity/per_s").dashed(1),
            line("per task", 3, "/per_task_per_s").dashed(2),
        ],
        ..Chart::default()
    });
}

fn write_search(section: &mut Section<'_>, place: usize, search: &Value) {
    let here = format!("/searches/{place}");
    let class = match search["verdict"].as_str() {
        Some("sustainable") => "good",
        Some("not_stable") => "bad",
        _ => "doubtful",
    };
    let name = if section.has(&format!("{here}/swept")) { "swept" } else { "run" };
    let (name, words) = (
        section.figure(&format!("{here}/{name}"), Form::Text),
        section.figure(&format!("{here}/words"), Form::Text),
    );
    section.html += &format!("<h3>Search: {name}</h3>\n<p class=\"verdict {class}\">{words}</p>\n");
    section.facts_at("facts", &here, &SEARCH);
    for chart in charts(section.number, place, search) {
        section.chart(chart);
    }
    section.html += "<p class=\"marks\">Dashed: a part of the search begins, a task rolls over or pauses. Shaded: a block in which \
                     a task rolled over, paused or failed.</p>\n";
    section.table_of_list("Holds", &format!("{here}/holds"), "/end", &HOLD);
    section.table_of_list(
        "Rollovers",
        &format!("{here}/rollovers"),
        "",
        &[
            ("at", "/at_s", Form::Seconds),
            ("kind", "/kind", Form::Text),
            ("rows waited before", "/backlog_before", Form::Count),
            ("most that waited", "/backlog_peak", Form::Count),
            ("caught up after", "/recovered_after_s", Form::Seconds),
        ],
    );
    section.paragraphs("dim", &format!("{here}/notes"));
    section.details("the supervisor's spec", &format!("{here}/spec"));
}

/// The curves of a search.
fn charts(number: usize, place: usize, search: &Value) -> [Chart; 2] {
    let (bands, marks) = events(search);
    let blocks = search["blocks"].as_array().map_or(&[][..], Vec::as_slice);
    let line = |label: &str, colour: usize, key: &str| {
        Line::new(label, colour, blocks.iter().map(|block| block[key].as_f64()).collect())
    };
    let begin = |block: &Value| rounded(block["from_s"].as_f64().unwrap_or(0.0));
    let chart = |id: &str, title: &str, unit: &'static str, series: Vec<Line>| Chart {
        id: format!("{id}-{number}-{place}"),
        title: title.to_owned(),
        group: format!("search-{number}-{place}"),
        x: "s",
        xs: blocks.iter().map(begin).collect(),
        unit,
        stepped: unit == "/s",
        series,
        bands: bands.clone(),
        marks: marks.clone(),
        ..Chart::default()
    };
    let rates = vec![
        line("acknowledged", 2, "acked_per_s"),
        line("processed", 1, "processed_per_s").dashed(1),
        line("queryable", 3, "queryable_per_s"),
    ];
    [
        chart("search", "Rows per second, by block", "/s", rates),
        chart("backlog", "Rows that wait (backlog)", "", vec![line("backlog", 3, "backlog")]),
    ]
}

/// Where the parts of the search begin, and blocks that are not like the others.
fn events(search: &Value) -> (Vec<Band>, Vec<Mark>) {
    let blocks = search["blocks"].as_array().map_or(&[][..], Vec::as_slice);
    let rolled = blocks.iter().filter(|block| block["rollover"] == true || block["task_failed"] == true);
    let band = |block: &Value| {
        let kind = if block["task_failed"] == true { "away" } else { "pause" };
        Some(Band { from: block["from_s"].as_f64()?, to: block["to_s"].as_f64(), kind })
    };
    let mut marks: Vec<Mark> = Vec::new();
    let mut phase = "";
    for block in blocks {
        let now = block["phase"].as_str().unwrap_or_default();
        if now != phase {
            phase = now;
            marks.push(Mark { at: block["from_s"].as_f64().unwrap_or(0.0), label: now.to_owned() });
        }
    }
    let rollovers = search["rollovers"].as_array().map_or(&[][..], Vec::as_slice);
    // Reports of before have no kind.
    let rollover = |rollover: &Value| {
        let label = rollover["kind"].as_str().unwrap_or("rollover").to_owned();
        Some(Mark { at: rollover["at_s"].as_f64()?, label })
    };
    marks.extend(rollovers.iter().filter_map(rollover));
    (rolled.filter_map(band).collect(), marks)
}
