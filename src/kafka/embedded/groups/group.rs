//! One consumer group: who is in it, and how far the members are in agreeing on who reads what.
//! Kafka's classic protocol, a state machine without threads: time comes in as a value.
//!
//! ```text
//!  Empty ─first join─▶ Joining ─all have joined─▶ AwaitingSync ─leader's assignment─▶ Stable
//!                         ▲────────── a member comes, goes, or stays silent ────────────┘
//! ```
//!
//! Surprise: nothing here runs by itself. Members that stay silent are noticed by the next request
//! for the group, or by a member that waits; nobody else could tell the difference.

use std::collections::{BTreeMap, HashMap};
use std::sync::Weak;
use std::time::{Duration, Instant};

use bytes::Bytes;
use kafka_protocol::error::ResponseError;

use crate::kafka::embedded::waiters::Waiter;

/// A new group waits so long for more members before it gives out partitions: consumers that are
/// started together then meet in the first round. (Kafka: 3 s,
/// `group.initial.rebalance.delay.ms`.)
const FIRST_ROUND_DELAY: Duration = Duration::from_millis(200);

/// Who asks to join, and with what.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub member_id: String,
    pub client_id: String,
    pub client_host: String,
    pub protocol_type: String,
    /// Ways to assign partitions that the member knows, best first, each with what it has to say.
    pub protocols: Vec<(String, Bytes)>,
    pub session_timeout: Duration,
    pub rebalance_timeout: Duration,
    pub waiter: Weak<Waiter>,
}

impl Candidate {
    /// What it has to say, in bytes.
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
    /// When its silence ends its membership; not while it awaits something.
    expires: Instant,
}

impl GroupMember {
    /// What it has to say for a protocol.
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
    /// A round of joining ends when all are there, but not before `earliest`; and without those
    /// who are missing at `latest`.
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
    /// For the leader: every member with what it has to say. For the others empty.
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
    /// Member ids given out and not used yet, and until when they are good.
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

    /// Nobody is in it, or about to be.
    pub fn is_vacant(&self) -> bool {
        self.members.is_empty() && self.promised.is_empty()
    }

    /// Members, and those who may become one.
    pub fn size(&self) -> usize {
        self.members.len() + self.promised.len()
    }

    /// What its members have said and were told, in bytes.
    pub fn bytes(&self) -> usize {
        self.members.values().map(|member| member.candidate.bytes() + member.assignment.len()).sum()
    }

    /// Lets time pass: removes silent members, and ends a round of joining that is due.
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

    /// When [`advance`](Self::advance) has something to do next, if nothing else happens.
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

    /// Takes a request to join; [`joined`](Self::joined) then has the answer, at once or later. The
    /// member id is known here already, or promised, or `fresh`: made for this request.
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
        // An answer got lost, or the member has nothing new to say: it gets the same answer again.
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

    /// Whether a candidate and all other members know one protocol of the same type.
    fn can_agree(&self, candidate: &Candidate) -> bool {
        let mut others = self.members.iter().filter(|(id, _)| **id != candidate.member_id).peekable();
        let same_type = others.peek().is_none() || candidate.protocol_type == self.protocol_type;
        let others: Vec<_> = others.map(|(_, member)| member).collect();
        let known_to_all = |name: &String| others.iter().all(|member| member.knows(name));
        !candidate.protocol_type.is_empty()
            && same_type
            && candidate.protocols.iter().any(|(name, _)| known_to_all(name))
    }

    /// The answer to a JoinGroup; `None` as long as the round goes on.
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

    /// Takes a SyncGroup, the leader's with everybody's assignments; [`synced`](Self::synced) then
    /// has the answer, at once or later.
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

    /// The answer to a SyncGroup; `None` as long as the leader has not said.
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

    /// A member goes, and the others share its partitions.
    pub fn leave(&mut self, now: Instant, member_id: &str) -> Result<(), ResponseError> {
        if self.promised.remove(member_id).is_some() {
            return Ok(());
        }
        let gone = self.members.remove(member_id).ok_or(ResponseError::UnknownMemberId)?;
        gone.wake(); // should another of its connections still wait
        self.begin_round(now);
        Ok(())
    }

    /// Whether offsets may be committed for the group. Without a generation (-1) they may by anybody
    /// as long as nobody is a member: so do consumers that choose their partitions themselves.
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

    /// Everybody has to join again.
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

    /// Who is here makes up the next generation.
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

    /// Of the protocols that all know, the one that most like best; the first by name of several.
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
