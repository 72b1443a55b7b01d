//! Reads the files of a partition's log when it is opened: verifies every batch, rebuilds the index
//! and the state of producers, and distinguishes a torn tail from damage.
//!
//! A torn tail is what a kill leaves in the middle of a write: the last batch of the last file does
//! not verify and no good one follows it. It was never acknowledged, so it is cut off, with a
//! warning. A batch that does not verify but is followed by good ones is damage to acknowledged
//! messages: the log is refused. (Kafka cuts in both cases. Here nothing may be lost silently.)

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::segment::IndexEntry;
use crate::kafka::embedded::batch::{BatchHeader, CRC_FROM, HEADER_BYTES};
use crate::kafka::embedded::error::EndpointError;
use crate::kafka::embedded::producers::Producers;

/// Bytes read at a time: large, so that small batches do not cost a system call each.
const READ_BYTES: usize = 1 << 20;

/// Verifies a whole file, and cuts off a torn tail if it is the last file of its log. Reads every
/// byte once, in constant memory. Returns the index, and how many bytes belong to the log.
pub(crate) fn recover(
    file: &File,
    path: &Path,
    base_offset: i64,
    is_last: bool,
    producers: &mut Producers,
) -> Result<(Vec<IndexEntry>, u64), EndpointError> {
    let failed = |action| move |source| EndpointError::Storage { action, path: path.to_owned(), source };
    let file_bytes = file.metadata().map_err(failed("read"))?.len();
    let (mut index, mut position, mut offset) = (Vec::new(), 0, base_offset);
    let mut reader = BufReader::with_capacity(READ_BYTES, file);
    while position < file_bytes {
        let reason = match read_batch(&mut reader).map_err(failed("read"))? {
            Ok(header) if header.base_offset == offset => {
                index.push(IndexEntry::new(&header, offset, position));
                producers.record(&header, offset);
                offset = header.last_offset(offset) + 1;
                position += header.batch_bytes;
                continue;
            }
            Ok(_) => "the batch does not start at the offset that follows the one before",
            Err(reason) => reason,
        };
        if !is_last || good_batch_behind(file, position + 1, file_bytes, offset).map_err(failed("read"))? {
            let (path, reason) = (path.to_owned(), reason.to_owned());
            return Err(EndpointError::DamagedLog { path, position, offset, reason });
        }
        tracing::warn!(
            path = %path.display(),
            position,
            offset,
            cut_bytes = file_bytes - position,
            reason,
            "Kafka endpoint: cut the torn tail off a log; it was never acknowledged"
        );
        file.set_len(position).map_err(failed("cut the torn tail off"))?;
        break;
    }
    index.shrink_to_fit();
    Ok((index, position))
}

/// Reads one whole batch and verifies it. The inner error says why it is not valid.
fn read_batch(reader: &mut impl BufRead) -> io::Result<Result<BatchHeader, &'static str>> {
    let mut head = [0; HEADER_BYTES];
    match reader.read_exact(&mut head) {
        Ok(()) => {}
        Err(e) if e.kind() == ErrorKind::UnexpectedEof => return Ok(Err("the header is cut off")),
        Err(e) => return Err(e),
    }
    let Some(header) = BatchHeader::parse(&head).filter(BatchHeader::is_consistent) else {
        return Ok(Err("no header of a record batch"));
    };
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
        0 => Err("the CRC-32C does not match"),
        _ => Err("the batch is cut off"),
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
            let plausible = BatchHeader::parse(head).is_some_and(|header| {
                header.is_consistent()
                    && header.base_offset > after
                    && header.batch_bytes <= end - at - i as u64
            });
            if plausible {
                let start = At { file, position: at + i as u64 };
                if read_batch(&mut BufReader::new(start))?.is_ok() {
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
