//! One request as it is on the wire, and the frame of its answer.
//!
//! In: the bytes after the length. Out: a parsed header, and a body that was walked through
//! (`shape`) and is safe to decode.

use std::io;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use kafka_protocol::messages::{ApiKey, ResponseHeader};
use kafka_protocol::protocol::{Decodable, Encodable};

use super::apis::Api;
use super::shape;

/// Why a connection ends, other than because the client wants to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectionError {
    #[error(
        "it announced a request of {bytes} bytes; {limit} is the most (is it a Kafka client, without TLS?)"
    )]
    Announced { bytes: i32, limit: usize },
    #[error(
        "API {key} version {version} is not served; a Kafka client from 0.11 to today asks first what is"
    )]
    Unsupported { key: i16, version: i16 },
    #[error("malformed request: {0}")]
    Malformed(String),
    #[error("it neither sent the rest of its request, nor took its answer, within {} s", .0.as_secs())]
    Slow(Duration),
    #[error("no memory for its request within {} s: too many connections send big ones", .0.as_secs())]
    Memory(Duration),
    #[error("a batch sent without acknowledgement (acks=0) was refused: {0}")]
    UnacknowledgedRefusal(String),
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("the answer to {api:?} version {version} cannot be encoded: {reason}")]
    Encode { api: ApiKey, version: i16, reason: String },
}

impl ConnectionError {
    /// Whether this is what a client looks like that was killed or did not wait for an answer.
    pub fn is_clients_leaving(&self) -> bool {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
        let Self::Io(error) = self else { return false };
        matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
    }

    fn malformed(reason: impl ToString) -> Self {
        Self::Malformed(reason.to_string())
    }
}

/// A request whose header has been read.
#[derive(Debug)]
pub(crate) struct Request {
    pub api: &'static Api,
    pub version: i16,
    pub client_id: String,
    elements: usize,
    correlation_id: i32,
    body: Bytes,
}

/// The outcome of parsing a header.
#[derive(Debug)]
pub(crate) enum Parsed {
    Request(Request),
    /// ApiVersions in a version we do not know: the one case that has an answer, in version 0.
    TooNewApiVersions {
        correlation_id: i32,
    },
}

impl Parsed {
    /// Elements and tagged fields: they determine how much memory the decoded request takes.
    pub fn elements(&self) -> usize {
        match self {
            Self::Request(request) => request.elements,
            Self::TooNewApiVersions { .. } => 0,
        }
    }
}

/// Longest client id that is kept; it is used to name group members.
const CLIENT_ID_BYTES_MAX: usize = 256;

/// Reads the header, and walks through the body.
pub(crate) fn parse(bytes: Vec<u8>) -> Result<Parsed, ConnectionError> {
    let mut rest = &bytes[..];
    let cut_off = |_| ConnectionError::malformed("the header is cut off");
    let key = rest.try_get_i16().map_err(cut_off)?;
    let version = rest.try_get_i16().map_err(cut_off)?;
    let correlation_id = rest.try_get_i32().map_err(cut_off)?;
    let unsupported = ConnectionError::Unsupported { key, version };
    let api = match Api::find(key) {
        Some(api) if api.has_version(version) => api,
        Some(api) if api.key == ApiKey::ApiVersions && version > api.max_version => {
            return Ok(Parsed::TooNewApiVersions { correlation_id });
        }
        _ => return Err(unsupported),
    };
    // The client id has a plain length in every version of the header.
    let id_bytes = usize::try_from(rest.try_get_i16().map_err(cut_off)?).unwrap_or(0);
    let id = rest.get(..id_bytes).ok_or_else(|| ConnectionError::malformed("the header is cut off"))?;
    rest.advance(id_bytes);
    let client_id = String::from_utf8_lossy(&id[..id.len().min(CLIENT_ID_BYTES_MAX)]).into_owned();
    let flexible = api.is_flexible(version);
    if flexible {
        let tagged = shape::tagged_fields_bytes(rest).map_err(ConnectionError::malformed)?;
        rest.advance(tagged);
    }
    let elements = shape::check(rest, api.fields, version, flexible).map_err(ConnectionError::malformed)?;
    let header_bytes = bytes.len() - rest.len();
    let body = Bytes::from(bytes).split_off(header_bytes);
    Ok(Parsed::Request(Request { api, version, client_id, elements, correlation_id, body }))
}

impl Request {
    /// Decodes the body.
    pub fn decode<Q: Decodable>(&self) -> Result<Q, ConnectionError> {
        Q::decode(&mut self.body.clone(), self.version).map_err(ConnectionError::malformed)
    }

