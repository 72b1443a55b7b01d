//! What every hop counted, and how it is shown.
//!
//! Counters live in one place, [`Counters`], with one writer each. When the run is over they become
//! a [`Ledger`] that must add up, and a [`RunReport`], which the terminal, the JSON file and the
//! tests read.

mod compare;
mod counters;
mod druid;
mod enrich;
mod environment;
mod inspection;
mod intake;
mod json;
mod latency;
mod ledger;
mod machine;
mod metric;
mod progress;
mod queryable;
mod run;
mod screen;
mod summary;
mod tally;
mod threshold;

pub use compare::{ReportFileError, SavedReport, write_comparison};
pub use counters::{Counter, Counters};
pub use druid::{Cause, DruidReport, DruidUsers, MissingRows};
pub use enrich::{EnrichColumn, EnrichFileReport, EnrichReport, RejectedRow};
pub use environment::{Environment, mask_secrets, without_secrets};
pub use inspection::{Inspection, write_inspection};
pub use intake::{Intake, RejectCount};
pub use json::write_json;
pub use latency::{LatencyMs, new_histogram};
pub use ledger::{Ledger, SkippedBy, Verdict};
pub use machine::{MachineCpu, Usage, own_memory, thread_cpu};
pub use progress::{Progress, prepare_bar};
pub use queryable::{BacklogPoint, Queryable, QueryableTimes, SAMPLES as QUERYABLE_LANES_MAX};
pub use run::{
    ChangeReport, DeadLetterReport, Endpoints, FileReport, HopReport, Hops, InputReport, PaceReport,
    REPORT_VERSION, RunReport,
};
pub use screen::Screen;
pub use summary::{rate, seconds, write_summary};
pub use tally::{Failures, Tally};
pub use threshold::{Threshold, ThresholdReport, metrics_help};
