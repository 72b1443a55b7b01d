//! Reads the input from its start to its end, without an index: what is in it is counted on the way.

use std::collections::VecDeque;

use crate::count::Intake;
use crate::options::ReplayOptions;
use crate::pace::{Slot, Window, is_whole_second};
use crate::pipeline::input::dead_letters::DeadLetters;
use crate::pipeline::input::files::{Context, Files};
use crate::pipeline::input::read::{Counted, Found, NO_TIME, Reader, slots_of};
use crate::pipeline::input::select::{IdKey, Selection};
use crate::source::Frame;

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

/// Says which tweets are sent, and when they were written.
pub(crate) struct Judge {
    pub selection: Selection,
    /// The time of the tweet before.
    before_ms: Option<i64>,
}

impl Judge {
    /// The time of a tweet that is sent, 0 in an input without times; `None`: it is left out.
    pub fn admit(&mut self, time_ms: Option<i64>, id: IdKey, counted: &mut Counted) -> Option<i64> {
        if self.selection.is_duplicate(id) {
            return None;
        }
        let Some(before_ms) = self.before_ms else { return Some(0) };
        counted.intake.without_time += u64::from(time_ms.is_none());
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
            judge: Judge { selection: Selection::new(options.input.select), before_ms: first_ms },
        }
    }

    /// Reads the next frame and shows it to `look` if there are tweets in it; whether there was one.
    pub fn read(&mut self, look: impl FnOnce(u32, Frame<'a>, Found<'_>, &mut Counted, &mut Judge)) -> bool {
        let Some((file, frame)) = self.frames.next() else { return false };
        if file != self.file {
            self.take_intake();
            self.file = file;
        }
        let judge = &mut self.judge;
        self.reader.read(frame, |frame, found, counted| look(file, frame, found, counted, judge));
        if let (Some(dead_letters), Some(letters)) = (self.dead_letters, &mut self.reader.counted.letters) {
            dead_letters.write_found(self.files, file, letters);
            letters.clear();
        }
        true
    }

    /// Tweets read so far.
    pub fn tweets(&self) -> u64 {
        self.intakes.iter().map(|intake| intake.tweets).sum::<u64>() + self.reader.counted.intake.tweets
    }

    /// Decides what is sent.
    pub fn judge(&self) -> &Judge {
        &self.judge
    }

    /// What was in each file.
    pub fn into_intakes(mut self) -> Vec<Intake> {
        self.take_intake();
        self.intakes
    }

    fn take_intake(&mut self) {
        self.intakes[self.file as usize].merge(std::mem::take(&mut self.reader.counted.intake));
    }
}

/// A stream's tweets by their places, sorted by time as far as a window reaches.
pub(crate) struct Sorted<'s, 'a> {
    stream: &'s mut Stream<'a>,
    ready: VecDeque<(i64, (Slot, Context))>,
    window: Window<(Slot, Context)>,
}

impl<'s, 'a> Sorted<'s, 'a> {
    /// Sorts with a window of `size` tweets, which is full when this returns, or holds all.
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
        let files = stream.files;
        stream.read(|file, frame, found, counted, judge| {
            slots_of((files, file), frame, found, counted, |mut slot, context, id, _, counted| {
                let time_ms = Some(slot.event_time_ms).filter(|time_ms| *time_ms != NO_TIME);
                if let Some(time_ms) = judge.admit(time_ms, id, counted) {
                    slot.event_time_ms = time_ms;
                    ready.extend(window.push(time_ms, (slot, context)));
                }
            });
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
