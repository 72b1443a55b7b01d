//! Phase two, first half: reads each tweet again where phase one found it, encodes it, and passes
//! it on in batches, a little ahead of the clock; once per loop.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, TrySendError};

use super::batch::{Batch, Ready};
use super::in_flight::InFlight;
use crate::count::{Counters, Intake};
use crate::event::Drafts;
use crate::pace::{Coming, Order, Speed, SpreadRuns, event_times_us, whole_us};
use crate::pipeline::context::Replay;
use crate::pipeline::input::files::Inside;
use crate::pipeline::input::late::LateCheck;
use crate::pipeline::input::location::Location;
use crate::pipeline::input::select::Skipped;
use crate::pipeline::input::sorted::Sorted;
use crate::pipeline::input::stream::{Admitted, Stream};
use crate::pipeline::prepare::{Slots, Work};
use crate::source::{LiveStep, SourceError};
use crate::tweet::{Mended, NotJson, Parser, Record};

/// Longest wait for the input before a stop is checked.
const WAIT: Duration = Duration::from_millis(20);

/// How long a batch that is not full waits for more.
const LINGER: Duration = Duration::from_millis(2);

pub(crate) struct Feed<'a> {
    replay: &'a Replay<'a>,
    out: Sender<Drafts>,
    counters: &'a Counters,
    /// Set when the requested duration is over: nothing more will be sent.
    over: &'a AtomicBool,
    /// Where the tweets are that were passed on, for the dead letters.
    in_flight: Option<&'a InFlight>,
    batch: Batch<'a>,
    summary: FeedSummary,
    latest_ms: Option<i64>,
    /// Corrects the counts of a pass that skimmed.
    late: Option<LateCheck<'a>>,
    /// When the last tweet came from the input, if there was a wait for it.
    came_at: Option<Instant>,
}

/// The totals of a feed.
#[derive(Default)]
pub(crate) struct FeedSummary {
    /// Tweets encoded and passed on.
    pub tweets: u64,
    /// Of these, tweets of users who are in the tables.
    pub enriched: u64,
    /// Loops from which something was read, even if only ahead of the clock.
    pub loops: u64,
    /// Tweets skipped, in all loops.
    pub skipped: Skipped,
    /// The same in the first loop.
    pub skipped_of_first: Skipped,
    /// Tweets of the last loop that were not handed on any more.
    pub rest: u64,
    /// What the input turned out to hold, for each file; `None` if phase one has counted it, and was right.
    pub intakes: Option<Vec<Intake>>,
    /// Tweets of a stream that were older than one sent before them.
    pub out_of_order: u64,
    /// The file and offset of a tweet that phase one saw and that is not there any more.
    pub changed_at: Option<(u32, u64)>,
    /// Why an input that is read as it comes could not be read to its end.
    pub error: Option<SourceError>,
}

impl<'a> Feed<'a> {
    /// A feed that passes its batches to `out`, until `over` is set.
    pub fn new(
        replay: &'a Replay<'a>,
        out: Sender<Drafts>,
        counters: &'a Counters,
        over: &'a AtomicBool,
        in_flight: Option<&'a InFlight>,
    ) -> Self {
        let (batch, summary) = (Batch::new(replay), FeedSummary::default());
        let Replay { files, options, dead_letters, prepared, .. } = *replay;
        let pass = (&prepared.intakes[..], prepared.times_ms.is_some());
        let late = || LateCheck::new(files, options, dead_letters, &prepared.decisions, pass);
        let late = prepared.is_skimmed.then(late);
        Self { replay, out, counters, over, in_flight, batch, summary, latest_ms: None, late, came_at: None }
    }

