//! Lists of numbers by time, in as few steps as a page can show.

use serde_json::Value;

/// How numbers of several steps become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Join {
    /// What was counted, per second.
    PerSecond,
    /// The greatest.
    Greatest,
}

/// The series of a report, in steps of `every_s`.
pub(super) struct Steps<'a> {
    series: &'a Value,
    own_s: f64,
    /// Steps of the report that become one.
    joined: usize,
}

impl<'a> Steps<'a> {
    /// In at most `most` steps.
    pub fn new(series: &'a Value, most: usize) -> Self {
        let len = series["published"].as_array().map_or(0, Vec::len);
        let own_s = series["every_s"].as_f64().unwrap_or(1.0);
        Self { series, own_s, joined: len.div_ceil(most.max(1)).max(1) }
    }

    /// In steps of this many seconds, or the next longer ones.
    pub fn with_steps_of(series: &'a Value, every_s: f64) -> Self {
        let own_s = series["every_s"].as_f64().unwrap_or(1.0);
        Self { series, own_s, joined: ((every_s / own_s).ceil() as usize).max(1) }
    }

    /// Seconds of a step.
    pub fn every_s(&self) -> f64 {
        self.own_s * self.joined as f64
    }

    /// The list of this name; `None` where there is none.
    pub fn list(&self, name: &str, join: Join) -> Option<Vec<Option<f64>>> {
        let values: Vec<Option<f64>> = self.series[name].as_array()?.iter().map(Value::as_f64).collect();
        let step = |part: &[Option<f64>]| {
            let known = part.iter().flatten().copied();
            match join {
                Join::PerSecond => {
                    known.reduce(|a, b| a + b).map(|sum| sum / (self.own_s * part.len() as f64))
                }
                Join::Greatest => known.reduce(f64::max),
            }
        };
        Some(values.chunks(self.joined).map(step).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn few_steps_are_as_in_the_report_and_many_are_joined() {
        let series = json!({"every_s": 2, "published": [2, 4, 6, 8, 10], "p": [null, 3.5, null, null, 1.0], "no": null});
        let all = Steps::new(&series, 5);
        assert_eq!(all.list("published", Join::PerSecond).unwrap(), [1.0, 2.0, 3.0, 4.0, 5.0].map(Some));
        let few = Steps::new(&series, 3);
        assert_eq!(few.every_s(), 4.0);
        assert_eq!(few.list("published", Join::PerSecond).unwrap(), [1.5, 3.5, 5.0].map(Some));
        assert_eq!(few.list("p", Join::Greatest).unwrap(), [Some(3.5), None, Some(1.0)]);
        assert_eq!(few.list("no", Join::Greatest), None);
    }
}
