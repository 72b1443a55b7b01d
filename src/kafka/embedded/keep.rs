//! What is done for all logs now and then: synced, looked at for trouble, noted in the manifest.

use std::io;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use super::error::EndpointError;
use super::manifest::Manifest;
use super::options::Fsync;
use super::store::Store;

impl Store {
    /// Notes which partitions there are and how far they go, where that has changed.
    pub fn note_extents(&self) -> Result<(), EndpointError> {
        self.note(true)
    }

    /// The same when nothing can come any more.
    pub fn note_end(&self) -> Result<(), EndpointError> {
        self.note(false)
    }

    /// Says what is known after an endpoint that was killed, which had noted this.
    pub(super) fn tell_of_kill(&self, noted: u64) {
        let manifest = self.manifest.lock().unwrap_or_else(PoisonError::into_inner);
        tracing::warn!(
            path = %self.dir.path().display(),
            later = manifest.messages().saturating_sub(noted),
            "Kafka endpoint: the one before was killed, up to a second after it had noted what is there; later messages \
             are kept, but whether any of them is missing is not known"
        );
    }

    fn note(&self, is_open: bool) -> Result<(), EndpointError> {
        let topics = self.topics.read().unwrap_or_else(PoisonError::into_inner);
        let extents = topics.iter().map(|(name, topic)| {
            (name.clone(), topic.partitions.iter().map(|partition| partition.log().extent()).collect())
        });
        let retains = self.settings.retention_bytes.is_some();
        let now = Manifest { retains, is_open, topics: extents.collect() };
        self.replace_manifest(|_| now)
    }

    /// Notes that a topic is about to go.
    pub(super) fn forget_extents(&self, topic: &str) -> Result<(), EndpointError> {
        self.replace_manifest(|manifest| {
            let mut manifest = manifest.clone();
            manifest.topics.remove(topic);
            manifest
        })
    }

    fn replace_manifest(&self, change: impl FnOnce(&Manifest) -> Manifest) -> Result<(), EndpointError> {
        let mut manifest = self.manifest.lock().unwrap_or_else(PoisonError::into_inner);
        let now = change(&manifest);
        if *manifest != now {
            self.dir.save_manifest(&now, self.settings.fsync != Fsync::Never)?;
            *manifest = now;
        }
        Ok(())
    }

    /// Whether every file still holds what was written into it; looks at each of them.
    pub fn check_files(&self) -> Result<(), EndpointError> {
        let topics = self.topics.read().unwrap_or_else(PoisonError::into_inner);
        let mut found = Ok(());
        for partition in topics.values().flat_map(|topic| &topic.partitions) {
            let mut log = partition.log();
            if let Some(reason) = log.check_files() {
                found = found.and(Err(EndpointError::LostMessages { path: log.dir().to_owned(), reason }));
            }
        }
        found
    }

    /// Why messages cannot be written, if that is so in any partition.
    pub fn fault(&self) -> Option<EndpointError> {
        let topics = self.topics.read().unwrap_or_else(PoisonError::into_inner);
        topics.values().flat_map(|topic| &topic.partitions).find_map(|partition| {
            let log = partition.log();
            if let Some(reason) = log.gone() {
                let (path, reason) = (log.dir().to_owned(), reason.to_owned());
                return Some(EndpointError::LostMessages { path, reason });
            }
            let source = io::Error::other(log.fault()?.to_owned());
            Some(EndpointError::Storage { action: "append to", path: log.dir().to_owned(), source })
        })
    }

    /// Syncs to the device what is not there yet, while appends continue.
    pub fn sync(&self) {
        let topics: Vec<_> = {
            let topics = self.topics.read().unwrap_or_else(PoisonError::into_inner);
            topics.iter().map(|(name, topic)| (name.clone(), topic.clone())).collect()
        };
        for (name, topic) in topics {
            for (index, partition) in topic.partitions.iter().enumerate() {
                let unsynced = partition.log().take_unsynced(); // the lock is not held while it syncs
                let Some(Err(error)) = unsynced.map(|file| file.sync_data()) else { continue };
                tracing::error!(topic = name, index, %error, "Kafka endpoint: cannot sync messages to the device");
                partition.log().mark_unsynced();
            }
        }
    }

    /// As [`sync`](Self::sync), when nothing is appended any more and syncing was asked for at all.
    pub fn sync_at_end(&self) {
        if self.settings.fsync != Fsync::Never {
            self.sync();
        }
    }

    /// How many messages retention has removed, and how many of them nobody had fetched.
    pub fn removed(&self) -> (u64, u64) {
        let removed = &self.settings.removed;
        (removed.records.load(Ordering::Relaxed), removed.unread.load(Ordering::Relaxed))
    }
}
