//! One consumer group: its members, and how far they have agreed on who reads what. Kafka's classic
//! protocol as a state machine without threads; the time is passed in.
//!
//! ```text
//!  Empty ─first join─▶ Joining ─all have joined─▶ AwaitingSync ─leader's assignment─▶ Stable
//!                         ▲───────── a member joins, leaves, or stays silent ──────────┘
//! ```
//!
//! Nothing here runs by itself. Silent members are noticed by the next request for the group, or by
//! a member that waits; until then their silence has no effect.

use std::collections::{BTreeMap, HashMap};
use std::sync::Weak;
use std::time::{Duration, Instant};

use bytes::Bytes;
use kafka_protocol::error::ResponseError;

use crate::kafka::embedded::waiters::Waiter;

/// How long a new group waits for more members before it assigns partitions, so that consumers
/// started together meet in the first round. (Kafka: 3 s, `group.initial.rebalance.delay.ms`.)
const FIRST_ROUND_DELAY: Duration = Duration::from_millis(200);

/// A consumer that asks to join, and its metadata.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub member_id: String,
    pub client_id: String,
    pub client_host: String,
    pub protocol_type: String,
    /// The assignment protocols it knows, best first, each with the member's metadata.
    pub protocols: Vec<(String, Bytes)>,
    pub session_timeout: Duration,
    pub rebalance_timeout: Duration,
    pub waiter: Weak<Waiter>,
}

