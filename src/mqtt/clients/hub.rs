//! What all connections share: who is connected, who subscribed to what, what is retained, the links into
//! the router and out of it.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use rumqttd::local::LinkTx;
use rumqttd::protocol::{Packet as RouterPacket, PingReq};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use super::super::MqttError;
use super::super::codec::{self, Connect, Reason, Subscription, Version};
use super::super::intake::Intake;
use super::super::link::{disconnect, push};
use super::filters::{Filter, Plan, filter_start};
use super::inlet::{About, Inlet, Log, Message, Reader};
use super::limits::{
    CLIENT_ID_MAX_BYTES, ClientLimits, FILTERS_MAX, HALF_OPEN_MAX, LARGE_BYTES, TOPIC_MAX_BYTES,
};
use super::login::Door;
use super::retained::Retained;
use super::session::{Session, Unread};

pub(in crate::mqtt) struct Hub {
    pub(super) topic: Bytes,
    /// Where messages of clients go, besides to other clients.
    pub(super) intake: Option<Intake>,
    /// Connections that have said who they are.
    pub(super) slots: Arc<Semaphore>,
    clients_max: usize,
    pub(super) door: Door,
    /// Connections that have not.
    half_open: Arc<Semaphore>,
    /// Room for unfinished large packets, in KiB.
    pub(super) large: Semaphore,
    unread: Arc<Unread>,
    /// How the marks of the replay's messages begin.
    run_nonce: AtomicU64,
    next_session: AtomicU64,
    /// Messages handed to clients.
    pub(super) delivered: AtomicU64,
    inlet: Mutex<Inlet>,
    /// There is room in the inlet, or the router is gone.
    room: Notify,
    clients: Mutex<Clients>,
    watch: Mutex<Watch>,
    /// The watchers' link reads the replay's topic, or the router is gone.
    watching: Notify,
    is_router_gone: AtomicBool,
    is_ending: AtomicBool,
}

/// The link of all watchers, and whether it reads the replay's topic: not before somebody asks for it.
struct Watch {
    link: LinkTx,
    state: WatchState,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum WatchState {
    Off,
    Asked,
    On,
}

#[derive(Default)]
pub(super) struct Clients {
    by_id: HashMap<String, Arc<Session>>,
    /// In the order in which they came.
    filters: BTreeMap<u64, (Arc<Session>, Vec<Filter>)>,
    /// Who gets the replay's tweets, until somebody comes, goes or subscribes.
    replay_plan: Option<Arc<Plan>>,
    pub retained: Retained,
}

impl Hub {
    /// `inlet` and `outlet` are links into the router; `outlet` reads the log of other topics.
    pub fn new(
        topic: Bytes,
        limits: ClientLimits,
        inlet: (LinkTx, [usize; 2]),
        outlet: LinkTx,
        has_replay: bool,
        bridge: Option<Intake>,
    ) -> Self {
        let unread = Unread {
            bytes: AtomicUsize::new(0),
            max_bytes: limits.unread_bytes,
            max_in_all_bytes: limits.unread_in_all_bytes(),
            clients: AtomicUsize::new(0),
        };
        Self {
            slots: Arc::new(Semaphore::new(limits.clients)),
            clients_max: limits.clients,
            door: Door::new(limits.users),
            half_open: Arc::new(Semaphore::new(HALF_OPEN_MAX)),
            large: Semaphore::new(LARGE_BYTES >> 10),
            unread: Arc::new(unread),
            run_nonce: AtomicU64::new(0),
            next_session: AtomicU64::new(1),
            delivered: AtomicU64::new(0),
            inlet: Mutex::new(Inlet::new(inlet.0, topic.clone(), inlet.1, has_replay)),
            room: Notify::new(),
            clients: Mutex::new(Clients {
                retained: Retained::new(limits.retained_bytes),
                ..Default::default()
            }),
            watch: Mutex::new(Watch { link: outlet, state: WatchState::Off }),
            watching: Notify::new(),
            is_router_gone: AtomicBool::new(false),
            is_ending: AtomicBool::new(false),
            intake: bridge,
            topic,
        }
    }

    /// From now on marks of the replay begin like this.
    pub fn set_run_nonce(&self, nonce: u64) {
        self.run_nonce.store(nonce, Ordering::Relaxed);
    }

    pub fn run_nonce(&self) -> u64 {
        self.run_nonce.load(Ordering::Relaxed)
    }

    /// Messages handed to clients so far, and bytes that they have not read.
    pub fn progress(&self) -> (u64, usize) {
        (self.delivered.load(Ordering::Relaxed), self.unread.bytes.load(Ordering::Relaxed))
    }

