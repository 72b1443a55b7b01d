//! A client written by hand, for what no client library does.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use super::harness::PATIENCE;

/// A connection, and the version that it speaks.
pub struct Raw {
    pub stream: TcpStream,
    pub level: u8,
}

pub fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u16).to_be_bytes(), text.as_bytes()].concat()
}

/// A whole packet.
pub fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![first];
    let mut rest = body.len();
    loop {
        packet.push((rest & 127) as u8 | if rest > 127 { 128 } else { 0 });
        rest >>= 7;
        if rest == 0 {
            break;
        }
    }
    packet.extend(body);
    packet
}

pub fn connect_packet(id: &str, level: u8, will: Option<(&str, &str)>, properties: &[u8]) -> Vec<u8> {
    let mut body = text("MQTT");
    body.extend([level, if will.is_some() { 6 } else { 2 }, 0, 0]);
    if level == 5 {
        body.push(properties.len() as u8);
        body.extend(properties);
    }
    body.extend(text(id));
    if let Some((topic, payload)) = will {
        if level == 5 {
            body.push(0);
        }
        body.extend(text(topic));
        body.extend(text(payload));
    }
    packet(0x10, &body)
}

impl Raw {
    pub fn open(addr: SocketAddr, level: u8) -> Self {
        let stream = TcpStream::connect(addr).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { stream, level }
    }

    /// A connected client.
    pub fn connect(addr: SocketAddr, id: &str, level: u8) -> Self {
        Self::connect_with(addr, id, level, None, &[])
    }

    pub fn connect_with(
        addr: SocketAddr,
        id: &str,
        level: u8,
        will: Option<(&str, &str)>,
        properties: &[u8],
    ) -> Self {
        let mut raw = Self::open(addr, level);
        raw.send(&connect_packet(id, level, will, properties));
        let (first, body) = raw.receive().unwrap();
        assert_eq!((first, body[1]), (0x20, 0));
        raw
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// The next packet: its first byte and what comes behind its length. `None` at the end.
    pub fn receive(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut first = [0];
        self.stream.read_exact(&mut first).ok()?;
        let (mut length, mut shift) = (0, 0);
        loop {
            let mut byte = [0];
            self.stream.read_exact(&mut byte).ok()?;
            length |= usize::from(byte[0] & 127) << shift;
            shift += 7;
            if byte[0] & 128 == 0 {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).ok()?;
        Some((first[0], body))
    }

    /// Subscribes, and returns the codes of the answer. `options` are those of MQTT 5: the QoS and more.
    pub fn subscribe(&mut self, filters: &[(&str, u8)]) -> Vec<u8> {
        let mut body = vec![0, 1];
        body.extend(self.no_properties());
        for (filter, options) in filters {
            body.extend(text(filter));
            body.push(*options);
        }
        self.send(&packet(0x82, &body));
        let (first, body) = self.receive().unwrap();
        assert_eq!((first, &body[..2]), (0x90, &[0, 1][..]));
        body[2 + self.no_properties().len()..].to_vec()
    }

    /// A message; `flags` are QoS and retain as in the first byte. Its packet id is 1.
    pub fn publish(&mut self, topic: &str, payload: &str, flags: u8) {
        self.publish_with(topic, payload, flags, &[]);
    }

    pub fn publish_with(&mut self, topic: &str, payload: &str, flags: u8, properties: &[u8]) {
        let mut body = text(topic);
        if flags & 6 != 0 {
            body.extend([0, 1]);
        }
        if self.level == 5 {
            body.push(properties.len() as u8);
            body.extend(properties);
        }
        body.extend(payload.as_bytes());
        self.send(&packet(0x30 | flags, &body));
    }

    /// Asks for an answer and waits for it: everything before it is done. Returns what came meanwhile.
    pub fn ping(&mut self) -> Vec<(u8, Vec<u8>)> {
        self.send(&[0xC0, 0]);
        let mut before = Vec::new();
        loop {
            match self.receive().expect("the connection is there") {
                (0xD0, _) => return before,
                packet => before.push(packet),
            }
        }
    }

    /// The next message: its first byte, topic and payload.
    pub fn message(&mut self) -> (u8, String, String) {
        loop {
            let (first, body) = self.receive().expect("the connection is there");
            if first >> 4 != 3 {
                continue;
            }
            let length = usize::from(u16::from_be_bytes([body[0], body[1]]));
            let mut rest = &body[2 + length..];
            if first & 6 != 0 {
                rest = &rest[2..];
            }
            if self.level == 5 {
                rest = &rest[1 + usize::from(rest[0])..];
            }
            let words = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            return (first, words(&body[2..2 + length]), words(rest));
        }
    }

    fn no_properties(&self) -> &'static [u8] {
        if self.level == 5 { &[0] } else { &[] }
    }
}
