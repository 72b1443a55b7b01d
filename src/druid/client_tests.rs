use std::io::{Read, Write};
use std::net::TcpListener;

use super::*;

/// Answers one call with `status` and `body`, and gives back what was asked.
fn served(status: &'static str, body: &'static str) -> (String, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut asked, mut bytes) = (String::new(), [0; 4_096]);
        // All of a small request comes at once or in two parts: head and body.
        while !asked.contains("\r\n\r\n") || (asked.starts_with("POST") && !asked.ends_with('}')) {
            let read = stream.read(&mut bytes).unwrap();
            assert!(read > 0, "{asked}");
            asked.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
        }
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len());
        stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        asked
    });
    (url, asked)
}

#[test]
fn a_user_goes_along_and_a_refusal_says_which_variables_to_set() {
    let (url, asked) = served("401 Unauthorized", "who are you?");
    let known = Credentials { user: "ann".into(), password: "open sesame".into() };
    let error = Client::new(&url, Some(&known)).unwrap().get("/status").unwrap_err();
    assert_eq!(error.status(), Some(401));
    let words = error.to_string();
    for part in [&*format!("GET {url}/status"), "401", "who are you?", "TWEETBLAST_DRUID_USER"] {
        assert!(words.contains(part), "{words}");
    }
    assert!(asked.join().unwrap().to_lowercase().contains("authorization: basic yw5uom9wzw4gc2vzyw1l"));
    assert!(!format!("{known:?}").contains("sesame"));
}

#[test]
fn a_datasource_that_is_not_known_yet_has_no_rows() {
    let (url, asked) = served(
        "400 Bad Request",
        r#"{"error":"druidException","errorCode":"invalidInput","persona":"USER","errorMessage":"Object 'nix' not found (line [1], column [22])","a":1234}"#,
    );
    let rows =
        Client::new(&url, None).unwrap().sql("SELECT 1 FROM nix WHERE run = ?", &["r".into()]).unwrap();
    assert!(rows.is_empty());
    let asked = asked.join().unwrap();
    assert!(asked.contains(r#""useApproximateCountDistinct":false"#), "{asked}");
    assert!(asked.contains(r#"{"type":"VARCHAR","value":"r"}"#), "{asked}");
}

#[test]
fn other_errors_of_a_query_are_errors() {
    let (url, _) = served(
        "400 Bad Request",
        r#"{"error":"druidException","errorMessage":"Non-query\nexpression. 1234"}"#,
    );
    let error = Client::new(&url, None).unwrap().sql("SELEC", &[]).unwrap_err();
    assert!(error.to_string().contains(": Non-query"), "{error}");
}

#[test]
fn nobody_there_and_nobody_answering_are_told_within_the_time_out() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let client = Client::with_timeout(&url, None, Duration::from_millis(100)).unwrap();
    let error = client.get("/status").unwrap_err();
    assert!(error.is_passing() && error.to_string().contains("timeout"), "{error}");
    drop(listener);
    let error = client.get("/status").unwrap_err();
    assert!(error.to_string().contains("is it running"), "{error}");
}

#[test]
fn a_missing_extension_and_a_wrong_port_are_named() {
    let no_type = "Please make sure to load ... Could not resolve type id 'kafka' as a subtype";
    assert!(hint(400, no_type, "/druid/indexer/v1/supervisor").contains("druid-kafka-indexing-service"));
    assert!(hint(404, "<html>", "/druid/v2/sql").contains("router"));
    assert_eq!(hint(404, "Cannot find any supervisor with id: [x]", "/druid/indexer/v1/supervisor/x"), "");
}

#[test]
fn only_http_addresses_are_taken() {
    for (url, words) in
        [("localhost:8888", "http://"), ("https://h", "TLS"), ("http://", "host"), ("http://a b", "host")]
    {
        let error = Client::new(url, None).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    assert_eq!(Client::new("http://h:8888/", None).unwrap().url(), "http://h:8888");
}

#[test]
fn base64_agrees_with_the_rfcs_examples() {
    for (text, encoded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
    {
        assert_eq!(base64(text.as_bytes()), encoded);
    }
}
