//! Reads the input from start to end, without an index, and counts what is in it on the way.

use std::collections::VecDeque;

use super::dead_letters::DeadLetters;
use super::files::{Context, Files};
use super::read::Reader;
use super::select::{IdKey, Selection};
use crate::count::Intake;
use crate::options::ReplayOptions;
use crate::pace::{Slot, Window, is_whole_second};
use crate::source::Frame;
use crate::tweet::Tweet;

/// One pass over the input.
pub(crate) struct Stream<'a> {
    files: &'a Files,
    frames: Box<dyn Iterator<Item = (u32, Frame<'a>)> + 'a>,
    reader: Reader,
    dead_letters: Option<&'a DeadLetters>,
    file: u32,
    intakes: Vec<Intake>,
    judge: Judge,
}

/// A tweet to send, as it was read.
pub(crate) struct Admitted<'t> {
    pub tweet: &'t Tweet<'t>,
    /// With the time at which it is sent; 0 in an input without times.
    pub slot: Slot,
    pub context: Context,
    pub raw: &'t [u8],
}

/// Decides which tweets are sent, and when they were written.
struct Judge {
    selection: Selection,
    /// The time of the previous tweet; `None`: the input has no times.
    before_ms: Option<i64>,
    /// Tweets without a time, among others that have one.
    without_time: u64,
}

impl Judge {
    /// The time of a tweet that is sent, 0 in an input without times; `None`: it is skipped.
    fn admit(&mut self, time_ms: Option<i64>, id: IdKey) -> Option<i64> {
        if self.selection.is_duplicate(id) {
            return None;
        }
        let Some(before_ms) = self.before_ms else { return Some(0) };
        self.without_time += u64::from(time_ms.is_none());
        let time_ms = time_ms.unwrap_or(before_ms);
        self.before_ms = Some(time_ms);
        (!self.selection.is_out_of_range(time_ms)).then_some(time_ms)
    }
}

impl<'a> Stream<'a> {
    /// A pass from the start. `first_ms`: the first time in the input, if it has times.
    pub fn new(
        files: &'a Files,
        options: &ReplayOptions,
        first_ms: Option<i64>,
        dead_letters: Option<&'a DeadLetters>,
    ) -> Self {
        Self {
            files,
            frames: Box::new(files.frames()),
            reader: Reader::new(options, dead_letters.is_some()),
            dead_letters,
            file: 0,
            intakes: files.iter().map(|_| Intake::default()).collect(),
            judge: Judge {
                selection: Selection::new(options.input.select),
                before_ms: first_ms,
                without_time: 0,
            },
        }
    }

    /// Reads the next frame and passes each tweet in it that is to be sent to `each`; returns
    /// whether there was a frame.
    pub fn read_tweets(&mut self, mut each: impl FnMut(Admitted<'_>)) -> bool {
        let Some((file, frame)) = self.next_frame() else { return false };
        let Self { files, reader, judge, .. } = self;
        reader.tweets(frame, |tweet, frame| {
            if let Some(event_time_ms) = judge.admit(tweet.event_time_ms, IdKey::of(tweet.id)) {
                let context = files.context_of(file, frame);
                let len = frame.bytes.len() as u32;
                let slot = Slot { event_time_ms, offset: frame.offset, len, context: file };
                each(Admitted { tweet, slot, context, raw: frame.bytes });
            }
        });
        self.write_letters();
        true
    }

    /// As [`read_tweets`](Self::read_tweets), with only the place of each tweet.
    fn read_places(&mut self, mut each: impl FnMut(Slot, Context)) -> bool {
        let Some((file, frame)) = self.next_frame() else { return false };
        let Self { files, reader, judge, .. } = self;
        reader.places(files, file, frame, |place| {
            let time_ms = place.time_ms();
            if let Some(event_time_ms) = judge.admit(time_ms, place.id) {
                each(Slot { event_time_ms, ..place.slot }, place.context);
            }
        });
        self.write_letters();
        true
    }

    fn next_frame(&mut self) -> Option<(u32, Frame<'a>)> {
        let (file, frame) = self.frames.next()?;
        if file != self.file {
            self.take_intake();
            self.file = file;
        }
        Some((file, frame))
    }

    fn write_letters(&mut self) {
        if let (Some(dead_letters), Some(letters)) = (self.dead_letters, &mut self.reader.counted.letters) {
            dead_letters.write_found(self.files, self.file, letters);
            letters.clear();
        }
    }

    /// Tweets read so far.
    pub fn tweets(&self) -> u64 {
        self.intakes.iter().map(|intake| intake.tweets).sum::<u64>() + self.reader.counted.intake.tweets
    }

    /// What was skipped so far.
    pub fn selection(&self) -> &Selection {
        &self.judge.selection
    }

    /// What was in each file.
    pub fn into_intakes(mut self) -> Vec<Intake> {
        self.take_intake();
        self.intakes
    }

    fn take_intake(&mut self) {
        let mut intake = std::mem::take(&mut self.reader.counted.intake);
        intake.without_time += std::mem::take(&mut self.judge.without_time);
        self.intakes[self.file as usize].merge(intake);
    }
}

/// A stream's tweets by their places, sorted by time within a window.
pub(crate) struct Sorted<'s, 'a> {
    stream: &'s mut Stream<'a>,
    ready: VecDeque<(i64, (Slot, Context))>,
    window: Window<(Slot, Context)>,
}

impl<'s, 'a> Sorted<'s, 'a> {
    /// Sorts with a window of `size` tweets, which is full when this returns, or holds all of them.
    pub fn new(stream: &'s mut Stream<'a>, size: usize) -> Self {
        let mut sorted = Self { stream, ready: VecDeque::new(), window: Window::new(size) };
        while sorted.ready.is_empty() && sorted.read() {}
        sorted
    }

    /// Whether no time in the window is finer than a second.
    pub fn has_whole_seconds(&self) -> bool {
        let ready = self.ready.iter().map(|(time_ms, _)| *time_ms);
        self.window.times_ms().chain(ready).all(is_whole_second)
    }

    fn read(&mut self) -> bool {
        let Self { stream, ready, window } = self;
        stream.read_places(|slot, context| {
            ready.extend(window.push(slot.event_time_ms, (slot, context)));
        })
    }
}

impl Iterator for Sorted<'_, '_> {
    type Item = (i64, (Slot, Context));

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() && self.read() {}
        self.ready.pop_front().or_else(|| self.window.pop())
    }
}
