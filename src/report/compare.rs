//! Saved reports: what they say of a run, and what keeps runs from being compared.

use std::io::Read;

use indicatif::HumanBytes;
use serde_json::Value;

use super::words::seconds;
use super::{Noun, REPORT_VERSION, Verdict};

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
    /// Some other JSON, where a report of find-max is taken too.
    #[error(
        "is JSON, but not a report of a replay or of find-max: `tweetblast tweets.json --json FILE` writes one"
    )]
    NoneToShow,
    /// A report of another version.
    #[error("is a report of version {found}, and this tweetblast reads version {known}: run it again")]
    Version { found: u64, known: u32 },
}

/// Bounds the memory for a file that turns out to be none; those of a day have 6 MB.
const LONGEST_BYTES: u64 = 64 << 20;

/// The JSON of a report.
pub(super) fn read_json(from: impl Read) -> Result<Value, ReportFileError> {
    let mut text = Vec::new();
    from.take(LONGEST_BYTES + 1).read_to_end(&mut text).map_err(ReportFileError::Read)?;
    if text.len() as u64 > LONGEST_BYTES {
        return Err(ReportFileError::TooLong);
    }
    serde_json::from_slice(&text).map_err(ReportFileError::NoJson)
}

/// Checks the version that a report has, against the one that is known.
pub(super) fn check_version(
    version: &Value,
    known: u32,
    otherwise: ReportFileError,
) -> Result<(), ReportFileError> {
    match version.as_u64() {
        None => Err(otherwise),
        Some(found) if found != u64::from(known) => Err(ReportFileError::Version { found, known }),
        Some(_) => Ok(()),
    }
}

impl SavedReport {
    /// Reads the report of one replay; `name` is what it is called in the comparison.
    ///
    /// # Errors
    /// When it is not a report.
    pub fn read(name: &str, from: impl Read) -> Result<Self, ReportFileError> {
        let json = read_json(from)?;
        let is_report = json["run"].is_string() && json["ledger"].is_object() && json["pace"].is_object();
        if !is_report {
            return Err(ReportFileError::NoReport);
        }
        check_version(&json["report_version"], REPORT_VERSION, ReportFileError::NoReport)?;
        Ok(Self { name: name.to_owned(), json })
    }

