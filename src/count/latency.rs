//! Latencies: the histogram that collects them, the percentiles that are shown, and the text that
//! keeps it whole.

use std::io::Cursor;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer, V2DeflateSerializer};
use serde::Serialize;

/// An empty histogram of microseconds up to a day, exact to three digits.
pub fn new_histogram() -> Histogram<u64> {
    #[expect(clippy::expect_used, reason = "the bounds are constants")]
    Histogram::new_with_bounds(1, 86_400_000_000, 3).expect("constant bounds are valid")
}

/// Percentiles of a latency, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LatencyMs {
    /// Half were faster.
    pub p50: f64,
    /// 90 of 100 were faster.
    pub p90: f64,
    /// 99 of 100 were faster.
    pub p99: f64,
    /// 999 of 1,000 were faster.
    pub p999: f64,
    /// The slowest.
    pub max: f64,
}

impl LatencyMs {
    /// The percentiles of a histogram of microseconds; `None` when nothing was recorded.
    pub fn of(histogram_us: &Histogram<u64>) -> Option<Self> {
        let ms = |quantile| histogram_us.value_at_quantile(quantile) as f64 / 1_000.0;
        (!histogram_us.is_empty()).then(|| Self {
            p50: ms(0.5),
            p90: ms(0.9),
            p99: ms(0.99),
            p999: ms(0.999),
            max: histogram_us.max() as f64 / 1_000.0,
        })
    }
}

/// A histogram of microseconds as text: HdrHistogram V2, compressed, in base64. Reports that keep it
/// can be merged without a loss.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HistogramText(String);

/// Why a text is not a histogram.
#[derive(Debug, thiserror::Error)]
#[error("is not a histogram (HdrHistogram V2, compressed, in base64)")]
pub struct NotHistogram;

impl HistogramText {
    /// The text of a histogram; `None` when nothing was recorded.
    pub fn of(histogram_us: &Histogram<u64>) -> Option<Self> {
        let mut bytes = Vec::new();
        // Writing to memory cannot fail, and no count comes near the limit of 2^63.
        let written = V2DeflateSerializer::new().serialize(histogram_us, &mut bytes);
        written.ok().filter(|_| !histogram_us.is_empty()).map(|_| Self(STANDARD.encode(bytes)))
    }

    /// Reads a text as [`of`](Self::of) writes it.
    ///
    /// # Errors
    /// When it is something else.
    pub fn read(text: &str) -> Result<Histogram<u64>, NotHistogram> {
        let bytes = STANDARD.decode(text).map_err(|_| NotHistogram)?;
        Deserializer::new().deserialize(&mut Cursor::new(bytes)).map_err(|_| NotHistogram)
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn percentiles_come_in_milliseconds() {
        let mut histogram = new_histogram();
        assert_eq!(LatencyMs::of(&histogram), None);
        for ms in 1..=1_000 {
            histogram.record(ms * 1_000).unwrap();
        }
        let latency = LatencyMs::of(&histogram).unwrap();
        assert!((latency.p50 - 500.0).abs() < 1.0, "{latency:?}");
        assert!((latency.p999 - 999.0).abs() < 1.0, "{latency:?}");
        assert!((latency.max - 1_000.0).abs() < 1.0, "{latency:?}");
    }

    #[test]
    fn what_is_not_a_histogram_is_an_error() {
        assert_eq!(HistogramText::of(&new_histogram()), None);
        let mut one = new_histogram();
        one.record(7).unwrap();
        let text = HistogramText::of(&one).unwrap();
        assert_eq!(HistogramText::read(text.as_str()).unwrap(), one);
        for wrong in ["", "=", "AAAA", &text.as_str()[..20], "not base64"] {
            assert!(HistogramText::read(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn two_halves_that_were_written_and_read_merge_into_the_whole_bucket_for_bucket(
            latencies_us in prop::collection::vec((0u64..200_000_000_000, any::<bool>()), 1..300),
        ) {
            let (mut whole, mut halves) = (new_histogram(), [new_histogram(), new_histogram()]);
            for (us, second) in latencies_us {
                whole.saturating_record(us);
                halves[usize::from(second)].saturating_record(us);
            }
            let mut merged = new_histogram();
            for half in halves.iter().filter_map(HistogramText::of) {
                merged.add(HistogramText::read(half.as_str()).unwrap()).unwrap();
            }
            let buckets = |histogram: &Histogram<u64>| -> Vec<(u64, u64)> {
                histogram.iter_recorded().map(|at| (at.value_iterated_to(), at.count_at_value())).collect()
            };
            prop_assert_eq!(buckets(&merged), buckets(&whole));
            prop_assert_eq!(LatencyMs::of(&merged), LatencyMs::of(&whole));
        }
    }
}
