//! Passes messages to librdkafka in batches: rdkafka's own `send` looks up the topic by name and
//! takes its lock for each message, which costs more than everything we do for one.
//!
//! Safety: librdkafka copies keys and payloads before `rd_kafka_produce_batch` returns, so the
//! pointers to them only need to be valid for that call. The topic's handle is made from the client
//! next to it, and is released before that client is.

#![expect(unsafe_code, reason = "rdkafka hands over one message a call; librdkafka takes a batch")]

use std::ffi::{CString, c_void};
use std::ops::Deref;
use std::ptr::{self, NonNull};

use rdkafka::bindings::{
    RD_KAFKA_MSG_F_COPY, rd_kafka_message_broker_id, rd_kafka_message_status, rd_kafka_message_t,
    rd_kafka_msg_status_t, rd_kafka_produce_batch, rd_kafka_topic_destroy, rd_kafka_topic_new,
    rd_kafka_topic_t,
};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::producer::{BaseProducer, Producer as _, ProducerContext};
use rdkafka::types::RDKafkaRespErr;

use crate::event::Event;

/// "Unassigned": the partition is chosen by the key (`RD_KAFKA_PARTITION_UA` in rdkafka.h).
const BY_KEY: i32 = -1;

/// Whether a message that a delivery report is about may be in Kafka: it was sent at least once.
pub fn may_be_there(message: &BorrowedMessage<'_>) -> bool {
    // SAFETY: the pointer is that of a message which lives as long as the reference to it.
    let status = unsafe { rd_kafka_message_status(message.ptr()) };
    status != rd_kafka_msg_status_t::RD_KAFKA_MSG_STATUS_NOT_PERSISTED
}

/// The broker that acknowledged a message; -1: not known.
pub fn broker_id(message: &BorrowedMessage<'_>) -> i32 {
    // SAFETY: as above.
    unsafe { rd_kafka_message_broker_id(message.ptr()) }
}

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
        // properties of its own the topic has the client's.
        let topic =
            unsafe { rd_kafka_topic_new(inner.client().native_ptr(), name.as_ptr(), ptr::null_mut()) };
        let invalid = || KafkaError::MessageProduction(RDKafkaErrorCode::InvalidTopic);
        Ok(Self { topic: NonNull::new(topic).ok_or_else(invalid)?, inner })
    }

    /// Passes these events to librdkafka, each with its opaque value, until its queue is full;
    /// returns how many are done. Events that it refuses for another reason are among these, and
    /// are passed to `refused`.
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
            // The same conversion that rdkafka uses for a `usize`.
            _private: ptr::without_provenance_mut(*opaque),
        };
        let mut messages: Vec<_> = events.iter().zip(opaques).map(message).collect();
        // A batch has a few hundred events.
        #[expect(clippy::expect_used, reason = "sent in part, the rest would be lost")]
        let count = i32::try_from(messages.len()).expect("a batch is counted in 31 bits");
        // SAFETY: the topic lives as long as `self`, the messages and what they point to as long as
        // the call; with `COPY` nothing but `err` is written to them, and nothing is kept.
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
                // It accepts none of the later ones either, so their order is kept.
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
        // SAFETY: made by `new`, released once, and before the client.
        unsafe { rd_kafka_topic_destroy(self.topic.as_ptr()) };
    }
}
