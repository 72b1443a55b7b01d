//! Means and slopes with their 95 % intervals, for values that depend on their neighbours.

/// Two-sided 95 % quantiles of Student's t for 1 to 30 degrees of freedom: NIST/SEMATECH e-Handbook of Statistical
/// Methods, 1.3.6.7.2, column 0.975.
const T_975: [f64; 30] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
];

/// The quantile of the normal distribution, to which the others fall; from 30 on `T_NORMAL + 2.46 / df` is within 0.003
/// of the same table.
const T_NORMAL: f64 = 1.960;

/// A value with the half width of its 95 % interval, in the same unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    pub value: f64,
    pub half_width: f64,
}

impl Estimate {
    /// The half width as a share of the value.
    #[must_use]
    pub fn relative(self) -> f64 {
        if self.value > 0.0 { self.half_width / self.value } else { f64::INFINITY }
    }

    #[must_use]
    pub fn low(self) -> f64 {
        self.value - self.half_width
    }

    #[must_use]
    pub fn high(self) -> f64 {
        self.value + self.half_width
    }
}

/// The 97.5 % quantile of Student's t.
#[must_use]
pub fn t_975(degrees: f64) -> f64 {
    match degrees {
        few if few < 1.0 => f64::INFINITY,
        few if few <= 30.0 => {
            let below = few.floor() as usize;
            let next = T_975[below.min(29)];
            T_975[below - 1] + (next - T_975[below - 1]) * few.fract()
        }
        many => T_NORMAL + 2.46 / many,
    }
}

/// The mean; 0 of nothing.
#[must_use]
pub fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

/// The mean with its interval. Neighbours that resemble each other say less than as many independent values, so the
/// number of values is reduced by (1 − ρ)/(1 + ρ), with ρ the correlation of neighbours if it is above 0 (Law, Simulation
/// Modeling and Analysis, section 4.4). `None` for fewer than 3 values.
#[must_use]
pub fn mean_interval(values: &[f64]) -> Option<Estimate> {
    let value = mean(values);
    let deviations: Vec<f64> = values.iter().map(|each| each - value).collect();
    let effective = effective_count(values.len() as f64, neighbours(&deviations));
    interval(value, &deviations, effective)
}

/// The same for values that do not depend on their neighbours.
#[must_use]
pub fn independent_interval(values: &[f64]) -> Option<Estimate> {
    let value = mean(values);
    let deviations: Vec<f64> = values.iter().map(|each| each - value).collect();
    interval(value, &deviations, values.len() as f64)
}

fn interval(value: f64, deviations: &[f64], effective: f64) -> Option<Estimate> {
    if deviations.len() < 3 {
        return None;
    }
    let squares: f64 = deviations.iter().map(|each| each * each).sum();
    let error = (squares / (deviations.len() as f64 - 1.0) / effective).sqrt();
    Some(Estimate { value, half_width: t_975(effective - 1.0) * error })
}

/// The slope of the least-squares line through `(x, y)`, with its interval, which takes neighbours into account as
/// [`mean_interval`] does. `None` for fewer than 4 points, or if all have one x.
#[must_use]
pub fn slope_interval(points: &[(f64, f64)]) -> Option<Estimate> {
    let count = points.len() as f64;
    let (x_mean, y_mean) = (
        points.iter().map(|(x, _)| x).sum::<f64>() / count,
        points.iter().map(|(_, y)| y).sum::<f64>() / count,
    );
    let spread: f64 = points.iter().map(|(x, _)| (x - x_mean).powi(2)).sum();
    if points.len() < 4 || spread == 0.0 {
        return None;
    }
    let value = points.iter().map(|(x, y)| (x - x_mean) * (y - y_mean)).sum::<f64>() / spread;
    let residuals: Vec<f64> = points.iter().map(|(x, y)| y - y_mean - value * (x - x_mean)).collect();
    let squares: f64 = residuals.iter().map(|each| each * each).sum();
    let effective = effective_count(count, neighbours(&residuals)).max(3.0);
    let error = (squares / (count - 2.0) / spread * count / effective).sqrt();
    Some(Estimate { value, half_width: t_975(effective - 2.0) * error })
}

