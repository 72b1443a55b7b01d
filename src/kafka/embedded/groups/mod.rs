//! Consumer groups: their members, and how far they have read.
//!
//! Joining and syncing block the connection's thread until the group agrees. Waiting members are
//! woken through their connection's waiter.

mod group;
pub(crate) mod offsets;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use kafka_protocol::error::ResponseError;

pub(crate) use group::{Candidate, ConsumerGroup, Joined, Phase};
use offsets::{CommitError, Committed, Offsets};

use super::EndpointError;
use super::options::Fsync;
use super::waiters::Waiter;

/// Members of all groups together.
const MEMBERS_MAX: usize = 1_000;
/// Limit on the metadata and assignments of all members together. A typical consumer needs a few
/// hundred bytes.
const BYTES_MAX: usize = 8 << 20;
/// Longest group name.
const NAME_BYTES_MAX: usize = 1_000;
/// Longest note on an offset. Kafka's `offset.metadata.max.bytes`.
const NOTE_BYTES_MAX: usize = 4096;
/// Kafka's bounds on a member's silence (`group.min/max.session.timeout.ms`).
const SESSION_TIMEOUTS: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(6)..=Duration::from_secs(1800);
/// Longest wait for members to join again, whatever they ask for.
const REBALANCE_TIMEOUT_MAX: Duration = Duration::from_secs(1800);
/// A waiting thread checks at least this often, whatever the group's next change is.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct Groups(Mutex<GroupsState>);

#[derive(Debug)]
struct GroupsState {
    groups: BTreeMap<String, ConsumerGroup>,
    offsets: Offsets,
    /// Protocol types of groups that have committed as members: they keep it when the members are gone.
    types: BTreeMap<String, String>,
    /// Makes member ids differ between starts of the endpoint, and within one.
    life: u64,
    ids_given: u64,
}

/// The description of a group, for administrators.
#[derive(Debug)]
pub(crate) struct Described {
    pub state: &'static str,
    pub protocol_type: String,
    pub protocol: String,
    pub members: Vec<DescribedMember>,
}

#[derive(Debug)]
pub(crate) struct DescribedMember {
    pub id: String,
    pub client_id: String,
    pub client_host: String,
    pub metadata: Bytes,
    pub assignment: Bytes,
}

impl Groups {
    pub fn open(dir: &Path, scratch: &Path, fsync: Fsync) -> Result<Self, EndpointError> {
        let offsets = Offsets::open(offsets::file_in(dir), scratch.join("groups"), fsync)?;
        let life = RandomState::new().hash_one(dir);
        Ok(Self(Mutex::new(GroupsState {
            groups: BTreeMap::new(),
            offsets,
            types: BTreeMap::new(),
            life,
            ids_given: 0,
        })))
    }

    /// Joins, and waits for the others. A candidate without a member id gets one; with
    /// `id_required` it has to join again with it (the error carries the id).
    pub fn join(
        &self,
        name: &str,
        mut candidate: Candidate,
        id_required: bool,
        waiter: &Arc<Waiter>,
    ) -> Result<(String, Joined), (ResponseError, String)> {
        let refuse = |error, id: &str| Err((error, id.to_owned()));
        if name.is_empty() || name.len() > NAME_BYTES_MAX {
            return refuse(ResponseError::InvalidGroupId, &candidate.member_id);
        }
        if !SESSION_TIMEOUTS.contains(&candidate.session_timeout) {
            return refuse(ResponseError::InvalidSessionTimeout, &candidate.member_id);
        }
        candidate.rebalance_timeout = candidate.rebalance_timeout.min(REBALANCE_TIMEOUT_MAX);
        let fresh = candidate.member_id.is_empty();
        let now = Instant::now();
        let mut state = self.lock();
        let (members, bytes) = state.size(now);
        if (fresh && members >= MEMBERS_MAX) || bytes + candidate.bytes() > BYTES_MAX {
            return refuse(ResponseError::GroupMaxSizeReached, &candidate.member_id);
        }
        if fresh {
            candidate.member_id = state.new_member_id(&candidate.client_id);
        }
        let id = candidate.member_id.clone();
        if fresh && id_required {
            let timeout = candidate.session_timeout;
            state.group(name, now).promise(now, id.clone(), timeout);
            return refuse(ResponseError::MemberIdRequired, &id);
        }
        let joining = state.group(name, now).join(now, candidate, fresh);
        state.remove_if_vacant(name);
        if let Err(error) = joining {
            return refuse(error, &id);
        }
        let joined = self.wait(state, name, waiter, |group| group.joined(&id));
        joined.map(|joined| (id.clone(), joined)).map_err(|error| (error, id))
    }

