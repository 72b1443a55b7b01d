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

/// A stream's tweets by their places, sorted by time within a window. After a second without input, the
/// window releases all of them.
pub(crate) struct Sorted<'s, 'a> {
    stream: &'s mut Stream<'a>,
    ready: VecDeque<(i64, Location)>,
    window: Window<Location>,
    kept_bytes: usize,
    /// How long the input has been silent.
    quiet: Duration,
    /// Whether the silence has been passed on.
    has_told: bool,
}

impl<'s, 'a> Sorted<'s, 'a> {
    /// Sorts with a window of `size` tweets, which is full when this returns, or holds all tweets that came
    /// before a silence.
    pub fn new(stream: &'s mut Stream<'a>, size: usize) -> Self {
        let (ready, window) = (VecDeque::new(), Window::new(size));
        let mut sorted =
            Self { stream, ready, window, kept_bytes: 0, quiet: Duration::ZERO, has_told: false };
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
            LiveStep::Frame => (self.quiet, self.has_told) = (Duration::ZERO, false),
            LiveStep::End => {}
        }
        step
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
