//! Talking to the router over a link: whole packets, pings, a subscription.

use std::future::Future;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use rumqttd::Notification;
use rumqttd::local::{LinkRx, LinkTx};
use rumqttd::protocol::{Disconnect, DisconnectReasonCode, Packet, PingReq};

use super::MqttError;

/// Makes a link to the router, given a client id. The router's channel has a type without a public
/// name.
pub(super) type Connect = dyn Fn(&str) -> Result<(LinkTx, LinkRx), MqttError> + Send + Sync;

/// Pings the router on the subscriber's connection; the subscriber receives the answers.
pub(super) struct Pinger(Mutex<(LinkTx, u64)>);

impl Pinger {
    pub fn new(link: LinkTx) -> Self {
        Self(Mutex::new((link, 0)))
    }

    /// Sends a ping and returns its number, from 1. Pings are answered in order.
    pub fn ping(&self) -> Result<u64, MqttError> {
        let (link, sent) = &mut *self.lock();
        push(link, Packet::PingReq(PingReq))?;
        *sent += 1;
        Ok(*sent)
    }

    /// Ends the subscriber's connection.
    pub fn disconnect(&self) -> Result<(), MqttError> {
        push(&mut self.lock().0, disconnect())
    }

    fn lock(&self) -> MutexGuard<'_, (LinkTx, u64)> {
        // A poisoned lock guards nothing here: no code under it panics half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hands one packet to the router and announces it. Blocks while 1,000 such calls wait for the
/// router.
pub(super) fn push(link: &mut LinkTx, packet: Packet) -> Result<(), MqttError> {
    // `LinkTx::send` is the only call that takes a whole packet. Its signature is async, but it
    // never waits.
    match pin!(link.send(packet)).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(_)) => Ok(()),
        Poll::Ready(Err(_)) | Poll::Pending => Err(MqttError::BrokerGone),
    }
}

pub(super) fn disconnect() -> Packet {
    Packet::Disconnect(Disconnect { reason_code: DisconnectReasonCode::NormalDisconnection }, None)
}

/// A link with a subscription in force.
pub(super) struct Subscription {
    pub tx: LinkTx,
    pub rx: LinkRx,
    /// Log offset of the first message it will receive, if known.
    pub first_offset: Option<u64>,
}

/// Subscribes over a new link. Messages published before that are dropped.
pub(super) fn subscribe(
    connect: &Connect,
    client_id: &str,
    topic: &str,
    first_offset: Option<u64>,
) -> Result<Subscription, MqttError> {
    let (mut tx, mut rx) = connect(client_id)?;
    tx.subscribe(topic).map_err(|_| MqttError::BrokerGone)?;
    loop {
        // The router answers before it forwards anything.
        if let Some(Notification::DeviceAck(ack)) = rx.recv().map_err(|_| MqttError::BrokerGone)?
            && let Packet::SubAck(..) = ack.into()
        {
            return Ok(Subscription { tx, rx, first_offset });
        }
    }
}
