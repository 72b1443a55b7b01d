//! What a run came to: the [`Ledger`] that must add up, and the [`RunReport`], which the terminal, the JSON
//! file and the tests read. Made of what the hops counted in [`crate::count`].

mod chain;
mod compare;
mod druid;
mod enrich;
mod environment;
mod inspection;
mod json;
mod judge;
mod ledger;
mod metric;
mod names;
mod progress;
mod run;
#[cfg(test)]
mod schema;
mod screen;
mod summary;
mod threshold;
mod words;

pub use chain::with_causes;
pub use compare::{ReportFileError, SavedReport, write_comparison};
pub use druid::{DruidReport, DruidUsers};
pub use enrich::{EnrichColumn, EnrichReport};
pub use environment::{Environment, mask_secrets, without_secrets};
pub use inspection::{Inspection, write_inspection};
pub use json::write_json;
pub use ledger::{Ledger, SkippedBy, Verdict};
pub use names::{Bottleneck, InputFraming, RankedBy};
pub use progress::{Progress, prepare_bar};
pub use run::{
    ChangeReport, DeadLetterReport, Endpoints, FileReport, HopReport, Hops, InputReport, PaceReport,
    REPORT_VERSION, RunReport, rate_over_gaps,
};
pub use screen::Screen;
pub use summary::write_summary;
pub use threshold::{Threshold, ThresholdReport, metrics_help};
pub use words::{rate, seconds};
