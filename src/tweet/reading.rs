//! Reads the times of one file: what its records spell, as the file as a whole decides it.
//!
//! A spelling may leave open whether day or month comes first, which unit a number counts, or which zone a
//! word means. Nothing of that is guessed for one time alone: a pass over the file collects
//! [`TimeClues`], they make a [`TimeDecision`], and a time that it does not settle is unread, and counted.

use std::cell::{Cell, RefCell};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::civil::Stamp;
use super::decision::{DayOrder, TimeClues, TimeDecision};
use super::epoch::{EpochUnit, calendar_ms, count_of};
use super::json::Json;
use super::members::Plain;
use super::spelling::{self, DateOrder, Spelt, Zone};
use super::time::parse_created_at;
use super::time_format::TimeFormat;

/// What the user says of the times.
#[derive(Debug, Clone, Default)]
pub struct TimeOptions {
    /// How they are written; `None`: in any usual way.
    pub format: Option<TimeFormat>,
    /// The zone of times that name none; `None`: not known, and shown as UTC.
    pub zone: Option<TimeZone>,
}

/// Why a time that is there is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unread {
    /// It is spelt in no way that is known.
    Spelling,
    /// Either of two numbers may be the month.
    DayOrder,
    /// Its zone is a word of which it is not known what it means.
    Zone,
    /// A number whose unit nothing tells.
    Unit,
    /// It is not written as --time-format says.
    Format,
}

impl Unread {
    /// Its name in the report.
    pub fn name(self) -> &'static str {
        match self {
            Unread::Spelling => "spelling",
            Unread::DayOrder => "day or month first",
            Unread::Zone => "zone",
            Unread::Unit => "unit",
            Unread::Format => "format",
        }
    }
}

/// What a value says of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// There is no time.
    Absent,
    At(Stamp),
    /// There is one, and it is one of these, or none that is known.
    Unread {
        why: Unread,
        maybe: [Option<Stamp>; 2],
    },
    /// It is written in another way than the first times of a stream.
    Contradiction,
}

impl Reading {
    fn unread(why: Unread) -> Self {
        Reading::Unread { why, maybe: [None; 2] }
    }
}

/// A time that was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadTime {
    /// The member, as `--map` would have it.
    pub field: String,
    /// The value as JSON, cut if it is long.
    pub example: String,
    pub why: Unread,
}

/// What became of the time of the record that is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Outcome {
    #[default]
    Fine,
    Unread,
    Contradiction,
}

/// Reads the times of one thread.
#[derive(Debug, Default)]
pub struct TimeReader {
    options: TimeOptions,
    decision: TimeDecision,
    clues: Cell<TimeClues>,
    outcome: Cell<Outcome>,
    /// The last unread time.
    unread: RefCell<Option<UnreadTime>>,
}

impl TimeReader {
    pub fn new(options: TimeOptions) -> Self {
        Self { options, ..Self::default() }
    }

    /// Reads from now on as it was decided.
    pub fn decide(&mut self, decision: TimeDecision) {
        self.decision = decision;
    }

    /// The clues since the last call.
    pub fn take_clues(&self) -> TimeClues {
        self.clues.take()
    }

    /// The time in a value.
    #[inline]
    pub fn read<I>(&self, value: Json<'_, I>) -> Reading {
        match (value.text(), &self.options.format) {
            (Some(text), None) => match parse_created_at(text) {
                Some(ms) => Reading::At(Stamp { ms, has_zone: true }),
                None => self.text(text.trim()),
            },
            _ => self.other(value.plain()),
        }
    }

    /// The time in two values, such as a date and a time of day: as if there were a blank between them.
    pub fn read_joined(&self, first: Json<'_, Plain>, second: Json<'_, Plain>) -> Reading {
        let (first, second) = (first.words(), second.words());
        let text = match (first.trim(), second.trim()) {
            (first, second) if is_empty(second) => first.to_owned(),
            (first, _) if is_empty(first) => return Reading::Absent,
            (first, second) => format!("{first} {second}"),
        };
        match &self.options.format {
            Some(format) => match format.read(&text) {
                Some(stamp) if stamp.has_zone => Reading::At(stamp),
                Some(stamp) => self.local(stamp.ms),
                None => Reading::unread(Unread::Format),
            },
            None => self.text(&text),
        }
    }

