//! Looks at what is counted anyway, and makes of it what a frame shows.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use indicatif::HumanCount;

use super::cpu::{HOPS, HopCpu};
use super::druid_now::DruidNow;
use super::search_now::SearchNow;
use super::state::{Curve, CurveKind, Hop, Keys, Latency, Mood, ViewState};
use crate::count::{Counters, OutageHop, Queryable, SeriesSoFar, Slowest};
use crate::report::Screen;
use crate::report::names::Bottleneck;
use crate::report::progress_line::ProgressLine;
use crate::report::words::{rate, whole_seconds};

/// Time between two looks at what is not just a counter.
const LOOK: Duration = Duration::from_secs(1);

/// Seconds over which the lag is judged.
const RECENT_S: u64 = 5;

/// p99 of the lag up to which a run is on time, and time without a row after which Druid is behind: as in the report.
const ON_TIME: Duration = Duration::from_millis(100);
const DRUID_BEHIND: Duration = Duration::from_secs(5);

/// Lengths of time that the width of the curves stands for, in seconds.
const SPANS_S: [f64; 13] =
    [10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_200.0, 1_800.0, 3_600.0, 7_200.0, 21_600.0, 86_400.0];

/// Where the view looks.
pub struct ViewSources {
    /// Whose run it is.
    pub title: String,
    /// Set when the hops start.
    pub counters: Arc<OnceLock<Arc<Counters>>>,
    /// Rows in Druid, where they are counted.
    pub queryable: Option<Arc<Queryable>>,
    pub druid: Arc<DruidNow>,
    /// The search behind the run.
    pub search: Option<Arc<SearchNow>>,
    pub has_mqtt: bool,
    /// Whether keys are listened to.
    pub has_keys: bool,
}

/// What was seen so far.
pub(super) struct Gather {
    sources: ViewSources,
    screen: Screen,
    began: Instant,
    cpu: HopCpu,
    /// `None`: not yet.
    looked: Option<Instant>,
    /// By hop, how long it was blocked by the next one.
    blocked: [Duration; HOPS.len()],
    /// What was looked at last.
    seen: ViewState,
}

impl Gather {
    pub fn new(sources: ViewSources, screen: Screen) -> Self {
        Self {
            sources,
            screen,
            began: Instant::now(),
            cpu: HopCpu::new(),
            looked: None,
            blocked: Default::default(),
            seen: ViewState::default(),
        }
    }

    /// All that there is to show now, with these lines.
    pub fn state(&mut self, lines: Vec<(Instant, String)>) -> ViewState {
        let nothing_yet = ProgressLine { speed_factor: 1.0, ..ProgressLine::default() };
        let line = self.screen.progress_line().unwrap_or(nothing_yet);
        let counters = self.sources.counters.get().cloned();
        if let Some(counters) =
            counters.as_ref().filter(|_| self.looked.is_none_or(|at| at.elapsed() >= LOOK))
        {
            self.look(counters);
        }
        let elapsed = counters.as_ref().and_then(|counters| counters.series.second(Instant::now()));
        let elapsed = elapsed.map(Duration::from_secs);
        let planned = line.planned.map(|planned| planned.as_secs_f64());
        let mut state = ViewState {
            title: self.sources.title.clone(),
            druid: self.sources.druid.words(),
            explains: self.screen.explains(),
            span_s: span(elapsed.unwrap_or_default().as_secs_f64(), planned),
            elapsed,
            lines: lines
                .into_iter()
                .map(|(at, words)| (at.saturating_duration_since(self.began), words))
                .collect(),
            keys: match (&self.sources.search, self.sources.has_keys) {
                (_, false) => Keys::None,
                (Some(_), true) => Keys::Search,
                (None, true) => Keys::Replay,
            },
            ..self.seen.clone()
        };
        match self.sources.search.clone() {
            Some(search) => tell_of_search(&search, self.began.elapsed(), &mut state),
            None => self.tell_of_replay(&line, counters.as_deref(), &mut state),
        }
        state
    }

