//! Any text as a time.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tweetblast::tweet::{TIMESTAMP_BYTES, parse_created_at, parse_time, write_timestamp};

fuzz_target!(|text: &str| {
    let spelt = parse_time(text).map(|stamp| stamp.ms);
    for time_ms in parse_created_at(text).into_iter().chain(spelt) {
        let mut written = [0; TIMESTAMP_BYTES];
        write_timestamp(time_ms, &mut written);
        assert!(written.is_ascii());
    }
});
