//! Metrics, as Prometheus gets them.

use std::io::{Read, Write};
use std::net::TcpStream;

/// The metrics at an address, asked as Prometheus asks; `None`: nobody is there any more.
pub fn scrape(addr: &str) -> Option<String> {
    let mut connection = TcpStream::connect(addr).ok()?;
    let headers = "Host: x\r\nConnection: close\r\nX-Prometheus-Scrape-Timeout-Seconds: 1\r\n\r\n";
    write!(connection, "GET /metrics HTTP/1.1\r\n{headers}").ok()?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).ok()?;
    answer.ends_with("# EOF\n").then_some(answer)
}

/// The value of a metric.
pub fn value(metrics: &str, name: &str) -> Option<f64> {
    metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

/// The address in the line that says where the metrics are.
pub fn address(line: &str) -> String {
    line.split("http://").nth(1).unwrap().split('/').next().unwrap().to_owned()
}
