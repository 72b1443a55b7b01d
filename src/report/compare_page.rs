//! The page of a comparison, and its table in Markdown.

use std::fmt::Write;

use textwrap::core::display_width;

use super::compare::{SavedReport, plain};
use super::comparison::{ComparedMetric, Comparison};
use super::page::{BAD, DOUBTFUL, GOOD, Layout, Page};
use super::words::counted;

/// The page with both sides.
pub fn comparison_page(
    compared: &Comparison,
    a: &[SavedReport],
    b: &[SavedReport],
    layout: Layout,
) -> String {
    let mut page = Page::new(layout);
    if let ([first_a, ..], [first_b, ..]) = (a, b) {
        write_texts(&texts([first_a, first_b], [a.len(), b.len()]), &mut page);
    }
    page.blank();
    write_metrics(compared, &mut page);
    page.blank();
    if compared.differences.is_empty() {
        page.line("comparable: the same input, machine and command");
    }
    for difference in &compared.differences {
        let mut lines = difference.lines();
        page.line(format!("not comparable: {}", lines.next().unwrap_or_default()));
        lines.for_each(|line| page.hanging("  ", line));
    }
    for words in &compared.too_short {
        page.line(format!("too short to compare: {words}"));
    }
    match compared.has_intervals() {
        true => page.line(changed_words(compared)),
        false => page.line(ONE_RUN),
    }
    for threshold in &compared.thresholds {
        let style = if threshold.failed { BAD } else { GOOD };
        let state = page.paint(style, if threshold.failed { "FAILED" } else { "held" });
        let change = threshold.change_percent.map_or("-".to_owned(), percent);
        let why = if threshold.why == "held" { String::new() } else { format!(", {}", threshold.why) };
        page.line(format!("fail if {}: {state}, {change}{why}", threshold.expression));
    }
    page.finish()
}

const ONE_RUN: &str = "noise is not known with one run on a side: several runs a side tell a change from noise, \
                       `tweetblast compare A1 A2 A3 -- B1 B2 B3`";

/// What the two sides are, besides what was measured.
fn texts([a, b]: [&SavedReport; 2], counts: [usize; 2]) -> Vec<(&'static str, [String; 2])> {
    let name = |side: &str, run: &SavedReport, count: usize| match count {
        1 => format!("{side} {}", plain(&run.name)),
        count => format!("{side} {} and {} more", plain(&run.name), count - 1),
    };
    let both = |pointer: &str| [a, b].map(|run| run.words(pointer));
    vec![
        ("", [name("A", a, counts[0]), name("B", b, counts[1])]),
        ("label", both("/label")),
        ("run", both("/run")),
        ("input", [a, b].map(SavedReport::input)),
        ("requested", both("/pace/requested")),
        ("order", both("/pace/order")),
        ("ended", [a, b].map(SavedReport::ended)),
        ("bottleneck", both("/bottleneck")),
        ("partitions", [a, b].map(SavedReport::partitions)),
        ("tasks", both("/druid/spec/spec/ioConfig/taskCount")),
        ("tweetblast", [a, b].map(SavedReport::build)),
        ("rustc", both("/environment/rustc")),
        ("librdkafka", both("/environment/librdkafka")),
        ("machine", [a, b].map(SavedReport::machine)),
        ("kernel", both("/environment/kernel")),
    ]
}

fn write_metrics(compared: &Comparison, page: &mut Page) {
    let has_intervals = compared.has_intervals();
    let head = if has_intervals { "between" } else { "" };
    page.line(format!("  {:<16}  {:>12}  {:>12}  {:>11}  {head}", "", "A", "B", "B against A").trim_end());
    for metric in &compared.metrics {
        let [a, b] = values(metric);
        let mut line = format!("  {:<16}  {a:>12}  {b:>12}  {:>11}", metric.name, difference(metric));
        if let Some(interval) = interval(metric).filter(|_| has_intervals) {
            let _ = write!(line, "  {interval}");
        }
        if metric.beyond_noise == Some(true) {
            let _ = write!(line, "  {}", page.paint(DOUBTFUL, "beyond noise"));
        }
        page.line(line);
    }
}

fn values(metric: &ComparedMetric) -> [String; 2] {
    [metric.a, metric.b].map(|value| value.map_or("-".to_owned(), |value| metric.metric.unit.words(value)))
}

fn interval(metric: &ComparedMetric) -> Option<String> {
    let (low, high) = metric.low_percent.zip(metric.high_percent).filter(|(low, high)| low < high)?;
    Some(format!("{low:+.1} to {high:+.1} %"))
}

fn changed_words(compared: &Comparison) -> String {
    let changed: Vec<&str> =
        compared.metrics.iter().filter(|m| m.beyond_noise == Some(true)).map(|m| m.name).collect();
    match &changed[..] {
        [] => "no change beyond noise".to_owned(),
        names => format!("{} beyond noise: {}", counted(names.len() as u64, "change"), names.join(", ")),
    }
}

