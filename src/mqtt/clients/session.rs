//! One outside client, as the others see it: what waits for it to read, and its messages above QoS 0.
//!
//! A connection or thread that has something for a client puts it into its outbox, without waiting; the client's connection
//! writes it. A client for which too much waits is disconnected.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::Notify;

use super::super::codec::{self, MessageHead, Reason, Version};
use super::super::held::HeldAnswers;
use super::limits::{INFLIGHT_MAX, READ_BYTES};

/// Bytes that wait for all clients, and how many may.
#[derive(Debug)]
pub(super) struct Unread {
    pub bytes: AtomicUsize,
    /// For one client.
    pub max_bytes: usize,
    /// For all. Above it, no client may have more than its share.
    pub max_in_all_bytes: usize,
    pub clients: AtomicUsize,
}

impl Unread {
    /// Whether a client may have more, given what waits for it.
    fn has_room(&self, waiting: usize) -> bool {
        let share = self.max_in_all_bytes / self.clients.load(Ordering::Relaxed).max(1);
        waiting <= self.max_bytes
            && (waiting <= share || self.bytes.load(Ordering::Relaxed) <= self.max_in_all_bytes)
    }
}

/// A message for one client.
#[derive(Debug, Clone)]
pub(super) struct OutgoingMessage<'a> {
    pub topic: &'a Bytes,
    pub payload: &'a Bytes,
    pub qos: u8,
    pub retain: bool,
    pub expiry_s: Option<u32>,
    pub subscription_ids: &'a [u32],
    pub properties: &'a Bytes,
}

#[derive(Debug)]
pub(super) struct Session {
    /// Tells it from all others, even those of the same id.
    pub number: u64,
    pub client_id: String,
    pub version: Version,
    packet_max: usize,
    inflight_max: usize,
    unread: Arc<Unread>,
    outbox: Mutex<Outbox>,
    /// PUBACK and PUBREC for messages that go to a bridge.
    pub(super) held: HeldAnswers,
    /// Ids of messages of QoS 2 that were refused and not noticed by the connection's task.
    refused: Mutex<HashSet<u16>>,
    /// There is something to write.
    wake: Notify,
    /// It has been told to leave.
    leave_asked: Notify,
}

#[derive(Debug, Default)]
struct Outbox {
    bytes: BytesMut,
    /// Taken by the connection and not yet written.
    writing: usize,
    /// Waits for acknowledgements of those before.
    queue: VecDeque<QueuedMessage>,
    queue_bytes: usize,
    /// Packet ids that are not free, and what the client has to send next.
    inflight: HashMap<u16, Awaited>,
    last_id: u16,
    leave: Option<Reason>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaited {
    /// PUBACK.
    Ack,
    /// PUBREC.
    Received,
    /// PUBCOMP.
    Complete,
}

#[derive(Debug)]
struct QueuedMessage {
    topic: Bytes,
    payload: Bytes,
    qos: u8,
    retain: bool,
    expiry_s: Option<u32>,
    subscription_ids: Vec<u32>,
    properties: Bytes,
}

impl Session {
    pub fn new(
        number: u64,
        client_id: String,
        version: Version,
        (packet_max, receive_max): (u32, u16),
        unread: Arc<Unread>,
    ) -> Self {
        unread.clients.fetch_add(1, Ordering::Relaxed);
        Self {
            number,
            client_id,
            version,
            packet_max: packet_max as usize,
            inflight_max: usize::from(receive_max).min(INFLIGHT_MAX),
            unread,
            outbox: Mutex::default(),
            held: HeldAnswers::default(),
            refused: Mutex::default(),
            wake: Notify::new(),
            leave_asked: Notify::new(),
        }
    }

