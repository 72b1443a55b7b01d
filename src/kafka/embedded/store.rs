//! The topics: created, found, deleted, and reopened after a restart.
//!
//! A topic appears and vanishes as a whole: its directory is built elsewhere and renamed into
//! place, so a kill in between leaves either all its partitions or none.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use kafka_protocol::error::ResponseError;

use super::batch::{BatchHeader, Refusal};
use super::data_dir::DataDir;
use super::error::EndpointError;
use super::log::{Extent, Log, LogSettings};
use super::manifest::Manifest;
use super::options::Fsync;
use super::waiters::Waiters;

/// Partitions of all topics together. Each holds a file open; a usual limit is 1,024 files.
pub const PARTITIONS_MAX: usize = 512;
/// Longest topic name (`Topic.MAX_NAME_LENGTH`).
const NAME_BYTES_MAX: usize = 249;
/// Largest step from one producer id to the next. Steps are random, so that no client can write under an id before
/// its owner does.
const PRODUCER_ID_STEP_MAX: u64 = 1 << 32;
/// Producer ids reserved at a time, so that most are given out without a write: some 500.
const PRODUCER_IDS_RESERVED: i64 = 1 << 40;

/// One topic: its partitions, by number.
#[derive(Debug)]
pub(crate) struct LogTopic {
    pub(super) partitions: Vec<Partition>,
}

/// One partition: its log, and the fetches that wait for messages in it.
#[derive(Debug)]
pub(crate) struct Partition {
    log: Mutex<Log>,
    pub waiters: Waiters,
}

impl LogTopic {
    /// Opens the partitions in a folder: those that are there, and those that should be.
    fn open(path: &Path, settings: &LogSettings, listed: Option<&[Extent]>) -> Result<Self, EndpointError> {
        let failed = |action| {
            let path = path.to_owned();
            move |source| EndpointError::Storage { action, path, source }
        };
        let dir = |number: usize| path.join(number.to_string());
        if listed.is_some() && !path.is_dir() {
            settings.lost(path, "the folder is missing".to_owned())?;
        }
        for missing in (0..listed.map_or(0, <[_]>::len)).map(dir).filter(|dir| !dir.is_dir()) {
            settings.lost(&missing, "the folder is missing".to_owned())?;
            fs::create_dir_all(&missing).map_err(failed("create"))?;
        }
        let open = |number| {
            let listed = listed.and_then(|listed| listed.get(number)).copied();
            Partition::open(&dir(number), settings, listed)
        };
        let partitions: Vec<_> =
            (0..).take_while(|number| dir(*number).is_dir()).map(open).collect::<Result<_, _>>()?;
        let found = fs::read_dir(path).map_err(failed("read"))?.count();
        if partitions.is_empty() || partitions.len() != found {
            let gap = io::Error::other("its partitions are not numbered from 0 without a gap");
            return Err(failed("use")(gap));
        }
        Ok(Self { partitions })
    }

    /// How many partitions it has.
    pub fn partition_count(&self) -> i32 {
        self.partitions.len() as i32
    }

    pub fn partition(&self, index: i32) -> Option<&Partition> {
        self.partitions.get(usize::try_from(index).ok()?)
    }
}

impl Partition {
    fn open(dir: &Path, settings: &LogSettings, listed: Option<Extent>) -> Result<Self, EndpointError> {
        let log = Log::open_listed(dir, settings, listed)?;
        Ok(Self { log: Mutex::new(log), waiters: Waiters::default() })
    }

    pub fn log(&self) -> MutexGuard<'_, Log> {
        // A panic under the lock ends its connection. Append changes the log's state only after
        // everything that can fail, so the state is consistent and other connections can continue.
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As [`Log::append`]; wakes the fetches that wait for messages.
    pub fn append(&self, header: &BatchHeader, records: &[u8]) -> Result<i64, Refusal> {
        let base_offset = self.log().append(header, records)?;
        self.waiters.wake_all();
        Ok(base_offset)
    }
}

#[derive(Debug)]
struct ProducerIds {
    next: i64,
    reserved: i64,
}

/// All topics, and the directory they live in. What is done for them now and then is in `keep.rs`.
#[derive(Debug)]
pub(crate) struct Store {
    pub(super) dir: DataDir,
    pub(super) settings: LogSettings,
    pub(super) topics: RwLock<BTreeMap<String, Arc<LogTopic>>>,
    /// What the directory says that it holds. Locked after the topics.
    pub(super) manifest: Mutex<Manifest>,
    producer_ids: Mutex<ProducerIds>,
    scratch_names: AtomicU64,
}

