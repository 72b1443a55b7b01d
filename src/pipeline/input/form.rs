//! Whether the input has tweets or other events, found out from its first records; and where these have their time,
//! their key and their id.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::files::Files;
use super::letter::unwrap;
use super::mapped::check_event_map;
use crate::event::{OwnNames, PayloadForm, TakenNames};
use crate::options::{InputForm, ReplayOptions};
use crate::pipeline::error::ReplayError;
use crate::report::{EventFieldReport, EventsReport};
use crate::source::{Frame, Opening};
use crate::tweet::{
    ChosenField, Column, EventChoice, EventSample, NameSearch, Parser, ParserOptions, Path, Record, Reject,
    TweetForm, WantedFields,
};

/// Records of a file in a sample; fewer where there are many files.
const RECORDS: usize = 200;
const RECORDS_OF_MANY: usize = 20;
const MANY_FILES: u32 = 16;

/// Frames that are looked at for them: a saved stream may begin with any number of notices.
const FRAMES: usize = 2_000;

/// Bytes of a file in which names at the top of records are looked for.
const NAMES_BYTES: u64 = if cfg!(test) { 16 << 10 } else { 64 << 20 };

/// An input of events.
pub(crate) struct Events {
    /// Of each file.
    choices: Vec<EventChoice>,
    /// What the records of the sample have, by name.
    pub columns: Vec<Column>,
    /// What our own members are called.
    own: OwnNames,
}

/// The options for this input, and its events; without them it has tweets.
///
/// # Errors
/// When it cannot be read, and where flags do not go with events.
pub(crate) fn with_form(
    options: &ReplayOptions,
    files: &Files,
    opening: &Opening<'_>,
) -> Result<(ReplayOptions, Option<Events>), ReplayError> {
    let mut options = options.clone();
    let map = options.input.parser.fields.as_ref();
    let is_known = options.input.form == Some(InputForm::Tweets) || map.is_some_and(|map| map.has_text());
    if is_known && options.input.form != Some(InputForm::Events) {
        return of_tweets(options);
    }
    let samples = loop {
        match sample(files, &options) {
            Sampled::Others(samples) => break samples,
            Sampled::Nothing if wait_for_more(files, opening)? => {}
            Sampled::Nothing | Sampled::Tweets => return of_tweets(options),
        }
    };
    let wanted = WantedFields {
        time: map.and_then(|map| map.time()).cloned(),
        key: options.input.key_from.clone().or_else(|| map.and_then(|map| map.user()).cloned()),
        id: map.and_then(|map| map.id()).cloned(),
    };
    let times = &options.input.parser.times;
    let mut choices: Vec<EventChoice> = samples.iter().map(|sample| sample.choose(&wanted, times)).collect();
    let has_times = choices.iter().any(|choice| choice.fields.time.is_some());
    if !has_times && options.input.form.is_none() {
        return of_tweets(options);
    }
    check_flags(&options)?;
    check_fields(files, &options, &samples, &wanted)?;
    let own = own_names(files, &samples, options.message.payload);
    // A file in which nothing was found is read as the first one in which there was.
    let first = choices.iter().find(|choice| choice.fields.time.is_some()).cloned();
    for choice in &mut choices {
        match &first {
            Some(first) if choice.fields.time.is_none() => *choice = first.clone(),
            _ => {}
        }
        // With --payload raw nothing of ours is in the record.
        choice.fields.own = (options.message.payload != PayloadForm::Raw).then_some(own);
    }
    let mut columns: Vec<Column> = Vec::new();
    for column in samples.iter().flat_map(EventSample::columns) {
        match columns.iter_mut().find(|known| known.name == column.name) {
            Some(known) => known.kind = known.kind.or(column.kind),
            None => columns.push(column),
        }
    }
    let events = Events { choices, columns, own };
    let fields: Vec<_> = events.choices.iter().map(|choice| choice.fields.clone()).collect();
    options.message.names = own;
    options.input.parser =
        ParserOptions { events: Some(Arc::from(fields)), fields: None, ..options.input.parser };
    Ok((options, Some(events)))
}

/// The options for an input of tweets.
fn of_tweets(options: ReplayOptions) -> Result<(ReplayOptions, Option<Events>), ReplayError> {
    match &options.input.key_from {
        Some(key) => Err(ReplayError::Options(format!(
            "--key-from {} names the key of events, and the input has tweets, whose key is their author: --form events \
             reads them as events",
            key.join(".")
        ))),
        None => Ok((options, None)),
    }
}

/// Refuses flags that are for tweets alone.
fn check_flags(options: &ReplayOptions) -> Result<(), ReplayError> {
    let refuse = |words: &str| Err(ReplayError::Options(words.into()));
    match () {
        () if options.message.payload == PayloadForm::Minimal => refuse(
            "--payload minimal has the fields of a tweet, and the input has other events: --payload raw sends them as \
             they are, and --form tweets reads only tweets",
        ),
        () if !options.input.enrich.files.is_empty() => refuse(
            "--enrich joins users to tweets, and the input has other events, which are sent as they are: --form tweets \
             reads only tweets",
        ),
        () => Ok(()),
    }
}

