//! What was away during a run: as lines while it runs, in the JSON report, and on the page.

use std::time::Instant;

use serde::Serialize;

use super::words::seconds;
use crate::count::{Outage, OutageEnd, OutageHop};

/// One time in which something that the run needs was away.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OutageReport {
    /// The hop that waited: mqtt, kafka or druid.
    pub hop: OutageHop,
    /// What was away, in words.
    pub what: String,
    /// What was met first.
    pub reason: String,
    /// When it began, in seconds since the first send; before it negative.
    pub at_s: f64,
    /// How long it lasted, in seconds; null: to the end of the run.
    pub duration_s: Option<f64>,
    /// How it ended; null: it did not.
    pub ended: Option<OutageEnd>,
}

impl OutageReport {
    /// Of an outage in a run whose first tweet was sent at `started`.
    pub fn of(outage: &Outage, started: Instant) -> Self {
        let before = started.saturating_duration_since(outage.since).as_secs_f64();
        Self {
            hop: outage.hop,
            what: outage.what.clone(),
            reason: outage.reason.clone(),
            at_s: outage.since.saturating_duration_since(started).as_secs_f64() - before,
            duration_s: outage.length().map(|length| length.as_secs_f64()),
            ended: outage.ended.map(|(_, how)| how),
        }
    }

    /// What a page says of it, after its label.
    pub(super) fn words(&self) -> String {
        let Self { what, reason, .. } = self;
        let at = match self.at_s < 0.0 {
            true => "before the first send".to_owned(),
            false => format!("at {}", seconds(self.at_s)),
        };
        match self.duration_s {
            Some(duration) => format!("{what}, for {} {at} ({reason})", seconds(duration)),
            None => format!("{what}, {at}, until the end ({reason})"),
        }
    }
}

/// The line for an outage that began or ended.
pub fn outage_line(outage: &Outage) -> String {
    let Outage { hop, what, reason, .. } = outage;
    let after = outage.length().map(|length| seconds(length.as_secs_f64()));
    match (hop, outage.ended.zip(after)) {
        (OutageHop::Mqtt, None) => format!("no connection to {what} ({reason}): trying again"),
        (_, None) => format!("no word from {what} ({reason}): what is sent waits"),
        (_, Some(((_, OutageEnd::Back), after))) => format!("{what} is back after {after}"),
        (_, Some(((_, OutageEnd::WithoutIt), after))) => format!("nothing waits for {what} after {after}"),
    }
}

/// The hop that missed something longest, and for how many seconds. What is not over counts up to `end_s`, in seconds
/// since the first send.
pub fn longest_away(outages: &[OutageReport], end_s: f64) -> Option<(OutageHop, f64)> {
    let of = |hop| {
        let spans = outages.iter().filter(|outage| outage.hop == hop).map(|outage| {
            let end = outage.duration_s.map_or(end_s, |duration| (outage.at_s + duration).min(end_s));
            (outage.at_s.max(0.0), end)
        });
        let mut spans: Vec<(f64, f64)> = spans.filter(|(start, end)| start < end).collect();
        spans.sort_by(|one, other| one.0.total_cmp(&other.0));
        // Several brokers may be away at once.
        let (mut total, mut to) = (0.0, 0.0_f64);
        for (start, end) in spans {
            total += (end - start.max(to)).max(0.0);
            to = to.max(end);
        }
        (hop, total)
    };
    let hops = [OutageHop::Mqtt, OutageHop::Kafka, OutageHop::Druid].map(of);
    hops.into_iter().filter(|(_, total)| *total > 0.0).max_by(|one, other| one.1.total_cmp(&other.1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn outage(hop: OutageHop, at_s: f64, duration_s: Option<f64>) -> OutageReport {
        let ended = duration_s.map(|_| OutageEnd::Back);
        OutageReport { hop, what: "Kafka".into(), reason: "refused".into(), at_s, duration_s, ended }
    }

    #[test]
    fn there_is_a_line_for_its_start_and_one_for_its_end() {
        let since = Instant::now();
        let mut outage = Outage::new(OutageHop::Kafka, "Kafka".into(), "refused".into(), since);
        assert_eq!(outage_line(&outage), "no word from Kafka (refused): what is sent waits");
        outage.ended = Some((since + Duration::from_secs(5), OutageEnd::Back));
        assert_eq!(outage_line(&outage), "Kafka is back after 5.00 s");
        outage.ended = Some((since + Duration::from_secs(5), OutageEnd::WithoutIt));
        assert_eq!(outage_line(&outage), "nothing waits for Kafka after 5.00 s");
        let report = OutageReport::of(&outage, since + Duration::from_secs(2));
        assert_eq!((report.at_s, report.duration_s), (-2.0, Some(5.0)));
        assert_eq!(report.words(), "Kafka, for 5.00 s before the first send (refused)");
    }

    #[test]
    fn of_what_was_away_at_once_each_second_counts_once_and_only_while_the_run_lasted() {
        let two = [outage(OutageHop::Kafka, 1.0, Some(4.0)), outage(OutageHop::Kafka, 2.0, Some(1.0))];
        assert_eq!(longest_away(&two, 10.0), Some((OutageHop::Kafka, 4.0)));
        let open = [outage(OutageHop::Kafka, -5.0, Some(6.0)), outage(OutageHop::Druid, 8.0, None)];
        assert_eq!(longest_away(&open, 10.0), Some((OutageHop::Druid, 2.0)));
        assert_eq!(longest_away(&[outage(OutageHop::Mqtt, -5.0, Some(2.0))], 10.0), None);
    }
}
