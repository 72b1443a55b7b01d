//! What one partition remembers of idempotent producers: the last five batches of each, so that a
//! retried batch is recognised and a gap is refused.
//!
//! A batch is a repeat only if it is the very one that is stored: the sequence numbers of a producer stand in the log for
//! every reader, and a client that writes the next ones first must not make the true batch count as a repeat. (Kafka
//! compares the numbers alone; clients send the same bytes again.)
//!
//! Rules and codes are Kafka's (`ProducerAppendInfo`, `ProducerStateEntry`). The surprise: a
//! producer that is not known here may start at any sequence number, as in Kafka, because the log
//! may have forgotten it.

use std::collections::HashMap;

use kafka_protocol::error::ResponseError;

use super::batch::{BatchHeader, Refusal};

/// Batches remembered for each producer: as many as an idempotent producer may have in flight
/// (`ProducerStateEntry.NUM_BATCHES_TO_RETAIN`).
const BATCHES_KEPT: usize = 5;
/// Producers remembered for each partition, about 160 bytes each. Beyond it the half that wrote
/// longest ago is forgotten (Kafka forgets by time, `producer.id.expiration.ms`).
const PRODUCERS_KEPT: usize = 4096;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct BatchSequence {
    first_sequence: i32,
    last_sequence: i32,
    crc: u32,
    base_offset: i64,
}

#[derive(Debug)]
struct ProducerState {
    epoch: i16,
    /// Oldest first; only the first `count` are used.
    batches: [BatchSequence; BATCHES_KEPT],
    count: usize,
}

impl ProducerState {
    fn last(&self) -> Option<&BatchSequence> {
        self.batches[..self.count].last()
    }
}

/// What to do with a batch that passed the checks on its own bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BatchVerdict {
    /// Append it, then call [`Producers::record`].
    Append,
    /// It is in the log already, at this offset.
    Duplicate {
        /// Offset of its first record.
        base_offset: i64,
    },
}

/// The producers of one partition.
#[derive(Debug, Default)]
pub(crate) struct Producers(HashMap<i64, ProducerState>);

impl Producers {
    /// Judges a batch; changes nothing, so that a failed append leaves no trace.
    pub fn check(&self, header: &BatchHeader) -> Result<BatchVerdict, Refusal> {
        let Some(producer) = self.0.get(&header.producer_id) else {
            return Ok(BatchVerdict::Append); // not idempotent, or not known
        };
        if header.producer_epoch < producer.epoch {
            return Err(Refusal::new(
                ResponseError::InvalidProducerEpoch,
                "a newer epoch of this producer has written already",
            ));
        }
        let gap = Refusal::new(
            ResponseError::OutOfOrderSequenceNumber,
            "the sequence number does not follow the last one of this producer",
        );
        if header.producer_epoch > producer.epoch {
            return if header.base_sequence == 0 { Ok(BatchVerdict::Append) } else { Err(gap) };
        }
        let last_sequence = sequence_after(header.base_sequence, header.last_offset_delta);
        let known = producer.batches[..producer.count].iter().find(|known| {
            known.first_sequence == header.base_sequence && known.last_sequence == last_sequence
        });
        match known {
            Some(known) if known.crc == header.crc => {
                return Ok(BatchVerdict::Duplicate { base_offset: known.base_offset });
            }
            Some(_) => return Err(Refusal::OTHER_BATCH),
            None => {}
        }
        match producer.last() {
            Some(last) if header.base_sequence != sequence_after(last.last_sequence, 1) => Err(gap),
            _ => Ok(BatchVerdict::Append),
        }
    }

    /// Remembers a batch that has been appended.
    pub fn record(&mut self, header: &BatchHeader, base_offset: i64) {
        if header.producer_id < 0 {
            return;
        }
        let producer = self.0.entry(header.producer_id).or_insert(ProducerState {
            epoch: header.producer_epoch,
            batches: Default::default(),
            count: 0,
        });
        if producer.epoch != header.producer_epoch {
            producer.epoch = header.producer_epoch;
            producer.count = 0;
        }
        if producer.count == BATCHES_KEPT {
            producer.batches.rotate_left(1);
            producer.count -= 1;
        }
        producer.batches[producer.count] = BatchSequence {
            first_sequence: header.base_sequence,
            last_sequence: sequence_after(header.base_sequence, header.last_offset_delta),
            crc: header.crc,
            base_offset,
        };
        producer.count += 1;
        if self.0.len() > PRODUCERS_KEPT {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let newest = |p: &ProducerState| p.last().map_or(-1, |last| last.base_offset);
        let mut offsets: Vec<i64> = self.0.values().map(newest).collect();
        let (_, &mut median, _) = offsets.select_nth_unstable(PRODUCERS_KEPT / 2);
        self.0.retain(|_, producer| newest(producer) > median);
    }
}

/// The sequence number `step` after `sequence`; the greatest is followed by 0
/// (`DefaultRecordBatch.incrementSequence`).
fn sequence_after(sequence: i32, step: i32) -> i32 {
    ((i64::from(sequence) + i64::from(step)) % (i64::from(i32::MAX) + 1)) as i32
}

#[cfg(test)]
mod tests {
    use super::super::batch::{check_produced, tests::batch};
    use super::*;