/// Refuses fields that no record has.
fn check_fields(
    files: &Files,
    options: &ReplayOptions,
    samples: &[EventSample],
    wanted: &WantedFields,
) -> Result<(), ReplayError> {
    if let Some(map) = &options.input.parser.fields {
        check_event_map(files, options, map)?;
    }
    let is_there = |key: &Path| samples.iter().any(|sample| sample.has(key));
    match wanted.key.as_ref().filter(|key| options.input.key_from.is_some() && !is_there(key)) {
        Some(key) => Err(ReplayError::Options(format!(
            "--key-from {}: none of the first records has this field; `tweetblast inspect` says which key is found \
             without the flag",
            key.join(".")
        ))),
        None => Ok(()),
    }
}

/// Waits until more of the first file that is read as it comes has come; `false`: there is none.
fn wait_for_more(files: &Files, opening: &Opening<'_>) -> Result<bool, ReplayError> {
    match files.iter().find_map(|(_, file)| file.live()) {
        Some(mut live) => Ok(live.more(opening)?),
        None => Ok(false),
    }
}

/// How the records of a sample look to a reader of tweets.
#[derive(Default)]
struct Votes {
    /// Only tweets look so.
    sure: u64,
    /// Probably tweets, by the name of their text.
    likely: u64,
    /// A text under a name that logs and messages have, too.
    maybe: u64,
    /// Objects that are nothing of Twitter's.
    others: u64,
}

impl Votes {
    fn are_tweets(&self) -> bool {
        self.sure > 0 || self.likely >= self.maybe + self.others
    }
}

/// What the first records are.
enum Sampled {
    Tweets,
    /// They do not tell, or there are none yet.
    Nothing,
    /// These, of each file.
    Others(Vec<EventSample>),
}

/// The first records of each file.
fn sample(files: &Files, options: &ReplayOptions) -> Sampled {
    let mut samples: Vec<EventSample> = files.iter().map(|_| EventSample::default()).collect();
    let most = if files.count() > MANY_FILES { RECORDS_OF_MANY } else { RECORDS };
    let forced = options.input.form == Some(InputForm::Events);
    let mut parser = Parser::with_options(ParserOptions { strict: true, ..ParserOptions::default() });
    let mut votes = Votes::default();
    for (number, file) in files.iter() {
        let (mut frames, sample) = (0, &mut samples[number as usize]);
        let mut look = |frame: Frame<'_>| {
            frames += 1;
            if let Some(frame) =
                unwrap(frame).filter(|frame| frame.bytes.len() <= options.input.max_record_bytes)
                && (parser.parse_frame(frame, |record| vote(record.ok(), &mut votes)) || forced)
            {
                sample.add(frame.bytes);
            }
            match votes.sure > 0 && !forced || sample.len() == most || frames == FRAMES {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        };
        let _ = match file.live() {
            Some(live) => live.look(&mut look),
            None => file.frames().try_for_each(&mut look),
        };
        if votes.sure > 0 && !forced {
            return Sampled::Tweets;
        }
    }
    match samples.iter().all(EventSample::is_empty) {
        true => Sampled::Nothing,
        false if forced || !votes.are_tweets() => Sampled::Others(samples),
        false => Sampled::Tweets,
    }
}

/// Counts a record; whether it may be an event.
fn vote(record: Option<Record<'_>>, votes: &mut Votes) -> bool {
    match record {
        Some(Record::Tweet(tweet)) => match tweet.shape {
            TweetForm::Flat if tweet.is_vague => votes.maybe += 1,
            TweetForm::Flat => votes.likely += 1,
            _ => votes.sure += 1,
        },
        Some(Record::Group(_)) => votes.sure += 1,
        Some(Record::Reject(Reject::NotATweet)) => votes.others += 1,
        // Many logs have a member `error`.
        Some(Record::Reject(Reject::Other("error message"))) => {}
        Some(Record::Reject(_)) | None => return false,
    }
    true
}

/// Names for our own members that no record has: none of the sample, and none of the first part of each file.
fn own_names(files: &Files, samples: &[EventSample], payload: PayloadForm) -> OwnNames {
    let mut taken = TakenNames::default();
    samples.iter().for_each(|sample| taken.merge(sample.taken_names()));
    let search = NameSearch::default();
    for (_, file) in files.iter().filter(|(_, file)| !file.is_live()) {
        for frame in file.frames().take_while(|frame| frame.offset < NAMES_BYTES) {
            search.note(frame.bytes, &mut taken);
        }
    }
    match payload {
        // There they are the names of headers, which become columns beside those of the record.
        PayloadForm::Raw => taken.free().of_headers(),
        _ => taken.free(),
    }
}

impl Events {
    /// What was chosen, of the first file.
    pub fn report(&self) -> Option<EventsReport> {
        let choice = self.choices.first()?;
        let field = |field: &Option<ChosenField>| {
            field.as_ref().map(|field| EventFieldReport {
                field: field.field.clone(),
                records: field.records,
                runner_up: field.runner_up.clone(),
            })
        };
        let own = self.own;
        Some(EventsReport {
            sampled: choice.records,
            time: field(&choice.time),
            key: field(&choice.key),
            id: field(&choice.id),
            run_name: own.run(),
            seq_name: own.seq(),
            timestamp_name: own.timestamp(),
        })
    }
}

#[cfg(test)]
#[path = "form_tests.rs"]
mod tests;
