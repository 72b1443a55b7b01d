//! What the tasks of the supervisor did over the run. Field names are the keys of the JSON report.

use serde::Serialize;

use crate::druid::PublishedSegments;

/// What the overlord told of the tasks, every few seconds from before the first send until the last row was
/// found. Times are seconds after the first send; those before it are negative.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct IngestionReport {
    /// When it was asked: 1,200 times at most, further apart in a longer run.
    #[cfg_attr(test, schemars(length(max = 1200)))]
    pub at_s: Vec<f64>,
    /// Tasks that read.
    pub reading: Vec<usize>,
    /// Tasks that published what they had read.
    pub publishing: Vec<usize>,
    /// MiB of the Java heaps that the workers of the tasks used; null where one of them did not say. Of a middle
    /// manager it is its own, without its tasks.
    pub heap_mib: Vec<Option<f64>>,
    /// The tasks, in the order in which they were seen: 1,000 at most.
    pub tasks: Vec<IngestionTask>,
    /// When a task was seen that had taken over from another one.
    pub rollovers_s: Vec<f64>,
    /// The longest time that a task took to publish, as far as its end was seen.
    pub handoff_max_s: Option<f64>,
    /// Published segments of the datasource at the end, as far as the broker knew them; null if it was not
    /// asked.
    pub segments: Option<SegmentsReport>,
}

/// One task.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct IngestionTask {
    pub id: String,
    /// When it was first seen.
    pub from_s: f64,
    /// When it was first seen to publish.
    pub publishing_from_s: Option<f64>,
    /// When it was gone.
    pub gone_s: Option<f64>,
    /// Whether it had failed then.
    pub failed: bool,
    /// Which of the times of `at_s` the first of `rows` belongs to.
    pub first: usize,
    /// Rows that it had made since it began, at each time; null where it did not say.
    pub rows: Vec<Option<u64>>,
}

/// Published segments.
#[derive(Debug, Clone, Copy, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SegmentsReport {
    pub count: u64,
    pub rows: u64,
    pub bytes: u64,
}

impl From<PublishedSegments> for SegmentsReport {
    fn from(published: PublishedSegments) -> Self {
        let PublishedSegments { count, rows, bytes } = published;
        Self { count, rows, bytes }
    }
}
