//! The bytes of a connection, with TLS or without.

use std::io;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

/// A connection.
pub(in crate::mqtt) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Writes the last bytes, and says that there are no more: over TLS a client takes it for an attack otherwise.
pub(super) async fn last_words(stream: &mut impl Stream, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await?;
    stream.shutdown().await
}