    /// Begins an answer that is put together by hand, to be finished by [`end_frame`].
    pub fn begin_frame(&self) -> Result<BytesMut, ConnectionError> {
        begin_frame(self.api.key, self.version, self.correlation_id, 0)
    }

    /// Appends a structure of the answer.
    pub fn encode<R: Encodable>(&self, part: &R, out: &mut BytesMut) -> Result<(), ConnectionError> {
        part.encode(out, self.version).map_err(encode_failed(self.api.key, self.version))
    }

    /// The answer with its length and header, ready to be written.
    pub fn frame<R: Encodable>(&self, response: &R) -> Result<BytesMut, ConnectionError> {
        frame(self.api.key, self.version, self.correlation_id, response)
    }
}

/// As [`Request::frame`], for an answer in another version than the request's.
pub(crate) fn frame<R: Encodable>(
    api: ApiKey,
    version: i16,
    correlation_id: i32,
    response: &R,
) -> Result<BytesMut, ConnectionError> {
    let failed = encode_failed(api, version);
    let body_bytes = response.compute_size(version).map_err(failed)?;
    let mut out = begin_frame(api, version, correlation_id, body_bytes)?;
    response.encode(&mut out, version).map_err(failed)?;
    let bytes = out.len();
    end_frame(&mut out, bytes);
    Ok(out)
}

fn encode_failed(api: ApiKey, version: i16) -> impl Fn(anyhow::Error) -> ConnectionError + Copy {
    move |error| ConnectionError::Encode { api, version, reason: error.to_string() }
}

fn begin_frame(
    api: ApiKey,
    version: i16,
    correlation_id: i32,
    body_bytes: usize,
) -> Result<BytesMut, ConnectionError> {
    let mut out = BytesMut::with_capacity(body_bytes + 16); // length, correlation id, tagged fields
    out.extend_from_slice(&[0; 4]);
    let header = ResponseHeader::default().with_correlation_id(correlation_id);
    let encoded = header.encode(&mut out, api.response_header_version(version));
    encoded.map_err(encode_failed(api, version))?;
    Ok(out)
}

/// Puts the length in front, given the length of the whole frame.
pub(crate) fn end_frame(begin: &mut BytesMut, frame_bytes: usize) {
    let length = (frame_bytes - 4) as u32; // answers end below 2 GiB
    begin[..4].copy_from_slice(&length.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(key: i16, version: i16, rest: &[u8]) -> Vec<u8> {
        let mut bytes = [key.to_be_bytes(), version.to_be_bytes()].concat();
        bytes.extend(77i32.to_be_bytes());
        bytes.extend(rest);
        bytes
    }

    #[test]
    fn headers_of_both_kinds_are_read() {
        // Metadata of all topics, with a client id; a producer id, with a tagged field in the header.
        let Ok(Parsed::Request(old)) = parse(request(3, 1, b"\0\x02me\xff\xff\xff\xff")) else { panic!() };
        assert_eq!((old.api.key, old.version, old.correlation_id), (ApiKey::Metadata, 1, 77));
        assert_eq!(old.decode::<kafka_protocol::messages::MetadataRequest>().unwrap().topics, None);

        let Ok(Parsed::Request(flexible)) = parse(request(22, 2, FLEXIBLE)) else { panic!() };
        assert_eq!(
            (flexible.api.key, flexible.version, flexible.correlation_id),
            (ApiKey::InitProducerId, 2, 77)
        );
        let body: kafka_protocol::messages::InitProducerIdRequest = flexible.decode().unwrap();
        assert_eq!((body.transactional_id, body.transaction_timeout_ms), (None, 7));
    }

    /// The rest of a request for a producer id, version 2, after its number: no client id, a tagged
    /// field, no transaction, a time-out, no tagged field.
    const FLEXIBLE: &[u8] = b"\xff\xff\x01\x03\x02hi\0\0\0\0\x07\0";

    #[test]
    fn what_is_not_served_is_told_from_what_is_broken() {
        let newest = parse(request(18, 99, b"anything"));
        assert!(matches!(newest, Ok(Parsed::TooNewApiVersions { correlation_id: 77 })));
        for (key, version) in [(0, 2), (0, 10), (4, 0), (-1, 0), (18, -1)] {
            let refused = parse(request(key, version, b"\xff\xff"));
            assert!(matches!(refused, Err(ConnectionError::Unsupported { .. })), "{key} {version}");
        }
        let whole = request(22, 2, FLEXIBLE);
        for length in 0..whole.len() {
            let refused = parse(whole[..length].to_vec());
            assert!(matches!(refused, Err(ConnectionError::Malformed(_))), "{length}");
        }
    }
}
