use super::*;
use crate::event::Trace;
use bytes::Bytes;
use rdkafka::mocking::MockCluster;
use std::sync::atomic::AtomicBool;

/// With headers each message is sent separately, without them in whole batches.
const HEADERS: [Option<&str>; 2] = [Some("r1"), None];

fn options(brokers: String, headers: Option<&str>) -> ProducerOptions {
    ProducerOptions {
        brokers,
        topic: "tweets".into(),
        partitions: 1,
        replication: None,
        properties: Vec::new(),
        run_in_headers: headers.map(str::to_owned),
        producers: 1,
    }
}

fn producer(options: &ProducerOptions, stop: bool) -> (Producer, Receiver<Vec<Delivery>>) {
    let after_stop = Duration::from_millis(300);
    producer_until(options, DrainLimit { stop: flag(stop), after_stop, ..DrainLimit::default() })
}

fn producer_until(options: &ProducerOptions, drain: DrainLimit) -> (Producer, Receiver<Vec<Delivery>>) {
    let (deliveries, reported) = crossbeam_channel::unbounded();
    (Producer::new(options, Arc::default(), deliveries, drain).unwrap(), reported)
}

fn flag(is_set: bool) -> Arc<AtomicBool> {
    Arc::new(AtomicBool::new(is_set))
}

fn event(seq: u64) -> Event {
    Event {
        trace: Trace { seq: Some(seq), intended: None, sent: Instant::now(), kafka_time_ms: None },
        key: Bytes::from_static(b"k"),
        payload: Bytes::from_static(b"{}"),
    }
}

fn run(options: &ProducerOptions, count: u64, stop: bool) -> (Vec<Delivery>, Arc<Counters>) {
    let (producer, reported) = producer(options, stop);
    let counters = producer.counters.clone();
    let (send, queue) = crossbeam_channel::unbounded();
    send.send((0..count).map(event).collect()).unwrap();
    drop(send);
    producer.run(&queue);
    (reported.iter().flatten().collect(), counters)
}

#[test]
fn no_ack_is_lost_at_shutdown() {
    for headers in HEADERS {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic("tweets", 1, 1).unwrap();
        let (deliveries, counters) = run(&options(cluster.bootstrap_servers(), headers), 5_000, false);
        let mut seqs: Vec<_> = deliveries.iter().filter_map(|delivery| delivery.trace.seq).collect();
        seqs.sort_unstable();
        assert_eq!(seqs, (0..5_000).collect::<Vec<u64>>(), "one delivery for each event");
        assert_eq!((counters.delivered.get(), counters.failed.get()), (5_000, 0));
    }
}

#[test]
fn a_full_queue_waits_and_loses_nothing() {
    for headers in HEADERS {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic("tweets", 1, 1).unwrap();
        let mut options = options(cluster.bootstrap_servers(), headers);
        options.properties.push(("queue.buffering.max.messages".into(), "10".into()));
        let (deliveries, counters) = run(&options, 500, false);
        assert_eq!(counters.delivered.get(), 500);
        assert!(counters.kafka_blocked_ns.get() > 0);
        let mut offsets: Vec<_> = deliveries
            .iter()
            .map(|delivery| match delivery.outcome {
                Outcome::Delivered { offset, .. } => (offset, delivery.trace.seq.unwrap()),
                Outcome::Failed { .. } => panic!("{delivery:?}"),
            })
            .collect();
        offsets.sort_unstable();
        assert!(offsets.is_sorted_by_key(|(_, seq)| *seq), "the order of one key is kept");
    }
}

#[test]
fn what_kafka_does_not_take_after_a_stop_is_failed_and_not_forgotten() {
    for headers in HEADERS {
        // No server listens on the discard port.
        let (deliveries, counters) = run(&options("127.0.0.1:9".into(), headers), 100, true);
        assert_eq!(deliveries.len(), 100);
        assert_eq!((counters.delivered.get(), counters.failed.get()), (0, 100));
        for delivery in deliveries {
            let Outcome::Failed { reason, .. } = &delivery.outcome else { panic!("{delivery:?}") };
            assert!(reason.starts_with("not sent: Kafka did not take"), "{reason}");
        }
    }
}

#[test]
fn given_up_with_a_full_queue_the_rest_is_failed_too() {
    for headers in HEADERS {
        let mut options = options("127.0.0.1:9".into(), headers);
        options.properties.push(("queue.buffering.max.messages".into(), "10".into()));
        let (deliveries, counters) = run(&options, 100, true);
        assert_eq!((deliveries.len(), counters.failed.get()), (100, 100));
    }
}

