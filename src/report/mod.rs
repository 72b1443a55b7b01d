//! What a run came to: the [`Ledger`] that must add up, and the [`RunReport`], which the terminal, the JSON
//! file and the tests read. Made of what the hops counted in [`crate::count`].

mod alternate;
mod bridge;
mod bridge_druid;
mod bridge_progress;
mod chain;
mod change_threshold;
mod chart;
mod compare;
mod compare_page;
mod comparison;
mod difference;
mod doctor;
mod druid;
mod enrich;
mod environment;
mod events;
mod find_max;
mod find_max_page;
#[cfg(test)]
mod find_max_tests;
mod html;
mod ingestion;
mod inspection;
mod json;
mod judge;
mod ledger;
mod metric;
mod names;
mod noun;
mod opening_bar;
mod outage;
mod page;
#[cfg(test)]
mod pages_tests;
mod phase;
mod progress;
mod progress_line;
pub mod quantity;
mod query_load;
mod run;
#[cfg(test)]
mod schema;
mod screen;
mod similar;
mod student;
mod summary;
mod summary_time;
mod supervisor;
mod threshold;
mod time_left;
mod unread_times;
mod verdict;
mod view;
mod words;

pub use alternate::{StderrBesideView, ViewLeft, leave_view};
pub use bridge::{
    BRIDGE_REPORT_VERSION, BridgeFailure, BridgeLatency, BridgeLedger, BridgeReport, SpoolReport, bridge_page,
};
pub use bridge_druid::BridgeDruid;
pub use bridge_progress::BridgeProgress;
pub use chain::with_causes;
pub use change_threshold::{ChangeThreshold, ChangeThresholdReport};
pub use compare::{ReportFileError, SavedReport};
pub use compare_page::{comparison_markdown, comparison_page};
pub use comparison::{ComparedMetric, ComparedRun, Comparison};
pub use doctor::{Check, CheckState, DoctorReport};
pub use druid::{DruidReport, DruidUsers};
pub use enrich::{EnrichColumn, EnrichReport};
pub use environment::{Environment, mask_secrets, without_secrets};
pub use events::{EventFieldReport, EventsReport};
pub use find_max::{
    FIND_MAX_VERSION, FindMaxReport, SearchFigures, SearchReport, SearchVerdict, WantedRate, cost_words,
    phase_name,
};
pub use find_max_page::{find_max_page, verdict_words};
pub use html::{ShownReport, html_page};
pub use ingestion::{IngestionReport, IngestionTask, SegmentsReport};
pub use inspection::{Inspection, inspection_page, prediction_line};
pub use json::write_json;
pub use ledger::{Ledger, SkippedBy, Verdict};
pub use names::{Bottleneck, HELD_UP, InputFormat, PairedBy};
pub use noun::Noun;
pub use opening_bar::OpeningBar;
pub use outage::{OutageReport, longest_away, outage_line};
pub use page::{BAD, DOUBTFUL, GOOD, Layout, Page, glued};
pub use phase::PhaseReport;
pub use progress::{Progress, prepare_bar};
pub use query_load::{QueryLoadReport, QueryReport};
pub use run::{
    ChangeReport, DeadLetterReport, Endpoints, FileReport, HopReport, Hops, InputReport, PaceReport,
    REPORT_VERSION, RunReport, rate_over_gaps,
};
pub use screen::Screen;
pub use similar::similar;
pub use summary::summary_page;
pub use supervisor::{PartitionOffsets, SupervisorReport, TaskReport, UnparseableMessage, write_supervisor};
pub use threshold::{Threshold, ThresholdReport, metrics_help};
pub use unread_times::UnreadTimesReport;
pub use verdict::verdict_line;
pub use view::{DruidNow, LiveView, SearchNow, SearchSample, ViewSources};
pub use words::{counted, iso_seconds, millis, place, rate, seconds, typed, whole_seconds};
