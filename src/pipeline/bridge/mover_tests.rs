use super::*;
use crate::kafka::ProducerOptions;
use crate::options::TopicRoute;

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
