//! Reads a topic back from its log, inside the process: what a replay wrote is what the files contain.
//!
//! Retention waits for a follower. A topic that was deleted is not there: when another one has its name, that one is read
//! from its start.

use std::io;
use std::sync::Arc;

use super::batch::{BatchHeader, CRC_FROM, HEADER_BYTES};
use super::records::{LogRecord, for_each_record};
use super::state::EndpointState;
use super::store::LogTopic;

/// Bytes read at a time; a longer batch comes whole.
const READ_BYTES: usize = 4 << 20;

/// A reader of one topic that has seen all up to some offset of each partition.
#[derive(Debug)]
pub struct Follower {
    broker: Arc<EndpointState>,
    name: String,
    /// `None`: there is no such topic.
    topic: Option<Arc<LogTopic>>,
    /// The offset behind the last record that was shown, of each partition.
    positions: Vec<i64>,
    buffer: Vec<u8>,
    /// Batches that could not be read.
    pub unreadable: u64,
}

/// What one look at the log came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Followed {
    /// Records shown.
    pub records: u64,
    /// The topic is not the one that it was: what was shown of the old one is gone, and this look showed nothing.
    pub replaced: bool,
}

impl Follower {
    /// Of what comes from now on.
    pub(crate) fn new(broker: Arc<EndpointState>, name: &str) -> Self {
        let topic = broker.store.topic(name);
        let mut follower = Self {
            broker,
            name: name.to_owned(),
            positions: Vec::new(),
            topic,
            buffer: Vec::new(),
            unreadable: 0,
        };
        follower.start(|topic, partition| topic.partition(partition).map_or(0, |p| p.log().next_offset()));
        follower
    }

    /// Shows all records that are there and were not shown yet: their headers as (name, value), and their values.
    ///
    /// # Errors
    /// When the files cannot be read.
    pub fn look(&mut self, mut take: impl FnMut(FollowedRecord<'_>)) -> io::Result<Followed> {
        let now = self.broker.store.topic(&self.name);
        let is_same = match (&self.topic, &now) {
            (Some(before), Some(now)) => Arc::ptr_eq(before, now),
            (before, now) => before.is_none() && now.is_none(),
        };
        if !is_same {
            self.release();
            self.topic = now;
            self.start(|topic, partition| topic.partition(partition).map_or(0, |p| p.log().start_offset()));
            return Ok(Followed { records: 0, replaced: true });
        }
        let mut records = 0;
        for partition in 0..self.positions.len() {
            // No further: others may write as fast as this reads.
            let end = now.as_ref().and_then(|topic| topic.partition(partition as i32));
            let end = end.map_or(0, |partition| partition.log().next_offset());
            while self.positions[partition] < end {
                let Some(shown) = self.read_some(partition, &mut take)? else { break };
                records += shown;
            }
        }
        Ok(Followed { records, replaced: false })
    }

    /// Shows the next records of a partition; `None` at its end.
    fn read_some(
        &mut self,
        partition: usize,
        take: &mut impl FnMut(FollowedRecord<'_>),
    ) -> io::Result<Option<u64>> {
        let Some(place) = self.topic.as_ref().and_then(|topic| topic.partition(partition as i32)) else {
            return Ok(None);
        };
        let out_of_range =
            |error| io::Error::other(format!("offset {} : {error}", self.positions[partition]));
        let slice = place.log().slice(self.positions[partition], READ_BYTES).map_err(out_of_range)?;
        if slice.bytes == 0 {
            return Ok(None);
        }
        self.buffer.clear();
        slice.read_into(&mut self.buffer, 0, slice.bytes)?;
        let (mut rest, mut records) = (&self.buffer[..], 0);
        while let Some(header) = rest.first_chunk::<HEADER_BYTES>().and_then(BatchHeader::parse) {
            let Some((batch, behind)) = rest.split_at_checked(header.batch_bytes as usize) else { break };
            rest = behind;
            let shown = &mut records;
            let read = match crc32c::crc32c(&batch[CRC_FROM..]) == header.crc {
                true => for_each_record(&header, batch, |record| {
                    *shown += 1;
                    take(FollowedRecord(record));
                }),
                false => Err(io::Error::other("the CRC-32C does not match")),
            };
            if let Err(error) = read {
                self.unreadable += 1;
                tracing::warn!(
                    topic = self.name, partition, offset = header.base_offset, %error,
                    "Kafka endpoint: a batch in the log cannot be read"
                );
            }
        }
        self.positions[partition] = slice.end_offset;
        place.log().set_follower(Some(slice.end_offset));
        Ok(Some(records))
    }

    fn start(&mut self, from: impl Fn(&LogTopic, i32) -> i64) {
        let Some(topic) = &self.topic else {
            self.positions.clear();
            return;
        };
        self.positions = (0..topic.partition_count()).map(|partition| from(topic, partition)).collect();
        for (partition, position) in (0..).zip(&self.positions) {
            if let Some(partition) = topic.partition(partition) {
                partition.log().set_follower(Some(*position));
            }
        }
    }

    /// Retention need not wait any more.
    fn release(&self) {
        let Some(topic) = &self.topic else { return };
        for partition in (0..topic.partition_count()).filter_map(|number| topic.partition(number)) {
            partition.log().set_follower(None);
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.release();
    }
}

/// One record, as it stands in the log.
#[derive(Debug, Clone, Copy)]
pub struct FollowedRecord<'a>(LogRecord<'a>);

impl<'a> FollowedRecord<'a> {
    pub fn value(&self) -> &'a [u8] {
        self.0.value
    }

    /// Name and value of each header.
    pub fn headers(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        self.0.headers()
    }
}
