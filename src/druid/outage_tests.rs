use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};

use super::*;
use crate::druid::{Access, Client};

const AWAY: (&str, &str) =
    ("502 Bad Gateway", "<html>\n<head>\n<title>Error 502 Bad Gateway</title>\n</head>\n");
const BUSY: (&str, &str) = ("429 Too Many Requests", r#"{"errorMessage":"Too many concurrent queries"}"#);
const NONE: (&str, &str) = ("", "");
const FINE: (&str, &str) = ("200 OK", "[]");

/// Gives these answers in order, and the last one to all later calls. An empty one is a connection
/// that ends without an answer.
fn serving(answers: &'static [(&'static str, &'static str)]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for number in 0.. {
            let (status, body) = answers[number.min(answers.len() - 1)];
            let Ok((mut stream, _)) = listener.accept() else { return };
            let (mut asked, mut bytes) = (String::new(), [0; 4_096]);
            while !asked.contains("\r\n\r\n") || (asked.starts_with("POST") && !asked.ends_with('}')) {
                match stream.read(&mut bytes).unwrap() {
                    0 => break,
                    read => asked.push_str(std::str::from_utf8(&bytes[..read]).unwrap()),
                }
            }
            if !status.is_empty() {
                let head = format!(
                    "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
                    body.len()
                );
                stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
            }
        }
    });
    address
}

/// A client of a run, what it reports, and Ctrl-C.
fn patient(address: SocketAddr, limit: Duration) -> (Client, Arc<Mutex<Vec<String>>>, Arc<AtomicBool>) {
    let (said, stop) = (Arc::<Mutex<Vec<String>>>::default(), Arc::<AtomicBool>::default());
    let lines = said.clone();
    let patience =
        Patience::new(limit, stop.clone(), move |words| lines.lock().unwrap().push(words.to_owned()));
    let client = Client::new(&format!("http://{address}"), &Access::default()).unwrap();
    (client.with_patience(patience), said, stop)
}

const LONG: Duration = Duration::from_secs(600);

#[test]
fn the_run_waits_for_a_broker_that_is_away_and_says_so_in_two_lines() {
    let address = serving(&[AWAY, AWAY, BUSY, FINE]);
    let (client, said, _) = patient(address, LONG);
    assert!(client.sql("SELECT 1", &[]).unwrap().is_empty());
    let said = said.lock().unwrap();
    assert_eq!(said.len(), 2, "{said:?}");
    let words = format!(
        "Druid's broker does not answer at http://{address} (502: Error 502 Bad Gateway): waiting up to 600s"
    );
    assert_eq!(said[0], words);
    assert!(said[1].starts_with("Druid's broker is back after "), "{said:?}");
    assert!(client.last_change(Instant::now() - LONG).elapsed() < LONG, "to come back is a change");
}

#[test]
fn one_that_is_away_for_too_long_is_given_up_with_the_reason() {
    let (client, said, _) = patient(serving(&[FINE, AWAY]), Duration::ZERO);
    client.get("/druid/indexer/v1/pendingTasks").unwrap();
    for _ in 0..2 {
        let error = client.sql("SELECT 1", &[]).unwrap_err();
        assert!(!error.is_passing(), "the run must not wait for it again");
        let words = error.to_string();
        assert!(words.contains("Druid's broker does not answer at http://127.0.0.1"), "{words}");
        assert!(words.contains("502") && !words.contains("html"), "{words}");
    }
    assert_eq!(said.lock().unwrap().len(), 1, "a line when it goes, not one for each try");
}

#[test]
fn the_run_waits_when_connections_break_once_druid_has_answered() {
    let (client, said, _) = patient(serving(&[FINE, NONE, NONE, FINE]), LONG);
    client.get("/druid/indexer/v1/pendingTasks").unwrap();
    client.get("/druid/indexer/v1/pendingTasks").unwrap();
    let said = said.lock().unwrap();
    assert!(said.len() == 2 && said[0].starts_with("Druid does not answer at "), "{said:?}");
}

#[test]
fn one_that_was_never_there_is_an_error_at_once() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (client, said, _) = patient(address, LONG);
    let error = client.sql("SELECT 1", &[]).unwrap_err();
    assert!(error.to_string().contains("is it running"), "{error}");
    assert!(said.lock().unwrap().is_empty());
}

#[test]
fn ctrl_c_ends_the_wait_and_a_client_that_tries_once_has_none() {
    let (client, said, stop) = patient(serving(&[FINE, AWAY]), LONG);
    client.sql("SELECT 1", &[]).unwrap();
    assert!(client.trying_once().sql("SELECT 1", &[]).unwrap_err().is_passing());
    assert_eq!(said.lock().unwrap().len(), 1, "it tells of the outage");
    assert!(client.without_patience().sql("SELECT 1", &[]).unwrap_err().is_passing());
    std::thread::spawn(move || stop.store(true, Ordering::Relaxed));
    assert!(matches!(client.sql("SELECT 1", &[]), Err(DruidError::Away { service: Service::Broker, .. })));
}

#[test]
fn only_an_answer_of_the_one_that_is_away_to_a_later_question_ends_its_outage() {
    let said = Arc::<Mutex<Vec<String>>>::default();
    let lines = said.clone();
    let say = move |words: &str| lines.lock().unwrap().push(words.to_owned());
    let patience = Patience::new(LONG, Arc::default(), say);
    let (sql, tasks) = ("/druid/v2/sql", "/druid/indexer/v1/tasks");
    let refused = |path: &str| DruidError::Refused {
        method: "GET",
        url: path.to_owned(),
        status: 503,
        line: String::new(),
        hint: "",
    };
    let earlier = Instant::now();
    std::thread::sleep(Duration::from_millis(1));
    let asked = Instant::now();
    patience.failed("http://h", sql, asked, refused(sql)).unwrap();
    patience.answered(tasks, asked);
    patience.answered(sql, earlier);
    assert_eq!((said.lock().unwrap().len(), patience.over().len()), (1, 0));
    assert!(patience.all()[0].ended.is_none());
    patience.answered(sql, asked);
    assert_eq!((said.lock().unwrap().len(), patience.over().len()), (2, 1));
    assert!(patience.all().len() == 1 && patience.all()[0].length().is_some(), "{:?}", patience.all());
}
