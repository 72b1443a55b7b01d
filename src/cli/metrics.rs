//! `--metrics HOST:PORT`: alike in a replay, `find-max`, `serve` and `bridge`.

use std::net::SocketAddr;

use clap::Args;

use super::values;
use crate::metrics::MetricsEndpoint;
use crate::options::Session;
use crate::report::{Screen, whole_seconds};

/// Where it is usual for nothing.
const METRICS_PORT: u16 = 9898;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Report")]
pub(super) struct MetricsArgs {
    /// Serve metrics for Prometheus: 127.0.0.1:9898
    ///
    /// GET /metrics gives them as OpenMetrics. A port alone is on this machine; port 0 is any free one. The endpoint ends with
    /// the run, after a last scrape if somebody scrapes.
    #[arg(hide_short_help = true, long, value_name = "HOST:PORT", value_parser = |text: &str| values::listen(text, METRICS_PORT))]
    metrics: Option<SocketAddr>,
}

impl MetricsArgs {
    /// Starts the endpoint, if one is asked for.
    ///
    /// # Errors
    /// When the address cannot be had.
    pub fn start(&self) -> anyhow::Result<Option<MetricsEndpoint>> {
        Ok(self.metrics.map(MetricsEndpoint::start).transpose()?)
    }
}

/// Says where the metrics are.
pub(super) fn announce(endpoint: Option<&MetricsEndpoint>, screen: &Screen) {
    if let Some(endpoint) = endpoint.filter(|_| screen.shows_progress()) {
        screen.say_row("metrics", &format!("http://{}/metrics", endpoint.addr()));
    }
}

/// Waits until the end of a run has been scraped, if somebody scrapes.
pub(super) fn wait_for_last_scrape(endpoint: Option<&MetricsEndpoint>, session: &Session) {
    if let Some(endpoint) = endpoint {
        endpoint.wait_for_last_scrape(&session.stop, |longest| {
            if session.screen.shows_progress() {
                let longest = whole_seconds(longest);
                session.screen.say_row(
                    "metrics",
                    &format!("waiting for the last scrape, at most {longest} (Ctrl-C ends it)"),
                );
            }
        });
    }
}
