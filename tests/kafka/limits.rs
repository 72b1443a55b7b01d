//! The embedded Kafka endpoint and clients that ask for too much.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use rdkafka::error::RDKafkaErrorCode;
use tweetblast::kafka::embedded::{Endpoint, EndpointOptions, Limits};

use crate::client::{Client, endpoint, messages};
use crate::common::{in_own_process, is_own_process};

#[test]
fn large_messages_pass_and_too_large_ones_are_refused() {
    let options = EndpointOptions {
        limits: Limits { fetch_bytes: 100_000, ..Limits::default() },
        ..Default::default()
    };
    let endpoint = Endpoint::start(options).unwrap();
    let client = Client::new(endpoint.addr());
    client.create_topic("tweets", 1).unwrap();
    let sent: Vec<Vec<u8>> = (0..3).map(|i| vec![b'a' + i; 5_000_000]).collect();
    let large = [("message.max.bytes", "60000000"), ("compression.type", "none")];
    client.produce("tweets", 0, &sent, &large);
    assert_eq!(client.read("tweets", 0, 0, 3), sent);
    let over = vec![vec![b'x'; 33 << 20]];
    let results = client.try_produce("tweets", 0, &over, &large);
    assert_eq!(results, [Err(RDKafkaErrorCode::MessageSizeTooLarge)]);
    assert_eq!(client.watermarks("tweets", 0), (0, 3));
}

#[test]
fn hostile_bytes_do_not_disturb_others() {
    let endpoint = endpoint();
    let addr = endpoint.addr();
    let client = Client::new(addr);
    client.create_topic("tweets", 1).unwrap();
    let hostile: &[&[u8]] = &[
        b"GET / HTTP/1.1\r\nHost: kafka\r\n\r\n",
        &[0xff; 64],
        b"\x7f\xff\xff\xff\0\x03\0\x01", // 2 GiB announced
        b"\0\0\0\0",                     // nothing announced
        b"\0\0\0\x0e\0\x03\0\x01\0\0\0\x01\xff\xff\x7f\xff\xff\xff", // 2 billion topics
        b"\0\0\0\x0a\0\x63\0\0\0\0\0\x01\xff\xff", // no such API
    ];
    let sent = messages("m", 20_000);
    std::thread::scope(|scope| {
        let attack = scope.spawn(|| {
            for bytes in hostile.iter().cycle().take(120) {
                let mut stream = TcpStream::connect(addr).unwrap();
                stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
                let _ = stream.write_all(bytes);
                let mut rest = Vec::new();
                // Closed, or reset because there was more than it read.
                let _ = stream.read_to_end(&mut rest);
                assert!(rest.is_empty());
            }
            // A request that never ends leaves no trace either.
            let mut half = TcpStream::connect(addr).unwrap();
            half.write_all(b"\0\0\x10\0\0\x03").unwrap();
            half.shutdown(Shutdown::Write).unwrap();
        });
        client.produce("tweets", 0, &sent, &[]);
        attack.join().unwrap();
    });
    assert_eq!(client.read("tweets", 0, 0, sent.len()), sent);
}

#[test]
fn a_newer_client_is_told_the_versions_in_the_oldest_form() {
    let endpoint = endpoint();
    let mut stream = TcpStream::connect(endpoint.addr()).unwrap();
    stream.write_all(b"\0\0\0\x0a\0\x12\0\x63\0\0\0\x05\xff\xff").unwrap();
    let mut head = [0; 14];
    stream.read_exact(&mut head).unwrap();
    assert_eq!(head[4..8], [0, 0, 0, 5], "the request's number");
    assert_eq!(head[8..10], [0, 35], "UNSUPPORTED_VERSION");
    let count = i32::from_be_bytes([head[10], head[11], head[12], head[13]]);
    let mut versions = vec![0; count as usize * 6];
    stream.read_exact(&mut versions).unwrap();
    assert!(versions.chunks(6).any(|api| api[..2] == [0, 18]));
}

#[test]
fn connections_beyond_the_limit_are_closed_and_the_others_work() {
    let options =
        EndpointOptions { limits: Limits { connections: 8, ..Limits::default() }, ..Default::default() };
    let endpoint = Endpoint::start(options).unwrap();
    let client = Client::new(endpoint.addr());
    client.create_topic("tweets", 1).unwrap();
    let idle: Vec<_> = (0..20).map(|_| TcpStream::connect(endpoint.addr()).unwrap()).collect();
    let refused = idle.iter().filter(|stream| {
        stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        match Read::read(&mut &**stream, &mut [0]) {
            Ok(bytes) => bytes == 0,
            Err(error) => error.kind() == ErrorKind::ConnectionReset, // a time-out: taken in
        }
    });
    assert!(refused.count() >= 12);
    drop(idle);
    client.produce("tweets", 0, &messages("m", 10), &[]);
}

/// Peak resident memory of this process in bytes.
fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

fn connect_many(addr: SocketAddr, count: usize, first: &[u8]) -> Vec<TcpStream> {
    let connect = |_| {
        let mut stream = TcpStream::connect(addr).unwrap();
        stream.write_all(first).unwrap();
        stream
    };
    (0..count).map(connect).collect()
}

#[test]
#[cfg(target_os = "linux")]
fn announced_lengths_cost_no_memory_and_leave_room_for_others() {
    if !is_own_process() {
        // Memory of the other tests in this program must not count.
        let me = concat!(module_path!(), "::announced_lengths_cost_no_memory_and_leave_room_for_others");
        let output = in_own_process(me, |_| {});
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        return;
    }
    let endpoint = endpoint();
    let client = Client::new(endpoint.addr());
    client.create_topic("tweets", 1).unwrap();
    client.produce("tweets", 0, &messages("before", 1_000), &[]);
    let before = peak_bytes();
    // 200 Produce requests of 100 MiB each: announced, begun, and never sent.
    let begun = connect_many(endpoint.addr(), 200, b"\x06\x40\0\0\0\0\0\x09\0\0\0\x01\xff\xff");
    // 200 Metadata requests for 3,900 topics each, whose answers are not read for now.
    let mut metadata = b"\0\x03\0\x04\0\0\0\x01\xff\xff".to_vec();
    metadata.extend(3_900i32.to_be_bytes());
    for number in 0..3_900 {
        metadata.extend(200i16.to_be_bytes());
        metadata.extend(format!("{number:0200}").into_bytes());
    }
    metadata.push(0); // create none
    let length = (metadata.len() as u32).to_be_bytes();
    let asked = connect_many(endpoint.addr(), 200, &[&length[..], &metadata].concat());
    let sent = messages("meanwhile", 5_000);
    client.produce("tweets", 0, &sent, &[]);
    assert_eq!(client.read("tweets", 0, 1_000, 5_000), sent);
    for mut stream in asked {
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream.read_exact(&mut [0; 800_000]).unwrap();
    }
    drop(begun);
    let grown = peak_bytes() - before;
    assert!(grown < 400 << 20, "{} MiB", grown >> 20);
}

#[test]
fn a_thousand_idle_connections_leave_a_producer_alone() {
    let endpoint = endpoint();
    let client = Client::new(endpoint.addr());
    client.create_topic("tweets", 1).unwrap();
    let idle = connect_many(endpoint.addr(), 1_000, b"");
    let sent = messages("m", 20_000);
    client.produce("tweets", 0, &sent, &[]);
    assert_eq!(client.read("tweets", 0, 0, 20_000), sent);
    assert!(idle.iter().all(|stream| stream.peer_addr().is_ok()));
    endpoint.close().unwrap();
}
