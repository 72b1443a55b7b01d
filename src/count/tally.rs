//! Collects what became of every event: latencies, reasons of failures, and whether each sequence
//! number was reported on exactly once.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use crossbeam_channel::Receiver;

use super::{Counters, LatencyMeter, NumberSet, Places, Queryable, Slowest, phase_of};
use crate::event::{Delivery, Outcome};

/// What became of the events of one run.
#[derive(Debug)]
pub struct Tally {
    /// Send to Kafka's delivery report.
    pub acks: LatencyMeter,
    pub failures: Failures,
    /// Sequence numbers reported on, counted once each.
    pub distinct: u64,
    /// Reports beyond the first for one sequence number.
    pub repeated: u64,
    /// Sequence numbers of what Kafka acknowledged.
    pub delivered: NumberSet,
    /// Where Kafka says that messages are, those of others too.
    pub places: Places,
    /// When the last report came.
    pub last_ack: Option<Instant>,
    queryable: Option<Arc<Queryable>>,
    seen: SeenSeqs,
    /// Where the series is, and the phases.
    counters: Option<Arc<Counters>>,
    /// The first sequence numbers of the phases that have begun.
    begun: Vec<u64>,
    /// Acknowledged so far, by partition.
    by_partition: Vec<u64>,
}

/// Failed events by Kafka's reason.
#[derive(Debug, Default)]
pub struct Failures {
    pub by_reason: BTreeMap<String, u64>,
    /// How many of these may still have arrived: they were in flight when the wait ended.
    pub unknown: u64,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            acks: LatencyMeter::new(Slowest::Acked),
            failures: Failures::default(),
            distinct: 0,
            repeated: 0,
            delivered: NumberSet::default(),
            places: Places::default(),
            last_ack: None,
            queryable: None,
            seen: SeenSeqs::default(),
            counters: None,
            begun: Vec::new(),
            by_partition: Vec::new(),
        }
    }
}

impl Tally {
    /// A tally that tells `queryable` of each delivery, where somebody counts rows in Druid, and the series of
    /// `counters`. Messages of the run are at `places` that were free.
    pub fn telling(queryable: Option<Arc<Queryable>>, counters: Arc<Counters>, places: Places) -> Self {
        Self { queryable, places, counters: Some(counters), ..Self::default() }
    }

    /// Takes deliveries until all senders are gone.
    pub fn run(self, deliveries: &Receiver<Vec<Delivery>>) -> Self {
        self.run_with(deliveries, |_, _| {})
    }

    /// As [`run`](Self::run), and passes each batch to `look`, with the sequence number below which
    /// every event has been reported on.
    pub fn run_with(
        mut self,
        deliveries: &Receiver<Vec<Delivery>>,
        mut look: impl FnMut(&[Delivery], u64),
    ) -> Self {
        let counters = self.counters.clone();
        for batch in deliveries {
            if let Some(counters) = &counters {
                self.begun = counters.phases.begun();
            }
            if let Some(queryable) = &self.queryable {
                queryable.delivered(&batch, &self.begun);
            }
            if let (Some(counters), Some(first)) = (&counters, batch.first()) {
                self.acks.enter(first.acked, self.phase(first), counters);
            }
            for delivery in &batch {
                if let Some(counters) = counters.as_ref().filter(|_| !self.begun.is_empty()) {
                    self.acks.enter(delivery.acked, self.phase(delivery), counters);
                }
                self.take(delivery);
            }
            if let Some(counters) = &counters {
                counters.series.delivered_by_partition(&self.by_partition);
            }
            look(&batch, self.seen.next);
        }
        self.acks.flush(counters.as_deref());
        self
    }

    /// The messages of others are in the first phase.
    fn phase(&self, delivery: &Delivery) -> usize {
        delivery.trace.seq.map_or(0, |seq| phase_of(&self.begun, seq))
    }

    fn count_partition(&mut self, partition: i32) {
        let Ok(partition) = usize::try_from(partition) else { return };
        if self.by_partition.len() <= partition {
            self.by_partition.resize(partition + 1, 0);
        }
        self.by_partition[partition] += 1;
    }

    fn take(&mut self, delivery: &Delivery) {
        match &delivery.outcome {
            Outcome::Delivered { partition, offset } => {
                self.places.take(*partition, *offset);
                if let Some(seq) = delivery.trace.seq {
                    self.delivered.insert(seq);
                    self.count_partition(*partition);
                }
                let micros = |since| delivery.acked.saturating_duration_since(since).as_micros() as u64;
                self.acks.record(micros(delivery.trace.sent));
                self.last_ack = Some(delivery.acked);
            }
            Outcome::Failed { reason, may_have_arrived } => {
                *self.failures.by_reason.entry(reason.clone()).or_default() += 1;
                self.failures.unknown += u64::from(*may_have_arrived);
            }
        }
        match delivery.trace.seq.map(|seq| self.seen.insert(seq)) {
            Some(true) => self.distinct += 1,
            Some(false) => self.repeated += 1,
            None => {}
        }
    }
}

/// Sequence numbers seen so far, in memory limited by what is in flight: all below `next`, and a
/// flag for each one above it.
#[derive(Debug, Default)]
struct SeenSeqs {
    next: u64,
    later: VecDeque<bool>,
}

impl SeenSeqs {
    /// Whether `seq` is new.
    fn insert(&mut self, seq: u64) -> bool {
        let Some(ahead) = seq.checked_sub(self.next) else { return false };
        let ahead = ahead as usize;
        if self.later.len() <= ahead {
            self.later.resize(ahead + 1, false);
        }
        let new = !std::mem::replace(&mut self.later[ahead], true);
        while self.later.front() == Some(&true) {
            self.later.pop_front();
            self.next += 1;
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Trace;

    fn delivery(seq: u64, outcome: Outcome) -> Delivery {
        let now = Instant::now();
        Delivery { trace: Trace { seq: Some(seq), ..Trace::foreign(now) }, acked: now, outcome }
    }

    #[test]
    fn each_sequence_number_counts_once_whatever_the_order() {
        let mut tally = Tally::default();
        for (offset, seq) in (0..).zip([3, 0, 1, 3, 2, 0, 5]) {
            tally.take(&delivery(seq, Outcome::Delivered { partition: 0, offset }));
        }
        assert_eq!((tally.distinct, tally.repeated), (5, 2));
        assert_eq!((tally.delivered.len(), tally.places.taken), (5, 0));
        assert_eq!((tally.seen.next, tally.seen.later.len()), (4, 2));
        tally.acks.flush(None);
        assert_eq!(tally.acks.from_phase(0).len(), 7);
    }

    #[test]
    fn failures_are_kept_by_reason() {
        let mut tally = Tally::default();
        for (seq, reason, may_have_arrived) in [(0, "purged", true), (1, "purged", false), (2, "full", false)]
        {
            tally.take(&delivery(seq, Outcome::Failed { reason: reason.into(), may_have_arrived }));
        }
        assert_eq!(tally.failures.by_reason["purged"], 2);
        assert_eq!((tally.failures.by_reason.len(), tally.failures.unknown), (2, 1));
        tally.acks.flush(None);
        assert!(tally.acks.phases_us().is_empty());
    }
}
