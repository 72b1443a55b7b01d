//! A time that takes no more room where it may be absent: every event carries one.

use std::num::NonZeroI64;

/// Milliseconds since 1970 UTC, without the very first of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeMs(NonZeroI64);

impl TimeMs {
    /// `None` for [`i64::MIN`], 292 million years ago.
    pub fn new(ms: i64) -> Option<Self> {
        NonZeroI64::new(ms ^ i64::MIN).map(Self)
    }

    /// Milliseconds since 1970 UTC.
    pub fn get(self) -> i64 {
        self.0.get() ^ i64::MIN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_time_that_was_put_in_and_none_takes_no_room() {
        for ms in [0, 1, -1, 1_700_000_000_000, i64::MAX, i64::MIN + 1] {
            assert_eq!(TimeMs::new(ms).map(TimeMs::get), Some(ms));
        }
        assert_eq!(TimeMs::new(i64::MIN), None);
        assert_eq!(size_of::<Option<TimeMs>>(), size_of::<i64>());
    }
}
