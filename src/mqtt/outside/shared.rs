//! What the publisher, the subscriber and Kafka's reports share: one connection and the account of
//! what went over it.
//!
//! There are two locks. The writer's lock is taken before the account's, so that the order of
//! sending in the account is the order on the wire. The subscriber never waits for the writer's
//! lock.

use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use rumqttc::mqttbytes::v4::{PubAck, Publish};
use rumqttc::mqttbytes::{Error as CodecError, QoS};

use super::OutsideBroker;
use super::acks::Acks;
use super::outstanding::Outstanding;
use super::wire::{Lost, Wire};
use crate::event::{Delivery, OwnNames};
use crate::mqtt::flight::Flight;

/// Bytes per write.
const WRITE_BYTES: usize = 64 << 10;

pub(super) struct Shared {
    pub broker: OutsideBroker,
    pub client_id: String,
    pub topic: String,
    pub run: String,
    pub names: OwnNames,
    pub flight: Flight,
    writing: Mutex<Writing>,
    account: Mutex<Account>,
}

/// The writing side of the connection.
struct Writing {
    stream: Option<TcpStream>,
    publish: Publish,
    last_id: u16,
    bytes: BytesMut,
}

#[derive(Default)]
pub(super) struct Account {
    pub outstanding: Outstanding,
    pub acks: Acks,
    pub last_report: Option<Instant>,
}

impl Shared {
    pub fn new(
        broker: OutsideBroker,
        topic: String,
        (run, names): (String, OwnNames),
        flight: Flight,
    ) -> Self {
        Self {
            client_id: format!("tweetblast-{run}"),
            writing: Mutex::new(Writing {
                stream: None,
                publish: Publish::from_bytes(topic.clone(), QoS::AtLeastOnce, Bytes::new()),
                last_id: 0,
                bytes: BytesMut::new(),
            }),
            account: Mutex::default(),
            broker,
            topic,
            run,
            names,
            flight,
        }
    }

    /// Connects to this run's session and subscribes; then everything outstanding is to be sent.
    pub fn connect(&self) -> Result<Wire, Lost> {
        let mut wire = Wire::connect(&self.broker, &self.client_id, false)?;
        wire.subscribe(&self.topic)?;
        let stream = wire.writer()?;
        let mut writing = lock(&self.writing);
        self.account().outstanding.reconnected();
        writing.stream = Some(stream);
        Ok(wire)
    }

    /// Drops a lost connection.
    pub fn disconnected(&self) {
        lock(&self.writing).close();
        self.account().acks.connection_lost();
    }

    /// Sends everything that waits to be sent. Without a connection it keeps waiting.
    pub fn send_all(&self, register: impl FnOnce(&mut Outstanding)) -> Result<(), CodecError> {
        let mut writing = lock(&self.writing);
        register(&mut self.account().outstanding);
        while self.send_some(&mut writing)? {}
        Ok(())
    }

    /// Sends acknowledgements, a ping if asked to, and some of the waiting messages, unless another
    /// thread is writing. Returns whether it could.
    pub fn tend(&self, ping: bool) -> Result<bool, CodecError> {
        let mut writing = match self.writing.try_lock() {
            Ok(writing) => writing,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Ok(false),
        };
        self.put_acks(&mut writing)?;
        if ping {
            // PINGREQ (3.1.1, section 3.12).
            writing.bytes.extend_from_slice(&[0xc0, 0]);
        }
        writing.flush();
        self.send_some(&mut writing)?;
        Ok(true)
    }

    /// Takes Kafka's reports: frees room in the window, and acknowledges what may be acknowledged.
    pub fn reported(&self, deliveries: &[Delivery]) {
        let load = {
            let mut account = self.account();
            account.last_report = Some(Instant::now());
            account.acks.reported(deliveries)
        };
        if load.messages > 0 {
            self.flight.leave(load);
        }
        let mut writing = lock(&self.writing);
        // An id that came over the wire can be written.
        let _ = self.put_acks(&mut writing);
        writing.flush();
    }

    /// Closes the connection properly, then has the broker delete the session.
    pub fn forget_session(&self) -> Result<(), Lost> {
        lock(&self.writing).close();
        Wire::connect(&self.broker, &self.client_id, true).map(Wire::disconnect)
    }

    pub fn account(&self) -> MutexGuard<'_, Account> {
        lock(&self.account)
    }

    fn put_acks(&self, writing: &mut Writing) -> Result<(), CodecError> {
        let mut account = self.account();
        while let Some(id) = account.acks.next_ready() {
            PubAck::new(id).write(&mut writing.bytes)?;
        }
        Ok(())
    }

    /// Sends a few messages; returns whether there may be more to send.
    fn send_some(&self, writing: &mut Writing) -> Result<bool, CodecError> {
        if writing.stream.is_none() {
            return Ok(false);
        }
        let mut account = self.account();
        let now = Instant::now();
        while writing.bytes.len() < WRITE_BYTES
            && let Some(payload) = account.outstanding.send_next(now)
        {
            writing.put(payload)?;
        }
        drop(account);
        let full = writing.bytes.len() >= WRITE_BYTES;
        writing.flush();
        Ok(full && writing.stream.is_some())
    }
}

impl Writing {
    fn put(&mut self, payload: Bytes) -> Result<(), CodecError> {
        self.last_id = self.last_id.checked_add(1).unwrap_or(1);
        (self.publish.pkid, self.publish.payload) = (self.last_id, payload);
        self.publish.write(&mut self.bytes)?;
        self.publish.payload = Bytes::new();
        Ok(())
    }

    /// Writes the collected bytes. A connection that does not accept them is closed, which the
    /// subscriber notices.
    fn flush(&mut self) {
        if let Some(stream) = &mut self.stream
            && !self.bytes.is_empty()
            && stream.write_all(&self.bytes).is_err()
        {
            self.close();
        }
        self.bytes.clear();
    }

    fn close(&mut self) {
        self.bytes.clear();
        if let Some(stream) = self.stream.take() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A poisoned lock guards nothing here: no code under it panics half-way.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The wait before the next attempt to connect: doubled each time, up to two seconds.
pub(super) fn backoff(wait: Duration) -> Duration {
    const MAX: Duration = Duration::from_secs(2);
    (wait * 2).min(MAX)
}
