//! The thread that counts rows during the replay.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::count::Queryable;
use crate::druid::{Client, DruidError, Proof};

/// Pause between two counts, and at least this many times as long as a count took: counting must
/// not be what keeps Druid busy.
const PAUSE: Duration = Duration::from_millis(200);
const PAUSE_FACTOR: u32 = 2;

/// A running count; by default none.
#[derive(Default)]
pub(crate) struct Counting {
    stop: Arc<AtomicBool>,
    failing: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Counting {
    /// Counts until [`end`](Self::end).
    pub fn start(client: Client, datasource: String, run: String, queryable: Arc<Queryable>) -> Self {
        let (stop, failing) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
        let (stopped, last_failed) = (stop.clone(), failing.clone());
        let work = move || {
            while !stopped.load(Ordering::Relaxed) {
                let asked = Instant::now();
                let counted = count(&client, &datasource, &run, &queryable);
                let took = asked.elapsed();
                last_failed.store(counted.is_err(), Ordering::Relaxed);
                std::thread::sleep(PAUSE.max(took * PAUSE_FACTOR));
            }
        };
        let thread = std::thread::Builder::new().name("druid-count".into()).spawn(work).ok();
        Self { stop, failing, thread }
    }

    /// Whether the last count failed.
    pub fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Relaxed)
    }

    /// Ends the thread; may wait for the answer to its last query.
    pub fn end(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that counts rows in Druid panicked");
        }
    }
}

/// Counts once, and looks for the tweets that show how far each partition has come.
fn count(client: &Client, datasource: &str, run: &str, queryable: &Queryable) -> Result<(), DruidError> {
    let asked = Instant::now();
    let rows = Proof::count(client, datasource, run)?;
    queryable.counted(rows, asked, Instant::now());
    let samples = queryable.samples();
    if !samples.is_empty() {
        let found = Proof::present(client, datasource, run, &samples)?;
        queryable.found(&found, Instant::now());
    }
    Ok(())
}
