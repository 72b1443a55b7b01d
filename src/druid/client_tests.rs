use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

use super::*;

/// Answers one call with `status` and `body`, and returns the request.
fn served(status: &'static str, body: &'static str) -> (String, JoinHandle<String>) {
    served_through(status, body, Some)
}

/// The same through what `wrap` makes of a connection; the request is empty if that is `None`.
fn served_through<S: Read + Write>(
    status: &'static str,
    body: &'static str,
    wrap: impl FnOnce(TcpStream) -> Option<S> + Send + 'static,
) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = std::thread::spawn(move || {
        let Some(mut stream) = wrap(listener.accept().unwrap().0) else { return String::new() };
        let (mut asked, mut bytes) = (String::new(), [0; 4_096]);
        // A small request arrives at once or in two parts: head and body.
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
    let error = Client::new(&url, &Access { credentials: Some(known.clone()), ..Access::default() })
        .unwrap()
        .get("/status")
        .unwrap_err();
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
    let rows = Client::new(&url, &Access::default())
        .unwrap()
        .sql("SELECT 1 FROM nix WHERE run = ?", &["r".into()])
        .unwrap();
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
    let error = Client::new(&url, &Access::default()).unwrap().sql("SELEC", &[]).unwrap_err();
    assert!(error.to_string().contains(": Non-query"), "{error}");
}

#[test]
fn nobody_there_and_nobody_answering_are_told_within_the_time_out() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let client = Client::with_timeout(&url, &Access::default(), Duration::from_millis(100)).unwrap();
    let error = client.get("/status").unwrap_err();
    assert!(error.is_passing() && error.to_string().contains("timeout"), "{error}");
    client.check_address().unwrap();
    drop(listener);
    assert!(client.check_address().unwrap_err().to_string().contains("(connection refused)"));
    let error = client.get("/status").unwrap_err();
    let doctor = format!("`tweetblast doctor --druid {}` checks each hop", client.url());
    assert!(error.to_string().contains("is it running") && error.to_string().ends_with(&doctor), "{error}");
}

#[test]
fn a_missing_extension_and_a_wrong_port_are_named() {
    let no_type = "Please make sure to load ... Could not resolve type id 'kafka' as a subtype";
    assert!(hint(400, no_type, "/druid/indexer/v1/supervisor").contains("druid-kafka-indexing-service"));
    assert!(hint(404, "<html>", "/druid/v2/sql").contains("router"));
    for gone in ["Cannot find any supervisor with id: [x]", "[x] does not exist"] {
        assert_eq!(hint(404, gone, "/druid/indexer/v1/supervisor/x"), "");
    }
}

#[test]
fn only_http_addresses_are_taken() {
    for (url, words) in
        [("localhost:8888", "http://"), ("ftp://h", "https://"), ("http://", "host"), ("http://a b", "host")]
    {
        let error = Client::new(url, &Access::default()).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    assert_eq!(Client::new("http://h:8888/", &Access::default()).unwrap().url(), "http://h:8888");
}

/// A certificate for 127.0.0.1, signed by its own key only.
const CERTIFICATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tls/cert.pem");

/// Speaks TLS with that certificate, if the caller trusts it.
fn tls(tcp: TcpStream) -> Option<rustls::StreamOwned<rustls::ServerConnection, TcpStream>> {
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
    let certificate = CertificateDer::from_pem_file(CERTIFICATE).unwrap();
    let key = PrivateKeyDer::from_pem_file(CERTIFICATE.replace("cert.pem", "key.pem")).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let config = builder.with_single_cert(vec![certificate], key).unwrap();
    let mut stream = rustls::StreamOwned::new(rustls::ServerConnection::new(config.into()).unwrap(), tcp);
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock).ok()?;
    }
    Some(stream)
}

#[test]
fn tls_is_spoken_and_only_who_is_known_is_trusted() {
    let https = |(url, asked): (String, JoinHandle<String>)| (url.replace("http", "https"), asked);
    let (url, asked) = https(served_through("200 OK", "true", tls));
    let access = Access { ca_file: Some(CERTIFICATE.into()), ..Access::default() };
    assert_eq!(Client::new(&url, &access).unwrap().get("/status/health").unwrap(), Value::Bool(true));
    assert!(asked.join().unwrap().starts_with("GET /status/health "));

    let (url, asked) = https(served_through("200 OK", "true", tls));
    let error = Client::new(&url, &Access::default()).unwrap().get("/status/health").unwrap_err();
    assert!(error.to_string().contains("TWEETBLAST_DRUID_CA"), "{error}");
    assert_eq!(asked.join().unwrap(), "", "nothing was said to it");

    for path in ["/nowhere.pem", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")] {
        let access = Access { ca_file: Some(path.into()), ..Access::default() };
        let error = Client::new(&url, &access).unwrap_err().to_string();
        assert!(error.contains(path), "{error}");
    }
}

#[test]
fn of_a_page_of_html_the_title_is_shown() {
    let page = "<!DOCTYPE html>\n<html lang=\"en\">\n<head><title>\n  Superset\n</title></head>";
    assert_eq!(first_line(page), "Superset");
    assert_eq!(first_line("<html>\n<body>no title"), "a page of HTML");
    assert_eq!(first_line("\n  no such thing <here>\n"), "no such thing <here>");
}
