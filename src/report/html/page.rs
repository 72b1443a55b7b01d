//! The page around the sections.

use serde_json::Value;

use super::chart::Chart;
use super::figure::escape;
use super::find_max::find_max_section;
use super::replay::replay_section;
use super::section::Section;
use super::shown::{Kind, ShownReport};
use super::side_by_side::side_by_side;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
pub(super) const SCRIPT: &str = include_str!("page.js");
/// uPlot 1.6.32, from its npm package.
pub(super) const UPLOT: &str = include_str!("uplot/uPlot.iife.min.js");
const UPLOT_LICENCE: &str = include_str!("uplot/LICENSE");
const UPLOT_STYLE: &str = include_str!("uplot/uPlot.min.css");

/// SHA-256 of the two scripts: no other is run. A test says what they are.
pub(super) const SCRIPT_HASHES: [&str; 2] = [
    "sha256-GcjUxq2Ikpp59K5J1vcWFWbf0Lo9FcxJXpdPeH63jx8=",
    "sha256-ujJzhFmQIvkGxh4r9mfYTbc/n3jvSRhW7j21Pm7zzN0=",
];

/// More replays are shown side by side only, without a section for each.
const SECTIONS_MAX: usize = 5;

/// Steps in time of all charts with time on a page: a line of 1,500 takes 10 kB.
const STEPS_MAX: usize = 1_500;

/// The page for these reports, at least one of them and at most 20. It is below 400 kB.
pub fn html_page(reports: &[ShownReport]) -> String {
    let steps_max = (STEPS_MAX / reports.len().max(1)).max(60);
    let mut sections: Vec<Section<'_>> = Vec::new();
    if reports.iter().filter(|report| report.kind == Kind::Replay).count() > 1 {
        sections.push(side_by_side(reports, steps_max));
    }
    let of_several = reports.len() > 1;
    let in_detail = reports.len() <= SECTIONS_MAX;
    for (number, report) in reports.iter().enumerate() {
        match report.kind {
            Kind::Replay if in_detail => {
                sections.push(replay_section(number, &report.json, (steps_max, of_several)))
            }
            Kind::Replay => {}
            Kind::FindMax => sections.push(find_max_section(number, &report.json, of_several)),
        }
    }
    let charts: Vec<&Chart> = sections.iter().flat_map(|section| &section.charts).collect();
    let body: String = sections.iter().map(|section| section.html.as_str()).collect();
    fill(PAGE, |name| match name {
        "policy" => policy(),
        "title" => escape(&title(reports)),
        "style" => format!("{UPLOT_STYLE}\n{STYLE}"),
        "body" => format!("<h1>tweetblast</h1>\n{NO_SCRIPT}{body}"),
        "charts" => in_script(&charts),
        "uplot" => UPLOT.to_owned(),
        "licence" => UPLOT_LICENCE.to_owned(),
        _ => SCRIPT.to_owned(),
    })
}

const NO_SCRIPT: &str =
    "<noscript><p class=\"doubtful\">The charts need JavaScript; all else is below.</p></noscript>\n";

/// Nothing is loaded, and only our own scripts run.
fn policy() -> String {
    let [uplot, own] = SCRIPT_HASHES;
    format!("default-src 'none'; style-src 'unsafe-inline'; script-src '{uplot}' '{own}'")
}

fn title(reports: &[ShownReport]) -> String {
    match reports {
        [one] => match (&one.kind, one.json["label"].as_str().or(one.json["run"].as_str())) {
            (Kind::FindMax, _) => "tweetblast find-max".to_owned(),
            (Kind::Replay, name) => format!("tweetblast: {}", name.unwrap_or_default()),
        },
        several => format!("tweetblast: {} reports", several.len()),
    }
}

/// JSON that ends no script.
fn in_script(charts: &[&Chart]) -> String {
    // Numbers, names and texts: nothing that cannot be written.
    let text = serde_json::to_value(charts).unwrap_or(Value::Null).to_string();
    text.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

/// A text with `{{name}}` replaced, once: what is put in is not looked at again.
fn fill(template: &str, value: impl Fn(&str) -> String) -> String {
    let mut parts = template.split("{{");
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once("}}").unwrap_or(("", part));
        filled += &value(name);
        filled += rest;
    }
    filled
}
