//! One record batch, format v2 (magic 2): reads its header, checks it, and rewrites the two header
//! fields that a broker owns. The records themselves pass through undecoded, compressed or not.
//!
//! The CRC-32C covers everything from `attributes` on, so base offset and leader epoch, which come
//! before it, can be rewritten without computing it again.
//! Layout: Kafka's protocol guide, "Record Batch"
//! (`clients/.../common/record/DefaultRecordBatch.java`).

use kafka_protocol::error::ResponseError;

/// Bytes of a batch before its first record.
pub(crate) const HEADER_BYTES: usize = 61;
/// Bytes of a batch that its own length field does not count: base offset and length.
const LENGTH_PREFIX_BYTES: u64 = 12;
/// Bytes rewritten by [`stamp`]: base offset, length, leader epoch.
pub(crate) const STAMPED_BYTES: usize = 16;
/// Where the part covered by the CRC begins.
pub(crate) const CRC_FROM: usize = 21;
/// Leader epoch of every batch: this broker has always been the only leader.
const LEADER_EPOCH: i32 = 0;

/// Attribute bits 0 to 2: compression.
const COMPRESSION_MASK: i16 = 0x07;
/// The last of them: zstd.
const COMPRESSION_MAX: i16 = 4;
/// Attribute bit 4: the batch belongs to a transaction.
const TRANSACTIONAL: i16 = 0x10;
/// Attribute bit 5: the batch holds control records, which only brokers write.
const CONTROL: i16 = 0x20;

/// The header fields that the endpoint uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BatchHeader {
    pub base_offset: i64,
    /// Length of the whole batch, header included.
    pub batch_bytes: u64,
    pub magic: u8,
    pub crc: u32,
    pub attributes: i16,
    pub last_offset_delta: i32,
    pub base_timestamp_ms: i64,
    pub max_timestamp_ms: i64,
    /// -1: not an idempotent producer.
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub base_sequence: i32,
    pub record_count: i32,
}

impl BatchHeader {
    /// Reads the fields; `None` when the length field cannot be that of a batch.
    pub fn parse(h: &[u8; HEADER_BYTES]) -> Option<Self> {
        let header = Self {
            base_offset: i64::from_be_bytes(part(h, 0)),
            batch_bytes: u64::try_from(i32::from_be_bytes(part(h, 8))).ok()? + LENGTH_PREFIX_BYTES,
            magic: h[16],
            crc: u32::from_be_bytes(part(h, 17)),
            attributes: i16::from_be_bytes(part(h, CRC_FROM)),
            last_offset_delta: i32::from_be_bytes(part(h, 23)),
            base_timestamp_ms: i64::from_be_bytes(part(h, 27)),
            max_timestamp_ms: i64::from_be_bytes(part(h, 35)),
            producer_id: i64::from_be_bytes(part(h, 43)),
            producer_epoch: i16::from_be_bytes(part(h, 51)),
            base_sequence: i32::from_be_bytes(part(h, 53)),
            record_count: i32::from_be_bytes(part(h, 57)),
        };
        (header.batch_bytes >= HEADER_BYTES as u64).then_some(header)
    }

    /// Offset of the last record, given the first one's.
    pub fn last_offset(&self, base_offset: i64) -> i64 {
        base_offset + i64::from(self.last_offset_delta)
    }

    /// How the records are compressed: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd.
    pub fn compression(&self) -> i16 {
        self.attributes & COMPRESSION_MASK
    }

    /// Whether magic, count and offsets are consistent; what Kafka checks besides the CRC.
    pub fn is_consistent(&self) -> bool {
        self.magic == 2
            && self.record_count > 0
            && self.last_offset_delta == self.record_count - 1
            && (self.producer_id < 0 || (self.base_sequence >= 0 && self.producer_epoch >= 0))
    }
}

/// Why a produced batch is refused: Kafka's error code, and a reason for the client's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub error: ResponseError,
    pub reason: &'static str,
}

impl Refusal {
    /// Another batch under the sequence numbers of one that is stored: never answered as if it were there.
    pub const OTHER_BATCH: Self = Self {
        error: ResponseError::OutOfOrderSequenceNumber,
        reason: "another batch with these sequence numbers of this producer is stored",
    };
    /// A batch of somebody else under the producer id of a replay in this process.
    pub const OTHER_PRODUCER: Self = Self {
        error: ResponseError::ClusterAuthorizationFailed,
        reason: "this producer id belongs to the replay",
    };

    pub fn new(error: ResponseError, reason: &'static str) -> Self {
        Self { error, reason }
    }
}

/// Checks what a producer sent for one partition: exactly one whole batch, of magic 2, with the
/// right CRC, not transactional. Whether its records read is for [`check_records`](super::records::check_records). The order of the checks, and their codes, are Kafka's
/// (`LogValidator`).
pub(crate) fn check_produced(records: &[u8]) -> Result<BatchHeader, Refusal> {
    let corrupt = |reason| Refusal::new(ResponseError::CorruptMessage, reason);
    let invalid = |reason| Refusal::new(ResponseError::InvalidRecord, reason);
    let header: &[u8; HEADER_BYTES] =
        records.first_chunk().ok_or(corrupt("shorter than the header of a record batch"))?;
    if header[16] != 2 {
        return Err(invalid("only record batches of magic 2 (Kafka 0.11 and later) are taken"));
    }
    let header = BatchHeader::parse(header).ok_or(corrupt("impossible length of a record batch"))?;
    match header.batch_bytes.cmp(&(records.len() as u64)) {
        std::cmp::Ordering::Greater => return Err(corrupt("the record batch is cut off")),
        std::cmp::Ordering::Less => {
            return Err(invalid("more than one record batch for one partition"));
        }
        std::cmp::Ordering::Equal => {}
    }
    if crc32c::crc32c(&records[CRC_FROM..]) != header.crc {
        return Err(corrupt("the record batch does not match its CRC-32C"));
    }
    if header.attributes & TRANSACTIONAL != 0 {
        return Err(Refusal::new(
            ResponseError::InvalidTxnState,
            "the embedded endpoint has no transactions; use a real Kafka cluster",
        ));
    }
    if header.compression() > COMPRESSION_MAX {
        return Err(invalid("unknown compression"));
    }
    if header.attributes & CONTROL != 0 || header.base_offset != 0 || !header.is_consistent() {
        return Err(invalid("the record batch's header contradicts itself"));
    }
    Ok(header)
}

