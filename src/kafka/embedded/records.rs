//! Looks into a record batch, compressed or not: for the times of its records, whether they read at all, and for what
//! the run's own reader wants of them. Elsewhere batches pass through undecoded.
//!
//! Reads as a stream, so a batch made to swell takes limited time and no extra memory.

use std::io::{self, BufRead, BufReader, Cursor, ErrorKind, Read};

use super::batch::{BatchHeader, HEADER_BYTES};

/// Decompressed bytes read at most. A batch of 32 MiB reaches this at a ratio of 32.
const DECOMPRESSED_BYTES_MAX: u64 = 1 << 30;
/// Longest record whose value is looked at: far above the largest that a replay sends.
const RECORD_BYTES_MAX: usize = 64 << 20;
/// Longest block of snappy, which does not come as a stream. Clients use 32 KiB, or make one block of
/// the whole batch.
const SNAPPY_BLOCK_BYTES_MAX: usize = 64 << 20;
/// Largest window of zstd, as a power of two: 32 MiB. Levels below "ultra" need 8 MiB.
const ZSTD_WINDOW_LOG_MAX: u32 = 25;
/// How snappy-java's format begins: magic, version, compatible version. Other clients write one
/// bare block.
const SNAPPY_JAVA_MAGIC: &[u8] = b"\x82SNAPPY\0";
const SNAPPY_JAVA_HEADER_BYTES: usize = 16;

/// What a record says of itself.
struct RecordHead {
    timestamp_delta: i64,
    offset_delta: i64,
}

/// The first record for which `wanted(timestamp)` holds, as (offset delta, timestamp in ms).
///
/// # Errors
/// When the records cannot be read: the CRC was right, but the producer wrote nonsense, or more
/// than the limit.
pub(crate) fn find_record(
    header: &BatchHeader,
    batch: &[u8],
    wanted: impl Fn(i64) -> bool,
) -> io::Result<Option<(i64, i64)>> {
    let mut records = unpack(header, batch)?;
    for _ in 0..header.record_count {
        let record = skim(&mut records)?;
        let timestamp_ms = header
            .base_timestamp_ms
            .checked_add(record.timestamp_delta)
            .ok_or_else(|| invalid("an impossible time"))?;
        if wanted(timestamp_ms) {
            return Ok(Some((record.offset_delta, timestamp_ms)));
        }
    }
    Ok(None)
}

/// Reads every record to its end: there are as many as the header says, numbered without a gap, and nothing behind
/// them. A batch that no client can read would block all later ones forever.
///
/// # Errors
/// When that is not so.
pub(crate) fn check_records(header: &BatchHeader, batch: &[u8]) -> io::Result<()> {
    let mut records = unpack(header, batch)?;
    for number in 0..i64::from(header.record_count) {
        if skim(&mut records)?.offset_delta != number {
            return Err(invalid("an offset out of line"));
        }
    }
    match records.fill_buf()?.is_empty() {
        true => Ok(()),
        false => Err(invalid("more than its records")),
    }
}

/// Shows each record to `take`.
///
/// # Errors
/// When the records do not read.
pub(crate) fn for_each_record(
    header: &BatchHeader,
    batch: &[u8],
    mut take: impl FnMut(LogRecord<'_>),
) -> io::Result<()> {
    let (mut records, mut apart) = (unpack(header, batch)?, Vec::new());
    for _ in 0..header.record_count {
        let bytes = length(&mut records)?;
        let buffered = records.fill_buf()?;
        if let Some(record) = buffered.get(..bytes) {
            take(LogRecord::parse(record)?);
            records.consume(bytes);
            continue;
        }
        if bytes > RECORD_BYTES_MAX {
            return Err(invalid("a too long record"));
        }
        apart.clear();
        if records.by_ref().take(bytes as u64).read_to_end(&mut apart)? < bytes {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        take(LogRecord::parse(&apart)?);
    }
    Ok(())
}

/// The part of a record that the run's own reader wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LogRecord<'a> {
    pub value: &'a [u8],
    header_count: u64,
    headers: &'a [u8],
}

impl<'a> LogRecord<'a> {
    fn parse(mut record: &'a [u8]) -> io::Result<Self> {
        let rest = &mut record;
        part(rest, 1)?; // attributes: unused
        varint(rest)?;
        varint(rest)?;
        optional(rest)?; // key
        let value = optional(rest)?.unwrap_or_default();
        let header_count = u64::try_from(varint(rest)?).map_err(|_| invalid("a negative count"))?;
        Ok(Self { value, header_count, headers: record })
    }

    /// Name and value of each header, up to the first that does not read.
    pub fn headers(self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let (mut left, mut rest) = (self.header_count, self.headers);
        std::iter::from_fn(move || {
            left = left.checked_sub(1)?;
            let key = optional(&mut rest).ok()??;
            Some((key, optional(&mut rest).ok()?.unwrap_or_default()))
        })
    }
}

/// Bytes with their length before them; a negative one says that there are none.
fn optional<'a>(rest: &mut &'a [u8]) -> io::Result<Option<&'a [u8]>> {
    match usize::try_from(varint(rest)?) {
        Ok(bytes) => part(rest, bytes).map(Some),
        Err(_) => Ok(None),
    }
}

