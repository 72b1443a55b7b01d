//! The check of the fuzz target on requests that are the same in every run. `fuzz/run` runs longer.

use crate::common::mutate::check_mutations;

#[path = "../../fuzz/checks/kafka_requests.rs"]
mod kafka_requests;

/// A request of an API in a version, number 5, without a client id.
fn request(api: u8, version: u8, body: &[u8]) -> Vec<u8> {
    let request = [&[0, api, 0, version, 0, 0, 0, 5, 0xff, 0xff], body].concat();
    [&u32::try_from(request.len()).unwrap().to_be_bytes()[..], &request].concat()
}

#[test]
fn two_thousand_mutated_requests_disturb_nobody() {
    let seeds = [
        request(18, 0, b""),
        // Metadata for one topic, and for all.
        request(3, 4, b"\0\0\0\x01\0\x06tweets\x01"),
        request(3, 4, b"\xff\xff\xff\xff\0"),
        // ListOffsets, from the start.
        request(
            2,
            1,
            b"\xff\xff\xff\xff\0\0\0\x01\0\x06tweets\0\0\0\x01\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xfe",
        ),
        // FindCoordinator, ListGroups.
        request(10, 0, b"\0\x01g"),
        request(16, 0, b""),
        // Produce without a topic, InitProducerId.
        request(0, 3, b"\xff\xff\xff\xff\0\0\x03\xe8\0\0\0\0"),
        request(22, 0, b"\xff\xff\0\0\0\0"),
    ];
    let pieces: &[&[u8]] = &[
        b"\0",
        b"\xff",
        b"\x7f\xff\xff\xff",
        b"\xff\xff\xff\xff",
        b"\0\0\0\0",
        b"\0\0\0\x01",
        b"\0\x06tweets",
    ];
    check_mutations(&seeds, pieces, 2_000, kafka_requests::check);
}
