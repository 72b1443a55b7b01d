//! Events: records that are not tweets and have a time. A record is sent as it is, so all that is read of it is its
//! time, its key and its id. Where these are is found out beforehand from a sample of the file ([`EventSample`]).

mod choose;
mod encode;
mod names;
mod read;
mod sample;

pub use choose::{ChosenField, EventChoice, WantedFields};
pub use encode::{encode_event, timestamp_offset};
pub(super) use read::{EventBuffers, read};
pub use sample::{Column, ColumnKind, EventSample, NameSearch};

use super::map::{Path, TimePath};
use crate::event::OwnNames;

/// Where the records of a file of events have what is read of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventFields {
    /// `None`: they have no time.
    pub time: Option<TimePath>,
    /// Who or what an event belongs to: the first of these that a record has.
    pub key: Vec<Path>,
    /// What tells it from others.
    pub id: Option<Path>,
    /// Names at the top of nearly every record. One with none of them, and without a key, is not an event of this
    /// stream, but a statistic, say.
    pub usual: Vec<String>,
    /// What our own members are called, so that no record has them already; `None`: they are not in the payload.
    pub own: Option<OwnNames>,
}
