//! Makes the report from the results of the hops.

use std::time::{Duration, Instant};

use crate::count::{
    Counters, CpuUsage, HistogramText, Intake, LatencyMs, MachineCpu, MemoryUsage, OUTAGES_MAX, Outage,
};
use crate::enrich::Enrichment;
use crate::kafka::embedded::Endpoint;
use crate::options::{Pace, ReplayOptions};
use crate::pace::{Change, ChangeKind, Order};
use crate::pipeline::context::Replay;
use crate::pipeline::evidence::Evidence;
use crate::pipeline::input::files::Files;
use crate::pipeline::input::form::Events;
use crate::pipeline::input::select::Skipped;
use crate::pipeline::judgement::{Ending, Judgement, judgement};
use crate::pipeline::phase_reports::phase_reports;
use crate::pipeline::prepare::{Prepared, mended_report, unread_report};
use crate::pipeline::replay::{FeedSummary, ReplayOutcome};
use crate::report::{
    Bottleneck, ChangeReport, DeadLetterReport, DruidReport, Endpoints, EnrichColumn, EnrichReport,
    Environment, FileReport, HELD_UP, HopReport, Hops, InputReport, Ledger, OutageReport, PaceReport,
    REPORT_VERSION, RunReport, SkippedBy, longest_away, mask_secrets, rate_over_gaps, with_causes,
};
use crate::source::TweetFile;
use crate::tweet::iso_ms;

/// What the report needs besides the results of the hops.
pub(crate) struct Results {
    pub dead_letters: Option<DeadLetterReport>,
    pub druid: Option<DruidReport>,
    pub druid_outages: Vec<Outage>,
    pub interrupted: bool,
    /// CPU time of the machine when the run began.
    pub machine: MachineCpu,
}

/// The report of a replay that has ended.
pub(crate) fn report(replay: &Replay<'_>, outcome: ReplayOutcome, results: Results) -> RunReport {
    let Replay { options, files, prepared, ends, run, .. } = *replay;
    let Results { dead_letters, mut druid, druid_outages, interrupted, machine } = results;
    if let Some(druid) = &mut druid {
        mask_secrets(&mut druid.spec);
    }
    // Before anything that is not of the replay itself.
    let published = outcome.counters.published.get();
    let (cpu, memory) =
        (CpuUsage::of_process(published, machine), MemoryUsage::of_process(outcome.own_memory_mib));
    let intakes = &files.with_lines(outcome.feed.intakes.as_ref().unwrap_or(&prepared.intakes));
    let intake = Intake::sum(intakes);
    let counters = &*outcome.counters;
    let with_mqtt = |count: u64| ends.addresses.mqtt.as_ref().map(|_| count);
    // What was read ahead does not count, where nothing of its loop was sent.
    let loops = outcome.pace.loops.max(1);
    let (skipped, rest) = match outcome.feed.loops > loops {
        true => (outcome.feed.skipped_of_first.times(loops), 0),
        false => (outcome.feed.skipped, outcome.feed.rest),
    };
    let Skipped { limit, range, duplicate_id } = skipped;
    let not_sent = rest + outcome.unreleased - outcome.pace.unreleased_of_later_loops;
    let (duration, stop) = if outcome.over { (not_sent, 0) } else { (0, not_sent) };
    let evidence = Evidence::of(replay, &outcome);
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
        removed_unread: ends.endpoint.as_ref().map(|endpoint| endpoint.removed().unread),
        read_back: evidence.read_back,
        queryable: druid.as_ref().and_then(|druid| druid.rows),
    };
    let errors: Vec<String> = outcome.errors.iter().map(|error| with_causes(error)).collect();
    let was_cut = interrupted && (skipped_by.stop > 0 || replay.plan.tweets.is_none());
    let Judgement { verdict, reasons } = judgement(
        &ledger,
        &outcome.tally,
        druid.as_ref(),
        &Ending { errors: &errors, was_cut, noun: replay.noun() },
        evidence,
    )
    .with_unknown(files.cuts());
    let pace = pace_report(replay, &outcome, &ledger);
    let outages = outage_reports(&outcome, &druid_outages);
    let bottleneck = bottleneck(options, &pace, counters, druid.as_ref(), &outages);
    let mut report = RunReport {
        report_version: REPORT_VERSION,
        tweetblast_version: env!("CARGO_PKG_VERSION"),
        label: options.report.label.clone(),
        input: input_report(replay, intakes, &outcome),
        pace,
        phases: phase_reports(&replay.plan.phases, &outcome, druid.as_ref()),
        hops: hop_reports(&outcome, &ledger),
        mqtt_repeats_dropped: ends.outside.as_ref().map(|_| counters.repeats_dropped.get()),
        series: counters.series.report(),
        bottleneck,
        outages_total: counters.outages.total() + druid_outages.len() as u64,
        outages,
        enrich: replay.enrichment.map(|enrichment| enrich_report(enrichment, &outcome.feed)),
        dead_letters,
        rejects_by_kind: intake.rejects,
        unparseable_at: intake.unparseable_at,
        unparseable_lines: intake.unparseable_lines,
        failed_by_reason: outcome.tally.failures.by_reason,
        failed_maybe_delivered: outcome.tally.failures.unknown,
        verdict,
        forged_batches_refused: ends.endpoint.as_ref().map(Endpoint::forged),
        reasons,
        interrupted,
        error: errors.into_iter().next(),
        thresholds: Vec::new(),
        exit_code: 0,
        endpoints: Endpoints {
            druid: druid.as_ref().map(|druid| druid.url.clone()),
            datasource: druid.as_ref().map(|druid| druid.datasource.clone()),
            dashboard: options.report.dashboard.as_ref().map(|link| link.replace("{run}", run)),
            ..ends.addresses.clone()
        },
        druid,
        cpu,
        memory,
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
        bytes: file.own_size(),
        format: file.framing(),
        order: prepared.orders.get(number as usize).copied().flatten(),
        frames: intake.frames,
        tweets: intake.tweets,
        rejects_by_kind: intake.rejects.clone(),
        unparseable: intake.unparseable,
        unparseable_at: intake.unparseable_at.clone(),
        unparseable_lines: intake.unparseable_lines.clone(),
    };
    files.iter().zip(intakes).map(file).collect()
}

