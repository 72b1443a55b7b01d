//! One connection of an outside client, from its CONNECT to its end. One task each.
//!
//! The task reads and writes at the same time, and holds what is the client's own: topic aliases, the ids
//! of its messages of QoS 2, its will. A message of QoS 2 is handed on when it first comes and only its id
//! is kept until PUBREL (the second method of MQTT 5, section 4.3.3), so that nothing piles up.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::super::codec::{self, ConnAckLimits, Connect, Packet, Publish, Reason, Version};
use super::super::publisher::MARK_BYTES;
use super::hub::Hub;
use super::inlet::{About, Log, Message};
use super::limits::{
    ALIASES_MAX, BATCH_MAX, CONNECT_WAIT, LEAVE_WAIT, PACKET_MAX_BYTES, READ_BYTES, RECEIVE_MAX,
    TOPIC_MAX_BYTES,
};
use super::outflow::{Outflow, read_until_closed};
use super::reader::{PacketReader, ReadError};
use super::session::Session;
use super::stream::{Stream, last_words};

/// Serves one connection until it ends. `half_open` is given back when the client has said who it is.
pub(in crate::mqtt) async fn serve(hub: Arc<Hub>, mut stream: impl Stream, half_open: OwnedSemaphorePermit) {
    let mut reader = PacketReader::default();
    let Ok(admitted) = timeout(CONNECT_WAIT, admit(&hub, &mut stream, &mut reader)).await else { return };
    drop(half_open);
    match admitted {
        Ok((mut client, _slot)) => {
            let end = client.run(&mut stream, reader).await;
            client.hub.forget(&client.session);
            client.leave(&mut stream, end).await;
        }
        Err(Some(refusal)) => {
            let _ = timeout(LEAVE_WAIT, last_words(&mut stream, &refusal)).await;
        }
        Err(None) => {}
    }
}

/// Why a connection ended.
#[derive(Debug)]
enum End {
    /// The network, or the client silently.
    Io,
    /// The client's DISCONNECT.
    Left(Reason),
    /// The reason that is sent to the client.
    Told(Reason),
}

impl From<ReadError> for End {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Io => Self::Io,
            ReadError::Wrong(reason) => Self::Told(reason),
        }
    }
}

impl From<Reason> for End {
    fn from(reason: Reason) -> Self {
        Self::Told(reason)
    }
}

/// Reads CONNECT; the error is the answer to one that is refused.
async fn admit(
    hub: &Arc<Hub>,
    stream: &mut impl Stream,
    reader: &mut PacketReader,
) -> Result<(Client, OwnedSemaphorePermit), Option<BytesMut>> {
    let mut refusal = BytesMut::new();
    let length = loop {
        match reader.frame() {
            Ok(Some(length)) => break length,
            Ok(None) => {}
            Err(_) => return Err(None),
        }
        match stream.read_buf(&mut reader.bytes).await {
            Ok(0) | Err(_) => return Err(None),
            Ok(_) => {}
        }
    };
    let connect = match codec::decode(&reader.bytes[..length], None) {
        Ok(Packet::Connect(connect)) => connect,
        Err(Reason::UNSUPPORTED_VERSION) => {
            codec::connack_refused_before_4(&mut refusal);
            return Err(Some(refusal));
        }
        Ok(_) | Err(_) => return Err(None),
    };
    match Client::admit(hub, &connect).await {
        Ok(admitted) => {
            drop(connect);
            reader.bytes.advance(length);
            Ok(admitted)
        }
        Err(reason) => {
            codec::connack(connect.version, reason, None, &mut refusal);
            Err(Some(refusal))
        }
    }
}

/// What is the client's own.
pub(super) struct Client {
    pub(super) hub: Arc<Hub>,
    pub(super) session: Arc<Session>,
    /// Longest silence that it is allowed.
    silence: Option<Duration>,
    will: Option<Message>,
    aliases: HashMap<u16, Bytes>,
    /// Ids of its messages of QoS 2 before PUBREL.
    pub(super) unreleased: HashSet<u16>,
    /// What goes to the router next, and the answers that are due then.
    pub(super) batch: VecDeque<Message>,
    batch_bytes: usize,
    answers: BytesMut,
    pub(super) outflow: Outflow,
}

