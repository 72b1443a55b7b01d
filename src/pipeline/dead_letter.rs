//! Dead letters: what was read or sent and not delivered, one JSON a line, with the reason and the
//! place in the input.
//!
//! A line holds the record's own bytes, so that the file can be replayed:
//!
//! ```text
//! {"dead_letter":{"kind":"failed","reason":"…","file":"t.json","offset":17,"bytes":90,"seq":4},"record":{…}}
//! {"dead_letter":{"kind":"unparseable","reason":"not a JSON value","file":"t.json","offset":107,"bytes":9},"text":"…"}
//! ```
//!
//! Read as input, such a line is the record in it, and a `text` is unparseable again.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use memchr::memmem;
use serde::Serialize;

use super::files::{Context, Files, Inside};
use super::{DeadLetterFile, ReplayError};
use crate::event::{Delivery, Outcome};
use crate::pace::Slot;
use crate::report::DeadLetterReport;
use crate::source::Frame;

/// How every line starts.
const START: &[u8] = b"{\"dead_letter\":{";
/// What stands between the header, which has no objects in it, and the record.
const RECORD: &[u8] = b"},\"record\":";

/// Longest `text` of a value that is no JSON, in bytes: enough to see what it is.
const TEXT_MAX_BYTES: usize = 64 * 1024;

/// The record in a dead letter. `None`: there is none in it. A frame that is no dead letter comes
/// back as it is.
pub(super) fn unwrap(frame: Frame<'_>) -> Option<Frame<'_>> {
    if !frame.bytes.starts_with(START) {
        return Some(frame);
    }
    let start = memmem::find(frame.bytes, RECORD)? + RECORD.len();
    let bytes = frame.bytes.get(start..frame.bytes.len() - 1).filter(|bytes| !bytes.is_empty())?;
    Some(Frame { offset: frame.offset + start as u64, bytes, ..frame })
}

/// A value of the input, or an item in it, that is no tweet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Letter {
    /// Where the value begins.
    pub offset: u64,
    /// Its length.
    pub bytes: usize,
    pub why: Why,
}

/// Why it is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Why {
    /// No JSON.
    Unparseable,
    /// JSON, and no tweet: the kind.
    Reject(&'static str),
    /// An item in the list of this user's texts.
    Item { kind: &'static str, user_id: Option<i64> },
}

/// The open file.
pub(super) struct DeadLetters {
    name: String,
    inner: Mutex<Inner>,
}

struct Inner {
    out: BufWriter<Arc<File>>,
    counts: DeadLetterReport,
    error: Option<io::Error>,
}

#[derive(Serialize)]
struct Header<'a> {
    kind: &'static str,
    reason: &'a str,
    file: String,
    offset: u64,
    bytes: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    /// It was in flight when the wait for Kafka ended.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    may_have_arrived: bool,
}

impl DeadLetters {
    pub fn new(to: &DeadLetterFile) -> Self {
        let inner = Inner {
            out: BufWriter::new(to.file.clone()),
            counts: DeadLetterReport { file: to.path.display().to_string(), ..DeadLetterReport::default() },
            error: None,
        };
        Self { name: to.path.display().to_string(), inner: Mutex::new(inner) }
    }

