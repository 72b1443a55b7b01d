//! What our own members of a payload are called. A record of events that has such a name itself keeps it, and ours
//! begins with an underscore, or with as many as it takes.

/// Most underscores before a name of ours.
const MOST: usize = 15;

/// The names of our members; by default `run`, `seq` and `timestamp`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OwnNames {
    /// How many underscores each begins with.
    run: u8,
    seq: u8,
    timestamp: u8,
}

fn with_underscores(name: &'static str, count: u8) -> &'static str {
    &name[MOST.saturating_sub(usize::from(count))..]
}

impl OwnNames {
    pub fn run(self) -> &'static str {
        with_underscores("_______________run", self.run)
    }

    pub fn seq(self) -> &'static str {
        with_underscores("_______________seq", self.seq)
    }

    pub fn timestamp(self) -> &'static str {
        with_underscores("_______________timestamp", self.timestamp)
    }

    /// Whether a member of a record has one of these names.
    #[inline]
    pub fn has(self, name: &str) -> bool {
        matches!(name.as_bytes().last(), Some(b'n' | b'q' | b'p'))
            && [self.run(), self.seq(), self.timestamp()].contains(&name)
    }

    /// What comes before all headers of a Kafka message where they become columns: so many underscores that
    /// neither `run` nor `seq` is a name of the record.
    pub fn header_prefix(self) -> &'static str {
        &"_______________"[MOST - usize::from(self.run.max(self.seq))..]
    }

    /// The names of the columns that are made of headers with [`header_prefix`](Self::header_prefix).
    #[must_use]
    pub fn of_headers(self) -> Self {
        let most = self.run.max(self.seq);
        Self { run: most, seq: most, ..self }
    }
}

/// Which of the names that could be ours the records have themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TakenNames {
    /// A bit for each number of underscores.
    run: u16,
    seq: u16,
    timestamp: u16,
}

impl TakenNames {
    /// Notes the name of a member at the top of a record.
    #[inline]
    pub fn note(&mut self, name: &str) {
        let stem = name.trim_start_matches('_');
        let taken = match stem {
            "run" => &mut self.run,
            "seq" => &mut self.seq,
            "timestamp" => &mut self.timestamp,
            _ => return,
        };
        *taken |= 1u16.checked_shl((name.len() - stem.len()) as u32).unwrap_or(0);
    }

    /// Adds what others have.
    pub fn merge(&mut self, other: Self) {
        self.run |= other.run;
        self.seq |= other.seq;
        self.timestamp |= other.timestamp;
    }

    /// Names for ours that no record has.
    #[must_use]
    pub fn free(self) -> OwnNames {
        let first = |taken: u16| taken.trailing_ones().min(MOST as u32) as u8;
        OwnNames { run: first(self.run), seq: first(self.seq), timestamp: first(self.timestamp) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_give_way_to_those_of_the_records() {
        let free = |names: &[&str]| {
            let mut taken = TakenNames::default();
            names.iter().for_each(|name| taken.note(name));
            let own = taken.free();
            assert!(!names.iter().any(|name| own.has(name)), "{names:?}");
            (own.run(), own.seq(), own.timestamp())
        };
        assert_eq!(free(&["id", "Run", "__", "", "runs"]), ("run", "seq", "timestamp"));
        assert_eq!(free(&["timestamp", "x"]), ("run", "seq", "_timestamp"));
        assert_eq!(free(&["_run", "seq", "run", "_seq", "__run"]), ("___run", "__seq", "timestamp"));
        assert_eq!(free(&["_run"]), ("run", "seq", "timestamp"));
        assert!(OwnNames::default().has("run") && !OwnNames::default().has("_run"));
    }

    #[test]
    fn headers_have_one_prefix_for_both() {
        let mut taken = TakenNames::default();
        taken.note("seq");
        let own = taken.free();
        assert_eq!(
            (own.header_prefix(), own.of_headers().run(), own.of_headers().seq()),
            ("_", "_run", "_seq")
        );
        assert_eq!(
            (OwnNames::default().header_prefix(), OwnNames::default().of_headers().run()),
            ("", "run")
        );
    }
}
