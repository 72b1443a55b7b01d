//! An input that is open: its files, and what their first records say.

use super::files::Files;
use super::form::{Events, with_form};
use crate::druid::EventColumns;
use crate::options::ReplayOptions;
use crate::pipeline::error::ReplayError;
use crate::pipeline::prove::event_columns;
use crate::source::Opening;

/// An input that was opened, and unpacked where it has to be, for any number of replays.
pub(crate) struct Opened {
    pub files: Files,
    /// Those that were asked for, with what is known of the input.
    pub options: ReplayOptions,
    /// What is read of records that are not tweets; `None`: they are tweets.
    pub events: Option<Events>,
}

impl Opened {
    /// # Errors
    /// When a file cannot be read, and where flags do not go with what is in it.
    pub fn new(options: &ReplayOptions, opening: &Opening<'_>) -> Result<Self, ReplayError> {
        let files = Files::open(&options.input.files, opening)?;
        let (options, events) = with_form(options, &files, opening)?;
        Ok(Self { files, options, events })
    }

    /// The columns of the events in Druid; `None`: they are tweets.
    pub fn event_columns(&self) -> Option<EventColumns> {
        self.events.as_ref().map(|events| event_columns(events, &self.options))
    }
}
