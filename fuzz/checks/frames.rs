//! Any file, in its detected format and in every other one: frames lie within the file, in order,
//! and do not overlap.

use std::path::Path;

use tweetblast::source::{Format, Frames, detect};

pub fn check(file: &[u8]) {
    let found = detect(Path::new("fuzzed"), file).ok();
    for framing in Format::ALL.into_iter().chain(found) {
        let mut end = 0;
        for frame in Frames::new(framing, file) {
            let start = usize::try_from(frame.offset).expect("below the length of the file");
            assert!(start >= end && !frame.bytes.is_empty(), "{framing:?} at {start}");
            end = start + frame.bytes.len();
            assert_eq!(&file[start..end], frame.bytes, "{framing:?} at {start}");
        }
    }
}
