//! One tweet through all hops, sent by the replay itself, and read back from Kafka.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use jiff::Timestamp;

use super::exam::Exam;
use crate::druid::DruidAfter;
use crate::event::PayloadForm;
use crate::net;
use crate::options::{InputOptions, MessageOptions, Pace, PaceOptions, ReplayOptions, Session};
use crate::pipeline::replay;
use crate::report::with_causes;
use crate::report::{RunReport, millis, seconds};

/// The marker's text.
const TEXT: &str = "marker of tweetblast doctor";

/// How long the marker's row is expected after a stop: there must be time to remove the supervisor.
const AFTER_STOP: Duration = Duration::from_millis(200);

/// Sends the marker, and reports how far it came.
pub(super) fn send(options: &ReplayOptions, stop: &Arc<AtomicBool>, exam: &mut Exam<'_>) {
    let mut input = match marker() {
        Ok(input) => input,
        Err(error) => {
            return exam
                .fail("marker tweet", format!("cannot write a temporary file: {}", net::words(&error)));
        }
    };
    let _ = input.flush();
    let options = ReplayOptions {
        input: InputOptions { files: vec![input.path().to_owned()], ..InputOptions::default() },
        pace: PaceOptions { speed: Pace::Max, ..PaceOptions::default() },
        message: MessageOptions { payload: PayloadForm::Tweet, ..options.message },
        ..options.clone()
    };
    let session = Session { stop: stop.clone(), after_stop: AFTER_STOP, ..Session::unattended() };
    let replayed = match replay(&options, &session) {
        Ok(replayed) => replayed,
        Err(error) => return exam.fail("marker tweet", with_causes(&error)),
    };
    let report = &replayed.report;
    arrived(report, exam);
    match replayed.find_in_kafka() {
        Ok(Some((partition, offset))) => {
            exam.ok("read back", format!("from Kafka: partition {partition}, offset {offset}"));
        }
        Ok(None) => exam.fail(
            "read back",
            "acknowledged, and not among the last messages of the topic: does a retention or another writer empty it?",
        ),
        Err(error) => exam.fail("read back", with_causes(&error)),
    }
    if report.druid.is_some() {
        queryable(report, exam);
        left(report, exam);
    }
    if let Err(error) = replayed.close() {
        exam.warn("marker tweet", with_causes(&error));
    }
}

fn marker() -> std::io::Result<tempfile::NamedTempFile> {
    let mut file = tempfile::Builder::new().prefix("tweetblast-marker-").suffix(".json").tempfile()?;
    let now = Timestamp::now();
    let marker = serde_json::json!({
        "created_at": now.strftime("%a %b %d %H:%M:%S +0000 %Y").to_string(),
        "id_str": "1",
        "text": TEXT,
        "user": {"id_str": "1", "screen_name": "tweetblast"},
    });
    writeln!(file, "{marker}")?;
    Ok(file)
}

fn arrived(report: &RunReport, exam: &mut Exam<'_>) {
    let ledger = &report.ledger;
    if let Some(error) = &report.error {
        return exam.fail("marker tweet", error.clone());
    }
    if ledger.delivered != 1 {
        let received =
            ledger.received.map_or(String::new(), |received| format!(", {received} received over MQTT"));
        let reasons = report.failed_by_reason.keys().cloned().collect::<Vec<_>>().join(", ");
        let words =
            format!("{} published{received}, none acknowledged by Kafka: {reasons}", ledger.published);
        return exam.fail("marker tweet", words);
    }
    let way = if ledger.received.is_some() { "over MQTT to Kafka" } else { "to Kafka" };
    let took = report.hops.kafka.acked_ms.as_ref();
    let took = took.map_or(String::new(), |latency| format!(" after {}", millis(latency.max)));
    exam.ok("marker tweet", format!("{way}, acknowledged{took} (run {})", report.run));
}

fn queryable(report: &RunReport, exam: &mut Exam<'_>) {
    let Some(druid) = &report.druid else { return };
    if druid.exact {
        let took =
            druid.queryable_after_s.map_or(String::new(), |s| format!(" {} after it was sent", seconds(s)));
        return exam.ok("queryable", format!("in Druid's datasource {}{took}", druid.datasource));
    }
    if let Some(why) = &druid.count_error {
        return exam.fail("queryable", format!("could not be counted: {why}"));
    }
    let causes: Vec<String> =
        druid.causes.iter().map(|cause| format!("{}: {}", cause.cause, cause.remedy)).collect();
    let causes = if causes.is_empty() { druid.notes.join("; ") } else { causes.join("; ") };
    exam.fail("queryable", format!("not in Druid's datasource {}: {causes}", druid.datasource));
}

/// What became of the supervisor, if it is not as a replay leaves it.
fn left(report: &RunReport, exam: &mut Exam<'_>) {
    let Some(druid) = &report.druid else { return };
    let name = &druid.supervisor;
    match (druid.after, druid.durable) {
        (DruidAfter::Keep, _) => {}
        (after, Some(true)) => {
            let done = if after == DruidAfter::Drop { "gone" } else { "suspended" };
            exam.ok(
                "left behind",
                format!("the marker, in published segments; supervisor {name} is {done} again"),
            );
        }
        (_, _) => exam.warn("left behind", druid.notes.join("; ")),
    }
}
