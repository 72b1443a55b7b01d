//! What should be in a directory of logs: `DIR/manifest`, a line for each partition.
//!
//! Written when a topic is made or removed, once a second while messages come, and at the end. So files and folders that
//! are missing at a start are noticed, as are logs that end before they did: at most what came in the last second is
//! not known of. That an endpoint was killed is noticed too, because it left its directory open.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use super::error::EndpointError;
use super::log::Extent;

const MANIFEST_FILE: &str = "manifest";
const TITLE: &str = "partitions, and the offsets from FIRST to before END that should be there";
const KEEPS_ALL: &str = "retention: none";
const RETAINS: &str = "retention: by size";
const OPEN: &str = "open";

/// What should be there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Manifest {
    /// Whether the first offset of a partition may rise.
    pub retains: bool,
    /// Whether an endpoint is at work in the directory, or was until it was killed.
    pub is_open: bool,
    /// Each topic's partitions.
    pub topics: BTreeMap<String, Vec<Extent>>,
}

impl Manifest {
    /// Reads that of a directory; `None`: it has none.
    pub fn load(dir: &Path) -> Result<Option<Self>, EndpointError> {
        let path = dir.join(MANIFEST_FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(EndpointError::Storage { action: "read", path, source }),
        };
        let damaged =
            || EndpointError::LostMessages { path, reason: "it does not list what should be there".into() };
        Self::parse(&text).ok_or_else(damaged).map(Some)
    }

    /// Replaces that of a directory, through a file in `scratch`.
    pub fn save(&self, dir: &Path, scratch: &Path, sync: bool) -> Result<(), EndpointError> {
        let (path, new) = (dir.join(MANIFEST_FILE), scratch.join(MANIFEST_FILE));
        let save = || {
            let mut file = File::create(&new)?;
            file.write_all(self.text().as_bytes())?;
            if sync {
                file.sync_all()?;
            }
            fs::rename(&new, &path)?;
            if sync { File::open(dir)?.sync_all() } else { Ok(()) }
        };
        let failed =
            |source: io::Error| EndpointError::Storage { action: "write", path: path.clone(), source };
        save().map_err(failed)
    }

    fn text(&self) -> String {
        let mut text = format!("{TITLE}\n{}\n", if self.retains { RETAINS } else { KEEPS_ALL });
        for (topic, partitions) in &self.topics {
            for (number, (first, end)) in partitions.iter().enumerate() {
                text.push_str(&format!("{topic} {number} {first} {end}\n"));
            }
        }
        if self.is_open {
            text.push_str(&format!("{OPEN}\n"));
        }
        text.push_str("end\n");
        text
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix("end\n")?.lines();
        if lines.next()? != TITLE {
            return None;
        }
        let retains = match lines.next()? {
            KEEPS_ALL => false,
            RETAINS => true,
            _ => return None,
        };
        let mut topics = BTreeMap::<String, Vec<Extent>>::new();
        let mut is_open = false;
        for line in lines {
            if is_open {
                return None;
            }
            if line == OPEN {
                is_open = true;
                continue;
            }
            let mut fields = line.split(' ');
            let partitions = topics.entry(fields.next()?.to_owned()).or_default();
            let mut number = || fields.next()?.parse::<i64>().ok().filter(|number| *number >= 0);
            let (partition, first, end) = (number()?, number()?, number()?);
            if usize::try_from(partition) != Ok(partitions.len()) || first > end {
                return None;
            }
            partitions.push((first, end));
        }
        Some(Self { retains, is_open, topics })
    }

    /// Messages that ever came, as far as it knows.
    pub fn messages(&self) -> u64 {
        self.topics.values().flatten().map(|(_, end)| u64::try_from(*end).unwrap_or(0)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let topics = [("tweets".to_owned(), vec![(0, 7), (3, 90)]), ("x".to_owned(), vec![(0, 0)])];
        Manifest { retains: true, is_open: true, topics: topics.into() }
    }

    #[test]
    fn it_comes_back_as_it_was_saved() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Manifest::load(dir.path()).unwrap(), None);
        for (saved, sync) in [(Manifest::default(), false), (manifest(), true)] {
            saved.save(dir.path(), dir.path(), sync).unwrap();
            assert_eq!(Manifest::load(dir.path()).unwrap(), Some(saved));
        }
    }

    #[test]
    fn one_that_is_cut_off_or_changed_is_no_manifest() {
        let text = manifest().text();
        assert_eq!(Manifest::parse(&text), Some(manifest()));
        for length in 0..text.len() {
            assert_eq!(Manifest::parse(&text[..length]), None, "{length}");
        }
        for (from, to) in [
            ("x 0 0 0", "x 1 0 0"),
            ("open", "open 0"),
            ("open", "open\nopen"),
            ("0 7", "8 7"),
            ("by size", "by chance"),
            ("3 90", "3 -90"),
        ] {
            assert!(text.contains(from));
            assert_eq!(Manifest::parse(&text.replacen(from, to, 1)), None, "{to}");
        }
    }
}