    /// Writes what was found in a file.
    pub fn write_found(&self, files: &Files, file: u32, letters: &[Letter]) {
        if letters.is_empty() {
            return;
        }
        let mut inner = self.lock();
        for letter in letters {
            let bytes = files.get(file).bytes();
            let start = usize::try_from(letter.offset).unwrap_or(usize::MAX);
            let bytes = bytes.get(start..).and_then(|rest| rest.get(..letter.bytes)).unwrap_or_default();
            let (kind, reason) = match letter.why {
                Why::Unparseable => ("unparseable", "not a JSON value"),
                Why::Reject(kind) | Why::Item { kind, .. } => ("reject", kind),
            };
            let header = Header {
                kind,
                reason,
                file: files.get(file).path().display().to_string(),
                offset: letter.offset,
                bytes: letter.bytes,
                seq: None,
                may_have_arrived: false,
            };
            match letter.why {
                Why::Unparseable => inner.counts.unparseable += 1,
                _ => inner.counts.rejects += 1,
            }
            inner.write(|out| match letter.why {
                Why::Unparseable => put_text(&header, bytes, out),
                // Whoever called it too large has not looked whether it is JSON.
                Why::Reject(_) if !is_json(bytes) => put_text(&header, bytes, out),
                Why::Reject(_) => put_record(&header, |out| put_line(bytes, out), out),
                // What stood there is no text; it is the same again when replayed.
                Why::Item { user_id, .. } => put_record(&header, |out| put_item(user_id, b"null", out), out),
            });
        }
    }

    /// Writes those of `deliveries` that failed.
    pub fn write_failed(&self, files: &Files, in_flight: &InFlight, deliveries: &[Delivery]) {
        for delivery in deliveries {
            let Outcome::Failed { reason, may_have_arrived } = &delivery.outcome else { continue };
            let Some((seq, (slot, context))) = delivery.seq.and_then(|seq| Some((seq, in_flight.get(seq)?)))
            else {
                continue;
            };
            let frame = files.frame(&slot, context);
            let header = Header {
                kind: "failed",
                reason,
                file: files.get(context.file).path().display().to_string(),
                offset: slot.offset,
                bytes: frame.bytes.len(),
                seq: Some(seq),
                may_have_arrived: *may_have_arrived,
            };
            let mut inner = self.lock();
            inner.counts.failed += 1;
            inner.write(|out| match context.inside {
                Inside::Text { user_id } => {
                    put_record(&header, |out| put_item(user_id, frame.bytes, out), out)
                }
                _ => put_record(&header, |out| put_line(frame.bytes, out), out),
            });
        }
    }

