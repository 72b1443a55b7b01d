//! `--metrics`: what a run has counted so far, for Prometheus. The hops' own counters are read at each scrape, so that nothing
//! is counted twice; without the flag nothing is kept.

mod bridge;
mod endpoint;
mod exposition;
mod histogram;
mod process;
mod run;
mod scrapes;
mod writer;

pub use bridge::BridgeNow;
pub use endpoint::{MetricsEndpoint, MetricsError};
pub use run::{Metrics, MqttNow, RunSources, SearchMetrics, ServingNow};