/// The figures as a table in Markdown, with what is to be known of them.
pub fn comparison_markdown(compared: &Comparison) -> String {
    let mut out = String::from(
        "| figure | A | B | B against A | between | |\n| --- | ---: | ---: | ---: | ---: | --- |\n",
    );
    for metric in &compared.metrics {
        let [a, b] = values(metric);
        let verdict = if metric.beyond_noise == Some(true) { "**beyond noise**" } else { "" };
        let between = interval(metric).unwrap_or_default();
        // Writing to a string cannot fail.
        let _ =
            writeln!(out, "| {} | {a} | {b} | {} | {between} | {verdict} |", metric.name, difference(metric));
    }
    let summary = if compared.has_intervals() { changed_words(compared) } else { ONE_RUN.to_owned() };
    let _ =
        write!(out, "\nA: {}; B: {}. {summary}.\n", side(compared.a_runs.len()), side(compared.b_runs.len()));
    for words in &compared.differences {
        let _ = writeln!(out, "- not comparable: {}", words.replace('\n', " "));
    }
    for words in &compared.too_short {
        let _ = writeln!(out, "- too short to compare: {words}");
    }
    for threshold in &compared.thresholds {
        let state = if threshold.failed { "FAILED" } else { "held" };
        let change = threshold.change_percent.map_or("-".to_owned(), percent);
        let _ = writeln!(out, "- fail if `{}`: {state}, {change}", threshold.expression);
    }
    out
}

fn side(runs: usize) -> String {
    counted(runs as u64, "run")
}

/// Side by side where the terminal is wide enough, else one below the other, and once where they are the
/// same.
fn write_texts(texts: &[(&str, [String; 2])], page: &mut Page) {
    let widest = |side: usize| texts.iter().map(|(_, both)| display_width(&both[side])).max().unwrap_or(0);
    let (width, head) = (widest(0), |name: &str| format!("  {name:<16}  "));
    let fits = page.columns().is_none_or(|columns| head("").len() + width + 2 + widest(1) <= columns);
    for (name, [a, b]) in texts {
        let gap = " ".repeat(width - display_width(a));
        match fits {
            true => page.line(format!("{}{a}{gap}  {b}", head(name))),
            false if a == b => page.hanging(&head(name), a),
            false if name.is_empty() => {
                page.hanging(&head(name), a);
                page.hanging(&head(""), b);
            }
            false => {
                page.hanging(&(head(name) + "A "), a);
                page.hanging(&(head("") + "B "), b);
            }
        }
    }
}

/// From A to B, in per cent of A.
fn difference(metric: &ComparedMetric) -> String {
    match (metric.a, metric.b, metric.change_percent) {
        (Some(a), Some(b), _) if a == b => "same".to_owned(),
        (.., Some(change)) => percent(change),
        _ => "-".to_owned(),
    }
}

fn percent(change: f64) -> String {
    let words = format!("{change:+.1} %");
    if words == "-0.0 %" { "+0.0 %".to_owned() } else { words }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{ChangeThreshold, REPORT_VERSION};
    use serde_json::json;

    fn report(name: &str, cpu: f64) -> SavedReport {
        let json = json!({
            "report_version": REPORT_VERSION, "run": name, "ledger": {"delivered": 1_000},
            "pace": {"duration_s": 30.0}, "cpu": {"us_per_tweet": cpu},
        });
        SavedReport::read(name, json.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn differences_are_in_per_cent_of_the_first() {
        assert_eq!([25.0, -50.0, -0.000_1].map(percent), ["+25.0 %", "-50.0 %", "+0.0 %"]);
    }

    #[test]
    fn several_runs_have_intervals_and_an_opinion() {
        let (a, b) =
            ([4.0, 4.1, 4.0].map(|cpu| report("a", cpu)), [5.0, 5.1, 5.0].map(|cpu| report("b", cpu)));
        let fail_if: Vec<ChangeThreshold> =
            ["cpu>+5%", "delivered<-1%"].map(|text| text.parse().unwrap()).into();
        let compared = Comparison::of(&a, &b, &fail_if);
        insta::assert_snapshot!(
            comparison_page(&compared, &a, &b, Layout::default()) + &comparison_markdown(&compared)
        );
        let one = Comparison::of(&a[..1], &b[..1], &fail_if);
        let page = comparison_page(&one, &a[..1], &b[..1], Layout::default());
        assert!(page.contains("noise is not known") && page.contains("FAILED, +25.0 %"), "{page}");
    }

    #[test]
    fn reports_with_nothing_in_them_are_compared_still() {
        let bare = json!({"report_version": 2, "run": "a\u{1b}[2J\n", "ledger": {"failed": 3}, "pace": {}});
        let bare = [SavedReport::read("bare", bare.to_string().as_bytes()).unwrap()];
        let out = comparison_page(&Comparison::of(&bare, &bare, &[]), &bare, &bare, Layout::default());
        assert!(out.contains("perhaps another input") && !out.contains('\u{1b}'), "{out}");
        assert!(out.lines().any(|line| line.contains("failed") && line.contains("same")), "{out}");
    }
}
