//! Reads the input from start to end, without an index, and counts what is in it on the way.

use std::sync::Arc;
use std::sync::MutexGuard;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::dead_letters::{DeadLetters, FoundIn};
use super::files::{Context, Files};
use super::late::LateCheck;
use super::line_count::LineCount;
use super::location::Location;
use super::read::Reader;
use super::select::{IdKey, Selection};
use crate::count::Intake;
use crate::options::ReplayOptions;
use crate::pace::Slot;
use crate::source::{Frame, Frames, LiveReader, LiveStep, SourceError, TweetFile};
use crate::tweet::{TimeDecision, Tweet};

/// One pass over the input.
pub(crate) struct Stream<'a> {
    files: &'a Files,
    frames: FileFrames<'a>,
    reader: Reader,
    decisions: &'a [TimeDecision],
    dead_letters: Option<&'a DeadLetters>,
    /// Corrects the counts of a pass that skimmed.
    late: Option<LateCheck<'a>>,
    /// What of this file was counted so far that is not simply a tweet.
    odd: u64,
    stop: &'a AtomicBool,
    file: u32,
    intakes: Vec<Intake>,
    /// Kinds of rejects in this file whose first line is noted.
    kinds: usize,
    judge: Judge,
    /// The `includes` of the page that was read last.
    includes: Arc<[u8]>,
    /// Why the input could not be read to its end.
    error: Option<SourceError>,
}

/// The frames of one file.
enum FileFrames<'a> {
    Mapped { file: &'a TweetFile, frames: Box<Frames<'a>>, frame: Option<Frame<'a>> },
    Live(MutexGuard<'a, LiveReader>),
}

impl<'a> FileFrames<'a> {
    fn of(file: &'a TweetFile) -> Self {
        match file.live() {
            Some(reader) => FileFrames::Live(reader),
            None => FileFrames::Mapped { file, frames: Box::new(file.frames()), frame: None },
        }
    }

    fn step(&mut self, wait: Duration) -> Result<LiveStep, SourceError> {
        match self {
            FileFrames::Live(reader) => reader.step(wait),
            FileFrames::Mapped { file, frames, frame } => {
                *frame = frames.next();
                if file.is_shortened() {
                    return Err(SourceError::Shortened { path: file.path().to_owned() });
                }
                Ok(if frame.is_some() { LiveStep::Frame } else { LiveStep::End })
            }
        }
    }

    /// The frame of the last step.
    fn frame(&self) -> Frame<'_> {
        match self {
            FileFrames::Live(reader) => reader.frame(),
            FileFrames::Mapped { frame, .. } => {
                frame.unwrap_or(Frame { offset: 0, bytes: &[], includes: &[] })
            }
        }
    }
}

