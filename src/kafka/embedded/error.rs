//! Why the endpoint could not start or stop. Each message says what to do.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Errors of the endpoint itself. Errors of single requests are not among them: they go to the
/// client as Kafka's error codes.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// Another program listens on the address.
    #[error(
        "Kafka endpoint: {addr} is already in use; stop what listens there, or name another \
         address (port 0 takes a free one)"
    )]
    AddressInUse {
        addr: SocketAddr,
        #[source]
        source: io::Error,
    },
    #[error("Kafka endpoint: cannot listen on {addr}; name an address of this machine")]
    Listen {
        addr: SocketAddr,
        #[source]
        source: io::Error,
    },
    /// Another endpoint uses this directory.
    #[error(
        "Kafka endpoint: another process is using the directory {}; stop it, or name another \
         directory", dir.display()
    )]
    DirInUse { dir: PathBuf },
    /// The directory holds files, but not our marker.
    #[error(
        "Kafka endpoint: the directory {} is not empty and was not made by tweetblast; name an \
         empty or a new directory", dir.display()
    )]
    ForeignDir { dir: PathBuf },
    #[error("Kafka endpoint: cannot {action} {}; check that it can be written and has room", path.display())]
    Storage {
        action: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// Our marker file holds something else than we write into it.
    #[error(
        "Kafka endpoint: {} is damaged ({reason}); name another directory, or remove this one \
         if its messages are no longer needed", path.display()
    )]
    DamagedMarker { path: PathBuf, reason: String },
    /// A log holds a batch that does not verify, followed by good batches: this is damage, not the
    /// torn tail that a kill leaves. Cutting there would silently drop acknowledged messages.
    #[error(
        "Kafka endpoint: {} is damaged at byte {position} (offset {offset}): {reason}; restore the \
         file, or start with --kafka-repair, which cuts it there and loses every later message of this \
         partition", path.display()
    )]
    DamagedLog {
        path: PathBuf,
        /// Byte offset of the first batch that does not verify.
        position: u64,
        /// Kafka offset that this batch should start at.
        offset: i64,
        reason: String,
    },
    /// What the manifest lists is not there.
    #[error(
        "Kafka endpoint: acknowledged messages are missing in {}: {reason}; restore it, or start with \
         --kafka-repair and go on without them", path.display()
    )]
    LostMessages { path: PathBuf, reason: String },
    /// A file of a log is gone, and later ones are there.
    #[error(
        "Kafka endpoint: the messages from offset {offset} to {found} are missing before {}; restore \
         the file that holds them, or remove this one and all later ones of this partition",
        path.display()
    )]
    MissingMessages { path: PathBuf, offset: i64, found: i64 },
    /// The committed offsets of consumer groups cannot be read.
    #[error(
        "Kafka endpoint: {} is damaged at byte {position}; restore the file, or remove it, and \
         consumer groups start where their clients choose (auto.offset.reset)", path.display()
    )]
    DamagedOffsets {
        path: PathBuf,
        /// Byte offset of the first line that does not verify.
        position: u64,
    },
    #[error("Kafka endpoint: cannot start a thread; raise the limit on threads (`ulimit -u`)")]
    Thread {
        #[source]
        source: io::Error,
    },
    #[error("Kafka endpoint: {0}")]
    Options(String),
}
