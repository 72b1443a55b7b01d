//! The way out of the router: one thread reads both logs over one link, and hands each message to the
//! clients that asked for it. It never waits for a client.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use bytes::Bytes;
use rumqttd::local::LinkRx;
use rumqttd::protocol::Packet;
use rumqttd::{Forward, Notification};

use super::filters::Target;
use super::hub::{Clients, Hub};
use super::inlet::{About, Log, Reader, outside_number};
use super::session::OutgoingMessage;

/// Messages handed on before room is made for more.
const BATCH_MAX: usize = 256;

/// Hands on messages until the router is gone or `hub` has ended.
pub(in crate::mqtt) fn run(hub: &Hub, mut link: LinkRx) {
    let mut outlet = Outlet { hub, passed: [None; 2], next_offset: None, missed: 0, turn: 0 };
    while outlet.receive(&mut link).is_some() && !hub.is_ended() {}
    hub.router_gone();
}

struct Outlet<'a> {
    hub: &'a Hub,
    /// What of each log is behind us, since it was last said.
    passed: [Option<u64>; 2],
    /// Offset of the next message in the log of the replay's topic.
    next_offset: Option<u64>,
    missed: u64,
    /// Whose turn it is in a shared subscription.
    turn: usize,
}

impl Outlet<'_> {
    /// Waits for the router, then hands on what has arrived. `None` if there is no router any more.
    fn receive(&mut self, link: &mut LinkRx) -> Option<()> {
        let mut next = link.recv().ok()?;
        let now = Instant::now();
        let mut clients = self.hub.clients();
        for left in (0..BATCH_MAX).rev() {
            match next {
                Some(Notification::Forward(forward)) => self.hand_on(forward, &mut clients, now),
                Some(Notification::Unschedule) => link.ready().ok()?,
                Some(Notification::Disconnect(..)) => return None,
                Some(Notification::DeviceAck(ack)) => {
                    if let Packet::SubAck(..) = ack.into() {
                        self.hub.replay_is_watched();
                    }
                }
                Some(_) | None => {}
            }
            if left == 0 {
                break;
            }
            next = match link.recv_deadline(now) {
                Ok(next) => next,
                // Nothing more for now; the next wait notices a router that is gone.
                Err(_) => break,
            };
        }
        drop(clients);
        for log in [Log::Replay, Log::Others] {
            if let Some(number) = self.passed[log as usize].take() {
                self.hub.passed(log, Reader::Watchers, number);
            }
        }
        if self.missed > 0 {
            let missed = std::mem::take(&mut self.missed);
            tracing::warn!(missed, "the replay was faster than messages can be handed to MQTT watchers");
        }
        Some(())
    }

    fn hand_on(&mut self, forward: Forward, clients: &mut Clients, now: Instant) {
        let Forward { publish, properties, cursor, .. } = forward;
        let is_replay_topic = publish.topic == self.hub.topic;
        let log = if is_replay_topic { Log::Replay } else { Log::Others };
        if let Some((_, offset)) = cursor.filter(|_| is_replay_topic) {
            self.missed += offset.saturating_sub(self.next_offset.unwrap_or(offset));
            self.next_offset = Some(offset + 1);
        }
        let mark = properties.and_then(|properties| properties.correlation_data);
        let number = mark.as_deref().and_then(outside_number);
        let about = number.and_then(|number| {
            self.passed[log as usize] = Some(number + 1);
            self.hub.about(log, number)
        });
        match about {
            Some(about) => self.fan_out(&about, &publish.payload, clients, is_replay_topic, now),
            None => {
                // The replay's own.
                let about = About {
                    topic: publish.topic,
                    from: 0,
                    qos: 0,
                    retain: false,
                    kept: 0,
                    arrived: now,
                    expiry_s: None,
                    properties: Bytes::new(),
                };
                self.fan_out(&about, &publish.payload, clients, is_replay_topic, now);
            }
        }
    }

    fn fan_out(
        &mut self,
        about: &About,
        payload: &Bytes,
        clients: &mut Clients,
        is_replay_topic: bool,
        now: Instant,
    ) {
        let Some(expiry_s) = about.expiry_left(now) else { return };
        let plan = clients.plan(&about.topic, is_replay_topic);
        self.turn = self.turn.wrapping_add(1);
        let turn = self.turn;
        let shared = plan.groups.iter().map(|group| &group[turn % group.len()]);
        let mut count = 0;
        for Target { session, qos, no_local, retain_as_published, kept_before, subscription_ids } in
            plan.targets.iter().chain(shared)
        {
            if *no_local && session.number == about.from {
                continue;
            }
            // It was kept before they subscribed, so they have had it, or the one that came after it.
            if (1..=*kept_before).contains(&about.kept) {
                continue;
            }
            count += 1;
            session.deliver(&OutgoingMessage {
                topic: &about.topic,
                payload,
                qos: about.qos.min(*qos),
                retain: about.retain && *retain_as_published,
                expiry_s,
                subscription_ids,
                properties: &about.properties,
            });
        }
        self.hub.delivered.fetch_add(count, Ordering::Relaxed);
    }
}

/// Starts the thread.
pub(in crate::mqtt) fn spawn(hub: Arc<Hub>, link: LinkRx) -> std::io::Result<()> {
    std::thread::Builder::new().name("mqtt-outlet".into()).spawn(move || run(&hub, link)).map(drop)
}
