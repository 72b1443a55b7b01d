//! When Kafka, or one of its brokers, is away: noticed by what librdkafka complains of, or by its silence, and over
//! when messages are acknowledged again.
//!
//! librdkafka complains of each connection, again and again, and never says that one is back. What counts is
//! whether messages wait: a broker that leads no partition of the topic is missed by nobody, and the partitions of
//! one that is gone go on when another leads them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::words::{broker_of, plain};
use crate::count::{Counters, Outage, OutageEnd, OutageHop};

/// Time without an acknowledgement, while messages wait for one, after which Kafka is away, though no
/// connection ended: it may be stopped, or may refuse for want of replicas.
const SILENCE: Duration = Duration::from_secs(5);

/// Longest time between two looks that counts: in a longer one this process itself was stopped.
const LOOK: Duration = Duration::from_millis(100);

/// What a producer knows of the brokers of its topic.
#[derive(Default)]
pub(super) struct Brokers {
    counters: Arc<Counters>,
    /// How many brokers the cluster has; 0: not known.
    count: usize,
    /// The broker that leads each partition: as Kafka said, then as the acknowledgements show. -1: not known.
    leaders: Vec<i32>,
    away: BTreeMap<Away, Missed>,
    silent_for: Duration,
    looked: Option<Instant>,
}

/// What is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Away {
    /// All of it, as far as anybody knows.
    Kafka,
    Broker(i32),
}

/// What is missed while it is away.
struct Missed {
    what: String,
    partitions: BTreeSet<i32>,
}

impl Brokers {
    pub fn new(counters: Arc<Counters>) -> Self {
        Self { counters, ..Self::default() }
    }

    /// What Kafka said before the start: the number of its brokers, and the leaders of the partitions, from 0.
    pub fn know(&mut self, count: usize, leaders: Vec<i32>) {
        (self.count, self.leaders) = (count, leaders);
    }

    /// Takes a complaint of librdkafka's about a connection.
    pub fn complained(&mut self, complaint: &str, now: Instant) {
        let (id, address) = broker_of(complaint);
        let led: BTreeSet<i32> = match id {
            Some(id) => {
                (0..).zip(&self.leaders).filter(|(_, leader)| **leader == id).map(|(at, _)| at).collect()
            }
            None => BTreeSet::new(),
        };
        let is_known = self.leaders.iter().any(|leader| *leader >= 0);
        let (away, what) = match id {
            // A connection to ask for brokers, while some are known.
            None if is_known => return,
            Some(_) if is_known && led.is_empty() => return,
            Some(id) if self.count > 1 && is_known => {
                (Away::Broker(id), format!("broker {id} of Kafka ({address})"))
            }
            _ => (Away::Kafka, "Kafka".to_owned()),
        };
        // All that can be missed is.
        if !self.away.contains_key(&Away::Kafka) {
            self.begin(away, Missed { what, partitions: led }, plain(complaint), now);
        }
    }

    /// Takes an acknowledgement.
    pub fn acknowledged(&mut self, partition: i32, broker: i32) {
        self.silent_for = Duration::ZERO;
        // Hardly ever any of this is news, and this is asked for each message.
        let at = usize::try_from(partition).unwrap_or_default();
        if self.leaders.get(at) != Some(&broker) {
            if at >= self.leaders.len() {
                self.leaders.resize(at + 1, -1);
            }
            self.leaders[at] = broker;
        }
        if self.away.is_empty() {
            return;
        }
        self.end(|away, _| match away {
            Away::Kafka => Some(OutageEnd::Back),
            Away::Broker(id) => (*id == broker).then_some(OutageEnd::Back),
        });
        self.end(|_, missed| {
            missed.partitions.remove(&partition);
            missed.partitions.is_empty().then_some(OutageEnd::WithoutIt)
        });
    }

    /// Looks whether Kafka is silent while messages wait, and says so.
    pub fn look(&mut self, waits: bool, now: Instant) -> bool {
        let passed =
            self.looked.replace(now).map_or(Duration::ZERO, |looked| now.saturating_duration_since(looked));
        if !waits {
            self.silent_for = Duration::ZERO;
            return false;
        }
        self.silent_for += passed.min(LOOK);
        if self.silent_for >= SILENCE && self.away.is_empty() {
            let missed = Missed { what: "Kafka".to_owned(), partitions: BTreeSet::new() };
            let since = now.checked_sub(self.silent_for).unwrap_or(now);
            self.begin(Away::Kafka, missed, "it acknowledges nothing".to_owned(), since);
        }
        self.silent_for >= SILENCE
    }