#[test]
fn after_the_last_event_the_wait_for_a_full_queue_has_a_limit() {
    for headers in HEADERS {
        let mut options = options("127.0.0.1:9".into(), headers);
        options.properties.push(("queue.buffering.max.messages".into(), "10".into()));
        let after_end = Some(Duration::from_millis(300));
        let drain = DrainLimit { ended: flag(true), after_end, ..DrainLimit::default() };
        let (producer, reported) = producer_until(&options, drain);
        let counters = producer.counters.clone();
        let (send, queue) = crossbeam_channel::unbounded();
        send.send((0..100).map(event).collect()).unwrap();
        drop(send);
        producer.run(&queue);
        assert_eq!((reported.iter().flatten().count(), counters.failed.get()), (100, 100));
    }
}

#[test]
fn what_comes_later_than_the_limit_is_delivered_all_the_same() {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic("tweets", 1, 1).unwrap();
    let limit = Duration::from_secs(1);
    let drain = DrainLimit { ended: flag(true), after_end: Some(limit), ..DrainLimit::default() };
    let (producer, reported) = producer_until(&options(cluster.bootstrap_servers(), None), drain);
    let counters = producer.counters.clone();
    let (send, queue) = crossbeam_channel::unbounded();
    std::thread::scope(|scope| {
        scope.spawn(move || producer.run(&queue));
        // As if an outside MQTT broker had been away this long.
        std::thread::sleep(limit + 2 * IDLE);
        send.send((0..100).map(event).collect()).unwrap();
        drop(send);
    });
    assert_eq!((reported.iter().flatten().count(), counters.delivered.get()), (100, 100));
}

#[test]
fn what_librdkafka_refuses_is_failed_and_the_rest_is_delivered() {
    for headers in HEADERS {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic("tweets", 1, 1).unwrap();
        let mut options = options(cluster.bootstrap_servers(), headers);
        // The smallest value that librdkafka allows.
        options.properties.push(("message.max.bytes".into(), "1000".into()));
        let (producer, deliveries) = producer(&options, false);
        let (send, queue) = crossbeam_channel::unbounded();
        let payload =
            |seq: u64| if seq == 3 { Bytes::from(vec![b'x'; 2_000]) } else { Bytes::from_static(b"{}") };
        send.send((0..6).map(|seq| Event { payload: payload(seq), ..event(seq) }).collect()).unwrap();
        drop(send);
        let counters = producer.counters.clone();
        producer.run(&queue);
        let failed = |delivery: &Delivery| matches!(delivery.outcome, Outcome::Failed { .. });
        let deliveries: Vec<_> = deliveries.iter().flatten().filter(failed).collect();
        let seqs: Vec<_> = deliveries.iter().map(|delivery| delivery.trace.seq).collect();
        assert_eq!((seqs, counters.delivered.get()), (vec![Some(3)], 5));
        let Outcome::Failed { reason, .. } = &deliveries[0].outcome else { panic!("{deliveries:?}") };
        assert!(reason.starts_with("the message is above the size"), "{reason}");
    }
}

#[test]
fn a_message_larger_than_the_queue_goes_alone() {
    for headers in HEADERS {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic("tweets", 1, 1).unwrap();
        let options = ProducerOptions { producers: 32, ..options(cluster.bootstrap_servers(), headers) };
        let (producer, deliveries) = producer(&options, false);
        let (send, queue) = crossbeam_channel::unbounded();
        let payload = |seq: u64| Bytes::from(vec![b'x'; if seq % 3 == 1 { 300_000 } else { 30_000 }]);
        send.send((0..9).map(|seq| Event { payload: payload(seq), ..event(seq) }).collect()).unwrap();
        drop(send);
        let counters = producer.counters.clone();
        producer.run(&queue);
        let seqs: Vec<_> = deliveries.iter().flatten().filter_map(|delivery| delivery.trace.seq).collect();
        assert_eq!((seqs, counters.delivered.get()), ((0..9).collect(), 9));
    }
}

#[test]
fn an_offset_that_is_not_above_the_one_before_is_counted() {
    let mut last = Vec::new();
    let mut count = |places: &[(i32, i64)]| {
        let report = |(partition, offset): &(i32, i64)| {
            (0, Outcome::Delivered { partition: *partition, offset: *offset })
        };
        falls(&mut last, &places.iter().map(report).collect::<Vec<_>>())
    };
    assert_eq!(count(&[(0, 0), (0, 1), (3, 7), (0, 5), (3, 8), (1, -1), (1, 0)]), 0);
    assert_eq!(count(&[(0, 5), (3, 2), (3, 3), (0, 6)]), 2);
}
