//! The MQTT hop: a broker inside this process, the replay's publisher and subscriber on it, and a
//! port where any MQTT 3.1.1 or 5 client can watch or join in.
//!
//! Events go in through [`Publisher`] and come out of [`Subscriber`] unchanged: same sequence
//! number, times and key, and the same payload bytes. Messages that others publish on the topic
//! come out too, as events without a sequence number.
//!
//! The broker is rumqttd. Its log is a ring that silently overwrites what has not been read, at any
//! QoS. So the publisher never has more in flight than a [`FlightWindow`] that the ring is
//! guaranteed to hold, and the subscriber counts what is missing regardless.

mod broker;
mod broker_options;
mod clients;
mod codec;
mod error;
mod flight;
mod held;
mod intake;
mod link;
mod listener;
mod outside;
mod publisher;
mod router;
mod router_panic;
mod subscriber;
mod topic;
mod users;

pub use broker::Broker;
pub use broker_options::BrokerOptions;
pub use clients::{ClientLimits, filter_matches};
pub use codec::is_filter;
pub use error::MqttError;
pub use flight::FlightWindow;
pub use held::Settled;
pub use intake::{CLOSING_READ_MAX, Intake, Receipt, Taken};
pub use outside::{
    BridgeSource, BridgeSourceOptions, Lost, OutsideBroker, OutsideLink, OutsideOptions, OutsidePublisher,
    OutsideSubscriber,
};
pub use publisher::Publisher;
pub use subscriber::Subscriber;
pub use users::{MqttUsers, hash_password};
