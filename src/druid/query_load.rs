//! Queries while a replay runs, as a dashboard asks them: what they cost Druid, and how long they take meanwhile.
//!
//! They are asked at times that are fixed before, so one that is slow does not delay the next; a query's time counts from
//! when it was to be asked.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use super::verify::quoted;
use super::{Client, DruidError};
use crate::count::new_histogram;

/// Queries that may wait for their answers at the same time: a browser asks as many of one server.
const WORKERS: usize = 6;

/// How often an end is looked for.
const LOOK: Duration = Duration::from_millis(50);

/// What the charts of the live dashboard ask, by the names of the charts; `{}` is the datasource, `{by}` the column of
/// the user or the key.
const QUERIES: [(&str, &str); 5] = [
    (
        "last five minutes",
        "SELECT TIME_FLOOR(__time, 'PT1S') AS t, COUNT(*) AS n FROM {} WHERE __time >= CURRENT_TIMESTAMP - INTERVAL \
         '5' MINUTE GROUP BY 1 ORDER BY 1 LIMIT 10000",
    ),
    ("total", "SELECT COUNT(*) AS n FROM {}"),
    ("top users", "SELECT {by}, COUNT(*) AS n FROM {} GROUP BY 1 ORDER BY 2 DESC LIMIT 10"),
    ("latest tweets", "SELECT * FROM {} ORDER BY __time DESC LIMIT 20"),
    (
        "by hour",
        "SELECT TIME_FLOOR(__time, 'PT1H') AS t, COUNT(*) AS n FROM {} GROUP BY 1 ORDER BY 1 LIMIT 10000",
    ),
];

/// Queries that are being asked; by default none.
#[derive(Default)]
pub struct QueryLoad {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    answers: Arc<Mutex<Vec<QueryAnswers>>>,
}

/// The answers to one query.
#[derive(Debug, Clone)]
pub struct QueryAnswers {
    /// The chart that asks it.
    pub name: &'static str,
    /// From when it was to be asked until its answer was there.
    pub took_us: Histogram<u64>,
    pub failed: u64,
    /// Why the first one failed.
    pub error: Option<String>,
}

impl QueryLoad {
    /// Asks `per_s` queries per second, one after another of those of the dashboard, until [`end`](Self::end).
    pub fn start(client: &Client, (datasource, by): (&str, &str), per_s: f64) -> Self {
        let empty = |(name, _): &(&'static str, _)| QueryAnswers {
            name,
            took_us: new_histogram(),
            failed: 0,
            error: None,
        };
        let load =
            Self { answers: Arc::new(Mutex::new(QUERIES.iter().map(empty).collect())), ..Self::default() };
        let (next, begin) = (Arc::<AtomicU64>::default(), Instant::now());
        let queries =
            QUERIES.map(|(_, query)| query.replace("{by}", &quoted(by)).replace("{}", &quoted(datasource)));
        let worker = |_| {
            let (stop, answers, next) = (load.stop.clone(), load.answers.clone(), next.clone());
            let (client, queries) = (client.clone(), queries.clone());
            let work = move || {
                while let Some((number, due)) = wait_for_next(&next, begin, per_s, &stop) {
                    let which = (number % QUERIES.len() as u64) as usize;
                    let answer = client.sql(&queries[which], &[]);
                    let mut answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
                    answers[which].take(answer.map(|_| due.elapsed()));
                }
            };
            std::thread::Builder::new().name("druid-query".into()).spawn(work).ok()
        };
        let threads = (0..WORKERS).filter_map(worker).collect();
        Self { threads, ..load }
    }

    /// Ends the threads, which may wait for their last answers, and returns what was answered.
    pub fn end(&mut self) -> Vec<QueryAnswers> {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread that asks Druid panicked");
            }
        }
        std::mem::take(&mut *self.answers.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Waits until the next query is to be asked; its number and time, or `None` at the end.
fn wait_for_next(next: &AtomicU64, begin: Instant, per_s: f64, stop: &AtomicBool) -> Option<(u64, Instant)> {
    let number = next.fetch_add(1, Ordering::Relaxed);
    let after = Duration::try_from_secs_f64(number as f64 / per_s).unwrap_or(Duration::MAX);
    let due = begin.checked_add(after)?;
    loop {
        if stop.load(Ordering::Relaxed) {
            return None;
        }
        match due.saturating_duration_since(Instant::now()) {
            Duration::ZERO => return Some((number, due)),
            left => std::thread::sleep(left.min(LOOK)),
        }
    }
}

impl QueryAnswers {
    fn take(&mut self, answer: Result<Duration, DruidError>) {
        match answer {
            Ok(took) => self.took_us.saturating_record(took.as_micros() as u64),
            Err(error) => {
                self.failed += 1;
                self.error.get_or_insert_with(|| error.to_string());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;
    use crate::druid::Access;

    /// Answers queries until it is asked for the twentieth; the third of each five is refused.
    #[test]
    fn queries_are_asked_in_turn_and_refusals_are_counted() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            for _ in 0..20 {
                let Ok((mut stream, _)) = listener.accept() else { return };
                let (mut asked, mut bytes) = (String::new(), [0; 4_096]);
                while !asked.contains("\r\n\r\n") || !asked.ends_with('}') {
                    let read = stream.read(&mut bytes).unwrap();
                    asked.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
                }
                let (status, body) = match asked.contains("user_id") {
                    true => ("500 Internal Server Error", "busy"),
                    false => ("200 OK", "[{\"n\": 1}]"),
                };
                let head = format!(
                    "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
                    body.len()
                );
                stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
            }
        });
        let client = Client::new(&url, &Access::default()).unwrap();
        let mut load = QueryLoad::start(&client, ("tweets", "user_id"), 1_000.0);
        server.join().unwrap();
        let answers = load.end();
        assert_eq!(answers.len(), QUERIES.len());
        let top = answers.iter().find(|answers| answers.name == "top users").unwrap();
        assert!(top.took_us.is_empty() && top.failed >= 1 && top.error.is_some(), "{top:?}");
        let total = answers.iter().find(|answers| answers.name == "total").unwrap();
        assert!(!total.took_us.is_empty(), "{total:?}");
        assert!(QueryLoad::default().end().is_empty(), "none were asked");
    }
}
