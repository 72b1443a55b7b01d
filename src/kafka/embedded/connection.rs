//! One connection: reads requests, gets them answered and writes the answers, in order.

use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use kafka_protocol::messages::ApiKey;

use super::answer::is_timeout;
use super::request::{ConnectionError, parse};
use super::requests;
use super::state::{EndpointState, Peer};

/// A client that neither asks nor reads its answer is disconnected, as in Kafka
/// (`connections.max.idle.ms`); clients reconnect. A consumer may be busy for minutes before it
/// reads more.
const IDLE_MAX: Duration = Duration::from_secs(600);
/// How long one request may take to arrive. On one machine it takes milliseconds.
const TRANSFER_MAX: Duration = Duration::from_secs(30);
/// Read buffer: holds most requests that are not a batch of messages.
const BUFFER_BYTES: usize = 8 << 10;
/// A request's memory grows in steps of this size, so that an announced length costs nothing.
const GROWTH_BYTES: usize = 256 << 10;

/// Longest request that carries no messages. The largest ones hold the assignments of a consumer
/// group.
const PLAIN_REQUEST_BYTES: usize = 1 << 20;
/// What an element of a request takes in memory, decoded and in the answer: an upper estimate.
const ELEMENT_BYTES: usize = 512;

/// Serves the client until it disconnects or must be cut off.
pub(crate) fn serve(broker: &EndpointState, peer: &Peer) -> Result<(), ConnectionError> {
    let stream = &peer.stream;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(TRANSFER_MAX))?;
    stream.set_write_timeout(Some(TRANSFER_MAX))?;
    let mut reader = BufReader::with_capacity(BUFFER_BYTES, stream);
    while wait_for_request(&mut reader)? {
        let deadline = Instant::now() + TRANSFER_MAX;
        let (mut length, mut key) = ([0; 4], [0; 2]);
        read_all(&mut reader, &mut length, deadline)?;
        let bytes = request_bytes(i32::from_be_bytes(length), broker.limits.request_bytes)?;
        read_all(&mut reader, &mut key, deadline)?;
        if i16::from_be_bytes(key) != ApiKey::Produce as i16 && bytes > PLAIN_REQUEST_BYTES {
            return Err(ConnectionError::Announced { bytes: bytes as i32, limit: PLAIN_REQUEST_BYTES });
        }
        let no_memory = || ConnectionError::Memory(TRANSFER_MAX);
        let memory = broker.memory_for(bytes).take(bytes, deadline).ok_or_else(no_memory)?;
        let request = parse(read_request(&mut reader, key, bytes, deadline)?)?;
        let decoded_bytes = request.elements() * ELEMENT_BYTES;
        let decoded = broker.small_requests.take(decoded_bytes, deadline).ok_or_else(no_memory)?;
        let answer = requests::answer(broker, peer, request)?;
        if let Some(answer) = answer {
            answer.write_to(stream, IDLE_MAX)?;
        }
        // Until here: in most cases an unread answer takes as much memory as its request.
        drop((memory, decoded));
    }
    Ok(())
}

/// Waits for the first byte of a request; false when the client has disconnected or was idle too
/// long.
fn wait_for_request(reader: &mut BufReader<&TcpStream>) -> Result<bool, ConnectionError> {
    let idle_since = Instant::now();
    loop {
        match reader.fill_buf() {
            Ok(bytes) => return Ok(!bytes.is_empty()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if is_timeout(&error) => {
                if idle_since.elapsed() >= IDLE_MAX {
                    return Ok(false);
                }
            }
            // Between requests this is a normal way to leave.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(false),
            Err(error) => return Err(error.into()),
        }
    }
}

/// A request's length in bytes, if it is within the limit.
fn request_bytes(announced: i32, limit: usize) -> Result<usize, ConnectionError> {
    usize::try_from(announced)
        .ok()
        .filter(|bytes| (2..=limit).contains(bytes))
        .ok_or(ConnectionError::Announced { bytes: announced, limit })
}

/// Reads the request, except for its key, which has been read already.
fn read_request(
    reader: &mut impl Read,
    key: [u8; 2],
    bytes: usize,
    deadline: Instant,
) -> Result<Vec<u8>, ConnectionError> {
    let mut request = Vec::with_capacity(bytes.min(GROWTH_BYTES));
    request.extend(key);
    while request.len() < bytes {
        let filled = request.len();
        request.resize(bytes.min(filled + GROWTH_BYTES), 0);
        read_all(reader, &mut request[filled..], deadline)?;
    }
    Ok(request)
}

/// Like `read_exact`, but a client that sends a byte now and then runs into the deadline.
fn read_all(reader: &mut impl Read, mut into: &mut [u8], deadline: Instant) -> Result<(), ConnectionError> {
    while !into.is_empty() {
        match reader.read(into) {
            Ok(0) => return Err(ConnectionError::Io(ErrorKind::UnexpectedEof.into())),
            Ok(n) => into = &mut into[n..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if is_timeout(&error) => return Err(ConnectionError::Slow(TRANSFER_MAX)),
            Err(error) => return Err(error.into()),
        }
        if !into.is_empty() && Instant::now() > deadline {
            return Err(ConnectionError::Slow(TRANSFER_MAX));
        }
    }
    Ok(())
}