impl Candidate {
    /// The size of its metadata.
    pub fn bytes(&self) -> usize {
        self.protocols.iter().map(|(name, metadata)| name.len() + metadata.len()).sum()
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Awaits {
    Nothing,
    /// The answer to its JoinGroup.
    Members,
    /// The answer to its SyncGroup.
    Assignment,
}

#[derive(Debug)]
pub(crate) struct GroupMember {
    pub candidate: Candidate,
    pub assignment: Bytes,
    awaits: Awaits,
    /// When its silence ends its membership; not while it awaits an answer.
    expires: Instant,
}

impl GroupMember {
    /// Its metadata for a protocol.
    pub fn metadata(&self, protocol: &str) -> Bytes {
        let protocols = &self.candidate.protocols;
        protocols
            .iter()
            .find(|(name, _)| name == protocol)
            .map(|(_, metadata)| metadata.clone())
            .unwrap_or_default()
    }

    fn knows(&self, protocol: &str) -> bool {
        self.candidate.protocols.iter().any(|(name, _)| name == protocol)
    }

    fn heard(&mut self, now: Instant) {
        self.expires = now + self.candidate.session_timeout;
    }

    fn wake(&self) {
        if let Some(waiter) = self.candidate.waiter.upgrade() {
            waiter.wake();
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Empty,
    /// A round of joining ends when all have joined, but not before `earliest`; at `latest` it ends
    /// without those who are missing.
    Joining {
        earliest: Instant,
        latest: Instant,
    },
    AwaitingSync,
    Stable,
}

/// The answer to a member that has joined.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Joined {
    pub generation: i32,
    pub protocol: String,
    pub leader: String,
    /// For the leader: every member with its metadata. Empty for the others.
    pub members: Vec<(String, Bytes)>,
}

#[derive(Debug)]
pub(crate) struct ConsumerGroup {
    pub phase: Phase,
    pub protocol_type: String,
    pub protocol: String,
    pub members: BTreeMap<String, GroupMember>,
    generation: i32,
    leader: String,
    /// Member ids given out but not used yet, and when they expire.
    promised: HashMap<String, Instant>,
}

impl ConsumerGroup {
    pub fn new() -> Self {
        Self {
            phase: Phase::Empty,
            protocol_type: String::new(),
            protocol: String::new(),
            members: BTreeMap::new(),
            generation: 0,
            leader: String::new(),
            promised: HashMap::new(),
        }
    }

    /// Whether it has neither members nor promised ids.
    pub fn is_vacant(&self) -> bool {
        self.members.is_empty() && self.promised.is_empty()
    }

    /// Members, and those who may become one.
    pub fn size(&self) -> usize {
        self.members.len() + self.promised.len()
    }

    /// The size of its members' metadata and assignments.
    pub fn bytes(&self) -> usize {
        self.members.values().map(|member| member.candidate.bytes() + member.assignment.len()).sum()
    }

    /// Advances the time: removes silent members, and ends a round of joining that is due.
    pub fn advance(&mut self, now: Instant) {
        self.promised.retain(|_, until| *until > now);
        let before = self.members.len();
        self.members.retain(|_, member| member.awaits != Awaits::Nothing || member.expires > now);
        if self.members.len() < before {
            self.begin_round(now);
        }
        let Phase::Joining { earliest, latest } = self.phase else { return };
        let here = |member: &GroupMember| member.awaits == Awaits::Members;
        let complete = self.promised.is_empty() && self.members.values().all(here);
        if now >= latest || (complete && now >= earliest) {
            self.members.retain(|_, member| here(member));
            self.end_round(now);
        }
    }

    /// When [`advance`](Self::advance) next has something to do, if nothing else happens.
    pub fn next_change(&self, now: Instant) -> Option<Instant> {
        let round = match self.phase {
            Phase::Joining { earliest, latest } => [Some(earliest), Some(latest)],
            _ => [None, None],
        };
        let silent = self.members.values().filter(|member| member.awaits == Awaits::Nothing);
        let ends = silent.map(|member| member.expires).chain(self.promised.values().copied());
        round.into_iter().flatten().chain(ends).filter(|&at| at > now).min()
    }

    /// Gives out a member id, to be used in the next request to join (KIP-394).
    pub fn promise(&mut self, now: Instant, member_id: String, session_timeout: Duration) {
        self.promised.insert(member_id, now + session_timeout);
    }

    /// Takes a request to join; the answer is in [`joined`](Self::joined), at once or later. The
    /// member id is known here already, promised, or `fresh`: made for this request.
    pub fn join(&mut self, now: Instant, candidate: Candidate, fresh: bool) -> Result<(), ResponseError> {
        let id = candidate.member_id.clone();
        let known = self.members.get(&id);
        if known.is_none() && !fresh && !self.promised.contains_key(&id) {
            return Err(ResponseError::UnknownMemberId);
        }
        if !self.can_agree(&candidate) {
            return Err(ResponseError::InconsistentGroupProtocol);
        }
        self.promised.remove(&id);
        // An answer got lost, or the member has nothing new: it gets the same answer again.
        let unchanged = known.is_some_and(|known| known.candidate.protocols == candidate.protocols);
        let again = match self.phase {
            Phase::AwaitingSync => unchanged,
            Phase::Stable => unchanged && id != self.leader,
            Phase::Empty | Phase::Joining { .. } => false,
        };
        self.protocol_type.clone_from(&candidate.protocol_type);
        let assignment = self.members.remove(&id).map(|known| known.assignment).unwrap_or_default();
        let expires = now + candidate.session_timeout;
        let awaits = if again { Awaits::Nothing } else { Awaits::Members };
        self.members.insert(id, GroupMember { candidate, assignment, awaits, expires });
        if !again {
            self.begin_round(now);
        }
        Ok(())
    }

    /// Whether a candidate and all other members share a protocol of the same type.
    fn can_agree(&self, candidate: &Candidate) -> bool {
        let mut others = self.members.iter().filter(|(id, _)| **id != candidate.member_id).peekable();
        let same_type = others.peek().is_none() || candidate.protocol_type == self.protocol_type;
        let others: Vec<_> = others.map(|(_, member)| member).collect();
        let known_to_all = |name: &String| others.iter().all(|member| member.knows(name));
        !candidate.protocol_type.is_empty()
            && same_type
            && candidate.protocols.iter().any(|(name, _)| known_to_all(name))
    }

    /// The answer to a JoinGroup; `None` until the round ends.
    pub fn joined(&self, member_id: &str) -> Option<Result<Joined, ResponseError>> {
        let Some(member) = self.members.get(member_id) else {
            return Some(Err(ResponseError::UnknownMemberId));
        };
        if member.awaits == Awaits::Members {
            return None;
        }
        let members = self.members.iter().map(|(id, member)| (id.clone(), member.metadata(&self.protocol)));
        Some(Ok(Joined {
            generation: self.generation,
            protocol: self.protocol.clone(),
            leader: self.leader.clone(),
            members: if member_id == self.leader { members.collect() } else { Vec::new() },
        }))
    }

    /// Takes a SyncGroup; the leader's carries all assignments. The answer is in
    /// [`synced`](Self::synced), at once or later.
    pub fn sync(
        &mut self,
        now: Instant,
        member_id: &str,
        generation: i32,
        assignments: &[(String, Bytes)],
    ) -> Result<(), ResponseError> {
        let is_leader = member_id == self.leader;
        let phase = self.phase;
        let member = self.member(member_id, generation)?;
        match phase {
            Phase::Empty => return Err(ResponseError::UnknownMemberId),
            Phase::Joining { .. } => return Err(ResponseError::RebalanceInProgress),
            Phase::Stable => member.heard(now),
            Phase::AwaitingSync if !is_leader => member.awaits = Awaits::Assignment,
            Phase::AwaitingSync => {
                self.phase = Phase::Stable;
                for (id, member) in &mut self.members {
                    let assigned = assignments.iter().find(|(to, _)| to == id);
                    member.assignment = assigned.map(|(_, bytes)| bytes.clone()).unwrap_or_default();
                    if std::mem::replace(&mut member.awaits, Awaits::Nothing) == Awaits::Assignment {
                        member.wake();
                    }
                    member.heard(now);
                }
            }
        }
        Ok(())
    }

    /// The answer to a SyncGroup; `None` until the leader has sent the assignments.
    pub fn synced(&self, member_id: &str, generation: i32) -> Option<Result<Bytes, ResponseError>> {
        match self.members.get(member_id) {
            None => Some(Err(ResponseError::UnknownMemberId)),
            Some(member) if member.awaits == Awaits::Assignment && generation == self.generation => None,
            Some(member) if self.phase == Phase::Stable && generation == self.generation => {
                Some(Ok(member.assignment.clone()))
            }
            Some(_) => Some(Err(ResponseError::RebalanceInProgress)),
        }
    }

    /// A sign of life; the error tells the member to join again.
    pub fn heartbeat(&mut self, now: Instant, member_id: &str, generation: i32) -> Result<(), ResponseError> {
        self.member(member_id, generation)?.heard(now);
        match self.phase {
            Phase::Joining { .. } => Err(ResponseError::RebalanceInProgress),
            _ => Ok(()),
        }
    }

    /// A member leaves, and the others share its partitions.
    pub fn leave(&mut self, now: Instant, member_id: &str) -> Result<(), ResponseError> {
        if self.promised.remove(member_id).is_some() {
            return Ok(());
        }
        let gone = self.members.remove(member_id).ok_or(ResponseError::UnknownMemberId)?;
        gone.wake(); // another of its connections may still wait
        self.begin_round(now);
        Ok(())
    }

    /// Whether offsets may be committed for the group. Without a generation (-1) any client may
    /// while the group has no members: consumers that choose their partitions themselves do so.
    pub fn may_commit(
        &mut self,
        now: Instant,
        member_id: &str,
        generation: i32,
    ) -> Result<(), ResponseError> {
        if generation < 0 && self.members.is_empty() {
            return Ok(());
        }
        let phase = self.phase;
        self.member(member_id, generation)?.heard(now);
        match phase {
            Phase::AwaitingSync => Err(ResponseError::RebalanceInProgress),
            _ => Ok(()),
        }
    }

    fn member(&mut self, member_id: &str, generation: i32) -> Result<&mut GroupMember, ResponseError> {
        let member = self.members.get_mut(member_id).ok_or(ResponseError::UnknownMemberId)?;
        if generation == self.generation { Ok(member) } else { Err(ResponseError::IllegalGeneration) }
    }

    /// All members have to join again.
    fn begin_round(&mut self, now: Instant) {
        let earliest = match self.phase {
            Phase::Joining { .. } => return,
            Phase::Empty => now + FIRST_ROUND_DELAY,
            Phase::AwaitingSync | Phase::Stable => now,
        };
        let timeouts = self.members.values().map(|member| member.candidate.rebalance_timeout);
        self.phase = Phase::Joining { earliest, latest: earliest + timeouts.max().unwrap_or_default() };
        for member in self.members.values_mut().filter(|member| member.awaits == Awaits::Assignment) {
            member.awaits = Awaits::Nothing;
            member.heard(now);
            member.wake();
        }
    }

    /// Those who have joined make up the next generation.
    fn end_round(&mut self, now: Instant) {
        self.generation = self.generation.wrapping_add(1).max(1);
        self.protocol = self.elect_protocol();
        if !self.members.contains_key(&self.leader) {
            self.leader = self.members.keys().next().cloned().unwrap_or_default();
        }
        self.phase = if self.members.is_empty() { Phase::Empty } else { Phase::AwaitingSync };
        for member in self.members.values_mut() {
            member.awaits = Awaits::Nothing;
            member.assignment = Bytes::new();
            member.heard(now);
            member.wake();
        }
    }

    /// Of the protocols that all members know, the one most of them prefer; of several, the first
    /// by name.
    fn elect_protocol(&self) -> String {
        let known_to_all = |name: &&String| self.members.values().all(|member| member.knows(name));
        let mut votes: BTreeMap<&String, usize> = BTreeMap::new();
        for member in self.members.values() {
            let names = member.candidate.protocols.iter().map(|(name, _)| name);
            if let Some(choice) = { names }.find(known_to_all) {
                *votes.entry(choice).or_default() += 1;
            }
        }
        let most = votes.values().max().copied();
        votes
            .iter()
            .find(|(_, count)| Some(**count) == most)
            .map(|(name, _)| (*name).clone())
            .unwrap_or_default()
    }
}