fn input_report(replay: &Replay<'_>, intakes: &[Intake], outcome: &ReplayOutcome) -> InputReport {
    let Replay { files, prepared, .. } = *replay;
    let (first_ms, last_ms) = prepared.times_ms.unzip();
    InputReport {
        file: files.words(),
        files: file_reports(files, prepared, intakes),
        bytes: files.own_bytes(),
        format: files.framing(),
        events: replay.events.and_then(Events::report),
        order: prepared.found,
        first: first_ms.map(iso_ms),
        last: last_ms.filter(|_| prepared.survey.is_some()).map(iso_ms),
        changed: files.changes().into_iter().map(|(file, _)| file.path().display().to_string()).collect(),
        without_time: intakes.iter().map(|intake| intake.without_time).sum(),
        unread_times: unread_report(files, intakes),
        mended_by_kind: mended_report(files, intakes),
        out_of_order: match prepared.order {
            Order::File | Order::Window(_) => Some(outcome.feed.out_of_order),
            Order::Time | Order::Shuffle { .. } => None,
        },
    }
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
    // Without the warm-up.
    let first = outcome.counters.phases.first_counted();
    let without_warmup =
        |count: u64| count.saturating_sub(stats.phases.iter().take(first).map(|phase| phase.tweets).sum());
    let began_s = since_start(stats.phases.get(first).map(|phase| phase.first).or(stats.ended));
    let counted_s = (delivered_after_s - began_s).max(0.0);
    let rate_per_s = match options.pace.speed {
        Pace::Max => (counted_s > 0.0).then(|| without_warmup(ledger.delivered) as f64 / counted_s),
        _ => rate_over_gaps(without_warmup(ledger.published), duration_s - began_s),
    };
    PaceReport {
        requested: plan.requested.clone(),
        order: prepared.order,
        spread: plan.spread,
        started_at: stats.started_ms.map(iso_ms),
        duration_s,
        planned_duration_s: plan.duration.map(|duration| duration.as_secs_f64()),
        delivered_after_s,
        planned_rate_per_s: plan.rate_per_s,
        rate_per_s,
        lag_ms: stats.lag_us.as_ref().and_then(LatencyMs::of),
        lag_histogram: stats.lag_us.as_ref().and_then(HistogramText::of),
        late_input: stats.late_input,
        warmup_s: Some(options.pace.warmup)
            .filter(|warmup| !warmup.is_zero())
            .map(|warmup| warmup.as_secs_f64()),
        changes: stats.changes.iter().map(change_report).collect(),
    }
}