    /// Writes what is still in memory, and says how much it was.
    ///
    /// # Errors
    /// When something could not be written.
    pub fn finish(&self) -> Result<DeadLetterReport, ReplayError> {
        let mut inner = self.lock();
        inner.write(|out| out.flush());
        match inner.error.take() {
            None => Ok(inner.counts.clone()),
            Some(source) => Err(ReplayError::DeadLetters { path: self.name.clone().into(), source }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Each line is written whole or ends in an error that is kept.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn write(&mut self, write: impl FnOnce(&mut BufWriter<Arc<File>>) -> io::Result<()>) {
        if self.error.is_none() {
            self.error = write(&mut self.out).err();
        }
    }
}

fn put_record(
    header: &Header<'_>,
    record: impl FnOnce(&mut BufWriter<Arc<File>>) -> io::Result<()>,
    out: &mut BufWriter<Arc<File>>,
) -> io::Result<()> {
    put_header(header, out)?;
    out.write_all(b",\"record\":")?;
    record(out)?;
    out.write_all(b"}\n")
}

fn put_text(header: &Header<'_>, bytes: &[u8], out: &mut BufWriter<Arc<File>>) -> io::Result<()> {
    put_header(header, out)?;
    out.write_all(b",\"text\":")?;
    let shown = &bytes[..bytes.len().min(TEXT_MAX_BYTES)];
    serde_json::to_writer(&mut *out, &String::from_utf8_lossy(shown))?;
    out.write_all(b"}\n")
}

fn put_header(header: &Header<'_>, out: &mut BufWriter<Arc<File>>) -> io::Result<()> {
    out.write_all(b"{\"dead_letter\":")?;
    Ok(serde_json::to_writer(out, header)?)
}

/// A JSON value on one line: its line ends, which stand between its tokens only, become blanks.
fn put_line(bytes: &[u8], out: &mut impl Write) -> io::Result<()> {
    let mut parts = bytes.split(|byte| matches!(byte, b'\n' | b'\r'));
    out.write_all(parts.next().unwrap_or_default())?;
    for part in parts {
        out.write_all(b" ")?;
        out.write_all(part)?;
    }
    Ok(())
}

fn put_item(user_id: Option<i64>, item: &[u8], out: &mut impl Write) -> io::Result<()> {
    match user_id {
        Some(id) => write!(out, "{{\"id\":{id},\"tweets\":[")?,
        // An id that is no number, as it was; null would be none at all.
        None => write!(out, "{{\"id\":\"\",\"tweets\":[")?,
    }
    out.write_all(item)?;
    out.write_all(b"]}")
}

fn is_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok()
}

/// Where the tweets are that have been read and not yet reported on. As many as are in flight,
/// which the hops bound.
#[derive(Default)]
pub(super) struct InFlight(Mutex<Places>);

#[derive(Default)]
struct Places {
    first_seq: u64,
    places: VecDeque<(Slot, Context)>,
}

impl InFlight {
    /// Notes the next ones, in the order of their sequence numbers.
    pub fn push(&self, places: impl IntoIterator<Item = (Slot, Context)>) {
        self.lock().places.extend(places);
    }

    /// Forgets all below `seq`.
    pub fn settle(&self, seq: u64) {
        let mut inner = self.lock();
        let settled = seq.saturating_sub(inner.first_seq).min(inner.places.len() as u64);
        inner.places.drain(..settled as usize);
        inner.first_seq += settled;
    }

    fn get(&self, seq: u64) -> Option<(Slot, Context)> {
        let inner = self.lock();
        let at = seq.checked_sub(inner.first_seq)?;
        inner.places.get(usize::try_from(at).ok()?).copied()
    }

    fn lock(&self) -> MutexGuard<'_, Places> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unwrapped(line: &str) -> Option<(u64, &str)> {
        let frame = unwrap(Frame { offset: 100, bytes: line.as_bytes(), includes: &[] })?;
        Some((frame.offset - 100, std::str::from_utf8(frame.bytes).unwrap()))
    }

    #[test]
    fn a_letter_is_the_record_in_it_and_everything_else_is_itself() {
        let line = r#"{"dead_letter":{"reason":"},\"record\":{"},"record":{"a":{"b":1}}}"#;
        assert_eq!(unwrapped(line), Some((line.find(r#"{"a""#).unwrap() as u64, r#"{"a":{"b":1}}"#)));
        assert_eq!(unwrapped(r#"{"text":"a"}"#), Some((0, r#"{"text":"a"}"#)));
        assert_eq!(unwrapped(r#"{"dead_letter":{"reason":"x"},"text":"},\"record\":{}"}"#), None);
        assert_eq!(unwrapped(r#"{"dead_letter":{"#), None);
        assert_eq!(unwrapped(r#"{"dead_letter":{},"record":"#), None);
    }

    #[test]
    fn a_record_over_several_lines_is_written_on_one() {
        let mut out = Vec::new();
        put_line(b"{\r\n\"a\":\n1}", &mut out).unwrap();
        assert_eq!(out, b"{  \"a\": 1}");
        // In a string there is none: that is no JSON.
        for line_end in ["\n", "\r"] {
            let text = format!("{{\"id\":1,\"text\":\"a{line_end}b\",\"user\":{{}}}}");
            assert!(crate::tweet::Parser::new().parse(text.as_bytes(), |record| record.is_err()));
        }
    }

    #[test]
    fn places_are_kept_until_they_are_settled() {
        let place = |offset| (Slot { event_time_ms: 0, offset, len: 1, context: 0 }, Context::record(0));
        let in_flight = InFlight::default();
        in_flight.push((0..5).map(place));
        in_flight.settle(3);
        in_flight.push([place(5)]);
        assert_eq!(in_flight.get(2), None);
        assert_eq!(in_flight.get(3), Some(place(3)));
        assert_eq!(in_flight.get(5), Some(place(5)));
        assert_eq!(in_flight.get(6), None);
        in_flight.settle(100);
        assert_eq!(in_flight.get(5), None);
    }
}
