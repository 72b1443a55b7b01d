//! What is said and shown while a search runs.

use std::time::{Duration, Instant};

use indicatif::HumanCount;

use crate::limit::{Order, Phase, Sample, Search};
use crate::report::{Screen, SearchNow, SearchSample, phase_name, rate, whole_seconds};

/// Time between two lines of progress.
const WORDS_EVERY: Duration = Duration::from_secs(10);

/// Says what the search does, why, and how long it may still take.
pub(super) struct Progress<'a> {
    screen: &'a Screen,
    /// For the view.
    now: &'a SearchNow,
    phase: Option<(Phase, usize)>,
    said: Instant,
}

impl<'a> Progress<'a> {
    /// Nothing was said yet.
    pub fn new(screen: &'a Screen, now: &'a SearchNow) -> Self {
        Self { screen, now, phase: None, said: Instant::now() }
    }

    /// Tells the view of each sample, and says what begins; without a view also, now and then, how far it is.
    pub fn show(&mut self, search: &Search, sample: &Sample, order: Order) {
        if !self.screen.shows_progress() {
            return;
        }
        let (least_s, most_s) = search.time_left_s(sample.at_s);
        let [least, most] = [least_s, most_s].map(|s| whole_seconds(Duration::from_secs_f64(s)));
        let left = format!("{least} to {most} left");
        self.now.sample(search_sample(sample, order), &left);
        let phase = (search.phase(), search.found().holds.len());
        // What is asked for changes within a part too.
        self.now.set_words(format!("{} {}", phase_name(phase.0), asked(order)), capacity(search));
        if self.phase != Some(phase) {
            self.phase = Some(phase);
            self.said = Instant::now();
            let words = why(search, order);
            self.screen.say_row(phase_name(phase.0), &words);
            return;
        }
        if self.screen.has_view() || self.said.elapsed() < WORDS_EVERY || phase.0 == Phase::Done {
            return;
        }
        self.said = Instant::now();
        let block = search.found().blocks.last().filter(|block| block.phase == phase.0);
        let rates = block.map_or(String::new(), |block| {
            format!(
                "{} written, {} taken, ",
                rate(block.block.acked_per_s),
                rate(block.block.processed_per_s)
            )
        });
        let backlog = HumanCount(sample.backlog() as u64);
        self.screen.say_row("", &format!("{rates}{backlog} rows wait; {left}"));
    }
}

/// A sample as the view takes it.
fn search_sample(sample: &Sample, order: Order) -> SearchSample {
    SearchSample {
        asked_per_s: match order {
            Order::Rate(per_s) | Order::Hold(per_s) => per_s,
            Order::Drain | Order::Done => 0.0,
        },
        acked: sample.acked,
        processed: sample.processed,
        queryable: sample.queryable,
    }
}

/// What is known of the capacity; empty if nothing is.
fn capacity(search: &Search) -> String {
    search.found().capacity.map_or(String::new(), |capacity| {
        format!("capacity {} ± {}", rate(capacity.per_s.value), rate(capacity.per_s.half_width))
    })
}

/// The rate that is ordered, if one is.
fn asked(order: Order) -> String {
    match order {
        Order::Rate(per_s) | Order::Hold(per_s) => rate(per_s),
        Order::Drain | Order::Done => String::new(),
    }
}

/// What a part of the search is for.
fn why(search: &Search, order: Order) -> String {
    let asked = asked(order);
    match search.phase() {
        Phase::Prepare => format!("{asked}, until the tasks read"),
        Phase::Saturate => "more than the tasks can take, to measure their capacity in blocks".to_owned(),
        Phase::Drain => format!("{}; nothing is written until all can be queried", capacity(search)),
        Phase::Hold => format!("{asked}, across a rollover: does the backlog grow, do the limits hold?"),
        Phase::CrossCheck => format!("{asked}, above the capacity: does a live stream give the same figure?"),
        Phase::Done => "over".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::Settings;

    #[test]
    fn the_view_has_the_rate_that_is_asked_for_now() {
        let (screen, now) = (Screen::new(true, false).without_view(true), SearchNow::new("t-max"));
        let search = Search::new(Settings::quick(60.0, 600.0), Vec::new());
        let mut progress = Progress::new(&screen, &now);
        for (at_s, per_s, words) in [(0.0, 1_000.0, "prepare 1,000/s"), (1.0, 31_959.0, "prepare 31,959/s")] {
            progress.show(&search, &Sample { at_s, ..Sample::default() }, Order::Rate(per_s));
            assert_eq!(now.doing(), words);
        }
    }
}
