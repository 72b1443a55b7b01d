//! What was away during a run: one entry for each outage, with its start and its end. The hops write, the screen and
//! the report read.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Outages that are kept one by one; more are only counted.
pub const OUTAGES_MAX: usize = 200;

/// The hop whose other side was away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OutageHop {
    /// The outside MQTT broker.
    Mqtt,
    /// Kafka, or one of its brokers.
    Kafka,
    /// Druid, or one of its processes.
    Druid,
}

/// How an outage ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutageEnd {
    /// What was away is back.
    Back,
    /// It is still away, and nothing waits for it: others have taken over.
    WithoutIt,
}

/// One outage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outage {
    pub hop: OutageHop,
    /// What was away, in words: the subject of a sentence.
    pub what: String,
    /// What was met first.
    pub reason: String,
    pub since: Instant,
    /// When and how it ended; `None`: not yet.
    pub ended: Option<(Instant, OutageEnd)>,
}

impl OutageHop {
    /// As in the JSON report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mqtt => "mqtt",
            Self::Kafka => "kafka",
            Self::Druid => "druid",
        }
    }
}

impl OutageEnd {
    /// As in the JSON report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Back => "back",
            Self::WithoutIt => "without it",
        }
    }
}

impl Outage {
    /// One that begins.
    pub fn new(hop: OutageHop, what: String, reason: String, since: Instant) -> Self {
        Self { hop, what, reason, since, ended: None }
    }

    /// How long it lasted; `None`: it is not over.
    pub fn length(&self) -> Option<Duration> {
        self.ended.map(|(at, _)| at.saturating_duration_since(self.since))
    }
}

/// All outages of one run.
#[derive(Debug, Default)]
pub struct Outages(Mutex<Book>);

#[derive(Debug, Default)]
struct Book {
    entries: Vec<Outage>,
    /// Producers that cannot reach what an entry is about: it is over when all can.
    waiting: Vec<u32>,
    total: u64,
    news: Vec<Outage>,
}

impl Outages {
    /// Notes that something is away. What is known to be away already is not noted again, but its end is that of the
    /// last one who noted it.
    pub fn begin(&self, outage: Outage) {
        let mut book = self.lock();
        if let Some(at) = book.open(outage.hop, &outage.what) {
            book.waiting[at] += 1;
            return;
        }
        book.total += 1;
        if book.entries.len() < OUTAGES_MAX {
            book.news.push(outage.clone());
            book.entries.push(outage);
            book.waiting.push(1);
        }
    }

    /// Notes the end of an outage that [`begin`](Self::begin) noted.
    pub fn end(&self, hop: OutageHop, what: &str, how: OutageEnd) {
        let mut book = self.lock();
        let Some(at) = book.open(hop, what) else { return };
        book.waiting[at] -= 1;
        if book.waiting[at] == 0 {
            book.entries[at].ended = Some((Instant::now(), how));
            let ended = book.entries[at].clone();
            book.news.push(ended);
        }
    }

    /// What began or ended since the last call, in order: what has ended has an end.
    pub fn take_news(&self) -> Vec<Outage> {
        std::mem::take(&mut self.lock().news)
    }

    /// All of them, in the order in which they began; the first [`OUTAGES_MAX`].
    pub fn all(&self) -> Vec<Outage> {
        self.lock().entries.clone()
    }

    /// How many there were.
    pub fn total(&self) -> u64 {
        self.lock().total
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        // A poisoned lock guards nothing here: each entry is written whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    fn open(&self, hop: OutageHop, what: &str) -> Option<usize> {
        self.entries.iter().rposition(|entry| entry.hop == hop && entry.what == what && entry.ended.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_several_miss_is_one_outage_and_over_when_none_misses_it() {
        let outages = Outages::default();
        let begin = |what: &str| {
            outages.begin(Outage::new(OutageHop::Kafka, what.into(), "refused".into(), Instant::now()));
        };
        let end = |what: &str| outages.end(OutageHop::Kafka, what, OutageEnd::Back);
        begin("a");
        begin("a");
        begin("b");
        assert_eq!(outages.take_news().len(), 2);
        end("a");
        assert_eq!(outages.take_news().len(), 0);
        end("a");
        end("a");
        outages.end(OutageHop::Mqtt, "b", OutageEnd::Back);
        let news = outages.take_news();
        assert!(news.len() == 1 && news[0].what == "a" && news[0].length().is_some(), "{news:?}");
        begin("a");
        let open: Vec<bool> = outages.all().iter().map(|outage| outage.ended.is_none()).collect();
        assert_eq!((open, outages.total()), (vec![false, true, true], 3));
    }

    #[test]
    fn of_very_many_the_first_are_kept_and_all_are_counted() {
        let outages = Outages::default();
        for number in 0..OUTAGES_MAX + 5 {
            let what = number.to_string();
            outages.begin(Outage::new(OutageHop::Mqtt, what.clone(), String::new(), Instant::now()));
            outages.end(OutageHop::Mqtt, &what, OutageEnd::Back);
        }
        assert_eq!((outages.all().len(), outages.total()), (OUTAGES_MAX, OUTAGES_MAX as u64 + 5));
        assert_eq!(outages.take_news().len(), 2 * OUTAGES_MAX);
    }
}