/// The first bytes of a batch as stored: with its final base offset and leader epoch.
pub(crate) fn stamp(records: &[u8], base_offset: i64) -> [u8; STAMPED_BYTES] {
    let mut head = part(records, 0);
    head[..8].copy_from_slice(&base_offset.to_be_bytes());
    head[12..].copy_from_slice(&LEADER_EPOCH.to_be_bytes());
    head
}

/// `N` bytes at a position that the caller knows to exist.
fn part<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[at..at + N]);
    out
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An uncompressed batch of one-byte records with the given timestamps, as a producer sends it.
    pub(crate) fn batch(timestamps_ms: &[i64], producer: Option<(i64, i16, i32)>) -> Vec<u8> {
        let zigzag = |out: &mut Vec<u8>, n: i64| {
            let mut n = ((n << 1) ^ (n >> 63)) as u64;
            while n >= 0x80 {
                out.push(n as u8 | 0x80);
                n >>= 7;
            }
            out.push(n as u8);
        };
        let (id, epoch, sequence) = producer.unwrap_or((-1, -1, -1));
        let count = timestamps_ms.len() as i32;
        let mut body = Vec::new(); // from the attributes on
        body.extend(0i16.to_be_bytes());
        body.extend((count - 1).to_be_bytes());
        body.extend(timestamps_ms[0].to_be_bytes());
        body.extend(timestamps_ms.iter().max().unwrap().to_be_bytes());
        body.extend(id.to_be_bytes());
        body.extend(epoch.to_be_bytes());
        body.extend(sequence.to_be_bytes());
        body.extend(count.to_be_bytes());
        for (i, ms) in timestamps_ms.iter().enumerate() {
            let mut record = vec![0];
            zigzag(&mut record, ms - timestamps_ms[0]);
            zigzag(&mut record, i as i64);
            zigzag(&mut record, -1); // no key
            zigzag(&mut record, 1);
            record.push(b'x');
            zigzag(&mut record, 0); // no headers
            zigzag(&mut body, record.len() as i64);
            body.extend(record);
        }
        let mut out = Vec::new();
        out.extend(0i64.to_be_bytes());
        out.extend((body.len() as i32 + 9).to_be_bytes());
        out.extend((-1i32).to_be_bytes());
        out.push(2);
        out.extend(crc32c::crc32c(&body).to_be_bytes());
        out.extend(body);
        out
    }

    /// Sets the right CRC-32C on a batch whose bytes were changed.
    pub(crate) fn seal(batch: &mut [u8]) {
        let crc = crc32c::crc32c(&batch[CRC_FROM..]);
        batch[17..CRC_FROM].copy_from_slice(&crc.to_be_bytes());
    }

    #[test]
    fn a_good_batch_passes_and_its_fields_read() {
        let header = check_produced(&batch(&[1000, 1007, 1003], Some((7, 1, 42)))).unwrap();
        assert_eq!(header.record_count, 3);
        assert_eq!(header.last_offset(10), 12);
        assert_eq!(header.max_timestamp_ms, 1007);
        assert_eq!((header.producer_id, header.producer_epoch, header.base_sequence), (7, 1, 42));
        assert_eq!(header.compression(), 0);
    }

    #[test]
    fn each_fault_has_kafkas_code() {
        let code = |bytes: &[u8]| check_produced(bytes).unwrap_err().error;
        let good = batch(&[1, 2], None);
        assert_eq!(code(&[]), ResponseError::CorruptMessage);
        assert_eq!(code(&good[..good.len() - 1]), ResponseError::CorruptMessage);
        assert_eq!(code(&[good.clone(), good.clone()].concat()), ResponseError::InvalidRecord);
        for at in CRC_FROM..good.len() {
            let mut flipped = good.clone();
            flipped[at] ^= 0x40;
            assert_eq!(code(&flipped), ResponseError::CorruptMessage, "byte {at}");
        }
        let mut changed = good.clone();
        changed[16] = 1;
        assert_eq!(code(&changed), ResponseError::InvalidRecord);
        let mut changed = good.clone();
        changed[22] |= TRANSACTIONAL as u8;
        seal(&mut changed);
        assert_eq!(code(&changed), ResponseError::InvalidTxnState);
        let mut changed = good.clone();
        changed[60] = 9; // record count
        seal(&mut changed);
        assert_eq!(code(&changed), ResponseError::InvalidRecord);
        let mut changed = good;
        changed[8..12].copy_from_slice(&(-1i32).to_be_bytes());
        assert_eq!(code(&changed), ResponseError::CorruptMessage);
    }

    #[test]
    fn stamping_changes_only_offset_and_epoch() {
        let good = batch(&[1, 2], None);
        let mut stored = good.clone();
        stored[..STAMPED_BYTES].copy_from_slice(&stamp(&good, 77));
        let header = BatchHeader::parse(stored.first_chunk().unwrap()).unwrap();
        assert_eq!(header.base_offset, 77);
        assert_eq!(stored[12..16], [0; 4]);
        assert_eq!(stored[16..], good[16..]);
        assert_eq!(stored[8..12], good[8..12]);
    }
}
