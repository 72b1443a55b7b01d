//! Counts what the frames of the input are, in the same way in both phases.

use super::files::{Context, Files, Inside};
use super::letter::{Letter, LetterReason, unwrap};
use super::select::IdKey;
use crate::count::{Intake, UnreadTimes};
use crate::event::PayloadForm;
use crate::options::ReplayOptions;
use crate::pace::Slot;
use crate::source::{Frame, FramePart, byte_order_marks, frame_parts, invisible};
use crate::tweet::{
    Group, Mended, Parser, Record, Reject, TextSlot, TimeClues, TimeDecision, Tweet, TweetForm, UnreadTime,
    texts,
};

/// Means "no time" until all times are known.
pub(crate) const NO_TIME: i64 = i64::MIN;

/// Reads frames and counts them.
pub(crate) struct Reader {
    parser: Parser,
    rules: Rules,
    pub counted: Counted,
}

/// Options that make a record a reject.
#[derive(Clone, Copy)]
struct Rules {
    max_record_bytes: usize,
    raw: bool,
}

/// What a reader has counted.
#[derive(Default)]
pub(crate) struct Counted {
    pub intake: Intake,
    /// Rejects and unparseable frames; `None`: they are not kept.
    pub letters: Option<Vec<Letter>>,
}

/// Where a tweet is in the input, and what decides whether and when it is sent.
pub(crate) struct Place<'a> {
    /// Its context is the file's number.
    pub slot: Slot,
    pub context: Context,
    pub id: IdKey,
    pub author: Author<'a>,
}

/// Who wrote a tweet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Author<'a> {
    pub id: Option<i64>,
    pub name: Option<&'a str>,
}

/// A record with tweets in it.
enum Content<'a> {
    /// One tweet; already counted.
    Tweet(Tweet<'a>),
    /// A user's texts; not counted yet.
    Group(Group<'a>),
}

impl Reader {
    /// A reader; with `letters` it keeps rejects and unparseable frames.
    pub fn new(options: &ReplayOptions, letters: bool) -> Self {
        let rules = Rules {
            max_record_bytes: options.input.max_record_bytes,
            raw: options.message.payload == PayloadForm::Raw,
        };
        let counted = Counted { letters: letters.then(Vec::new), ..Counted::default() };
        Self { parser: options.new_parser(), rules, counted }
    }

    /// Of tweets, only the places are asked for, and not who wrote them.
    pub fn only_places(&mut self) {
        self.parser.only_places();
    }

    /// Of tweets, only the places are asked for, and what is beside them is not looked into.
    pub fn skim(&mut self) {
        self.parser.skim();
    }

    /// Counts a frame of this file, and passes the place of each tweet in it to `each`.
    pub fn places(&mut self, files: &Files, file: u32, frame: Frame<'_>, mut each: impl FnMut(Place<'_>)) {
        self.read(frame, |frame, found, counted| match found {
            Content::Tweet(tweet) => each(Place::of_tweet(&tweet, files.context_of(file, frame), frame)),
            Content::Group(group) => {
                for text in texts(frame) {
                    match text {
                        Ok(text) => {
                            counted.text();
                            each(Place::of_text(text, file, group.user_id));
                        }
                        Err(reject) => counted.item(reject, frame, group.user_id),
                    }
                }
            }
        });
    }

    /// Counts a frame, and passes each tweet in it to `each` with the frame that holds it; for a
    /// dead letter that is the record inside.
    pub fn tweets<'f>(&mut self, frame: Frame<'f>, mut each: impl FnMut(&Tweet<'_>, Frame<'f>)) {
        self.read(frame, |frame, found, counted| match found {
            Content::Tweet(tweet) => each(&tweet, frame),
            Content::Group(group) => {
                for item in group.items() {
                    match item {
                        Ok(tweet) => {
                            counted.text();
                            each(&tweet, frame);
                        }
                        Err(reject) => counted.item(reject, frame, group.user_id),
                    }
                }
            }
        });
    }

    /// Parses a frame, counts it, and shows its contents to `look` if it has tweets. If it is not JSON as a
    /// whole, the records in it are read, and the junk between them is counted.
    fn read<'f>(&mut self, frame: Frame<'f>, mut look: impl FnMut(Frame<'f>, Content<'_>, &mut Counted)) {
        let frame = match frame.bytes.first() {
            Some(0 | 0xE2 | 0xEF) => self.skip_invisible(frame),
            _ => frame,
        };
        if self.record(frame, &mut look) {
            return;
        }
        let parts = frame_parts(frame);
        if parts.is_empty() {
            self.counted.unparseable(frame);
        }
        for part in parts {
            match part {
                FramePart::Record(frame) if self.record(frame, &mut look) => {}
                FramePart::Record(frame) | FramePart::Junk(frame) => self.counted.unparseable(frame),
            }
        }
    }

    /// The frame without the invisible bytes at its start. Byte order marks are not counted: they are where
    /// files were joined.
    fn skip_invisible<'f>(&mut self, frame: Frame<'f>) -> Frame<'f> {
        let (junk, bytes) = frame.bytes.split_at(invisible(frame.bytes));
        if bytes.is_empty() {
            return frame;
        }
        let rest = Frame { offset: frame.offset + junk.len() as u64, bytes, ..frame };
        let (_, junk) = junk.split_at(byte_order_marks(junk));
        if !junk.is_empty() {
            let offset = rest.offset - junk.len() as u64;
            self.counted.unparseable(Frame { offset, bytes: junk.trim_ascii_end(), ..frame });
        }
        rest
    }

    /// Reads a frame that is one record, and counts it; `false`: it is not JSON.
    fn record<'f>(
        &mut self,
        frame: Frame<'f>,
        look: &mut impl FnMut(Frame<'f>, Content<'_>, &mut Counted),
    ) -> bool {
        let Self { parser, rules, counted } = self;
        let Some(frame) = unwrap(frame) else { return false };
        if frame.bytes.len() > rules.max_record_bytes {
            counted.record();
            counted.reject(Reject::TooLarge.name(), frame);
            return true;
        }
        // A tweet, and whether it has a time.
        let mut tweet_is_timed = None;
        let is_json = parser.parse_frame(frame, |record| {
            let Ok(record) = record else { return false };
            counted.record();
            match record {
                Record::Tweet(tweet) => {
                    tweet_is_timed = Some(tweet.event_time_ms.is_some());
                    counted.intake.tweet(tweet.shape.name());
                    look(frame, Content::Tweet(tweet), counted);
                }
                // Its texts have no separate bytes to send.
                Record::Group(_) if rules.raw => {
                    counted.reject("user-grouped (not with --payload raw)", frame);
                }
                Record::Group(group) => look(frame, Content::Group(group), counted),
                Record::Reject(reject) => counted.reject(reject.name(), frame),
            }
            true
        });
        if parser.mended() != Mended::default() {
            parser.mended().names().for_each(|what| counted.intake.mended(what, frame.offset));
        }
        if let Some(is_timed) = tweet_is_timed
            && let Some(unread) = parser.times().take_unread()
        {
            counted.unread(unread, is_timed, frame);
        }
        is_json
    }

    /// The next frames are of this file, whose times are read as it was decided.
    pub fn begin_file(&mut self, file: u32, decision: TimeDecision) {
        self.parser.begin_file(file);
        self.parser.times().decide(decision);
    }

    /// What the times have shown since the last call.
    pub fn take_clues(&mut self) -> TimeClues {
        self.parser.times().take_clues()
    }
}