    fn header(producer: (i64, i16, i32), records: usize) -> BatchHeader {
        check_produced(&batch(&vec![1; records], Some(producer))).unwrap()
    }

    fn error(producers: &Producers, producer: (i64, i16, i32)) -> ResponseError {
        producers.check(&header(producer, 3)).unwrap_err().error
    }

    #[test]
    fn the_last_five_batches_are_recognised_and_gaps_refused() {
        let mut producers = Producers::default();
        for i in 0..7 {
            let h = header((9, 0, i * 3), 3);
            assert_eq!(producers.check(&h), Ok(BatchVerdict::Append));
            producers.record(&h, i64::from(i) * 100);
        }
        for i in 2..7 {
            let duplicate = BatchVerdict::Duplicate { base_offset: i64::from(i) * 100 };
            assert_eq!(producers.check(&header((9, 0, i * 3), 3)), Ok(duplicate));
        }
        assert_eq!(error(&producers, (9, 0, 3)), ResponseError::OutOfOrderSequenceNumber);
        assert_eq!(error(&producers, (9, 0, 22)), ResponseError::OutOfOrderSequenceNumber);
        assert_eq!(producers.check(&header((9, 0, 21), 1)), Ok(BatchVerdict::Append));
        assert_eq!(producers.check(&header((10, 0, 500), 1)), Ok(BatchVerdict::Append));
    }

    #[test]
    fn a_repeat_is_the_very_batch_and_another_under_its_numbers_is_refused() {
        let mut producers = Producers::default();
        let first = header((9, 0, 0), 3);
        producers.record(&first, 40);
        assert_eq!(producers.check(&first), Ok(BatchVerdict::Duplicate { base_offset: 40 }));
        for other in [
            check_produced(&batch(&[1, 2, 1], Some((9, 0, 0)))).unwrap(),
            BatchHeader { crc: !first.crc, ..first },
        ] {
            assert_eq!(producers.check(&other), Err(Refusal::OTHER_BATCH));
        }
        assert_eq!(producers.check(&header((9, 0, 3), 3)), Ok(BatchVerdict::Append));
    }

    #[test]
    fn a_new_epoch_starts_at_zero_and_fences_the_old_one() {
        let mut producers = Producers::default();
        producers.record(&header((9, 1, 0), 3), 0);
        assert_eq!(error(&producers, (9, 0, 3)), ResponseError::InvalidProducerEpoch);
        assert_eq!(error(&producers, (9, 2, 3)), ResponseError::OutOfOrderSequenceNumber);
        let next = header((9, 2, 0), 3);
        assert_eq!(producers.check(&next), Ok(BatchVerdict::Append));
        producers.record(&next, 3);
        assert_eq!(error(&producers, (9, 1, 3)), ResponseError::InvalidProducerEpoch);
    }

    #[test]
    fn sequence_numbers_wrap_to_zero() {
        assert_eq!(sequence_after(i32::MAX, 1), 0);
        assert_eq!(sequence_after(i32::MAX - 1, 4), 2);
        let mut producers = Producers::default();
        producers.record(&header((9, 0, i32::MAX - 1), 3), 0);
        assert_eq!(producers.check(&header((9, 0, 1), 3)), Ok(BatchVerdict::Append));
    }

    #[test]
    fn the_number_of_producers_is_bounded() {
        let mut producers = Producers::default();
        for id in 0..10 * PRODUCERS_KEPT as i64 {
            producers.record(&header((id, 0, 0), 1), id);
            assert!(producers.0.len() <= PRODUCERS_KEPT);
        }
        let newest = 10 * PRODUCERS_KEPT as i64 - 1;
        let duplicate = BatchVerdict::Duplicate { base_offset: newest };
        assert_eq!(producers.check(&header((newest, 0, 0), 1)), Ok(duplicate));
    }
}
