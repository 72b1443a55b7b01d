//! A message on its way from MQTT to Kafka.

use std::sync::Arc;

use bytes::Bytes;

/// What goes to Kafka.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BridgeMessage {
    /// Kafka's topic.
    pub topic: Arc<str>,
    /// The topic that it was published on; a header in Kafka.
    pub mqtt_topic: Bytes,
    /// Empty: no key.
    pub key: Bytes,
    pub payload: Bytes,
    /// When it came, in milliseconds since 1970 UTC.
    pub time_ms: i64,
}

impl BridgeMessage {
    /// Its bytes in librdkafka's queue.
    pub fn bytes(&self) -> usize {
        self.mqtt_topic.len() + self.key.len() + self.payload.len()
    }
}
