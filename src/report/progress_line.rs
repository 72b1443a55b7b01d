//! The line that moves while a replay runs. It shortens itself in a fixed order, so that it never wraps.

use std::time::Duration;

use indicatif::HumanCount;
use textwrap::core::display_width;

use super::words::{millis, rate, times, whole_seconds};

/// What there is to say at one time.
#[derive(Debug, Clone, Default)]
pub(super) struct ProgressLine {
    /// How many tweets there are, where that is known.
    pub total: Option<u64>,
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
}

/// How often the line can be shortened.
const STEPS: usize = 8;

impl ProgressLine {
    /// As much as fits into so many columns. The last one stays free: some terminals wrap behind it.
    pub fn fitted(&self, columns: usize) -> String {
        let fits = |line: &String| display_width(line) < columns;
        let line = (0..STEPS).map(|step| self.shortened(step)).find(fits);
        line.unwrap_or_else(|| self.shortened(STEPS).chars().take(columns.saturating_sub(1)).collect())
    }

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

    /// Goes without one thing more at each step.
    fn shortened(&self, step: usize) -> String {
        let until = |last: usize, part: String| if step <= last { part } else { String::new() };
        let bar_columns = match step {
            0..=1 => 24,
            2..=4 => 10,
            _ => 0,
        };
        let parts = [
            self.bar(bar_columns),
            self.state(),
            if step <= 5 { self.sent_of_total() } else { format!("{} sent", HumanCount(self.sent)) },
            until(2, self.rate()),
            until(3, format!("{} delivered", HumanCount(self.delivered))),
            until(0, format!("{} in flight", HumanCount(self.in_flight))),
            until(1, self.acked()),
            until(4, self.rows()),
            self.silence(),
            until(6, self.left.map_or(String::new(), |left| format!("{} left", whole_seconds(left)))),
        ];
        joined(parts, "  ")
    }

    fn bar(&self, columns: usize) -> String {
        let Some(total) = self.total.filter(|total| *total > 0) else { return String::new() };
        let done = (self.sent as f64 / total as f64).min(1.0);
        let full = (done * columns as f64) as usize;
        let bar = "█".repeat(full) + &"░".repeat(columns - full);
        format!("{bar}{}{:>3.0} %", if columns > 0 { " " } else { "" }, (done * 100.0).floor())
    }

    fn state(&self) -> String {
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

    fn sent_of_total(&self) -> String {
        let of = self.total.map_or(String::new(), |total| format!(" of {}", HumanCount(total)));
        format!("{}{of} sent", HumanCount(self.sent))
    }

    fn silence(&self) -> String {
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
    fn it_shortens_itself_in_a_fixed_order_and_never_wraps() {
        let busy = ProgressLine { silent: Some(Duration::from_secs(14)), speed_factor: 2.0, ..line() };
        let all = [200, 80, 60, 40, 30].map(|columns| [line().fitted(columns), busy.fitted(columns)]);
        insta::assert_snapshot!(all.concat().join("\n"));
        for columns in 1..200 {
            assert!(display_width(&busy.fitted(columns)) < columns.max(1), "{columns}");
        }
    }

    #[test]
    fn what_is_not_known_is_not_shown() {
        let stream = ProgressLine { total: None, left: None, ..line() };
        assert_eq!(stream.fitted(80), "5,164 sent  1,027/s  5,150 delivered  14 in flight");
        let paused = ProgressLine { is_paused: true, sent: 0, left: None, ..line() };
        assert!(paused.fitted(200).contains("  paused: press space to start  0 of 6,000 sent"));
        let faster = ProgressLine { speed_factor: 2.0, ..paused };
        assert!(faster.fitted(200).contains("  paused, speed × 2  "));
    }

    #[test]
    fn a_stop_counts_down() {
        let stopping = ProgressLine { stopping: Some(Duration::from_secs(7)), left: None, ..line() };
        assert!(stopping.fitted(200).contains("  stopping, 7 s at most  5,164 of 6,000 sent"));
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
        assert!(druid.fitted(120).contains("  4,900 queryable, 250 not yet"), "{}", druid.fitted(120));
    }
}
