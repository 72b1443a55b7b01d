//! How far consumer groups have read: in memory, and in a file that survives a restart.
//!
//! The file has one line per committed offset: a CRC-32C in hexadecimal, a space, and a JSON array
//! of group, topic, partition, offset, note (no offset: forgotten). The last line for a partition
//! counts. When most lines are out of date, the file is rewritten. A line torn by a kill has no
//! line end, was never acknowledged, and is cut off; a bad line with a line end is damage, and
//! refused.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::kafka::embedded::EndpointError;
use crate::kafka::embedded::options::Fsync;

/// Below this many lines the file is never rewritten.
const REWRITE_FROM_LINES: usize = 1_000;
/// Bytes that all committed offsets may take in memory, roughly.
const BYTES_MAX: usize = 16 << 20;
/// What an offset takes in memory besides its strings.
const ENTRY_BYTES: usize = 128;

/// One committed offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Committed {
    /// The next record to read.
    pub offset: i64,
    /// A note of the consumer's.
    pub note: String,
}

/// (group, topic, partition): sorted, so a group's offsets are next to each other.
type PartitionKey = (String, String, i32);
/// As in the file.
type Line = (String, String, i32, Option<i64>, String);

/// Why offsets could not be committed.
#[derive(Debug)]
pub(crate) enum CommitError {
    /// They would take too much memory.
    TooMuch,
    /// They could not be written; the offsets are unchanged.
    Io,
}

#[derive(Debug)]
pub(crate) struct Offsets {
    path: PathBuf,
    /// Where the file is rewritten before it is moved into place.
    scratch: PathBuf,
    file: File,
    file_bytes: u64,
    file_lines: usize,
    committed: BTreeMap<PartitionKey, Committed>,
    memory_bytes: usize,
    failing: bool,
    fsync: Fsync,
}

