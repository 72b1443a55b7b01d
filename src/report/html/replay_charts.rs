//! The charts of a replay.

use serde_json::Value;

use super::chart::{Band, Chart, Line, Mark};
use super::percentiles::{LATENCIES, histogram_at, percentile_chart};
use super::section::Section;
use super::steps::{Join, Steps};
use crate::report::words::seconds;

/// Lines of the series: their names on the page and in the report, with a colour and a dash for each.
type Lines = [(&'static str, &'static str, usize, usize)];

const RATES: &Lines = &[
    ("asked", "intended", 0, 1),
    ("sent", "published", 1, 0),
    ("acknowledged", "delivered", 2, 0),
    ("queryable", "queryable", 3, 0),
];
const WAITING: &Lines = &[
    ("sent, not acknowledged", "in_flight", 2, 0),
    ("acknowledged, not queryable (backlog)", "backlog", 3, 0),
];
const SLOWEST: &Lines = &[
    ("lag p99", "lag_p99_ms", 1, 0),
    ("lag max", "lag_max_ms", 1, 2),
    ("acknowledged p99", "acked_p99_ms", 2, 0),
    ("acknowledged max", "acked_max_ms", 2, 2),
];

pub(super) fn write_charts(section: &mut Section<'_>, steps_max: usize) {
    if section.has("/series") {
        let steps = Steps::new(&section.json["series"], steps_max);
        let ((bands, marks), noun) = (events(section), section.noun);
        let every = seconds(steps.every_s());
        for (id, title, lines, join) in [
            (
                "rates",
                format!("{}, in steps of {every}", noun.of("Tweets per second")),
                RATES,
                Join::PerSecond,
            ),
            ("waiting", noun.of("Tweets that wait"), WAITING, Join::Greatest),
            ("slowest", noun.of("Slowest tweets of each step"), SLOWEST, Join::Greatest),
        ] {
            section.chart(Chart {
                id: format!("{id}-{}", section.number),
                title,
                group: format!("time-{}", section.number),
                x: "s",
                every: steps.every_s(),
                unit: match id {
                    "rates" => "/s",
                    "slowest" => "ms",
                    _ => "",
                },
                stepped: id != "waiting",
                levels: id == "waiting",
                series: lines_of(&steps, lines, join),
                bands: bands.clone(),
                marks: marks.clone(),
                ..Chart::default()
            });
        }
        if !bands.is_empty() || !marks.is_empty() {
            section.html += "<p class=\"marks\">Shaded: outages (red) and pauses (grey). Dashed: rollovers of Druid's tasks, changes of \
                 speed.</p>\n";
        }
    }
    let histograms = LATENCIES.iter().filter_map(|(name, histogram, _)| {
        Some(((*name).to_owned(), histogram_at(section.json, histogram)?))
    });
    let id = format!("percentiles-{}", section.number);
    let chart = percentile_chart(&histograms.collect::<Vec<_>>());
    section.chart(Chart {
        title: section.noun.of("How long it took, by share of the tweets"),
        group: id.clone(),
        id,
        ..chart
    });
}

fn lines_of(steps: &Steps<'_>, lines: &Lines, join: Join) -> Vec<Line> {
    let line = |(label, name, colour, dash): &(&str, &str, usize, usize)| {
        let values = steps.list(name, join)?;
        values.iter().any(Option::is_some).then(|| Line::new(*label, *colour, values).dashed(*dash))
    };
    lines.iter().filter_map(line).collect()
}

/// What was away or paused, and what happened when.
fn events(section: &Section<'_>) -> (Vec<Band>, Vec<Mark>) {
    let list = |pointer: &str| section.list_at(pointer);
    let most = 2 * section.rows_max();
    let outage = |outage: &Value| {
        let from = outage["at_s"].as_f64()?;
        Some(Band { from, to: outage["duration_s"].as_f64().map(|length| from + length), kind: "away" })
    };
    let pause = |change: &Value| {
        let from = change["at_s"].as_f64()?;
        let length = change["paused_s"].as_f64().or(change["stopped_s"].as_f64())?;
        Some(Band { from, to: Some(from + length), kind: "pause" })
    };
    let bands =
        list("/outages").iter().filter_map(outage).chain(list("/pace/changes").iter().filter_map(pause));
    let rollover = |at_s: &Value| Some(Mark { at: at_s.as_f64()?, label: "rollover".to_owned() });
    let speed = |change: &Value| {
        Some(Mark {
            at: change["at_s"].as_f64()?,
            label: format!("speed × {}", change["speed_factor"].as_f64()?),
        })
    };
    let marks = list("/druid/ingestion/rollovers_s")
        .iter()
        .filter_map(rollover)
        .chain(list("/pace/changes").iter().filter_map(speed));
    (bands.take(most).collect(), marks.take(most).collect())
}
