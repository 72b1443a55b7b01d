//! The ledger: what went into each hop and what came out of it, and whether it adds up.
//!
//! The two sides of a line are counted by different hops, so a line that holds is a statement and
//! not a tautology. A hop that was off has no counts, and its line joins its neighbours.

use indicatif::HumanCount;
use serde::Serialize;

use super::{Noun, counted};

/// Counts of one replay. The names are the keys of the JSON report.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Ledger {
    /// JSON values in the input = records + unparseable.
    pub frames: u64,
    /// Frames that parsed.
    pub records: u64,
    /// Frames that did not.
    pub unparseable: u64,
    /// What the records held = tweets + rejects.
    pub items: u64,
    /// Items that are not tweets.
    pub rejects: u64,
    /// Items that are tweets.
    pub tweets: u64,
    /// How often the input was replayed; a loop counts if something of it was sent.
    pub loops: u64,
    /// Tweets not sent on purpose: tweets x loops = published + skipped.
    pub skipped: u64,
    /// Why they were not sent.
    pub skipped_by: SkippedBy,
    /// Tweets that left = received + mqtt_lost; without MQTT = delivered + failed.
    pub published: u64,
    /// Tweets that came back from the MQTT broker = delivered + failed.
    pub received: Option<u64>,
    /// Tweets that the broker overwrote or dropped before they were read; 0 or the run is unbalanced.
    pub mqtt_lost: Option<u64>,
    /// Tweets that the broker delivered more than once and that were still sent on: Kafka has them
    /// twice.
    pub duplicates: Option<u64>,
    /// Messages of other publishers on the topic = foreign_delivered + foreign_failed.
    pub foreign: Option<u64>,
    /// Messages of other publishers that Kafka acknowledged.
    pub foreign_delivered: Option<u64>,
    /// Messages of other publishers that Kafka did not take.
    pub foreign_failed: Option<u64>,
    /// Messages of other publishers that the broker overwrote before they were read: a warning.
    pub foreign_lost: Option<u64>,
    /// Tweets that Kafka acknowledged.
    pub delivered: u64,
    /// Tweets that Kafka did not acknowledge; 0 or the run is unbalanced.
    pub failed: u64,
    /// Messages that the embedded Kafka's retention removed before anybody had read them; 0 or the run is unbalanced.
    /// Null with another Kafka.
    pub removed_unread: Option<u64>,
    /// Acknowledged tweets that were read back from Kafka = delivered; null where nothing was read back, or not all.
    pub read_back: Option<u64>,
    /// Rows of this run that Druid counts; null without Druid, and when they could not be counted.
    pub queryable: Option<u64>,
}

/// Tweets that were not sent on purpose, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SkippedBy {
    /// Beyond `--limit`.
    pub limit: u64,
    /// Not written between `--start` and `--end`.
    pub range: u64,
    /// With an id that was there before, with `--dedup`.
    pub duplicate_id: u64,
    /// Intended after `--duration`; at full speed not yet sent when it was over.
    pub duration: u64,
    /// Not yet sent when the user stopped the run.
    pub stop: u64,
}

impl SkippedBy {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.reasons().iter().map(|(_, count)| count).sum()
    }

    /// Each reason in words, with its count.
    pub fn reasons(&self) -> [(&'static str, u64); 5] {
        [
            ("by --limit", self.limit),
            ("by --start and --end", self.range),
            ("by --dedup", self.duplicate_id),
            ("by --duration", self.duration),
            ("after the stop", self.stop),
        ]
    }
}

/// Whether a ledger adds up; the worse, the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Every line holds, and nothing was lost or failed.
    Balanced,
    /// Ended by an error or a stop; every line holds for what was sent.
    Incomplete,
    /// Every line that could be checked holds, and one could not be: the reasons say why.
    Unknown,
    /// Every line holds, and with these settings that proves nothing: the reasons say why.
    Unproven,
    /// Something is missing, and the reasons say where.
    Unbalanced,
}

impl Verdict {
    /// As in the JSON report.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Balanced => "balanced",
            Verdict::Incomplete => "incomplete",
            Verdict::Unknown => "unknown",
            Verdict::Unproven => "unproven",
            Verdict::Unbalanced => "unbalanced",
        }
    }
}

