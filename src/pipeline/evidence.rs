//! Evidence for or against a run besides its ledger: the offsets that Kafka named, what was read back, and the settings
//! of the producer.

use crate::count::Places;
use crate::pipeline::context::Replay;
use crate::pipeline::replay::ReplayOutcome;
use crate::report::{Noun, counted, with_causes};

/// What the verdict has to take into account.
#[derive(Debug, Default)]
pub(crate) struct Evidence {
    /// Acknowledged tweets that were read back from Kafka; `None`: nothing was read, or not all.
    pub read_back: Option<u64>,
    /// Why the run is unbalanced.
    pub against: Vec<String>,
    /// Why it is not proven that it is balanced.
    pub unproven: Vec<String>,
}

impl Evidence {
    /// Of a replay that has ended.
    pub fn of(replay: &Replay<'_>, outcome: &ReplayOutcome) -> Self {
        let (mut evidence, mut read) = (Self::default(), Self::default());
        read.add_read_back(outcome, replay.noun());
        // Where all was read back, it does not matter by which way it was acknowledged: a topic that was made again
        // before the first tweet, or a repeat after a failover, which Kafka acknowledges without an offset.
        let is_all_there = read.read_back == Some(outcome.tally.delivered.len()) && read.against.is_empty();
        if !is_all_there {
            evidence.add_places(&outcome.tally.places, outcome.counters.offsets_fell.get());
        }
        evidence.read_back = read.read_back;
        evidence.against.append(&mut read.against);
        evidence.unproven.append(&mut read.unproven);
        if let Some(endpoint) = &replay.ends.endpoint
            && let Err(error) = endpoint.check_files()
        {
            evidence.against.push(with_causes(&error));
        }
        let changes = replay.files.changes();
        evidence.unproven.extend(changes.into_iter().map(|(_, change)| {
            format!("{change}: what was sent may not be what it held; replay a copy that nothing writes to")
        }));
        let settings = replay.ends.unsafe_settings.iter();
        evidence.unproven.extend(settings.map(|setting| format!("unsafe setting {setting}")));
        evidence
    }

    fn add_places(&mut self, places: &Places, fell: u64) {
        const REPLACED: &str = "the topic was deleted or made again during the run";
        if let Some((partition, offset)) = places.first_taken {
            let more = match places.taken {
                1 => String::new(),
                taken => format!(", and {}", counted(taken - 1, "other")),
            };
            self.against
                .push(format!("offset {offset} of partition {partition} came twice{more}: {REPLACED}"));
        } else if fell > 0 {
            self.against.push(format!("offsets fell {}: {REPLACED}", counted(fell, "time")));
        }
        if places.unknown > 0 {
            self.unproven.push(format!(
                "Kafka acknowledged {} without an offset (--verify reads the run back)",
                counted(places.unknown, "message")
            ));
        }
    }

    fn add_read_back(&mut self, outcome: &ReplayOutcome, noun: Noun) {
        let Some(read_back) = &outcome.read_back else { return };
        if let Some(why) = &read_back.broken_off {
            self.unproven.push(format!("not all could be read back from Kafka: {why}"));
            return;
        }
        let (found, delivered) = (&read_back.found, &outcome.tally.delivered);
        let (missing, first) = delivered.missing_in(&found.seqs);
        self.read_back = Some(delivered.len() - missing);
        if let Some(first) = first {
            let missing = counted(missing, &noun.of("acknowledged tweet"));
            self.against
                .push(format!("{missing} not in Kafka when read back, the first of them seq {first}"));
        }
        if found.repeated > 0 {
            self.against.push(format!(
                "{}: {} too many",
                noun.of("Kafka has tweets more than once"),
                counted(found.repeated, "message")
            ));
        }
        if found.unsent > 0 {
            let messages = counted(found.unsent, "message");
            self.against.push(format!(
                "{messages} in Kafka with the id of this run and numbers that it had not sent"
            ));
        }
        let (unacknowledged, _) = found.seqs.missing_in(delivered);
        if unacknowledged > 0 {
            self.against
                .push(format!("{} in Kafka without being acknowledged", noun.counted(unacknowledged)));
        }
        if read_back.unreadable > 0 {
            self.unproven.push(format!("{} of the batches in Kafka cannot be read", read_back.unreadable));
        }
    }
}
