//! Inputs that cannot be mapped directly, and files that change: read anyway, or a clear error,
//! never a crash.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use tweetblast::source::{Format, Opening, SourceError, Storage, TweetFile};

use crate::common::{in_own_process, is_own_process, needed, tweet, tweetblast, write};

const LINES: &[u8] = b"{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n";

/// Storage, framing and the frames of a file.
fn seen(path: &Path) -> (Storage, Format, Vec<String>) {
    let file = TweetFile::open(path).unwrap();
    let frames = file.frames().map(|frame| String::from_utf8(frame.bytes.to_vec()).unwrap()).collect();
    (file.storage(), file.framing(), frames)
}

fn three() -> Vec<String> {
    (1..=3).map(|id| format!("{{\"id\":{id}}}")).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn compressed_files_are_known_by_their_bytes_and_may_have_several_parts() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tweets.json");
    let (first, second) = LINES.split_at(12);

    fs::write(&path, [gzip(first), gzip(second)].concat()).unwrap();
    assert_eq!(seen(&path), (Storage::Gzip, Format::Lines, three()));

    let zstd = |bytes| zstd::encode_all(bytes, 3).unwrap();
    fs::write(&path, [zstd(first), zstd(second)].concat()).unwrap();
    assert_eq!(seen(&path), (Storage::Zstd, Format::Lines, three()));

    fs::write(&path, LINES).unwrap();
    assert_eq!(seen(&path), (Storage::Mapped, Format::Lines, three()));
}

#[test]
fn compressed_data_that_ends_too_early_is_copied_as_far_as_it_goes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tweets.json.gz");
    let text: Vec<u8> =
        (0..100_000u32).flat_map(|n| format!("{{\"id\":{}}}\n", n ^ 0x5a5a).into_bytes()).collect();
    for whole in [gzip(&text), zstd::encode_all(&text[..], 3).unwrap()] {
        fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        let file = TweetFile::open(&path).unwrap();
        assert!(text.starts_with(file.bytes()) && file.size() < text.len() as u64);
        assert!(matches!(file.cut(), Some(SourceError::Cut { unpacked, .. }) if unpacked == file.size()));
        // Too little to say more.
        fs::write(&path, &whole[..6]).unwrap();
        let error = TweetFile::open(&path).unwrap_err().to_string();
        assert!(error.contains("-dc ") && error.contains("tweets.json.gz | tweetblast -`"), "{error}");
    }
    fs::write(&path, gzip(b"")).unwrap();
    assert!(matches!(TweetFile::open(&path), Err(SourceError::Empty { .. })));
}

#[test]
fn a_pipe_is_copied_until_it_ends() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let writer = {
        let path = path.clone();
        std::thread::spawn(move || {
            let mut pipe = OpenOptions::new().write(true).open(path).unwrap();
            for byte in LINES {
                pipe.write_all(&[*byte]).unwrap();
            }
        })
    };
    assert_eq!(seen(&path), (Storage::Copied, Format::Lines, three()));
    writer.join().unwrap();
}

#[test]
fn devices_and_files_of_the_kernel_are_copied() {
    assert!(matches!(TweetFile::open(Path::new("/dev/null")), Err(SourceError::Empty { .. })));
    let status =
        TweetFile::open_with(Path::new("/proc/self/status"), &Opening::whole(Some(Format::Lines))).unwrap();
    assert_eq!(status.storage(), Storage::Copied);
    assert!(status.frames().count() > 10);
}

#[test]
fn folders_missing_files_and_text_are_errors() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(TweetFile::open(dir.path()), Err(SourceError::Directory { .. })));
    assert!(matches!(TweetFile::open(&dir.path().join("no")), Err(SourceError::Open { .. })));
    let path = dir.path().join("table.csv");
    fs::write(&path, "1,2020-01-01,a\n2,2020-01-02,b\n").unwrap();
    let error = TweetFile::open(&path).unwrap_err().to_string();
    assert!(
        error.contains("a table without a header") && error.contains("table.csv) | tweetblast -"),
        "{error}"
    );
}

