//! A message on its way from MQTT to Kafka.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

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
    /// How long ago it came.
    pub fn age(&self) -> Duration {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        now.saturating_sub(Duration::from_millis(u64::try_from(self.time_ms).unwrap_or(0)))
    }
}
