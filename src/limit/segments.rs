//! A task that has read as many rows as a segment takes stops reading while that segment is handed over: for a fifth of the
//! time, where segments fill quickly. How much it takes in the long run shows from one segment to the next; blocks of 10 s show where
//! in a segment they lie.

use super::blocks::Sample;

/// Where the time of a segment is taken, as a share of its rows: after the pause with which it begins, also if it is not known
/// to the row when its task began.
const PLACE: f64 = 0.1;

/// Follows the segments of all groups of tasks.
#[derive(Debug)]
pub(super) struct Segments {
    /// Rows of a segment; infinite: not known.
    rows: f64,
    rollovers: u64,
    groups: Vec<Group>,
}

/// One group of tasks.
#[derive(Debug, Clone, Default)]
struct Group {
    /// Rows that were processed when its task began to read.
    base: f64,
    /// When, and how many then.
    last: (f64, f64),
    /// Places that its task has passed, and when it passed the last of them.
    passed: u32,
    passed_at_s: f64,
    turns: Vec<Turn>,
}

/// From the place in one segment to that in the next.
#[derive(Debug, Clone, Copy)]
struct Turn {
    from_s: f64,
    to_s: f64,
}

impl Segments {
    /// With so many rows in a segment.
    pub fn new(rows: f64) -> Self {
        Self { rows, rollovers: 0, groups: Vec::new() }
    }

    /// Takes the next sample.
    pub fn observe(&mut self, sample: &Sample) {
        let all = [sample.processed];
        let processed = if sample.by_group.is_empty() { &all[..] } else { &sample.by_group };
        self.groups.resize(processed.len(), Group::default());
        let is_new_task = sample.rollovers != self.rollovers;
        self.rollovers = sample.rollovers;
        for (group, processed) in self.groups.iter_mut().zip(processed) {
            let now = (sample.at_s, *processed as f64);
            if is_new_task {
                (group.base, group.passed) = (now.1, 0);
            }
            group.pass(now, self.rows);
            group.last = now;
        }
    }

    /// What each whole segment since then says of all groups together: its middle in seconds, and rows per second.
    /// `share` is the group's of all rows.
    pub fn per_s(&self, group: usize, share: f64, from_s: f64) -> Vec<(f64, f64)> {
        let turns = self.groups.get(group).into_iter().flat_map(|group| &group.turns);
        let later = turns.filter(|turn| turn.from_s >= from_s);
        later
            .map(|turn| (f64::midpoint(turn.from_s, turn.to_s), self.rows / turn.seconds() / share))
            .collect()
    }

    /// Time in which a segment fills at this rate.
    pub fn seconds(&self, per_s: f64) -> f64 {
        self.rows / per_s
    }
}

impl Group {
    fn pass(&mut self, (at_s, processed): (f64, f64), rows: f64) {
        let (last_s, last) = self.last;
        loop {
            let place = self.base + (f64::from(self.passed) + PLACE) * rows;
            if processed < place || processed <= last {
                return;
            }
            let passed_at_s =
                last_s + (at_s - last_s) * ((place - last) / (processed - last)).clamp(0.0, 1.0);
            if self.passed > 0 {
                self.turns.push(Turn { from_s: self.passed_at_s, to_s: passed_at_s });
            }
            (self.passed, self.passed_at_s) = (self.passed + 1, passed_at_s);
        }
    }
}

impl Turn {
    fn seconds(self) -> f64 {
        self.to_s - self.from_s
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1,000 rows per second for 10 s, then none for 5 s; the next task begins after 47 s, inside a segment.
    fn processed(at_s: u32) -> (u64, u64) {
        let of = |seconds: u32| u64::from(seconds / 15 * 10 + (seconds % 15).min(10)) * 1_000;
        match at_s {
            0..47 => (of(at_s), 0),
            _ => (of(47) + of(at_s - 47), 1),
        }
    }

    #[test]
    fn a_turn_is_a_segment_with_its_pause_and_none_spans_a_rollover() {
        let mut segments = Segments::new(10_000.0);
        for at_s in 0..100 {
            let (processed, rollovers) = processed(at_s);
            segments.observe(&Sample { at_s: f64::from(at_s), processed, rollovers, ..Sample::default() });
        }
        let found = segments.per_s(0, 1.0, 0.0);
        let middles: Vec<f64> = found.iter().map(|(middle_s, _)| *middle_s).collect();
        assert_eq!(middles, [8.5, 23.5, 38.5, 55.5, 70.5, 85.5]);
        assert!(found.iter().all(|(_, per_s)| (per_s - 10_000.0 / 15.0).abs() < 1.0), "{found:?}");
        assert_eq!(segments.per_s(0, 0.5, 40.0)[0], (55.5, 10_000.0 / 15.0 / 0.5));
        assert_eq!(segments.per_s(1, 1.0, 0.0), []);
    }
}
