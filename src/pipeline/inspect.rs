//! Looks at an input without sending anything: no broker, no Kafka, no network.

use crate::count::Intake;
use crate::options::{ReplayOptions, Session};
use crate::pipeline::error::ReplayError;
use crate::pipeline::input::diagnosis::without_tweets;
use crate::pipeline::input::form::Events;
use crate::pipeline::input::opened::Opened;
use crate::pipeline::input::tables::load_tables;
use crate::pipeline::outcome::file_reports;
use crate::pipeline::prepare::{Goal, Plan, Preparation, mended_report, opening, prepare, unread_report};
use crate::report::{Inspection, OpeningBar, REPORT_VERSION};
use crate::tweet::iso_ms;

/// What is in the input, and what a replay with these options would be. Where it has no tweets, the counts
/// say so, and the error with which a replay would end is returned as well.
///
/// # Errors
/// When a file cannot be read, what `--map` names is not there, or it is stopped.
pub fn inspect(
    options: &ReplayOptions,
    session: &Session,
) -> Result<(Inspection, Option<ReplayError>), ReplayError> {
    let watch = OpeningBar::new(&session.screen);
    let watch = |state| watch.show(state);
    let opening = &opening(options, Goal::Inspect, session, &watch);
    let Opened { files, options, events } = &Opened::new(options, opening)?;
    // Only to say what is wrong with it.
    load_tables(options, opening, &session.screen)?;
    let prepared =
        prepare(&Preparation { files, options, opening, dead_letters: None, goal: Goal::Inspect, session })?;
    let plan = Plan::new(options, &prepared);
    let intakes = files.with_lines(&prepared.intakes);
    let intake = Intake::sum(&intakes);
    let (first_ms, last_ms) = prepared.times_ms.unzip();
    let duration_s = plan.duration.map(|duration| duration.as_secs_f64());
    const HOUR_S: f64 = 3_600.0;
    let no_tweets = (intake.tweets == 0).then(|| without_tweets(files, options, &intake));
    let found = Inspection {
        report_version: REPORT_VERSION,
        file: files.words(),
        format: files.framing(),
        form: (!intake.shapes.is_empty())
            .then(|| intake.shapes.iter().copied().collect::<Vec<_>>().join(" and ")),
        events: events.as_ref().and_then(Events::report),
        bytes: files.own_bytes(),
        frames: intake.frames,
        records: intake.records,
        items: intake.items,
        tweets: intake.tweets,
        users: prepared.users,
        rejects: intake.reject_total(),
        unparseable: intake.unparseable,
        first: first_ms.map(iso_ms),
        last: last_ms.map(iso_ms),
        without_time: intake.without_time,
        unread_times: unread_report(files, &intakes),
        mended_by_kind: mended_report(files, &intakes),
        order: prepared.found,
        whole_seconds: prepared.by_time.map(|found| found.whole_seconds),
        longest_gap_s: prepared.by_time.map(|found| found.longest_gap.as_secs_f64()),
        peak_rate_per_s: prepared.by_time.map(|found| found.peak_per_s),
        event_hours: prepared.by_time.map(|found| found.hours),
        bytes_per_tweet: (intake.tweets > 0).then(|| files.own_bytes() as f64 / intake.tweets as f64),
        selected: prepared.survey.map_or(0, |survey| survey.tweets),
        requested: plan.requested.clone(),
        send_order: prepared.order,
        spread: plan.spread,
        planned_duration_s: duration_s,
        planned_rate_per_s: plan.rate_per_s,
        send_hours: duration_s.map(|duration_s| (duration_s / HOUR_S).floor() as u64 + 1),
        files: file_reports(files, &prepared, &intakes),
        rejects_by_kind: intake.rejects,
        unparseable_at: intake.unparseable_at,
        unparseable_lines: intake.unparseable_lines,
    };
    Ok((found, no_tweets))
}