impl Store {
    /// Opens every topic in the directory. Takes as long as reading all logs once.
    pub fn open(dir: DataDir, settings: LogSettings) -> Result<Self, EndpointError> {
        let failed = |action, path: &Path| {
            let path = path.to_owned();
            move |source| EndpointError::Storage { action, path, source }
        };
        // Topics that were being created or deleted when the last process ended.
        let scratch = dir.scratch();
        fs::remove_dir_all(&scratch).map_err(failed("remove", &scratch))?;
        fs::create_dir(&scratch).map_err(failed("create", &scratch))?;

        let mut listed = dir.load_manifest(settings.repair)?.unwrap_or_default();
        let was_killed = listed.is_open.then(|| listed.messages());
        if listed.retains || settings.retention_bytes.is_some() {
            listed.topics.values_mut().flatten().for_each(|(first, _)| *first = i64::MAX);
        }
        let root = dir.topics();
        let mut names: BTreeSet<String> = listed.topics.keys().cloned().collect();
        for entry in fs::read_dir(&root).map_err(failed("read", &root))? {
            let path = entry.map_err(failed("read", &root))?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            let Some(name) = name.filter(|name| is_topic_name(name)) else {
                let strange = io::Error::other("this is no topic's directory");
                return Err(failed("use", &path)(strange));
            };
            names.insert(name.to_owned());
        }
        let mut topics = BTreeMap::new();
        for name in names {
            let listed = listed.topics.get(&name).map(Vec::as_slice);
            topics.insert(name.clone(), Arc::new(LogTopic::open(&root.join(name), &settings, listed)?));
        }
        let next = dir.load_producer_ids()?;
        let store = Self {
            dir,
            settings,
            topics: RwLock::new(topics),
            manifest: Mutex::default(),
            producer_ids: Mutex::new(ProducerIds { next, reserved: next }),
            scratch_names: AtomicU64::new(0),
        };
        // In this order: a directory of an earlier version has a manifest before its marker says so.
        store.note_extents()?;
        store.dir.save_producer_ids(next)?;
        if let Some(noted) = was_killed {
            store.tell_of_kill(noted);
        }
        Ok(store)
    }

    pub fn dir(&self) -> &DataDir {
        &self.dir
    }

    /// Returns the directory, to be removed if it is temporary.
    pub fn into_dir(self) -> DataDir {
        self.dir
    }

    pub fn settings(&self) -> &LogSettings {
        &self.settings
    }

