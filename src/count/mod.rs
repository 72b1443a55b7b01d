//! What every hop counts while it runs: counters with one writer each, the tally of delivery
//! reports, latencies, rows that can be queried, CPU and memory. The lowest floor except
//! [`crate::event`]: the hops count here, and [`crate::report`] shows the counts.

mod counters;
mod found_records;
mod intake;
mod latency;
mod live;
mod machine;
mod meter;
mod number_set;
mod outages;
mod phases;
mod places;
mod queryable;
mod sampling;
mod series;
mod tally;

pub use counters::{Counter, Counters};
pub use found_records::FoundRecords;
pub use intake::{Intake, RejectCount, UnreadTimes};
pub use latency::{HistogramText, LatencyMs, NotHistogram, new_histogram};
pub use live::{LatenciesSoFar, LiveLatencies};
pub use machine::{
    CpuUsage, MachineCpu, MemoryUsage, own_memory, process_cpu, resident_memory_mib, thread_cpu, threads_cpu,
};
pub use meter::{LatencyMeter, sum_of};
pub use number_set::NumberSet;
pub use outages::{OUTAGES_MAX, Outage, OutageEnd, OutageHop, Outages};
pub use phases::{PhasePlan, Phases, phase_of};
pub use places::Places;
pub use queryable::{BacklogPoint, LANES_MAX as QUERYABLE_LANES_MAX, Queryable, QueryableTimes};
pub use series::{PartitionSeries, Recent, Series, SeriesReport, SeriesSoFar, Slowest};
pub use tally::{Failures, Tally};
