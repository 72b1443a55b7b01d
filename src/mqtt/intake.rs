//! The way out of MQTT for a bridge: what publishers send, each message with a receipt that is settled when it is safe
//! elsewhere. Only then does its publisher get PUBACK or PUBREC.
//!
//! Nothing is dropped for want of room. A connection for whose messages there is none waits, and reads no more from its
//! socket meanwhile; that slows its publisher, at QoS 0 too.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use crossbeam_channel::{Receiver, Sender, unbounded};
use tokio::sync::{Semaphore, watch};

use super::held::{Answers, Settled};

/// Messages of one publisher that are read and not settled. Above what clients have in flight at QoS 1 by default (paho:
/// 20, mosquitto: 20), so that they are still read, and their pings answered, while they wait.
pub(super) const CLIENT_MESSAGES_MAX: usize = 1_024;

/// What a message takes beside its payload and topic: itself, its places in queues, librdkafka's own part.
const OVERHEAD_BYTES: usize = 400;

/// How long connections still read after [`Intake::close`]: what had been sent before it is on its way.
pub const CLOSING_READ_MAX: Duration = Duration::from_millis(300);

/// Takes the messages of publishers. A clone is the same intake.
#[derive(Clone)]
pub struct Intake(Arc<Shared>);

struct Shared {
    queue: Sender<Vec<Taken>>,
    room: Semaphore,
    room_bytes: u32,
    received: AtomicU64,
    abandoned: AtomicU64,
    closing: watch::Sender<Option<Instant>>,
}

/// A message that a publisher sent, and its receipt.
#[derive(Debug)]
pub struct Taken {
    pub topic: Bytes,
    pub payload: Bytes,
    /// Client id of its publisher; `None`: it came through an outside broker, which does not say.
    pub client: Option<Arc<str>>,
    /// When it was read, in milliseconds since 1970 UTC.
    pub arrived_ms: i64,
    pub receipt: Receipt,
}

/// Whom to tell that a message is safe, and the number of the answer that is held for it; `None`: nobody, at QoS 0.
pub(super) type Answer = Option<(Arc<dyn Answers>, u64)>;

/// Stands for one message that is not settled, and for its room.
pub struct Receipt {
    answer: Answer,
    bytes: u32,
    /// Room of its publisher; `None`: it has not been admitted yet.
    admitted: Option<Arc<Semaphore>>,
    intake: Arc<Shared>,
    is_settled: bool,
}

impl Intake {
    /// An intake with room for this many bytes, and where its messages come out.
    pub fn new(room_bytes: usize) -> (Self, Receiver<Vec<Taken>>) {
        let (queue, taken) = unbounded();
        let room_bytes = u32::try_from(room_bytes).unwrap_or(u32::MAX);
        let shared = Shared {
            queue,
            room: Semaphore::new(room_bytes as usize),
            room_bytes,
            received: AtomicU64::new(0),
            abandoned: AtomicU64::new(0),
            closing: watch::Sender::new(None),
        };
        (Self(Arc::new(shared)), taken)
    }

    /// Messages read from publishers so far.
    pub fn received(&self) -> u64 {
        self.0.received.load(Ordering::Acquire)
    }

    /// Messages that ended without being settled: their connection's task panicked. Their publishers were not told
    /// that they are safe.
    pub fn abandoned(&self) -> u64 {
        self.0.abandoned.load(Ordering::Acquire)
    }

    /// Bytes of messages that are admitted and not settled.
    pub fn used_bytes(&self) -> u64 {
        u64::from(self.0.room_bytes).saturating_sub(self.0.room.available_permits() as u64)
    }

    /// From now on connections read what is on its way, and then no more. Answers still go out.
    pub fn close(&self) {
        // Once: it is closing since the first call.
        self.0.closing.send_if_modified(|closing| {
            let is_first = closing.is_none();
            closing.get_or_insert_with(Instant::now);
            is_first
        });
    }

    /// How long it has been closing.
    pub fn closing_for(&self) -> Option<Duration> {
        self.0.closing.borrow().map(|since| since.elapsed())
    }

    /// Waits until it closes.
    pub(super) async fn closes(&self) {
        let mut closing = self.0.closing.subscribe();
        // The sender lives as long as this.
        let _ = closing.wait_for(Option::is_some).await;
    }

    /// A message that has just been read. It counts as received from here on.
    pub(super) fn receive(
        &self,
        topic: Bytes,
        payload: Bytes,
        client: Option<Arc<str>>,
        answer: Answer,
    ) -> Taken {
        self.0.received.fetch_add(1, Ordering::AcqRel);
        let bytes = (payload.len() + topic.len() + OVERHEAD_BYTES).min(self.0.room_bytes as usize) as u32;
        let arrived = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let receipt = Receipt { answer, bytes, admitted: None, intake: self.0.clone(), is_settled: false };
        Taken { topic, payload, client, arrived_ms: arrived.as_millis() as i64, receipt }
    }