    /// What takes more than a look at a counter.
    fn look(&mut self, counters: &Counters) {
        let passed = self.looked.replace(Instant::now()).map(|at| at.elapsed());
        let shares = self.cpu.shares();
        let (bridge, mqtt) = (counters.bridge_blocked_ns.time(), counters.mqtt_blocked_ns.time());
        let pace = if self.sources.has_mqtt { mqtt } else { bridge };
        let kafka = counters.kafka_blocked_ns.time();
        let blocked = [counters.feed_blocked_ns.time(), pace, bridge, kafka, Duration::ZERO];
        let before = std::mem::replace(&mut self.blocked, blocked);
        let first = counters.phases.first_counted();
        let so_far = counters.series.so_far();
        self.seen.latencies = self.latencies(counters, first, so_far.intended.is_some());
        self.seen.curves = curves(&so_far);
        // What was before the first look is not of one second.
        let Some(passed) = passed else { return };
        let share = |now: Duration, before: Duration| {
            (now.saturating_sub(before).as_secs_f64() / passed.as_secs_f64()).min(1.0)
        };
        let of = |hop: usize| Hop {
            name: HOPS[hop],
            cpu: shares.map(|shares| shares[hop]),
            blocked: (HOPS[hop] != "other").then(|| share(blocked[hop], before[hop])),
        };
        let has_hop = |hop: &Hop| self.sources.has_mqtt || hop.name != "mqtt";
        self.seen.hops = (0..HOPS.len()).map(of).filter(has_hop).collect();
        let [_, pace, bridge, kafka, _] = std::array::from_fn(|hop| share(blocked[hop], before[hop]));
        let mqtt = if self.sources.has_mqtt { pace } else { 0.0 };
        self.seen.bottleneck = self.bottleneck(counters, [kafka, mqtt, bridge]).name();
    }

    fn latencies(&self, counters: &Counters, first: usize, has_schedule: bool) -> Vec<Latency> {
        let lag = Latency { name: "lag", ms: counters.series.latency(Slowest::Lag) };
        let acked = Latency { name: "acked", ms: counters.series.latency(Slowest::Acked) };
        let rows = self.sources.queryable.as_ref();
        let rows = rows.map(|rows| Latency { name: "queryable", ms: rows.so_far_ms(first) });
        [has_schedule.then_some(lag), Some(acked), rows].into_iter().flatten().collect()
    }

    /// As in the report, but for the last seconds.
    fn bottleneck(&self, counters: &Counters, [kafka, mqtt, bridge]: [f64; 3]) -> Bottleneck {
        if let Some(hop) = away(counters).first() {
            return Bottleneck::away(*hop);
        }
        let waits =
            |rows: &Arc<Queryable>| rows.oldest_waiting().is_some_and(|since| since.elapsed() > DRUID_BEHIND);
        if self.sources.queryable.as_ref().is_some_and(waits) {
            return Bottleneck::Druid;
        }
        let is_on_time = counters.series.recent(RECENT_S).lag_p99.is_some_and(|lag| lag <= ON_TIME);
        if is_on_time { Bottleneck::None } else { Bottleneck::held_up(kafka, mqtt, bridge) }
    }

    fn tell_of_replay(&self, line: &ProgressLine, counters: Option<&Counters>, state: &mut ViewState) {
        let Some(counters) = counters else {
            "starting".clone_into(&mut state.doing);
            return;
        };
        let (sent, delivered) = (counters.published.get(), counters.delivered.get());
        let line = &ProgressLine { sent, delivered, ..line.clone() };
        let in_flight = sent.saturating_sub(delivered + counters.failed.get());
        let failed = counters.failed.get();
        state.counts = line.sent_of_total();
        let mut counts = vec![format!("{} delivered", count(delivered))];
        if failed > 0 {
            counts.push(format!("{} failed", count(failed)));
        }
        counts.push(match &self.sources.queryable {
            Some(rows) => format!("{} queryable", count(rows.rows())),
            None => format!("{} in flight", count(in_flight)),
        });
        state.more_counts = counts.join(", ");
        let total = line.total.filter(|total| *total > 0);
        state.done = total.map(|total| (sent as f64 / total as f64).min(1.0));
        state.left = line.left.map_or(String::new(), |left| format!("{} left", whole_seconds(left)));
        (state.doing, state.mood) = doing(line, away(counters).len(), self.sources.queryable.is_some());
    }
}

/// What a replay does now, and whether somebody should look.
fn doing(line: &ProgressLine, away: usize, has_druid: bool) -> (String, Mood) {
    let state = line.state();
    if !line.silence().is_empty() && !line.is_paused {
        return (line.silence(), Mood::Bad);
    }
    let mood = match (line.is_paused || line.stopping.is_some(), away) {
        (_, 1..) => Mood::Bad,
        (true, _) => Mood::Doubtful,
        _ => Mood::Good,
    };
    match (line.is_over, state.is_empty()) {
        (true, _) if has_druid => ("sent: Druid's rows are counted".to_owned(), mood),
        (true, _) => ("sent".to_owned(), mood),
        (false, true) if line.sent == 0 => ("starting".to_owned(), mood),
        (false, true) => ("sending".to_owned(), mood),
        (false, false) => (state, mood),
    }
}

fn tell_of_search(search: &SearchNow, elapsed: Duration, state: &mut ViewState) {
    let known = search.lock();
    known.title.clone_into(&mut state.title);
    known.doing.clone_into(&mut state.doing);
    known.left.clone_into(&mut state.left);
    known.found.clone_into(&mut state.counts);
    state.curves = known.curves();
    state.elapsed = Some(elapsed);
    let seconds = state.curves.first().map_or(0, |curve| curve.values.len());
    state.span_s = span(seconds as f64, None);
}

