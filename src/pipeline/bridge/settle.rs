//! What the mover does when the fate of a message is known.

use std::time::Instant;

use super::error::BridgeError;
use super::message::BridgeMessage;
use super::mover::{Held, InFlight, Mover, Waiting, lock};
use super::state::BridgeState;
use crate::mqtt::{Receipt, Settled};

impl Mover {
    /// Settles what Kafka has reported on.
    pub(super) fn collect(&mut self) -> Result<(), BridgeError> {
        let mut reports = std::mem::take(&mut self.parts.reports);
        self.producer.reports(&mut reports);
        let now = Instant::now();
        if !reports.is_empty() {
            let state = self.state.clone();
            let mut state = lock(&state);
            for (ticket, failure) in reports.drain(..) {
                let Some(message) = self.parts.in_flight.remove(&ticket) else { continue };
                self.parts.window_bytes -= message.bytes;
                self.parts.only_here -= u64::from(matches!(message.held, Held::Memory(..)));
                match failure {
                    None => self.delivered(message, now, &mut state),
                    Some(reason) => self.failed(message, &reason, &mut state),
                }
            }
        }
        self.parts.reports = reports;
        match self.producer.fatal() {
            Some(reason) => Err(BridgeError::Fatal { reason }),
            None => Ok(()),
        }
    }

    fn delivered(&mut self, message: InFlight, now: Instant, state: &mut BridgeState) {
        self.parts.ledger.delivered += 1;
        self.parts.last_report = Some(now);
        state.deliver(now - message.came, now);
        match (message.held, &mut self.spool) {
            (Held::Spool(number), Some(spool)) => spool.done(number),
            (Held::Memory(_, receipt), _) => receipt.settle(Settled::Safe),
            (Held::Spool(_), None) => {}
        }
    }

    pub(super) fn failed(&mut self, message: InFlight, reason: &str, state: &mut BridgeState) {
        match (message.held, &mut self.spool) {
            // The spool still has it.
            (Held::Spool(_), _) if self.parts.gave_up.is_some() => {}
            (Held::Spool(number), Some(spool)) => {
                self.parts.ledger.failed += 1;
                spool.done(number);
                state.fail(reason, b"out of the spool");
                tracing::error!("Kafka refuses a message that was in the spool: {reason}");
            }
            (Held::Spool(_), None) => {}
            (Held::Memory(message, receipt), _) => {
                let settled = if self.parts.gave_up.is_some() { Settled::GivenUp } else { Settled::Refused };
                self.fail(&message, receipt, (reason, settled), state);
            }
        }
    }

    /// A message that is nowhere will not be delivered.
    pub(super) fn fail(
        &mut self,
        message: &BridgeMessage,
        receipt: Receipt,
        (reason, settled): (&str, Settled),
        state: &mut BridgeState,
    ) {
        self.parts.ledger.failed += 1;
        state.fail(reason, &message.mqtt_topic);
        if settled == Settled::Refused {
            let topic = String::from_utf8_lossy(&message.mqtt_topic);
            tracing::warn!(topic = &*topic, "Kafka refuses a message: {reason}");
        }
        receipt.settle(settled);
    }

    pub(super) fn give_up_queue(&mut self) {
        let state = self.state.clone();
        let mut state = lock(&state);
        for Waiting { message, receipt, .. } in std::mem::take(&mut self.parts.queue) {
            let why = "given up after the stop: Kafka did not take what came before";
            self.fail(&message, receipt, (why, Settled::GivenUp), &mut state);
        }
    }
}