    /// A value as text, `-` if there is none. Characters that could move the cursor are omitted.
    pub(super) fn words(&self, pointer: &str) -> String {
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

    pub(super) fn machine(&self) -> String {
        let memory = self.number("/environment/memory_mib");
        let memory = memory.map_or("-".to_owned(), |mib| format!("{:.1}", mib / 1_024.0));
        let (cpu, cores) = (self.words("/environment/cpu_model"), self.words("/environment/cores"));
        format!("{cpu}, {cores} cores, {memory} GiB")
    }

    pub(super) fn input(&self) -> String {
        let bytes = self.number("/input/bytes").map_or(0, |bytes| bytes as u64);
        format!("{}, {}", self.words("/input/file"), HumanBytes(bytes))
    }

    pub(super) fn build(&self) -> String {
        let of = |key: &str| self.words(&format!("/environment/{key}"));
        format!("{} ({}, {})", self.words("/tweetblast_version"), of("commit"), of("profile"))
    }

    pub(super) fn ended(&self) -> String {
        format!("{}, exit code {}", self.words("/verdict"), self.words("/exit_code"))
    }

    /// Partitions of the topic.
    pub(super) fn partitions(&self) -> String {
        let partitions = self.json.pointer("/series/partitions/delivered").and_then(Value::as_array);
        partitions.map_or("-".to_owned(), |partitions| partitions.len().to_string())
    }

    fn command(&self) -> Vec<&str> {
        let command = self.json.pointer("/environment/command").and_then(Value::as_array);
        command.into_iter().flatten().filter_map(Value::as_str).collect()
    }
}

/// What differs between the runs of two sides besides what was measured: each against the first of A.
pub(super) fn not_comparable(a: &[SavedReport], b: &[SavedReport]) -> Vec<String> {
    let [first_a, others_a @ ..] = a else { return Vec::new() };
    let mut found: Vec<String> = Vec::new();
    let sides = others_a.iter().map(|run| ("A", run)).chain(b.iter().map(|run| ("B", run)));
    for words in sides.flat_map(|(side, run)| differences(first_a, run, side)) {
        if !found.contains(&words) {
            found.push(words);
        }
    }
    let runs = a.iter().map(|run| ("A", run)).chain(b.iter().map(|run| ("B", run)));
    for words in runs.flat_map(|(side, run)| ended_badly(side, run)) {
        if !found.contains(&words) {
            found.push(words);
        }
    }
    found
}

/// Shorter runs say little: threads start, caches fill, and one stop of the machine is a large part of them.
const SHORTEST_S: f64 = 10.0;

/// The runs that are too short to compare.
pub(super) fn too_short(a: &[SavedReport], b: &[SavedReport]) -> Vec<String> {
    let runs = a.iter().map(|run| ("A", run)).chain(b.iter().map(|run| ("B", run)));
    let words = |(side, run): (&str, &SavedReport)| {
        let seconds_sent = run.number("/pace/duration_s").filter(|seconds| *seconds < SHORTEST_S)?;
        let (name, sent, least) = (plain(&run.name), seconds(seconds_sent), seconds(SHORTEST_S));
        Some(format!("{side} {name} sent for {sent}, less than {least}: --loop repeats the input"))
    };
    runs.filter_map(words).collect()
}

fn differences(a: &SavedReport, b: &SavedReport, side: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (pointer, words) in [
        ("/environment/input_hash", "another input"),
        ("/environment/profile", "another build profile"),
        ("/environment/kernel", "another kernel"),
    ] {
        match [a, b].map(|run| run.words(pointer)) {
            [a, b] if a == "-" || b == "-" => found.push(format!("perhaps {words}: A {a}, {side} {b}")),
            [a, b] if a != b => found.push(format!("{words}: A {a}, {side} {b}")),
            _ => {}
        }
    }
    let [machine_a, machine_b] = [a, b].map(SavedReport::machine);
    if machine_a != machine_b {
        found.push(format!("another machine: A {machine_a}, {side} {machine_b}"));
    }
    let [command_a, command_b] = [a, b].map(SavedReport::command);
    if what_it_does(&command_a) != what_it_does(&command_b) {
        found.push(format!(
            "another command:\n  A  {}\n  {side}  {}",
            command_words(&command_a),
            command_words(&command_b)
        ));
    }
    found
}

/// What of a run's end keeps it from being compared.
fn ended_badly(name: &str, run: &SavedReport) -> Vec<String> {
    let mut found = Vec::new();
    let noun = Noun::of_report(&run.json);
    let sent = noun.counted(run.number("/ledger/published").map_or(0, |sent| sent as u64));
    match &*run.words("/verdict") {
        word if word == Verdict::Balanced.name() => {}
        word if word == Verdict::Incomplete.name() => {
            found.push(format!("{name} is incomplete: it ended after {sent}"));
        }
        word if word == Verdict::Unknown.name() => {
            let words = noun.of("is unknown: whether every tweet arrived could not be counted");
            found.push(format!("{name} {words}"));
        }
        word if word == Verdict::Unproven.name() => {
            let words = noun.of("is unproven: its settings do not prove that every tweet arrived");
            found.push(format!("{name} {words}"));
        }
        _ => found.push(format!("{name} {}", noun.of("is unbalanced: not every tweet arrived"))),
    }
    if let Some(error) = run.json["error"].as_str() {
        found.push(format!("{name} ended with an error: {}", plain(error)));
    }
    found
}

/// Flags that say what becomes of the report, with a value and without one: the runs are the same.
const REPORT_FLAGS: [(&str, bool); 12] = [
    ("--metrics", true),
    ("--report", true),
    ("--repeat", true),
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
pub(super) fn command_words(command: &[&str]) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=,@%+*".contains(&byte);
    let quoted = |word: &&str| match !word.is_empty() && word.bytes().all(is_plain) {
        true => (*word).to_owned(),
        false => format!("'{}'", plain(word).replace('\'', r"'\''")),
    };
    let words: Vec<String> = command.iter().map(quoted).collect();
    if words.is_empty() { "-".to_owned() } else { words.join(" ") }
}

pub(super) fn plain(text: &str) -> String {
    text.replace(char::is_control, " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

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
    fn of_a_replay_of_events_events_are_said() {
        let of = |events: Value, verdict: &str| {
            let json = json!({"verdict": verdict, "ledger": {"published": 2}, "input": {"events": events}, "error": null});
            ended_badly("A", &SavedReport { name: "x".to_owned(), json }).join("; ")
        };
        assert_eq!(of(json!({}), "incomplete"), "A is incomplete: it ended after 2 events");
        assert_eq!(of(Value::Null, "incomplete"), "A is incomplete: it ended after 2 tweets");
        assert_eq!(of(json!({}), "unbalanced"), "A is unbalanced: not every event arrived");
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
}
