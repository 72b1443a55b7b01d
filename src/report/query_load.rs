//! What --query-load found.

use serde::Serialize;

use crate::count::{HistogramText, LatencyMs, sum_of};
use crate::druid::QueryAnswers;

/// Queries that were asked during the replay, from when each was to be asked until its answer was there.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct QueryLoadReport {
    /// Queries per second that were to be asked.
    pub per_s: f64,
    /// Queries that were answered.
    pub answered: u64,
    /// Queries that Druid refused, or did not answer.
    pub failed: u64,
    /// Why the first of them failed.
    pub error: Option<String>,
    /// All that were answered.
    pub took_ms: Option<LatencyMs>,
    /// All of it in microseconds, as the histogram of the lag.
    pub took_histogram: Option<HistogramText>,
    /// By chart of the dashboard.
    pub queries: Vec<QueryReport>,
}

/// One of the queries.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct QueryReport {
    /// The chart that asks it.
    pub name: &'static str,
    pub answered: u64,
    pub failed: u64,
    pub took_ms: Option<LatencyMs>,
}

impl QueryLoadReport {
    /// Of the answers to each query.
    pub fn of(per_s: f64, answers: &[QueryAnswers]) -> Self {
        let all_us = sum_of(answers.iter().map(|query| &query.took_us));
        let query = |query: &QueryAnswers| QueryReport {
            name: query.name,
            answered: query.took_us.len(),
            failed: query.failed,
            took_ms: LatencyMs::of(&query.took_us),
        };
        Self {
            per_s,
            answered: all_us.len(),
            failed: answers.iter().map(|query| query.failed).sum(),
            error: answers.iter().find_map(|query| query.error.clone()),
            took_ms: LatencyMs::of(&all_us),
            took_histogram: HistogramText::of(&all_us),
            queries: answers.iter().map(query).collect(),
        }
    }
}