impl Offsets {
    pub fn open(path: PathBuf, scratch: PathBuf, fsync: Fsync) -> Result<Self, EndpointError> {
        let failed = |source| EndpointError::Storage { action: "open", path: path.clone(), source };
        let file = OpenOptions::new().read(true).append(true).create(true).open(&path).map_err(failed)?;
        let bytes = fs::read(&path).map_err(failed)?;
        let mut offsets = Self {
            path: path.clone(),
            scratch,
            file,
            file_bytes: 0,
            file_lines: 0,
            committed: BTreeMap::new(),
            memory_bytes: 0,
            failing: false,
            fsync,
        };
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            let Some(line_read) = read_line(line) else { break };
            offsets.remember(line_read);
            offsets.file_bytes += line.len() as u64;
            offsets.file_lines += 1;
        }
        let rest = &bytes[offsets.file_bytes as usize..];
        if rest.contains(&b'\n') {
            return Err(EndpointError::DamagedOffsets { path, position: offsets.file_bytes });
        }
        if !rest.is_empty() {
            tracing::warn!(
                path = %path.display(),
                cut_bytes = rest.len(),
                "Kafka endpoint: cut a torn line off the committed offsets; it was never acknowledged"
            );
            offsets.file.set_len(offsets.file_bytes).map_err(failed)?;
        }
        Ok(offsets)
    }

    pub fn get(&self, group: &str, topic: &str, partition: i32) -> Option<&Committed> {
        self.committed.get(&(group.to_owned(), topic.to_owned(), partition))
    }

    /// All committed offsets of a group: topic, partition, offset.
    pub fn of_group<'a>(&'a self, group: &'a str) -> impl Iterator<Item = (&'a str, i32, &'a Committed)> {
        let from = (group.to_owned(), String::new(), i32::MIN);
        self.committed
            .range(from..)
            .take_while(move |((of, _, _), _)| of == group)
            .map(|((_, topic, partition), committed)| (topic.as_str(), *partition, committed))
    }

    /// Groups that have committed offsets, in order; some may appear twice.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.committed.keys().map(|(group, _, _)| group.as_str())
    }

    /// Commits offsets of a group: all of them or none.
    pub fn commit(&mut self, group: &str, offsets: Vec<(String, i32, Committed)>) -> Result<(), CommitError> {
        let lines = offsets.into_iter().map(|(topic, partition, Committed { offset, note })| {
            (group.to_owned(), topic, partition, Some(offset), note)
        });
        let lines: Vec<Line> = lines.collect();
        let (new, old) = lines.iter().fold((0, 0), |(new, old), line @ (group, topic, partition, ..)| {
            let replaced = self.get(group, topic, *partition);
            let replaced = replaced.map_or(0, |committed| memory_bytes(group, topic, &committed.note));
            (new + line_bytes(line), old + replaced)
        });
        if new > old && self.memory_bytes + new - old > BYTES_MAX {
            return Err(CommitError::TooMuch);
        }
        self.write(lines).map_err(|_| CommitError::Io)
    }

    /// Forgets what a group has committed, or what all groups have committed for a topic.
    pub fn forget(&mut self, is_it: impl Fn(&str, &str) -> bool) -> io::Result<()> {
        let keys = self.committed.keys().filter(|(group, topic, _)| is_it(group, topic)).cloned();
        self.write(
            keys.map(|(group, topic, partition)| (group, topic, partition, None, String::new())).collect(),
        )
    }

    fn write(&mut self, lines: Vec<Line>) -> io::Result<()> {
        let mut bytes = Vec::new();
        for line in &lines {
            put_line(&mut bytes, line);
        }
        let written = self.append(&bytes);
        if let Err(error) = &written {
            if !std::mem::replace(&mut self.failing, true) {
                tracing::error!(path = %self.path.display(), %error, "Kafka endpoint: cannot write committed offsets");
            }
            let _ = self.file.set_len(self.file_bytes); // if this fails, it is cut before the next write
            return written;
        }
        self.failing = false;
        self.file_bytes += bytes.len() as u64;
        self.file_lines += lines.len();
        for line in lines {
            self.remember(line);
        }
        if self.file_lines > REWRITE_FROM_LINES.max(2 * self.committed.len())
            && let Err(error) = self.rewrite()
        {
            // The old file is still good; the next commit tries again.
            let path = self.path.display();
            tracing::warn!(%path, %error, "Kafka endpoint: cannot shorten the committed offsets");
        }
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.failing {
            self.file.set_len(self.file_bytes)?;
        }
        self.file.write_all(bytes)?;
        if self.fsync == Fsync::Never { Ok(()) } else { self.file.sync_data() }
    }

    /// Replaces the file, as a whole, by one with only the lines that count.
    fn rewrite(&mut self) -> io::Result<()> {
        let mut bytes = Vec::new();
        for ((group, topic, partition), Committed { offset, note }) in &self.committed {
            put_line(&mut bytes, &(group.clone(), topic.clone(), *partition, Some(*offset), note.clone()));
        }
        let mut file = OpenOptions::new().read(true).append(true).create_new(true).open(&self.scratch)?;
        let placed = file.write_all(&bytes).and_then(|()| {
            // Needed whatever the policy: a rename may reach the disk before the file's bytes do.
            file.sync_data()?;
            fs::rename(&self.scratch, &self.path)
        });
        if placed.is_err() {
            let _ = fs::remove_file(&self.scratch);
            return placed;
        }
        self.file = file;
        self.file_bytes = bytes.len() as u64;
        self.file_lines = self.committed.len();
        Ok(())
    }

    fn remember(&mut self, line: Line) {
        let bytes = line_bytes(&line);
        let (group, topic, partition, offset, note) = line;
        let key = (group, topic, partition);
        if let Some(before) = self.committed.remove(&key) {
            self.memory_bytes -= memory_bytes(&key.0, &key.1, &before.note);
        }
        if let Some(offset) = offset {
            self.memory_bytes += bytes;
            self.committed.insert(key, Committed { offset, note });
        }
    }
}

fn line_bytes((group, topic, _, _, note): &Line) -> usize {
    memory_bytes(group, topic, note)
}

fn memory_bytes(group: &str, topic: &str, note: &str) -> usize {
    ENTRY_BYTES + group.len() + topic.len() + note.len()
}

fn put_line(out: &mut Vec<u8>, line: &Line) {
    let json = serde_json::to_string(line).unwrap_or_default(); // strings and numbers always encode
    out.extend(format!("{:08x} {json}\n", crc32c::crc32c(json.as_bytes())).into_bytes());
}