    /// Hands in the leader's assignments, and waits for the member's own one.
    pub fn sync(
        &self,
        name: &str,
        member_id: &str,
        generation: i32,
        assignments: &[(String, Bytes)],
        waiter: &Arc<Waiter>,
    ) -> Result<Bytes, ResponseError> {
        let mut state = self.lock();
        let now = Instant::now();
        let told: usize = assignments.iter().map(|(_, assignment)| assignment.len()).sum();
        if told > 0 && state.size(now).1 + told > BYTES_MAX {
            return Err(ResponseError::GroupMaxSizeReached);
        }
        let group = state.existing(name, now).ok_or(ResponseError::UnknownMemberId)?;
        group.sync(now, member_id, generation, assignments)?;
        self.wait(state, name, waiter, |group| group.synced(member_id, generation))
    }

    /// Waits until the group has an answer.
    fn wait<'a, T>(
        &'a self,
        mut state: MutexGuard<'a, GroupsState>,
        name: &str,
        waiter: &Arc<Waiter>,
        answer: impl Fn(&ConsumerGroup) -> Option<Result<T, ResponseError>>,
    ) -> Result<T, ResponseError> {
        loop {
            let now = Instant::now();
            let group = state.existing(name, now).ok_or(ResponseError::UnknownMemberId)?;
            if let Some(answer) = answer(group) {
                return answer;
            }
            let again = group.next_change(now).map_or(now + LOOK_AGAIN, |at| at.min(now + LOOK_AGAIN));
            drop(state);
            if waiter.is_closed() {
                return Err(ResponseError::CoordinatorNotAvailable);
            }
            waiter.wait_until(again);
            state = self.lock();
        }
    }

    pub fn heartbeat(&self, name: &str, member_id: &str, generation: i32) -> Result<(), ResponseError> {
        let now = Instant::now();
        let mut state = self.lock();
        let group = state.existing(name, now).ok_or(ResponseError::UnknownMemberId)?;
        group.heartbeat(now, member_id, generation)
    }

    pub fn leave(&self, name: &str, member_id: &str) -> Result<(), ResponseError> {
        let now = Instant::now();
        let mut state = self.lock();
        let group = state.existing(name, now).ok_or(ResponseError::UnknownMemberId)?;
        let left = group.leave(now, member_id);
        group.advance(now); // the round that this began may be over already
        state.remove_if_vacant(name);
        left
    }

    /// Commits offsets one by one: a note that is too long is refused, the others are committed.
    pub fn commit(
        &self,
        name: &str,
        member_id: &str,
        generation: i32,
        offsets: Vec<(String, i32, Committed)>,
    ) -> Vec<Result<(), ResponseError>> {
        let now = Instant::now();
        let mut state = self.lock();
        let allowed = match state.existing(name, now) {
            Some(group) => group.may_commit(now, member_id, generation),
            None if name.len() > NAME_BYTES_MAX => Err(ResponseError::InvalidGroupId),
            None if generation < 0 => Ok(()),
            None => Err(ResponseError::UnknownMemberId),
        };
        let results: Vec<_> = offsets
            .iter()
            .map(|(_, _, committed)| match allowed {
                Ok(()) if committed.note.len() > NOTE_BYTES_MAX => Err(ResponseError::OffsetMetadataTooLarge),
                allowed => allowed,
            })
            .collect();
        let good = offsets.into_iter().zip(&results).filter(|(_, result)| result.is_ok());
        let committed = state.offsets.commit(name, good.map(|(offset, _)| offset).collect());
        if let (Ok(()), Some(group)) = (&committed, state.groups.get(name)) {
            let protocol_type = group.protocol_type.clone();
            state.types.insert(name.to_owned(), protocol_type);
        }
        let committed = committed.map_err(|error| match error {
            CommitError::TooMuch => ResponseError::InvalidCommitOffsetSize,
            CommitError::Io => ResponseError::CoordinatorNotAvailable, // clients try again
        });
        results.into_iter().map(|result| result.and(committed)).collect()
    }

    /// Calls `read` with the committed offsets of all groups.
    pub fn committed<T>(&self, read: impl FnOnce(&Offsets) -> T) -> T {
        read(&self.lock().offsets)
    }

    /// All groups that have members or offsets, with their descriptions.
    pub fn list(&self) -> Vec<(String, Described)> {
        let state = self.lock();
        let mut names: Vec<String> = state.groups.keys().cloned().collect();
        names.extend(state.offsets.groups().map(str::to_owned));
        drop(state);
        names.sort_unstable();
        names.dedup();
        names.into_iter().filter_map(|name| Some((name.clone(), self.describe(&name)?))).collect()
    }

    pub fn describe(&self, name: &str) -> Option<Described> {
        let mut state = self.lock();
        let has_offsets = state.offsets.of_group(name).next().is_some();
        let Some(group) = state.existing(name, Instant::now()) else {
            let protocol_type = state.types.get(name).cloned().unwrap_or_default();
            let empty = describe(&ConsumerGroup::new());
            return has_offsets.then_some(Described { protocol_type, ..empty });
        };
        Some(describe(group))
    }

    /// Removes a group without members, and its offsets.
    pub fn delete(&self, name: &str) -> Result<(), ResponseError> {
        let mut state = self.lock();
        if state.existing(name, Instant::now()).is_some() {
            return Err(ResponseError::NonEmptyGroup);
        }
        if state.offsets.of_group(name).next().is_none() {
            return Err(ResponseError::GroupIdNotFound);
        }
        let forgotten = state.offsets.forget(|group, _| group == name);
        state.types.remove(name);
        forgotten.map_err(|_| ResponseError::CoordinatorNotAvailable)
    }

    /// A topic was deleted: its offsets would be wrong for a new one of the same name.
    pub fn topic_deleted(&self, name: &str) {
        // A failure has been logged; consumers then find their offset out of range.
        let GroupsState { offsets, types, .. } = &mut *self.lock();
        let _ = offsets.forget(|_, topic| topic == name);
        types.retain(|group, _| offsets.of_group(group).next().is_some());
    }

    fn lock(&self) -> MutexGuard<'_, GroupsState> {
        // A panic under the lock ends one connection; a half-changed group ends by its members'
        // time-outs.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl GroupsState {
    /// How many members there are or may soon be, and how many bytes they take.
    fn size(&mut self, now: Instant) -> (usize, usize) {
        // Groups that get no requests hold members that are long gone.
        self.groups.values_mut().for_each(|group| group.advance(now));
        self.groups.retain(|_, group| !group.is_vacant());
        let groups = self.groups.values();
        (groups.clone().map(ConsumerGroup::size).sum(), groups.map(ConsumerGroup::bytes).sum())
    }

    fn new_member_id(&mut self, client_id: &str) -> String {
        self.ids_given += 1;
        format!("{client_id}-{:016x}-{}", self.life, self.ids_given)
    }

    /// A group at time `now`; created if it is missing.
    fn group(&mut self, name: &str, now: Instant) -> &mut ConsumerGroup {
        let group = self.groups.entry(name.to_owned()).or_insert_with(ConsumerGroup::new);
        group.advance(now);
        group
    }

    /// A group with members, at time `now`.
    fn existing(&mut self, name: &str, now: Instant) -> Option<&mut ConsumerGroup> {
        self.groups.get_mut(name)?.advance(now);
        self.remove_if_vacant(name);
        self.groups.get_mut(name)
    }

    fn remove_if_vacant(&mut self, name: &str) {
        if self.groups.get(name).is_some_and(ConsumerGroup::is_vacant) {
            self.groups.remove(name);
        }
    }
}

fn describe(group: &ConsumerGroup) -> Described {
    let members = group.members.iter().map(|(id, member)| DescribedMember {
        id: id.clone(),
        client_id: member.candidate.client_id.clone(),
        client_host: member.candidate.client_host.clone(),
        metadata: member.metadata(&group.protocol),
        assignment: member.assignment.clone(),
    });
    Described {
        state: match group.phase {
            Phase::Empty => "Empty",
            Phase::Joining { .. } => "PreparingRebalance",
            Phase::AwaitingSync => "CompletingRebalance",
            Phase::Stable => "Stable",
        },
        protocol_type: group.protocol_type.clone(),
        protocol: group.protocol.clone(),
        members: members.collect(),
    }
}