fn change_report(change: &Change) -> ChangeReport {
    let (paused_s, stopped_s, speed_factor) = match change.what {
        ChangeKind::Pause(time) => (Some(time.as_secs_f64()), None, None),
        ChangeKind::Stop(time) => (None, Some(time.as_secs_f64()), None),
        ChangeKind::Speed(times) => (None, None, Some(times)),
    };
    ChangeReport { at_s: change.at.as_secs_f64(), paused_s, stopped_s, speed_factor }
}

fn hop_reports(outcome: &ReplayOutcome, ledger: &Ledger) -> Hops {
    let counters = &*outcome.counters;
    let cpu = &outcome.cpu;
    let hop = |tweets: u64, cpu: Duration, blocked: Duration| HopReport {
        tweets,
        cpu_us_per_tweet: (tweets > 0).then(|| cpu.as_secs_f64() * 1e6 / tweets as f64),
        blocked_s: blocked.as_secs_f64(),
        acked_ms: None,
        acked_histogram: None,
    };
    let queues_blocked = counters.bridge_blocked_ns.time();
    let pace_blocked =
        if ledger.received.is_some() { counters.mqtt_blocked_ns.time() } else { queues_blocked };
    let acks_us = outcome.tally.acks.from_phase(counters.phases.first_counted());
    Hops {
        feed: hop(outcome.feed.tweets, cpu.feed, counters.feed_blocked_ns.time()),
        pace: hop(ledger.published, cpu.pace, pace_blocked),
        mqtt: ledger.received.map(|received| hop(received, cpu.mqtt, queues_blocked)),
        kafka: HopReport {
            acked_ms: LatencyMs::of(&acks_us),
            acked_histogram: HistogramText::of(&acks_us),
            ..hop(ledger.delivered, cpu.kafka, counters.kafka_blocked_ns.time())
        },
    }
}

/// What was away, on every hop.
fn outage_reports(outcome: &ReplayOutcome, of_druid: &[Outage]) -> Vec<OutageReport> {
    let started = outcome.pace.started.unwrap_or_else(Instant::now);
    let mut all = outcome.counters.outages.all();
    all.extend_from_slice(of_druid);
    all.sort_by_key(|outage| outage.since);
    all.iter().take(OUTAGES_MAX).map(|outage| OutageReport::of(outage, started)).collect()
}

/// Time that something was away from which on it is what held the run up, if the plan was not kept or it was a large
/// part of the run.
const AWAY_S: f64 = 1.0;

/// Schedule lag up to which a replay counts as on time.
const ON_TIME_MS: f64 = 100.0;

/// Time from Kafka's last delivery report to the last row up to which Druid counts as keeping up.
const DRUID_BEHIND_S: f64 = 5.0;

/// Which hop held the others up.
fn bottleneck(
    options: &ReplayOptions,
    pace: &PaceReport,
    counters: &Counters,
    druid: Option<&DruidReport>,
    outages: &[OutageReport],
) -> Bottleneck {
    let on_time = pace.lag_ms.is_some_and(|lag| lag.p99 <= ON_TIME_MS);
    let queryable_after_s = druid.and_then(|druid| druid.queryable_after_s).unwrap_or(0.0);
    let end_s = pace.delivered_after_s.max(pace.duration_s).max(queryable_after_s);
    if let Some((hop, away_s)) = longest_away(outages, end_s)
        && away_s > AWAY_S
        && (!on_time || away_s > HELD_UP * end_s)
    {
        return Bottleneck::away(hop);
    }
    let behind_s = queryable_after_s - pace.delivered_after_s;
    if behind_s > DRUID_BEHIND_S.max(HELD_UP * pace.delivered_after_s) {
        return Bottleneck::Druid;
    }
    if options.pace.speed != Pace::Max && on_time {
        return Bottleneck::None;
    }
    let share = |blocked: Duration| blocked.as_secs_f64() / pace.duration_s;
    Bottleneck::held_up(
        share(counters.kafka_blocked_ns.time()),
        share(counters.mqtt_blocked_ns.time()),
        share(counters.bridge_blocked_ns.time()),
    )
}

/// The result of `--enrich`.
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
