//! Answers to publishers that are held until their messages are safe, and then go out in the order in which the messages
//! came, as MQTT wants it (section 4.6).

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It is safe: its publisher gets an acknowledgement.
    Safe,
    /// It will never be: an MQTT 5 publisher gets a reason code, one of 3.1.1 is disconnected, as it has none.
    Refused,
    /// It is given up without an answer; the publisher will send it again.
    GivenUp,
}

/// A connection that waits for what became of messages.
pub(super) trait Answers: std::fmt::Debug + Send + Sync {
    /// The message with this number is settled.
    fn settle(&self, number: u64, settled: Settled);
}

/// The answers of one connection.
#[derive(Debug, Default)]
pub(super) struct HeldAnswers(Mutex<Queue>);

#[derive(Debug, Default)]
struct Queue {
    /// Number of the first in the queue.
    first: u64,
    answers: VecDeque<HeldAnswer>,
}

/// PUBACK or PUBREC for one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct HeldAnswer {
    pub id: u16,
    pub qos: u8,
    settled: Option<Settled>,
}

impl HeldAnswers {
    /// Holds the answer to a message, and returns its number.
    pub fn hold(&self, id: u16, qos: u8) -> u64 {
        let mut queue = self.lock();
        queue.answers.push_back(HeldAnswer { id, qos, settled: None });
        queue.first + queue.answers.len() as u64 - 1
    }

    /// Settles one, and passes those that may go out now to `send`, in order.
    pub fn settle(&self, number: u64, settled: Settled, mut send: impl FnMut(HeldAnswer, Settled)) {
        let mut queue = self.lock();
        let index = number.checked_sub(queue.first).and_then(|index| usize::try_from(index).ok());
        if let Some(answer) = index.and_then(|index| queue.answers.get_mut(index)) {
            answer.settled = Some(settled);
        }
        while let Some((answer, settled)) =
            queue.answers.front().copied().and_then(|answer| Some((answer, answer.settled?)))
        {
            queue.answers.pop_front();
            queue.first += 1;
            send(answer, settled);
        }
    }

    /// Whether a message of QoS 2 of this id is not settled.
    pub fn has(&self, id: u16) -> bool {
        self.lock().answers.iter().any(|answer| answer.id == id && answer.qos == 2)
    }

    /// Forgets all: their connection is gone.
    pub fn clear(&self) {
        let mut queue = self.lock();
        queue.first += queue.answers.len() as u64;
        queue.answers.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // A poisoned lock guards nothing here: no code under it panics half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_go_out_in_the_order_of_the_messages() {
        let held = HeldAnswers::default();
        let numbers: Vec<u64> = (1..=4).map(|id| held.hold(id, 1)).collect();
        let sent = std::cell::RefCell::new(Vec::new());
        let settle = |number: usize| {
            held.settle(numbers[number], Settled::Safe, |answer, _| sent.borrow_mut().push(answer.id))
        };
        settle(1);
        settle(3);
        assert!(sent.borrow().is_empty());
        settle(0);
        assert_eq!(*sent.borrow(), [1, 2]);
        settle(2);
        assert_eq!(*sent.borrow(), [1, 2, 3, 4]);
        assert_eq!(held.hold(9, 2), 4);
        assert!(held.has(9) && !held.has(1));
    }

    #[test]
    fn what_is_settled_after_its_connection_ended_is_not_mistaken_for_another() {
        let held = HeldAnswers::default();
        let old = held.hold(1, 1);
        held.clear();
        let new = held.hold(1, 1);
        held.settle(old, Settled::Safe, |_, _| panic!("its connection is gone"));
        let mut sent = 0;
        held.settle(new, Settled::Safe, |_, _| sent += 1);
        assert_eq!(sent, 1);
    }
}
