//! Outside clients: our own listener and connections in front of rumqttd's router.
//!
//! rumqttd's router is one thread that panics when a link says that it is ready after the router has
//! dropped it. A client brings that about by leaving at the wrong moment or by an acknowledgement too many.
//! It also keeps something of every client, topic and filter that it has ever seen. So no client has a link
//! of its own. The router has four, which are made before the port listens and never end before the
//! replay does:
//!
//! ```text
//!  replay ──▶ publisher ─┐                       ┌─▶ subscriber ──▶ bridge
//!                        ├─▶ rumqttd's router ───┤
//! clients ──▶ inlet ─────┘                       └─▶ outlet ──▶ clients
//! ```
//!
//! Each message, of the replay and of a client, goes through the router. It sees two topics (the replay's,
//! and one name for all others), three filters, QoS 0, and no will, acknowledgement or DISCONNECT. All else
//! of MQTT is here:
//!
//! - [`connection`] is the task of one connection: reads packets no longer than a bound, answers PING and
//!   publishes, keeps aliases, ids of QoS 2 and the will. A panic in it ends that connection.
//! - [`session`] is what others see of a client: what waits for it to read, and its unacknowledged messages.
//! - [`inlet`] hands messages to the router, with never more under way than its logs are guaranteed to hold.
//!   A connection for whose messages there is no room stops reading: a fast publisher is slowed and loses
//!   nothing, and neither does the replay.
//! - [`outlet`] is a thread that reads what comes out and gives it to those who subscribed. It never waits
//!   for a client: one that reads too slowly is disconnected.
//! - [`hub`] is what they share: clients by id, filters, retained messages. [`limits`] are the bounds.
//!
//! A fan-out of our own, and not one link per client: then the fragile part of the router is out of any
//! client's reach, and a client costs what is written here.

mod answers;
mod bridging;
mod connection;
mod filters;
mod hub;
mod inlet;
mod limits;
mod login;
mod outflow;
mod outlet;
mod reader;
mod retained;
mod session;
mod stream;

pub(super) use connection::serve;
pub use filters::matches as filter_matches;
pub(super) use hub::Hub;
pub(super) use inlet::{Log, OTHER_TOPICS, Reader, outside_number};
pub use limits::ClientLimits;
pub(super) use limits::{PACKET_MAX_BYTES, UNDER_WAY_BYTES_MAX};
pub(super) use outlet::spawn as spawn_outlet;
