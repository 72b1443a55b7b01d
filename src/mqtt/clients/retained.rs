//! Messages that are kept for those who subscribe later: the last one of each topic.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use super::super::codec::Subscription;
use super::filters::matches;
use super::inlet::About;
use super::limits::RETAINED_MAX;
use super::session::{OutgoingMessage, Session};

#[derive(Debug, Default)]
pub(super) struct Retained {
    messages: BTreeMap<Bytes, (About, Bytes)>,
    bytes: usize,
    /// Messages kept so far, also those of which nothing is left.
    kept: u64,
    max_bytes: usize,
}

impl Retained {
    pub fn new(max_bytes: usize) -> Self {
        Self { max_bytes, ..Self::default() }
    }

    pub fn kept(&self) -> u64 {
        self.kept
    }

    /// Keeps a message in place of the last one of its topic; an empty one only takes that away. Returns
    /// whether there was room.
    pub fn keep(&mut self, about: &mut About, payload: &Bytes) -> bool {
        if let Some((before, payload)) = self.messages.remove(&about.topic) {
            self.bytes -= cost(&before, &payload);
        }
        if payload.is_empty() {
            self.kept += 1;
            about.kept = self.kept;
            return true;
        }
        let bytes = self.bytes + cost(about, payload);
        if self.messages.len() >= RETAINED_MAX || bytes > self.max_bytes {
            return false;
        }
        self.bytes = bytes;
        self.kept += 1;
        about.kept = self.kept;
        self.messages.insert(about.topic.clone(), (about.clone(), payload.clone()));
        true
    }

    /// Hands a client what is kept of the topics that it subscribes to. What has expired is dropped.
    pub fn deliver(
        &mut self,
        session: &Arc<Session>,
        asked: &Subscription<'_>,
        subscription_id: Option<u32>,
        now: Instant,
    ) {
        if asked.filter.starts_with("$share/") {
            return;
        }
        let bytes = &mut self.bytes;
        self.messages.retain(|topic, (about, payload)| {
            let Some(expiry_s) = about.expiry_left(now) else {
                *bytes -= cost(about, payload);
                return false;
            };
            if matches(asked.filter, &String::from_utf8_lossy(topic)) {
                session.deliver(&OutgoingMessage {
                    topic,
                    payload,
                    qos: about.qos.min(asked.qos),
                    retain: true,
                    expiry_s,
                    subscription_ids: subscription_id.as_slice(),
                    properties: &about.properties,
                });
            }
            true
        });
    }
}

fn cost(about: &About, payload: &Bytes) -> usize {
    about.topic.len() + payload.len() + about.properties.len()
}
