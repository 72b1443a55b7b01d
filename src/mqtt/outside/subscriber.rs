//! The receiving side, which also maintains the connection: reads, acknowledges what Kafka has
//! reported on, reconnects, and has missing messages sent again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rumqttc::mqttbytes::v4::{Packet, Publish};

use super::acks::Tag;
use super::outstanding::Received;
use super::shared::{Shared, backoff};
use super::wire::{Lost, Wire};
use crate::count::{Counters, Outage, OutageEnd, OutageHop};
use crate::event::{Event, Trace, seq_of_run};
use crate::mqtt::MqttError;
use crate::mqtt::flight::Load;

/// Most packets looked at before they are passed on.
const BATCH_MAX: usize = 256;

/// Longest wait for the broker at a time, and so for a stop or the end to be noticed.
const WAIT: Duration = Duration::from_millis(50);

/// After this much silence the broker is pinged.
const PING_AFTER: Duration = Duration::from_secs(5);

/// After this much silence the connection counts as lost.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// When the broker answers and Kafka has nothing left to report, messages that have not returned
/// within this time were dropped. Also the longest wait for late messages when a stop takes too
/// long.
const PATIENCE: Duration = Duration::from_secs(10);

/// A broker refuses the messages if it ends this many connections within this time, each after something
/// was sent over it, and returns nothing. A broker that restarts cannot be reached in between.
const REFUSALS_MAX: u32 = 3;
const REFUSED_AFTER: Duration = Duration::from_secs(10);

/// A broker drops all messages if it answers and has returned nothing for this long, whatever was sent again
/// meanwhile.
const DROPPED_AFTER: Duration = Duration::from_secs(30);

/// Receives what is published on the topic of an outside broker.
pub struct OutsideSubscriber {
    pub(super) shared: Arc<Shared>,
    pub(super) counters: Arc<Counters>,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) after_stop: Duration,
    pub(super) wire: Option<Wire>,
    pub(super) times: Times,
    pub(super) warned: bool,
}

/// When each kind of thing last happened.
pub(super) struct Times {
    /// Anything from the broker.
    heard: Instant,
    pinged: Instant,
    /// Our last attempt to read.
    looked: Instant,
    /// An own message, a new connection, or a repeated send.
    progress: Instant,
    stopped: Option<Instant>,
    connected: Instant,
    /// The last own message that returned, or the start.
    returned: Instant,
    /// Receive time of the last foreign message.
    foreign: Instant,
    /// First time that messages sent ended the connection; none has returned since.
    refused_since: Option<Instant>,
    /// Connections that ended that way.
    refusals: u32,
}

impl Times {
    pub fn new() -> Self {
        let now = Instant::now();
        Self {
            heard: now,
            pinged: now,
            looked: now,
            progress: now,
            stopped: None,
            connected: now,
            returned: now,
            foreign: now,
            refused_since: None,
            refusals: 0,
        }
    }
}

/// What is away when there is no connection.
const BROKER: &str = "the MQTT broker";

