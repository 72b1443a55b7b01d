use super::*;
use crate::event::Trace;

fn delivery(seq: u64, intended: Instant, acked: Instant) -> Delivery {
    delivery_to(0, seq, intended, acked)
}

fn delivery_to(partition: i32, seq: u64, intended: Instant, acked: Instant) -> Delivery {
    let outcome = Outcome::Delivered { partition, offset: seq as i64 };
    Delivery {
        trace: Trace { seq: Some(seq), intended: Some(intended), sent: intended, kafka_time_ms: None },
        acked,
        outcome,
    }
}

#[test]
fn the_kth_delivered_becomes_the_kth_row() {
    let queryable = Queryable::default();
    let start = Instant::now() + Duration::from_secs(1);
    let at = |ms| start + Duration::from_millis(ms);
    let batch: Vec<_> = (0..100).map(|seq| delivery(seq, at(seq * 10), at(seq * 10 + 5))).collect();
    queryable.delivered(&batch, &[]);
    queryable.counted(0, &[], &[], at(890), at(900));
    queryable.counted(50, &[], &[], at(990), at(1_000));
    queryable.counted(100, &[], &[], at(1_450), at(1_500));
    let times = queryable.times(start, 0);
    // 50 of them at 1,000 − 0…490, 50 at 1,500 − 500…990.
    let latency = times.from_intended_ms.unwrap();
    assert!((latency.max - 1_000.0).abs() < 2.0 && (latency.p50 - 755.0).abs() < 10.0, "{latency:?}");
    let from_ack = times.from_ack_ms.unwrap();
    assert!((from_ack.max - 995.0).abs() < 2.0, "{from_ack:?}");
    assert_eq!(times.poll_gap, Duration::from_millis(510), "from one question to the next answer");
    // The first half came after the query at 890, the second after that at 990: at least 890 − 0…490, 990 − 500…990.
    let error = times.from_intended_error_ms.unwrap();
    assert!((error.p50 - 310.0).abs() < 15.0 && (error.max - 110.0).abs() < 2.0, "{error:?}");
    assert_eq!(times.tweets, 100);
    assert_eq!(times.rows_per_s, Some(100.0));
    assert_eq!(times.backlog[1], BacklogPoint { at_s: 1.0, delivered: 100, queryable: 50 });
}

#[test]
fn rows_seen_before_their_delivery_report_are_paired_later() {
    let queryable = Queryable::default();
    let start = Instant::now() + Duration::from_secs(1);
    queryable.counted(2, &[], &[], start, start);
    assert!(queryable.times(start, 0).from_ack_ms.is_none());
    queryable
        .delivered(&[delivery(0, start, start), delivery(1, start, start), delivery(2, start, start)], &[]);
    let inner = queryable.lock();
    assert_eq!((inner.from_ack[0].most_us.len(), inner.lanes[0].len(), inner.early.len()), (2, 1, 0));
}

#[test]
fn tweets_of_one_millisecond_take_one_place() {
    let queryable = Queryable::default();
    let start = Instant::now();
    queryable.delivered(&(0..10_000).map(|seq| delivery(seq, start, start)).collect::<Vec<_>>(), &[]);
    assert_eq!(queryable.lock().lanes[0].len(), 1);
    queryable.counted(9_999, &[], &[], Instant::now(), Instant::now());
    assert_eq!(queryable.lock().lanes[0][0].tweets, 1);
}

#[test]
fn a_partition_that_is_read_late_is_late_alone() {
    let queryable = Queryable::with_lanes(2);
    let start = Instant::now() + Duration::from_secs(1);
    let at = |ms| start + Duration::from_millis(ms);
    // Even ones in partition 0, odd ones in partition 1, one per millisecond.
    let batch: Vec<_> = (0..1_000).map(|seq| delivery_to((seq % 2) as i32, seq, at(seq), at(seq))).collect();
    queryable.delivered(&batch, &[]);
    let samples = queryable.samples();
    assert!(samples.len() <= SAMPLES && samples.contains(&998) && samples.contains(&999), "{samples:?}");
    // Partition 0 is read to its end at once, partition 1 five seconds later.
    let even: Vec<u64> = samples.iter().copied().filter(|seq| seq % 2 == 0).collect();
    queryable.counted(500, &samples, &even, at(990), at(1_000));
    let half = queryable.times(start, 0).from_intended_ms.unwrap();
    assert!((half.max - 1_000.0).abs() < 2.0, "{half:?}");
    assert!(queryable.samples().iter().all(|seq| seq % 2 == 1));
    queryable.counted(1_000, &[], &[], at(5_980), at(6_000));
    let times = queryable.times(start, 0);
    let whole = times.from_intended_ms.unwrap();
    // Paired by rank over both, the first half would be that of the first 500 sent.
    assert!((whole.p50 - 1_000.0).abs() < 10.0 && (whole.max - 5_999.0).abs() < 10.0, "{whole:?}");
    // Those of partition 1 were missing at 990.
    let error = times.from_intended_error_ms.unwrap();
    assert!((error.max - 5_010.0).abs() < 30.0, "{error:?}");
    assert_eq!(times.poll_gap, Duration::from_millis(5_010));
}

#[test]
fn a_sample_that_was_not_found_bounds_all_behind_it() {
    let queryable = Queryable::with_lanes(2);
    let start = Instant::now() + Duration::from_secs(1);
    let at = |ms| start + Duration::from_millis(ms);
    queryable.delivered(&(0..100).map(|seq| delivery_to(0, seq, at(seq), at(seq))).collect::<Vec<_>>(), &[]);
    assert!(queryable.oldest_waiting().unwrap() <= at(1));
    // Sample 50 was missing, and 49 was not asked for: it may have been there.
    queryable.counted(50, &[50], &[], at(200), at(210));
    queryable.counted(100, &[99], &[99], at(290), at(300));
    let inner = queryable.lock();
    assert_eq!(
        (inner.from_ack[0].least_us.max() / 1_000, inner.from_ack[0].most_us.max() / 1_000),
        (150, 300)
    );
    assert_eq!(inner.from_ack[0].least_us.min(), 0);
}

#[test]
fn an_answer_that_was_overtaken_or_hides_rows_says_nothing() {
    let queryable = Queryable::default();
    let start = Instant::now() + Duration::from_secs(1);
    let at = |ms| start + Duration::from_millis(ms);
    queryable.delivered(&(0..3).map(|seq| delivery(seq, start, start)).collect::<Vec<_>>(), &[]);
    queryable.counted(1, &[], &[], at(100), at(110));
    queryable.counted(0, &[], &[], at(500), at(510));
    queryable.counted(3, &[], &[], at(600), at(610));
    let error = queryable.times(start, 0).from_intended_error_ms.unwrap();
    assert!((error.max - 510.0).abs() < 2.0, "not since 500: {error:?}");
    assert!(!queryable.is_behind());
}

#[test]
fn in_lanes_too_all_is_paired_once_all_is_counted() {
    let queryable = Queryable::with_lanes(3);
    let now = Instant::now();
    queryable.counted(3, &[], &[], now, now);
    queryable.delivered(&(0..3).map(|seq| delivery_to(seq as i32, seq, now, now)).collect::<Vec<_>>(), &[]);
    assert!(queryable.samples().is_empty());
    assert_eq!(queryable.lock().from_ack[0].most_us.len(), 3);
}
