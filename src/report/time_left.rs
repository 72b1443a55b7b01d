//! How long a replay still takes by its plan, whatever the user does to it meanwhile.

use std::time::Duration;

/// What is left of the plan, in the time of the requested speed.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimeLeft(Duration);

impl TimeLeft {
    /// All of a plan of this length.
    pub fn of(planned: Duration) -> Self {
        Self(planned)
    }

    /// Takes off time that has passed at a multiple of the requested speed.
    pub fn pass(&mut self, time: Duration, speed_factor: f64) {
        self.0 = self.0.saturating_sub(scaled(time, speed_factor));
    }

    /// Time left at a multiple of the requested speed; `None`: the plan is over, and what is not sent is late.
    pub fn at(self, speed_factor: f64) -> Option<Duration> {
        (!self.0.is_zero()).then(|| scaled(self.0, 1.0 / speed_factor))
    }
}

fn scaled(time: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(time.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_knows_speeds_and_ends_with_the_plan() {
        let second = Duration::from_secs(1);
        let mut left = TimeLeft::of(second * 60);
        left.pass(second * 10, 1.0);
        assert_eq!(left.at(1.0), Some(second * 50));
        assert_eq!(left.at(2.0), Some(second * 25), "twice as fast takes half as long");
        left.pass(second * 20, 2.0);
        assert_eq!(left.at(1.0), Some(second * 10));
        let slow = left.at(0.5f64.powi(20)).unwrap();
        assert_eq!(slow.as_secs(), 10 << 20, "some halvings are weeks");
        left.pass(second * 11, 1.0);
        assert_eq!(left.at(1.0), None);
    }
}
