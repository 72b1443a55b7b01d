use rdkafka::mocking::MockCluster;

use super::*;
use crate::kafka::ProducerOptions;
use crate::kafka::embedded::Fsync;
use crate::options::{SpoolOptions, TopicRoute};

/// A mover to the Kafka at `brokers`, and its intake.
fn mover(brokers: &str, spool: Option<Spool>) -> (Mover, Intake) {
    let (intake, taken) = Intake::new(32 << 20);
    let route = TopicRoute { filter: "#".to_owned(), topic: "tweets".to_owned() };
    let routes = Routes::new(&[route], &["user_id".to_owned()]);
    let options = ProducerOptions { brokers: brokers.to_owned(), ..ProducerOptions::default() };
    let producer = StreamProducer::new(&options).unwrap();
    (Mover::new(routes, (intake.clone(), taken), producer, spool, Duration::ZERO), intake)
}

#[test]
fn batches_beyond_those_of_a_round_are_there_in_the_next() {
    let (mut mover, intake) = mover("127.0.0.1:1", None);
    let numbers: Vec<String> = (0..BATCHES_MAX + 10).map(|number| number.to_string()).collect();
    numbers.iter().for_each(|number| intake.bring([("t", &**number)].into_iter()));
    mover.take();
    assert_eq!(mover.parts.queue.len(), BATCHES_MAX);
    mover.take();
    let queued: Vec<&[u8]> = mover.parts.queue.iter().map(|waiting| &*waiting.message.payload).collect();
    assert_eq!(queued, numbers.iter().map(String::as_bytes).collect::<Vec<_>>());
    assert_eq!((intake.received(), intake.abandoned()), (numbers.len() as u64, 0));
}

#[test]
fn while_a_partition_does_not_answer_no_more_is_read_of_the_spool_than_a_kill_may_bring_again() {
    const MESSAGES: u64 = 6_000;
    let cluster = MockCluster::new(2).unwrap();
    for (broker, topic) in [(1, "answers"), (2, "silent")] {
        cluster.create_topic(topic, 1, 1).unwrap();
        cluster.partition_leader(topic, 0, Some(broker)).unwrap();
    }
    cluster.broker_down(2).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let options = SpoolOptions { dir: dir.path().to_owned(), fsync: Fsync::Never, max_bytes: u64::MAX };
    let mut spool = Spool::open(options).unwrap();
    let messages: Vec<_> = (0..MESSAGES).map(spooled).collect();
    assert_eq!(spool.append(messages.iter()).unwrap(), MESSAGES);
    let (mut mover, _) = mover(&cluster.bootstrap_servers(), Some(spool));
    // Until nothing is on its way but to the partition that does not answer.
    let deadline = Instant::now() + Duration::from_secs(120);
    let next = |mover: &mut Mover| {
        assert!(Instant::now() < deadline, "{:?}", mover.parts.ledger);
        mover.collect().unwrap();
        mover.look();
        mover.send_spooled().unwrap();
        std::thread::sleep(POLL);
        let read_ahead = mover.spool.as_ref().unwrap().read_ahead();
        assert!(read_ahead <= SPOOL_WINDOW_MESSAGES as u64, "{read_ahead}");
    };
    let waits = |message: &InFlight| matches!(message.held, Held::Spool(number) if !number.is_multiple_of(2));
    while mover.parts.ledger.delivered == 0 || !mover.parts.in_flight.values().all(waits) {
        next(&mut mover);
    }
    assert_eq!(mover.parts.ledger.delivered, SPOOL_WINDOW_MESSAGES as u64 / 2 + 1);
    cluster.broker_up(2).unwrap();
    while mover.spool.as_ref().unwrap().pending() > 0 {
        next(&mut mover);
    }
    assert_eq!((mover.parts.ledger.delivered, mover.parts.ledger.failed), (MESSAGES, 0));
}

/// Every other one is for the partition that does not answer.
fn spooled(number: u64) -> BridgeMessage {
    let topic = if number.is_multiple_of(2) { "answers" } else { "silent" };
    BridgeMessage {
        topic: topic.into(),
        mqtt_topic: "t".into(),
        key: "".into(),
        payload: number.to_string().into(),
        time_ms: 0,
    }
}
