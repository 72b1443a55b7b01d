//! The check of the fuzz target on packets that are the same in every run. `fuzz/run` runs longer.

use crate::common::mutate::check_mutations;

#[path = "../../fuzz/checks/mqtt_packets.rs"]
mod mqtt_packets;

#[test]
fn a_thousand_mutated_packets_disturb_nobody() {
    // The first byte says which CONNECT goes before: of 3.1.1, of 5, or none.
    let seeds: [&[u8]; 9] = [
        b"\x00\x30\x08\0\x06tweets\x82\x0b\0\x01\0\x06tweets\x01\xc0\0",
        b"\x01\x82\x0c\0\x02\x02\x0b\x07\0\x03a/#\x2d\xa2\x08\0\x03\0\0\x03a/#",
        b"\x01\x32\x14\0\x03a/b\0\x05\x08\x02\0\0\0\x09\x23\0\x02hello",
        b"\x00\x34\x09\0\x03a/b\0\x06hi\x62\x02\0\x06\x70\x02\0\x06\x50\x02\0\x06\x40\x02\0\x06",
        b"\x01\x62\x0b\0\x06\0\x07\x26\0\x01a\0\x01b\x31\x08\0\x03a/b\0hi",
        b"\x00\x82\x10\0\x01\0\x01#\x02\0\x06$SYS/#\0\xe0\0",
        b"\x01\x82\x11\0\x01\0\0\x0b$share/g/a/\0\xe0\x01\x04",
        b"\x02\x10\x1c\0\x04MQTT\x04\x2e\0\0\0\x01w\0\x06tweets\0\x04gone\xe0\0",
        b"\x02\x10\x29\0\x04MQTT\x05\x06\0\x3c\x0b\x11\0\0\0\x09\x21\0\x05\x22\0\x02\0\x01v\x05\x18\0\0\0\x05\0\x01t\0\x03bye",
    ];
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
    let seeds = seeds.map(<[u8]>::to_vec);
    check_mutations(&seeds, pieces, 1_000, mqtt_packets::check);
}
