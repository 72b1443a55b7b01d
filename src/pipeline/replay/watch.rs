//! Watches the hops while they run: progress, memory, and ends in trouble.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::count::{Counters, Queryable, own_memory};
use crate::kafka::embedded::{Endpoint, EndpointError};
use crate::options::DRAIN_AFTER_STOP;
use crate::pipeline::context::Replay;
use crate::report::{Progress, outage_line};

/// How often progress is checked.
const LOOK: Duration = Duration::from_millis(20);

/// How often memory is checked, and whether the embedded endpoint can write.
const LOOK_CLOSER: Duration = Duration::from_millis(500);

const STOPPING: &str = "stopping: what was sent is being acknowledged (Ctrl-C again leaves at once)";

/// Shows progress until the last hop has ended. Where the embedded endpoint cannot write, it waits until somebody has made
/// room, as long as `--drain-timeout` says; a log that is gone ends the replay.
pub(crate) fn watch(
    replay: &Replay<'_>,
    counters: &Counters,
    queryable: Option<&Queryable>,
    ended: impl Fn() -> bool,
) -> Watched {
    let mut progress = Progress::new(&replay.session.screen, replay.plan.tweets, replay.plan.duration);
    let (mut stopped_at, mut looked, mut fault) = (None::<Instant>, Instant::now(), None);
    let after_stop = replay.options.kafka.drain_timeout.unwrap_or(DRAIN_AFTER_STOP);
    let mut own_memory_mib = None;
    while !ended() {
        std::thread::sleep(LOOK);
        let control = &replay.session.control;
        if let Some(stop) = control.stops().look(Instant::now()) {
            progress.ignore_stop(stop.time);
        }
        progress.set_state(control.waits(), control.speed_times());
        if let Some(stopped_at) = stopped_at {
            progress.count_down(after_stop.saturating_sub(stopped_at.elapsed()));
        }
        counters.sample(Instant::now(), queryable);
        progress.update(counters, queryable.map(Queryable::rows));
        tell_of_outages(counters, &progress);
        if stopped_at.is_none() && replay.session.is_stopped() {
            stopped_at = Some(Instant::now());
            progress.note(STOPPING);
        }
        if looked.elapsed() >= LOOK_CLOSER {
            looked = Instant::now();
            own_memory_mib = own_memory_mib.into_iter().chain(own_memory()).reduce(f64::max);
            let since = fault.take().map_or(looked, |(since, _)| since);
            fault = replay.ends.endpoint.as_ref().and_then(Endpoint::fault).map(|error| (since, error));
            let patience = replay.options.kafka.drain_timeout.unwrap_or(Duration::MAX);
            if let Some((since, error)) = &fault
                && (matches!(error, EndpointError::LostMessages { .. }) || since.elapsed() >= patience)
            {
                replay.session.stop.store(true, Ordering::Relaxed);
            }
        }
    }
    tell_of_outages(counters, &progress);
    replay.session.control.stops().end_looks();
    progress.finish();
    // Asked again: there may be room by now.
    let fault = replay.ends.endpoint.as_ref().and_then(Endpoint::fault);
    Watched { fault: fault.map_or(Ok(()), Err), own_memory_mib }
}

/// A line for each outage that began, and one for each that ended.
fn tell_of_outages(counters: &Counters, progress: &Progress) {
    for outage in counters.outages.take_news() {
        progress.note(&outage_line(&outage));
    }
}

/// What was observed from outside the hops.
pub(crate) struct Watched {
    /// Why the embedded endpoint could not write at the end.
    pub fault: Result<(), EndpointError>,
    pub own_memory_mib: Option<f64>,
}