    pub fn connected(&self) -> usize {
        self.clients_max - self.slots.available_permits()
    }

    pub fn is_anybody_connected(&self) -> bool {
        self.slots.available_permits() < self.clients_max
    }

    pub fn is_router_gone(&self) -> bool {
        self.is_router_gone.load(Ordering::Relaxed)
    }

    /// Ends all connections: without a router there is nothing to say.
    pub fn router_gone(&self) {
        self.is_router_gone.store(true, Ordering::Relaxed);
        self.everybody_leaves(Reason::UNAVAILABLE);
        self.room.notify_waiters();
        self.watching.notify_waiters();
    }

    /// Ends the watchers' link and its thread.
    pub fn end(&self) {
        self.is_ending.store(true, Ordering::Relaxed);
        // The answer wakes the thread. On an error it has ended.
        let _ = push(&mut self.watch().link, RouterPacket::PingReq(PingReq));
    }

    /// The watchers' thread ends its link itself: one that is ready after its end would kill the router.
    pub(super) fn is_ended(&self) -> bool {
        let is_ending = self.is_ending.load(Ordering::Relaxed);
        if is_ending {
            let _ = push(&mut self.watch().link, disconnect());
        }
        is_ending
    }

    pub fn everybody_leaves(&self, reason: Reason) {
        for session in self.clients().by_id.values() {
            session.leave(reason);
        }
    }

    /// Room for one more connection that has not said who it is.
    pub fn half_open(&self) -> Option<OwnedSemaphorePermit> {
        self.half_open.clone().try_acquire_owned().ok()
    }

    /// Takes a client in. Another one with its id has to leave.
    pub(super) fn admit(&self, connect: &Connect<'_>) -> Result<Arc<Session>, Reason> {
        let number = self.next_session.fetch_add(1, Ordering::Relaxed);
        let client_id = match connect.client_id {
            // 3.1.1 asks for an id where a session is to be kept.
            "" if connect.version == Version::V4 && !connect.clean => return Err(Reason::BAD_CLIENT_ID),
            "" => format!("tweetblast-{number}"),
            id if id.len() > CLIENT_ID_MAX_BYTES => return Err(Reason::BAD_CLIENT_ID),
            id => id.to_owned(),
        };
        let limits = (connect.packet_max, connect.receive_max);
        let session =
            Arc::new(Session::new(number, client_id.clone(), connect.version, limits, self.unread.clone()));
        let mut clients = self.clients();
        if self.is_router_gone() {
            return Err(Reason::UNAVAILABLE);
        }
        if let Some(before) = clients.by_id.insert(client_id, session.clone()) {
            before.leave(Reason::TAKEN_OVER);
        }
        Ok(session)
    }

    /// Whether anybody reads what is published.
    pub(super) fn has_watchers(&self) -> bool {
        !self.clients().filters.is_empty()
    }

    /// Whether a client of this id is connected.
    pub(super) fn has_client(&self, client_id: &str) -> bool {
        self.clients().by_id.contains_key(client_id)
    }

    pub(super) fn forget(&self, session: &Session) {
        let mut clients = self.clients();
        if clients.by_id.get(&session.client_id).is_some_and(|other| other.number == session.number) {
            clients.by_id.remove(&session.client_id);
        }
        if clients.filters.remove(&session.number).is_some() {
            clients.replay_plan = None;
        }
    }

    /// Hands messages to the router, in order. Waits while it has enough: a connection that waits reads no more from
    /// its client.
    pub(super) async fn submit(&self, messages: &mut VecDeque<Message>) -> Result<(), MqttError> {
        while !messages.is_empty() {
            let room = self.room.notified();
            tokio::pin!(room);
            // From here on no call is missed.
            room.as_mut().enable();
            if self.is_router_gone() {
                return Err(MqttError::BrokerGone);
            }
            if self.inlet().submit(messages)? {
                break;
            }
            room.await;
        }
        Ok(())
    }

    /// A reader of a log has passed all outside messages before `number`.
    pub fn passed(&self, log: Log, reader: Reader, number: u64) {
        self.inlet().passed(log, reader, number);
        self.room.notify_waiters();
    }

    pub fn set_reading(&self, log: Log, reader: Reader, is_reading: bool) {
        self.inlet().set_reading(log, reader, is_reading);
        self.room.notify_waiters();
    }

    pub(super) fn about(&self, log: Log, number: u64) -> Option<Arc<About>> {
        self.inlet().about(log, number)
    }

