//! Reads the times of a batch's records, compressed or not. The only code that looks into batches:
//! elsewhere they are not decoded.
//!
//! Reads as a stream, so a batch made to swell takes limited time and no extra memory.

use std::io::{self, BufRead, BufReader, Cursor, ErrorKind, Read};

use super::batch::{BatchHeader, HEADER_BYTES};

/// Decompressed bytes read at most. A batch of 32 MiB reaches this at a ratio of 32.
const DECOMPRESSED_BYTES_MAX: u64 = 1 << 30;
/// Longest block of snappy, which is not a stream. Clients use 32 KiB, or one block for the whole
/// batch.
const SNAPPY_BLOCK_BYTES_MAX: usize = 64 << 20;
/// Largest window of zstd, as a power of two: 32 MiB. Levels below "ultra" need 8 MiB.
const ZSTD_WINDOW_LOG_MAX: u32 = 25;
/// How snappy-java's format begins: magic, version, compatible version. Other clients write one
/// bare block.
const SNAPPY_JAVA_MAGIC: &[u8] = b"\x82SNAPPY\0";
const SNAPPY_JAVA_HEADER_BYTES: usize = 16;

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
    let body = batch.get(HEADER_BYTES..).unwrap_or_default();
    let records: Box<dyn Read> = match header.compression() {
        0 => Box::new(body),
        1 => Box::new(flate2::bufread::GzDecoder::new(body)),
        2 => Box::new(Snappy::new(body)),
        3 => Box::new(lz4_flex::frame::FrameDecoder::new(body)),
        _ => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(body)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
            Box::new(decoder)
        }
    };
    let mut records = BufReader::new(records.take(DECOMPRESSED_BYTES_MAX));
    for _ in 0..header.record_count {
        let (offset_delta, timestamp_delta) = read_record(&mut records)?;
        let timestamp_ms = header
            .base_timestamp_ms
            .checked_add(timestamp_delta)
            .ok_or_else(|| invalid("an impossible time"))?;
        if wanted(timestamp_ms) {
            return Ok(Some((offset_delta, timestamp_ms)));
        }
    }
    Ok(None)
}

/// Offset delta and timestamp delta of the next record.
fn read_record(records: &mut impl BufRead) -> io::Result<(i64, i64)> {
    let bytes = u64::try_from(varint(records)?).map_err(|_| invalid("a negative length"))?;
    let mut record = records.take(bytes);
    record.read_exact(&mut [0])?; // attributes: unused
    let timestamp_delta = varint(&mut record)?;
    let offset_delta = varint(&mut record)?;
    let rest = record.limit();
    if io::copy(&mut record, &mut io::sink())? < rest {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok((offset_delta, timestamp_delta))
}

/// A zigzag varint, at most 64 bits.
fn varint(bytes: &mut impl Read) -> io::Result<i64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let mut byte = [0];
        bytes.read_exact(&mut byte)?;
        value |= u64::from(byte[0] & 0x7f) << shift;
        if byte[0] & 0x80 == 0 {
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
mod tests {
    use std::io::Write;

    use super::super::batch::{
        check_produced,
        tests::{batch, seal},
    };
    use super::*;

    const TIMES: [i64; 3] = [5_000_000_000_000, 4_999_999_999_000, 5_000_000_000_500];

    /// A batch whose records are replaced by something else.
    fn with_body(batch: &[u8], compression: u8, body: &[u8]) -> Vec<u8> {
        let mut out = [&batch[..HEADER_BYTES], body].concat();
        let length = (out.len() - 12) as u32;
        out[8..12].copy_from_slice(&length.to_be_bytes());
        out[22] = compression;
        seal(&mut out);
        out
    }

    fn gzip(body: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    }

    fn snappy(body: &[u8], framed: bool) -> Vec<u8> {
        let block = |bytes: &[u8]| snap::raw::Encoder::new().compress_vec(bytes).unwrap();
        if !framed {
            return block(body);
        }
        let mut out = [SNAPPY_JAVA_MAGIC, b"\0\0\0\x01\0\0\0\x01"].concat();
        for part in body.chunks(7) {
            out.extend((block(part).len() as u32).to_be_bytes());
            out.extend(block(part));
        }
        out
    }

    fn lz4(body: &[u8]) -> Vec<u8> {
        let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    }

    fn all_forms(plain: &[u8]) -> Vec<Vec<u8>> {
        let body = &plain[HEADER_BYTES..];
        vec![
            plain.to_vec(),
            with_body(plain, 1, &gzip(body)),
            with_body(plain, 2, &snappy(body, false)),
            with_body(plain, 2, &snappy(body, true)),
            with_body(plain, 3, &lz4(body)),
            with_body(plain, 4, &zstd::encode_all(body, 3).unwrap()),
        ]
    }

    #[test]
    fn records_are_found_in_every_compression() {
        for (form, bytes) in all_forms(&batch(&TIMES, None)).iter().enumerate() {
            let header = check_produced(bytes).unwrap();
            let find = |ms: i64| find_record(&header, bytes, |at| at == ms).unwrap();
            for (delta, ms) in (0..).zip(TIMES) {
                assert_eq!(find(ms), Some((delta, ms)), "form {form}");
            }
            assert_eq!(find(7), None);
        }
    }

    #[test]
    fn nonsense_is_an_error() {
        let plain = batch(&TIMES, None);
        for (form, bytes) in all_forms(&plain).iter().enumerate() {
            let header = check_produced(bytes).unwrap();
            for length in HEADER_BYTES..bytes.len() - 9 {
                // The last bytes of some forms are a checksum of what came before.
                let found = find_record(&header, &bytes[..length], |_| false);
                assert!(found.is_err(), "form {form}, {length} of {}", bytes.len());
            }
            let _ = find_record(&header, &[&bytes[..HEADER_BYTES], &[0xff; 200]].concat(), |_| false)
                .unwrap_err();
        }
    }

    #[test]
    fn a_batch_made_to_swell_ends() {
        let plain = batch(&TIMES, None);
        let swollen = gzip(&vec![0xff; 200 << 20]);
        let bytes = with_body(&plain, 1, &swollen);
        let header = check_produced(&bytes).unwrap();
        assert!(find_record(&header, &bytes, |_| false).is_err());
        let mut huge = vec![0xff, 0xff, 0xff, 0xff, 0x0f]; // announces 4 GiB
        huge.extend([0; 100]);
        let bytes = with_body(&plain, 2, &huge);
        assert!(find_record(&check_produced(&bytes).unwrap(), &bytes, |_| false).is_err());
    }
}
