//! Hands messages to librdkafka many at a time: rdkafka's own `send` looks the topic up by its name
//! and takes its lock for each message anew, which costs more than all that we do for one.
//!
//! Safety: librdkafka copies keys and payloads before `rd_kafka_produce_batch` comes back, so the
//! pointers to them need to hold for that call only. The topic's handle is made from the client that
//! is kept beside it, and is given back before that client is.

#![expect(unsafe_code, reason = "rdkafka hands over one message a call; librdkafka takes a batch")]

use std::ffi::{CString, c_void};
use std::ops::Deref;
use std::ptr::{self, NonNull};

use rdkafka::bindings::{
    RD_KAFKA_MSG_F_COPY, rd_kafka_message_t, rd_kafka_produce_batch, rd_kafka_topic_destroy,
    rd_kafka_topic_new, rd_kafka_topic_t,
};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, Producer as _, ProducerContext};
use rdkafka::types::RDKafkaRespErr;

use crate::event::Event;

/// "Unassigned": the partition is chosen by the key (`RD_KAFKA_PARTITION_UA` in rdkafka.h).
const BY_KEY: i32 = -1;

/// A producer to one topic.
pub struct BatchProducer<C: ProducerContext<DeliveryOpaque = usize> + 'static> {
    topic: NonNull<rd_kafka_topic_t>,
    inner: BaseProducer<C>,
}

// SAFETY: librdkafka's handles may be used from any thread, and `inner` may be sent by itself.
unsafe impl<C: ProducerContext<DeliveryOpaque = usize>> Send for BatchProducer<C> {}

impl<C: ProducerContext<DeliveryOpaque = usize>> BatchProducer<C> {
    /// A producer to the topic of this name.
    ///
    /// # Errors
    /// When no topic can have this name.
    pub fn new(inner: BaseProducer<C>, topic: &str) -> Result<Self, KafkaError> {
        let name = CString::new(topic)?;
        // SAFETY: the client lives as long as `inner`, the name as long as the call; without
        // properties of its own the topic has those of the client.
        let topic =
            unsafe { rd_kafka_topic_new(inner.client().native_ptr(), name.as_ptr(), ptr::null_mut()) };
        let invalid = || KafkaError::MessageProduction(RDKafkaErrorCode::InvalidTopic);
        Ok(Self { topic: NonNull::new(topic).ok_or_else(invalid)?, inner })
    }

    /// Gives librdkafka these events, each with the opaque value beside it, up to where its queue is
    /// full: how many are done with. Those that it refuses for another reason are among them, and are
    /// shown to `refused`.
    pub fn produce(
        &self,
        events: &[Event],
        opaques: &[usize],
        mut refused: impl FnMut(usize, KafkaError),
    ) -> usize {
        let message = |(event, opaque): (&Event, &usize)| rd_kafka_message_t {
            err: RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR,
            rkt: ptr::null_mut(),
            partition: BY_KEY,
            payload: event.payload.as_ptr() as *mut c_void,
            len: event.payload.len(),
            // No key is not the same as an empty one.
            key: if event.key.is_empty() { ptr::null_mut() } else { event.key.as_ptr() as *mut c_void },
            key_len: event.key.len(),
            offset: 0,
            // As rdkafka makes a pointer of a `usize` and reads it from one.
            _private: ptr::without_provenance_mut(*opaque),
        };
        let mut messages: Vec<_> = events.iter().zip(opaques).map(message).collect();
        // A batch has some hundred events.
        #[expect(clippy::expect_used, reason = "sent in part, the rest would be lost")]
        let count = i32::try_from(messages.len()).expect("a batch is counted in 31 bits");
        // SAFETY: the topic lives as long as `self`, the messages and what they point to as long as
        // the call; with `COPY` nothing is written to or kept of them but `err`.
        unsafe {
            rd_kafka_produce_batch(
                self.topic.as_ptr(),
                BY_KEY,
                RD_KAFKA_MSG_F_COPY,
                messages.as_mut_ptr(),
                count,
            );
        }
        for (number, message) in messages.iter().enumerate() {
            match message.err {
                RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR => {}
                // It takes none of those behind either, so their order stays.
                RDKafkaRespErr::RD_KAFKA_RESP_ERR__QUEUE_FULL => return number,
                other => refused(opaques[number], KafkaError::MessageProduction(other.into())),
            }
        }
        messages.len()
    }
}

impl<C: ProducerContext<DeliveryOpaque = usize>> Deref for BatchProducer<C> {
    type Target = BaseProducer<C>;

    fn deref(&self) -> &BaseProducer<C> {
        &self.inner
    }
}

impl<C: ProducerContext<DeliveryOpaque = usize> + 'static> Drop for BatchProducer<C> {
    fn drop(&mut self) {
        // SAFETY: made by `new`, given back once, and before the client.
        unsafe { rd_kafka_topic_destroy(self.topic.as_ptr()) };
    }
}
