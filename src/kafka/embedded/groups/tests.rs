//! The life of a group, in virtual time.

use std::sync::Weak;
use std::time::{Duration, Instant};

use bytes::Bytes;
use kafka_protocol::error::ResponseError::{self, *};

use super::group::{Candidate, ConsumerGroup, Joined, Phase};

/// A group and the time.
struct GroupScene {
    group: ConsumerGroup,
    now: Instant,
}

impl GroupScene {
    fn new() -> Self {
        Self { group: ConsumerGroup::new(), now: Instant::now() }
    }

    fn wait(&mut self, ms: u64) {
        self.now += Duration::from_millis(ms);
        self.group.advance(self.now);
    }

    fn join_as(&mut self, id: &str, protocols: &[&str], fresh: bool) -> Result<(), ResponseError> {
        let candidate = Candidate {
            member_id: id.to_owned(),
            client_id: "c".to_owned(),
            client_host: "/127.0.0.1".to_owned(),
            protocol_type: "consumer".to_owned(),
            protocols: protocols
                .iter()
                .map(|p| ((*p).to_owned(), Bytes::from(format!("{id} {p}"))))
                .collect(),
            session_timeout: Duration::from_secs(10),
            rebalance_timeout: Duration::from_secs(60),
            waiter: Weak::new(),
        };
        let joined = self.group.join(self.now, candidate, fresh);
        self.group.advance(self.now);
        joined
    }

    fn join(&mut self, id: &str) {
        let fresh = !self.group.members.contains_key(id);
        self.join_as(id, &["range"], fresh).unwrap();
    }

    fn joined(&self, id: &str) -> Option<Joined> {
        self.group.joined(id).map(Result::unwrap)
    }

    /// All members of the last round get the leader's assignments.
    fn sync(&mut self, generation: i32) {
        let ids: Vec<String> = self.group.members.keys().cloned().collect();
        let leader = self.joined(&ids[0]).unwrap().leader;
        let assignments: Vec<_> =
            ids.iter().map(|id| (id.clone(), Bytes::from(format!("for {id}")))).collect();
        for id in ids.iter().filter(|id| **id != leader) {
            self.group.sync(self.now, id, generation, &[]).unwrap();
            assert_eq!(self.group.synced(id, generation), None, "the leader has not said");
        }
        self.group.sync(self.now, &leader, generation, &assignments).unwrap();
        for id in &ids {
            let assigned = self.group.synced(id, generation).unwrap().unwrap();
            assert_eq!(assigned, format!("for {id}").as_bytes());
        }
    }

    /// A stable group of "a" and "b", generation 1.
    fn stable() -> Self {
        let mut scene = Self::new();
        scene.join("a");
        scene.join("b");
        scene.wait(250);
        scene.sync(1);
        assert_eq!(scene.group.phase, Phase::Stable);
        scene
    }

    fn heartbeat(&mut self, id: &str, generation: i32) -> Result<(), ResponseError> {
        self.group.heartbeat(self.now, id, generation)
    }
}

#[test]
fn members_that_come_together_meet_in_the_first_round() {
    let mut scene = GroupScene::new();
    scene.join("a");
    scene.wait(100);
    scene.join("b");
    assert_eq!((scene.joined("a"), scene.joined("b")), (None, None));
    scene.wait(101);
    let a = scene.joined("a").unwrap();
    assert_eq!((a.generation, a.leader.as_str(), a.protocol.as_str()), (1, "a", "range"));
    let said = |id: &str| (id.to_owned(), Bytes::from(format!("{id} range")));
    assert_eq!(a.members, [said("a"), said("b")]);
    assert!(scene.joined("b").unwrap().members.is_empty());
    scene.sync(1);
}

#[test]
fn a_member_that_comes_later_makes_all_join_again() {
    let mut scene = GroupScene::stable();
    scene.join("c");
    assert_eq!(scene.joined("c"), None);
    assert_eq!(scene.heartbeat("a", 1), Err(RebalanceInProgress));
    assert_eq!(scene.group.sync(scene.now, "a", 1, &[]), Err(RebalanceInProgress));
    scene.join("a");
    scene.wait(1);
    scene.join("b");
    assert_eq!(scene.joined("c").unwrap().generation, 2);
    assert_eq!(scene.heartbeat("a", 1), Err(IllegalGeneration));
    scene.sync(2);
    assert_eq!(scene.heartbeat("a", 2), Ok(()));
}

