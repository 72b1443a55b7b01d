//! Acknowledgements to a publisher whose messages go to a bridge: none is sent before the message is safe.

use super::super::codec::{self, Reason, Version};
use super::super::held::{Answers, Settled};
use super::session::Session;

impl Session {
    /// Holds the answer to a message above QoS 0 and returns its number.
    pub fn hold(&self, id: u16, qos: u8) -> u64 {
        self.held.hold(id, qos)
    }

    /// Whether PUBREC is still held for this id.
    pub fn is_held(&self, id: u16) -> bool {
        self.held.has(id)
    }

    /// Whether the message of this id was refused: PUBREC said so, and the id is free again.
    pub fn take_refused(&self, id: u16) -> bool {
        self.lock_refused().remove(&id)
    }
}

impl Answers for Session {
    fn settle(&self, number: u64, settled: Settled) {
        self.held.settle(number, settled, |answer, settled| {
            let first = if answer.qos == 1 { 0x40 } else { 0x50 };
            let reason = match settled {
                Settled::Safe => Reason::SUCCESS,
                Settled::GivenUp => return,
                // 3.1.1 has no answer for that, and PUBACK would be a lie.
                Settled::Refused if self.version == Version::V4 => return self.leave(Reason::NOT_TAKEN),
                Settled::Refused => Reason::NOT_TAKEN,
            };
            if answer.qos == 2 && reason != Reason::SUCCESS {
                self.lock_refused().insert(answer.id);
            }
            self.answer(|into| codec::pub_reply(self.version, first, answer.id, reason, into));
        });
    }
}