    /// Hands a message to the client.
    pub fn deliver(&self, message: &OutgoingMessage<'_>) {
        let mut outbox = self.lock();
        if outbox.leave.is_some() {
            return;
        }
        let head = message.head(0);
        let bytes = head.len(self.version, message.payload.len());
        if bytes > self.packet_max {
            return;
        }
        if !self.unread.has_room(outbox.waiting()) {
            return self.tell_to_leave(&mut outbox, Reason::QUOTA);
        }
        if message.qos == 0 {
            self.write(&mut outbox, |into| codec::publish(self.version, &head, message.payload, into));
        } else if outbox.inflight.len() < self.inflight_max && outbox.queue.is_empty() {
            self.send(&mut outbox, message);
        } else {
            let bytes = bytes + size_of::<QueuedMessage>();
            outbox.queue.push_back(message.to_queued());
            outbox.queue_bytes += bytes;
            self.unread.bytes.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// Hands the client something that is no message.
    pub fn answer(&self, encode: impl FnOnce(&mut BytesMut)) {
        let mut outbox = self.lock();
        if outbox.leave.is_some() {
            return;
        }
        if !self.unread.has_room(outbox.waiting()) {
            return self.tell_to_leave(&mut outbox, Reason::QUOTA);
        }
        self.write(&mut outbox, encode);
    }

    /// PUBACK: the next message may go. An id that is not awaited is ignored.
    pub fn on_puback(&self, id: u16) {
        self.on_last_reply(id, Awaited::Ack);
    }

    /// PUBREC: the client has the message.
    pub fn on_pubrec(&self, id: u16, reason: Reason) {
        if reason.0 >= 0x80 {
            return self.on_last_reply(id, Awaited::Received);
        }
        let mut outbox = self.lock();
        let is_known = match outbox.inflight.get_mut(&id) {
            Some(awaited @ (Awaited::Received | Awaited::Complete)) => {
                *awaited = Awaited::Complete;
                true
            }
            _ => false,
        };
        drop(outbox);
        let reason = if is_known { Reason::SUCCESS } else { Reason::ID_NOT_FOUND };
        self.answer(|into| codec::pub_reply(self.version, 0x62, id, reason, into));
    }

    /// PUBCOMP: the next message may go.
    pub fn on_pubcomp(&self, id: u16) {
        self.on_last_reply(id, Awaited::Complete);
    }

    fn on_last_reply(&self, id: u16, awaited: Awaited) {
        let mut outbox = self.lock();
        if outbox.inflight.get(&id) != Some(&awaited) || outbox.leave.is_some() {
            return;
        }
        outbox.inflight.remove(&id);
        while outbox.inflight.len() < self.inflight_max
            && let Some(queued) = outbox.queue.pop_front()
        {
            let message = queued.message();
            let bytes = message.head(0).len(self.version, message.payload.len()) + size_of::<QueuedMessage>();
            outbox.queue_bytes -= bytes;
            self.unread.bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.send(&mut outbox, &message);
        }
    }

    fn send(&self, outbox: &mut Outbox, message: &OutgoingMessage<'_>) {
        let id = loop {
            outbox.last_id = outbox.last_id.checked_add(1).unwrap_or(1);
            if !outbox.inflight.contains_key(&outbox.last_id) {
                break outbox.last_id;
            }
        };
        outbox.inflight.insert(id, if message.qos == 1 { Awaited::Ack } else { Awaited::Received });
        let head = message.head(id);
        self.write(outbox, |into| codec::publish(self.version, &head, message.payload, into));
    }

    fn write(&self, outbox: &mut Outbox, encode: impl FnOnce(&mut BytesMut)) {
        let before = outbox.bytes.len();
        encode(&mut outbox.bytes);
        self.unread.bytes.fetch_add(outbox.bytes.len() - before, Ordering::Relaxed);
        if before == 0 {
            self.wake.notify_one();
        }
    }

    /// Writes what waits for the client. Never ends: where nothing can be written any more, reading notices the
    /// end, or too much waits.
    pub async fn write_to(&self, mut output: impl AsyncWrite + Unpin) {
        'connected: loop {
            let Some(bytes) = self.take() else {
                self.wake.notified().await;
                continue;
            };
            for piece in bytes.chunks(READ_BYTES) {
                // TLS keeps what is written until it is flushed.
                if output.write_all(piece).await.is_err() || output.flush().await.is_err() {
                    break 'connected;
                }
                self.written(piece.len());
            }
        }
        std::future::pending().await
    }

    /// Waits until the broker disconnects the client, and returns why.
    pub async fn told_to_leave(&self) -> Reason {
        loop {
            if let Some(reason) = self.leaving() {
                return reason;
            }
            self.leave_asked.notified().await;
        }
    }

    fn take(&self) -> Option<BytesMut> {
        let mut outbox = self.lock();
        if outbox.bytes.is_empty() {
            return None;
        }
        outbox.writing = outbox.bytes.len();
        Some(std::mem::take(&mut outbox.bytes))
    }

    fn written(&self, bytes: usize) {
        let mut outbox = self.lock();
        let bytes = bytes.min(outbox.writing);
        outbox.writing -= bytes;
        self.unread.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Ends the connection, as soon as its task notices.
    pub fn leave(&self, reason: Reason) {
        self.tell_to_leave(&mut self.lock(), reason);
    }

    fn tell_to_leave(&self, outbox: &mut Outbox, reason: Reason) {
        if outbox.leave.is_some() {
            return;
        }
        if reason == Reason::QUOTA {
            tracing::warn!(
                client = self.client_id,
                unread_bytes = outbox.waiting(),
                "an MQTT client read too slowly and was disconnected (--mqtt-unread)"
            );
            self.forget(outbox);
        }
        outbox.leave = Some(reason);
        self.leave_asked.notify_one();
    }

    fn leaving(&self) -> Option<Reason> {
        self.lock().leave
    }

    /// What was still to be written when the connection ends, unless it stopped within a packet.
    pub fn last_bytes(&self) -> Option<BytesMut> {
        let mut outbox = self.lock();
        if outbox.writing > 0 {
            return None;
        }
        self.unread.bytes.fetch_sub(outbox.bytes.len(), Ordering::Relaxed);
        Some(std::mem::take(&mut outbox.bytes))
    }

    /// Gives back what waits for a client.
    fn forget(&self, outbox: &mut Outbox) {
        self.unread.bytes.fetch_sub(outbox.waiting() - outbox.writing, Ordering::Relaxed);
        outbox.bytes = BytesMut::new();
        outbox.queue = VecDeque::new();
        outbox.queue_bytes = 0;
    }

    pub(super) fn lock_refused(&self) -> MutexGuard<'_, HashSet<u16>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Outbox> {
        // A poisoned lock guards nothing here: no code under it panics half-way.
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.unread.clients.fetch_sub(1, Ordering::Relaxed);
        self.unread.bytes.fetch_sub(self.lock().waiting(), Ordering::Relaxed);
    }
}

impl Outbox {
    fn waiting(&self) -> usize {
        self.bytes.len() + self.writing + self.queue_bytes
    }
}

impl OutgoingMessage<'_> {
    fn head(&self, id: u16) -> MessageHead<'_> {
        MessageHead {
            topic: self.topic,
            qos: self.qos,
            retain: self.retain,
            id,
            expiry_s: self.expiry_s,
            subscription_ids: self.subscription_ids,
            properties: self.properties,
        }
    }

    fn to_queued(&self) -> QueuedMessage {
        QueuedMessage {
            topic: self.topic.clone(),
            payload: self.payload.clone(),
            qos: self.qos,
            retain: self.retain,
            expiry_s: self.expiry_s,
            subscription_ids: self.subscription_ids.to_vec(),
            properties: self.properties.clone(),
        }
    }
}

impl QueuedMessage {
    fn message(&self) -> OutgoingMessage<'_> {
        OutgoingMessage {
            topic: &self.topic,
            payload: &self.payload,
            qos: self.qos,
            retain: self.retain,
            expiry_s: self.expiry_s,
            subscription_ids: &self.subscription_ids,
            properties: &self.properties,
        }
    }
}