impl OutsideSubscriber {
    /// Receives until the publisher is done and everything it sent has returned or is known to be
    /// lost. Waits without limit for a broker that goes away, or after a stop for
    /// [`OutsideOptions::after_stop`](super::OutsideOptions::after_stop); what is missing then
    /// counts as lost.
    ///
    /// # Errors
    /// Those of `send`. The publisher then gets an error too.
    pub fn run<E: From<MqttError>>(
        mut self,
        mut send: impl FnMut(&mut Vec<Event>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut events = Vec::with_capacity(BATCH_MAX);
        loop {
            let went = match self.receive(&mut events) {
                Ok(()) => self.tend().map_err(Lost::NotMqtt),
                Err(lost) => Err(lost),
            };
            if !events.is_empty() {
                send(&mut events)?;
                events.clear();
            }
            if let Err(lost) = went {
                self.note_refusal();
                if self.is_refused() {
                    let given_up = self.shared.account().outstanding.give_up();
                    self.lose(given_up);
                    let broker = self.shared.broker.to_string();
                    return Err(MqttError::Refused { broker, times: self.times.refusals, why: lost }.into());
                }
                self.reconnect(&lost);
            }
            let is_dropping = self.miss_what_was_dropped();
            self.warn_of_drops();
            if is_dropping && self.times.returned.elapsed() >= DROPPED_AFTER {
                let given_up = self.shared.account().outstanding.give_up();
                self.lose(given_up);
                let (broker, seconds) = (self.shared.broker.to_string(), DROPPED_AFTER.as_secs());
                return Err(MqttError::Dropped { broker, seconds }.into());
            }
            if self.is_done() {
                return Ok(());
            }
        }
    }

    /// Takes what has arrived, or waits briefly.
    fn receive(&mut self, events: &mut Vec<Event>) -> Result<(), Lost> {
        let Some(wire) = &mut self.wire else { return Ok(()) };
        // While Kafka blocked us, the broker could not be heard.
        let away = self.times.looked.elapsed();
        self.times.heard += away;
        self.times.progress += away;
        self.times.returned += away;
        let mut next = wire.read(WAIT)?;
        let now = Instant::now();
        self.times.looked = now;
        if next.is_some() {
            self.times.heard = now;
        } else if now - self.times.heard > SILENCE_MAX {
            return Err(std::io::Error::new(std::io::ErrorKind::TimedOut, "it is silent").into());
        }
        let mut packets = Vec::new();
        while let Some(packet) = next {
            if let Packet::Publish(publish) = packet {
                packets.push(publish);
            }
            next = if packets.len() < BATCH_MAX { wire.buffered()? } else { None };
        }
        self.take(packets, now, events);
        Ok(())
    }

    fn take(&mut self, packets: Vec<Publish>, now: Instant, events: &mut Vec<Event>) {
        let (mut received, mut repeats, mut foreign) = (0, 0, 0);
        let mut account = self.shared.account();
        for publish in packets {
            let seq = seq_of_run(&publish.payload, &self.shared.run, self.shared.names);
            let tag = match seq.map(|seq| (seq, account.outstanding.receive(seq, &publish.payload))) {
                Some((seq, Received::New(event, window_bytes))) => {
                    received += 1;
                    account.acks.handed_on(Tag::Own(seq), window_bytes);
                    events.push(Event { payload: publish.payload, ..event });
                    Tag::Own(seq)
                }
                // Kafka has it, or will: only the broker needs an acknowledgement.
                Some((seq, Received::Repeat)) => {
                    repeats += 1;
                    Tag::Own(seq)
                }
                Some((_, Received::Unknown)) | None => {
                    foreign += 1;
                    self.times.foreign = now.max(self.times.foreign + Duration::from_nanos(1));
                    let sent = self.times.foreign;
                    let (payload, key) = (publish.payload, Bytes::new());
                    events.push(Event { trace: Trace::foreign(sent), key, payload });
                    account.acks.handed_on(Tag::Foreign(sent), 0);
                    Tag::Foreign(sent)
                }
            };
            // At QoS 0 there is no id and nothing to acknowledge.
            if publish.pkid != 0 {
                account.acks.wait_for(publish.pkid, tag);
            }
        }
        drop(account);
        if received > 0 {
            (self.times.progress, self.times.returned) = (now, now);
            (self.times.refused_since, self.times.refusals) = (None, 0);
        }
        let counters = &self.counters;
        for (counter, count) in [
            (&counters.received, received),
            (&counters.repeats_dropped, repeats),
            (&counters.foreign, foreign),
        ] {
            if count > 0 {
                counter.add(count);
            }
        }
    }

    /// Writes what the receiving side has to send, if it can without waiting.
    fn tend(&mut self) -> Result<(), rumqttc::mqttbytes::Error> {
        let now = Instant::now();
        let silent = now - self.times.heard > PING_AFTER;
        let ping = silent && now - self.times.pinged > PING_AFTER;
        let wanted = {
            let account = self.shared.account();
            account.acks.is_ready() || account.outstanding.may_send()
        };
        if ping || wanted {
            let written = self.shared.tend(ping)?;
            if ping && written {
                self.times.pinged = now;
            }
        }
        Ok(())
    }

    /// Notes a lost connection if something had been sent over it.
    fn note_refusal(&mut self) {
        if self.shared.account().outstanding.is_on_the_way() {
            self.times.refusals += 1;
            self.times.refused_since.get_or_insert_with(Instant::now);
        }
    }

    /// Whether the broker refuses the messages; after a stop, without the wait.
    fn is_refused(&self) -> bool {
        let is_stopped = self.stop.load(Ordering::Relaxed);
        self.times.refusals >= REFUSALS_MAX
            && self.times.refused_since.is_some_and(|since| is_stopped || since.elapsed() >= REFUSED_AFTER)
    }

    /// Waits for the broker until it returns or the run gives up.
    fn reconnect(&mut self, lost: &Lost) {
        self.wire = None;
        self.shared.disconnected();
        let outages = &self.counters.clone().outages;
        outages.begin(Outage::new(OutageHop::Mqtt, BROKER.to_owned(), lost.to_string(), Instant::now()));
        let mut wait = Duration::from_millis(50);
        while !self.is_done() {
            match self.shared.connect() {
                Ok(wire) => {
                    self.wire = Some(wire);
                    outages.end(OutageHop::Mqtt, BROKER, OutageEnd::Back);
                    let Times { stopped, returned, foreign, refused_since, refusals, .. } = self.times;
                    self.times =
                        Times { stopped, returned, foreign, refused_since, refusals, ..Times::new() };
                    return;
                }
                Err(error) => tracing::debug!(%error, "no connection to the MQTT broker"),
            }
            wait = backoff(wait);
            let until = Instant::now() + wait;
            while Instant::now() < until && !self.is_done() {
                std::thread::sleep(WAIT.min(wait));
            }
        }
    }

    /// Has messages sent again that an answering broker has not returned for long, and counts as
    /// lost those that were sent too often; returns whether there were any to send again.
    fn miss_what_was_dropped(&mut self) -> bool {
        let now = Instant::now();
        if self.wire.is_none()
            || now - self.times.progress < PATIENCE
            || now - self.times.heard > 2 * PING_AFTER
        {
            return false;
        }
        let mut account = self.shared.account();
        let kafka_reports = account.acks.is_all_reported()
            || account.last_report.is_some_and(|report| now.saturating_duration_since(report) < PATIENCE);
        if account.outstanding.is_empty() || !kafka_reports {
            return false;
        }
        account.outstanding.miss_older(now, PATIENCE);
        let lost = account.outstanding.take_lost();
        drop(account);
        self.times.progress = now;
        self.lose(lost);
        true
    }

    /// Warns once that the broker drops messages, and says what to do.
    fn warn_of_drops(&mut self) {
        if !self.warned && self.shared.account().outstanding.dropped() > 0 {
            self.warned = true;
            tracing::warn!(
                "the MQTT broker drops messages, which are sent again, a few at a time and out of order: its \
                 queue for one client should hold 1000 messages (mosquitto: max_queued_messages)"
            );
        }
    }

    /// Whether all messages have returned or will never return.
    fn is_done(&mut self) -> bool {
        let now = Instant::now();
        if self.times.stopped.is_none() && self.stop.load(Ordering::Relaxed) {
            self.times.stopped = Some(now);
        }
        if self.shared.flight.total().is_none() {
            return false;
        }
        let mut account = self.shared.account();
        let too_long = self.times.stopped.is_some_and(|stopped| now - stopped >= self.after_stop);
        let since = self.times.returned.max(self.times.connected);
        if too_long && now - since >= PATIENCE.min(self.after_stop) {
            let lost = account.outstanding.give_up();
            drop(account);
            self.lose(lost);
            return true;
        }
        account.outstanding.is_empty()
    }

    fn lose(&self, lost: Load) {
        if lost.messages > 0 {
            self.counters.mqtt_lost.add(lost.messages as u64);
            self.shared.flight.leave(lost);
        }
    }
}

impl Drop for OutsideSubscriber {
    fn drop(&mut self) {
        self.shared.flight.subscriber_gone();
    }
}