impl Counted {
    /// Counts a text of a group.
    fn text(&mut self) {
        self.intake.tweet(TweetForm::Grouped.name());
    }

    /// Counts an item of a group that is not a text.
    fn item(&mut self, reject: Reject, frame: Frame<'_>, user_id: Option<i64>) {
        self.intake.reject(reject.name(), frame.offset);
        self.letter(frame, LetterReason::Item { kind: reject.name(), user_id });
    }

    fn unread(&mut self, time: UnreadTime, is_timed: bool, frame: Frame<'_>) {
        let UnreadTime { field, example, why } = time;
        self.intake.unread(UnreadTimes {
            tweets: 1,
            without_time: u64::from(!is_timed),
            field,
            example,
            reason: why.name(),
            first_offset: frame.offset,
        });
    }

    fn reject(&mut self, kind: &'static str, frame: Frame<'_>) {
        self.intake.reject(kind, frame.offset);
        self.letter(frame, LetterReason::Reject(kind));
    }

    /// Counts a frame that is JSON.
    fn record(&mut self) {
        self.intake.frames += 1;
        self.intake.records += 1;
    }

    /// Counts a frame that is not.
    fn unparseable(&mut self, frame: Frame<'_>) {
        self.intake.frames += 1;
        self.intake.unparseable(frame.offset);
        self.letter(frame, LetterReason::Unparseable);
    }

    fn letter(&mut self, frame: Frame<'_>, why: LetterReason) {
        if let Some(letters) = &mut self.letters {
            letters.push(Letter { offset: frame.offset, bytes: frame.bytes.len(), why });
        }
    }
}

impl<'a> Place<'a> {
    fn of_tweet(tweet: &Tweet<'a>, context: Context, frame: Frame<'_>) -> Self {
        // Longer ones are rejects: `max_record_bytes` is below 4 GiB.
        let len = frame.bytes.len() as u32;
        let event_time_ms = tweet.event_time_ms.unwrap_or(NO_TIME);
        Self {
            slot: Slot { event_time_ms, offset: frame.offset, len, context: context.file },
            context,
            id: IdKey::of_tweet(tweet),
            author: Author { id: tweet.user_id, name: tweet.screen_name },
        }
    }

    fn of_text(text: TextSlot, file: u32, user_id: Option<i64>) -> Self {
        Self {
            slot: Slot { event_time_ms: NO_TIME, offset: text.offset, len: text.len, context: file },
            context: Context { file, inside: Inside::Text { user_id } },
            id: IdKey::None,
            author: Author { id: user_id, name: None },
        }
    }

    /// The tweet's own time; `None`: it has none.
    pub fn time_ms(&self) -> Option<i64> {
        Some(self.slot.event_time_ms).filter(|time_ms| *time_ms != NO_TIME)
    }
}
