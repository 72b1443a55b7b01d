//! Several replays side by side: a table with a column for each, and their curves in one chart.

use serde_json::Value;

use super::super::Noun;
use super::chart::{Chart, Line};
use super::figure::{Form, escape, figure};
use super::percentiles::{LATENCIES, histogram_at, percentile_chart};
use super::section::{Column, Section};
use super::shown::{Kind, ShownReport};
use super::steps::{Join, Steps};

const ROWS: [Column; 27] = [
    ("run", "/run", Form::Text),
    ("verdict", "/verdict", Form::Text),
    ("pace", "/pace/requested", Form::Text),
    ("first send", "/pace/started_at", Form::Text),
    ("sent", "/ledger/published", Form::Count),
    ("acknowledged", "/ledger/delivered", Form::Count),
    ("failed", "/ledger/failed", Form::Count),
    ("queryable", "/ledger/queryable", Form::Count),
    ("rate", "/pace/rate_per_s", Form::Rate),
    ("sending took", "/pace/duration_s", Form::Seconds),
    ("lag p50", "/pace/lag_ms/p50", Form::Millis),
    ("lag p99", "/pace/lag_ms/p99", Form::Millis),
    ("lag max", "/pace/lag_ms/max", Form::Millis),
    ("acknowledged p50", "/hops/kafka/acked_ms/p50", Form::Millis),
    ("acknowledged p99", "/hops/kafka/acked_ms/p99", Form::Millis),
    ("acknowledged max", "/hops/kafka/acked_ms/max", Form::Millis),
    ("queryable p50", "/druid/time_to_queryable_ms/p50", Form::Millis),
    ("queryable p99", "/druid/time_to_queryable_ms/p99", Form::Millis),
    ("queryable max", "/druid/time_to_queryable_ms/max", Form::Millis),
    ("last row after", "/druid/queryable_after_s", Form::Seconds),
    ("outages", "/outages_total", Form::Count),
    ("bottleneck", "/bottleneck", Form::Text),
    ("CPU per tweet", "/cpu/us_per_tweet", Form::Micros),
    ("memory", "/memory/own_mib", Form::Mebibytes),
    ("version", "/tweetblast_version", Form::Text),
    ("commit", "/environment/commit", Form::Text),
    ("processor", "/environment/cpu_model", Form::Text),
];

/// Lines of a chart at most: more are not told apart.
const LINES_MAX: usize = 8;

/// All replays among the reports.
pub(super) fn side_by_side(reports: &[ShownReport], steps_max: usize) -> Section<'_> {
    let mut section = Section::new(0, &Value::Null);
    let replays: Vec<(usize, &Value)> = (0..)
        .zip(reports)
        .filter(|(_, report)| report.kind == Kind::Replay)
        .map(|(number, report)| (number, &report.json))
        .collect();
    // If one run sent tweets, the page says tweets of all.
    section.noun = replays.iter().all(|(_, json)| Noun::of_report(json) == Noun::Event).into();
    section.html += "<h2>Side by side</h2>\n";
    write_table(&mut section, &replays);
    let shown = &replays[..replays.len().min(LINES_MAX)];
    section.chart(rates(shown, steps_max));
    for (name, histogram, _) in LATENCIES {
        let histograms: Vec<_> = shown
            .iter()
            .filter_map(|(number, json)| Some((name_of(*number, json), histogram_at(json, histogram)?)))
            .collect();
        let id = format!("all-{}", name.replace(' ', "-"));
        let chart = percentile_chart(&histograms);
        section.chart(Chart {
            title: format!("{name}, {}", section.noun.of("by share of the tweets")),
            group: id.clone(),
            id,
            ..chart
        });
    }
    if replays.len() > LINES_MAX {
        section.html += &format!("<p class=\"dim\">The charts show the first {LINES_MAX} runs.</p>\n");
    }
    section
}

fn write_table(section: &mut Section<'_>, replays: &[(usize, &Value)]) {
    let mut html = "<div class=\"scroll\"><table><thead><tr><th></th>".to_owned();
    for (number, json) in replays {
        html += &format!("<th class=\"number\">{}</th>", escape(&name_of(*number, json)));
    }
    html += "</tr></thead><tbody>\n";
    let is_known = |pointer: &str| {
        replays.iter().any(|(_, json)| json.pointer(pointer).is_some_and(|value| !value.is_null()))
    };
    for (name, pointer, form) in ROWS.iter().filter(|(_, pointer, _)| is_known(pointer)) {
        html += &format!("<tr><td>{}</td>", escape(&section.noun.of(name)));
        for (number, json) in replays {
            html += &format!("<td class=\"number\">{}</td>", figure(*number, json, pointer, *form));
        }
        html += "</tr>\n";
    }
    section.html += &(html + "</tbody></table></div>\n");
}

/// Its label, or its place among the reports.
fn name_of(number: usize, json: &Value) -> String {
    match json["label"].as_str() {
        Some(label) => label.chars().take(40).collect(),
        None => format!("run {}", number + 1),
    }
}

/// What was sent by each, over the same time.
fn rates(replays: &[(usize, &Value)], steps_max: usize) -> Chart {
    let steps_of = |json: &'_ Value| Steps::new(&json["series"], steps_max).every_s();
    let every = replays.iter().map(|(_, json)| steps_of(json)).fold(1.0, f64::max);
    let line = |(place, (number, json)): (usize, &(usize, &Value))| {
        let values = Steps::with_steps_of(&json["series"], every).list("published", Join::PerSecond)?;
        Some(Line::new(name_of(*number, json), place + 1, values).dashed(place))
    };
    let mut series: Vec<Line> = replays.iter().enumerate().filter_map(line).collect();
    let longest = series.iter().map(|line| line.values.len()).max().unwrap_or(0);
    series.iter_mut().for_each(|line| line.values.resize(longest, None));
    let id = "all-rates".to_owned();
    let title = "Sent per second".to_owned();
    Chart {
        group: id.clone(),
        id,
        title,
        x: "s",
        every,
        unit: "/s",
        stepped: true,
        series,
        ..Chart::default()
    }
}
