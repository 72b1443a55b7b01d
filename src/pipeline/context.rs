//! Everything that is settled before the first tweet is sent.

use std::sync::Arc;

use crate::count::{Counters, Intake, Queryable};
use crate::enrich::Enrichment;
use crate::metrics::RunSources;
use crate::options::{ReplayOptions, Session};
use crate::pipeline::ends::Ends;
use crate::pipeline::input::dead_letters::DeadLetters;
use crate::pipeline::input::files::Files;
use crate::pipeline::input::form::Events;
use crate::pipeline::prepare::{Plan, Prepared};
use crate::report::Noun;

/// One replay, ready to start.
#[derive(Clone, Copy)]
pub(crate) struct Replay<'a> {
    pub options: &'a ReplayOptions,
    pub files: &'a Files,
    /// What is read of records that are not tweets; `None`: they are tweets.
    pub events: Option<&'a Events>,
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

impl Replay<'_> {
    /// What is sent.
    pub fn noun(&self) -> Noun {
        self.events.is_some().into()
    }

    /// Where the figures of the run are counted.
    pub fn metric_sources(&self, counters: &Arc<Counters>, queryable: Option<&Arc<Queryable>>) -> RunSources {
        let Replay { options, prepared, plan, ends, .. } = *self;
        RunSources {
            run: self.run.to_owned(),
            label: options.report.label.clone(),
            counters: counters.clone(),
            queryable: queryable.cloned(),
            with_mqtt: ends.addresses.mqtt.is_some(),
            intake: prepared.survey.as_ref().map(|_| Intake::sum(&prepared.intakes)),
            planned_tweets: plan.tweets,
            planned_per_s: plan.rate_per_s,
        }
    }
}