    /// Sends the tweets, loop after loop.
    pub fn run(mut self) -> FeedSummary {
        let Replay { options, prepared, .. } = *self.replay;
        let mut parser = options.new_parser();
        for pass in 0.. {
            let fed_before = self.summary.tweets;
            self.batch.pass = pass;
            self.summary.loops = u64::from(pass) + 1;
            let end = match &prepared.work {
                Work::Slots(slots) => self.slots(slots, &mut parser),
                Work::Stream => self.stream(&mut parser),
            };
            let fed = self.summary.tweets - fed_before;
            if let Some(survey) = &prepared.survey {
                let lost = self.late.as_ref().map_or(0, |late| late.lost);
                self.summary.rest += survey.tweets.saturating_sub(fed + lost);
                self.summary.skipped.add(prepared.skipped);
            }
            if pass == 0 {
                self.summary.skipped_of_first = self.summary.skipped;
            }
            if end.is_break() || fed == 0 || !options.pace.loops.goes_on(pass + 1) {
                break;
            }
        }
        // The rest of the last batch; if the receiver is gone, it counts as not released.
        let _ = self.hand_on();
        self.summary.enriched = self.batch.enriched;
        if let Some(intakes) = self.late.and_then(LateCheck::corrected) {
            self.summary.intakes = Some(intakes);
        }
        self.summary
    }

    /// Sends the tweets of `slots`; breaks off when nothing more may be sent.
    fn slots(&mut self, slots: &Slots, parser: &mut Parser) -> ControlFlow<()> {
        for (slot, plan_time_us) in event_times_us(&slots.slots, self.replay.plan.spread) {
            self.check_over()?;
            let location = Location::mapped(slot, slots.contexts[slot.context as usize]);
            self.put_located(&location, plan_time_us, parser)?;
        }
        ControlFlow::Continue(())
    }

    /// Sends the tweets of the whole input as they come.
    fn stream(&mut self, parser: &mut Parser) -> ControlFlow<()> {
        let Replay { options, files, prepared, plan, .. } = *self.replay;
        let first_ms = prepared.times_ms.map(|(first_ms, _)| first_ms);
        let is_known = prepared.survey.is_some();
        let is_first = self.summary.loops == 1;
        let dead_letters = self.replay.dead_letters.filter(|_| is_first && !is_known);
        let stop = &self.replay.session.stop;
        let late = if is_first { self.late.take() } else { None };
        let mut stream =
            Stream::new(files, options, (first_ms, &prepared.decisions), dead_letters, stop).correcting(late);
        let fed_before = self.summary.tweets;
        let is_paced = matches!(plan.schedule.speed, Speed::Factor(_));
        let end = match prepared.order {
            Order::Window(size) => self.sorted(&mut stream, size, options.pace.spread && is_paced, parser),
            // To be spread, a tweet has to wait until all tweets of its second have been seen.
            _ if plan.spread => self.sorted(&mut stream, 0, true, parser),
            _ => self.as_it_comes(&mut stream),
        };
        self.summary.error = self.summary.error.take().or(stream.take_error());
        self.late = stream.take_late().or(self.late.take());
        if is_known {
            return end;
        }
        self.account_for(stream, fed_before, end);
        end
    }

    /// Counts the skipped tweets of a stream that had not been counted before.
    fn account_for(&mut self, stream: Stream<'_>, fed_before: u64, end: ControlFlow<()>) {
        let summary = &mut self.summary;
        let mut skipped = stream.selection().skipped;
        let tweets = match &summary.intakes {
            Some(intakes) => intakes.iter().map(|intake| intake.tweets).sum(),
            None => stream.tweets(),
        };
        let rest = tweets.saturating_sub(summary.tweets - fed_before + skipped.total());
        match end {
            // They came together with the last one below the limit.
            ControlFlow::Continue(()) => skipped.limit += rest,
            ControlFlow::Break(()) => summary.rest += rest,
        }
        summary.skipped.add(skipped);
        if summary.loops == 1 {
            summary.intakes = Some(stream.into_intakes());
        }
    }

    fn as_it_comes(&mut self, stream: &mut Stream<'_>) -> ControlFlow<()> {
        let limit = self.limit();
        let locates = self.in_flight.is_some();
        while self.summary.tweets < limit {
            self.check_over()?;
            let wait = if self.batch.is_empty() { WAIT } else { LINGER };
            let step = stream.read_tweets(wait, locates, |Admitted { tweet, location, raw }| {
                if self.summary.tweets < limit {
                    let plan_time_us = whole_us(location.slot.event_time_ms);
                    self.put(&Ready { tweet, location: &location, plan_time_us, raw });
                }
            });
            self.came_at = stream.came_at();
            match step {
                LiveStep::Frame if !self.batch.is_full() => {}
                LiveStep::Frame | LiveStep::Nothing => self.hand_on()?,
                LiveStep::End => break,
            }
        }
        ControlFlow::Continue(())
    }

