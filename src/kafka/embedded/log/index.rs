//! Where the batches of a file are, in bounded memory: the last ones each, those before in groups of
//! adjacent batches. To find one in a group, the headers in the file are read.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use crate::kafka::embedded::batch::{BatchHeader, HEADER_BYTES};

/// Batches known each: at most twice as many, half a mebibyte. Readers who follow a log read these.
const RECENT: usize = 8_192;

/// Groups at most, half a mebibyte.
const GROUPS_MAX: usize = 16_384;

/// A group has at most this many bytes at first, and twice as many whenever there are too many groups.
const GROUP_BYTES: u64 = 256 << 10;

/// The largest group: its length is a `u32`.
const GROUP_BYTES_MAX: u64 = 1 << 30;

/// Where a batch is, or a group of adjacent ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IndexEntry {
    pub base_offset: i64,
    pub max_timestamp_ms: i64,
    pub position: u64,
    pub bytes: u32,
    last_offset_delta: i32,
}

impl IndexEntry {
    pub fn new(header: &BatchHeader, base_offset: i64, position: u64) -> Self {
        Self {
            base_offset,
            max_timestamp_ms: header.max_timestamp_ms,
            position,
            // A batch's length is an i32 plus 12 on the wire.
            bytes: header.batch_bytes as u32,
            last_offset_delta: header.last_offset_delta,
        }
    }

    pub fn last_offset(&self) -> i64 {
        self.base_offset + i64::from(self.last_offset_delta)
    }

    pub fn end_position(&self) -> u64 {
        self.position + u64::from(self.bytes)
    }

    /// This one with the next one, if they are a group of at most so many bytes.
    fn joined(&self, next: &Self, bytes_max: u64) -> Option<Self> {
        let bytes = next.end_position() - self.position;
        let delta = i32::try_from(next.last_offset() - self.base_offset).ok()?;
        (bytes <= bytes_max).then_some(Self {
            max_timestamp_ms: self.max_timestamp_ms.max(next.max_timestamp_ms),
            bytes: bytes as u32,
            last_offset_delta: delta,
            ..*self
        })
    }
}

/// The batches of one file.
#[derive(Debug)]
pub(crate) struct BatchIndex {
    groups: Vec<IndexEntry>,
    recent: VecDeque<IndexEntry>,
    group_bytes: u64,
}

impl Default for BatchIndex {
    fn default() -> Self {
        Self { groups: Vec::new(), recent: VecDeque::new(), group_bytes: GROUP_BYTES }
    }
}

impl BatchIndex {
    /// Adds the batch that follows the last one.
    pub fn push(&mut self, entry: IndexEntry) {
        self.recent.push_back(entry);
        if self.recent.len() >= 2 * RECENT {
            for entry in self.recent.drain(..RECENT) {
                group(&mut self.groups, entry, self.group_bytes);
            }
            if self.groups.len() > GROUPS_MAX && self.group_bytes < GROUP_BYTES_MAX {
                self.group_bytes *= 2;
                let mut groups = Vec::with_capacity(GROUPS_MAX / 2);
                for entry in self.groups.drain(..) {
                    group(&mut groups, entry, self.group_bytes);
                }
                self.groups = groups;
            }
        }
    }

    /// The last batch.
    pub fn last(&self) -> Option<&IndexEntry> {
        self.recent.back().or(self.groups.last())
    }

    /// Where to read from `offset` on: the position of the batch that holds it, and the last entry that
    /// ends at most `max_bytes` later, or the first one if none does. `None`: nothing is there.
    pub fn find(&self, offset: i64, max_bytes: usize, file: &File) -> Option<(u64, IndexEntry)> {
        let coarse = self.partition_point(|entry| entry.last_offset() < offset);
        let first = self.get(coarse)?;
        let batches = self.batches_of(coarse, file);
        let within = batches.partition_point(|entry| entry.last_offset() < offset);
        let start = batches.get(within).copied().unwrap_or(first);
        let limit = start.position.saturating_add(max_bytes as u64);
        let fits = |entry: &IndexEntry| entry.end_position() <= limit;
        let fitting = batches[within..].partition_point(fits);
        let mut last = batches[within..].get(fitting.max(1) - 1).copied().unwrap_or(start);
        // Beyond a group, if all of it fits.
        if within + fitting == batches.len() && fitting > 0 {
            let fitting = self.partition_point(fits);
            last =
                fitting.checked_sub(1).filter(|at| *at > coarse).and_then(|at| self.get(at)).unwrap_or(last);
        }
        Some((start.position, last))
    }

    /// The first batch for which this holds of its greatest timestamp.
    pub fn at_time(&self, file: &File, holds: impl Fn(i64) -> bool) -> Option<IndexEntry> {
        let coarse =
            (0..self.len()).find(|at| self.get(*at).is_some_and(|entry| holds(entry.max_timestamp_ms)))?;
        let batches = self.batches_of(coarse, file);
        batches.into_iter().find(|entry| holds(entry.max_timestamp_ms))
    }

    /// The greatest timestamp.
    pub fn max_timestamp_ms(&self) -> Option<i64> {
        self.groups.iter().chain(&self.recent).map(|entry| entry.max_timestamp_ms).max()
    }

