//! Any text as a time.

use tweetblast::tweet::{TIMESTAMP_BYTES, parse_created_at, parse_time, write_timestamp};

pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let spelt = parse_time(text).map(|stamp| stamp.ms);
    for time_ms in parse_created_at(text).into_iter().chain(spelt) {
        let mut written = [0; TIMESTAMP_BYTES];
        write_timestamp(time_ms, &mut written);
        assert!(written.is_ascii());
    }
}