fn part<'a>(rest: &mut &'a [u8], bytes: usize) -> io::Result<&'a [u8]> {
    let (part, behind) = rest.split_at_checked(bytes).ok_or(ErrorKind::UnexpectedEof)?;
    *rest = behind;
    Ok(part)
}

/// The records behind the decompression.
fn unpack<'a>(header: &BatchHeader, batch: &'a [u8]) -> io::Result<Box<dyn BufRead + 'a>> {
    let body = batch.get(HEADER_BYTES..).unwrap_or_default();
    Ok(match header.compression() {
        0 => Box::new(body),
        1 => buffered(flate2::bufread::GzDecoder::new(body)),
        2 => buffered(Snappy::new(body)),
        3 => Box::new(lz4_flex::frame::FrameDecoder::new(body).take(DECOMPRESSED_BYTES_MAX)),
        _ => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(body)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
            buffered(decoder)
        }
    })
}

fn buffered<'a>(decoder: impl Read + 'a) -> Box<dyn BufRead + 'a> {
    Box::new(BufReader::new(decoder.take(DECOMPRESSED_BYTES_MAX)))
}

/// Reads over a record, whose parts must fill it.
fn skim(records: &mut impl BufRead) -> io::Result<RecordHead> {
    let bytes = length(records)?;
    let mut record = records.take(bytes as u64);
    record.read_exact(&mut [0])?; // attributes: unused
    let (timestamp_delta, offset_delta) = (varint(&mut record)?, varint(&mut record)?);
    for _ in ["key", "value"] {
        skip_optional(&mut record)?;
    }
    for _ in 0..length(&mut record)? {
        let key_bytes = length(&mut record)?;
        skip(&mut record, key_bytes as u64)?;
        skip_optional(&mut record)?;
    }
    match record.limit() {
        0 => Ok(RecordHead { timestamp_delta, offset_delta }),
        _ => Err(invalid("more in a record than its parts")),
    }
}

fn skip_optional(record: &mut impl BufRead) -> io::Result<()> {
    // A negative length says that there is none.
    let bytes = varint(record)?;
    skip(record, u64::try_from(bytes).unwrap_or(0))
}

fn skip(record: &mut impl BufRead, mut bytes: u64) -> io::Result<()> {
    while bytes > 0 {
        let buffered = record.fill_buf()?.len() as u64;
        if buffered == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let step = buffered.min(bytes);
        record.consume(step as usize);
        bytes -= step;
    }
    Ok(())
}

/// A length or a count: not negative.
fn length(bytes: &mut impl BufRead) -> io::Result<usize> {
    usize::try_from(varint(bytes)?).map_err(|_| invalid("a negative length"))
}

/// A zigzag varint, at most 64 bits.
fn varint(bytes: &mut impl BufRead) -> io::Result<i64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.fill_buf()?.first().ok_or(ErrorKind::UnexpectedEof)?;
        bytes.consume(1);
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok((value >> 1) as i64 ^ -((value & 1) as i64));
        }
    }
    Err(invalid("a number of more than ten bytes"))
}

fn invalid(reason: &'static str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, reason)
}

/// Snappy in both of its forms: blocks preceded by their lengths, or one bare block.
struct Snappy<'a> {
    rest: &'a [u8],
    framed: bool,
    block: Cursor<Vec<u8>>,
}

impl<'a> Snappy<'a> {
    fn new(body: &'a [u8]) -> Self {
        let framed = body.starts_with(SNAPPY_JAVA_MAGIC);
        let rest = if framed { body.get(SNAPPY_JAVA_HEADER_BYTES..).unwrap_or_default() } else { body };
        Self { rest, framed, block: Cursor::default() }
    }

    fn next_block(&mut self) -> io::Result<()> {
        let mut block = self.rest;
        self.rest = &[];
        if self.framed {
            let (length, behind) = block.split_first_chunk().ok_or(ErrorKind::UnexpectedEof)?;
            let length = u32::from_be_bytes(*length) as usize;
            let (this, rest) = behind.split_at_checked(length).ok_or(ErrorKind::UnexpectedEof)?;
            (block, self.rest) = (this, rest);
        }
        if snap::raw::decompress_len(block)? > SNAPPY_BLOCK_BYTES_MAX {
            return Err(invalid("a too long block"));
        }
        self.block = Cursor::new(snap::raw::Decoder::new().decompress_vec(block)?);
        Ok(())
    }
}

impl Read for Snappy<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.block.read(out)?;
            if read > 0 || self.rest.is_empty() || out.is_empty() {
                return Ok(read);
            }
            self.next_block()?;
        }
    }
}

#[cfg(test)]
#[path = "records_tests.rs"]
mod tests;