    fn sorted(
        &mut self,
        stream: &mut Stream<'_>,
        size: usize,
        spread: bool,
        parser: &mut Parser,
    ) -> ControlFlow<()> {
        let limit = self.limit();
        let sorted = Sorted::new(stream, size);
        let spread = spread && sorted.has_whole_seconds();
        let mut runs = SpreadRuns::new(sorted, spread);
        while self.summary.tweets < limit {
            self.check_over()?;
            let coming = runs.next();
            self.came_at = runs.inner().came_at();
            match coming {
                Some(Coming::Tweet(plan_time_us, location)) => {
                    self.put_located(&location, plan_time_us, parser)?;
                }
                Some(Coming::Nothing | Coming::Lull) => self.hand_on()?,
                None => break,
            }
        }
        ControlFlow::Continue(())
    }

    /// How many tweets will have been passed on when this loop has sent all that it may.
    fn limit(&self) -> u64 {
        self.summary.tweets.saturating_add(self.replay.options.input.select.limit.unwrap_or(u64::MAX))
    }

    /// Reads a tweet where it was found, and sends it; breaks off if it is no longer there, or the
    /// receiver is gone.
    fn put_located(
        &mut self,
        location: &Location,
        plan_time_us: i64,
        parser: &mut Parser,
    ) -> ControlFlow<()> {
        let frame = location.frame(self.replay.files);
        parser.begin_file(location.context.file);
        parser.times().decide(self.replay.prepared.decision(location.context.file));
        let put = |record: Result<Record<'_>, NotJson>| match record {
            Ok(Record::Tweet(tweet)) => {
                self.put(&Ready { tweet: &tweet, location, plan_time_us, raw: frame.bytes });
                true
            }
            _ => false,
        };
        let found = match location.context.inside {
            Inside::Text { user_id } => parser.parse_text(frame.bytes, user_id, put),
            _ => parser.parse_frame(frame, put),
        };
        let is_mended = self.summary.loops == 1 && parser.mended() != Mended::default();
        let is_late = (is_mended || !found) && self.is_late(location);
        if !found {
            if is_late {
                return ControlFlow::Continue(());
            }
            self.summary.changed_at = Some((location.context.file, location.slot.offset));
            return ControlFlow::Break(());
        }
        if self.batch.is_full() { self.hand_on() } else { ControlFlow::Continue(()) }
    }

    /// Whether the pass took a record for a tweet and it is not one; it is counted as what it is, in the first loop.
    #[cold]
    fn is_late(&mut self, location: &Location) -> bool {
        let (Some(late), Inside::Record | Inside::Page { .. }) = (&mut self.late, location.context.inside)
        else {
            return false;
        };
        let counts = self.summary.loops == 1;
        late.look(location.context.file, location.frame(self.replay.files), counts)
    }

    fn put(&mut self, ready: &Ready<'_>) {
        self.batch.push(ready);
        let event_time_ms = ready.location.slot.event_time_ms;
        let latest_ms = self.latest_ms.unwrap_or(event_time_ms);
        self.summary.out_of_order += u64::from(self.summary.loops == 1 && event_time_ms < latest_ms);
        self.latest_ms = Some(latest_ms.max(event_time_ms));
        self.summary.tweets += 1;
    }

    /// Breaks off when nothing more may be sent. Checked between two batches.
    fn check_over(&self) -> ControlFlow<()> {
        let is_over = || self.replay.session.is_stopped() || self.over.load(Ordering::Relaxed);
        if self.batch.is_empty() && is_over() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Passes the batch on; breaks off if the receiver is gone.
    fn hand_on(&mut self) -> ControlFlow<()> {
        let Some((mut drafts, places)) = self.batch.take() else { return ControlFlow::Continue(()) };
        drafts.came_at = self.came_at;
        if let Some(in_flight) = self.in_flight {
            in_flight.push(places);
        }
        let taken = match self.out.try_send(drafts) {
            Ok(()) => true,
            Err(TrySendError::Disconnected(_)) => false,
            Err(TrySendError::Full(drafts)) => {
                let since = Instant::now();
                let taken = self.out.send(drafts).is_ok();
                self.counters.feed_blocked_ns.add_time(since.elapsed());
                taken
            }
        };
        if taken { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}
