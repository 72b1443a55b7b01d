//! Requests and record batches by hand, for what no client library sends.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::client::PATIENCE;

/// Of a producer's state: its id, its epoch and the sequence number of the first record.
pub type State = (i64, i16, i32);

/// A connection.
pub struct Raw(TcpStream);

impl Raw {
    pub fn connect(addr: SocketAddr) -> Self {
        let stream = TcpStream::connect(addr).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(stream)
    }

    /// The answer to a request, from its number on.
    pub fn call(&mut self, api: u8, version: u8, body: &[u8]) -> Vec<u8> {
        let request = [b"\0", &[api][..], b"\0", &[version], b"\0\0\0\x05\0\x03raw", body].concat();
        let length = u32::try_from(request.len()).unwrap().to_be_bytes();
        self.0.write_all(&[&length[..], &request].concat()).unwrap();
        let mut length = [0; 4];
        self.0.read_exact(&mut length).unwrap();
        let mut answer = vec![0; u32::from_be_bytes(length) as usize];
        self.0.read_exact(&mut answer).unwrap();
        answer
    }

    /// A new producer id.
    pub fn producer_id(&mut self) -> i64 {
        let answer = self.call(22, 0, b"\xff\xff\0\0\x03\xe8");
        i64::from_be_bytes(answer[10..18].try_into().unwrap())
    }

    /// Sends a batch to partition 0: the error code, and the offset of its first record.
    pub fn produce(&mut self, topic: &str, batch: &[u8]) -> (i16, i64) {
        let length = u32::try_from(batch.len()).unwrap().to_be_bytes();
        let name = [&u16::try_from(topic.len()).unwrap().to_be_bytes()[..], topic.as_bytes()].concat();
        let head = b"\xff\xff\xff\xff\0\0\x13\x88\0\0\0\x01"; // no transaction, acks, time-out, one topic
        let body = [&head[..], &name, b"\0\0\0\x01\0\0\0\0", &length, batch].concat();
        let answer = self.call(0, 3, &body);
        let at = 4 + 4 + name.len() + 4 + 4;
        let code = i16::from_be_bytes(answer[at..at + 2].try_into().unwrap());
        (code, i64::from_be_bytes(answer[at + 2..at + 10].try_into().unwrap()))
    }
}

fn zigzag(out: &mut Vec<u8>, number: i64) {
    let mut rest = ((number << 1) ^ (number >> 63)) as u64;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// The records of a batch with these values.
pub fn records(values: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    for (number, value) in (0..).zip(values) {
        let mut record = vec![0, 0];
        zigzag(&mut record, number);
        zigzag(&mut record, -1); // no key
        zigzag(&mut record, value.len() as i64);
        record.extend(*value);
        record.push(0); // no headers
        zigzag(&mut out, record.len() as i64);
        out.extend(record);
    }
    out
}

/// A batch that says so many records, with the right CRC-32C whatever they are.
pub fn batch(count: i32, records: &[u8], compression: i16, (id, epoch, sequence): State) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend(compression.to_be_bytes());
    body.extend((count - 1).to_be_bytes());
    body.extend([1_600_000_000_000i64.to_be_bytes(); 2].concat());
    body.extend(id.to_be_bytes());
    body.extend(epoch.to_be_bytes());
    body.extend(sequence.to_be_bytes());
    body.extend(count.to_be_bytes());
    body.extend(records);
    let mut out = vec![0; 8];
    out.extend((body.len() as i32 + 9).to_be_bytes());
    out.extend([0xff, 0xff, 0xff, 0xff, 2]);
    out.extend(crc32c::crc32c(&body).to_be_bytes());
    out.extend(body);
    out
}

/// Of nobody.
pub const NO_STATE: State = (-1, -1, -1);

/// The state that would follow the last batch in a log's file; `None`: it has none.
pub fn next_state(log: &[u8]) -> Option<State> {
    let (mut rest, mut next) = (log, None);
    while let Some(head) = rest.first_chunk::<61>() {
        let field = |at: usize| i32::from_be_bytes(head[at..at + 4].try_into().unwrap());
        let id = i64::from_be_bytes(head[43..51].try_into().unwrap());
        let epoch = i16::from_be_bytes(head[51..53].try_into().unwrap());
        next = Some((id, epoch, field(53) + field(23) + 1));
        rest = rest.get(12 + field(8) as usize..)?;
    }
    next
}
