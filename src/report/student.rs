//! Student's t distribution: how far the mean of a few runs may be from that of all runs.

/// The value that |t| exceeds with probability `p`, at `freedom` degrees of freedom.
pub(super) fn t_beyond(p: f64, freedom: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1e9);
    // Each round halves the interval: after 100 there is nothing left to halve.
    for _ in 0..100 {
        let middle = (low + high) / 2.0;
        match probability_beyond(middle, freedom) > p {
            true => low = middle,
            false => high = middle,
        }
    }
    high
}

/// Probability that |t| exceeds this: I(ν/(ν+t²); ν/2, ½), the regularized incomplete beta function
/// (Abramowitz and Stegun 26.7.1, 26.5.27).
fn probability_beyond(t: f64, freedom: f64) -> f64 {
    incomplete_beta(freedom / (freedom + t * t), freedom / 2.0, 0.5)
}

fn incomplete_beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return x.clamp(0.0, 1.0);
    }
    let front = (a * x.ln() + b * (1.0 - x).ln() + ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b)).exp();
    // The fraction converges where x is small against the mean.
    match x < (a + 1.0) / (a + b + 2.0) {
        true => front * beta_fraction(x, a, b) / a,
        false => 1.0 - front * beta_fraction(1.0 - x, b, a) / b,
    }
}

/// The continued fraction of the incomplete beta function, by Lentz's method (Abramowitz and Stegun
/// 26.5.8; Numerical Recipes, section 6.4).
fn beta_fraction(x: f64, a: f64, b: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let inverse = |value: f64| 1.0 / if value.abs() < TINY { TINY } else { value };
    let (mut c, mut d) = (1.0, inverse(1.0 - (a + b) * x / (a + 1.0)));
    let mut fraction = d;
    for m in 1..500 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for term in [even, odd] {
            d = inverse(1.0 + term * d);
            c = 1.0 + term / if c == 0.0 { TINY } else { c };
            change *= c * d;
        }
        fraction *= change;
        if (change - 1.0).abs() < 1e-14 {
            break;
        }
    }
    fraction
}

/// Logarithm of the gamma function, by Lanczos' approximation with g = 7 and 9 terms.
fn ln_gamma(x: f64) -> f64 {
    const TERMS: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    if x < 0.5 {
        // Reflection.
        return (std::f64::consts::PI / (std::f64::consts::PI * x).sin()).ln() - ln_gamma(1.0 - x);
    }
    let x = x - 1.0;
    let sum =
        (1..).zip(TERMS).fold(0.999_999_999_999_809_9, |sum, (n, term)| sum + term / (x + f64::from(n)));
    let t = x + 7.5;
    0.5 * (2.0 * std::f64::consts::PI).ln() + (x + 0.5) * t.ln() - t + sum.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of printed tables.
    #[test]
    fn it_has_the_values_of_the_tables() {
        for (p, freedom, t) in [
            (0.05, 1.0, 12.706),
            (0.05, 2.0, 4.303),
            (0.05, 8.0, 2.306),
            (0.01, 8.0, 3.355),
            (0.001, 8.0, 5.041),
            (0.001, 18.0, 3.922),
            (0.05, 1_000.0, 1.962),
            (0.001, 2.0, 31.599),
        ] {
            let found = t_beyond(p, freedom);
            assert!((found - t).abs() < 0.001, "{p} {freedom}: {found}, not {t}");
        }
    }

    #[test]
    fn the_gamma_function_is_the_factorial() {
        assert!((ln_gamma(6.0).exp() - 120.0).abs() < 1e-9);
        assert!((ln_gamma(0.5).exp() - std::f64::consts::PI.sqrt()).abs() < 1e-12);
    }
}
