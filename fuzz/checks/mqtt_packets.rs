//! Any bytes sent to the embedded MQTT broker by a connected client, over a real connection: at most they end
//! that connection, and the next client is served.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tweetblast::mqtt::{Broker, BrokerOptions};

/// CONNECT of 3.1.1 and of 5, with the client id "x".
const CONNECTS: [&[u8]; 2] =
    [b"\x10\x0d\0\x04MQTT\x04\x02\0\0\0\x01x", b"\x10\x0e\0\x04MQTT\x05\x02\0\0\0\0\x01x"];

/// CONNECT of another client, SUBSCRIBE to a topic of six characters, a message to it; and the answers.
fn question(topic: &str) -> (Vec<u8>, Vec<u8>) {
    let topic = topic.as_bytes();
    let message = [b"\x30\x0b\0\x06", topic, b"fuz"].concat();
    let connect = b"\x10\x12\0\x04MQTT\x04\x02\0\0\0\x06~fuzz~";
    let ask = [&connect[..], b"\x82\x0b\0\x01\0\x06", topic, b"\0", &message].concat();
    (ask, [&b"\x20\x02\0\0\x90\x03\0\x01\0"[..], &message].concat())
}

static BROKER: OnceLock<Broker> = OnceLock::new();
static ASKED: AtomicU32 = AtomicU32::new(0);

pub fn check(bytes: &[u8]) {
    let broker = BROKER.get_or_init(|| {
        let listen = ([127, 0, 0, 1], 0).into();
        let options = BrokerOptions { listen, has_replay: false, ..BrokerOptions::default() };
        Broker::start(&options).expect("a free port")
    });
    let connect = || TcpStream::connect(broker.addr()).expect("it listens");
    let mut hostile = connect();
    let (first, rest) = bytes.split_first().unwrap_or((&0, &[]));
    // Half of the inputs bring a CONNECT of their own, or none.
    if first % 4 < 2 {
        let _ = hostile.write_all(CONNECTS[usize::from(first % 4)]);
    }
    // It may have hung up before it has read everything.
    let _ = hostile.write_all(rest);
    let _ = hostile.shutdown(Shutdown::Write);
    let _ = hostile.set_read_timeout(Some(Duration::from_millis(100)));
    let _ = hostile.read_to_end(&mut Vec::new());

    // Another topic each time: what the input publishes may be on its way still.
    let (ask, expected) = question(&format!("{:06x}", ASKED.fetch_add(1, Ordering::Relaxed) % 0x100_0000));
    let mut client = connect();
    client.write_all(&ask).expect("it reads");
    let mut answer = vec![0; expected.len()];
    client.read_exact(&mut answer).expect("it answers");
    assert_eq!(answer, expected);
    assert!(!broker.is_dead());
}