#[test]
fn who_does_not_join_again_in_time_is_out() {
    let mut scene = GroupScene::stable();
    scene.join("c");
    for _ in 0..13 {
        scene.wait(4_000);
        assert_eq!(scene.heartbeat("b", 1), Err(RebalanceInProgress));
        scene.join("a");
        assert_eq!(scene.joined("a"), None);
    }
    scene.wait(8_000);
    assert_eq!(scene.joined("a").unwrap().members.len(), 2);
    assert_eq!(scene.heartbeat("b", 1), Err(UnknownMemberId));
}

#[test]
fn a_silent_member_is_out_and_the_others_share() {
    let mut scene = GroupScene::stable();
    for _ in 0..3 {
        scene.wait(4_000);
        let _ = scene.heartbeat("b", 1);
    }
    assert_eq!(scene.heartbeat("b", 1), Err(RebalanceInProgress), "a, the leader, was silent for 12 s");
    scene.join("b");
    let b = scene.joined("b").unwrap();
    assert_eq!((b.generation, b.leader.as_str(), b.members.len()), (2, "b", 1));
    scene.sync(2);
    scene.wait(10_000);
    assert!(scene.group.is_vacant());
}

#[test]
fn a_leader_that_goes_before_it_has_said_does_not_block_the_others() {
    let mut scene = GroupScene::new();
    scene.join("a");
    scene.join("b");
    scene.wait(250);
    scene.group.sync(scene.now, "b", 1, &[]).unwrap();
    scene.wait(9_999);
    assert_eq!(scene.group.synced("b", 1), None);
    assert_eq!(scene.group.next_change(scene.now), Some(scene.now + Duration::from_millis(1)));
    scene.wait(1);
    assert_eq!(scene.group.synced("b", 1), Some(Err(RebalanceInProgress)));
    scene.join("b");
    assert_eq!(scene.joined("b").unwrap().leader, "b");
}

#[test]
fn leaving_makes_the_others_join_again_and_the_last_empties_the_group() {
    let mut scene = GroupScene::stable();
    assert_eq!(scene.group.leave(scene.now, "x"), Err(UnknownMemberId));
    scene.group.leave(scene.now, "a").unwrap();
    assert_eq!(scene.heartbeat("b", 1), Err(RebalanceInProgress));
    scene.group.leave(scene.now, "b").unwrap();
    scene.group.advance(scene.now);
    assert_eq!(scene.group.phase, Phase::Empty);
    assert!(scene.group.is_vacant());
}

#[test]
fn a_lost_answer_is_given_again_without_a_new_round() {
    let mut scene = GroupScene::new();
    scene.join("a");
    scene.join("b");
    scene.wait(250);
    scene.join("b");
    assert_eq!(scene.joined("b").unwrap().generation, 1);
    scene.sync(1);
    scene.join("b");
    assert_eq!((scene.joined("b").unwrap().generation, scene.group.phase), (1, Phase::Stable));
    // The leader joins again when it wants a new round: after partitions were added, for example.
    scene.join("a");
    assert_eq!(scene.joined("a"), None);
}

#[test]
fn the_group_waits_for_a_promised_id_and_knows_no_others() {
    let mut scene = GroupScene::new();
    assert_eq!(scene.join_as("x", &["range"], false), Err(UnknownMemberId));
    scene.group.promise(scene.now, "p".to_owned(), Duration::from_secs(10));
    scene.join("a");
    scene.wait(5_000);
    assert_eq!(scene.joined("a"), None, "p may still come");
    scene.join_as("p", &["range"], false).unwrap();
    assert_eq!(scene.joined("a").unwrap().members.len(), 2);
}

#[test]
fn members_must_have_a_protocol_in_common() {
    let mut scene = GroupScene::new();
    assert_eq!(scene.join_as("a", &[], true), Err(InconsistentGroupProtocol));
    scene.join_as("a", &["range", "roundrobin"], true).unwrap();
    assert_eq!(scene.join_as("b", &["sticky"], true), Err(InconsistentGroupProtocol));
    scene.join_as("b", &["sticky", "roundrobin"], true).unwrap();
    scene.wait(250);
    let a = scene.joined("a").unwrap();
    assert_eq!(a.protocol, "roundrobin");
    assert_eq!(a.members[1].1, "b roundrobin");
}

#[test]
fn only_members_of_this_generation_may_commit() {
    let mut scene = GroupScene::new();
    assert_eq!(scene.group.may_commit(scene.now, "", -1), Ok(()), "nobody is a member");
    let mut scene = GroupScene::stable();
    let now = scene.now;
    assert_eq!(scene.group.may_commit(now, "", -1), Err(UnknownMemberId));
    assert_eq!(scene.group.may_commit(now, "a", 0), Err(IllegalGeneration));
    assert_eq!(scene.group.may_commit(now, "a", 1), Ok(()));
    scene.join("c");
    assert_eq!(scene.group.may_commit(now, "a", 1), Ok(()), "before it joins again");
}
