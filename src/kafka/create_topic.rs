//! Creates a topic, and gives back the broker's own words where it refuses: rdkafka's `AdminClient` has
//! the error code only.
//!
//! Safety: each handle is made here from a client that outlives the call, checked for null, and given
//! back by its guard; results are read before the event that holds them is given back.

#![expect(unsafe_code, reason = "rdkafka drops the words that the broker refuses with")]

use std::ffi::{CStr, CString, c_char};
use std::time::{Duration, Instant};

use rdkafka::bindings::{
    rd_kafka_AdminOptions_destroy, rd_kafka_AdminOptions_new, rd_kafka_AdminOptions_set_operation_timeout,
    rd_kafka_AdminOptions_set_request_timeout, rd_kafka_CreateTopics, rd_kafka_CreateTopics_result_topics,
    rd_kafka_NewTopic_destroy, rd_kafka_NewTopic_new, rd_kafka_admin_op_t,
    rd_kafka_event_CreateTopics_result, rd_kafka_event_destroy, rd_kafka_event_error,
    rd_kafka_event_error_string, rd_kafka_queue_destroy, rd_kafka_queue_new, rd_kafka_queue_poll,
    rd_kafka_topic_result_error, rd_kafka_topic_result_error_string,
};
use rdkafka::client::{Client, ClientContext};
use rdkafka::error::RDKafkaErrorCode;

use super::words::in_words;

/// Room for librdkafka's words on an argument that it does not take.
const WORDS_BYTES: usize = 512;

/// Replication factor that stands for the cluster's own default (KIP-464).
const CLUSTERS_DEFAULT: i32 = -1;

/// Creates `topic`, with this replication factor or the cluster's own, and waits until Kafka has answered.
/// One that somebody else has made meanwhile is as good.
///
/// # Errors
/// Why Kafka does not create it, in its own words where it has some.
pub(super) fn create_topic<C: ClientContext>(
    client: &Client<C>,
    topic: &str,
    partitions: i32,
    replication: Option<i32>,
    timeout: Duration,
) -> Result<(), String> {
    let name = CString::new(topic).map_err(|_| in_words(RDKafkaErrorCode::InvalidTopic))?;
    let replication = replication.unwrap_or(CLUSTERS_DEFAULT);
    let timeout_ms = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
    let mut words = [0; WORDS_BYTES];
    let errors = words.as_mut_ptr().cast::<c_char>();
    // SAFETY: as the head of this file says; `name` and `words` live through all calls.
    unsafe {
        let wanted = rd_kafka_NewTopic_new(name.as_ptr(), partitions, replication, errors, WORDS_BYTES);
        if wanted.is_null() {
            return Err(CStr::from_ptr(errors).to_string_lossy().into_owned());
        }
        let _wanted = Guard(wanted, rd_kafka_NewTopic_destroy);
        let options = rd_kafka_AdminOptions_new(
            client.native_ptr(),
            rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_CREATETOPICS,
        );
        let _options = Guard(options, rd_kafka_AdminOptions_destroy);
        // Both are in the range of librdkafka, which is up to an hour.
        rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, errors, WORDS_BYTES);
        rd_kafka_AdminOptions_set_operation_timeout(options, timeout_ms, errors, WORDS_BYTES);
        let queue = rd_kafka_queue_new(client.native_ptr());
        let _queue = Guard(queue, rd_kafka_queue_destroy);
        rd_kafka_CreateTopics(client.native_ptr(), [wanted].as_mut_ptr(), 1, options, queue);
        // librdkafka's own time-outs end the wait before.
        let deadline = Instant::now() + 2 * timeout;
        while Instant::now() < deadline {
            let event = rd_kafka_queue_poll(queue, timeout_ms);
            if event.is_null() {
                continue;
            }
            let _event = Guard(event, rd_kafka_event_destroy);
            let result = rd_kafka_event_CreateTopics_result(event);
            if result.is_null() {
                continue;
            }
            let code = RDKafkaErrorCode::from(rd_kafka_event_error(event));
            if code != RDKafkaErrorCode::NoError {
                return refused(code, rd_kafka_event_error_string(event));
            }
            let mut count = 0;
            let topics = rd_kafka_CreateTopics_result_topics(result, &mut count);
            if topics.is_null() || count == 0 {
                return Ok(());
            }
            let code = RDKafkaErrorCode::from(rd_kafka_topic_result_error(*topics));
            return refused(code, rd_kafka_topic_result_error_string(*topics));
        }
    }
    Err(in_words(RDKafkaErrorCode::RequestTimedOut))
}

/// What a code and its words come to. Where the broker has none of its own, librdkafka puts in those of
/// the code, for which there are plainer ones.
fn refused(code: RDKafkaErrorCode, words: *const c_char) -> Result<(), String> {
    if matches!(code, RDKafkaErrorCode::NoError | RDKafkaErrorCode::TopicAlreadyExists) {
        return Ok(());
    }
    let words = match words.is_null() {
        true => String::new(),
        // SAFETY: librdkafka's words end with a zero, and the event that holds them is kept by the caller.
        false => unsafe { CStr::from_ptr(words) }.to_string_lossy().into_owned(),
    };
    let is_own = !words.is_empty() && !code.to_string().contains(&words);
    Err(if is_own && !words.starts_with("Local: ") { words } else { in_words(code) })
}

/// Gives a handle back to librdkafka.
struct Guard<T>(*mut T, unsafe extern "C" fn(*mut T));

impl<T> Drop for Guard<T> {
    fn drop(&mut self) {
        if !self.0.is_null() {
            // SAFETY: made once, given back once, and the client it belongs to is still there.
            unsafe { (self.1)(self.0) };
        }
    }
}
