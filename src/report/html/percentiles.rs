//! Percentiles of the histograms in a report.

use hdrhistogram::Histogram;
use serde_json::Value;

use super::chart::{Chart, Line};
use crate::count::HistogramText;

/// The latencies of a replay: their names, and where the histogram and the percentiles of each are.
pub(super) const LATENCIES: [(&str, &str, &str); 5] = [
    ("lag", "/pace/lag_histogram", "/pace/lag_ms"),
    ("acknowledged", "/hops/kafka/acked_histogram", "/hops/kafka/acked_ms"),
    ("queryable", "/druid/time_to_queryable_histogram", "/druid/time_to_queryable_ms"),
    ("acknowledged to queryable", "/druid/acked_to_queryable_histogram", "/druid/acked_to_queryable_ms"),
    ("queries", "/druid/query_load/took_histogram", "/druid/query_load/took_ms"),
];

/// The greatest share: all but one in 10^6.
const DECADES: u32 = 6;

/// Between two decades; 10 and its powers are among them, so that p90, p99 and p99.9 are exact.
const IN_DECADE: [f64; 12] = [1.0, 1.2, 1.5, 1.8, 2.0, 2.5, 3.0, 4.0, 5.0, 6.5, 8.0, 9.0];

/// What is drawn in a chart with a logarithm is greater than 0: a microsecond.
const LEAST_MS: f64 = 0.001;

pub(super) fn histogram_at(json: &Value, pointer: &str) -> Option<Histogram<u64>> {
    HistogramText::read(json.pointer(pointer)?.as_str()?).ok()
}

/// A chart of several histograms of microseconds, a line for each.
pub(super) fn percentile_chart(histograms_us: &[(String, Histogram<u64>)]) -> Chart {
    let most = histograms_us.iter().map(|(_, histogram)| histogram.len()).max().unwrap_or(0) as f64;
    let decade = |decade: u32| IN_DECADE.iter().map(move |x| x * 10_f64.powi(decade as i32));
    let end = most.min(10_f64.powi(DECADES as i32)).max(2.0);
    let mut xs: Vec<f64> = (0..DECADES).flat_map(decade).filter(|x| *x < end).collect();
    xs.push(end);
    let line = |(place, (label, histogram_us)): (usize, &(String, Histogram<u64>))| {
        Line::new(label.clone(), place + 1, xs.iter().map(|x| at(histogram_us, *x)).collect()).dashed(place)
    };
    let series = histograms_us.iter().enumerate().map(line).collect();
    Chart { x: "share", unit: "ms", log: true, series, xs, ..Chart::default() }
}

/// The latency in milliseconds that one in `x` exceeds; `None`: there are fewer than `x`.
fn at(histogram_us: &Histogram<u64>, x: f64) -> Option<f64> {
    let us = match x {
        x if x > histogram_us.len().max(2) as f64 => return None,
        x if x == histogram_us.len() as f64 => histogram_us.max(),
        x => histogram_us.value_at_quantile(1.0 - 1.0 / x),
    };
    Some((us as f64 / 1_000.0).max(LEAST_MS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::count::{LatencyMs, new_histogram};

    #[test]
    fn the_percentiles_that_a_report_names_are_points_of_the_curve() {
        let mut histogram = new_histogram();
        (1..=5_000_u64).for_each(|ms| histogram.record(ms * 1_000).unwrap());
        let few = {
            let mut few = new_histogram();
            few.record(7).unwrap();
            few
        };
        let ms = LatencyMs::of(&histogram).unwrap();
        let chart = percentile_chart(&[("lag".into(), histogram), ("few".into(), few)]);
        let point = |x: f64| {
            let place = chart.xs.iter().position(|at| (at - x).abs() < 1e-9).unwrap();
            chart.series[0].values[place].unwrap()
        };
        for (x, expected) in
            [(2.0, ms.p50), (10.0, ms.p90), (100.0, ms.p99), (1_000.0, ms.p999), (5_000.0, ms.max)]
        {
            assert!((point(x) / expected - 1.0).abs() < 1e-3, "{x}: {} {expected}", point(x));
        }
        let few = &chart.series[1].values;
        assert_eq!((few[0], few.last()), (Some(0.007), Some(&None)), "one is no percentile");
    }
}
