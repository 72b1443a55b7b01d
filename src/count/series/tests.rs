use super::*;
use crate::count::{Counters, Queryable};
use crate::event::{Delivery, Outcome, Trace};

fn seconds(s: f64) -> Duration {
    Duration::from_secs_f64(s)
}

/// Counters whose series began at this time.
fn begun() -> (Counters, Instant) {
    let (counters, zero) = (Counters::default(), Instant::now());
    counters.series.begin(zero);
    (counters, zero)
}

#[test]
fn what_was_counted_in_a_second_is_in_its_step_and_the_sums_are_the_counters() {
    let (counters, zero) = begun();
    counters.series.with_partitions(2);
    for (at_s, published, delivered) in [(0.4, 5, 0), (1.01, 5, 8), (1.5, 1, 0), (2.02, 1, 3), (2.9, 4, 1)] {
        counters.published.add(published);
        counters.delivered.add(delivered);
        counters.series.delivered_by_partition(&[counters.delivered.get(), 0]);
        counters.sample(zero + seconds(at_s), None);
    }
    counters.failed.add(4);
    counters.sample_end(zero + seconds(2.95), None, None);
    counters.sample_end(zero + seconds(9.0), None, None);
    let series = counters.series.report().unwrap();
    assert_eq!(series.every_s, 1);
    assert_eq!(series.published, [10, 2, 4], "what came at 1.01 s was seen when second 0 had ended");
    assert_eq!((&series.delivered, &series.failed), (&vec![8, 3, 1], &vec![0, 0, 4]));
    assert_eq!(series.in_flight, [2, 1, 0]);
    assert_eq!((series.intended, series.queryable, series.backlog), (None, None, None));
    let partitions = series.partitions.unwrap();
    assert_eq!(partitions.delivered, [vec![8, 3, 1], vec![0, 0, 0]]);
    assert_eq!(partitions.queryable, None);
}

#[test]
fn nothing_is_counted_before_the_first_send() {
    let counters = Counters::default();
    counters.sample(Instant::now(), None);
    counters.sample_end(Instant::now(), None, None);
    assert_eq!(counters.series.report(), None);
    assert_eq!(counters.series.recent(5), Recent::default());
}

#[test]
fn tweets_are_intended_when_the_plan_says_so_however_late_they_are_sent() {
    let (counters, zero) = begun();
    counters.series.intended([0.0, 0.9, 1.0, 3.2, 3.3].into_iter().map(seconds));
    counters.series.intended([3.9].into_iter().map(seconds));
    counters.published.add(6);
    counters.sample(zero + seconds(7.0), None);
    let series = counters.series.report().unwrap();
    assert_eq!(series.intended, Some(vec![2, 1, 0, 3, 0, 0, 0]));
    assert_eq!(series.published, [0, 0, 0, 0, 0, 0, 6]);
}

#[test]
fn the_backlog_is_what_was_delivered_and_cannot_be_queried() {
    let (counters, zero) = begun();
    let queryable = Queryable::with_lanes(1);
    for (second, delivered, rows) in [(1, 100, 0), (2, 100, 50), (3, 0, 110)] {
        counters.published.add(delivered);
        counters.delivered.add(delivered);
        queryable.counted(rows, &[], &[], zero, zero + seconds(f64::from(second)));
        counters.sample(zero + seconds(f64::from(second)), Some(&queryable));
    }
    counters.sample_end(zero + seconds(3.5), Some(&queryable), Some(200));
    let series = counters.series.report().unwrap();
    assert_eq!(series.queryable, Some(vec![0, 50, 60, 90]));
    assert_eq!(series.backlog, Some(vec![100, 150, 90, 0]));
    let recent = counters.series.recent(2);
    assert_eq!((recent.seconds, recent.delivered, recent.queryable), (2, 100, 110));
}

/// Kafka answers nothing between 3 and 8 s; then it takes what has waited.
#[test]
fn five_seconds_without_kafka_are_five_steps_without_deliveries() {
    let (counters, zero) = begun();
    let counters = std::sync::Arc::new(counters);
    let (give, take) = crossbeam_channel::unbounded();
    let per_s = 100;
    for n in 0..12 * per_s {
        let sent = zero + Duration::from_millis(n * 1_000 / per_s);
        let answer = sent.saturating_duration_since(zero);
        let is_away = (3..8).contains(&answer.as_secs());
        let acked = if is_away { zero + Duration::from_secs(8) } else { sent + Duration::from_millis(2) };
        let trace = Trace { seq: Some(n), intended: Some(sent), sent, kafka_time_ms: None };
        let offset = n as i64;
        give.send(vec![Delivery { trace, acked, outcome: Outcome::Delivered { partition: 0, offset } }])
            .unwrap();
    }
    drop(give);
    let tally = crate::count::Tally::telling(None, counters.clone(), Default::default()).run(&take);
    counters.sample(zero + Duration::from_secs(12), None);
    let series = counters.series.report().unwrap();
    let acked = crate::count::LatencyMs::of(&tally.acks.from_phase(0)).unwrap();
    // Of 12 s, 5 waited for 5 to 0 s: the slowest 1 % of all are the first 12 of them.
    assert!((4_990.0..5_010.0).contains(&acked.max), "{acked:?}");
    assert!((4_860.0..4_900.0).contains(&acked.p99), "{acked:?}");
    let silent: Vec<usize> = (0..12).filter(|second| series.acked_max_ms[*second].is_none()).collect();
    assert_eq!(silent, [3, 4, 5, 6, 7]);
    assert_eq!(series.acked_max_ms[8], Some(acked.max));
}

#[test]
fn a_week_is_as_long_as_a_day() {
    let (counters, zero) = begun();
    let day = 86_400;
    for hour in 0..7 * 24 {
        counters.published.add(1);
        counters.sample(zero + Duration::from_secs(3_600 * (hour + 1)), None);
    }
    let series = counters.series.report().unwrap();
    assert_eq!((series.every_s, series.published.len()), (8, 7 * day / 8));
    assert_eq!(series.published.iter().sum::<u64>(), 7 * 24);
    assert_eq!(series.lag_p99_ms.len(), series.published.len());
}
