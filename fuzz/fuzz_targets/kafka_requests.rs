//! `checks/kafka_requests.rs` under libFuzzer.
#![no_main]

#[path = "../checks/kafka_requests.rs"]
mod kafka_requests;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kafka_requests::check(bytes));
