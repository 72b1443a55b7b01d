//! The check of the fuzz target on packets that are the same in every run. `fuzz/run` runs longer.

use std::collections::BTreeSet;
use std::fs;

use crate::common::mutate::check_mutations;

#[path = "../../fuzz/checks/mqtt_packets.rs"]
mod mqtt_packets;

#[test]
fn a_thousand_mutated_packets_disturb_nobody() {
    let pieces: &[&[u8]] = &[
        b"\0",
        b"\xff",
        b"\xff\xff\xff\x7f",
        b"\x80\x80\x80\x80\x01",
        b"\0\x06tweets",
        b"\x26\0\x01a\0\x01b",
        b"\xc0\0",
        b"\xe0\0",
        b"$",
        b"#",
    ];
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/seeds/mqtt_packets");
    // In the same order in every run.
    let files: BTreeSet<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    let seeds: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    check_mutations(&seeds, pieces, 1_000, mqtt_packets::check);
}
