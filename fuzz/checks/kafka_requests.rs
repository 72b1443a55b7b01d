//! Any bytes sent to the embedded Kafka endpoint, over a real connection: at most they end that
//! connection, and the next client gets its answer.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::OnceLock;
use std::time::Duration;

use tweetblast::kafka::embedded::{Endpoint, EndpointOptions};

/// ApiVersions, version 0, number 5, without a client id; and how its answer begins.
const ASK: &[u8] = b"\0\0\0\x0a\0\x12\0\0\0\0\0\x05\xff\xff";

static ENDPOINT: OnceLock<Endpoint> = OnceLock::new();

pub fn check(bytes: &[u8]) {
    let endpoint = ENDPOINT
        .get_or_init(|| Endpoint::start(EndpointOptions::default()).expect("a free port and a directory"));
    let connect = || TcpStream::connect(endpoint.addr()).expect("it listens");
    let mut hostile = connect();
    // It may have hung up before it has read everything.
    let _ = hostile.write_all(bytes);
    let _ = hostile.shutdown(Shutdown::Write);
    // Some requests may rightly wait for half a minute, for example a long poll.
    let _ = hostile.set_read_timeout(Some(Duration::from_millis(100)));
    let _ = hostile.read_to_end(&mut Vec::new());

    let mut client = connect();
    client.write_all(ASK).expect("it reads");
    let mut answer = [0; 10];
    client.read_exact(&mut answer).expect("it answers");
    assert_eq!(answer[4..], [0, 0, 0, 5, 0, 0]);
}