    /// Hands messages on, in order, once there is room for them: `client` is that of their publisher. What has not been
    /// handed on when this is dropped is still in `messages`.
    pub(super) async fn admit(&self, client: &Arc<Semaphore>, messages: &mut Vec<Taken>) {
        while !messages.is_empty() {
            let (mut count, mut bytes) = (0, 0_u32);
            for message in messages.iter().take(CLIENT_MESSAGES_MAX) {
                match bytes.checked_add(message.receipt.bytes).filter(|sum| *sum <= self.0.room_bytes) {
                    Some(sum) => (count, bytes) = (count + 1, sum),
                    None => break,
                }
            }
            // Neither is ever closed.
            let Ok(places) = client.acquire_many(count as u32).await else { return };
            let Ok(room) = self.0.room.acquire_many(bytes).await else { return };
            places.forget();
            room.forget();
            let mut admitted: Vec<Taken> = messages.drain(..count).collect();
            for message in &mut admitted {
                message.receipt.admitted = Some(client.clone());
            }
            // Without a receiver they are dropped, and counted as that.
            let _ = self.0.queue.send(admitted);
        }
    }
}

impl Receipt {
    /// Says what became of the message, and gives back its room.
    pub fn settle(mut self, settled: Settled) {
        self.is_settled = true;
        if let Some((publisher, number)) = &self.answer {
            publisher.settle(*number, settled);
        }
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        if let Some(client) = self.admitted.take() {
            client.add_permits(1);
            self.intake.room.add_permits(self.bytes as usize);
        }
        if !self.is_settled {
            self.intake.abandoned.fetch_add(1, Ordering::AcqRel);
        }
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Receipt of {} bytes", self.bytes)
    }
}

impl fmt::Debug for Intake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Intake, {} received", self.received())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
    }

    impl Intake {
        /// Brings messages that nobody waits for as one batch, for tests of what takes them.
        pub(crate) fn bring<'a>(&self, messages: impl Iterator<Item = (&'static str, &'a str)>) {
            let taken = |(topic, payload): (&'static str, &str)| {
                self.receive(topic.into(), payload.to_owned().into(), None, None)
            };
            let (client, mut batch) = (Semaphore::new(CLIENT_MESSAGES_MAX), messages.map(taken).collect());
            runtime().block_on(self.admit(&Arc::new(client), &mut batch));
        }
    }

    fn message(intake: &Intake, bytes: usize) -> Taken {
        intake.receive(Bytes::from_static(b"t"), vec![b'x'; bytes].into(), None, None)
    }

    #[test]
    fn without_room_messages_wait_in_order_and_none_is_dropped() {
        let (intake, taken) = Intake::new(3 * (OVERHEAD_BYTES + 101));
        let client = Arc::new(Semaphore::new(CLIENT_MESSAGES_MAX));
        let mut batch: Vec<Taken> = (0..5).map(|_| message(&intake, 100)).collect();
        runtime().block_on(async {
            let wait = Duration::from_millis(20);
            assert!(tokio::time::timeout(wait, intake.admit(&client, &mut batch)).await.is_err());
            assert_eq!((batch.len(), intake.received()), (2, 5));
            let first = taken.try_recv().unwrap();
            assert_eq!(first.len(), 3);
            for message in first {
                message.receipt.settle(Settled::Safe);
            }
            intake.admit(&client, &mut batch).await;
        });
        assert_eq!(taken.try_recv().unwrap().len(), 2);
        assert_eq!((intake.used_bytes(), intake.abandoned()), (0, 2));
        assert_eq!(client.available_permits(), CLIENT_MESSAGES_MAX);
    }

    #[test]
    fn one_publisher_has_no_more_than_its_places() {
        let (intake, taken) = Intake::new(1 << 20);
        let client = Arc::new(Semaphore::new(2));
        let mut batch: Vec<Taken> = (0..3).map(|_| message(&intake, 1)).collect();
        let mut others = vec![message(&intake, 1)];
        runtime().block_on(async {
            let wait = Duration::from_millis(20);
            assert!(tokio::time::timeout(wait, intake.admit(&client, &mut batch)).await.is_err());
            intake.admit(&Arc::new(Semaphore::new(2)), &mut others).await;
        });
        assert_eq!(taken.try_iter().map(|batch| batch.len()).sum::<usize>(), 1, "the other one alone");
    }

    #[test]
    fn a_message_larger_than_the_room_goes_alone() {
        let (intake, taken) = Intake::new(1_000);
        let mut batch = vec![message(&intake, 5_000), message(&intake, 5_000)];
        let client = Arc::new(Semaphore::new(8));
        runtime().block_on(async {
            let wait = Duration::from_millis(20);
            assert!(tokio::time::timeout(wait, intake.admit(&client, &mut batch)).await.is_err());
        });
        assert_eq!((taken.try_recv().unwrap().len(), batch.len()), (1, 1));
    }
}