    /// Adds filters, and hands the client the answer and the retained messages.
    pub(super) async fn subscribe(
        &self,
        session: &Arc<Session>,
        id: u16,
        subscription_id: Option<u32>,
        filters: &[Subscription<'_>],
    ) -> Result<(), MqttError> {
        let replay_topic = String::from_utf8_lossy(&self.topic);
        let covers_replay =
            |filter: &str| super::filters::matches(&filter[filter_start(filter)..], &replay_topic);
        if filters.iter().any(|filter| covers_replay(filter.filter)) {
            self.watch_replay().await?;
        }
        let mut clients = self.clients();
        let mut codes = Vec::with_capacity(filters.len());
        let mut wants_retained = Vec::new();
        for asked in filters {
            let (code, is_new) = clients.add_filter(session, asked, subscription_id);
            codes.push(code);
            if code < 0x80 && (asked.retain_handling == 0 || (asked.retain_handling == 1 && is_new)) {
                wants_retained.push(asked);
            }
        }
        clients.replay_plan = None;
        session.answer(|into| codec::suback(session.version, id, &codes, into));
        let now = Instant::now();
        for asked in wants_retained {
            clients.retained.deliver(session, asked, subscription_id, now);
        }
        Ok(())
    }

    pub(super) fn unsubscribe(&self, session: &Session, id: u16, filters: &[&str]) {
        let mut clients = self.clients();
        let mut codes = Vec::with_capacity(filters.len());
        let own = clients.filters.get_mut(&session.number);
        let mut empty = Vec::new();
        let own = own.map_or(&mut empty, |(_, filters)| filters);
        for filter in filters {
            let before = own.len();
            own.retain(|own| own.text != *filter);
            let is_gone = own.len() < before;
            codes.push(if is_gone { Reason::SUCCESS.0 } else { Reason::NO_SUBSCRIPTION.0 });
        }
        clients.replay_plan = None;
        session.answer(|into| codec::unsuback(session.version, id, &codes, into));
    }

    /// Has the watchers' link read the replay's topic, and waits until it does.
    async fn watch_replay(&self) -> Result<(), MqttError> {
        loop {
            let watching = self.watching.notified();
            tokio::pin!(watching);
            watching.as_mut().enable();
            if self.is_router_gone() {
                return Err(MqttError::BrokerGone);
            }
            {
                let mut watch = self.watch();
                match watch.state {
                    WatchState::On => return Ok(()),
                    WatchState::Asked => {}
                    WatchState::Off => {
                        let topic = String::from_utf8_lossy(&self.topic).into_owned();
                        watch.link.subscribe(topic).map_err(|_| MqttError::BrokerGone)?;
                        watch.state = WatchState::Asked;
                    }
                }
            }
            watching.await;
        }
    }

    /// The watchers' link reads the replay's topic from now on.
    pub(super) fn replay_is_watched(&self) {
        self.set_reading(Log::Replay, Reader::Watchers, true);
        self.watch().state = WatchState::On;
        self.watching.notify_waiters();
    }

    pub(super) fn clients(&self) -> MutexGuard<'_, Clients> {
        // A poisoned lock guards nothing here: no code under it panics half-way. The same below.
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn inlet(&self) -> MutexGuard<'_, Inlet> {
        self.inlet.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn watch(&self) -> MutexGuard<'_, Watch> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clients {
    /// Who gets a message of this topic.
    pub fn plan(&mut self, topic: &Bytes, is_replay_topic: bool) -> Arc<Plan> {
        if let Some(plan) = self.replay_plan.as_ref().filter(|_| is_replay_topic) {
            return plan.clone();
        }
        let topic = String::from_utf8_lossy(topic);
        let clients = self.filters.values().map(|(session, filters)| (session, &filters[..]));
        let plan = Arc::new(Plan::new(&topic, clients));
        if is_replay_topic {
            self.replay_plan = Some(plan.clone());
        }
        plan
    }

    /// The code of the answer, and whether the filter is new.
    fn add_filter(
        &mut self,
        session: &Arc<Session>,
        asked: &Subscription<'_>,
        subscription_id: Option<u32>,
    ) -> (u8, bool) {
        if asked.filter.len() > TOPIC_MAX_BYTES {
            return (Reason::QUOTA.0, false);
        }
        let filters =
            &mut self.filters.entry(session.number).or_insert_with(|| (session.clone(), Vec::new())).1;
        let mut filter = Filter::new(asked, subscription_id, self.retained.kept());
        if let Some(before) = filters.iter_mut().find(|before| before.text == filter.text) {
            // What is under way to it still comes.
            filter.kept_before = before.kept_before;
            *before = filter;
            return (asked.qos, false);
        }
        if filters.len() >= FILTERS_MAX {
            return (Reason::QUOTA.0, false);
        }
        filters.push(filter);
        (asked.qos, true)
    }
}
