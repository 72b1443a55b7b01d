//! The rate of the running replay, and how many rows were due by now.

use std::sync::Arc;
use std::time::Instant;

use crate::limit::Order;
use crate::pace::Control;

/// Sets the replay's rate through its keys' own channel.
pub(super) struct Steering {
    control: Arc<Control>,
    /// The rate that the replay was started with.
    base_per_s: f64,
    per_s: f64,
    intended: f64,
    since: Instant,
}

impl Steering {
    /// For a replay that has sent this many rows so far, at `base_per_s`.
    pub fn new(control: Arc<Control>, base_per_s: f64, sent: u64) -> Self {
        Self { control, base_per_s, per_s: base_per_s, intended: sent as f64, since: Instant::now() }
    }

    /// Follows an order; `sent`: rows that were sent so far.
    pub fn follow(&mut self, order: Order, sent: u64) {
        self.intended();
        let was_paused = self.per_s == 0.0;
        self.per_s = match order {
            Order::Rate(per_s) | Order::Hold(per_s) => per_s,
            Order::Drain | Order::Done => 0.0,
        };
        if self.per_s > 0.0 {
            self.control.set_speed(self.per_s / self.base_per_s);
        }
        self.control.set_paused(self.per_s == 0.0);
        if was_paused {
            // Nothing was due meanwhile, and what was late has left.
            self.intended = sent as f64;
        }
    }

    /// Rows that were due by now.
    pub fn intended(&mut self) -> u64 {
        let now = Instant::now();
        self.intended += self.per_s * now.duration_since(self.since).as_secs_f64();
        self.since = now;
        self.intended as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_become_speeds_and_pauses_of_the_replay() {
        let control = Arc::new(Control::default());
        let mut steering = Steering::new(control.clone(), 1_000.0, 0);
        steering.follow(Order::Rate(2_500.0), 10);
        assert_eq!((control.speed_times(), control.is_paused()), (2.5, false));
        steering.follow(Order::Drain, 20);
        assert!(control.is_paused());
        let due = steering.intended();
        std::thread::sleep(std::time::Duration::from_millis(5));
        assert_eq!(steering.intended(), due, "nothing is due in a pause");
        steering.follow(Order::Hold(500.0), 777);
        assert_eq!((control.speed_times(), control.is_paused()), (0.5, false));
        assert!(steering.intended() >= 777, "what was late has left");
    }
}
