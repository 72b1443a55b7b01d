//! `checks/records.rs` under libFuzzer.
#![no_main]

#[path = "../checks/records.rs"]
mod records;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| records::check(bytes));
