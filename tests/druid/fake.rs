//! A Druid that answers as a run needs it, and whose processes are away when a test says so.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Rows of each run, whatever was sent.
pub const ROWS: u64 = 10;

/// The router's answer for a process that is away.
const PAGE: &str = "<html>\n<head>\n<title>Error 502 Bad Gateway</title>\n</head>\n<body></body></html>\n";

/// How a process is away.
#[derive(Clone, Copy, PartialEq)]
pub enum Away {
    /// The router answers for it.
    Gateway,
    /// The connection ends without an answer.
    Reset,
    /// Its replacement does not know the path.
    NotFound,
    /// The connection is accepted, and there is never an answer.
    Silent,
}

pub struct FakeDruid {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// By the beginning of a request: how the process is away, and for how many more requests.
    away: HashMap<&'static str, (Away, usize)>,
    /// Words in a request that begin an outage.
    triggers: Vec<(&'static str, &'static str, Away, usize)>,
    /// Words in a request with the answer to it; the last one counts.
    says: Vec<(&'static str, u16, Value)>,
    /// Words in a request whose answer waits.
    held: Option<&'static str>,
    asked: Vec<String>,
}

impl FakeDruid {
    pub fn start() -> Self {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    pub fn start_at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let (address, state) = (listener.local_addr().unwrap(), Arc::<Mutex<State>>::default());
        let shared = state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = shared.clone();
                std::thread::spawn(move || answer(stream, &state));
            }
        });
        Self { address, state }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From the first request that contains `words` on, requests that begin with `what` are not
    /// answered, `times` times.
    pub fn goes_away(&self, words: &'static str, what: &'static str, how: Away, times: usize) {
        self.state.lock().unwrap().triggers.push((words, what, how, times));
    }

    /// What was to go away at this path is back.
    pub fn is_back(&self, what: &'static str) {
        let mut state = self.state.lock().unwrap();
        state.away.remove(what);
        state.triggers.retain(|(_, of, ..)| *of != what);
    }

    /// From now on requests that contain `words` have this answer.
    pub fn says(&self, words: &'static str, status: u16, answer: Value) {
        self.state.lock().unwrap().says.push((words, status, answer));
    }

    /// Requests that contain `words` have their usual answer again.
    pub fn recovers(&self, words: &'static str) {
        self.state.lock().unwrap().says.retain(|(known, ..)| *known != words);
    }

    /// From now on requests that contain `words` are answered when they are let go.
    pub fn holds(&self, words: &'static str) {
        self.state.lock().unwrap().held = Some(words);
    }

    pub fn lets_go(&self) {
        self.state.lock().unwrap().held = None;
    }

    /// The requests that contained these words.
    pub fn requests(&self, words: &str) -> Vec<String> {
        self.state.lock().unwrap().asked.iter().filter(|asked| asked.contains(words)).cloned().collect()
    }

    /// Waits until a request contains these words.
    pub fn wait_until_asked(&self, words: &str) {
        self.wait_until(|druid| druid.asked(words) > 0);
    }

    /// Waits until what was asked is as it should be.
    pub fn wait_until(&self, is_so: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(120);
        while !is_so(self) {
            assert!(Instant::now() < deadline, "what was asked: {:#?}", self.state.lock().unwrap().asked);
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// How many requests contained these words.
    pub fn asked(&self, words: &str) -> usize {
        self.state.lock().unwrap().asked.iter().filter(|asked| asked.contains(words)).count()
    }
}

fn answer(mut stream: TcpStream, state: &Mutex<State>) {
    let Some((path, body)) = read(&mut stream) else { return };
    let question = format!("{path} {body}");
    state.lock().unwrap().asked.push(question.clone());
    while state.lock().unwrap().held.is_some_and(|words| question.contains(words)) {
        std::thread::sleep(Duration::from_millis(10));
    }
    let (away, said) = {
        let mut state = state.lock().unwrap();
        if let Some(place) = state.triggers.iter().position(|(words, ..)| question.contains(words)) {
            let (_, what, how, times) = state.triggers.remove(place);
            state.away.insert(what, (how, times));
        }
        let said = state.says.iter().rev().find(|(words, ..)| question.contains(words));
        let said = said.map(|(_, status, answer)| (*status, answer.to_string()));
        let away = state.away.iter_mut().find(|(what, (_, left))| path.contains(*what) && *left > 0).map(
            |(_, (how, left))| {
                *left -= 1;
                *how
            },
        );
        (away, said)
    };
    let (status, text) = match away {
        Some(Away::Reset) => return,
        Some(Away::Silent) => loop {
            std::thread::park();
        },
        Some(Away::Gateway) => (502, PAGE.to_owned()),
        Some(Away::NotFound) => (404, PAGE.replace("502 Bad Gateway", "404 Not Found")),
        None => said.unwrap_or_else(|| fine(&path, &body)),
    };
    let head = format!("HTTP/1.1 {status} .\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", text.len());
    let _ = stream.write_all(format!("{head}{text}").as_bytes());
}

/// Path with method, and body.
fn read(stream: &mut TcpStream) -> Option<(String, String)> {
    let (mut asked, mut bytes) = (String::new(), [0; 4_096]);
    loop {
        let read = stream.read(&mut bytes).ok().filter(|read| *read > 0)?;
        asked.push_str(std::str::from_utf8(&bytes[..read]).ok()?);
        let Some((head, body)) = asked.split_once("\r\n\r\n") else { continue };
        let length =
            head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            let path: Vec<&str> = head.split_whitespace().take(2).collect();
            return Some((path.join(" "), body.to_owned()));
        }
    }
}

fn fine(path: &str, body: &str) -> (u16, String) {
    let answer = match path {
        "POST /druid/v2/sql" => query(body),
        "POST /druid/v2" => counted(ROWS),
        "GET /druid/indexer/v1/totalWorkerCapacity" => {
            json!({"usedClusterCapacity": 0, "currentClusterCapacity": 4})
        }
        path if path.ends_with("/status") && path.contains("/supervisor/") => json!({"payload": {
            "state": "RUNNING", "detailedState": "RUNNING", "healthy": true, "partitions": 1,
            "activeTasks": [{"id": "t", "startingOffsets": {"0": 0}, "currentOffsets": {"0": 0}}],
        }}),
        path if path.ends_with("/stats") => {
            json!({"0": {"t": {"totals": {"buildSegments": {"processed": ROWS}}}}})
        }
        path if path.starts_with("GET /druid/indexer/v1/supervisor/") => {
            return (404, "Cannot find any supervisor with that id".to_owned());
        }
        path if path.ends_with("/task/t/status") => json!({"status": {"statusCode": "RUNNING"}}),
        path if path.starts_with("POST /druid/indexer") => json!({"id": "t"}),
        _ => json!([]),
    };
    (200, answer.to_string())
}

/// The answer to a count during a run.
pub fn counted(rows: u64) -> Value {
    json!([{"timestamp": "1970-01-01T00:00:00.000Z", "result": {"rows": rows}}])
}

fn query(body: &str) -> Value {
    match body {
        body if body.contains("sys.segments") => json!([]),
        body if body.contains("MIN(") => {
            json!([{"rows": ROWS, "min": 0, "max": ROWS - 1, "sum": ROWS * (ROWS - 1) / 2}])
        }
        body if body.contains("COUNT(DISTINCT") => json!([{"distinct": ROWS}]),
        _ => json!([{"rows": ROWS}]),
    }
}