    /// Everything was acknowledged: nothing is missed any more.
    pub fn finish(&mut self) {
        self.end(|_, _| Some(OutageEnd::WithoutIt));
    }

    fn begin(&mut self, away: Away, missed: Missed, reason: String, since: Instant) {
        if self.away.contains_key(&away) {
            return;
        }
        self.counters.outages.begin(Outage::new(OutageHop::Kafka, missed.what.clone(), reason, since));
        self.away.insert(away, missed);
    }

    fn end(&mut self, mut ends: impl FnMut(&Away, &mut Missed) -> Option<OutageEnd>) {
        let outages = &self.counters.outages;
        self.away.retain(|away, missed| {
            let end = ends(away, missed);
            end.inspect(|how| outages.end(OutageHop::Kafka, &missed.what, *how)).is_none()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(broker: &str) -> String {
        format!(
            "127.0.0.1:909/{broker}: Connect to ipv4#127.0.0.1:909 failed: Connection refused (after 0ms in x)"
        )
    }

    /// Of three brokers and three partitions.
    fn brokers() -> (Brokers, Arc<Counters>) {
        let counters = Arc::<Counters>::default();
        let mut brokers = Brokers::new(counters.clone());
        brokers.know(3, vec![1, 2, 2]);
        (brokers, counters)
    }

    /// What was told since the last time: whether it began or how it ended.
    fn told(counters: &Counters) -> Vec<(String, Option<OutageEnd>)> {
        let news = counters.outages.take_news();
        news.into_iter().map(|outage| (outage.what, outage.ended.map(|(_, how)| how))).collect()
    }

    #[test]
    fn a_broker_whose_partitions_others_lead_is_one_outage_from_its_loss_to_the_last_partition() {
        let (mut brokers, counters) = brokers();
        let now = Instant::now();
        let second = || "broker 2 of Kafka (127.0.0.1:909)".to_owned();
        for _ in 0..3 {
            brokers.complained(&complaint("2"), now);
            brokers.acknowledged(0, 1);
        }
        assert_eq!(told(&counters), [(second(), None)]);
        assert_eq!(counters.outages.all()[0].reason, "Connect to 127.0.0.1:909 failed: Connection refused");
        brokers.acknowledged(1, 1);
        brokers.complained(&complaint("2"), now);
        assert_eq!(told(&counters), []);
        brokers.acknowledged(2, 3);
        assert_eq!(told(&counters), [(second(), Some(OutageEnd::WithoutIt))]);
        // It is missed by nobody now.
        brokers.complained(&complaint("2"), now);
        assert_eq!(told(&counters), []);
        brokers.acknowledged(2, 2);
        brokers.complained(&complaint("2"), now);
        brokers.acknowledged(2, 2);
        assert_eq!(told(&counters), [(second(), None), (second(), Some(OutageEnd::Back))]);
    }

    #[test]
    fn a_connection_that_nothing_waits_for_is_no_outage() {
        let (mut brokers, counters) = brokers();
        for broker in ["3", "bootstrap", "9"] {
            brokers.complained(&complaint(broker), Instant::now());
        }
        assert_eq!(told(&counters), []);
    }

    #[test]
    fn before_anything_is_known_it_is_kafka_that_is_away() {
        let counters = Arc::<Counters>::default();
        let mut brokers = Brokers::new(counters.clone());
        for broker in ["bootstrap", "1", "bootstrap"] {
            brokers.complained(&complaint(broker), Instant::now());
        }
        brokers.acknowledged(0, 1);
        assert_eq!(
            told(&counters),
            [("Kafka".to_owned(), None), ("Kafka".to_owned(), Some(OutageEnd::Back))]
        );
    }

    #[test]
    fn silence_is_an_outage_but_not_a_time_in_which_this_process_was_stopped() {
        let (mut brokers, counters) = brokers();
        let mut now = Instant::now();
        brokers.look(true, now);
        now += 100 * SILENCE;
        brokers.look(true, now);
        assert_eq!(told(&counters), []);
        for _ in 0..50 {
            now += LOOK;
            brokers.look(true, now);
        }
        assert_eq!(told(&counters), [("Kafka".to_owned(), None)]);
        brokers.finish();
        assert_eq!(told(&counters), [("Kafka".to_owned(), Some(OutageEnd::WithoutIt))]);
        for _ in 0..200 {
            now += LOOK;
            brokers.look(false, now);
        }
        assert_eq!(told(&counters), []);
    }
}
