//! Reads the run back from Kafka: what was acknowledged is there when it can be read. The log of the embedded endpoint is
//! followed while it is written, another Kafka is read at the end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::count::{Counters, FoundRecords};
use crate::event::PayloadForm;
use crate::kafka::embedded::Follower;
use crate::kafka::{READ_PATIENCE, read_since};
use crate::pipeline::context::Replay;
use crate::report::with_causes;

/// How often the log is looked at. What comes between two looks is in the page cache.
const LOOK: Duration = Duration::from_millis(50);

/// What was found in Kafka of the run.
pub(crate) struct ReadBack {
    pub found: FoundRecords,
    /// Batches of the topic that could not be read.
    pub unreadable: u64,
    /// Why it is not all that there is.
    pub broken_off: Option<String>,
}

/// An empty set for the records of this run.
pub(crate) fn found_records(replay: &Replay<'_>) -> FoundRecords {
    let message = &replay.options.message;
    FoundRecords::new(replay.run, message.payload != PayloadForm::Tweet, message.names)
}

/// Follows the embedded log until all has been reported on, and then to its end.
pub(crate) fn follow(
    mut follower: Follower,
    mut found: FoundRecords,
    counters: &Counters,
    all_reported: &AtomicBool,
) -> ReadBack {
    let mut broken_off = None;
    loop {
        // Asked before the look: what was reported by then is in the log.
        let is_last = all_reported.load(Ordering::Acquire);
        let sent = || counters.published.get();
        let looked = follower.look(|record| match found.in_headers() {
            true => found.take_headers(record.headers(), sent),
            false => found.take_value(record.value(), sent),
        });
        match looked {
            Ok(followed) if followed.replaced => found.clear(),
            Ok(_) if is_last => break,
            Ok(_) => std::thread::sleep(LOOK),
            Err(error) => {
                broken_off = Some(error.to_string());
                break;
            }
        }
    }
    ReadBack { found, unreadable: follower.unreadable, broken_off }
}

/// Reads another Kafka from where the run began to its end. Ctrl-C ends it, and 30 s without a message.
pub(crate) fn read_at_end(replay: &Replay<'_>, counters: &Counters) -> ReadBack {
    let (session, sent) = (replay.session, counters.published.get());
    let mut found = found_records(replay);
    // After an earlier stop the second one leaves at once. Asked before Ctrl-C is offered.
    let was_stopped = session.is_stopped();
    if session.screen.shows_progress() {
        let (tweets, patience) = (replay.noun().counted(sent), READ_PATIENCE.as_secs());
        session.screen.say(&format!(
            "reading {tweets} back from Kafka; without an answer for {patience} s, or after Ctrl-C, the run is \
             unproven\n"
        ));
    }
    let go_on = || was_stopped || !session.is_stopped();
    let read = read_since(&replay.ends.producer, &replay.ends.starts, go_on, |value, headers| {
        match found.in_headers() {
            true => found.take_headers(headers, || sent),
            false => found.take_value(value, || sent),
        }
    });
    let broken_off = match read {
        Ok(true) => None,
        Ok(false) => Some("it was stopped".to_owned()),
        Err(error) => Some(with_causes(&error)),
    };
    ReadBack { found, unreadable: 0, broken_off }
}