#[test]
fn a_file_that_shrinks_while_it_is_read_ends_with_its_name_and_code_1() {
    if is_own_process() {
        let path = needed("FILE");
        let file = TweetFile::open(Path::new(&path)).unwrap();
        // A file that is gone must not be mistaken for the one being read.
        drop(TweetFile::open(Path::new(&path)).unwrap());
        OpenOptions::new().write(true).open(&path).unwrap().set_len(10).unwrap();
        panic!("{} frames were read from nothing", file.frames().count());
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("shrinking.json");
    fs::write(&path, LINES.repeat(100_000)).unwrap();
    let me = concat!(module_path!(), "::a_file_that_shrinks_while_it_is_read_ends_with_its_name_and_code_1");
    let output = in_own_process(me, |command| {
        command.env("FILE", &path);
    });
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("shrinking.json was shortened by another program"), "{stderr}");
}

#[test]
fn standard_input_is_mapped_where_it_is_a_file_and_copied_where_it_is_a_pipe() {
    if is_own_process() {
        let (storage, _, frames) = seen(Path::new("-"));
        assert_eq!((format!("{storage:?}"), frames), (needed("STORAGE"), three()));
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("in.json");
    fs::write(&path, LINES).unwrap();
    let me = concat!(
        module_path!(),
        "::standard_input_is_mapped_where_it_is_a_file_and_copied_where_it_is_a_pipe"
    );
    let file = (Stdio::from(File::open(&path).unwrap()), Storage::Mapped);
    for (stdin, storage) in [file, (Stdio::from(piped(LINES)), Storage::Copied)] {
        let folder = tempfile::tempdir().unwrap();
        let output = in_own_process(me, |command| {
            command.stdin(stdin).env("STORAGE", format!("{storage:?}")).env("TMPDIR", folder.path());
        });
        assert!(output.status.success(), "{}", String::from_utf8(output.stdout).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "a copy is left behind");
    }
}

#[test]
fn a_temporary_folder_that_cannot_take_the_copy_is_named() {
    if is_own_process() {
        let error = TweetFile::open(Path::new("-")).unwrap_err().to_string();
        assert!(error.contains("temporary file in /proc/no-room") && error.contains("TMPDIR"), "{error}");
        return;
    }
    let me = concat!(module_path!(), "::a_temporary_folder_that_cannot_take_the_copy_is_named");
    let output = in_own_process(me, |command| {
        command.stdin(piped(LINES)).env("TMPDIR", "/proc/no-room");
    });
    assert!(output.status.success(), "{}", String::from_utf8(output.stdout).unwrap());
}

/// A pipe with these bytes in it, closed after them.
fn piped(bytes: &[u8]) -> std::io::PipeReader {
    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(bytes).unwrap();
    reader
}

#[test]
fn what_is_piped_in_is_read_where_no_file_is_named_and_a_pipe_that_stays_empty_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let two = format!("{}\n{}\n", tweet(1, 1, 0, "a"), tweet(2, 1, 1, "b"));
    let (one, two) =
        (write(dir.path(), "tweets.json", tweet(3, 1, 0, "c")), write(dir.path(), "two.json", two));
    let tweets = |stdin: Stdio, piped: &[u8]| {
        let mut child = tweetblast()
            .args(["inspect", "--json", "-"])
            .current_dir(dir.path())
            .stdin(stdin)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        if let Some(mut pipe) = child.stdin.take() {
            pipe.write_all(piped).unwrap();
        }
        let output = child.wait_with_output().unwrap();
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        report["tweets"].as_u64().unwrap()
    };
    assert_eq!(tweets(Stdio::piped(), &fs::read(&two).unwrap()), 2);
    assert_eq!(tweets(File::open(&two).unwrap().into(), b""), 2);
    assert_eq!(tweets(Stdio::piped(), b""), 1, "{one}");
    assert_eq!(tweets(Stdio::null(), b""), 1);
}
