//! Finds the frames in bytes that come piece by piece: the frames that no later byte can change.

use std::ops::Range;

use memchr::memchr;

use super::junk::{FramePart, line_parts};
use super::pages::Opens;
use super::values::Position;
use super::{Format, Frame, Values};
use crate::scan::is_space;

/// Where a frame is in a buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FoundFrame {
    bytes: Range<usize>,
    includes: Range<usize>,
}

impl FoundFrame {
    pub fn start(&self) -> usize {
        self.bytes.start
    }

    /// The frame, in the buffer in which it was found; the buffer begins at `base` in the input.
    pub fn within(self, bytes: &[u8], base: u64) -> Frame<'_> {
        Frame {
            offset: base + self.bytes.start as u64,
            bytes: &bytes[self.bytes],
            includes: &bytes[self.includes],
        }
    }
}

/// Finds frames, and continues when more bytes have come.
#[derive(Debug, Clone)]
pub(super) struct Framer {
    framing: Format,
    has_begun: bool,
    /// In lines, the start of the next one; in values, the position inside the layout.
    at: Position,
    /// Bytes of an unfinished line that have already been searched for its end.
    searched: usize,
    /// The rest of the line is skipped: it was too long.
    skips_line: bool,
    /// What is left of a line of pages, the last part first.
    parts: Vec<LinePart>,
    /// The page that is being read, and the position in it.
    page: Option<(Range<usize>, Position)>,
}

/// A part of a line of pages.
#[derive(Debug, Clone)]
enum LinePart {
    Junk(Range<usize>),
    Page(Range<usize>),
}

impl LinePart {
    fn range(&mut self) -> &mut Range<usize> {
        let (LinePart::Junk(range) | LinePart::Page(range)) = self;
        range
    }
}

impl Framer {
    /// At the start of an input in this format.
    pub fn new(framing: Format) -> Self {
        let at = Position::default();
        Self { framing, has_begun: false, at, searched: 0, skips_line: false, parts: Vec::new(), page: None }
    }

    /// The next frame in `bytes`; `is_cut` says that more bytes will come. `None`: there is no frame
    /// until then.
    pub fn next(&mut self, bytes: &[u8], is_cut: bool) -> Option<FoundFrame> {
        if !self.has_begun {
            if is_cut && bytes.len() < 3 {
                return None;
            }
            self.has_begun = true;
            self.at = Position::start(bytes);
        }
        match self.framing {
            Format::Lines | Format::Table => self.line(bytes, is_cut),
            Format::PageLines => self.on_lines(bytes, is_cut),
            Format::Array | Format::Objects | Format::Script => self.value(bytes, Opens::Nothing, is_cut),
            Format::Pages => self.value(bytes, Opens::Pages, is_cut),
            Format::List => self.value(bytes, Opens::Lists, is_cut),
        }
    }

    /// The first byte that is still needed.
    pub fn keep_from(&self) -> usize {
        let parts = self.parts.iter().map(|(LinePart::Junk(part) | LinePart::Page(part))| part.start);
        let page = self.page.iter().map(|(page, _)| page.start);
        parts.chain(page).fold(self.at.keep_from(), usize::min)
    }

    /// Adjusts the positions after `by` bytes at the front were removed.
    pub fn shift(&mut self, by: usize) {
        self.at.shift(by);
        let page = self.page.iter_mut().map(|(page, _)| page);
        for part in self.parts.iter_mut().map(LinePart::range).chain(page) {
            *part = part.start - by..part.end - by;
        }
    }

    /// Returns the part of an unfinished line as a frame, and skips the rest of the line.
    pub fn cut_line(&mut self, bytes: &[u8]) -> Option<FoundFrame> {
        let line = self.at.next..bytes.len();
        (self.at.next, self.searched) = (bytes.len(), 0);
        self.skips_line = true;
        trimmed(bytes, line)
    }

    fn line(&mut self, bytes: &[u8], is_cut: bool) -> Option<FoundFrame> {
        loop {
            let start = self.at.next;
            let searched = start + self.searched;
            let end = match memchr(b'\n', &bytes[searched..]) {
                Some(length) => searched + length,
                None if is_cut => {
                    self.searched = bytes.len() - start;
                    return None;
                }
                None if start >= bytes.len() => return None,
                None => bytes.len(),
            };
            (self.at.next, self.searched) = ((end + 1).min(bytes.len()), 0);
            let was_skipped = std::mem::take(&mut self.skips_line);
            if let Some(frame) = trimmed(bytes, start..end).filter(|_| !was_skipped) {
                return Some(frame);
            }
        }
    }

