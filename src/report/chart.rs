//! Small charts of one line, for the page at the end.

use super::page::glued;
use super::words::{millis, rate};
use crate::count::{HistogramText, SeriesReport};

/// Heights of a column. The lowest stands for little, a blank for nothing.
const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Columns at most.
const COLUMNS: usize = 32;

/// Fewer seconds need no chart.
const SECONDS_MIN: usize = 5;

/// The rate over time, and its range; `None` for a short run.
pub(super) fn rate_chart(series: &SeriesReport) -> Option<String> {
    // The last step has not been a whole one.
    let (_, sent) = series.published.split_last()?;
    if sent.len() < SECONDS_MIN {
        return None;
    }
    let in_column = sent.len().div_ceil(COLUMNS);
    let mean =
        |steps: &[u64]| steps.iter().sum::<u64>() as f64 / (steps.len() as u64 * series.every_s) as f64;
    let rates: Vec<f64> = sent.chunks(in_column).map(mean).collect();
    let (least, most) = rates.iter().fold((f64::MAX, 0.0_f64), |(a, b), rate| (a.min(*rate), b.max(*rate)));
    Some(format!("{}  {} to {}", glued(&columns(&rates)), rate(least), rate(most)))
}

/// How many tweets took how long, from the fastest to the slowest, in columns of equal ratio; `None` where
/// nothing was measured, or all took as long.
pub(super) fn latency_chart(histogram: Option<&HistogramText>) -> Option<String> {
    let histogram_us = HistogramText::read(histogram?.as_str()).ok()?;
    let (least, most) = (histogram_us.min().max(1) as f64, histogram_us.max() as f64);
    let ratio = (most / least).ln();
    if ratio <= 0.0 {
        return None;
    }
    let mut tweets = [0.0; COLUMNS];
    for at in histogram_us.iter_recorded() {
        let place = (at.value_iterated_to().max(1) as f64 / least).ln() / ratio;
        tweets[((place * COLUMNS as f64) as usize).min(COLUMNS - 1)] += at.count_at_value() as f64;
    }
    Some(format!("{}  {} to {}", glued(&columns(&tweets)), millis(least / 1e3), millis(most / 1e3)))
}

fn columns(values: &[f64]) -> String {
    let most = values.iter().copied().fold(0.0, f64::max);
    let height = |value: f64| match value {
        value if value <= 0.0 => ' ',
        value => HEIGHTS[((value / most * 8.0).ceil() as usize).clamp(1, 8) - 1],
    };
    values.iter().map(|value| height(*value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::count::{Counters, new_histogram};
    use std::time::{Duration, Instant};

    #[test]
    fn a_ramp_rises_and_a_silence_is_blank() {
        let (counters, zero) = (Counters::default(), Instant::now());
        counters.series.begin(zero);
        for (second, sent) in (1..).zip([10, 20, 30, 40, 0, 80, 7]) {
            counters.published.add(sent);
            counters.sample(zero + Duration::from_secs(second), None);
        }
        let series = counters.series.report().unwrap();
        assert_eq!(rate_chart(&series).unwrap(), glued("▁▂▃▄ █") + "  0/s to 80/s");
        let short = SeriesReport { published: vec![1; 5], ..series };
        assert_eq!(rate_chart(&short), None);
    }

    #[test]
    fn latencies_lie_between_the_fastest_and_the_slowest() {
        let mut histogram = new_histogram();
        histogram.record_n(1_000, 99).unwrap();
        histogram.record(1_000_000).unwrap();
        let chart = latency_chart(HistogramText::of(&histogram).as_ref()).unwrap();
        assert!(chart.starts_with('█') && chart.contains("▁  1.0 ms to 1.00 s"), "{chart}");
        assert_eq!(chart.chars().take_while(|c| *c != '1').count(), COLUMNS + 2);
        assert_eq!(latency_chart(None), None);
        let mut one = new_histogram();
        one.record(7).unwrap();
        assert_eq!(latency_chart(HistogramText::of(&one).as_ref()), None, "one bar says nothing");
    }
}