impl Client {
    async fn admit(hub: &Arc<Hub>, connect: &Connect<'_>) -> Result<(Self, OwnedSemaphorePermit), Reason> {
        if connect.has_auth_method {
            return Err(Reason::BAD_AUTH_METHOD);
        }
        let is_refused =
            |will: &Publish<'_>| will.topic.len() > TOPIC_MAX_BYTES || will.topic.starts_with('$');
        if connect.will.as_ref().is_some_and(is_refused) {
            return Err(Reason::BAD_TOPIC);
        }
        hub.door.check(connect).await?;
        // A client that takes the place of an earlier connection waits until it is free.
        let wait = if hub.has_client(connect.client_id) { LEAVE_WAIT } else { Duration::ZERO };
        let session = match hub.slots.available_permits() {
            0 if wait.is_zero() => return Err(Reason::BUSY),
            _ => hub.admit(connect)?,
        };
        let slot = match timeout(wait, hub.slots.clone().acquire_owned()).await {
            Ok(Ok(slot)) => slot,
            _ => {
                hub.forget(&session);
                return Err(Reason::BUSY);
            }
        };
        let mut client = Self {
            hub: hub.clone(),
            silence: (connect.keep_alive > 0)
                .then(|| Duration::from_millis(u64::from(connect.keep_alive) * 1_500)),
            will: None,
            aliases: HashMap::new(),
            unreleased: HashSet::new(),
            batch: VecDeque::new(),
            batch_bytes: 0,
            answers: BytesMut::new(),
            outflow: Outflow::new(&session.client_id),
            session,
        };
        let limits = ConnAckLimits {
            packet_max: PACKET_MAX_BYTES as u32,
            alias_max: ALIASES_MAX,
            receive_max: RECEIVE_MAX,
            assigned_id: connect.client_id.is_empty().then_some(&*client.session.client_id),
        };
        client.session.answer(|into| codec::connack(connect.version, Reason::SUCCESS, Some(limits), into));
        client.will = connect.will.as_ref().map(|will| client.message(client.topic(will.topic), will));
        Ok((client, slot))
    }

    /// Reads and writes until one of them ends, or the client must leave.
    async fn run(&mut self, stream: &mut impl Stream, reader: PacketReader) -> End {
        let (input, output) = tokio::io::split(stream);
        let session = self.session.clone();
        tokio::select! {
            end = self.read(input, reader) => end,
            // A client that does not read may still have something to say.
            () = session.write_to(output) => End::Io,
            reason = session.told_to_leave() => End::Told(reason),
        }
    }

    async fn read(&mut self, mut input: impl AsyncRead + Unpin, mut reader: PacketReader) -> End {
        loop {
            let end = self.read_some(&mut input, &mut reader).await;
            // What came before a DISCONNECT, or before what is wrong, counts.
            let flushed = self.flush().await;
            if let Err(end) = end.and(flushed) {
                return end;
            }
        }
    }

    /// Handles what is there, then waits for more.
    async fn read_some(
        &mut self,
        input: &mut (impl AsyncRead + Unpin),
        reader: &mut PacketReader,
    ) -> Result<(), End> {
        let mut done = 0;
        let mut handled = Ok(());
        while let Some(length) = reader.frame_at(done)? {
            let packet = &reader.bytes[done..done + length];
            done += length;
            handled = match codec::decode(packet, Some(self.session.version)) {
                Ok(packet) => self.handle(packet).await,
                Err(reason) => Err(reason.into()),
            };
            if handled.is_err() {
                break;
            }
        }
        reader.bytes.advance(done);
        handled?;
        self.flush().await?;
        let silence = self.silence.unwrap_or(Duration::MAX);
        match timeout(silence, read_until_closed(reader, input, &self.hub)).await {
            Ok(read) => Ok(read?),
            Err(_) => Err(Reason::KEEP_ALIVE.into()),
        }
    }

    async fn handle(&mut self, packet: Packet<'_>) -> Result<(), End> {
        let version = self.session.version;
        match packet {
            Packet::Publish(publish) => return self.on_publish(&publish).await,
            Packet::PubAck { id, .. } => self.session.on_puback(id),
            Packet::PubRec { id, reason } => self.session.on_pubrec(id, reason),
            Packet::PubComp { id } => self.session.on_pubcomp(id),
            Packet::PubRel { id } => {
                let reason = if self.unreleased.remove(&id) { Reason::SUCCESS } else { Reason::ID_NOT_FOUND };
                codec::pub_reply(version, 0x70, id, reason, &mut self.answers);
            }
            Packet::Subscribe { id, subscription_id, filters } => {
                self.flush().await?;
                let done = self.hub.subscribe(&self.session, id, subscription_id, &filters).await;
                done.map_err(|_| Reason::UNAVAILABLE)?;
            }
            Packet::Unsubscribe { id, filters } => {
                self.flush().await?;
                self.hub.unsubscribe(&self.session, id, &filters);
            }
            Packet::PingReq => self.answers.extend_from_slice(&[0xD0, 0]),
            Packet::Disconnect { reason } => return Err(End::Left(reason)),
            Packet::Connect(_) => return Err(Reason::PROTOCOL_ERROR.into()),
        }
        // Answers that nobody reads must not pile up beside the outbox, which is bounded.
        if self.answers.len() > READ_BYTES { self.flush().await } else { Ok(()) }
    }

