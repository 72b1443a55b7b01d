//! Everything that is settled before the first tweet is sent.

use crate::enrich::Enrichment;
use crate::options::{ReplayOptions, Session};
use crate::pipeline::ends::Ends;
use crate::pipeline::input::dead_letters::DeadLetters;
use crate::pipeline::input::files::Files;
use crate::pipeline::prepare::{Plan, Prepared};

/// One replay, ready to start.
#[derive(Clone, Copy)]
pub(crate) struct Replay<'a> {
    pub options: &'a ReplayOptions,
    pub files: &'a Files,
    pub prepared: &'a Prepared,
    pub plan: &'a Plan,
    pub ends: &'a Ends,
    pub run: &'a str,
    /// The tables of users.
    pub enrichment: Option<&'a Enrichment>,
    /// Where undelivered input is written.
    pub dead_letters: Option<&'a DeadLetters>,
    pub session: &'a Session,
}
