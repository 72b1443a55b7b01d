//! Sorts the tweets of a stream by time within a window.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::location::Location;
use super::stream::Stream;
use crate::pace::{Coming, Window, is_whole_second};
use crate::source::{LULL, LiveStep};

/// Longest wait for the input before a stop is checked.
const WAIT: Duration = Duration::from_millis(20);

/// Most bytes of records that a window keeps from an input that is read as it comes.
const KEPT_BYTES: usize = 64 << 20;

/// From a slow input, tweets are released when they came longer ago than this: it may never fill the window.
const REACH: Duration = Duration::from_secs(5);

/// Time between two marks.
const MARK_EVERY: Duration = Duration::from_millis(500);

/// A stream's tweets by their places, sorted by time within a window. After a second without input, the
/// window releases all of them; from a slow input none waits much longer than five seconds.
pub(crate) struct Sorted<'s, 'a> {
    stream: &'s mut Stream<'a>,
    ready: VecDeque<(i64, Location)>,
    window: Window<Location>,
    kept_bytes: usize,
    /// How many tweets had come at which time, while the input was slow.
    marks: VecDeque<(Instant, u64)>,
    /// How long the input has been silent.
    quiet: Duration,
    /// Whether the silence has been passed on.
    has_told: bool,
}

impl<'s, 'a> Sorted<'s, 'a> {
    /// Sorts with a window of `size` tweets, which is full when this returns, or holds all tweets that came
    /// before a silence.
    pub fn new(stream: &'s mut Stream<'a>, size: usize) -> Self {
        let mut sorted = Self {
            stream,
            ready: VecDeque::new(),
            window: Window::new(size),
            kept_bytes: 0,
            marks: VecDeque::new(),
            quiet: Duration::ZERO,
            has_told: false,
        };
        while sorted.ready.is_empty() && sorted.quiet < LULL && sorted.read() != LiveStep::End {}
        sorted
    }

    /// Whether no time in the window is finer than a second.
    pub fn has_whole_seconds(&self) -> bool {
        let ready = self.ready.iter().map(|(time_ms, _)| *time_ms);
        self.window.times_ms().chain(ready).all(is_whole_second)
    }

    /// As [`Stream::came_at`].
    pub fn came_at(&self) -> Option<Instant> {
        self.stream.came_at()
    }

    fn read(&mut self) -> LiveStep {
        let Self { stream, ready, window, kept_bytes, .. } = self;
        let step = stream.read_places(WAIT, |location| {
            *kept_bytes += location.kept_bytes();
            ready.extend(window.push(location.slot.event_time_ms, location));
            while *kept_bytes > KEPT_BYTES + ready.iter().map(|(_, ready)| ready.kept_bytes()).sum::<usize>()
            {
                let Some(oldest) = window.pop() else { break };
                ready.push_back(oldest);
            }
        });
        match step {
            LiveStep::Nothing => {
                self.quiet += WAIT;
                if self.quiet >= LULL {
                    self.ready.extend(std::iter::from_fn(|| self.window.pop()));
                }
            }
            LiveStep::Frame => {
                (self.quiet, self.has_told) = (Duration::ZERO, false);
                self.release_what_waits_long();
            }
            LiveStep::End => {}
        }
        step
    }
}

impl Sorted<'_, '_> {
    /// Releases the tweets that came longer ago than [`REACH`], by their number.
    fn release_what_waits_long(&mut self) {
        let Some(came_at) = self.stream.came_at() else { return };
        if self.marks.back().is_none_or(|(at, _)| came_at.saturating_duration_since(*at) >= MARK_EVERY) {
            self.marks.push_back((came_at, self.window.arrived()));
        }
        while let Some((at, arrived)) = self.marks.front().copied()
            && came_at.saturating_duration_since(at) >= REACH
        {
            self.marks.pop_front();
            let reach = self.window.arrived() - arrived;
            while self.window.len() as u64 > reach {
                self.ready.extend(self.window.pop());
            }
        }
    }
}

impl Iterator for Sorted<'_, '_> {
    type Item = Coming<Location>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((time_ms, location)) = self.ready.pop_front() {
                self.kept_bytes -= location.kept_bytes();
                return Some(Coming::Tweet(time_ms, location));
            }
            if self.quiet >= LULL && !self.has_told {
                self.has_told = true;
                return Some(Coming::Lull);
            }
            match self.read() {
                LiveStep::Frame => {}
                LiveStep::Nothing if self.ready.is_empty() && (self.has_told || self.quiet < LULL) => {
                    return Some(Coming::Nothing);
                }
                LiveStep::Nothing => {}
                LiveStep::End => {
                    let (time_ms, location) = self.window.pop()?;
                    self.kept_bytes -= location.kept_bytes();
                    return Some(Coming::Tweet(time_ms, location));
                }
            }
        }
    }
}
