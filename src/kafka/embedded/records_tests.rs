//! Batches in every compression, whole, cut, made to swell, and contradicting themselves.

use std::io::Write;

use super::*;
use crate::kafka::embedded::batch::{
    check_produced,
    tests::{batch, seal},
};

const TIMES: [i64; 3] = [5_000_000_000_000, 4_999_999_999_000, 5_000_000_000_500];

/// A batch with its records replaced by something else.
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
            // The last bytes of some forms are a check of what was read before.
            let found = find_record(&header, &bytes[..length], |_| false);
            assert!(found.is_err(), "form {form}, {length} of {}", bytes.len());
        }
        let _ =
            find_record(&header, &[&bytes[..HEADER_BYTES], &[0xff; 200]].concat(), |_| false).unwrap_err();
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
        let record = LogRecord::parse(bytes).unwrap();
        assert_eq!(record.value, b"v");
        record.headers().map(|(key, value)| (key.to_vec(), value.to_vec())).collect::<Vec<_>>()
    };
    let both = [(b"run".to_vec(), b"r1".to_vec()), (b"seq".to_vec(), Vec::new())];
    assert_eq!(headers(record), both);
    assert_eq!(headers(&record[..record.len() - 1]), both[..1]);
    assert!(LogRecord::parse(&record[..3]).is_err());
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
