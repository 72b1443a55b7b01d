//! The HTTP endpoint: one thread, GET /metrics.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use tokio::sync::oneshot;

use super::exposition::exposition;
use super::run::Metrics;

/// What OpenMetrics 1.0 says that it is.
const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Sent by Prometheus and those that scrape as it does, and not by people who look.
const SCRAPER_HEADER: &str = "x-prometheus-scrape-timeout-seconds";

/// How often a last scrape is looked for.
const LOOK: Duration = Duration::from_millis(50);

/// Why there is no endpoint.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    #[error("{0} is taken (--metrics): another port, or --metrics {host}:0 for a free one", host = .0.ip())]
    Taken(SocketAddr),
    #[error("cannot listen on {addr} (--metrics)")]
    Listen {
        addr: SocketAddr,
        #[source]
        source: io::Error,
    },
    #[error("cannot serve metrics")]
    Serve(#[source] io::Error),
}

/// A running endpoint; dropping it ends it.
pub struct MetricsEndpoint {
    addr: SocketAddr,
    metrics: Arc<Metrics>,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl MetricsEndpoint {
    /// Listens; port 0 is any free one.
    ///
    /// # Errors
    /// When the address is taken or not of this machine.
    pub fn start(addr: SocketAddr) -> Result<Self, MetricsError> {
        let listener = TcpListener::bind(addr).map_err(|source| match source.kind() {
            ErrorKind::AddrInUse => MetricsError::Taken(addr),
            _ => MetricsError::Listen { addr, source },
        })?;
        let addr = listener.local_addr().map_err(MetricsError::Serve)?;
        listener.set_nonblocking(true).map_err(MetricsError::Serve)?;
        let metrics = Arc::new(Metrics::default());
        let (end, ended) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build();
        let (runtime, shown) = (runtime.map_err(MetricsError::Serve)?, metrics.clone());
        let work = move || {
            if let Err(error) = runtime.block_on(serve(listener, shown, ended)) {
                tracing::warn!("metrics are not served any more: {error}");
            }
        };
        let thread =
            std::thread::Builder::new().name("metrics".into()).spawn(work).map_err(MetricsError::Serve)?;
        Ok(Self { addr, metrics, end: Some(end), thread: Some(thread) })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What it shows.
    pub fn metrics(&self) -> Arc<Metrics> {
        self.metrics.clone()
    }

    /// Waits until what a run came to has been scraped, if somebody scrapes: as long as that takes by the time between two
    /// scrapes, and not after a stop. Calls `say` with the longest wait if there is one.
    pub fn wait_for_last_scrape(&self, stop: &AtomicBool, say: impl FnOnce(Duration)) {
        let Some(longest) = self.metrics.scrapes.longest_wait() else { return };
        say(longest);
        let since = Instant::now();
        while !self.metrics.scrapes.has_seen_end()
            && since.elapsed() < longest
            && !stop.load(Ordering::Relaxed)
        {
            std::thread::sleep(LOOK);
        }
    }
}

impl Drop for MetricsEndpoint {
    fn drop(&mut self) {
        // Fails where the thread has ended.
        let _ = self.end.take().map(|end| end.send(()));
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

async fn serve(listener: TcpListener, metrics: Arc<Metrics>, ended: oneshot::Receiver<()>) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let routes = Router::new().route("/metrics", get(scraped)).route("/", get(front)).with_state(metrics);
    // Connections that are kept open must not keep the program.
    tokio::select! {
        served = axum::serve(listener, routes) => served,
        _ = ended => Ok(()),
    }
}

async fn front() -> Html<&'static str> {
    Html("<a href=\"/metrics\">metrics</a> of tweetblast")
}

async fn scraped(State(metrics): State<Arc<Metrics>>, headers: HeaderMap) -> Response {
    let noted = headers.contains_key(SCRAPER_HEADER).then(|| metrics.scrapes.begin(Instant::now()));
    match exposition(&metrics) {
        Ok(text) => {
            if let Some(at_end) = noted {
                metrics.scrapes.end(at_end);
            }
            ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response()
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use super::*;

    fn ask(addr: SocketAddr, path: &str, headers: &str) -> String {
        let mut connection = TcpStream::connect(addr).unwrap();
        write!(connection, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n").unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn it_answers_as_openmetrics_and_ends_with_open_connections() {
        let endpoint = MetricsEndpoint::start(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let _open = TcpStream::connect(endpoint.addr()).unwrap();
        let answer = ask(endpoint.addr(), "/metrics", "");
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains(CONTENT_TYPE), "{answer}");
        assert!(answer.contains("tweetblast_build_info{") && answer.contains("# EOF"), "{answer}");
        assert!(ask(endpoint.addr(), "/", "").contains("/metrics"));
        assert!(ask(endpoint.addr(), "/other", "").starts_with("HTTP/1.1 404"));
        drop(endpoint);
    }

    #[test]
    fn a_port_that_is_taken_is_named_with_a_way_out() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = taken.local_addr().unwrap();
        let words = MetricsEndpoint::start(addr).err().unwrap().to_string();
        assert!(
            words.contains(&format!("{addr} is taken (--metrics)")) && words.contains("127.0.0.1:0"),
            "{words}"
        );
        let elsewhere = SocketAddr::from(([192, 0, 2, 1], 9898));
        let words = MetricsEndpoint::start(elsewhere).err().unwrap().to_string();
        assert_eq!(words, "cannot listen on 192.0.2.1:9898 (--metrics)");
    }

    #[test]
    fn the_end_waits_for_a_scraper_and_for_nobody_else() {
        let endpoint = MetricsEndpoint::start(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let stop = AtomicBool::new(false);
        ask(endpoint.addr(), "/metrics", "");
        endpoint.metrics().scrapes.run_ended();
        endpoint.wait_for_last_scrape(&stop, |_| panic!("nobody scrapes"));
        ask(endpoint.addr(), "/metrics", "X-Prometheus-Scrape-Timeout-Seconds: 1\r\n");
        assert!(endpoint.metrics().scrapes.has_seen_end());
        endpoint.wait_for_last_scrape(&stop, |_| panic!("it has been scraped"));
        endpoint.metrics().scrapes.run_ended();
        stop.store(true, Ordering::Relaxed);
        let mut said = None;
        endpoint.wait_for_last_scrape(&stop, |longest| said = Some(longest));
        assert!(said.is_some(), "a stop ends the wait");
    }
}
