//! Any file, in its detected format and in every other one: frames lie within the file, in order,
//! and do not overlap.

use std::path::Path;

use tweetblast::source::{Format, Frames, detect};

const ALL: [Format; 6] =
    [Format::Lines, Format::Array, Format::Objects, Format::Pages, Format::PageLines, Format::Script];

pub fn check(file: &[u8]) {
    let found = detect(Path::new("fuzzed"), file).ok();
    for framing in ALL.into_iter().chain(found) {
        let mut end = 0;
        for frame in Frames::new(framing, file) {
            let start = usize::try_from(frame.offset).expect("below the length of the file");
            assert!(start >= end && !frame.bytes.is_empty(), "{framing:?} at {start}");
            end = start + frame.bytes.len();
            assert_eq!(&file[start..end], frame.bytes, "{framing:?} at {start}");
        }
    }
}
