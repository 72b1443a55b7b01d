//! Archives and compressed files, by name and on standard input: whole, cut, broken, and those that are refused.

use std::io::Write;

use crate::common::{FREE_PORTS, Finished, replay, run, run_piped, tweet, write};

const TWEETS: u64 = 12;

fn lines(first: u64, tweets: u64) -> Vec<u8> {
    (first..first + tweets).flat_map(|id| (tweet(id, 7, id, "a") + "\n").into_bytes()).collect()
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}

fn tar(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, &bytes[..]).unwrap();
    }
    archive.into_inner().unwrap()
}

/// As archives of the stream are: a file per minute, and what else is there.
pub fn stream_archive() -> Vec<u8> {
    let no_line_end = |bytes: Vec<u8>| bytes.trim_ascii_end().to_vec();
    tar(&[
        ("README.md", b"About it.\n".to_vec()),
        ("2020/01/01/00/00.json.gz", gzip(&no_line_end(lines(0, 3)))),
        ("2020/01/01/00/01.json.gz", [gzip(&lines(3, 2)), gzip(&lines(5, 1))].concat()),
        ("2020/01/01/00/02.json", lines(6, 3)),
        ("2020/01/01/00/03.json.zst", zstd(&lines(9, 3))),
        ("2020/01/01/00/04.json.gz", gzip(b"")),
        ("users.csv", b"id,name\n1,a\n".to_vec()),
        ("SHA256SUMS", b"0  a\n".to_vec()),
    ])
}

fn piped(bytes: &[u8], arguments: &[&str]) -> Finished {
    let dir = tempfile::tempdir().unwrap();
    run_piped(&write(dir.path(), "in", bytes), arguments)
}

#[test]
fn the_files_in_an_archive_are_read_one_after_another_unpacked() {
    let dir = tempfile::tempdir().unwrap();
    let archive = stream_archive();
    for bytes in
        [archive.clone(), gzip(&archive), zstd(&archive), [tar(&[("a", lines(0, 0))]), archive].concat()]
    {
        let file = write(dir.path(), "t.json", &bytes);
        let by_name = run(&["inspect", "--json", "-", &file]);
        let from_pipe = piped(&bytes, &["inspect", "--json", "-", "-"]);
        for finished in [by_name, from_pipe] {
            let found = finished.report();
            assert_eq!((&found["tweets"], &found["unparseable"]), (&TWEETS.into(), &0.into()), "{found}");
            for words in [
                "README.md (about the others)",
                "04.json.gz (empty)",
                "users.csv (a table (CSV): tar xOf ARCHIVE NAME | tweetblast - reads it)",
            ] {
                assert!(finished.stderr.contains(words), "{}", finished.stderr);
            }
        }
    }
    let stream = piped(
        &archive_of_arrays(),
        &[&["-", "--order", "file", "--speedup", "max", "--json", "-"], FREE_PORTS].concat(),
    );
    assert_eq!((stream.report()["ledger"]["delivered"].as_u64(), stream.code), (Some(TWEETS), 0));
}

fn archive_of_arrays() -> Vec<u8> {
    let array = |first, tweets| {
        let lines = String::from_utf8(lines(first, tweets)).unwrap();
        gzip(format!("[{}]", lines.lines().collect::<Vec<_>>().join(",")).as_bytes())
    };
    tar(&[("a.json.gz", array(0, 6)), ("b.json.gz", array(6, 6))])
}

#[test]
fn a_cut_gzip_is_replayed_as_far_as_it_goes_and_said_with_exit_code_3() {
    let dir = tempfile::tempdir().unwrap();
    let whole = lines(0, 4_000);
    let cut = |bytes: Vec<u8>| bytes[..bytes.len() / 2].to_vec();
    let in_archive = tar(&[("a.json.gz", cut(gzip(&whole))), ("b.json", lines(4_000, 1))]);
    for bytes in [cut(gzip(&whole)), cut(zstd(&whole)), cut(tar(&[("a.json", whole.clone())])), in_archive] {
        let file = write(dir.path(), "t.json.gz", &bytes);
        for order in [&["--order", "time"][..], &["--order", "file"]] {
            let (report, code) = replay(&file, &[&["--speedup", "max"][..], order].concat());
            assert_eq!((code, &report["verdict"]), (3, &"unknown".into()), "{report}");
            let delivered = report["ledger"]["delivered"].as_u64().unwrap();
            assert!((1_000..3_999).contains(&delivered), "{delivered}");
            let reason = report["reasons"][0].as_str().unwrap();
            assert!(reason.contains("t.json.gz was cut: its data ends too early"), "{reason}");
        }
        let inspected = run(&["inspect", &file]);
        assert!(inspected.code == 0 && inspected.stderr.contains("was cut"), "{}", inspected.stderr);
    }
}

