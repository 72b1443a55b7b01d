//! The difference of two groups of runs, and whether it is more than noise.

use super::student::t_beyond;

/// A change below this is not called one, however sure it is: two builds of one program differ as much by the
/// places of their code in memory.
pub const LEAST_PERCENT: f64 = 2.5;

/// Probability that any figure of a comparison is called changed where nothing has.
const FALSE_ALARM: f64 = 0.05;

/// Figures of both sides.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sides {
    pub a: Vec<f64>,
    pub b: Vec<f64>,
}

/// From the mean of A to that of B, in percent of A.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Difference {
    pub percent: f64,
    /// Between these it lies, by Welch's t interval; `None` with a single run on a side.
    pub interval: Option<(f64, f64)>,
}

impl Sides {
    /// Whether chance has a part in it.
    pub fn varies(&self) -> bool {
        let varies = |values: &[f64]| values.windows(2).any(|pair| pair[0] != pair[1]);
        self.has_interval() && (varies(&self.a) || varies(&self.b))
    }

    fn has_interval(&self) -> bool {
        self.a.len() > 1 && self.b.len() > 1
    }

    /// The difference, as one of `figures` that vary: the interval of each is so wide that all of them together
    /// are right in 95 of 100 comparisons (Bonferroni). `None` where A is 0 or a side has no value.
    pub fn difference(&self, figures: usize) -> Option<Difference> {
        let [a, b] = [mean(&self.a)?, mean(&self.b)?];
        if a == 0.0 {
            return None;
        }
        let percent = |change: f64| change / a * 100.0;
        let interval = self.has_interval().then(|| {
            let [of_a, of_b] = [(&self.a, a), (&self.b, b)].map(|(values, mean)| {
                let count = values.len() as f64;
                (variance(values, mean) / count, count - 1.0)
            });
            let error = of_a.0 + of_b.0;
            if error == 0.0 {
                return (percent(b - a), percent(b - a));
            }
            // Welch and Satterthwaite.
            let freedom = error * error / (of_a.0 * of_a.0 / of_a.1 + of_b.0 * of_b.0 / of_b.1);
            let half = t_beyond(FALSE_ALARM / figures.max(1) as f64, freedom) * error.sqrt();
            let (one, other) = (percent(b - a - half), percent(b - a + half));
            (one.min(other), one.max(other))
        });
        Some(Difference { percent: percent(b - a), interval })
    }
}

impl Difference {
    /// Whether it is more than noise: the interval is on one side of 0, and the difference above 2.5 %. `None`
    /// where noise is not known.
    pub fn is_beyond_noise(&self) -> Option<bool> {
        let (low, high) = self.interval?;
        Some((low > 0.0 || high < 0.0) && self.percent.abs() > LEAST_PERCENT)
    }
}

/// The mean; `None` of nothing.
pub(super) fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn variance(values: &[f64], mean: f64) -> f64 {
    values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (values.len() as f64 - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sides(a: &[f64], b: &[f64]) -> Sides {
        Sides { a: a.to_vec(), b: b.to_vec() }
    }

    /// By hand: means 10 and 12, variances 1 and 4, of 3 runs each; 2.94 degrees of freedom.
    #[test]
    fn the_interval_is_that_of_welch() {
        let difference = sides(&[9.0, 10.0, 11.0], &[10.0, 12.0, 14.0]).difference(1).unwrap();
        assert_eq!(difference.percent, 20.0);
        let half = t_beyond(0.05, 50.0 / 17.0) * (5.0_f64 / 3.0).sqrt() * 10.0;
        let (low, high) = difference.interval.unwrap();
        assert!((low - (20.0 - half)).abs() < 1e-9 && (high - (20.0 + half)).abs() < 1e-9);
        assert_eq!(difference.is_beyond_noise(), Some(false), "a few runs say little");
    }

    #[test]
    fn counts_that_never_vary_are_sure_and_small_changes_are_none() {
        let same = sides(&[100.0, 100.0], &[102.0, 102.0]);
        assert!(!same.varies());
        assert_eq!(same.difference(1).unwrap().is_beyond_noise(), Some(false), "2 % is none");
        assert_eq!(
            sides(&[100.0, 100.0], &[103.0, 103.0]).difference(1).unwrap().is_beyond_noise(),
            Some(true)
        );
    }

    #[test]
    fn one_run_has_no_interval_and_nothing_no_difference() {
        let one = sides(&[4.0], &[5.0, 6.0]).difference(9).unwrap();
        assert_eq!((one.percent, one.interval, one.is_beyond_noise()), (37.5, None, None));
        assert_eq!(sides(&[0.0], &[1.0]).difference(1), None);
        assert_eq!(sides(&[], &[1.0]).difference(1), None);
    }

    #[test]
    fn with_more_figures_the_interval_is_wider() {
        let sides = sides(&[10.0, 10.1, 9.9, 10.0], &[10.4, 10.6, 10.5, 10.3]);
        let width = |figures| {
            let (low, high) = sides.difference(figures).unwrap().interval.unwrap();
            high - low
        };
        assert!(width(40) > 1.5 * width(1));
    }
}
