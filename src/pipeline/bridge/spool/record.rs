//! One message in the spool: its length and the CRC-32C of that, the CRC-32C of what follows, and its parts. Numbers are big-endian.
//!
//! ```text
//! length u32 | CRC-32C u32 | CRC-32C u32 | time i64 | topic u16 + text | MQTT topic u16 + text | key u32 + bytes | payload
//! ```

use std::sync::Arc;

use bytes::Bytes;

use crate::pipeline::bridge::message::BridgeMessage;

/// Length and checksums.
pub(super) const HEAD_BYTES: usize = 12;

/// Appends a message as it is on disk.
pub(super) fn encode(message: &BridgeMessage, into: &mut Vec<u8>) {
    let start = into.len();
    into.extend_from_slice(&[0; HEAD_BYTES]);
    into.extend_from_slice(&message.time_ms.to_be_bytes());
    for text in [message.topic.as_bytes(), &message.mqtt_topic] {
        // Neither can be longer: MQTT counts them in 16 bits, and Kafka's have at most 249 characters.
        into.extend_from_slice(&(text.len() as u16).to_be_bytes());
        into.extend_from_slice(text);
    }
    into.extend_from_slice(&(message.key.len() as u32).to_be_bytes());
    into.extend_from_slice(&message.key);
    into.extend_from_slice(&message.payload);
    let body = start + HEAD_BYTES;
    let (length, crc) = (((into.len() - body) as u32).to_be_bytes(), crc32c::crc32c(&into[body..]));
    let head = [length, crc32c::crc32c(&length).to_be_bytes(), crc.to_be_bytes()].concat();
    into[start..body].copy_from_slice(&head);
}

/// Length of the body and its checksum; `None` if the length is not what was written.
pub(super) fn head(bytes: [u8; HEAD_BYTES]) -> Option<(usize, u32)> {
    let [a, b, c, d, e, f, g, h, i, j, k, l] = bytes;
    let length = [a, b, c, d];
    let is_whole = crc32c::crc32c(&length) == u32::from_be_bytes([e, f, g, h]);
    is_whole.then(|| (u32::from_be_bytes(length) as usize, u32::from_be_bytes([i, j, k, l])))
}

/// Reads a body whose checksum is right; `None` if it is none of ours.
pub(super) fn decode(body: &Bytes) -> Option<BridgeMessage> {
    let mut at = 0_usize;
    let mut take = |count: usize| {
        let part = body.get(at..at.checked_add(count)?)?;
        at += count;
        Some(body.slice_ref(part))
    };
    let time_ms = i64::from_be_bytes(take(8)?.as_ref().try_into().ok()?);
    let mut text = || {
        let length = u16::from_be_bytes(take(2)?.as_ref().try_into().ok()?);
        take(usize::from(length))
    };
    let topic = text()?;
    let mqtt_topic = text()?;
    let length = u32::from_be_bytes(take(4)?.as_ref().try_into().ok()?);
    let key = take(length as usize)?;
    let payload = body.slice(at..);
    let topic: Arc<str> = std::str::from_utf8(&topic).ok()?.into();
    Some(BridgeMessage { topic, mqtt_topic, key, payload, time_ms })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(
            topic in "[a-z.]{1,20}", mqtt_topic in prop::collection::vec(any::<u8>(), 0..40),
            key in prop::collection::vec(any::<u8>(), 0..40), payload in prop::collection::vec(any::<u8>(), 0..400),
            time_ms: i64,
        ) {
            let message = BridgeMessage {
                topic: topic.as_str().into(), mqtt_topic: mqtt_topic.into(), key: key.into(), payload: payload.into(), time_ms,
            };
            let mut bytes = Vec::new();
            encode(&message, &mut bytes);
            let (length, crc) = head(bytes[..HEAD_BYTES].try_into().unwrap()).unwrap();
            let body = Bytes::from(bytes.split_off(HEAD_BYTES));
            prop_assert_eq!((length, crc), (body.len(), crc32c::crc32c(&body)));
            prop_assert_eq!(decode(&body), Some(message));
        }

        #[test]
        fn any_bytes_are_a_message_or_none(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&body.into());
        }
    }
}