    pub fn topic(&self, name: &str) -> Option<Arc<LogTopic>> {
        self.topics.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// All topics, by name, with their partition counts.
    pub fn all_topics(&self) -> Vec<(String, i32)> {
        let topics = self.topics.read().unwrap_or_else(PoisonError::into_inner);
        topics.iter().map(|(name, topic)| (name.clone(), topic.partition_count())).collect()
    }

    /// Of each topic its name, the messages that it has got, and the bytes that it keeps of them.
    pub fn usage(&self) -> Vec<(String, u64, u64)> {
        let topics = self.topics.read().unwrap_or_else(PoisonError::into_inner);
        let usage = |(name, topic): (&String, &Arc<LogTopic>)| {
            let logs = topic.partitions.iter().map(Partition::log);
            let (messages, bytes) = logs.fold((0, 0), |(messages, bytes), log| {
                (messages + log.next_offset().unsigned_abs(), bytes + log.bytes())
            });
            (name.clone(), messages, bytes)
        };
        topics.iter().map(usage).collect()
    }

    /// Makes a topic, or with `validate_only` says whether it could be made. The inner error goes
    /// to the client with its reason.
    pub fn create_topic(
        &self,
        name: &str,
        partition_count: i32,
        validate_only: bool,
    ) -> Result<(), (ResponseError, String)> {
        if !is_topic_name(name) {
            let reason = "a topic's name is 1 to 249 of a-z A-Z 0-9 . _ - but not . or ..";
            return Err((ResponseError::InvalidTopicException, reason.to_owned()));
        }
        let Some(wanted) = usize::try_from(partition_count).ok().filter(|&n| n > 0) else {
            let reason = "the number of partitions must be 1 or more";
            return Err((ResponseError::InvalidPartitions, reason.to_owned()));
        };
        let mut topics = self.topics.write().unwrap_or_else(PoisonError::into_inner);
        if topics.contains_key(name) {
            let reason = format!("topic '{name}' already exists");
            return Err((ResponseError::TopicAlreadyExists, reason));
        }
        let present: usize = topics.values().map(|topic| topic.partitions.len()).sum();
        if wanted > PARTITIONS_MAX.saturating_sub(present) {
            let reason = format!(
                "the embedded endpoint holds {PARTITIONS_MAX} partitions in all, and has \
                 {present}; use a real Kafka cluster for more"
            );
            return Err((ResponseError::PolicyViolation, reason));
        }
        if validate_only {
            return Ok(());
        }
        let partitions = self.make_partitions(name, wanted).map_err(|error| {
            tracing::error!(
                topic = name,
                error = &error as &dyn std::error::Error,
                "Kafka endpoint: cannot create a topic"
            );
            (ResponseError::KafkaStorageError, error.to_string())
        })?;
        topics.insert(name.to_owned(), Arc::new(LogTopic { partitions }));
        drop(topics);
        if let Err(error) = self.note_extents() {
            // Tried again every second.
            tracing::warn!(
                topic = name,
                error = &error as &dyn std::error::Error,
                "Kafka endpoint: cannot note a topic"
            );
        }
        Ok(())
    }

    fn make_partitions(&self, name: &str, count: usize) -> Result<Vec<Partition>, EndpointError> {
        let (new, path) = (self.scratch_path(), self.dir.topics().join(name));
        let failed = |action, path: &Path| {
            let path = path.to_owned();
            move |source| EndpointError::Storage { action, path, source }
        };
        let make = || {
            let inner: Vec<_> = (0..count).map(|i| new.join(i.to_string())).collect();
            inner.iter().try_for_each(fs::create_dir_all).map_err(failed("create", &new))?;
            // The files are opened in place and follow the rename.
            let opened = inner.iter().map(|dir| Partition::open(dir, &self.settings, None));
            let partitions = opened.collect::<Result<Vec<_>, _>>()?;
            inner.iter().chain([&new]).try_for_each(|dir| self.sync_dir(dir))?;
            fs::rename(&new, &path).map_err(failed("create", &path))?;
            self.sync_dir(&self.dir.topics()).inspect_err(|_| drop(fs::remove_dir_all(&path)))?;
            Ok(partitions)
        };
        // The next start removes what is left of a failed attempt, if this cannot.
        let partitions = make().inspect_err(|_| drop(fs::remove_dir_all(&new)))?;
        for (i, partition) in partitions.iter().enumerate() {
            partition.log().moved_to(&path.join(i.to_string()));
        }
        Ok(partitions)
    }

    /// Makes a directory's entries survive a loss of power, if that is asked for.
    fn sync_dir(&self, path: &Path) -> Result<(), EndpointError> {
        if self.settings.fsync == Fsync::Never {
            return Ok(());
        }
        let synced = File::open(path).and_then(|dir| dir.sync_all());
        synced.map_err(|source| EndpointError::Storage { action: "sync", path: path.to_owned(), source })
    }

    /// Removes a topic and its messages. Fetches under way still end well: they hold the files open.
    pub fn delete_topic(&self, name: &str) -> Result<(), ResponseError> {
        let mut topics = self.topics.write().unwrap_or_else(PoisonError::into_inner);
        let topic = topics.get(name).ok_or(ResponseError::UnknownTopicOrPartition)?;
        let grave = self.scratch_path();
        // Before it goes: what the manifest lists has to be there.
        if let Err(error) = self.forget_extents(name) {
            tracing::error!(
                topic = name,
                error = &error as &dyn std::error::Error,
                "Kafka endpoint: cannot delete a topic"
            );
            return Err(ResponseError::KafkaStorageError);
        }
        if let Err(error) = fs::rename(self.dir.topics().join(name), &grave) {
            tracing::error!(topic = name, %error, "Kafka endpoint: cannot delete a topic");
            return Err(ResponseError::KafkaStorageError);
        }
        for partition in &topic.partitions {
            partition.log().mark_deleted();
            partition.waiters.wake_all();
        }
        topics.remove(name);
        let _ = fs::remove_dir_all(&grave); // if this fails, the next start removes it
        Ok(())
    }

    /// A producer id that was never given out before, nor before the last restart.
    pub fn next_producer_id(&self) -> Result<i64, EndpointError> {
        let mut ids = self.producer_ids.lock().unwrap_or_else(PoisonError::into_inner);
        let step = RandomState::new().hash_one(ids.next) % PRODUCER_ID_STEP_MAX;
        let id = ids.next.saturating_add_unsigned(step);
        if id >= ids.reserved {
            let reserved = id.saturating_add(PRODUCER_IDS_RESERVED);
            self.dir.save_producer_ids(reserved)?;
            ids.reserved = reserved;
        }
        ids.next = id.saturating_add(1);
        Ok(id)
    }

    fn scratch_path(&self) -> PathBuf {
        let n = self.scratch_names.fetch_add(1, Ordering::Relaxed);
        self.dir.scratch().join(n.to_string())
    }
}

/// Kafka's rule (`Topic.validate`). It also keeps names from leaving the directory.
fn is_topic_name(name: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&name.len())
        && name != "."
        && name != ".."
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
