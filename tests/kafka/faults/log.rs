//! Reads the log of a topic from its files, by Kafka's documentation of record batches (version 2) and by no code of the
//! program: what a run says is judged by what lies there. A real Kafka and the embedded one write the same files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// A record as it lies there.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Its partition, by the name of the folder.
    pub partition: String,
    pub value: Vec<u8>,
    pub headers: BTreeMap<String, String>,
}

impl Stored {
    /// The run and the number that it carries, in its headers or in its value.
    pub fn of_run(&self) -> Option<(String, u64)> {
        if let (Some(run), Some(seq)) = (self.headers.get("run"), self.headers.get("seq")) {
            return Some((run.clone(), seq.parse().ok()?));
        }
        let value: Value = serde_json::from_slice(&self.value).ok()?;
        Some((value["run"].as_str()?.to_owned(), value["seq"].as_u64()?))
    }
}

/// Where the log of a topic is.
#[derive(Debug, Clone)]
pub struct TopicFiles {
    dir: PathBuf,
    /// What the names of the partitions' folders begin with, before the number.
    prefix: String,
}

impl TopicFiles {
    /// Below the folder of an embedded Kafka.
    pub fn embedded(kafka_dir: &Path, topic: &str) -> Self {
        Self { dir: kafka_dir.join("topics").join(topic), prefix: String::new() }
    }

    /// Below the folder of a real Kafka.
    pub fn real(log_dir: &Path, topic: &str) -> Self {
        Self { dir: log_dir.to_owned(), prefix: format!("{topic}-") }
    }

    fn is_partition(&self, folder: &Path) -> bool {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        name.strip_prefix(&self.prefix).is_some_and(|number| number.parse::<u32>().is_ok())
    }

    fn paths(&self) -> Vec<PathBuf> {
        let entries = |dir: &Path| {
            fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect::<Vec<_>>()
        };
        let mut partitions = entries(&self.dir);
        partitions.retain(|folder| self.is_partition(folder));
        let files = partitions.iter().flat_map(|partition| entries(partition));
        let mut files: Vec<_> =
            files.filter(|path| path.extension().is_some_and(|end| end == "log")).collect();
        files.sort();
        files
    }
}

/// Bytes in the largest file, and in all.
pub fn sizes(topic: &TopicFiles) -> (u64, u64) {
    let sizes = topic.paths().into_iter().filter_map(|path| fs::metadata(path).ok()).map(|file| file.len());
    sizes.fold((0, 0), |(largest, all), size| (largest.max(size), all + size))
}

/// All records of a topic, partition by partition. A batch that is cut off at the end of a file, as a kill leaves it, is
/// none.
pub fn records(topic: &TopicFiles) -> Vec<Stored> {
    let mut records = Vec::new();
    for path in topic.paths() {
        let bytes = fs::read(&path).unwrap_or_default();
        let folder = path.parent().and_then(Path::file_name).unwrap_or_default();
        let partition = folder.to_string_lossy().into_owned();
        let mut rest = &bytes[..];
        while let Some((batch, after)) = batch(rest) {
            rest = after;
            records.extend(records_of(batch, &partition));
        }
    }
    records
}

/// Bytes of a batch before its length counts: its first offset and the length.
const BEFORE: usize = 12;
/// Where the checksum and what it is of begin, the attributes, the number of records, and these.
const CRC: usize = 17;
const ATTRIBUTES: usize = 21;
const COUNT: usize = 57;
const RECORDS: usize = 61;

fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

/// The first whole batch, and what is after it.
fn batch(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = usize::try_from(i32::from_be_bytes(number(bytes, 8)?)).ok()?;
    let (batch, rest) = bytes.split_at_checked(BEFORE + length)?;
    assert_eq!(batch[16], 2, "the version of the batch");
    let crc = u32::from_be_bytes(number(batch, CRC)?);
    assert_eq!(crc, crc32c::crc32c(&batch[ATTRIBUTES..]), "a whole batch with a wrong checksum");
    Some((batch, rest))
}

fn records_of(batch: &[u8], partition: &str) -> Vec<Stored> {
    let attributes = i16::from_be_bytes(number(batch, ATTRIBUTES).unwrap());
    assert_eq!(attributes & 7, 0, "compressed, which these tests do not ask for");
    let count = i32::from_be_bytes(number(batch, COUNT).unwrap());
    let mut rest = Varints(&batch[RECORDS..]);
    (0..count).map(|_| rest.record(partition)).collect()
}

/// Reads the numbers and strings of records.
struct Varints<'a>(&'a [u8]);

impl<'a> Varints<'a> {
    fn number(&mut self) -> i64 {
        let (mut value, mut shift) = (0_u64, 0);
        loop {
            let (byte, rest) = self.0.split_first().unwrap();
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                // Zigzag: the lowest bit is the sign.
                return (value >> 1) as i64 ^ -((value & 1) as i64);
            }
        }
    }

    fn bytes(&mut self) -> &'a [u8] {
        let length = usize::try_from(self.number()).unwrap_or(0);
        let (bytes, rest) = self.0.split_at(length);
        self.0 = rest;
        bytes
    }

    fn record(&mut self, partition: &str) -> Stored {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let _length = self.number();
        self.0 = &self.0[1..]; // attributes
        let (_time, _offset) = (self.number(), self.number());
        let _key = self.bytes();
        let value = self.bytes().to_vec();
        let count = self.number();
        let headers = (0..count).map(|_| (text(self.bytes()), text(self.bytes()))).collect();
        Stored { partition: partition.to_owned(), value, headers }
    }
}
