//! Twitter's ids: 64 bits, the upper ones a time in milliseconds, the lower 22 a number within it.

/// Unix time in milliseconds at which snowflake ids start counting (2010-11-04T01:42:54.657Z; a
/// constant of Twitter's id generator).
const EPOCH_MS: u64 = 1_288_834_974_657;

/// Bits below the time: data centre, worker and sequence number.
pub(super) const LOW_BITS: u32 = 22;

/// First time with no positive 64-bit id: 2^41 ms after the epoch, in July 2080.
pub(super) const END_MS: u64 = EPOCH_MS + (1 << 41);

/// The id for a moment between the epoch and [`END_MS`]; only the lower 22 bits of `low` count.
pub(super) fn from_ms(ms: u64, low: u64) -> u64 {
    (ms.saturating_sub(EPOCH_MS) << LOW_BITS) | (low & ((1 << LOW_BITS) - 1))
}

/// The moment at which an id was made, in Unix milliseconds.
pub(super) fn to_ms(id: u64) -> u64 {
    (id >> LOW_BITS) + EPOCH_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_id_has_its_known_time() {
        // A tweet with timestamp_ms 1520690595660, public sample stream of 2018.
        assert_eq!(to_ms(972_472_958_596_866_048), 1_520_690_595_660);
        assert_eq!(from_ms(1_520_690_595_660, 972_472_958_596_866_048), 972_472_958_596_866_048);
    }

    #[test]
    fn the_last_id_still_fits_a_signed_integer() {
        assert!(i64::try_from(from_ms(END_MS - 1, u64::MAX)).is_ok());
    }
}