    fn other(&self, value: Json<'_, Plain>) -> Reading {
        if let Some(format) = &self.options.format {
            return self.formatted(format, value);
        }
        if let Some(inner) = value.mongo("$date") {
            let count = inner.number().or_else(|| count_of(inner.mongo("$numberLong")?.text()?));
            return match (count, inner.text()) {
                (Some(count), _) => at(EpochUnit::Millis.ms(count)),
                (None, Some(text)) => self.text(text.trim()),
                (None, None) => Reading::unread(Unread::Spelling),
            };
        }
        let value = value.unwrapped();
        match (value.u64(), value.number(), value.text()) {
            (Some(count), ..) => self.number(itoa::Buffer::new().format(count), count as f64),
            (None, Some(count), _) => self.number(&count.to_string(), count),
            (None, None, Some(text)) => self.text(text.trim()),
            _ if value.is_null() => Reading::Absent,
            _ => Reading::unread(Unread::Spelling),
        }
    }

    fn formatted(&self, format: &TimeFormat, value: Json<'_, Plain>) -> Reading {
        let value = value.mongo("$date").unwrap_or(value).unwrapped();
        let number =
            || value.u64().map(|count| count.to_string()).or_else(|| Some(value.number()?.to_string()));
        let digits;
        let text = match value.text() {
            Some(text) => text.trim(),
            None if value.is_null() => return Reading::Absent,
            None => match number() {
                Some(number) => {
                    digits = number;
                    &digits
                }
                None => return Reading::unread(Unread::Format),
            },
        };
        if is_empty(text) {
            return Reading::Absent;
        }
        match format.read(text) {
            Some(stamp) if stamp.has_zone => Reading::At(stamp),
            Some(stamp) => self.local(stamp.ms),
            None => Reading::unread(Unread::Format),
        }
    }

    /// The time in a text without white space around it.
    pub fn text(&self, text: &str) -> Reading {
        if let Some(spelt) = spelling::year_first(text) {
            return self.spelt(&spelt);
        }
        if let Some(count) = count_of(text) {
            return self.number(text, count);
        }
        if is_empty(text) {
            return Reading::Absent;
        }
        if let Some(spelt) = spelling::parse(text) {
            return self.spelt(&spelt);
        }
        // .NET: /Date(1583229600000+0100)/. The count is UTC's, whatever the offset.
        let inner = text.strip_prefix("/Date(").and_then(|text| text.strip_suffix(")/"));
        let end = |text: &str| text.get(1..)?.find(['+', '-']).map(|at| at + 1);
        match inner.and_then(|text| count_of(&text[..end(text).unwrap_or(text.len())])) {
            Some(count) => at(EpochUnit::Millis.ms(count)),
            None => Reading::unread(Unread::Spelling),
        }
    }

    fn number(&self, text: &str, count: f64) -> Reading {
        let unit = self.decision.unit;
        if let Some(sure) = EpochUnit::sure(count) {
            self.clue(|clues| clues.note_sure(sure));
            if self.decision.by_first && unit.is_some_and(|unit| unit != sure) {
                return Reading::Contradiction;
            }
            return at(sure.ms(count));
        }
        // 12 digits may also be milliseconds of 1976, and 8 seconds of 1970; more are a date.
        const SURE_DIGITS: usize = 14;
        if let Some(ms) = calendar_ms(text).filter(|_| unit.is_none() || text.len() >= SURE_DIGITS) {
            return self.local(ms);
        }
        self.clue(|clues| clues.note_count(count));
        match unit {
            Some(unit) => at(unit.ms(count)),
            None => {
                self.clue(|clues| clues.unsure_unit = true);
                Reading::unread(Unread::Unit)
            }
        }
    }

    fn spelt(&self, spelt: &Spelt<'_>) -> Reading {
        let order = match spelt.order {
            DateOrder::Fixed => return self.zoned(spelt.ms, spelt.zone),
            DateOrder::DayFirst => DayOrder::DayFirst,
            DateOrder::MonthFirst => DayOrder::MonthFirst,
            DateOrder::Either { apart_ms } => return self.either(spelt, apart_ms),
        };
        self.learn(order);
        if self.decision.by_first && self.decision.order.is_some_and(|decided| decided != order) {
            return Reading::Contradiction;
        }
        self.zoned(spelt.ms, spelt.zone)
    }

    fn either(&self, spelt: &Spelt<'_>, apart_ms: i64) -> Reading {
        let (day_first, month_first) = (spelt.ms, spelt.ms + apart_ms);
        match self.decision.order {
            Some(DayOrder::DayFirst) => self.zoned(day_first, spelt.zone),
            Some(DayOrder::MonthFirst) => self.zoned(month_first, spelt.zone),
            None => {
                self.clue(|clues| clues.unsure_order = true);
                let maybe = [day_first, month_first].map(|ms| match self.zoned(ms, spelt.zone) {
                    Reading::At(stamp) => Some(stamp),
                    _ => None,
                });
                Reading::Unread { why: Unread::DayOrder, maybe }
            }
        }
    }

