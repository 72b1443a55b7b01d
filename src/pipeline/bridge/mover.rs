//! The thread between MQTT and Kafka. A message is in one of four places: in the queue, with librdkafka, in the spool, or
//! done. Its publisher is answered when it is in the spool or Kafka has acknowledged it.
//!
//! While Kafka acknowledges, messages go straight to librdkafka. When it has been silent for [`AWAY_AFTER`] and there is
//! a spool, what librdkafka has is copied there, and all that comes goes there too. What librdkafka has stays with it, and
//! is not read from the spool again. When Kafka is back, the spool is read in order, and what comes meanwhile goes to its
//! end, until nothing in it is unread.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;

use super::error::BridgeError;
use super::message::BridgeMessage;
use super::route::Routes;
use super::spool::Spool;
use super::state::BridgeState;
use crate::kafka::{Offer, StreamMessage, StreamProducer, StreamReport};
use crate::mqtt::{CLOSING_READ_MAX, Intake, Receipt, Settled, Taken};
use crate::report::BridgeLedger;

/// Time between two looks for Kafka's reports: as the replay's producer has it.
const POLL: Duration = Duration::from_millis(1);

/// The same while nothing is on its way.
const IDLE: Duration = Duration::from_millis(50);

/// Silence of Kafka, with something in flight, after which it is away.
const AWAY_AFTER: Duration = Duration::from_secs(1);

/// Bytes that librdkafka has at most; a larger message goes alone.
const WINDOW_BYTES: usize = 8 << 20;

/// Messages that it has at most: a quarter of its own limit.
const WINDOW_MESSAGES: usize = 25_000;

/// The same of what is read from the spool. After a kill it is given to Kafka again, so it is less, and what has been read
/// beyond a message without a report counts, too; with 2,000 messages and 10 ms until Kafka answers, 200,000 go out per second.
const SPOOL_WINDOW_BYTES: usize = 1 << 20;
const SPOOL_WINDOW_MESSAGES: usize = 2_000;

/// Batches of the intake that are taken in a row.
const BATCHES_MAX: usize = 64;

/// Longest wait for the reports on what is given up.
const GIVE_UP_MAX: Duration = Duration::from_secs(2);

/// A message that neither Kafka nor the spool has.
pub(super) struct Waiting {
    pub message: BridgeMessage,
    pub receipt: Receipt,
    pub came: Instant,
}

/// A message that librdkafka has.
pub(super) struct InFlight {
    pub bytes: usize,
    pub came: Instant,
    /// When librdkafka got it.
    pub since: Instant,
    pub held: Held,
}

/// Where else it is.
pub(super) enum Held {
    /// Here alone.
    Memory(BridgeMessage, Receipt),
    /// In the spool, under this number.
    Spool(u64),
}

pub(super) struct Mover {
    pub routes: Routes,
    pub intake: Intake,
    pub taken: Receiver<Vec<Taken>>,
    pub producer: StreamProducer,
    /// Whether Kafka has answered and the topics are there.
    pub is_ready: Arc<AtomicBool>,
    pub spool: Option<Spool>,
    pub state: Arc<Mutex<BridgeState>>,
    /// Longest wait for Kafka after a stop.
    pub drain: Duration,
    pub(super) parts: Parts,
}

/// What only the mover has.
#[derive(Default)]
pub(super) struct Parts {
    pub queue: VecDeque<Waiting>,
    pub in_flight: BTreeMap<u64, InFlight>,
    /// Of these, those that are in memory alone.
    pub only_here: u64,
    pub window_bytes: usize,
    pub next_ticket: u64,
    /// Read from the spool, and not taken by librdkafka.
    pub unsent: Option<(u64, BridgeMessage)>,
    pub reports: Vec<StreamReport>,
    /// `received` is what was taken.
    pub ledger: BridgeLedger,
    pub is_away: bool,
    /// Whether it was said that the spool is full.
    pub is_full: bool,
    pub gave_up: Option<Instant>,
    pub last_report: Option<Instant>,
}

impl Mover {
    /// A mover that has not begun.
    pub fn new(
        routes: Routes,
        (intake, taken): (Intake, Receiver<Vec<Taken>>),
        producer: StreamProducer,
        spool: Option<Spool>,
        drain: Duration,
    ) -> Self {
        let found = spool.as_ref().map_or(0, Spool::pending);
        let ledger = BridgeLedger { found, ..BridgeLedger::default() };
        Self {
            routes,
            intake,
            taken,
            producer,
            is_ready: Arc::new(AtomicBool::new(true)),
            spool,
            state: Arc::new(Mutex::new(BridgeState::new())),
            drain,
            parts: Parts { ledger, ..Parts::default() },
        }
    }