#[test]
fn padding_after_gzip_is_silent_and_other_bytes_are_remarked_on() {
    let dir = tempfile::tempdir().unwrap();
    let whole = gzip(&lines(0, 5));
    for (after, is_said) in [
        (vec![0; 512], false),
        ([vec![0; 700_000], whole.clone()].concat(), false),
        (b"garbage".to_vec(), true),
        (b"\0\0\x1fgarbage".to_vec(), true),
        (b"\x1f\x8bgarbage, and more of it".to_vec(), true),
    ] {
        let file = write(dir.path(), "t.gz", [whole.clone(), after].concat());
        let finished = run(&["inspect", "--json", "-", &file]);
        assert!(finished.report()["tweets"].as_u64() >= Some(5), "{}", finished.stderr);
        assert_eq!(finished.stderr.contains("is not gzip"), is_said, "{}", finished.stderr);
    }
}

#[test]
fn what_is_packed_otherwise_is_refused_with_the_command_to_type() {
    let dir = tempfile::tempdir().unwrap();
    let stored_zip = [&b"PK\x03\x04\x14\0\0\0\0\0"[..], &lines(0, 3)].concat();
    let bzip2 = [&b"BZh91AY&SY"[..], &lines(0, 3)].concat();
    let xz = [&b"\xfd7zXZ\0"[..], &lines(0, 3)].concat();
    let tar_of_bzip2 = tar(&[("00.json.bz2", bzip2.clone())]);
    for (bytes, by_name, from_pipe) in [
        (
            &stored_zip,
            "unzip -p FILE | tweetblast -",
            "save it to a file first; unpack it on the way: unzip -p FILE",
        ),
        (&bzip2, "bzcat FILE | tweetblast -", "bzcat | tweetblast -"),
        (&xz, "xzcat FILE | tweetblast -", "xzcat | tweetblast -"),
        (&tar_of_bzip2, "tar xOf FILE | bzcat | tweetblast -", "tar xOf - | bzcat | tweetblast -"),
    ] {
        let file = write(dir.path(), "t.json", bytes);
        for arguments in [&["inspect", &file][..], &["inspect", "--format", "lines", &file]] {
            let refused = run(arguments);
            let words = by_name.replace("FILE", &file);
            assert!(refused.code == 1 && refused.stderr.contains(&words), "{}", refused.stderr);
        }
        let refused = piped(bytes, &["inspect", "-"]);
        assert!(refused.code == 1 && refused.stderr.contains(from_pipe), "{}", refused.stderr);
    }
}

#[test]
fn an_archive_without_tweets_and_a_broken_one_are_errors() {
    let dir = tempfile::tempdir().unwrap();
    let empty = write(dir.path(), "e.tar", tar(&[("README", b"x".to_vec())]));
    let refused = run(&["inspect", &empty]);
    assert!(
        refused.code == 1 && refused.stderr.contains("skipped README (about the others)"),
        "{}",
        refused.stderr
    );
    let mut broken = gzip(&lines(0, 4_000));
    let middle = broken.len() / 2;
    broken[middle..middle + 40].fill(0xFF);
    let refused = run(&["inspect", &write(dir.path(), "b.gz", broken)]);
    assert!(refused.code == 1 && refused.stderr.contains("gzip -dc "), "{}", refused.stderr);
}

#[test]
fn a_folder_skips_what_nobody_means_to_replay_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name| dir.path().join(name);
    write(dir.path(), "a.json", lines(0, 3));
    write(dir.path(), "b.json.gz", gzip(&lines(3, 3)));
    for (name, bytes) in [
        ("README", "text"),
        ("a.json.md5", "0  a.json"),
        (".DS_Store", "x"),
        ("empty.json", ""),
        ("labels.csv", "id,label\n1,a\n"),
    ] {
        write(dir.path(), name, bytes);
    }
    std::os::unix::fs::symlink(path("nowhere.json"), path("gone.json")).unwrap();
    std::fs::create_dir(path("sub")).unwrap();
    let folder = dir.path().to_str().unwrap();
    let finished = run(&["inspect", "--json", "-", folder]);
    assert_eq!(finished.report()["tweets"], 6, "{}", finished.stderr);
    for words in [
        "skipped .DS_Store (hidden), README (about the others), a.json.md5 (checksums)",
        "empty.json (empty), gone.json (a link to nothing), 2 more",
    ] {
        assert!(finished.stderr.contains(words), "{}", finished.stderr);
    }
    // What may have tweets is not skipped.
    write(dir.path(), "c.json.bz2", b"BZh91AY&SY");
    let refused = run(&["inspect", folder]);
    assert!(refused.code == 1 && refused.stderr.contains("bzcat"), "{}", refused.stderr);
}