    fn on_lines(&mut self, bytes: &[u8], is_cut: bool) -> Option<FoundFrame> {
        loop {
            if let Some((page, at)) = &mut self.page {
                let mut values = Values::resume(&bytes[page.clone()], 0, Opens::Pages, false, *at);
                if let Some(frame) = values.next() {
                    *at = values.position();
                    return Some(found(&bytes[page.clone()], frame, page.start));
                }
            }
            self.page = None;
            match self.parts.pop() {
                Some(LinePart::Junk(junk)) => return Some(FoundFrame { bytes: junk, includes: 0..0 }),
                Some(LinePart::Page(page)) => {
                    let at = Position::start(&bytes[page.clone()]);
                    self.page = Some((page, at));
                }
                None => {
                    let line = self.line(bytes, is_cut)?.bytes;
                    let frame = Frame { offset: line.start as u64, bytes: &bytes[line], includes: &[] };
                    self.parts = line_parts(frame).into_iter().rev().map(LinePart::from).collect();
                }
            }
        }
    }

    fn value(&mut self, bytes: &[u8], opens: Opens, is_cut: bool) -> Option<FoundFrame> {
        let mut values = Values::resume(bytes, 0, opens, is_cut, self.at);
        let frame = values.next();
        self.at = values.position();
        Some(found(bytes, frame?, 0))
    }
}

impl From<FramePart<'_>> for LinePart {
    fn from(part: FramePart<'_>) -> Self {
        let range = |frame: Frame<'_>| {
            let start = frame.offset as usize;
            start..start + frame.bytes.len()
        };
        match part {
            FramePart::Junk(junk) => LinePart::Junk(range(junk)),
            FramePart::Record(page) => LinePart::Page(range(page)),
        }
    }
}

/// Where `frame` is, given that it was found in `bytes`, which begin at `start`.
fn found(bytes: &[u8], frame: Frame<'_>, start: usize) -> FoundFrame {
    let at = start + frame.offset as usize;
    let includes = match frame.includes {
        [] => 0,
        includes => start + (includes.as_ptr() as usize - bytes.as_ptr() as usize),
    };
    FoundFrame { bytes: at..at + frame.bytes.len(), includes: includes..includes + frame.includes.len() }
}

