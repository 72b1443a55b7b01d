//! Phase two, first half: reads each tweet again where phase one found it, encodes it, and hands
//! it on in batches, a little ahead of the clock; once for each loop.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crossbeam_channel::{Sender, TrySendError};

use crate::count::{Counters, Intake};
use crate::event::Drafts;
use crate::options::ReplayOptions;
use crate::pace::{Order, Slot, Speed, SpreadRuns, event_times_us, whole_us};
use crate::pipeline::input::dead_letters::DeadLetters;
use crate::pipeline::input::files::{Context, Files, Inside};
use crate::pipeline::input::read::Found;
use crate::pipeline::input::select::{IdKey, LeftOut};
use crate::pipeline::input::stream::{Sorted, Stream};
use crate::pipeline::prepare::plan::Plan;
use crate::pipeline::prepare::prepared::{Prepared, Slots, Work};
use crate::pipeline::replay::batch::Batch;
use crate::pipeline::replay::in_flight::InFlight;
use crate::tweet::{NotJson, Parser, Record, Tweet};

/// Reads and encodes.
pub(crate) struct Feed<'a> {
    pub files: &'a Files,
    pub options: &'a ReplayOptions,
    pub prepared: &'a Prepared,
    pub plan: &'a Plan,
    pub run: &'a str,
    pub out: Sender<Drafts>,
    pub counters: &'a Counters,
    pub stop: &'a AtomicBool,
    /// Nothing more will leave, because the time asked for is over.
    pub over: &'a AtomicBool,
    pub dead_letters: Option<&'a DeadLetters>,
    /// Where the tweets are that were handed on, for the dead letters.
    pub in_flight: Option<&'a InFlight>,
    pub batch: Batch<'a>,
}

/// What came of it.
#[derive(Default)]
pub(crate) struct Fed {
    /// Tweets encoded and handed on.
    pub tweets: u64,
    /// Of these, tweets of users of whom other files know something.
    pub enriched: u64,
    /// Loops that were begun.
    pub loops: u64,
    /// Tweets left out on purpose, in all loops.
    pub left_out: LeftOut,
    /// Tweets of the last loop that were not handed on any more.
    pub rest: u64,
    /// What a stream was found to hold, for each file; `None` where phase one has counted.
    pub intakes: Option<Vec<Intake>>,
    /// Tweets of a stream that were older than one sent before them.
    pub stepped_back: u64,
    /// The file and offset of a tweet that phase one saw and that is not there any more.
    pub changed_at: Option<(u32, u64)>,
    latest_ms: Option<i64>,
}

