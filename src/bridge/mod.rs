//! The bridge hop: from the single subscriber to the Kafka producers, over bounded queues of
//! batches.
//!
//! Events are fanned out by key, so that one user's tweets stay in order. A full queue makes the
//! sender wait, and through the credit window of the previous hop the whole replay: nothing is ever
//! dropped. The queues are crossbeam's bounded channels, which are lock-free unless a thread has to
//! wait; with batches they cost a few nanoseconds per message.

use std::sync::Arc;
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use crate::count::Counters;
use crate::event::Event;

/// The receivers are gone: a producer ended before its input did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a Kafka producer ended while there was more to send")]
pub struct Closed;

/// The sending side: hands each event to the queue of its key.
#[derive(Debug)]
pub struct FanOut {
    queues: Vec<Sender<Vec<Event>>>,
    counters: Arc<Counters>,
}

/// A bridge to `producers` queues of at most `depth` batches each.
pub fn fan_out(
    producers: usize,
    depth: usize,
    counters: Arc<Counters>,
) -> (FanOut, Vec<Receiver<Vec<Event>>>) {
    let (queues, receivers) = (0..producers.max(1)).map(|_| bounded(depth)).unzip();
    (FanOut { queues, counters }, receivers)
}

impl FanOut {
    /// Passes on all of `events`, in order for each key, and empties the vector. Blocks while a
    /// queue is full.
    ///
    /// # Errors
    /// When a receiver is gone.
    pub fn send(&mut self, events: &mut Vec<Event>) -> Result<(), Closed> {
        if events.is_empty() {
            return Ok(());
        }
        if let [queue] = self.queues.as_slice() {
            return self.hand_over(queue, std::mem::take(events));
        }
        let mut batches: Vec<Vec<Event>> = vec![Vec::new(); self.queues.len()];
        for event in events.drain(..) {
            batches[crc32c::crc32c(&event.key) as usize % self.queues.len()].push(event);
        }
        for (queue, batch) in self.queues.iter().zip(batches) {
            if !batch.is_empty() {
                self.hand_over(queue, batch)?;
            }
        }
        Ok(())
    }

    /// Batches now waiting in all queues.
    pub fn depth(&self) -> usize {
        self.queues.iter().map(Sender::len).sum()
    }

    fn hand_over(&self, queue: &Sender<Vec<Event>>, batch: Vec<Event>) -> Result<(), Closed> {
        match queue.try_send(batch) {
            Ok(()) => Ok(()),
            Err(TrySendError::Disconnected(_)) => Err(Closed),
            Err(TrySendError::Full(batch)) => {
                let since = Instant::now();
                let sent = queue.send(batch).map_err(|_| Closed);
                self.counters.bridge_blocked_ns.add_time(since.elapsed());
                sent
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Trace;
    use bytes::Bytes;

    fn event(seq: u64, key: &'static str) -> Event {
        Event {
            trace: Trace { seq: Some(seq), intended: None, sent: Instant::now(), kafka_time_ms: None },
            key: Bytes::from_static(key.as_bytes()),
            payload: Bytes::new(),
        }
    }

    #[test]
    fn a_key_always_takes_the_same_queue_and_keeps_its_order() {
        let (mut bridge, queues) = fan_out(3, 1_000, Arc::default());
        for seq in 0..300 {
            bridge.send(&mut vec![event(seq, ["a", "b", "c", "d"][seq as usize % 4])]).unwrap();
        }
        drop(bridge);
        let mut total = 0;
        let mut queue_of_key = std::collections::HashMap::new();
        for (index, queue) in queues.iter().enumerate() {
            let mut last = std::collections::HashMap::new();
            for event in queue.iter().flatten() {
                total += 1;
                assert_eq!(*queue_of_key.entry(event.key.clone()).or_insert(index), index);
                assert!(last.insert(event.key.clone(), event.trace.seq) < Some(event.trace.seq));
            }
        }
        assert_eq!(total, 300);
    }

    #[test]
    fn one_hot_key_waits_for_its_queue_and_loses_nothing() {
        let counters = Arc::new(Counters::default());
        let (mut bridge, queues) = fan_out(2, 1, counters.clone());
        let count = |queue: Receiver<Vec<Event>>| std::thread::spawn(move || queue.iter().flatten().count());
        // All readers first: the hot key's queue may be any of them.
        let readers: Vec<_> = queues.into_iter().map(count).collect();
        for seq in 0..5_000 {
            bridge.send(&mut vec![event(seq, "hot")]).unwrap();
        }
        drop(bridge);
        let read: usize = readers.into_iter().map(|reader| reader.join().unwrap()).sum();
        assert_eq!(read, 5_000);
        assert!(counters.bridge_blocked_ns.get() > 0, "a queue of one batch was full at times");
    }

    #[test]
    fn a_producer_that_is_gone_is_an_error() {
        let (mut bridge, queues) = fan_out(1, 1, Arc::default());
        drop(queues);
        assert_eq!(bridge.send(&mut vec![event(0, "a")]), Err(Closed));
    }
}