/// Parses a line; `None` if it is torn or damaged.
fn read_line(line: &[u8]) -> Option<Line> {
    let text = std::str::from_utf8(line.strip_suffix(b"\n")?).ok()?;
    let (crc, json) = text.split_at_checked(8)?;
    let json = json.strip_prefix(' ')?;
    (u32::from_str_radix(crc, 16).ok()? == crc32c::crc32c(json.as_bytes())).then_some(())?;
    serde_json::from_str(json).ok()
}

/// The path of the file in the directory.
pub(crate) fn file_in(dir: &Path) -> PathBuf {
    dir.join("groups")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(dir: &Path) -> Result<Offsets, EndpointError> {
        Offsets::open(file_in(dir), dir.join("groups.new"), Fsync::Never)
    }

    fn commit(offsets: &mut Offsets, group: &str, partition: i32, offset: i64) {
        let committed = Committed { offset, note: "a \"note\"\n".into() };
        offsets.commit(group, vec![("tweets".into(), partition, committed)]).unwrap();
    }

    #[test]
    fn the_last_commit_counts_also_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let mut offsets = open(dir.path()).unwrap();
        for offset in 0..10 {
            commit(&mut offsets, "g", 1, offset);
            commit(&mut offsets, "h", 1, 7);
        }
        offsets.forget(|group, _| group == "h").unwrap();
        for offsets in [&offsets, &open(dir.path()).unwrap()] {
            let all: Vec<_> = offsets.of_group("g").map(|(t, p, c)| (t, p, c.offset)).collect();
            assert_eq!(all, [("tweets", 1, 9)]);
            assert_eq!(offsets.get("g", "tweets", 1).unwrap().note, "a \"note\"\n");
            assert!(offsets.get("h", "tweets", 1).is_none());
            assert_eq!(offsets.memory_bytes, ENTRY_BYTES + 1 + 6 + 9);
        }
    }

    #[test]
    fn the_file_does_not_grow_forever() {
        let dir = tempfile::tempdir().unwrap();
        let mut offsets = open(dir.path()).unwrap();
        for offset in 0..10_000 {
            commit(&mut offsets, "g", 1, offset);
        }
        assert!(fs::metadata(file_in(dir.path())).unwrap().len() < 100_000);
        commit(&mut offsets, "g", 2, 5);
        let again = open(dir.path()).unwrap();
        assert_eq!(again.get("g", "tweets", 1).unwrap().offset, 9_999);
        assert_eq!(again.get("g", "tweets", 2).unwrap().offset, 5);
    }

    #[test]
    fn a_torn_line_is_cut_off_and_damage_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = file_in(dir.path());
        let mut offsets = open(dir.path()).unwrap();
        commit(&mut offsets, "g", 1, 5);
        let one = fs::read(&path).unwrap();
        commit(&mut offsets, "g", 1, 6);
        let two = fs::read(&path).unwrap();
        for length in one.len()..two.len() {
            fs::write(&path, &two[..length]).unwrap();
            assert_eq!(open(dir.path()).unwrap().get("g", "tweets", 1).unwrap().offset, 5);
            assert_eq!(fs::read(&path).unwrap(), one);
        }
        for at in 0..one.len() {
            let mut damaged = two.clone();
            damaged[at] ^= 0x10;
            fs::write(&path, &damaged).unwrap();
            assert!(matches!(open(dir.path()), Err(EndpointError::DamagedOffsets { .. })), "byte {at}");
            assert_eq!(fs::read(&path).unwrap(), damaged, "left alone");
        }
    }

    #[test]
    fn memory_is_bounded() {
        let dir = tempfile::tempdir().unwrap();
        let mut offsets = open(dir.path()).unwrap();
        let note = "n".repeat(4_000);
        let refused = (0..100_000).find(|i| {
            let committed = Committed { offset: 1, note: note.clone() };
            offsets.commit(&i.to_string(), vec![("tweets".into(), 0, committed)]).is_err()
        });
        assert!(refused.is_some_and(|at| at > 1_000));
        assert!(offsets.memory_bytes <= BYTES_MAX);
    }
}