impl Feed<'_> {
    /// Sends the tweets, loop after loop.
    pub fn run(mut self) -> Fed {
        let (mut fed, mut parser) = (Fed::default(), self.options.new_parser());
        let mut pass = 0;
        loop {
            let fed_before = fed.tweets;
            self.batch.pass = pass;
            pass += 1;
            fed.loops = u64::from(pass);
            let goes_on = match &self.prepared.work {
                Work::Slots(slots) => self.slots(slots, &mut parser, &mut fed),
                Work::Stream => self.stream(&mut parser, &mut fed),
            };
            if let Some(survey) = &self.prepared.survey {
                let rest = survey.tweets.saturating_sub(fed.tweets - fed_before);
                fed.rest += rest;
                fed.left_out.add(self.prepared.left_out);
            }
            if !goes_on || fed.tweets == fed_before || !self.options.pace.loops.goes_on(pass) {
                break;
            }
        }
        self.hand_on();
        fed.enriched = self.batch.enriched;
        fed
    }

    /// Sends the tweets of `slots`; whether there may be another loop.
    fn slots(&mut self, slots: &Slots, parser: &mut Parser, fed: &mut Fed) -> bool {
        event_times_us(&slots.slots, self.plan.spread).all(|(slot, plan_time_us)| {
            let context = slots.contexts[slot.context as usize];
            !self.is_over() && self.put_slot(&slot, context, plan_time_us, parser, fed)
        })
    }

    /// Sends the tweets of the whole input as they come.
    fn stream(&mut self, parser: &mut Parser, fed: &mut Fed) -> bool {
        let first_ms = self.prepared.times_ms.map(|(first_ms, _)| first_ms);
        let is_known = self.prepared.survey.is_some();
        let is_first = fed.loops == 1;
        let dead_letters = self.dead_letters.filter(|_| is_first && !is_known);
        let mut stream = Stream::new(self.files, self.options, first_ms, dead_letters);
        let fed_before = fed.tweets;
        let is_paced = matches!(self.plan.schedule.speed, Speed::Factor(_));
        let goes_on = match self.prepared.order {
            Order::Window(size) => {
                self.sorted(&mut stream, size, self.options.pace.spread && is_paced, parser, fed)
            }
            // To be spread, a tweet has to wait until all of its second have been seen.
            _ if self.plan.spread => self.sorted(&mut stream, 0, true, parser, fed),
            _ => self.as_it_comes(&mut stream, fed),
        };
        if is_known {
            return goes_on;
        }
        let mut left_out = stream.judge().selection.left_out;
        let tweets = match &fed.intakes {
            Some(intakes) => intakes.iter().map(|intake| intake.tweets).sum(),
            None => stream.tweets(),
        };
        let rest = tweets.saturating_sub(fed.tweets - fed_before + left_out.total());
        match goes_on {
            // They came together with the last one below the limit.
            true => left_out.limit += rest,
            false => fed.rest += rest,
        }
        fed.left_out.add(left_out);
        if is_first {
            fed.intakes = Some(stream.into_intakes());
        }
        goes_on
    }

    fn as_it_comes(&mut self, stream: &mut Stream<'_>, fed: &mut Fed) -> bool {
        let limit = fed.tweets.saturating_add(self.options.input.select.limit.unwrap_or(u64::MAX));
        while fed.tweets < limit {
            if self.is_over() {
                return false;
            }
            let was_frame = stream.read(|file, frame, found, counted, judge| {
                let context = self.files.context_of(file, frame);
                let mut put = |tweet: &Tweet<'_>, event_time_ms: i64| {
                    if fed.tweets < limit {
                        let len = frame.bytes.len() as u32;
                        let slot = Slot { event_time_ms, offset: frame.offset, len, context: file };
                        self.put(tweet, &slot, context, whole_us(event_time_ms), frame.bytes, fed);
                    }
                };
                match found {
                    Found::Tweet(tweet) => {
                        if let Some(time_ms) = judge.admit(tweet.event_time_ms, IdKey::of(tweet.id), counted)
                        {
                            put(&tweet, time_ms);
                        }
                    }
                    Found::Group(group) => {
                        for item in group.items() {
                            match item {
                                Ok(tweet) => {
                                    counted.text();
                                    if let Some(time_ms) = judge.admit(None, IdKey::None, counted) {
                                        put(&tweet, time_ms);
                                    }
                                }
                                Err(reject) => counted.item(reject, frame, group.user_id),
                            }
                        }
                    }
                }
            });
            if !was_frame {
                break;
            }
            if self.batch.is_full() && !self.hand_on() {
                return false;
            }
        }
        true
    }

    fn sorted(
        &mut self,
        stream: &mut Stream<'_>,
        size: usize,
        spread: bool,
        parser: &mut Parser,
        fed: &mut Fed,
    ) -> bool {
        let limit = fed.tweets.saturating_add(self.options.input.select.limit.unwrap_or(u64::MAX));
        let sorted = Sorted::new(stream, size);
        let spread = spread && sorted.has_whole_seconds();
        for (_, plan_time_us, (slot, context)) in SpreadRuns::new(sorted, spread) {
            if fed.tweets >= limit {
                break;
            }
            if self.is_over() || !self.put_slot(&slot, context, plan_time_us, parser, fed) {
                return false;
            }
        }
        true
    }

    /// Reads a tweet where it was found, and sends it; whether there is somebody who takes it.
    fn put_slot(
        &mut self,
        slot: &Slot,
        context: Context,
        plan_time_us: i64,
        parser: &mut Parser,
        fed: &mut Fed,
    ) -> bool {
        let frame = self.files.frame(slot, context);
        let put = |record: Result<Record<'_>, NotJson>| match record {
            Ok(Record::Tweet(tweet)) => {
                self.put(&tweet, slot, context, plan_time_us, frame.bytes, fed);
                true
            }
            _ => false,
        };
        let found = match context.inside {
            Inside::Text { user_id } => parser.parse_text(frame.bytes, user_id, put),
            _ => parser.parse_frame(frame, put),
        };
        if !found {
            fed.changed_at = Some((context.file, slot.offset));
            return false;
        }
        !self.batch.is_full() || self.hand_on()
    }

    fn put(
        &mut self,
        tweet: &Tweet<'_>,
        slot: &Slot,
        context: Context,
        plan_time_us: i64,
        raw: &[u8],
        fed: &mut Fed,
    ) {
        self.batch.push(tweet, slot.event_time_ms, plan_time_us, raw, self.options, self.run);
        if self.in_flight.is_some() {
            self.batch.places.push((*slot, context));
        }
        let latest_ms = fed.latest_ms.unwrap_or(slot.event_time_ms);
        fed.stepped_back += u64::from(fed.loops == 1 && slot.event_time_ms < latest_ms);
        fed.latest_ms = Some(latest_ms.max(slot.event_time_ms));
        fed.tweets += 1;
    }

    /// Whether nothing more is to be sent. Asked between two batches.
    fn is_over(&self) -> bool {
        self.batch.is_empty() && (self.stop.load(Ordering::Relaxed) || self.over.load(Ordering::Relaxed))
    }

    /// Whether somebody still takes batches.
    fn hand_on(&mut self) -> bool {
        let Some((drafts, places)) = self.batch.take() else { return true };
        if let Some(in_flight) = self.in_flight {
            in_flight.push(places);
        }
        match self.out.try_send(drafts) {
            Ok(()) => true,
            Err(TrySendError::Disconnected(_)) => false,
            Err(TrySendError::Full(drafts)) => {
                let since = Instant::now();
                let taken = self.out.send(drafts).is_ok();
                self.counters.feed_blocked_ns.add_time(since.elapsed());
                taken
            }
        }
    }
}
