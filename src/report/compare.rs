//! Two saved reports side by side: what was asked, what came of it, the difference, and what keeps
//! the two from being compared.

use std::io::Read;

use indicatif::HumanBytes;
use serde_json::Value;
use textwrap::core::display_width;

use super::metric::METRICS;
use super::page::{Layout, Page};
use super::words::counted;
use super::{REPORT_VERSION, Verdict};

/// A report that was read back.
#[derive(Debug, Clone)]
pub struct SavedReport {
    pub(super) name: String,
    pub(super) json: Value,
}

/// Why a file is not a report.
#[derive(Debug, thiserror::Error)]
pub enum ReportFileError {
    /// It cannot be read.
    #[error("cannot be read")]
    Read(#[source] std::io::Error),
    /// Longer than any report.
    #[error("is not a report of a replay: it is longer than 64 MiB")]
    TooLong,
    /// No JSON.
    #[error("is not a report of a replay: it is not JSON")]
    NoJson(#[source] serde_json::Error),
    /// Some other JSON.
    #[error("is JSON, but not a report of a replay: `tweetblast tweets.json --json FILE` writes one")]
    NoReport,
    /// A report of another version.
    #[error("is a report of version {0}, and this tweetblast reads version {REPORT_VERSION}: run it again")]
    Version(u64),
}

/// Bounds the memory for a file that turns out to be none; reports are some 10 KB.
const LONGEST_BYTES: u64 = 64 << 20;

impl SavedReport {
    /// Reads the report of one replay; `name` is what it is called in the comparison.
    ///
    /// # Errors
    /// When it is not a report.
    pub fn read(name: &str, from: impl Read) -> Result<Self, ReportFileError> {
        let mut text = Vec::new();
        from.take(LONGEST_BYTES + 1).read_to_end(&mut text).map_err(ReportFileError::Read)?;
        if text.len() as u64 > LONGEST_BYTES {
            return Err(ReportFileError::TooLong);
        }
        let json: Value = serde_json::from_slice(&text).map_err(ReportFileError::NoJson)?;
        let is_report = json["run"].is_string() && json["ledger"].is_object() && json["pace"].is_object();
        match json["report_version"].as_u64().filter(|_| is_report) {
            None => Err(ReportFileError::NoReport),
            Some(version) if version != u64::from(REPORT_VERSION) => Err(ReportFileError::Version(version)),
            Some(_) => Ok(Self { name: name.to_owned(), json }),
        }
    }

    /// A value as text, `-` if there is none. Characters that could move the cursor are omitted.
    fn words(&self, pointer: &str) -> String {
        let words = match self.json.pointer(pointer) {
            None | Some(Value::Null) => "-".to_owned(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        plain(&words)
    }

    fn number(&self, pointer: &str) -> Option<f64> {
        self.json.pointer(pointer)?.as_f64()
    }

    fn machine(&self) -> String {
        let memory = self.number("/environment/memory_mib");
        let memory = memory.map_or("-".to_owned(), |mib| format!("{:.1}", mib / 1_024.0));
        let (cpu, cores) = (self.words("/environment/cpu_model"), self.words("/environment/cores"));
        format!("{cpu}, {cores} cores, {memory} GiB")
    }

    fn input(&self) -> String {
        let bytes = self.number("/input/bytes").map_or(0, |bytes| bytes as u64);
        format!("{}, {}", self.words("/input/file"), HumanBytes(bytes))
    }

    fn build(&self) -> String {
        let of = |key: &str| self.words(&format!("/environment/{key}"));
        format!("{} ({}, {})", self.words("/tweetblast_version"), of("commit"), of("profile"))
    }

    fn ended(&self) -> String {
        format!("{}, exit code {}", self.words("/verdict"), self.words("/exit_code"))
    }

    fn command(&self) -> Vec<&str> {
        let command = self.json.pointer("/environment/command").and_then(Value::as_array);
        command.into_iter().flatten().filter_map(Value::as_str).collect()
    }
}

/// The page with both, side by side.
pub fn comparison_page(a: &SavedReport, b: &SavedReport, layout: Layout) -> String {
    let texts: [(&str, [String; 2]); 13] = [
        ("", [format!("A {}", plain(&a.name)), format!("B {}", plain(&b.name))]),
        ("label", [a, b].map(|run| run.words("/label"))),
        ("run", [a, b].map(|run| run.words("/run"))),
        ("input", [a, b].map(SavedReport::input)),
        ("requested", [a, b].map(|run| run.words("/pace/requested"))),
        ("order", [a, b].map(|run| run.words("/pace/order"))),
        ("ended", [a, b].map(SavedReport::ended)),
        ("bottleneck", [a, b].map(|run| run.words("/bottleneck"))),
        ("tweetblast", [a, b].map(SavedReport::build)),
        ("rustc", [a, b].map(|run| run.words("/environment/rustc"))),
        ("librdkafka", [a, b].map(|run| run.words("/environment/librdkafka"))),
        ("machine", [a, b].map(SavedReport::machine)),
        ("kernel", [a, b].map(|run| run.words("/environment/kernel"))),
    ];
    let mut page = Page::new(layout);
    write_texts(&texts, &mut page);
    page.blank();
    page.line(format!("  {:<16}  {:>12}  {:>12}  {:>11}", "", "A", "B", "B against A"));
    for metric in METRICS {
        let values = [a, b].map(|run| metric.of(&run.json));
        if values != [None, None] {
            let [a, b] = values.map(|value| value.map_or("-".to_owned(), |value| metric.unit.words(value)));
            let name = metric.name;
            page.line(format!("  {name:<16}  {a:>12}  {b:>12}  {:>11}", difference(values)));
        }
    }
    page.blank();
    let differences = not_comparable(a, b);
    if differences.is_empty() {
        page.line("comparable: the same input, machine and command");
    }
    for difference in differences {
        let mut lines = difference.lines();
        page.line(format!("not comparable: {}", lines.next().unwrap_or_default()));
        lines.for_each(|line| page.hanging("  ", line));
    }
    page.finish()
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

/// From the first to the second, in per cent of the first.
fn difference(values: [Option<f64>; 2]) -> String {
    match values {
        [Some(a), Some(b)] if a == b => "same".to_owned(),
        [Some(a), Some(b)] if a != 0.0 => {
            let per_cent = format!("{:+.1} %", (b - a) / a * 100.0);
            if per_cent == "-0.0 %" { "+0.0 %".to_owned() } else { per_cent }
        }
        _ => "-".to_owned(),
    }
}

/// What differs between the two runs besides what was measured.
pub(super) fn not_comparable(a: &SavedReport, b: &SavedReport) -> Vec<String> {
    let mut found = Vec::new();
    for (pointer, words) in [
        ("/environment/input_hash", "another input"),
        ("/environment/profile", "another build profile"),
        ("/environment/kernel", "another kernel"),
    ] {
        match [a, b].map(|run| run.words(pointer)) {
            [a, b] if a == "-" || b == "-" => found.push(format!("perhaps {words}: A {a}, B {b}")),
            [a, b] if a != b => found.push(format!("{words}: A {a}, B {b}")),
            _ => {}
        }
    }
    let [machine_a, machine_b] = [a, b].map(SavedReport::machine);
    if machine_a != machine_b {
        found.push(format!("another machine: A {machine_a}, B {machine_b}"));
    }
    let [command_a, command_b] = [a, b].map(SavedReport::command);
    if what_it_does(&command_a) != what_it_does(&command_b) {
        found.push(format!(
            "another command:\n  A  {}\n  B  {}",
            command_words(&command_a),
            command_words(&command_b)
        ));
    }
    for (name, run) in [("A", a), ("B", b)] {
        let sent = counted(run.number("/ledger/published").map_or(0, |sent| sent as u64), "tweet");
        match &*run.words("/verdict") {
            word if word == Verdict::Balanced.name() => {}
            word if word == Verdict::Incomplete.name() => {
                found.push(format!("{name} is incomplete: it ended after {sent}"));
            }
            word if word == Verdict::Unknown.name() => {
                found.push(format!("{name} is unknown: whether every tweet arrived could not be counted"));
            }
            word if word == Verdict::Unproven.name() => {
                found.push(format!("{name} is unproven: its settings do not prove that every tweet arrived"));
            }
            _ => found.push(format!("{name} is unbalanced: not every tweet arrived")),
        }
        if let Some(error) = run.json["error"].as_str() {
            found.push(format!("{name} ended with an error: {}", plain(error)));
        }
    }
    found
}

/// Flags that say what becomes of the report, with a value and without one: the runs are the same.
const REPORT_FLAGS: [(&str, bool); 9] = [
    ("--json", true),
    ("--label", true),
    ("--fail-if", true),
    ("--dead-letter", true),
    ("--force", false),
    ("--quiet", false),
    ("-q", false),
    ("-qq", false),
    ("-o", true),
];

/// The arguments that have a say in the run.
fn what_it_does<'a>(command: &[&'a str]) -> Vec<&'a str> {
    let mut kept = Vec::new();
    let mut arguments = command.iter().skip(1);
    while let Some(argument) = arguments.next() {
        let (name, with_value) =
            argument.split_once('=').map_or((*argument, false), |(name, _)| (name, true));
        match REPORT_FLAGS.iter().find(|(flag, _)| *flag == name) {
            Some((_, true)) if !with_value => {
                arguments.next();
            }
            Some(_) => {}
            None => kept.push(*argument),
        }
    }
    kept
}

/// A command line as a shell takes it.
fn command_words(command: &[&str]) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=,@%+*".contains(&byte);
    let quoted = |word: &&str| match !word.is_empty() && word.bytes().all(is_plain) {
        true => (*word).to_owned(),
        false => format!("'{}'", plain(word).replace('\'', r"'\''")),
    };
    let words: Vec<String> = command.iter().map(quoted).collect();
    if words.is_empty() { "-".to_owned() } else { words.join(" ") }
}

fn plain(text: &str) -> String {
    text.replace(char::is_control, " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn differences_are_in_per_cent_of_the_first() {
        assert_eq!(difference([Some(200.0), Some(250.0)]), "+25.0 %");
        assert_eq!(difference([Some(200.0), Some(100.0)]), "-50.0 %");
        assert_eq!(difference([Some(1e6), Some(1e6 - 1.0)]), "+0.0 %");
        assert_eq!(difference([Some(0.0), Some(0.0)]), "same");
        assert_eq!(difference([Some(0.0), Some(5.0)]), "-");
        assert_eq!(difference([None, Some(5.0)]), "-");
    }

    #[test]
    fn flags_of_the_report_make_no_other_command() {
        let does = |words: &'static str| what_it_does(&words.split(' ').collect::<Vec<_>>());
        let one = does("tweetblast a.json --json a --label=x -q --rate 5/s --fail-if failed>0");
        assert_eq!(one, ["a.json", "--rate", "5/s"]);
        assert_eq!(one, does("./tweetblast a.json --rate 5/s --force --json=b"));
        assert_ne!(one, does("tweetblast a.json --rate 6/s"));
        assert_eq!(command_words(&["a", "b c", "it's", ""]), r"a 'b c' 'it'\''s' ''");
    }

    #[test]
    fn files_that_are_not_reports_are_errors() {
        let read =
            |text: &str| SavedReport::read("x", text.as_bytes()).map(|_| ()).map_err(|e| e.to_string());
        assert!(read("{").unwrap_err().contains("not JSON"));
        assert!(read("[1]").unwrap_err().contains("is JSON, but"));
        assert!(read("{\"report_version\": 1}").unwrap_err().contains("is JSON, but"));
        let report = |version: u32| json!({"report_version": version, "run": "r", "ledger": {}, "pace": {}});
        assert!(
            read(&report(1).to_string())
                .unwrap_err()
                .contains("version 1, and this tweetblast reads version 2: run it again")
        );
        assert_eq!(read(&report(2).to_string()), Ok(()));
    }

    #[test]
    fn reports_with_nothing_in_them_are_compared_all_the_same() {
        let bare = json!({"report_version": 2, "run": "a\u{1b}[2J\n", "ledger": {"failed": 3}, "pace": {}});
        let bare = SavedReport::read("bare", bare.to_string().as_bytes()).unwrap();
        let out = comparison_page(&bare, &bare, Layout::default());
        assert!(out.contains("perhaps another input") && !out.contains('\u{1b}'), "{out}");
        assert!(out.lines().any(|line| line.contains("failed") && line.contains("same")), "{out}");
    }
}