/// How many of the first values are warm-up: as many as make the standard error of the rest smallest, at most half of them
/// (the rule MSER: White, Simulation 69(6), 1997).
#[must_use]
pub fn warm_up(values: &[f64]) -> usize {
    let error = |dropped: usize| {
        let rest = &values[dropped..];
        let mean = mean(rest);
        rest.iter().map(|each| (each - mean).powi(2)).sum::<f64>() / (rest.len() as f64).powi(2)
    };
    let best = (0..=values.len() / 2).min_by(|a, b| error(*a).total_cmp(&error(*b)));
    best.unwrap_or(0)
}

/// The correlation of neighbours, of deviations from a mean or a line; 0 if they do not resemble each other.
fn neighbours(deviations: &[f64]) -> f64 {
    let squares: f64 = deviations.iter().map(|each| each * each).sum();
    let products: f64 = deviations.windows(2).map(|pair| pair[0] * pair[1]).sum();
    if squares > 0.0 { (products / squares).clamp(0.0, 0.95) } else { 0.0 }
}

/// At least 2: of less there is no interval at all.
fn effective_count(count: f64, correlation: f64) -> f64 {
    (count * (1.0 - correlation) / (1.0 + correlation)).max(2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_table() {
        for (degrees, quantile) in
            [(1.0, 12.706), (11.0, 2.201), (30.0, 2.042), (40.0, 2.021), (120.0, 1.980)]
        {
            assert!((t_975(degrees) - quantile).abs() < 0.003, "{degrees}: {}", t_975(degrees));
        }
        assert!(t_975(1.5) < 12.706 && t_975(1.5) > 4.303 && t_975(0.5).is_infinite());
    }

    #[test]
    fn the_interval_of_a_mean_is_that_of_the_books() {
        // 10 values, alternating, so that neighbours do not resemble each other: s = 1.054, t(9) = 2.262.
        let values = [9.0, 11.0, 9.0, 11.0, 9.0, 11.0, 9.0, 11.0, 9.0, 11.0];
        let found = mean_interval(&values).unwrap();
        assert_eq!(found.value, 10.0);
        assert!((found.half_width - 0.754).abs() < 0.001, "{found:?}");
        assert_eq!(mean_interval(&values[..2]), None);
    }

    #[test]
    fn values_that_follow_their_neighbours_have_a_wider_interval() {
        let slow: Vec<f64> = (0..40).map(|i| f64::from((i / 10) % 2)).collect();
        let quick: Vec<f64> = (0..40).map(|i| f64::from(i % 2)).collect();
        let (slow, quick) = (mean_interval(&slow).unwrap(), mean_interval(&quick).unwrap());
        assert_eq!(slow.value, quick.value);
        assert!(slow.half_width > 2.0 * quick.half_width, "{slow:?} {quick:?}");
    }

    #[test]
    fn a_slope_is_found_with_an_interval_that_contains_it() {
        let wave = |i: i32| if i % 2 == 0 { 3.0 } else { -3.0 };
        let points: Vec<(f64, f64)> = (0..30).map(|i| (f64::from(i), 5.0 * f64::from(i) + wave(i))).collect();
        let slope = slope_interval(&points).unwrap();
        assert!(slope.low() < 5.0 && slope.high() > 5.0 && slope.half_width < 0.2, "{slope:?}");
        assert_eq!(slope_interval(&[(1.0, 1.0); 9]), None);
    }

    #[test]
    fn a_warm_up_is_dropped_and_a_steady_start_is_kept() {
        let warming: Vec<f64> =
            (0..40).map(|i| if i < 7 { 50.0 } else { 100.0 + f64::from(i % 3) }).collect();
        assert_eq!(warm_up(&warming), 7);
        let steady: Vec<f64> = (0..40).map(|i| 100.0 + f64::from(i % 2)).collect();
        assert!(warm_up(&steady) <= 1);
        assert_eq!(warm_up(&[]), 0);
    }
}
