//! Thresholds on the difference of two sides: `cpu>+5%`.

use std::str::FromStr;

use serde::Serialize;

use super::metric::{METRICS, Metric};
use super::{quantity, similar};

/// A change that must not be.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeThreshold {
    expression: String,
    metric: &'static Metric,
    /// In percent; below 0: a fall.
    limit: f64,
}

/// What became of one threshold.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ChangeThresholdReport {
    /// As it was given.
    pub expression: String,
    /// The change from A to B in percent of A; null when it was not measured.
    pub change_percent: Option<f64>,
    /// Whether the change is past the limit and, with several runs on both sides, beyond noise; or could not be
    /// checked.
    pub failed: bool,
    /// Why it did or did not fail.
    pub why: String,
}

/// How a threshold looks, for messages.
const LIKE: &str = "a threshold looks like cpu>+5% or rate<-5%";

impl FromStr for ChangeThreshold {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let place = text.find(['<', '>']).ok_or(LIKE)?;
        let (name, limit) = (text[..place].trim(), text[place + 1..].trim());
        let metric = Metric::named(name).ok_or_else(|| {
            let names = METRICS.iter().map(|metric| metric.name);
            match similar(name, names) {
                Some(meant) => format!("there is no metric {name:?}: did you mean {meant}?"),
                None => format!("there is no metric {name:?}: `tweetblast --help` lists them at --fail-if"),
            }
        })?;
        let percent = limit.strip_suffix('%').ok_or(LIKE)?.trim();
        let is_rise = &text[place..=place] == ">";
        let digits = percent.strip_prefix(if is_rise { '+' } else { '-' });
        // A rise needs no sign.
        let digits = if is_rise { digits.unwrap_or(percent) } else { digits.ok_or(LIKE)? };
        let percent = quantity::number(digits).ok_or(LIKE)?;
        let limit = if is_rise { percent } else { -percent };
        Ok(Self { expression: text.trim().to_owned(), metric, limit })
    }
}

impl ChangeThreshold {
    /// `found`: the change of a metric in percent, and whether it is beyond noise, where these are known.
    pub(super) fn check(&self, found: impl Fn(&str) -> (Option<f64>, Option<bool>)) -> ChangeThresholdReport {
        let (change, noise) = found(self.metric.name);
        let is_past =
            change.map(|change| if self.limit < 0.0 { change < self.limit } else { change > self.limit });
        let (failed, why) = match (is_past, noise) {
            (None, _) => (true, "not measured on both sides".to_owned()),
            (Some(false), _) => (false, "held".to_owned()),
            (Some(true), Some(false)) => (false, "held: within noise".to_owned()),
            (Some(true), Some(true)) => (true, "beyond noise".to_owned()),
            (Some(true), None) => (true, "noise is not known with one run on a side".to_owned()),
        };
        ChangeThresholdReport { expression: self.expression.clone(), change_percent: change, failed, why }
    }
}