    /// A time whose zone the text says, perhaps in a word.
    fn zoned(&self, ms: i64, zone: Zone<'_>) -> Reading {
        let unread = || {
            let local = Stamp { ms, has_zone: false };
            Reading::Unread { why: Unread::Zone, maybe: [Some(local), None] }
        };
        match zone {
            Zone::None => self.local(ms),
            Zone::Offset(offset_ms) => Reading::At(Stamp { ms: ms - offset_ms, has_zone: true }),
            Zone::Named(place) => match TimeZone::get(place).ok().and_then(|zone| in_zone(&zone, ms)) {
                Some(ms) => Reading::At(Stamp { ms, has_zone: true }),
                None => unread(),
            },
            Zone::Word(word) => {
                let given = self.options.zone.as_ref();
                let ms = given.and_then(|zone| Some((zone, in_zone(zone, ms)?)));
                match ms.filter(|(zone, ms)| is_called(zone, *ms, word)) {
                    Some((_, ms)) => Reading::At(Stamp { ms, has_zone: true }),
                    None => unread(),
                }
            }
        }
    }

    /// A time without a zone.
    fn local(&self, ms: i64) -> Reading {
        let in_given = self.options.zone.as_ref().and_then(|zone| in_zone(zone, ms));
        Reading::At(Stamp { ms: in_given.unwrap_or(ms), has_zone: in_given.is_some() })
    }

    fn clue(&self, add: impl FnOnce(&mut TimeClues)) {
        let mut clues = self.clues.get();
        add(&mut clues);
        self.clues.set(clues);
    }

    /// Learns which time a date was that may be read in two ways.
    pub fn learn(&self, order: DayOrder) {
        self.clue(|clues| clues.note_order(order));
    }

    /// Begins a record: nothing is known of its time. Returns the clues so far.
    pub fn begin(&self) -> TimeClues {
        self.outcome.set(Outcome::Fine);
        self.clues.get()
    }

    /// Begins the record again, with the clues from before it.
    pub fn forget(&self, before: TimeClues) {
        self.outcome.set(Outcome::Fine);
        self.clues.set(before);
    }

    /// Notes what became of the record's time.
    pub fn note(&self, reading: Reading, example: impl FnOnce() -> (String, String)) {
        self.outcome.set(match reading {
            Reading::Absent | Reading::At(_) => Outcome::Fine,
            Reading::Contradiction => Outcome::Contradiction,
            Reading::Unread { why, .. } => {
                let (field, example) = example();
                *self.unread.borrow_mut() = Some(UnreadTime { field, example, why });
                Outcome::Unread
            }
        });
    }

    /// Whether the record's time contradicts the first ones.
    pub fn contradicts(&self) -> bool {
        self.outcome.get() == Outcome::Contradiction
    }

    /// The record's time, if it was there and not read.
    pub fn take_unread(&self) -> Option<UnreadTime> {
        match self.outcome.get() {
            Outcome::Unread => self.unread.take(),
            _ => None,
        }
    }
}

fn at(ms: Option<i64>) -> Reading {
    ms.map_or(Reading::unread(Unread::Unit), |ms| Reading::At(Stamp { ms, has_zone: true }))
}

/// Whether a text says that there is no value, as programs write it that have a word for it.
fn is_empty(text: &str) -> bool {
    matches!(
        text,
        "" | "null" | "NULL" | "None" | "none" | "NaN" | "nan" | "NaT" | "N/A" | "NA" | "undefined" | "-"
    )
}

/// The time in milliseconds since 1970 UTC that a zone's clocks show so; of a time that they show twice the first.
fn in_zone(zone: &TimeZone, local_ms: i64) -> Option<i64> {
    let local = TimeZone::UTC.to_datetime(Timestamp::from_millisecond(local_ms).ok()?);
    Some(zone.to_timestamp(local).ok()?.as_millisecond())
}

/// Whether a zone's time is called so then. The long names of Windows are taken for the given zone.
fn is_called(zone: &TimeZone, ms: i64, word: &str) -> bool {
    let is_it = |time| zone.to_offset_info(time).abbreviation().eq_ignore_ascii_case(word);
    word.ends_with(" Time") || Timestamp::from_millisecond(ms).is_ok_and(is_it)
}

/// Parses a time in any of the spellings seen in files of tweets; `None` if it is none of them, or one that
/// only its whole file can decide: which of two numbers is the month, what a number counts.
pub fn parse_time(text: &str) -> Option<Stamp> {
    match (parse_created_at(text), TimeReader::default()) {
        (Some(ms), _) => Some(Stamp { ms, has_zone: true }),
        (None, reader) => match reader.text(text.trim()) {
            Reading::At(stamp) => Some(stamp),
            _ => None,
        },
    }
}