    fn len(&self) -> usize {
        self.groups.len() + self.recent.len()
    }

    fn get(&self, at: usize) -> Option<IndexEntry> {
        self.groups.get(at).or_else(|| self.recent.get(at - self.groups.len())).copied()
    }

    fn partition_point(&self, holds: impl Fn(&IndexEntry) -> bool) -> usize {
        match self.groups.partition_point(&holds) {
            all if all == self.groups.len() => all + self.recent.partition_point(holds),
            some => some,
        }
    }

    /// The batches of an entry. If the file cannot be read the group stands for all of them: readers skip what is
    /// before the offset that they want.
    fn batches_of(&self, at: usize, file: &File) -> Vec<IndexEntry> {
        let Some(entry) = self.get(at) else { return Vec::new() };
        match at < self.groups.len() {
            true => batches_in(&entry, file).unwrap_or_else(|error| {
                tracing::debug!(%error, "Kafka endpoint: cannot read the headers of a log");
                vec![entry]
            }),
            false => vec![entry],
        }
    }
}

fn group(groups: &mut Vec<IndexEntry>, entry: IndexEntry, bytes_max: u64) {
    match groups.last_mut().and_then(|last| Some((last.joined(&entry, bytes_max)?, last))) {
        Some((joined, last)) => *last = joined,
        None => groups.push(entry),
    }
}

/// Reads the headers of a group.
fn batches_in(group: &IndexEntry, file: &File) -> io::Result<Vec<IndexEntry>> {
    let (mut batches, mut position) = (Vec::new(), group.position);
    let mut head = [0; HEADER_BYTES];
    while position < group.end_position() {
        file.read_exact_at(&mut head, position)?;
        let header = BatchHeader::parse(&head).filter(BatchHeader::is_consistent);
        let header = header.ok_or_else(|| io::Error::other("no header of a record batch"))?;
        batches.push(IndexEntry::new(&header, header.base_offset, position));
        position += header.batch_bytes;
    }
    Ok(batches)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Batches of 100 bytes and 10 records, ten milliseconds apart, with headers as in a log.
    fn filled(batches: i64) -> (BatchIndex, File) {
        let (mut index, file) = (BatchIndex::default(), tempfile::tempfile().unwrap());
        let mut bytes = Vec::new();
        for number in 0..batches {
            let mut batch = [0_u8; 100];
            batch[..8].copy_from_slice(&(number * 10).to_be_bytes());
            batch[8..12].copy_from_slice(&88_i32.to_be_bytes());
            batch[16] = 2;
            batch[23..27].copy_from_slice(&9_i32.to_be_bytes());
            batch[35..43].copy_from_slice(&(number * 10).to_be_bytes());
            batch[57..61].copy_from_slice(&10_i32.to_be_bytes());
            let header = BatchHeader::parse(batch.first_chunk().unwrap()).unwrap();
            index.push(IndexEntry::new(&header, number * 10, number as u64 * 100));
            bytes.extend(batch);
        }
        file.write_all_at(&bytes, 0).unwrap();
        (index, file)
    }

    #[test]
    fn each_batch_is_found_whether_it_is_known_or_read_from_its_group() {
        let batches = 30_000;
        let (index, file) = filled(batches);
        assert!(!index.groups.is_empty() && index.len() < 2 * RECENT + 20, "{}", index.len());
        for number in (0..batches).step_by(97).chain([batches - 1]) {
            let (position, last) = index.find(number * 10 + 3, 1, &file).unwrap();
            assert_eq!((position, last.base_offset), (number as u64 * 100, number * 10));
            assert_eq!(index.at_time(&file, |ms| ms >= number * 10).unwrap().base_offset, number * 10);
            let (_, last) = index.find(number * 10, 1_000, &file).unwrap();
            assert!(last.end_position() <= number as u64 * 100 + 1_000 && last.base_offset >= number * 10);
        }
        assert_eq!(index.find(batches * 10, 1, &file), None);
        assert_eq!(index.max_timestamp_ms(), Some((batches - 1) * 10));
        assert_eq!(index.last().unwrap().last_offset(), batches * 10 - 1);
    }

    #[test]
    fn a_group_that_fits_is_read_on_into_the_next_one() {
        let (index, file) = filled(30_000);
        let (position, last) = index.find(0, 1 << 20, &file).unwrap();
        assert_eq!(position, 0);
        assert!((900 << 10..=1 << 20).contains(&last.end_position()), "{last:?}");
    }

    #[test]
    fn the_index_is_bounded() {
        let mut index = BatchIndex::default();
        let entry = IndexEntry {
            base_offset: 0,
            max_timestamp_ms: 0,
            position: 0,
            bytes: 200 << 10,
            last_offset_delta: 9,
        };
        for number in 0..500_000 {
            index.push(IndexEntry {
                base_offset: number * 10,
                position: number as u64 * (200 << 10),
                max_timestamp_ms: number,
                ..entry
            });
            assert!(index.groups.len() <= GROUPS_MAX + RECENT && index.recent.len() < 2 * RECENT);
        }
        assert!(index.groups.is_sorted_by(|a, b| a.end_position() == b.position || a.position < b.position));
        assert_eq!(index.groups[0].position, 0);
    }
}