    /// Moves messages until the intake is closed and each is settled.
    ///
    /// # Errors
    /// When librdkafka or the spool cannot go on.
    pub fn run(&mut self) -> Result<(), BridgeError> {
        loop {
            self.take();
            self.collect()?;
            self.look();
            self.spool_what_waits()?;
            self.send_spooled()?;
            self.send_queue();
            if let Some(spool) = &mut self.spool {
                spool.tick(Instant::now())?;
            }
            self.show();
            if self.is_over() {
                break;
            }
        }
        self.spool.as_mut().map_or(Ok(()), Spool::close)?;
        Ok(())
    }

    /// Takes what has come.
    fn take(&mut self) {
        let is_quiet = self.parts.queue.is_empty() && self.parts.in_flight.is_empty() && self.unread() == 0;
        let first = self.taken.recv_timeout(if is_quiet { IDLE } else { POLL }).ok();
        let more = self.taken.clone();
        // One that is received beyond the last would be lost.
        for batch in first.into_iter().chain(more.try_iter()).take(BATCHES_MAX) {
            batch.into_iter().for_each(|taken| self.route(taken));
        }
    }

    fn route(&mut self, taken: Taken) {
        self.parts.ledger.received += 1;
        let Taken { topic: mqtt_topic, payload, client, arrived_ms: time_ms, receipt } = taken;
        let Some(topic) = self.routes.topic(&mqtt_topic).cloned() else {
            self.parts.ledger.unmapped += 1;
            return receipt.settle(Settled::Safe);
        };
        let key = self.routes.key(&payload).unwrap_or_else(|| match client {
            Some(client) => client.as_bytes().to_vec().into(),
            None => mqtt_topic.clone(),
        });
        let message = BridgeMessage { topic, mqtt_topic, key, payload, time_ms };
        self.parts.queue.push_back(Waiting { message, receipt, came: Instant::now() });
    }

    /// Looks whether Kafka is there.
    fn look(&mut self) {
        let now = Instant::now();
        let oldest = self.parts.in_flight.first_key_value().map(|(_, message)| message.since);
        let heard = oldest.map(|oldest| self.parts.last_report.map_or(oldest, |report| report.max(oldest)));
        let is_silent = heard.is_some_and(|heard| now.saturating_duration_since(heard) >= AWAY_AFTER);
        let is_away = is_silent || !self.is_ready.load(Ordering::Relaxed);
        if is_away == self.parts.is_away {
            return;
        }
        self.parts.is_away = is_away;
        let why = self.producer.complaint().map_or(String::new(), |why| format!(" ({why})"));
        let mut state = lock(&self.state);
        if is_away {
            state.away_since = Some(heard.unwrap_or(now));
            state.outages += 1;
            let next =
                if self.spool.is_some() { "messages go to the spool" } else { "messages wait in memory" };
            tracing::warn!("no word from Kafka{why}: {next}");
        } else if let Some(since) = state.away_since.take() {
            let away = now.saturating_duration_since(since);
            state.away += away;
            tracing::warn!("Kafka is back after {}", crate::report::whole_seconds(away));
        }
    }

    /// Writes to the spool what cannot go to Kafka, and tells the publishers that it is safe.
    fn spool_what_waits(&mut self) -> Result<(), BridgeError> {
        let Some(spool) = &mut self.spool else { return Ok(()) };
        if !self.parts.is_away && spool.unread() == 0 && self.parts.unsent.is_none() {
            self.parts.is_full = false;
            return Ok(());
        }
        let before = spool.pending();
        // What librdkafka has is older than all that is unread.
        while self.parts.only_here > 0 {
            let only_here = self.parts.in_flight.values().filter_map(|message| match &message.held {
                Held::Memory(message, _) => Some(message),
                Held::Spool(_) => None,
            });
            let (first, count) = spool.append_read(only_here)?;
            if count == 0 {
                break;
            }
            let here = self.parts.in_flight.values_mut();
            let here = here.filter(|message| matches!(message.held, Held::Memory(..)));
            for (number, message) in (first..first + count).zip(here) {
                if let Held::Memory(_, receipt) = std::mem::replace(&mut message.held, Held::Spool(number)) {
                    receipt.settle(Settled::Safe);
                }
            }
            self.parts.only_here -= count;
        }
        while self.parts.only_here == 0 && !self.parts.queue.is_empty() {
            let count = spool.append(self.parts.queue.iter().map(|waiting| &waiting.message))?;
            if count == 0 {
                break;
            }
            for waiting in self.parts.queue.drain(..count as usize) {
                waiting.receipt.settle(Settled::Safe);
            }
        }
        let written = spool.pending() - before;
        let is_full = !self.parts.queue.is_empty() || self.parts.only_here > 0;
        // Once: where there is room again for some, it is soon full again.
        if is_full && !std::mem::replace(&mut self.parts.is_full, true) {
            tracing::warn!(
                "the spool is full ({}): publishers wait until Kafka has taken some",
                spool.lacks()
            );
        }
        lock(&self.state).spool_written += written;
        Ok(())
    }

