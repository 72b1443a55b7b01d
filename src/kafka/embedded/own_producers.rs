//! The producers of the replay in this process, recognised by a secret client id.
//!
//! Producer ids and sequence numbers are in the log for every reader, so they must not be enough to write as the
//! replay. Its own batches are not checked record by record, because it reads them back itself.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Who the replay's producers are.
#[derive(Debug)]
pub(crate) struct OwnProducers {
    client_id: String,
    /// Producer ids that they were given.
    ids: Mutex<HashSet<i64>>,
}

impl Default for OwnProducers {
    fn default() -> Self {
        let random = || RandomState::new().hash_one(std::process::id());
        Self { client_id: format!("tweetblast-{:016x}{:016x}", random(), random()), ids: Mutex::default() }
    }
}

impl OwnProducers {
    /// The client id by which they are known.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Whether a client of this id is one of them.
    pub fn has(&self, client_id: &str) -> bool {
        self.client_id == client_id
    }

    /// A client was given a producer id.
    pub fn given(&self, client_id: &str, id: i64) {
        if self.has(client_id) {
            self.ids().insert(id);
        }
    }

    /// Whether a client may write under a producer id.
    pub fn may_write(&self, client_id: &str, id: i64) -> bool {
        self.has(client_id) || !self.ids().contains(&id)
    }

    fn ids(&self) -> MutexGuard<'_, HashSet<i64>> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_write_under_their_own_ids_and_under_none() {
        let own = OwnProducers::default();
        let ours = own.client_id().to_owned();
        own.given(&ours, 7);
        own.given("rdkafka", 8);
        for (client, id, may) in [
            (&*ours, 7, true),
            (&*ours, 9, true),
            ("rdkafka", 8, true),
            ("rdkafka", -1, true),
            ("rdkafka", 7, false),
        ] {
            assert_eq!(own.may_write(client, id), may, "{client} {id}");
        }
        assert!(!OwnProducers::default().has(&ours), "another process has another one");
    }
}