/// A tweet to send, as it was read.
pub(crate) struct Admitted<'t> {
    pub tweet: &'t Tweet<'t>,
    /// With the time at which it is sent; 0 in an input without times.
    pub location: Location,
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
    /// A pass from the start. `decisions`: how the times of each file are read. `first_ms`: the first time in the input, if it has times. If `stop` is
    /// set, it ends where it would have to wait.
    pub fn new(
        files: &'a Files,
        options: &ReplayOptions,
        (first_ms, decisions): (Option<i64>, &'a [TimeDecision]),
        dead_letters: Option<&'a DeadLetters>,
        stop: &'a AtomicBool,
    ) -> Self {
        let mut reader = Reader::new(options, dead_letters.is_some());
        reader.begin_file(0, decisions.first().copied().unwrap_or_default());
        Self {
            files,
            frames: FileFrames::of(files.get(0)),
            reader,
            decisions,
            dead_letters,
            late: None,
            odd: 0,
            stop,
            file: 0,
            intakes: files.iter().map(|_| Intake::default()).collect(),
            kinds: 0,
            judge: Judge {
                selection: Selection::new(options.input.select),
                before_ms: first_ms,
                without_time: 0,
            },
            includes: Arc::default(),
            error: None,
        }
    }

    /// With corrections for a pass that skimmed.
    pub fn correcting(self, late: Option<LateCheck<'a>>) -> Self {
        Self { late, ..self }
    }

    /// The corrections so far.
    pub fn take_late(&mut self) -> Option<LateCheck<'a>> {
        self.late.take()
    }

    /// Reads the next frame, if it comes within `wait`, and passes each tweet in it that is to be sent to
    /// `each`. With `locates`, tweets can be read again: the bytes of an input that is read as it comes are
    /// kept.
    pub fn read_tweets(
        &mut self,
        wait: Duration,
        locates: bool,
        mut each: impl FnMut(Admitted<'_>),
    ) -> LiveStep {
        let step = self.step(wait);
        if step == LiveStep::Frame {
            let Self { files, frames, reader, judge, includes, file, .. } = self;
            let file = *file;
            let keeper = Keeper { files, file, outer: frames.frame(), locates, includes };
            reader.tweets(frames.frame(), |tweet, frame| {
                if let Some(event_time_ms) = judge.admit(tweet.event_time_ms, IdKey::of_tweet(tweet)) {
                    let len = frame.bytes.len() as u32;
                    let slot = Slot { event_time_ms, offset: frame.offset, len, context: file };
                    let location = keeper.location(slot, files.context_of(file, frame));
                    each(Admitted { tweet, location, raw: frame.bytes });
                }
            });
            self.note_lines();
            self.write_letters();
            self.look_for_late();
        }
        step
    }

    /// As [`read_tweets`](Self::read_tweets), with only the place of each tweet.
    pub fn read_places(&mut self, wait: Duration, mut each: impl FnMut(Location)) -> LiveStep {
        let step = self.step(wait);
        if step == LiveStep::Frame {
            let Self { files, frames, reader, judge, includes, file, .. } = self;
            let keeper = Keeper { files, file: *file, outer: frames.frame(), locates: true, includes };
            reader.places(files, *file, frames.frame(), |place| {
                let time_ms = place.time_ms();
                if let Some(event_time_ms) = judge.admit(time_ms, place.id) {
                    each(keeper.location(Slot { event_time_ms, ..place.slot }, place.context));
                }
            });
            self.note_lines();
            self.write_letters();
            self.look_for_late();
        }
        step
    }

    fn step(&mut self, wait: Duration) -> LiveStep {
        loop {
            match self.frames.step(wait) {
                Ok(LiveStep::Frame) => {
                    self.note_includes();
                    return LiveStep::Frame;
                }
                Ok(LiveStep::Nothing) if self.stop.load(Ordering::Relaxed) => return LiveStep::End,
                Ok(LiveStep::Nothing) => return LiveStep::Nothing,
                Ok(LiveStep::End) if self.file + 1 < self.files.count() => {
                    self.take_intake();
                    self.file += 1;
                    self.frames = FileFrames::of(self.files.get(self.file));
                    let decision = self.decisions.get(self.file as usize).copied().unwrap_or_default();
                    self.reader.begin_file(self.file, decision);
                }
                Ok(LiveStep::End) => return LiveStep::End,
                Err(error) => {
                    self.error.get_or_insert(error);
                    return LiveStep::End;
                }
            }
        }
    }

    /// Notes the lines of rejects and unparseable frames. Of an input that is read as it comes, nobody can count
    /// them later.
    fn note_lines(&mut self) {
        let Self { frames: FileFrames::Live(reader), reader: Reader { counted, .. }, kinds, .. } = self
        else {
            return;
        };
        let intake = &mut counted.intake;
        if intake.rejects.len() == *kinds && intake.unparseable_lines.len() == intake.unparseable_at.len() {
            return;
        }
        *kinds = intake.rejects.len();
        let (before, frame) = (reader.line() - 1, reader.frame());
        let mut count = LineCount::default();
        intake.note_lines(|offset| {
            let within = usize::try_from(offset.checked_sub(frame.offset)?).ok()?;
            Some(before + count.of(0, frame.bytes, within))
        });
    }

    /// Looks at the frame once more if not all in it is a tweet, as the pass may have thought.
    fn look_for_late(&mut self) {
        let Some(late) = &mut self.late else { return };
        let odd = self.reader.counted.intake.odd();
        if odd != std::mem::replace(&mut self.odd, odd) {
            late.look(self.file, self.frames.frame(), true);
        }
    }

    /// The elements of a page share its `includes`.
    fn note_includes(&mut self) {
        if let FileFrames::Live(reader) = &self.frames {
            let includes = reader.frame().includes;
            if *self.includes != *includes {
                self.includes = includes.into();
            }
        }
    }

    fn write_letters(&mut self) {
        if let (Some(dead_letters), Some(letters)) = (self.dead_letters, &mut self.reader.counted.letters) {
            if letters.is_empty() {
                return;
            }
            let found_in = match &mut self.frames {
                FileFrames::Mapped { .. } => FoundIn::File,
                FileFrames::Live(reader) => {
                    let line = reader.line();
                    FoundIn::Frame { frame: reader.frame(), line }
                }
            };
            dead_letters.write_found(self.files, self.file, found_in, letters);
            letters.clear();
        }
    }

    /// When the last bytes came after a wait; `None`: there was no wait, or all files are mapped.
    pub fn came_at(&self) -> Option<Instant> {
        match &self.frames {
            FileFrames::Live(reader) => reader.came_at(),
            FileFrames::Mapped { .. } => None,
        }
    }

    /// Why the input could not be read to its end.
    pub fn take_error(&mut self) -> Option<SourceError> {
        self.error.take()
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
        (self.kinds, self.odd) = (0, 0);
        let mut intake = std::mem::take(&mut self.reader.counted.intake);
        intake.without_time += std::mem::take(&mut self.judge.without_time);
        self.intakes[self.file as usize].merge(intake);
    }
}

/// Makes the locations of a frame's tweets.
struct Keeper<'k> {
    files: &'k Files,
    file: u32,
    outer: Frame<'k>,
    locates: bool,
    includes: &'k Arc<[u8]>,
}

impl Keeper<'_> {
    fn location(&self, slot: Slot, context: Context) -> Location {
        match self.locates && self.files.get(self.file).is_live() {
            true => Location::copied(slot, context, self.outer, self.includes.clone()),
            false => Location::mapped(slot, context),
        }
    }
}