    /// Gives librdkafka what is in the spool, in order. After a stop it stays there for the next start.
    fn send_spooled(&mut self) -> Result<(), BridgeError> {
        while !self.parts.is_away
            && self.intake.closing_for().is_none()
            && self.has_window(SPOOL_WINDOW_BYTES, SPOOL_WINDOW_MESSAGES)
        {
            let Some(spool) = &mut self.spool else { break };
            let next = match self.parts.unsent.take() {
                Some(next) => Some(next),
                None if spool.read_ahead() >= SPOOL_WINDOW_MESSAGES as u64 => None,
                None => spool.read()?,
            };
            let Some((number, message)) = next else { break };
            match self.offer(&message) {
                Offer::Taken => {
                    let now = Instant::now();
                    let came = now.checked_sub(message.age()).unwrap_or(now);
                    self.insert(InFlight {
                        bytes: message.bytes(),
                        came,
                        since: now,
                        held: Held::Spool(number),
                    });
                }
                Offer::Full => {
                    self.parts.unsent = Some((number, message));
                    break;
                }
                Offer::Refused(reason) => {
                    let message = InFlight {
                        bytes: 0,
                        came: Instant::now(),
                        since: Instant::now(),
                        held: Held::Spool(number),
                    };
                    let state = self.state.clone();
                    self.failed(message, &reason, &mut lock(&state));
                }
            }
        }
        Ok(())
    }

    /// Gives librdkafka what has just come, if nothing older waits in the spool.
    fn send_queue(&mut self) {
        if self.parts.gave_up.is_some() {
            return self.give_up_queue();
        }
        if self.spool.is_some() && (self.parts.is_away || self.unread() > 0) {
            return;
        }
        while self.has_window(WINDOW_BYTES, WINDOW_MESSAGES)
            && let Some(Waiting { message, receipt, came }) = self.parts.queue.pop_front()
        {
            match self.offer(&message) {
                Offer::Taken => {
                    let bytes = message.bytes();
                    self.parts.only_here += 1;
                    self.insert(InFlight {
                        bytes,
                        came,
                        since: Instant::now(),
                        held: Held::Memory(message, receipt),
                    });
                }
                Offer::Full => return self.parts.queue.push_front(Waiting { message, receipt, came }),
                Offer::Refused(reason) => {
                    let state = self.state.clone();
                    self.fail(&message, receipt, (&reason, Settled::Refused), &mut lock(&state));
                }
            }
        }
    }

    fn offer(&self, message: &BridgeMessage) -> Offer {
        let BridgeMessage { topic, mqtt_topic, key, payload, time_ms } = message;
        let message = StreamMessage { topic, key, payload, mqtt_topic, time_ms: *time_ms };
        self.producer.offer(&message, self.parts.next_ticket)
    }

    fn insert(&mut self, message: InFlight) {
        self.parts.window_bytes += message.bytes;
        self.parts.in_flight.insert(self.parts.next_ticket, message);
        self.parts.next_ticket += 1;
    }

    fn has_window(&self, bytes: usize, messages: usize) -> bool {
        self.parts.window_bytes < bytes && self.parts.in_flight.len() < messages
    }

    /// Messages in the spool that librdkafka does not have.
    fn unread(&self) -> u64 {
        let unsent = u64::from(self.parts.unsent.is_some());
        self.spool.as_ref().map_or(0, Spool::unread) + unsent
    }

    /// Counts what is where, and says it.
    fn show(&mut self) {
        let ledger = &mut self.parts.ledger;
        ledger.spooled = self.spool.as_ref().map_or(0, Spool::pending);
        ledger.in_flight = self.parts.queue.len() as u64 + self.parts.only_here;
        let mut state = lock(&self.state);
        state.set_ledger(*ledger);
        state.spool_bytes = self.spool.as_ref().map_or(0, Spool::bytes);
    }

    /// Whether all is settled after the intake has closed.
    fn is_over(&mut self) -> bool {
        let Some(closing) = self.intake.closing_for().filter(|closing| *closing > CLOSING_READ_MAX) else {
            return false;
        };
        let is_here = self.parts.ledger.received + self.intake.abandoned() < self.intake.received();
        let waits_for_kafka = match &self.spool {
            Some(_) => self.parts.only_here > 0 || (!self.parts.is_away && !self.parts.in_flight.is_empty()),
            None => !self.parts.in_flight.is_empty(),
        };
        if !is_here && self.parts.queue.is_empty() && !waits_for_kafka {
            return true;
        }
        if closing > CLOSING_READ_MAX + self.drain && self.parts.gave_up.is_none() {
            tracing::warn!("Kafka does not take the rest: giving it up");
            self.parts.gave_up = Some(Instant::now());
            self.producer.give_up();
        }
        self.parts.gave_up.is_some_and(|since| since.elapsed() > GIVE_UP_MAX)
    }
}

pub(super) fn lock(state: &Mutex<BridgeState>) -> MutexGuard<'_, BridgeState> {
    // A poisoned lock guards nothing here: no code under it panics half-way.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[path = "mover_tests.rs"]
mod tests;
