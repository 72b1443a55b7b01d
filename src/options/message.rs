//! What a message contains.

use crate::event::{OwnNames, PayloadForm};
use crate::pace::StampTime;

/// The messages of a replay.
#[derive(Debug, Clone, Copy)]
pub struct MessageOptions {
    pub payload: PayloadForm,
    pub timestamp: StampTime,
    /// Which time Kafka stores with each message.
    pub kafka_timestamp: StampTime,
    /// What the Kafka key is.
    pub key: KeyBy,
    /// What our members are called, among those of events.
    pub names: OwnNames,
}

impl Default for MessageOptions {
    fn default() -> Self {
        Self {
            payload: PayloadForm::Tweet,
            timestamp: StampTime::Send,
            kafka_timestamp: StampTime::Send,
            key: KeyBy::User,
            names: OwnNames::default(),
        }
    }
}

/// What the Kafka key is: tweets of one key stay in order and share a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyBy {
    /// The author's id.
    User,
    /// The tweet's id.
    Id,
    /// No key: Kafka spreads them.
    None,
}
