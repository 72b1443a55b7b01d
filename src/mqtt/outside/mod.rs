//! An MQTT broker that runs elsewhere, over MQTT 3.1.1 and TCP: the replay's publisher and
//! subscriber on one connection, at QoS 1, in a session that the broker keeps.
//!
//! A message is acknowledged to the broker after Kafka has reported on it, in order of arrival. So
//! Kafka's reports, passed to [`OutsideLink::reported`], drive the window. Own messages are
//! recognised by the `run` and `seq` at the end of their payload. Each is passed on once: repeats,
//! which every lost connection brings, are dropped and counted. A message that does not return is
//! sent again: in order after a lost connection, at the end if the broker dropped it from a full
//! queue.
//!
//! The broker limits the speed. Mosquitto sends a subscriber at most 20 unacknowledged messages
//! (`max_inflight_messages`; 0 removes that limit) and drops messages beyond `max_queued_messages`,
//! 1,000 by default. Our window of 500 fits twice, because after a crash the broker may have both
//! what it kept and what was sent again.

mod acks;
mod address;
mod bridge_source;
mod outstanding;
mod publisher;
mod shared;
mod subscriber;
mod wire;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

pub use address::OutsideBroker;
pub use bridge_source::{BridgeSource, BridgeSourceOptions};
pub use publisher::OutsidePublisher;
pub use subscriber::OutsideSubscriber;
pub use wire::Lost;

use super::flight::Flight;
use super::{FlightWindow, MqttError};
use crate::count::Counters;
use crate::event::{Delivery, OwnNames};
use shared::Shared;
use wire::Wire;

/// The most that may be published and not yet reported on by Kafka.
const WINDOW: FlightWindow = FlightWindow { messages: 500, bytes: 2 << 20 };

/// How a replay uses an outside broker.
#[derive(Debug, Clone)]
pub struct OutsideOptions {
    /// Its address.
    pub broker: OutsideBroker,
    /// The topic of the replay.
    pub topic: String,
    /// The run's id, as it appears in the payloads.
    pub run: String,
    /// What run and sequence number are called in them.
    pub names: OwnNames,
    /// Longest wait, after a stop, for messages that have not returned.
    pub after_stop: Duration,
}

/// A handle on a run's connection, for code that is neither the publisher nor the subscriber.
#[derive(Clone)]
pub struct OutsideLink(Arc<Shared>);

impl OutsideLink {
    /// Checks that the broker accepts the connection. Waits at most half a minute.
    ///
    /// # Errors
    /// When it does not.
    pub fn check(options: &OutsideOptions) -> Result<(), MqttError> {
        // A separate session, so that nothing of this run is there before the clock starts.
        let client_id = format!("tweetblast-{}-check", options.run);
        Wire::connect(&options.broker, &client_id, true)
            .map(Wire::disconnect)
            .map_err(|lost| unreachable_broker(&options.broker, lost))
    }

    /// Connects, with the subscription in force when this returns.
    ///
    /// # Errors
    /// When the broker cannot be reached, or refuses the login or the subscription.
    pub fn connect(
        options: &OutsideOptions,
        counters: Arc<Counters>,
        stop: Arc<AtomicBool>,
    ) -> Result<(OutsidePublisher, OutsideSubscriber, Self), MqttError> {
        let OutsideOptions { broker, topic, run, names, after_stop } = options.clone();
        let shared = Arc::new(Shared::new(broker, topic, (run, names), Flight::new(WINDOW)));
        let wire = shared.connect().map_err(|lost| unreachable_broker(&options.broker, lost))?;
        let publisher = OutsidePublisher {
            shared: shared.clone(),
            counters: counters.clone(),
            stop: stop.clone(),
            stopped: false,
        };
        let subscriber = OutsideSubscriber {
            shared: shared.clone(),
            counters,
            stop,
            after_stop,
            wire: Some(wire),
            times: subscriber::Times::new(),
            warned: false,
        };
        Ok((publisher, subscriber, Self(shared)))
    }

    /// Takes Kafka's reports, good or bad: frees room in the window and acknowledges to the broker.
    /// What Kafka refused is in the ledger, and would be refused again.
    pub fn reported(&self, deliveries: &[Delivery]) {
        self.0.reported(deliveries);
    }

    /// Closes the connection and has the broker delete this run's session. Call it after Kafka has
    /// reported on everything.
    ///
    /// # Errors
    /// When the broker does not answer; the session then stays there.
    pub fn finish(&self) -> Result<(), MqttError> {
        let session = self.0.client_id.clone();
        self.0.forget_session().map_err(|why| MqttError::Session { session, why })
    }
}

fn unreachable_broker(broker: &OutsideBroker, why: Lost) -> MqttError {
    MqttError::Unreachable { broker: broker.to_string(), why }
}
