//! Makes the report of what the hops came back with.

use std::time::{Duration, Instant};

use crate::count::{Counters, Intake, LatencyMs, MachineCpu, Usage};
use crate::enrich::Enrichment;
use crate::options::{Pace, ReplayOptions};
use crate::pace::{Change, ChangeKind, Order};
use crate::pipeline::context::Replay;
use crate::pipeline::input::files::Files;
use crate::pipeline::input::select::LeftOut;
use crate::pipeline::prepare::Prepared;
use crate::pipeline::replay::{FeedSummary, ReplayOutcome};
use crate::report::{
    Bottleneck, ChangeReport, DeadLetterReport, DruidReport, Endpoints, EnrichColumn, EnrichReport,
    Environment, FileReport, HopReport, Hops, InputReport, Ledger, PaceReport, REPORT_VERSION, RunReport,
    SkippedBy, Verdict, mask_secrets, rate_over_gaps, with_causes,
};
use crate::source::TweetFile;
use crate::tweet::iso_ms;

/// What there is beside what the hops came back with.
pub(crate) struct Results {
    pub dead_letters: Option<DeadLetterReport>,
    pub druid: Option<DruidReport>,
    pub interrupted: bool,
    /// CPU time of the machine when the run began.
    pub machine: MachineCpu,
}

/// Everything that is known when the replay has ended.
pub(crate) fn report(replay: &Replay<'_>, outcome: ReplayOutcome, results: Results) -> RunReport {
    let Replay { options, files, prepared, ends, run, .. } = *replay;
    let Results { dead_letters, mut druid, interrupted, machine } = results;
    if let Some(druid) = &mut druid {
        mask_secrets(&mut druid.spec);
    }
    let intakes = outcome.feed.intakes.as_ref().unwrap_or(&prepared.intakes);
    let intake = Intake::sum(intakes);
    let counters = &*outcome.counters;
    let with_mqtt = |count: u64| ends.addresses.mqtt.as_ref().map(|_| count);
    // What was read ahead is of no account, where nothing of its loop was sent.
    let loops = outcome.pace.loops.max(1);
    let (left_out, rest) = match outcome.feed.loops > loops {
        true => (outcome.feed.left_out_of_first.times(loops), 0),
        false => (outcome.feed.left_out, outcome.feed.rest),
    };
    let LeftOut { limit, range, duplicate_id } = left_out;
    let not_sent = rest + outcome.unreleased - outcome.pace.unreleased_of_later_loops;
    let (duration, stop) = if outcome.over { (not_sent, 0) } else { (0, not_sent) };
    let skipped_by = SkippedBy { limit, range, duplicate_id, duration, stop };
    let ledger = Ledger {
        frames: intake.frames,
        records: intake.records,
        unparseable: intake.unparseable,
        items: intake.items,
        rejects: intake.reject_total(),
        tweets: intake.tweets,
        loops,
        skipped: skipped_by.total(),
        skipped_by,
        published: counters.published.get(),
        received: with_mqtt(counters.received.get()),
        mqtt_lost: with_mqtt(counters.mqtt_lost.get()),
        duplicates: with_mqtt(counters.duplicates.get()),
        foreign: with_mqtt(counters.foreign.get()),
        foreign_delivered: with_mqtt(counters.foreign_delivered.get()),
        foreign_failed: with_mqtt(counters.foreign_failed.get()),
        foreign_lost: with_mqtt(counters.foreign_lost.get()),
        delivered: counters.delivered.get(),
        failed: counters.failed.get(),
        queryable: druid.as_ref().and_then(|druid| druid.rows),
    };
    let (mut verdict, mut reasons) = ledger.verdict();
    // Counted by the tally from what Kafka reported on, one sequence number at a time.
    if outcome.tally.repeated > 0 || outcome.tally.distinct != ledger.delivered + ledger.failed {
        verdict = Verdict::Unbalanced;
        reasons.push(format!(
            "{} sequence numbers were reported on, and {} more than once: {} delivered + {} failed expected",
            outcome.tally.distinct, outcome.tally.repeated, ledger.delivered, ledger.failed
        ));
    }
    if let Some(druid) = druid.as_ref().filter(|druid| !druid.exact) {
        verdict = match (verdict, &druid.uncounted) {
            (Verdict::Balanced, Some(_)) => Verdict::Unknown,
            _ => Verdict::Unbalanced,
        };
        reasons.extend(druid_reasons(druid, &ledger));
    }
    let pace = pace_report(replay, &outcome, &ledger);
    let bottleneck = bottleneck(options, &pace, counters, druid.as_ref());
    let mut report = RunReport {
        report_version: REPORT_VERSION,
        tweetblast_version: env!("CARGO_PKG_VERSION"),
        label: options.report.label.clone(),
        input: input_report(files, prepared, intakes, &outcome),
        pace,
        hops: hop_reports(&outcome, &ledger),
        mqtt_repeats_dropped: ends.outside.as_ref().map(|_| counters.repeats_dropped.get()),
        bottleneck,
        enrich: replay.enrichment.map(|enrichment| enrich_report(enrichment, &outcome.feed)),
        dead_letters,
        rejects_by_kind: intake.rejects,
        unparseable_at: intake.unparseable_at,
        failed_by_reason: outcome.tally.failures.by_reason,
        failed_unknown: outcome.tally.failures.unknown,
        verdict,
        reasons,
        interrupted,
        error: outcome.error.map(|error| with_causes(&error)),
        thresholds: Vec::new(),
        exit_code: 0,
        endpoints: Endpoints {
            druid: druid.as_ref().map(|druid| druid.url.clone()),
            datasource: druid.as_ref().map(|druid| druid.datasource.clone()),
            dashboard: options.report.dashboard.as_ref().map(|link| link.replace("{run}", run)),
            ..ends.addresses.clone()
        },
        druid,
        usage: Usage::of_process(ledger.published, outcome.own_memory_mib, machine),
        environment: Environment::of_process(rdkafka::util::get_rdkafka_version().1),
        ledger,
        run: run.to_owned(),
    };
    report.judge(&options.report.fail_if);
    report
}

