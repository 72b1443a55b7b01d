//! Any bytes as a file by name: compressed, an archive, or neither. It is read to its end, also as it comes, or
//! refused; frames lie within what was unpacked.

use std::io::Write;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tweetblast::source::{LiveStep, Opening, TweetFile};

/// A few bytes may unpack to any number.
const MOST_BYTES: u64 = 4 << 20;

pub fn check(bytes: &[u8]) {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(bytes).expect("a temporary file can be written");
    let stop = AtomicBool::new(false);
    let whole = Opening { spool_limit: Some(MOST_BYTES), stop: &stop, ..Opening::whole(None) };
    if let Ok(file) = TweetFile::open_with(file.path(), &whole) {
        let mut end = 0;
        for frame in file.frames() {
            assert!(frame.offset >= end && !frame.bytes.is_empty(), "at {}", frame.offset);
            end = frame.offset + frame.bytes.len() as u64;
            assert!(end <= file.size());
        }
    }
    let live = Opening { streams: true, max_record_bytes: 1 << 20, ..whole };
    if let Ok(file) = TweetFile::open_with(file.path(), &live)
        && let Some(mut reader) = file.live()
    {
        let mut end = 0;
        while let Ok(step) = reader.step(Duration::from_secs(60)) {
            match step {
                LiveStep::Frame => {}
                LiveStep::Nothing => panic!("no end within a minute"),
                LiveStep::End => break,
            }
            let frame = reader.frame();
            assert!(frame.offset >= end && !frame.bytes.is_empty(), "at {}", frame.offset);
            end = frame.offset + frame.bytes.len() as u64;
            if end > MOST_BYTES {
                break;
            }
        }
    }
}
