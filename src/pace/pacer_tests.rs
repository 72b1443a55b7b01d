//! The pacer on a virtual clock, on which a day takes milliseconds.

use std::convert::Infallible;

use super::super::VirtualClock;
use super::*;

/// A user command, and the moment of the clock at which it comes.
type KeyPress = (Duration, fn(&Control));

/// One replay: its input, and what happens to it.
struct PacedReplay {
    /// Event times, in milliseconds, of each loop.
    loops: Vec<Vec<i64>>,
    speed: Speed,
    delay: Duration,
    duration: Option<Duration>,
    /// Time that passes at each look at the clock.
    busy: Duration,
    keys: Vec<KeyPress>,
    gaps: Vec<Gap>,
}

/// A time in which no thread runs.
#[derive(Clone, Copy)]
struct Gap {
    /// The moment of the clock at which it begins.
    at: Duration,
    time: Duration,
    /// Whether the process was stopped; otherwise the machine was busy.
    is_stop: bool,
}

impl PacedReplay {
    fn of(times_ms: &[i64], speed: Speed) -> Self {
        Self {
            loops: vec![times_ms.to_vec()],
            speed,
            delay: Duration::ZERO,
            duration: None,
            busy: Duration::ZERO,
            keys: Vec::new(),
            gaps: Vec::new(),
        }
    }

    /// The send times on the clock, how many were left, and what the pacer observed.
    fn run(self) -> (Vec<Duration>, usize, PaceStats) {
        let (stop, over, control) = (AtomicBool::new(false), AtomicBool::new(false), Control::new(false));
        let zero = Instant::now();
        let options = PacerOptions {
            schedule: Schedule { speed: self.speed, max_gap: None },
            delay: self.delay,
            duration: self.duration,
            stamp: None,
            stop: &stop,
            over: &over,
            control: &control,
        };
        let keys = self.keys.into_iter().peekable();
        let (is_watched, gaps) = (!self.gaps.is_empty(), self.gaps.into_iter().peekable());
        let clock = TestClock {
            inner: VirtualClock::at(zero),
            zero,
            busy: self.busy,
            keys,
            gaps,
            is_watched,
            control: &control,
        };
        let mut pacer = Pacer::new(options, clock);
        let (mut sent, mut left, mut seq) = (Vec::new(), 0, 0);
        for (pass, times_ms) in self.loops.iter().enumerate() {
            let collect = |events: &mut Vec<Event>| {
                sent.extend(events.drain(..).map(|event| event.trace.sent - zero));
                Ok::<(), Infallible>(())
            };
            left += pacer.release(drafts(times_ms, &mut seq, pass as u32), collect).unwrap();
        }
        assert_eq!(over.load(Ordering::Relaxed), left > 0);
        assert_eq!(sent.len() + left, seq as usize);
        (sent, left, pacer.into_stats())
    }
}

/// Time passes when a thread looks at it, and keys are pressed when their time has come.
struct TestClock<'a> {
    inner: VirtualClock,
    zero: Instant,
    busy: Duration,
    keys: std::iter::Peekable<std::vec::IntoIter<KeyPress>>,
    gaps: std::iter::Peekable<std::vec::IntoIter<Gap>>,
    is_watched: bool,
    control: &'a Control,
}

impl Clock for TestClock<'_> {
    fn now(&mut self) -> Instant {
        self.inner.advance(self.busy);
        let mut now = self.inner.now();
        while let Some(gap) = self.gaps.next_if(|gap| self.zero + gap.at <= now) {
            self.inner.advance(gap.time);
            self.control.stops().continued().fetch_or(gap.is_stop, Ordering::Relaxed);
            now = self.inner.now();
        }
        while let Some((_, key)) = self.keys.next_if(|(at, _)| self.zero + *at <= now) {
            key(self.control);
        }
        now
    }

    fn sleep_until(&mut self, due: Instant, stop: &AtomicBool) {
        // Another thread looks for stops, after a stop only once this thread has woken up.
        if self.is_watched {
            self.control.stops().look(self.inner.now());
        }
        // Like the real one, not for long, so that keys are noticed.
        let soon = self.inner.now() + Duration::from_millis(50);
        self.inner.sleep_until(due.min(soon), stop);
    }
}

fn drafts(times_ms: &[i64], next_seq: &mut u64, pass: u32) -> Drafts {
    let draft = |time_ms: &i64| {
        *next_seq += 1;
        Draft {
            kafka_time_ms: None,
            seq: *next_seq - 1,
            event_time_ms: *time_ms,
            plan_time_us: *time_ms * 1_000,
            pass,
            payload_bytes: 2,
            key_bytes: 1,
        }
    };
    let items: Vec<Draft> = times_ms.iter().map(draft).collect();
    Drafts { bytes: BytesMut::from(b"ppk".repeat(times_ms.len()).as_slice()), items, came_at: None }
}

