//! What is said while Kafka is away: each reason once, and that it is back. librdkafka repeats itself with
//! each try, for each of its connections.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::words::plain;

/// Since the last message that Kafka acknowledged.
#[derive(Default)]
pub(super) struct Outage {
    is_known: AtomicBool,
    said: Mutex<Vec<String>>,
}

/// Reasons that are said in one outage, and no more.
const REASONS: usize = 5;

impl Outage {
    /// Takes what librdkafka reports, and gives it back in words where it is new.
    pub fn reason(&self, reason: &str) -> Option<String> {
        let words = plain(reason);
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.contains(&words) || said.len() == REASONS {
            return None;
        }
        said.push(words.clone());
        self.is_known.store(true, Ordering::Relaxed);
        Some(words)
    }

    /// A message was acknowledged: whether that ends an outage that was spoken of.
    pub fn ends(&self) -> bool {
        // For each message: one load of what hardly ever changes.
        if !self.is_known.load(Ordering::Relaxed) || !self.is_known.swap(false, Ordering::Relaxed) {
            return false;
        }
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clear();
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_said_once_in_an_outage_and_its_end_once() {
        let outage = Outage::default();
        assert!(!outage.ends());
        let reason = |after: u32| {
            outage.reason(&format!(
                "a:1/bootstrap: Connect to ipv4#a:1 failed: Connection refused (after {after}ms in x)"
            ))
        };
        assert_eq!(reason(0).as_deref(), Some("Connect to a:1 failed: Connection refused"));
        assert_eq!(reason(7), None);
        assert_eq!(outage.reason("a:1/1: Connect to ipv4#a:1 failed: Connection refused"), None);
        assert!(outage.ends() && !outage.ends());
        assert!(reason(0).is_some());
    }
}
