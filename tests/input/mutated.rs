//! The checks of the fuzz targets on inputs that are the same in every run. `fuzz/run` runs longer.

use crate::common::mutate::{check_mutations, fixtures};
use crate::containers::{gzip, stream_archive, zstd};

#[path = "../../fuzz/checks/containers.rs"]
mod containers;
#[path = "../../fuzz/checks/frames.rs"]
mod frames;
#[path = "../../fuzz/checks/records.rs"]
mod records;
#[path = "../../fuzz/checks/tables.rs"]
mod tables;
#[path = "../../fuzz/checks/times.rs"]
mod times;

/// Building blocks of JSON and the forms of tweets.
const PIECES: &[&[u8]] = &[
    b"\"",
    b"\\",
    b"\\u0000",
    b"\\ud83d",
    b"\\ude00",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\n",
    b"\r\n",
    b"\0",
    b"null",
    b"true",
    b"-1",
    b"9223372036854775808",
    b"1e400",
    b"\xef\xbb\xbf",
    b"\xff",
    b"\xf0\x9f\x98\x80",
    b"\"id\":",
    b"\"id_str\":\"",
    b"\"text\":",
    b"\"full_text\":",
    b"\"extended_tweet\":{",
    b"\"created_at\":\"",
    b"\"user\":{",
    b"\"users\":[",
    b"\"includes\":{",
    b"\"data\":[",
    b"\"tweets\":[",
    b"\"statuses\":[",
    b"\"entities\":{\"hashtags\":[",
    b"\"delete\":{",
    b"\"limit\":{",
    b"window.YTD.tweets.part0 = [",
];

const TIMES: &[&str] = &[
    "Wed Oct 10 20:19:24 +0000 2018",
    "Wed, 10 Oct 2018 20:19:24 +0000",
    "2018-10-10T20:19:24.000Z",
    "2018-10-10T20:19:24+05:30",
    "2018-10-10 20:19:24",
    "2018-10-10",
    "03/04/2020 10:00:00",
    "13.04.2020 1:00 p. m.",
    "2018-W41-3t20:19z",
    "20181010T201924.5-0330",
    "20181010201924",
    "2018年10月10日 下午8:19",
    "Wed Oct 10 2018 20:19:24 GMT+0200 (Central European Summer Time)",
    "2018-10-10T20:19:24[Europe/Berlin]",
    "2018-10-10 20:19:24 Turkey Standard Time",
    "/Date(1539202764000+0100)/",
    "3 de marzo de 2020",
    "10/10/2018 20:19",
    "1539202764",
    "1539202764.657",
    "1539202764657",
    "-1",
    "9999-12-31T23:59:59.999999999Z",
];

#[test]
fn frames_of_10_000_mutated_files_lie_in_the_file() {
    check_mutations(&fixtures(), PIECES, 10_000, frames::check);
}

const TABLES: [&[u8]; 4] = [
    b"id,time,text\n1,2020-01-01 10:00:00,\"two\nlines, \"\"quoted\"\"\"\n2,2020-01-01 10:00:01,x\n",
    b"\xef\xbb\xbfid;time;text\r\n1;1577872800;\"a; b\"\r\n\r\n2;1577872801;\r\n",
    b"host\ttime\tbytes\n198.51.100.1\t804571201\t007\t\t\n\"x\"\t804571202\t-1.50e3\n",
    b"a|b|b\n{\"x\":1}|\"open|3\n4|5|6\n",
];

#[test]
fn tables_of_1_000_mutations_are_the_same_in_pieces_and_each_row_is_an_object_or_says_why() {
    let tables: Vec<Vec<u8>> = TABLES.iter().map(|table| table.to_vec()).collect();
    let pieces: [&[u8]; 14] = [
        b"\"",
        b"\"\"",
        b",",
        b";",
        b"\t",
        b"|",
        b"\n",
        b"\r\n",
        b"\r",
        b"\0",
        b"\xff",
        b"{\"a\":1}",
        b"1e400",
        b" 7",
    ];
    check_mutations(&tables, &pieces, 1_000, tables::check);
}

/// Files in which there are others, and compressed ones with what may stand before and after.
fn containers() -> Vec<Vec<u8>> {
    let archive = stream_archive();
    let (packed, dense) = (gzip(&archive), zstd(&archive));
    let padded = [&packed[..], &[0; 100]].concat();
    let skippable = [b"\x50\x2a\x4d\x18\x04\0\0\0abcd", &dense[..]].concat();
    [fixtures(), vec![archive, packed, dense, padded, skippable]].concat()
}

/// Signatures, and what headers have in them.
const SIGNATURES: &[&[u8]] = &[
    b"\x1f\x8b\x08\0\0\0\0\0\0\x03",
    b"\x28\xb5\x2f\xfd",
    b"\x50\x2a\x4d\x18\x04\0\0\0abcd",
    b"BZh91AY&SY",
    b"PK\x03\x04",
    b"ustar\x0000",
    b"00000000144\0",
    b"\0\0\0\0\0\0\0\0",
    b"\xef\xbb\xbf",
    b"{\"id\":1}\n",
    b"\"{\\\"id\\\":1}\"\n",
];

#[test]
fn containers_of_2_000_mutations_are_read_to_their_end_or_refused() {
    check_mutations(&containers(), SIGNATURES, 2_000, containers::check);
}

/// The files, and each of their lines.
fn records() -> Vec<Vec<u8>> {
    let files = fixtures();
    let lines: Vec<Vec<u8>> = files
        .iter()
        .flat_map(|file| file.split(|byte| *byte == b'\n'))
        .filter(|line| line.len() > 2)
        .map(<[u8]>::to_vec)
        .collect();
    [files, lines].concat()
}

#[test]
fn records_of_20_000_mutations_are_read_alike_in_full_and_in_part() {
    check_mutations(&records(), PIECES, 20_000, records::check);
}

#[test]
fn times_of_100_000_mutations_are_read_or_refused() {
    let seeds: Vec<Vec<u8>> = TIMES.iter().map(|time| time.as_bytes().to_vec()).collect();
    let pieces: Vec<&[u8]> = ["0", "99", "-", "+", ":", " ", "T", "Z", ".", "é", "Feb", "2020", "\u{0}"]
        .map(str::as_bytes)
        .to_vec();
    check_mutations(&seeds, &pieces, 100_000, times::check);
}
