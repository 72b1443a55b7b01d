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
    mut take: impl FnMut(Record<'_>),
) -> io::Result<()> {
    let (mut records, mut apart) = (unpack(header, batch)?, Vec::new());
    for _ in 0..header.record_count {
        let bytes = length(&mut records)?;
        let buffered = records.fill_buf()?;
        if let Some(record) = buffered.get(..bytes) {
            take(Record::parse(record)?);
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
        take(Record::parse(&apart)?);
    }
    Ok(())
}

/// The part of a record that the run's own reader wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    pub value: &'a [u8],
    header_count: u64,
    headers: &'a [u8],
}

impl<'a> Record<'a> {
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
    fn every_record_is_shown_with_its_value() {
        for bytes in all_forms(&batch(&TIMES, None)) {
            let header = check_produced(&bytes).unwrap();
            check_records(&header, &bytes).unwrap();
            let mut values = Vec::new();
            for_each_record(&header, &bytes, |record| {
                assert_eq!(record.headers().count(), 0);
                values.push(record.value.to_vec());
            })
            .unwrap();
            assert_eq!(values, [b"x"; 3]);
        }
    }

    #[test]
    fn headers_are_read_as_far_as_they_go() {
        //            attributes, deltas, no key, value "v", 2 headers: "run" = "r1", "seq" without a value
        let record = b"\0\0\0\x01\x02v\x04\x06run\x04r1\x06seq\x01";
        let headers = |bytes: &[u8]| {
            let record = Record::parse(bytes).unwrap();
            assert_eq!(record.value, b"v");
            record.headers().map(|(key, value)| (key.to_vec(), value.to_vec())).collect::<Vec<_>>()
        };
        let both = [(b"run".to_vec(), b"r1".to_vec()), (b"seq".to_vec(), Vec::new())];
        assert_eq!(headers(record), both);
        assert_eq!(headers(&record[..record.len() - 1]), both[..1]);
        assert!(Record::parse(&record[..3]).is_err());
    }

    #[test]
    fn a_batch_whose_records_contradict_its_header_or_themselves_is_found() {
        let plain = batch(&TIMES, None);
        let body = &plain[HEADER_BYTES..];
        let record_bytes = body.len() / 3;
        let swap = |at: usize, byte: u8| {
            let mut body = body.to_vec();
            body[at] = byte;
            body
        };
        let good = body.to_vec();
        let bad: [Vec<u8>; 7] = [
            [body, b"x"].concat(),                  // something behind the last
            body[..2 * record_bytes].to_vec(),      // one record too few
            [body, &body[..record_bytes]].concat(), // one too many
            [&body[..record_bytes]; 3].concat(),    // each is number 0
            swap(0, body[0] + 2),                   // a record that says it is longer
            swap(record_bytes - 1, 2),              // a header that is not there
            vec![0xff; 40],
        ];
        for (number, body) in bad.iter().chain([&good]).enumerate() {
            let gz = with_body(&plain, 1, &gzip(body));
            for bytes in [with_body(&plain, 0, body), gz, with_body(&plain, 3, &lz4(body))] {
                let checked = check_records(&check_produced(&bytes).unwrap(), &bytes);
                assert_eq!(checked.is_ok(), *body == good, "body {number}");
            }
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