/// The hops whose other side is away now.
fn away(counters: &Counters) -> Vec<OutageHop> {
    let outages = counters.outages.all();
    outages.iter().filter(|outage| outage.ended.is_none()).map(|outage| outage.hop).collect()
}

/// The shortest length of time in which the run so far fits, but no more than the plan.
fn span(elapsed_s: f64, planned_s: Option<f64>) -> f64 {
    let fits = SPANS_S.into_iter().find(|span| *span >= elapsed_s).unwrap_or(elapsed_s);
    planned_s.filter(|planned| *planned >= elapsed_s.max(1.0)).map_or(fits, |planned| planned.min(fits))
}

fn curves(so_far: &SeriesSoFar) -> Vec<Curve> {
    let every_s = so_far.every_s.max(1) as f64;
    let per_s = |kind, counts: &[u64]| {
        let values: Vec<f64> = counts.iter().map(|count| *count as f64 / every_s).collect();
        let now = rate(values.last().copied().unwrap_or(0.0));
        Curve { kind, now, total: count(counts.iter().sum()), values, every_s }
    };
    let level = |kind, counts: &[u64]| Curve {
        kind,
        now: count(counts.last().copied().unwrap_or(0)),
        total: String::new(),
        values: counts.iter().map(|count| *count as f64).collect(),
        every_s,
    };
    let asked = so_far.intended.as_ref().map(|intended| per_s(CurveKind::Asked, intended));
    let waiting = match &so_far.backlog {
        Some(backlog) => level(CurveKind::Backlog, backlog),
        None => level(CurveKind::InFlight, &so_far.in_flight),
    };
    let queryable = so_far.queryable.as_ref().map(|rows| per_s(CurveKind::Queryable, rows));
    let sent = per_s(CurveKind::Sent, &so_far.published);
    let acked = per_s(CurveKind::Acked, &so_far.delivered);
    [asked, Some(sent), Some(acked), queryable, Some(waiting)].into_iter().flatten().collect()
}

/// A count in words.
fn count(count: u64) -> String {
    HumanCount(count).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_width_stands_for_the_run_so_far_and_never_for_more_than_the_plan() {
        assert_eq!([span(0.0, Some(6.17)), span(9.0, None), span(11.0, None)], [6.17, 10.0, 20.0]);
        assert_eq!([span(70.0, Some(36_000.0)), span(7.0, Some(6.0)), span(1e6, None)], [120.0, 10.0, 1e6]);
    }

    #[test]
    fn what_is_wrong_is_said_before_what_it_does() {
        let line = ProgressLine { speed_factor: 1.0, sent: 5, ..ProgressLine::default() };
        assert_eq!(doing(&line, 0, false), ("sending".to_owned(), Mood::Good));
        assert_eq!(doing(&line, 1, false), ("sending".to_owned(), Mood::Bad));
        let silent = ProgressLine { silent: Some(Duration::from_secs(4)), ..line.clone() };
        assert_eq!(doing(&silent, 0, false), ("no word from Kafka for 4 s".to_owned(), Mood::Bad));
        let paused = ProgressLine { is_paused: true, ..silent };
        assert_eq!(doing(&paused, 0, false), ("paused".to_owned(), Mood::Doubtful));
        let over = ProgressLine { is_over: true, ..line };
        assert_eq!(doing(&over, 0, true).0, "sent: Druid's rows are counted");
    }

    #[test]
    fn counts_and_curves_are_those_of_the_counters() {
        let counters = Arc::new(Counters::default());
        let zero = Instant::now().checked_sub(Duration::from_secs(3)).unwrap();
        counters.series.begin(zero);
        counters.series.intended([100, 1_100].map(Duration::from_millis).into_iter());
        counters.published.add(2);
        counters.delivered.add(1);
        counters.sample(zero + Duration::from_secs(2), None);
        let sources = ViewSources {
            title: "run".into(),
            counters: Arc::new(OnceLock::from(counters)),
            queryable: None,
            druid: Arc::default(),
            search: None,
            has_mqtt: true,
            has_keys: false,
        };
        let state = Gather::new(sources, Screen::none()).state(vec![(Instant::now(), "said".into())]);
        assert_eq!((state.counts.as_str(), state.keys), ("2 sent", Keys::None));
        assert_eq!(
            (state.more_counts.as_str(), state.doing.as_str()),
            ("1 delivered, 1 in flight", "sending")
        );
        let names: Vec<&str> = state.curves.iter().map(|curve| curve.kind.name()).collect();
        assert_eq!(names, ["asked", "sent", "acked", "in flight"]);
        assert_eq!(
            (&state.curves[0].values[..], &state.curves[1].values[..]),
            (&[1.0, 1.0][..], &[0.0, 2.0][..])
        );
        assert_eq!((state.lines.len(), state.latencies.len()), (1, 2));
    }
}
