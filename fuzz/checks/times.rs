//! Any text as a time, whatever its file has decided.

use tweetblast::tweet::{
    DayOrder, EpochUnit, Reading, TIMESTAMP_BYTES, TimeDecision, TimeReader, parse_created_at, parse_time,
    write_timestamp,
};

/// The years 0 to 9999, in milliseconds since 1970: what a time stamp can be written for.
const WRITTEN_MS: std::ops::RangeInclusive<i64> = -62_167_219_200_000..=253_402_300_799_999;

pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut reader = TimeReader::default();
    let undecided = reader.text(text.trim());
    check_time(parse_time(text).map(|stamp| stamp.ms));
    check_time(parse_created_at(text));
    let orders = [DayOrder::DayFirst, DayOrder::MonthFirst, DayOrder::DayFirst, DayOrder::MonthFirst];
    for (nth, (order, unit)) in orders.into_iter().zip(EpochUnit::ALL).enumerate() {
        reader.decide(TimeDecision { unit: Some(unit), order: Some(order), by_first: nth >= 2 });
        let decided = reader.text(text.trim());
        let Reading::At(stamp) = decided else { continue };
        check_time(Some(stamp.ms));
        // A decision settles what is open, and changes nothing that is not. Digits are a date or a count.
        let is_number = text.trim().parse::<f64>().is_ok();
        assert!(is_number || !matches!(undecided, Reading::At(_)) || decided == undecided, "{text:?}");
    }
    reader.take_clues();
}

/// A time that is written and read again is the same.
fn check_time(time_ms: Option<i64>) {
    let Some(time_ms) = time_ms else { return };
    let mut written = [0; TIMESTAMP_BYTES];
    write_timestamp(time_ms, &mut written);
    let read = parse_time(std::str::from_utf8(&written).expect("a time stamp is ASCII"));
    assert!(!WRITTEN_MS.contains(&time_ms) || read.is_some_and(|read| read.ms == time_ms && read.has_zone));
}
