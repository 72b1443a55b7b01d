//! What the replay's topic may be.

use super::codec::is_topic;

/// Whether rumqttd can carry this topic: it slices off the first byte as if it were a character.
pub(super) fn check_topic(topic: &str) -> Result<(), &'static str> {
    match topic.as_bytes() {
        [] => Err("it is empty"),
        [b'$', ..] => Err("topics that start with $ belong to the broker"),
        bytes if bytes.len() > usize::from(u16::MAX) => Err("it is longer than 65535 bytes"),
        [first, ..] if !first.is_ascii() => {
            Err("the broker takes no topic that starts with a non-ASCII letter")
        }
        _ if topic.contains('\0') => Err("it has a zero byte in it"),
        _ if !is_topic(topic) => Err("it has a wildcard (+ or #) in it"),
        _ => Ok(()),
    }
}