pub(crate) fn file_reports(files: &Files, prepared: &Prepared, intakes: &[Intake]) -> Vec<FileReport> {
    let file = |((number, file), intake): ((u32, &TweetFile), &Intake)| FileReport {
        file: file.path().display().to_string(),
        bytes: file.bytes().len() as u64,
        framing: file.framing(),
        order: prepared.orders.get(number as usize).copied().flatten(),
        frames: intake.frames,
        tweets: intake.tweets,
        rejects_by_kind: intake.rejects.clone(),
        unparseable: intake.unparseable,
        unparseable_at: intake.unparseable_at.clone(),
    };
    files.iter().zip(intakes).map(file).collect()
}

fn input_report(
    files: &Files,
    prepared: &Prepared,
    intakes: &[Intake],
    outcome: &ReplayOutcome,
) -> InputReport {
    let (first_ms, last_ms) = prepared.times_ms.unzip();
    InputReport {
        file: files.words(),
        files: file_reports(files, prepared, intakes),
        bytes: files.bytes(),
        framing: files.framing(),
        order: prepared.found,
        first: first_ms.map(iso_ms),
        last: last_ms.filter(|_| prepared.survey.is_some()).map(iso_ms),
        without_time: intakes.iter().map(|intake| intake.without_time).sum(),
        stepped_back: match prepared.order {
            Order::File | Order::Window(_) => Some(outcome.feed.stepped_back),
            Order::Time | Order::Shuffle { .. } => None,
        },
    }
}

/// Why Druid's rows are not what was delivered.
fn druid_reasons(druid: &DruidReport, ledger: &Ledger) -> Vec<String> {
    let mut reasons = Vec::new();
    if let Some(why) = &druid.uncounted {
        return vec![format!("the rows in Druid could not be counted: {why}")];
    }
    if let Some(missing) = druid.missing.as_ref().filter(|missing| missing.count > 0) {
        let first = missing.ranges.first();
        let first =
            first.map_or(String::new(), |(first, last)| format!(", the first of them seq {first} to {last}"));
        reasons.push(format!("{} tweets are not in Druid{first}", missing.count));
    } else if let Some((rows, distinct)) =
        druid.rows.zip(druid.distinct).filter(|(rows, distinct)| rows != distinct)
    {
        reasons.push(format!("Druid has {rows} rows of {distinct} tweets"));
    } else if druid.rows == Some(ledger.delivered) {
        reasons.push("Druid's rows are as many as were delivered, but not the same ones".to_owned());
    }
    reasons.extend(druid.causes.iter().map(|found| format!("druid: {}: {}", found.cause, found.remedy)));
    reasons
}