impl Ledger {
    /// Checks every line. The reasons are empty when, and only when, the verdict is balanced.
    pub fn verdict(&self, noun: Noun) -> (Verdict, Vec<String>) {
        let mut reasons = Vec::new();
        let mut line = |left: u64, right: u64, words: &'static str| {
            if left != right {
                let words = noun.of(words);
                reasons.push(format!("{words}: {} is not {}", HumanCount(left), HumanCount(right)));
            }
        };
        line(self.frames, self.records + self.unparseable, "frames = records + unparseable");
        line(self.items, self.tweets + self.rejects, "items = tweets + rejects");
        line(self.tweets * self.loops, self.published + self.skipped, "tweets × loops = published + skipped");
        line(self.skipped, self.skipped_by.total(), "skipped = the sum of skipped_by");
        let settled = self.delivered + self.failed;
        match self.received {
            Some(received) => {
                let back = received + self.mqtt_lost.unwrap_or(0);
                line(self.published, back, "published = received + mqtt_lost");
                line(received, settled, "received = delivered + failed");
            }
            None => line(self.published, settled, "published = delivered + failed"),
        }
        if let Some(foreign) = self.foreign {
            let settled = self.foreign_delivered.unwrap_or(0) + self.foreign_failed.unwrap_or(0);
            line(foreign, settled, "foreign = foreign_delivered + foreign_failed");
        }
        if let Some(read_back) = self.read_back {
            line(read_back, self.delivered, "read_back = delivered");
        }
        if let Some(queryable) = self.queryable {
            let rows = self.delivered + self.duplicates.unwrap_or(0);
            line(queryable, rows, "queryable = delivered + duplicates");
        }
        if let Some(lost) = self.mqtt_lost.filter(|lost| *lost > 0) {
            reasons.push(format!(
                "{} lost in the MQTT broker: overwritten or dropped before being read",
                noun.counted(lost)
            ));
        }
        if let Some(unread @ 1..) = self.removed_unread {
            reasons.push(format!("retention removed {} that nobody had read", counted(unread, "message")));
        }
        if let Some(twice @ 1..) = self.duplicates {
            reasons.push(format!("{} in Kafka twice: the MQTT broker gave them twice", noun.counted(twice)));
        }
        if self.failed > 0 {
            reasons.push(format!("{} not acknowledged by Kafka", noun.counted(self.failed)));
        }
        (if reasons.is_empty() { Verdict::Balanced } else { Verdict::Unbalanced }, reasons)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn balanced() -> Ledger {
        Ledger {
            frames: 12,
            records: 11,
            unparseable: 1,
            items: 11,
            rejects: 1,
            tweets: 10,
            loops: 1,
            skipped: 2,
            skipped_by: SkippedBy { limit: 2, ..SkippedBy::default() },
            published: 8,
            received: Some(8),
            mqtt_lost: Some(0),
            duplicates: Some(0),
            foreign: Some(3),
            foreign_delivered: Some(3),
            foreign_failed: Some(0),
            foreign_lost: Some(0),
            delivered: 8,
            failed: 0,
            removed_unread: Some(0),
            read_back: Some(8),
            queryable: Some(8),
        }
    }

    #[test]
    fn a_ledger_that_adds_up_is_balanced() {
        assert_eq!(balanced().verdict(Noun::Tweet), (Verdict::Balanced, Vec::new()));
    }

    #[test]
    fn a_hop_that_is_off_joins_its_neighbours() {
        let off = Ledger { received: None, mqtt_lost: None, duplicates: None, foreign: None, ..balanced() };
        assert_eq!(off.verdict(Noun::Tweet).0, Verdict::Balanced);
        let short = Ledger { delivered: 7, read_back: Some(7), queryable: Some(7), ..off };
        assert_eq!(short.verdict(Noun::Tweet).1, ["published = delivered + failed: 8 is not 7"]);
    }

    #[test]
    fn count_printed_is_count_received_or_the_line_says_which_is_not() {
        type Change = (fn(&mut Ledger), &'static str);
        let changes: [Change; 12] = [
            (|l| l.frames += 1, "frames ="),
            (|l| l.rejects += 1, "items ="),
            (|l| l.tweets -= 1, "tweets ×"),
            (|l| l.skipped_by.stop += 1, "skipped ="),
            (|l| l.received = Some(7), "published ="),
            (|l| l.delivered -= 1, "received ="),
            (|l| l.foreign = Some(4), "foreign ="),
            (|l| l.read_back = Some(7), "read_back ="),
            (|l| l.removed_unread = Some(1), "retention removed"),
            (|l| (l.duplicates, l.queryable) = (Some(1), Some(9)), "in Kafka twice"),
            (|l| l.queryable = Some(9), "queryable ="),
            (|l| (l.delivered, l.failed, l.queryable) = (7, 1, Some(7)), "not acknowledged"),
        ];
        for (change, words) in changes {
            let mut ledger = balanced();
            change(&mut ledger);
            let (verdict, reasons) = ledger.verdict(Noun::Tweet);
            assert_eq!(verdict, Verdict::Unbalanced, "{words}");
            assert!(reasons.iter().any(|reason| reason.contains(words)), "{words}: {reasons:?}");
        }
    }

    #[test]
    fn a_loss_in_the_broker_is_unbalanced_although_its_line_holds() {
        let lossy = Ledger {
            received: Some(7),
            mqtt_lost: Some(1),
            delivered: 7,
            read_back: Some(7),
            queryable: Some(7),
            ..balanced()
        };
        assert_eq!(lossy.verdict(Noun::Tweet).1.len(), 1);
        assert!(lossy.verdict(Noun::Tweet).1[0].contains("overwritten"));
    }
}