fn millis(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// tcpreplay #724: sleeping for each record drifts by 5 %.
#[test]
fn a_day_at_100x_does_not_drift_although_each_release_takes_time() {
    let times_ms: Vec<i64> = (0..86_400).map(|second| second * 1_000).collect();
    let day =
        PacedReplay { busy: Duration::from_micros(300), ..PacedReplay::of(&times_ms, Speed::Factor(100.0)) };
    let (sent, _, stats) = day.run();
    let took = *sent.last().unwrap() - sent[0];
    assert!(took >= millis(863_990) && took < millis(863_991), "{took:?}");
    assert!(stats.lag_us.unwrap().max() < 1_000);
}

#[test]
fn lag_counts_from_the_intended_time_when_the_sink_is_slow_and_the_plan_stays() {
    let slow =
        PacedReplay { busy: millis(500), ..PacedReplay::of(&[0, 1, 2, 3_000, 9_000], Speed::Factor(1.0)) };
    let (sent, _, stats) = slow.run();
    assert_eq!(sent.len(), 5);
    let took = *sent.last().unwrap() - sent[0];
    assert!(took < millis(9_600), "late events shift nothing behind them: {took:?}");
    assert!(stats.lag_us.unwrap().max() >= 400_000, "late events are counted as late");
}

#[test]
fn loop_3_lasts_three_times_loop_1_and_counts_are_loops_times_n() {
    let times_ms = [5_000, 5_250, 7_000];
    let once = PacedReplay::of(&times_ms, Speed::Factor(2.0)).run().0;
    let thrice =
        PacedReplay { loops: vec![times_ms.to_vec(); 3], ..PacedReplay::of(&times_ms, Speed::Factor(2.0)) }
            .run()
            .0;
    assert_eq!((once.len(), thrice.len()), (3, 9));
    assert_eq!((*once.last().unwrap(), *thrice.last().unwrap()), (millis(1_000), millis(3_000)));
    let max =
        PacedReplay { loops: vec![times_ms.to_vec(); 3], ..PacedReplay::of(&times_ms, Speed::Max) }.run();
    assert_eq!((max.0.len(), max.2.lag_us), (9, None), "full speed loops too, without a schedule");
}

#[test]
fn a_duration_skips_what_is_intended_later_and_counts_it() {
    let times_ms: Vec<i64> = (0..10).map(|second| second * 1_000).collect();
    let cut = |speed, busy| {
        let replay = PacedReplay {
            duration: Some(millis(3_000)),
            busy,
            loops: vec![times_ms.clone(); 2],
            ..PacedReplay::of(&[], speed)
        };
        let (sent, left, _) = replay.run();
        (sent.len(), left)
    };
    assert_eq!(cut(Speed::Factor(1.0), Duration::ZERO), (3, 17));
    assert_eq!(cut(Speed::PerSecond(2.0), Duration::ZERO), (6, 14));
    assert_eq!(cut(Speed::Factor(1e-3), Duration::ZERO), (1, 19));
    assert_eq!(cut(Speed::Factor(1e6), millis(10_000)), (20, 0), "however late");
    // Without a schedule the clock decides: the second batch leaves two looks after the first.
    assert_eq!(cut(Speed::Max, millis(1_000)), (20, 0));
    assert_eq!(cut(Speed::Max, millis(2_000)), (10, 10));
}

#[test]
fn a_delay_comes_before_the_first_event_and_is_no_part_of_the_plan() {
    let late = PacedReplay { delay: millis(60_000), ..PacedReplay::of(&[0, 2_000], Speed::Factor(1.0)) };
    let (sent, _, stats) = late.run();
    assert_eq!(sent, [millis(60_000), millis(62_000)]);
    assert_eq!(stats.lag_us.unwrap().max(), 0);
}

#[test]
fn pause_and_speed_re_anchor_the_plan_and_are_noted() {
    let mut replay = PacedReplay::of(&[0, 1_000, 10_000, 20_000], Speed::Factor(1.0));
    replay.keys = vec![
        (millis(4_000), Control::toggle_pause),
        (millis(9_000), Control::toggle_pause),
        (millis(11_000), |control| control.double_speed(1)),
    ];
    let (sent, left, stats) = replay.run();
    assert_eq!(left, 0);
    // At 11 s, 5 of them paused, the plan is at 6 s; then twice as fast.
    assert_eq!(sent[..3], [millis(0), millis(1_000), millis(13_000)]);
    assert_eq!(sent[3], millis(18_000));
    assert_eq!(stats.lag_us.unwrap().max(), 0, "what was moved is not late");
    assert_eq!(
        stats.changes,
        [
            Change { at: millis(4_000), what: ChangeKind::Pause(millis(5_000)) },
            Change { at: millis(11_000), what: ChangeKind::Speed(2.0) },
        ]
    );
}

#[test]
fn the_time_in_which_the_process_was_stopped_is_not_lag_and_is_noted() {
    let stop = |at, time| Gap { at: millis(at), time: millis(time), is_stop: true };
    let replay = |gaps: &[Gap]| PacedReplay {
        gaps: gaps.to_vec(),
        ..PacedReplay::of(&[0, 1_000, 5_000, 9_000], Speed::Factor(1.0))
    };
    let (sent, _, stats) = replay(&[stop(3_000, 4_000), stop(8_000, 2_000)]).run();
    // Stops are seen by looks 50 ms apart.
    assert_eq!(sent, [millis(0), millis(1_000), millis(11_100), millis(15_100)]);
    assert_eq!(stats.lag_us.unwrap().max(), 0);
    assert_eq!(
        stats.changes,
        [
            Change { at: millis(2_950), what: ChangeKind::Stop(millis(4_050)) },
            Change { at: millis(7_990), what: ChangeKind::Stop(millis(2_050)) },
        ]
    );
    // A busy machine is not a stop.
    let busy = Gap { is_stop: false, ..stop(3_000, 4_000) };
    let (sent, _, stats) = replay(&[busy]).run();
    assert_eq!((sent[2] - sent[0], stats.changes.len()), (millis(7_040), 0));
    assert!(stats.lag_us.unwrap().max() >= 2_000_000);
}

#[test]
fn a_stop_within_a_pause_or_a_delay_is_a_part_of_it() {
    let stop = |at, time| Gap { at: millis(at), time: millis(time), is_stop: true };
    let mut replay = PacedReplay::of(&[0, 1_000, 10_000], Speed::Factor(1.0));
    replay.delay = millis(2_000);
    replay.keys = vec![(millis(4_000), Control::toggle_pause), (millis(9_000), Control::toggle_pause)];
    replay.gaps = vec![stop(1_000, 500), stop(6_000, 2_000)];
    let (sent, _, stats) = replay.run();
    assert_eq!(sent, [millis(2_000), millis(3_000), millis(17_000)]);
    assert_eq!(stats.changes, [Change { at: millis(2_000), what: ChangeKind::Pause(millis(5_000)) }]);
    assert_eq!(stats.lag_us.unwrap().max(), 0);
}

#[test]
fn stop_ends_the_replay_between_two_events() {
    let (stop, over, control) = (AtomicBool::new(false), AtomicBool::new(false), Control::default());
    let options = PacerOptions {
        schedule: Schedule { speed: Speed::Factor(1.0), max_gap: None },
        delay: Duration::ZERO,
        duration: None,
        stamp: None,
        stop: &stop,
        over: &over,
        control: &control,
    };
    let mut pacer = Pacer::new(options, VirtualClock::at(Instant::now()));
    let mut count = 0;
    let send = |events: &mut Vec<Event>| {
        count += events.len();
        stop.store(true, Ordering::Relaxed);
        Ok::<(), Infallible>(())
    };
    let left = pacer.release(drafts(&[0, 1_000, 2_000], &mut 0, 0), send).unwrap();
    assert_eq!((count, left), (1, 2));
}

#[test]
fn time_stamps_are_event_times_where_asked_and_keys_come_out_whole() {
    let (stop, over, control) = (AtomicBool::new(false), AtomicBool::new(false), Control::default());
    let write = |ms: i64, place: &mut [u8]| place[0] = b'0' + (ms % 10) as u8;
    let options = PacerOptions {
        schedule: Schedule { speed: Speed::Factor(1.0), max_gap: None },
        delay: Duration::ZERO,
        duration: None,
        stamp: Some(PayloadStamp { time: StampTime::Event, offset: 1, write }),
        stop: &stop,
        over: &over,
        control: &control,
    };
    let mut pacer = Pacer::new(options, VirtualClock::at(Instant::now()));
    let mut seen = Vec::new();
    let send = |events: &mut Vec<Event>| {
        seen.extend(events.drain(..).map(|event| (event.payload, event.key, event.trace.intended.is_some())));
        Ok::<(), Infallible>(())
    };
    pacer.release(drafts(&[3, 4], &mut 0, 0), send).unwrap();
    assert_eq!(seen, [("p3".into(), "k".into(), true), ("p4".into(), "k".into(), true)]);
}
