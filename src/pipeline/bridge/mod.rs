//! A bridge: what anybody publishes over MQTT goes to Kafka, for weeks. Publishers are answered when their messages are
//! safe: in Kafka, or in the spool.
//!
//! ```text
//! clients ──▶ mqtt/clients ─┐                          ┌─▶ librdkafka ──▶ Kafka
//!                           ├─▶ intake ──▶ mover ──────┤       ▲
//! outside broker ───────────┘  (bounded)               └─▶ spool (while Kafka is away)
//!                           ◀── answers ── reports ◀───────────┘
//! ```
//!
//! [`mover`] has the order in which things are done, [`spool`] what is on disk, [`ends`] how it starts.

mod druid;
mod ends;
mod error;
mod failure;
mod message;
mod mover;
mod result;
mod route;
mod settle;
mod spool;
mod state;
mod thread;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub use error::BridgeError;
pub use spool::SpoolError;

use druid::DruidEnd;
use ends::BridgeEnds;
use mover::{Mover, lock};
use result::Course;
use thread::spawn;

use crate::mqtt::BridgeSource;
use crate::options::{BridgeOptions, Session};
use crate::report::{BridgeProgress, BridgeReport, bridge_page};

/// How often the ledger is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// Bridges until the session is stopped, then until each message is settled or the drain is over. `is_asked` is set when
/// somebody wants to see the ledger.
///
/// # Errors
/// When it cannot start. Later failures are in the report.
pub fn bridge(
    options: &BridgeOptions,
    session: &Session,
    is_asked: &AtomicBool,
) -> Result<BridgeReport, BridgeError> {
    let mut ends = BridgeEnds::start(options, session)?;
    let mover = ends.take_mover()?;
    let course = Course::new(options, &ends, &mover);
    let druid = ends.take_druid().map(DruidEnd::watch).transpose()?;
    let announcement = ends.announcement(options, druid.as_ref());
    let mover = spawn("bridge", move || run_mover(mover))?;
    let source = ends.take_source().map(start_source).transpose()?;
    session.screen.say(&announcement);
    let mut progress = BridgeProgress::new(&session.screen);
    while !mover.is_finished() {
        std::thread::sleep(LOOK);
        if session.is_stopped() {
            ends.intake.close();
        }
        if is_asked.swap(false, Ordering::Relaxed) {
            session.screen.say(&bridge_page(&course.report(None), session.screen.layout(), false));
        }
        let away = lock(&course.state).away_since.map(|since| since.elapsed());
        progress.update(&course.ledger(), away);
        if let Some(metrics) = session.metrics.as_ref().filter(|metrics| metrics.is_due()) {
            metrics.bridge(course.now());
        }
        ends.revive(&session.screen)?;
    }
    ends.intake.close();
    let moved = mover.join().unwrap_or(Err(BridgeError::Panic("bridge")));
    let source = source.map(|source| source.join().map_err(|_| BridgeError::Panic("MQTT"))).transpose();
    if let Some(druid) = druid {
        druid.end(course.ledger().delivered);
    }
    if let Some(metrics) = &session.metrics {
        metrics.bridge(course.now());
    }
    let report = course.report(moved.err().or(source.as_ref().err().map(|_| BridgeError::Panic("MQTT"))));
    drop(source);
    ends.close()?;
    Ok(report)
}

fn run_mover(mut mover: Mover) -> Result<(), BridgeError> {
    mover.run()
}

/// Reads from an outside broker. What is returned keeps the connection, for acknowledgements.
fn start_source(mut source: BridgeSource) -> Result<JoinHandle<BridgeSource>, BridgeError> {
    spawn("mqtt", move || {
        let mut since = None;
        source.run(|lost| match lost {
            Some(lost) => {
                since = Some(Instant::now());
                tracing::warn!("no connection to the MQTT broker ({lost})");
            }
            None => {
                let away = since.take().map_or(Duration::ZERO, |since: Instant| since.elapsed());
                tracing::warn!("the MQTT broker is back after {}", crate::report::whole_seconds(away));
            }
        });
        source
    })
}