fn pace_report(replay: &Replay<'_>, outcome: &ReplayOutcome, ledger: &Ledger) -> PaceReport {
    let Replay { options, prepared, plan, .. } = *replay;
    let stats = &outcome.pace;
    let since_start = |end: Option<Instant>| {
        let (start, end) = stats.started.zip(end).unzip();
        end.unwrap_or_else(Instant::now)
            .saturating_duration_since(start.unwrap_or_else(Instant::now))
            .as_secs_f64()
    };
    let (duration_s, delivered_after_s) = (since_start(stats.ended), since_start(outcome.tally.last_ack));
    let achieved_rate_per_s = match options.pace.speed {
        Pace::Max => (delivered_after_s > 0.0).then(|| ledger.delivered as f64 / delivered_after_s),
        _ => rate_over_gaps(ledger.published, duration_s),
    };
    PaceReport {
        asked: plan.asked.clone(),
        order: prepared.order,
        spread: plan.spread,
        started_at: stats.started_ms.map(iso_ms),
        duration_s,
        planned_s: plan.duration.map(|duration| duration.as_secs_f64()),
        delivered_after_s,
        asked_rate_per_s: plan.rate_per_s,
        achieved_rate_per_s,
        schedule_lag_ms: stats.lag_us.as_ref().and_then(LatencyMs::of),
        changes: stats.changes.iter().map(change_report).collect(),
    }
}

fn change_report(change: &Change) -> ChangeReport {
    let (paused_s, stopped_s, speed_times) = match change.what {
        ChangeKind::Pause(time) => (Some(time.as_secs_f64()), None, None),
        ChangeKind::Stop(time) => (None, Some(time.as_secs_f64()), None),
        ChangeKind::Speed(times) => (None, None, Some(times)),
    };
    ChangeReport { at_s: change.at.as_secs_f64(), paused_s, stopped_s, speed_times }
}

fn hop_reports(outcome: &ReplayOutcome, ledger: &Ledger) -> Hops {
    let counters = &*outcome.counters;
    let cpu = &outcome.cpu;
    let hop = |tweets: u64, cpu: Option<Duration>, blocked: Duration| HopReport {
        tweets,
        cpu_us_per_tweet: cpu.filter(|_| tweets > 0).map(|cpu| cpu.as_secs_f64() * 1e6 / tweets as f64),
        blocked_s: blocked.as_secs_f64(),
        latency_ms: None,
    };
    let queues_blocked = counters.bridge_blocked_ns.time();
    let pace_blocked =
        if ledger.received.is_some() { counters.mqtt_blocked_ns.time() } else { queues_blocked };
    Hops {
        feed: hop(outcome.feed.tweets, cpu.feed, counters.feed_blocked_ns.time()),
        pace: hop(ledger.published, cpu.pace, pace_blocked),
        mqtt: ledger.received.map(|received| hop(received, cpu.mqtt, queues_blocked)),
        kafka: HopReport {
            latency_ms: LatencyMs::of(&outcome.tally.ack_us),
            ..hop(ledger.delivered, cpu.kafka, counters.kafka_blocked_ns.time())
        },
    }
}

/// Schedule lag up to which a replay counts as on time.
const ON_TIME_MS: f64 = 100.0;

/// Share of the time that a hop must have waited for the next one to be held up by it.
const HELD_UP: f64 = 0.2;

/// Time from Kafka's last delivery report to the last row up to which Druid counts as keeping up.
const DRUID_BEHIND_S: f64 = 5.0;

/// Which hop held the others up: looked for from the last to the first, since a hop that is full
/// fills the ones before it.
fn bottleneck(
    options: &ReplayOptions,
    pace: &PaceReport,
    counters: &Counters,
    druid: Option<&DruidReport>,
) -> Bottleneck {
    let behind_s = druid.and_then(|druid| druid.queryable_after_s).unwrap_or(0.0) - pace.delivered_after_s;
    if behind_s > DRUID_BEHIND_S.max(HELD_UP * pace.delivered_after_s) {
        return Bottleneck::Druid;
    }
    let on_time = pace.schedule_lag_ms.is_some_and(|lag| lag.p99 <= ON_TIME_MS);
    if options.pace.speed != Pace::Max && on_time {
        return Bottleneck::None;
    }
    let held_up = |blocked: Duration| blocked.as_secs_f64() > HELD_UP * pace.duration_s;
    if held_up(counters.kafka_blocked_ns.time()) {
        Bottleneck::KafkaAcks
    } else if held_up(counters.mqtt_blocked_ns.time()) && !held_up(counters.bridge_blocked_ns.time()) {
        Bottleneck::MqttWindow
    } else {
        Bottleneck::Tweetblast
    }
}

/// What `--enrich` came to.
fn enrich_report(enrichment: &Enrichment, feed: &FeedSummary) -> EnrichReport {
    EnrichReport {
        enriched: feed.enriched,
        not_enriched: feed.tweets - feed.enriched,
        users: enrichment.users(),
        columns: enrichment
            .columns()
            .map(|(name, kind)| EnrichColumn { name: name.to_owned(), kind })
            .collect(),
        files: enrichment.files().to_vec(),
    }
}