/// A line without white space around it; `None`: nothing remains.
fn trimmed(bytes: &[u8], line: Range<usize>) -> Option<FoundFrame> {
    let first = line.start + bytes[line.clone()].iter().position(|byte| !is_space(*byte))?;
    let last = line.start + bytes[line].iter().rposition(|byte| !is_space(*byte))?;
    Some(FoundFrame { bytes: first..last + 1, includes: 0..0 })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Frames;
    use super::*;

    type Seen = (u64, Vec<u8>, Vec<u8>);

    fn seen(frame: Frame<'_>) -> Seen {
        (frame.offset, frame.bytes.to_vec(), frame.includes.to_vec())
    }

    /// The frames of `text` when it comes in pieces of these lengths.
    fn in_pieces(framing: Format, text: &[u8], lengths: &[usize]) -> Vec<Seen> {
        let (mut framer, mut buffer, mut base, mut frames) =
            (Framer::new(framing), Vec::new(), 0, Vec::new());
        let (mut rest, mut lengths) = (text, lengths.iter().cycle());
        loop {
            let is_cut = !rest.is_empty();
            while let Some(found) = framer.next(&buffer, is_cut) {
                frames.push(seen(found.within(&buffer, base)));
            }
            if !is_cut {
                return frames;
            }
            let done = framer.keep_from();
            buffer.drain(..done);
            framer.shift(done);
            base += done as u64;
            let (piece, later) = rest.split_at(rest.len().min(*lengths.next().unwrap()));
            buffer.extend_from_slice(piece);
            rest = later;
        }
    }

    fn value() -> impl Strategy<Value = String> {
        prop_oneof![
            6 => (0u32..999).prop_map(|id| format!(r#"{{"id":{id},"text":"a, [b] {{c}} \" \\"}}"#)),
            2 => (0u32..999).prop_map(|id| format!(
                r#"{{"data":[{{"id":"{id}"}},{{"id":"x"}}],"meta":[],"includes":{{"users":[{{"id":"{id}"}}]}}}}"#
            )),
            // Not unclosed: in a whole file the scanner may find a later bracket or quote to close it.
            1 => Just(r#"{"statuses":[{"id":1},{"id":2,"text":nope}]}"#.to_owned()),
            1 => Just("{\n \"id\": 4,\n \"a\": [1, 2]\n}".to_owned()),
            1 => Just("nulL 12 tru".to_owned()),
            1 => Just("[1,[2]]".to_owned()),
            1 => Just("}".to_owned()),
            1 => Just("\0\0\u{feff}\u{200b}".to_owned()),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]
        #[test]
        fn pieces_of_any_length_give_the_frames_of_the_whole(
            values in prop::collection::vec((value(), prop::sample::select(vec!["\n", ",\n", "\r\n", "", " "])), 0..12),
            mark in any::<bool>(),
            as_array in any::<bool>(),
            copies in prop::sample::select(vec![1usize, 1, 1, 200]),
            lengths in prop::collection::vec(1usize..3_000, 1..6),
        ) {
            let values: String = values.into_iter().map(|(value, end)| value + end).collect();
            let values = values.repeat(copies);
            let text = if as_array { format!("[{values}]\n") } else { values };
            let text = format!("{}{text}", if mark { "\u{feff}" } else { "" });
            for framing in Format::ALL {
                let whole: Vec<Seen> = Frames::new(framing, text.as_bytes()).map(seen).collect();
                let pieces = in_pieces(framing, text.as_bytes(), &lengths);
                let differs = whole.iter().zip(&pieces).position(|(a, b)| a != b);
                let show = |frames: &[Seen]| {
                    let frame = differs.and_then(|at| frames.get(at))?;
                    Some((frame.0, String::from_utf8_lossy(&frame.1[..frame.1.len().min(200)]).into_owned()))
                };
                prop_assert!(whole == pieces, "{framing:?}: {:?}, in pieces {:?}", show(&whole), show(&pieces));
            }
        }
    }

    proptest! {
        #[test]
        fn broken_json_in_pieces_comes_to_an_end(
            values in prop::collection::vec(prop::sample::select(vec![
                "{\"data\":[{\"id\":1}]", "{\"data\":[", "{\"id\":2}", "{", "}", "[", "]", "\"", ",", "\n", "\n", " ",
            ]), 0..40),
            copies in prop::sample::select(vec![1usize, 300]),
            lengths in prop::collection::vec(1_000usize..9_000, 1..6),
        ) {
            let text = values.concat().repeat(copies);
            for framing in Format::ALL {
                let mut end = 0;
                for (offset, bytes, _) in in_pieces(framing, text.as_bytes(), &lengths) {
                    prop_assert!(offset >= end && !bytes.is_empty());
                    end = offset + bytes.len() as u64;
                }
                prop_assert!(end <= text.len() as u64);
            }
        }
    }

    #[test]
    fn a_broken_element_does_not_hold_up_those_after_it() {
        let after = "{\"id\":2}, ".repeat(1_000);
        let text = format!("[{{\"id\":1,\"text\":\"cut,\n{{\"id\":1}},\n{after}");
        let (mut framer, mut ids) = (Framer::new(Format::Array), Vec::new());
        while let Some(frame) = framer.next(text.as_bytes(), true) {
            ids.push(frame.bytes);
        }
        assert_eq!(&text[ids[0].clone()], "{\"id\":1,\"text\":\"cut");
        assert_eq!(&text[ids[1].clone()], "{\"id\":1}");
        assert_eq!(ids.len(), 1_002);
    }

    #[test]
    fn a_line_is_given_as_soon_as_it_has_ended() {
        let mut framer = Framer::new(Format::Lines);
        let bytes = b"{\"a\":1}\n{\"b\"";
        assert_eq!(framer.next(bytes, true).map(|frame| frame.bytes), Some(0..7));
        assert_eq!((framer.next(bytes, true), framer.keep_from()), (None, 8));
    }

    #[test]
    fn an_element_is_given_as_soon_as_it_has_ended() {
        let mut framer = Framer::new(Format::Array);
        let bytes = b"[\n{\"a\":1},\n{\"b\":";
        assert_eq!(framer.next(bytes, true).map(|frame| frame.bytes), Some(2..9));
        assert_eq!(framer.next(bytes, true), None);
    }
}
