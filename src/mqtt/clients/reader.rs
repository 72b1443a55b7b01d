//! Reads packets from a connection, of a bounded size and with bounded memory.

use std::io;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::timeout;

use super::super::codec::{self, Frame, Reason};
use super::hub::Hub;
use super::limits::{CONTROL_MAX_BYTES, LARGE_BYTES, LARGE_WAIT, PACKET_MAX_BYTES, READ_BYTES};

/// Why no more can be read.
#[derive(Debug)]
pub(super) enum ReadError {
    /// The network, or the client silently.
    Io,
    /// What the client sent.
    Wrong(Reason),
}

impl From<io::Error> for ReadError {
    fn from(_: io::Error) -> Self {
        Self::Io
    }
}

impl From<Reason> for ReadError {
    fn from(reason: Reason) -> Self {
        Self::Wrong(reason)
    }
}

/// What has been read of a connection and not handled.
pub(super) struct PacketReader {
    pub bytes: BytesMut,
}

impl Default for PacketReader {
    fn default() -> Self {
        // A CONNECT is small.
        Self { bytes: BytesMut::with_capacity(512) }
    }
}

impl PacketReader {
    /// The length of the first packet, if all of it is there.
    pub fn frame(&self) -> Result<Option<usize>, Reason> {
        self.frame_at(0)
    }

    /// The length of the packet that begins at `start`, if all of it is there.
    pub fn frame_at(&self, start: usize) -> Result<Option<usize>, Reason> {
        let bytes = &self.bytes[start..];
        Ok(self.length(bytes)?.filter(|length| *length <= bytes.len()))
    }

    fn length(&self, bytes: &[u8]) -> Result<Option<usize>, Reason> {
        let is_publish = bytes.first().is_some_and(|first| first >> 4 == 3);
        let max = if is_publish { PACKET_MAX_BYTES } else { CONTROL_MAX_BYTES };
        Ok(match codec::frame(bytes, max)? {
            Frame::Length(length) => Some(length),
            Frame::Unknown => None,
        })
    }

    /// Reads at least one byte more, or the whole of a large packet once there is room for it.
    pub async fn read_more(
        &mut self,
        input: &mut (impl AsyncRead + Unpin),
        hub: &Hub,
    ) -> Result<(), ReadError> {
        match self.length(&self.bytes)? {
            Some(length) if length > READ_BYTES => self.read_large(length, input, hub).await,
            _ => {
                if self.bytes.is_empty() && self.bytes.capacity() > 2 * READ_BYTES {
                    self.bytes = BytesMut::new();
                }
                self.bytes.reserve(READ_BYTES);
                match input.read_buf(&mut self.bytes).await? {
                    0 => Err(ReadError::Io),
                    _ => Ok(()),
                }
            }
        }
    }

    async fn read_large(
        &mut self,
        length: usize,
        input: &mut (impl AsyncRead + Unpin),
        hub: &Hub,
    ) -> Result<(), ReadError> {
        let room = length.div_ceil(1 << 10).min(LARGE_BYTES >> 10) as u32;
        let Ok(_room) = hub.large.acquire_many(room).await else { return Err(ReadError::Io) };
        self.bytes.reserve(length - self.bytes.len());
        let read = async {
            while self.bytes.len() < length {
                if input.read_buf(&mut self.bytes).await? == 0 {
                    return Err(ReadError::Io);
                }
            }
            Ok(())
        };
        timeout(LARGE_WAIT, read).await.unwrap_or(Err(Reason::KEEP_ALIVE.into()))
    }
}
