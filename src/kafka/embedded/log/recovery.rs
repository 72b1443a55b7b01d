//! Reads the files of a partition's log when it is opened: verifies every batch, rebuilds the index
//! and the state of producers, and distinguishes a torn tail from damage.
//!
//! A torn tail is what a kill in mid-write leaves: the beginning of a batch, at the end of the last file. It was never
//! acknowledged, so it is cut off, with a warning. Everything else that does not verify is damage to acknowledged
//! messages: a batch that is whole by its length and does not match its CRC-32C, one with good ones behind it, one before
//! an offset that the manifest knows. The log is refused, unless it is to be repaired.
//! (Kafka cuts in all cases. Here nothing may be lost silently.)

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::index::{BatchIndex, IndexEntry};
use crate::kafka::embedded::batch::{BatchHeader, CRC_FROM, HEADER_BYTES};
use crate::kafka::embedded::error::EndpointError;
use crate::kafka::embedded::producers::Producers;

/// Bytes read at a time: large, so that small batches do not cost a system call each.
const READ_BYTES: usize = 1 << 20;

/// A file of a log to be looked through.
pub(crate) struct Recovery<'a> {
    pub file: &'a File,
    pub path: &'a Path,
    pub base_offset: i64,
    pub is_last: bool,
    /// The offset up to which messages were acknowledged, as far as is known.
    pub end: Option<i64>,
    pub repair: bool,
}

/// What a file holds.
pub(crate) struct Recovered {
    pub index: BatchIndex,
    /// How many of its bytes belong to the log.
    pub bytes: u64,
    /// Acknowledged messages were cut off.
    pub is_repaired: bool,
}

impl Recovery<'_> {
    /// Verifies the whole file, and cuts a torn tail off. Reads every byte once, in constant memory.
    pub fn run(self, producers: &mut Producers) -> Result<Recovered, EndpointError> {
        let Self { file, path, base_offset, is_last, end, repair } = self;
        let failed = |action| move |source| EndpointError::Storage { action, path: path.to_owned(), source };
        let file_bytes = file.metadata().map_err(failed("read"))?.len();
        let (mut index, mut position, mut offset) = (BatchIndex::default(), 0, base_offset);
        let mut is_repaired = false;
        let mut reader = BufReader::with_capacity(READ_BYTES, file);
        while position < file_bytes {
            let Fault { reason, is_torn } = match read_batch(&mut reader, offset).map_err(failed("read"))? {
                Ok(header) => {
                    index.push(IndexEntry::new(&header, offset, position));
                    producers.record(&header, offset);
                    offset = header.last_offset(offset) + 1;
                    position += header.batch_bytes;
                    continue;
                }
                Err(fault) => fault,
            };
            let is_torn = is_torn
                && is_last
                && end.is_none_or(|end| offset >= end)
                && !good_batch_behind(file, position + 1, file_bytes, offset).map_err(failed("read"))?;
            if !is_torn && !repair {
                let (path, reason) = (path.to_owned(), reason.to_owned());
                return Err(EndpointError::DamagedLog { path, position, offset, reason });
            }
            let what = match is_torn {
                true => "cut the torn tail off a log; it was never acknowledged",
                false => "cut a damaged log off, as --kafka-repair says; acknowledged messages are lost",
            };
            let (path, cut_bytes) = (path.display(), file_bytes - position);
            tracing::warn!(%path, position, offset, cut_bytes, reason, "Kafka endpoint: {what}");
            is_repaired = !is_torn;
            file.set_len(position).map_err(failed("cut the end off"))?;
            break;
        }
        Ok(Recovered { index, bytes: position, is_repaired })
    }
}

/// Why bytes are no batch, and whether they may be the beginning of one.
struct Fault {
    reason: &'static str,
    is_torn: bool,
}

impl Fault {
    fn damage(reason: &'static str) -> Self {
        Self { reason, is_torn: false }
    }
}

/// Reads one batch through its end and verifies it. The inner error says why it is not the one at this offset.
fn read_batch(reader: &mut impl BufRead, offset: i64) -> io::Result<Result<BatchHeader, Fault>> {
    let mut head = Vec::with_capacity(HEADER_BYTES);
    reader.take(HEADER_BYTES as u64).read_to_end(&mut head)?;
    let Some(head) = head.first_chunk::<HEADER_BYTES>() else {
        let is_torn = head.iter().zip(offset.to_be_bytes()).all(|(byte, expected)| *byte == expected);
        return Ok(Err(Fault { reason: "the header is cut off", is_torn }));
    };
    let Some(header) = BatchHeader::parse(head).filter(BatchHeader::is_consistent) else {
        return Ok(Err(Fault::damage("no header of a record batch")));
    };
    if header.base_offset != offset {
        return Ok(Err(Fault::damage("the batch does not start at the offset that follows the one before")));
    }
    let mut crc = crc32c::crc32c(&head[CRC_FROM..]);
    let mut body = reader.take(header.batch_bytes - HEADER_BYTES as u64);
    loop {
        let bytes = body.fill_buf()?;
        if bytes.is_empty() {
            break;
        }
        crc = crc32c::crc32c_append(crc, bytes);
        let length = bytes.len();
        body.consume(length);
    }
    Ok(match body.limit() {
        0 if crc == header.crc => Ok(header),
        0 => Err(Fault::damage("the CRC-32C does not match")),
        _ => Err(Fault { reason: "the batch is cut off", is_torn: true }),
    })
}

/// Whether a batch that verifies, and could be a later one of this log, starts at any byte position
/// from `from` on. Checks every byte, because the bad batch's length field may be what is broken.
fn good_batch_behind(file: &File, from: u64, end: u64, after: i64) -> io::Result<bool> {
    let mut window = vec![0; READ_BYTES];
    let mut at = from;
    while at + HEADER_BYTES as u64 <= end {
        let length = usize::try_from(end - at).unwrap_or(usize::MAX).min(READ_BYTES);
        file.read_exact_at(&mut window[..length], at)?;
        for (i, bytes) in window[..length].windows(HEADER_BYTES).enumerate() {
            let Some(head) = bytes.first_chunk() else { continue };
            let plausible = BatchHeader::parse(head).filter(|header| {
                header.is_consistent()
                    && header.base_offset > after
                    && header.batch_bytes <= end - at - i as u64
            });
            if let Some(header) = plausible {
                let start = At { file, position: at + i as u64 };
                if read_batch(&mut BufReader::new(start), header.base_offset)?.is_ok() {
                    return Ok(true);
                }
            }
        }
        at += (length - HEADER_BYTES + 1) as u64;
    }
    Ok(false)
}

/// Reads a file from a position on, without moving its cursor.
struct At<'a> {
    file: &'a File,
    position: u64,
}

impl Read for At<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(out, self.position)?;
        self.position += read as u64;
        Ok(read)
    }
}
