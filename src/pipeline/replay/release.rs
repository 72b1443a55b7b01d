//! The pacer's thread: releases the feed's drafts at their times into the MQTT hop, or without that
//! into the queues.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use crate::bridge::FanOut;
use crate::count::Counters;
use crate::event::{Drafts, Event, PayloadForm};
use crate::mqtt::{OutsidePublisher, Publisher};
use crate::pace::{PaceStats, Pacer, PacerOptions, PayloadStamp, SystemClock};
use crate::pipeline::context::Replay;
use crate::pipeline::error::ReplayError;
use crate::tweet::{TIMESTAMP_BYTES, TIMESTAMP_OFFSET, timestamp_offset, write_timestamp};

/// Where the pacer sends events to.
pub(crate) enum Sink {
    Mqtt(Publisher),
    Outside(OutsidePublisher),
    Queues(FanOut, Arc<Counters>),
}

impl Sink {
    /// Sends all of `events`; returns how many were skipped because of a stop.
    fn send(&mut self, events: &mut Vec<Event>) -> Result<usize, ReplayError> {
        match self {
            Sink::Mqtt(publisher) => Ok(publisher.publish(events)?),
            Sink::Outside(publisher) => Ok(publisher.publish(events)?),
            Sink::Queues(queues, counters) => {
                counters.published.add(events.len() as u64);
                queues.send(events)?;
                Ok(0)
            }
        }
    }
}

/// How often the end of the duration is checked while nothing comes.
const LOOK: Duration = Duration::from_millis(50);

/// The result of the pacer's thread.
pub(crate) struct PacerOutcome {
    pub stats: PaceStats,
    /// Drafts that were encoded but not released, because of a stop or the end of the duration.
    pub unreleased: u64,
    pub result: Result<(), ReplayError>,
}

impl Default for PacerOutcome {
    fn default() -> Self {
        Self { stats: PaceStats::default(), unreleased: 0, result: Ok(()) }
    }
}

/// Releases everything the feed makes. Sets `over` when the duration is over.
pub(crate) fn release(
    replay: &Replay<'_>,
    over: &AtomicBool,
    mut sink: Sink,
    drafts: &Receiver<Drafts>,
    counters: &Counters,
) -> PacerOutcome {
    let stamp = (replay.options.message.payload != PayloadForm::Raw).then_some(PayloadStamp {
        time: replay.options.message.timestamp,
        offset: match replay.events {
            Some(_) => timestamp_offset(replay.options.message.names),
            None => TIMESTAMP_OFFSET,
        },
        write: |time_ms, place| {
            if let Some(place) = place.first_chunk_mut::<TIMESTAMP_BYTES>() {
                write_timestamp(time_ms, place);
            }
        },
    });
    let options = PacerOptions {
        schedule: replay.plan.schedule,
        delay: replay.options.pace.delay,
        duration: replay.options.pace.duration,
        stamp,
        stop: &replay.session.stop,
        over,
        control: &replay.session.control,
    };
    let mut pacer = Pacer::new(options, SystemClock::default()).telling(counters);
    let (mut unreleased, mut result) = (0, Ok(()));
    let mut since = Instant::now();
    loop {
        let batch = match drafts.recv_timeout(LOOK) {
            Ok(batch) => batch,
            Err(RecvTimeoutError::Timeout) => {
                if replay.files.are_live() {
                    pacer.check_over();
                }
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => break,
        };
        counters.pace_starved_ns.add_time(since.elapsed());
        let mut unsent = 0;
        let send = |events: &mut Vec<Event>| sink.send(events).map(|skipped| unsent += skipped);
        match pacer.release(batch, send) {
            Ok(left) => unreleased += (left + unsent) as u64,
            Err(error) => {
                result = Err(error);
                break;
            }
        }
        since = Instant::now();
    }
    // The publisher's end tells the subscriber that no more events will come.
    drop(sink);
    PacerOutcome { stats: pacer.into_stats(), unreleased, result }
}
