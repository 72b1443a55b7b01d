//! Counts what the values of the input are, in the same way in both phases.

use crate::count::Intake;
use crate::event::PayloadForm;
use crate::options::ReplayOptions;
use crate::pace::Slot;
use crate::pipeline::input::files::{Context, Files, Inside};
use crate::pipeline::input::letter::{Letter, Why, unwrap};
use crate::pipeline::input::select::IdKey;
use crate::source::Frame;
use crate::tweet::{Group, Parser, Record, Reject, Shape, Tweet, texts};

/// Stands for "no time" until all times are known.
pub(crate) const NO_TIME: i64 = i64::MIN;

/// What has tweets in it.
pub(crate) enum Found<'a> {
    /// One tweet; already counted.
    Tweet(Tweet<'a>),
    /// A user's texts, which whoever looks at them counts.
    Group(Group<'a>),
}

/// Reads frames and counts them.
pub(crate) struct Reader {
    parser: Parser,
    rules: Rules,
    pub counted: Counted,
}

/// What makes a record a reject beside what it is.
#[derive(Clone, Copy)]
struct Rules {
    max_record_bytes: usize,
    raw: bool,
}

/// What a reader has counted.
#[derive(Default)]
pub(crate) struct Counted {
    pub intake: Intake,
    /// What is no tweet; `None`: nobody asks for it.
    pub letters: Option<Vec<Letter>>,
}

impl Counted {
    /// Counts a text of a group.
    pub fn text(&mut self) {
        self.intake.tweet(Shape::Grouped.name());
    }

    /// Counts an item of a group that is no text.
    pub fn item(&mut self, reject: Reject, frame: Frame<'_>, user_id: Option<i64>) {
        self.reject(reject.name(), frame, Why::Item { kind: reject.name(), user_id });
    }

    fn reject(&mut self, kind: &'static str, frame: Frame<'_>, why: Why) {
        self.intake.reject(kind, frame.offset);
        self.letter(frame, why);
    }

    fn letter(&mut self, frame: Frame<'_>, why: Why) {
        if let Some(letters) = &mut self.letters {
            letters.push(Letter { offset: frame.offset, bytes: frame.bytes.len(), why });
        }
    }
}

impl Reader {
    /// A reader; `letters`: it keeps what is no tweet.
    pub fn new(options: &ReplayOptions, letters: bool) -> Self {
        let rules = Rules {
            max_record_bytes: options.input.max_record_bytes,
            raw: options.message.payload == PayloadForm::Raw,
        };
        let counted = Counted { letters: letters.then(Vec::new), ..Counted::default() };
        Self { parser: options.new_parser(), rules, counted }
    }

    /// Parses a frame, counts it, and shows it to `look` if there are tweets in it: with the frame
    /// that holds them, which of a dead letter is the record in it.
    pub fn read<'f>(&mut self, frame: Frame<'f>, look: impl FnOnce(Frame<'f>, Found<'_>, &mut Counted)) {
        let Self { parser, rules, counted } = self;
        counted.intake.frames += 1;
        let Some(frame) = unwrap(frame) else {
            counted.intake.unparseable(frame.offset);
            counted.letter(frame, Why::Unparseable);
            return;
        };
        if frame.bytes.len() > rules.max_record_bytes {
            counted.intake.records += 1;
            let kind = Reject::TooLarge.name();
            counted.reject(kind, frame, Why::Reject(kind));
            return;
        }
        parser.parse_frame(frame, |record| {
            counted.intake.records += u64::from(record.is_ok());
            match record {
                Ok(Record::Tweet(tweet)) => {
                    counted.intake.tweet(tweet.shape.name());
                    look(frame, Found::Tweet(tweet), counted);
                }
                // Its texts have no bytes of their own to send.
                Ok(Record::Group(_)) if rules.raw => {
                    let kind = "user-grouped (not with --payload raw)";
                    counted.reject(kind, frame, Why::Reject(kind));
                }
                Ok(Record::Group(group)) => look(frame, Found::Group(group), counted),
                Ok(Record::Reject(reject)) => {
                    counted.reject(reject.name(), frame, Why::Reject(reject.name()))
                }
                Err(_) => {
                    counted.intake.unparseable(frame.offset);
                    counted.letter(frame, Why::Unparseable);
                }
            }
        });
    }
}

/// Who wrote a tweet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Author<'a> {
    pub id: Option<i64>,
    pub name: Option<&'a str>,
}

/// Where each tweet is that a reader has found in a frame of this file: gives its slot, without the
/// context's number, its context, its id and its author, and counts the texts of a group.
pub(crate) fn slots_of(
    (files, file): (&Files, u32),
    frame: Frame<'_>,
    found: Found<'_>,
    counted: &mut Counted,
    mut each: impl FnMut(Slot, Context, IdKey, Author<'_>, &mut Counted),
) {
    match found {
        Found::Tweet(tweet) => {
            // Longer ones are rejects: `max_record_bytes` is below 4 GiB.
            let len = frame.bytes.len() as u32;
            let event_time_ms = tweet.event_time_ms.unwrap_or(NO_TIME);
            let slot = Slot { event_time_ms, offset: frame.offset, len, context: file };
            let author = Author { id: tweet.user_id, name: tweet.screen_name };
            each(slot, files.context_of(file, frame), IdKey::of(tweet.id), author, counted);
        }
        Found::Group(group) => {
            let user_id = group.user_id;
            let context = Context { file, inside: Inside::Text { user_id } };
            for text in texts(frame) {
                match text {
                    Ok(text) => {
                        counted.text();
                        let (offset, len) = (text.offset, text.len);
                        let slot = Slot { event_time_ms: NO_TIME, offset, len, context: file };
                        each(slot, context, IdKey::None, Author { id: user_id, name: None }, counted);
                    }
                    Err(reject) => counted.item(reject, frame, user_id),
                }
            }
        }
    }
}
