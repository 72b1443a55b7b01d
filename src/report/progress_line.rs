//! How far a replay is, at one time: in words for a plain line, and for the live view.

use std::time::Duration;

use indicatif::HumanCount;

use super::words::{millis, rate, times, whole_seconds};

/// What there is to say at one time.
#[derive(Debug, Clone, Default)]
pub(super) struct ProgressLine {
    /// How many tweets there are, where that is known.
    pub total: Option<u64>,
    /// How long the plan takes, where that is known.
    pub planned: Option<Duration>,
    pub sent: u64,
    pub delivered: u64,
    pub in_flight: u64,
    /// Tweets per second, of the last seconds.
    pub rate_per_s: f64,
    /// Of 100 acks of the last second that had some, 99 were faster.
    pub acked_p99: Option<Duration>,
    /// Rows in Druid, where they are counted.
    pub queryable: Option<u64>,
    pub is_paused: bool,
    /// How many times the requested speed.
    pub speed_factor: f64,
    /// Longest time that a stop still takes.
    pub stopping: Option<Duration>,
    /// How long Kafka has been silent, where that is too long.
    pub silent: Option<Duration>,
    /// Time left, if it is known.
    pub left: Option<Duration>,
    /// The hops have ended.
    pub is_over: bool,
}

impl ProgressLine {
    /// All of it, in words alone.
    pub fn plain(&self) -> String {
        let parts = [
            self.state(),
            self.sent_of_total(),
            self.rate(),
            format!("{} delivered", HumanCount(self.delivered)),
            format!("{} in flight", HumanCount(self.in_flight)),
            self.acked(),
            self.rows(),
            self.silence(),
            self.left.map_or(String::new(), |left| format!("{} left", whole_seconds(left))),
        ];
        joined(parts, ", ")
    }

    /// Time left if it continues as in the last seconds.
    pub fn at_this_rate(&self) -> Option<Duration> {
        let tweets = self.total?.saturating_sub(self.sent);
        (self.rate_per_s > 0.0)
            .then(|| Duration::try_from_secs_f64(tweets as f64 / self.rate_per_s).unwrap_or(Duration::MAX))
    }

    /// What the user did to it; nothing if it just runs.
    pub fn state(&self) -> String {
        if let Some(left) = self.stopping {
            return format!("stopping, {} at most", whole_seconds(left));
        }
        match (self.is_paused, self.speed_factor == 1.0) {
            (true, true) if self.sent == 0 => "paused: press space to start".to_owned(),
            (true, true) => "paused".to_owned(),
            (true, false) => format!("paused, speed {}", times(self.speed_factor)),
            (false, true) => String::new(),
            (false, false) => format!("speed {}", times(self.speed_factor)),
        }
    }

    fn rate(&self) -> String {
        if self.sent > 0 { rate(self.rate_per_s) } else { String::new() }
    }

    fn acked(&self) -> String {
        self.acked_p99.map_or(String::new(), |p99| format!("acked p99 {}", millis(p99.as_secs_f64() * 1e3)))
    }

    fn rows(&self) -> String {
        let words = |rows: u64| {
            let behind = self.delivered.saturating_sub(rows);
            format!("{} queryable, {} not yet", HumanCount(rows), HumanCount(behind))
        };
        self.queryable.map_or(String::new(), words)
    }

    /// How many of how many.
    pub fn sent_of_total(&self) -> String {
        let of = self.total.map_or(String::new(), |total| format!(" of {}", HumanCount(total)));
        format!("{}{of} sent", HumanCount(self.sent))
    }

    /// Whether Kafka is silent.
    pub fn silence(&self) -> String {
        let silent = self.silent.map(whole_seconds);
        silent.map_or(String::new(), |silent| format!("no word from Kafka for {silent}"))
    }
}

/// Those that say something.
fn joined<const N: usize>(parts: [String; N], separator: &str) -> String {
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(separator)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> ProgressLine {
        ProgressLine {
            total: Some(6_000),
            sent: 5_164,
            delivered: 5_150,
            in_flight: 14,
            rate_per_s: 1_027.4,
            speed_factor: 1.0,
            left: Some(Duration::from_millis(3_400)),
            ..ProgressLine::default()
        }
    }

    #[test]
    fn what_is_not_known_is_not_shown() {
        let stream = ProgressLine { total: None, left: None, ..line() };
        assert_eq!(stream.plain(), "5,164 sent, 1,027/s, 5,150 delivered, 14 in flight");
        let paused = ProgressLine { is_paused: true, sent: 0, left: None, ..line() };
        assert!(paused.plain().starts_with("paused: press space to start, 0 of 6,000 sent"));
        let faster = ProgressLine { speed_factor: 2.0, ..paused };
        assert!(faster.plain().starts_with("paused, speed × 2, "));
        assert_eq!(line().at_this_rate().map(|left| left.as_millis()), Some(813));
        assert_eq!(stream.at_this_rate(), None);
    }

    #[test]
    fn a_stop_counts_down() {
        let stopping = ProgressLine { stopping: Some(Duration::from_secs(7)), left: None, ..line() };
        assert!(stopping.plain().starts_with("stopping, 7 s at most, 5,164 of 6,000 sent"));
    }

    #[test]
    fn the_plain_line_has_all_of_it() {
        let all = "5,164 of 6,000 sent, 1,027/s, 5,150 delivered, 14 in flight, 3 s left";
        assert_eq!(line().plain(), all);
        let silent = ProgressLine { silent: Some(Duration::from_secs(4)), left: None, ..line() };
        assert!(silent.plain().ends_with(", no word from Kafka for 4 s"));
        let druid = ProgressLine {
            queryable: Some(4_900),
            acked_p99: Some(Duration::from_millis(4)),
            left: None,
            ..line()
        };
        let words = ", 14 in flight, acked p99 4.0 ms, 4,900 queryable, 250 not yet";
        assert!(druid.plain().ends_with(words), "{}", druid.plain());
    }
}