    async fn on_publish(&mut self, publish: &Publish<'_>) -> Result<(), End> {
        let topic = match (publish.topic, publish.alias) {
            (_, Some(alias)) if alias > ALIASES_MAX => return Err(Reason::BAD_ALIAS.into()),
            (topic, _) if topic.len() > TOPIC_MAX_BYTES => return Err(Reason::BAD_TOPIC.into()),
            ("", Some(alias)) => match self.aliases.get(&alias) {
                Some(topic) => topic.clone(),
                None => return Err(Reason::PROTOCOL_ERROR.into()),
            },
            (topic, alias) => {
                let topic = self.topic(topic);
                if let Some(alias) = alias {
                    self.aliases.insert(alias, topic.clone());
                }
                topic
            }
        };
        let is_new = self.begins(publish);
        if self.unreleased.len() > usize::from(RECEIVE_MAX) && self.session.version == Version::V5 {
            return Err(Reason::RECEIVE_MAX_EXCEEDED.into());
        }
        let (mut reason, mut is_taken) = (Reason::SUCCESS, false);
        // Topics that begin with `$` are the broker's.
        if topic.starts_with(b"$") {
            reason = Reason::NOT_AUTHORIZED;
            self.unreleased.remove(&publish.id);
        } else if is_new {
            let mut message = self.message(topic, publish);
            if publish.retain && !self.hub.clients().retained.keep(&mut message.about, &message.payload) {
                tracing::warn!(
                    client = self.session.client_id,
                    "an MQTT message is not retained: there is no room (--mqtt-retained)"
                );
                reason = if publish.qos > 0 { Reason::QUOTA } else { Reason::SUCCESS };
            }
            is_taken = self.is_taken(publish, Some(&message));
            self.batch_bytes += message.payload.len() + message.about.properties.len();
            self.batch.push_back(message);
        } else {
            is_taken = self.is_taken(publish, None);
        }
        let version = self.session.version;
        match publish.qos {
            _ if is_taken => {}
            1 => codec::pub_reply(version, 0x40, publish.id, reason, &mut self.answers),
            2 => codec::pub_reply(version, 0x50, publish.id, reason, &mut self.answers),
            _ => {}
        }
        match self.batch.len() >= BATCH_MAX || self.batch_bytes >= READ_BYTES {
            true => self.flush().await,
            false => Ok(()),
        }
    }

    /// Hands the batch to the router, then the answers to the client.
    async fn flush(&mut self) -> Result<(), End> {
        self.hand_on().await;
        self.batch_bytes = 0;
        if !self.batch.is_empty() {
            self.hub.submit(&mut self.batch).await.map_err(|_| Reason::UNAVAILABLE)?;
        }
        if !self.answers.is_empty() {
            let answers = self.answers.split();
            self.session.answer(|into| into.extend_from_slice(&answers));
        }
        Ok(())
    }

    /// The replay's topic is never copied.
    fn topic(&self, topic: &str) -> Bytes {
        match topic.as_bytes() == self.hub.topic {
            true => self.hub.topic.clone(),
            false => Bytes::copy_from_slice(topic.as_bytes()),
        }
    }

    fn message(&self, topic: Bytes, publish: &Publish<'_>) -> Message {
        let mut properties = Vec::new();
        // The replay's mark is ours: outside clients neither see nor set it. Other data is the client's own.
        let is_mark =
            |data: &[u8]| data.len() == MARK_BYTES && data.starts_with(&self.hub.run_nonce().to_be_bytes());
        if let Some(data) = publish.correlation_data.filter(|data| !is_mark(data)) {
            properties.push(9);
            properties.extend((data.len() as u16).to_be_bytes());
            properties.extend_from_slice(data);
        }
        properties.extend_from_slice(&publish.properties);
        Message {
            log: if topic == self.hub.topic { Log::Replay } else { Log::Others },
            // Copied: a slice would hold on to all that was read with it.
            payload: Bytes::copy_from_slice(publish.payload),
            about: About {
                topic,
                from: self.session.number,
                qos: publish.qos,
                retain: publish.retain,
                kept: 0,
                arrived: Instant::now(),
                expiry_s: publish.expiry_s,
                properties: properties.into(),
            },
        }
    }

    /// The last words on both sides: the will, what waits for the client, and why it has to leave.
    async fn leave(mut self, stream: &mut impl Stream, end: End) {
        let is_farewell = matches!(end, End::Left(reason) if reason != Reason::WITH_WILL);
        if let Some(mut will) = self.will.take().filter(|_| !is_farewell) {
            if will.about.retain {
                self.hub.clients().retained.keep(&mut will.about, &will.payload);
            }
            self.take_will(&will);
            self.batch.push_back(will);
        }
        // There is still something if the client was told to leave while it waited for room.
        self.hand_on().await;
        let batch = &mut std::mem::take(&mut self.batch);
        let _ = self.hub.submit(batch).await;
        let Some(mut last) = self.session.last_bytes() else { return };
        if let End::Told(reason) = end {
            tracing::debug!(
                client = self.session.client_id,
                reason = reason.0,
                "an MQTT client has to leave"
            );
            codec::disconnect(self.session.version, reason, &mut last);
        }
        let _ = timeout(LEAVE_WAIT, last_words(stream, &last)).await;
    }
}

impl Drop for Client {
    /// Also after a panic.
    fn drop(&mut self) {
        self.session.forget_answers();
        self.hub.forget(&self.session);
    }
}
