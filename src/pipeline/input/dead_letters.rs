//! Dead letters: what was read or sent but not delivered, one JSON object per line, with the reason
//! and the position in the input.
//!
//! A line contains the record's own bytes, so that the file can be replayed:
//!
//! ```text
//! {"dead_letter":{"kind":"failed","reason":"…","file":"t.json","offset":17,"bytes":90,"seq":4},"record":{…}}
//! {"dead_letter":{"kind":"unparseable","reason":"not a JSON value","file":"t.json","offset":107,"line":2,"bytes":9},"text":"…"}
//! ```
//!
//! Read as input, such a line is the record in it, and a `text` is unparseable again.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use crate::event::{Delivery, Outcome};
use crate::options::DeadLetterFile;
use crate::pipeline::error::ReplayError;
use crate::pipeline::input::files::{Files, Inside};
use crate::pipeline::input::letter::{Letter, LetterReason};
use crate::pipeline::input::line_count::LineCount;
use crate::pipeline::input::location::Location;
use crate::report::DeadLetterReport;
use crate::source::Frame;

/// Longest `text` of a frame that is not JSON, in bytes: enough to see what it is.
const TEXT_MAX_BYTES: usize = 64 * 1024;

/// The open file.
pub(crate) struct DeadLetters {
    name: String,
    inner: Mutex<LetterFile>,
}

struct LetterFile {
    out: BufWriter<Arc<File>>,
    counts: DeadLetterReport,
    error: Option<io::Error>,
    lines: LineCount,
}

/// The bytes in which dead letters were found.
#[derive(Clone, Copy)]
pub(crate) enum FoundIn<'a> {
    /// A mapped file.
    File,
    /// A frame of a file that is read as it comes, and the line where it begins.
    Frame { frame: Frame<'a>, line: u64 },
}

#[derive(Serialize)]
struct Header<'a> {
    kind: &'static str,
    reason: &'a str,
    file: String,
    offset: u64,
    /// From 1. Not of a tweet that failed: nothing is wrong with its record.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    bytes: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    /// It was in flight when the wait for Kafka ended.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    may_have_arrived: bool,
}

impl DeadLetters {
    pub fn new(to: &DeadLetterFile) -> Self {
        let inner = LetterFile {
            out: BufWriter::new(to.file.clone()),
            counts: DeadLetterReport { file: to.path.display().to_string(), ..DeadLetterReport::default() },
            error: None,
            lines: LineCount::default(),
        };
        Self { name: to.path.display().to_string(), inner: Mutex::new(inner) }
    }

    /// Writes the rejects and unparseable frames of a file.
    pub fn write_found(&self, files: &Files, file: u32, found_in: FoundIn<'_>, letters: &[Letter]) {
        if letters.is_empty() {
            return;
        }
        let mut inner = self.lock();
        for letter in letters {
            let (whole, base) = match found_in {
                FoundIn::File => (files.get(file).bytes(), 0),
                FoundIn::Frame { frame, .. } => (frame.bytes, frame.offset),
            };
            let start = usize::try_from(letter.offset.saturating_sub(base)).unwrap_or(usize::MAX);
            let bytes = whole.get(start..).and_then(|rest| rest.get(..letter.bytes)).unwrap_or_default();
            let line = match found_in {
                FoundIn::File => inner.lines.of(file, whole, start),
                FoundIn::Frame { line, .. } => line - 1 + LineCount::default().of(file, whole, start),
            };
            let (kind, reason) = match letter.why {
                LetterReason::Unparseable => ("unparseable", "not a JSON value"),
                LetterReason::Reject(kind) | LetterReason::Item { kind, .. } => ("reject", kind),
            };
            let header = Header {
                kind,
                reason,
                file: files.get(file).path().display().to_string(),
                offset: letter.offset,
                line: Some(line),
                bytes: letter.bytes,
                seq: None,
                may_have_arrived: false,
            };
            match letter.why {
                LetterReason::Unparseable => inner.counts.unparseable += 1,
                _ => inner.counts.rejects += 1,
            }
            inner.write(|out| match letter.why {
                LetterReason::Unparseable => put_text(&header, bytes, out),
                // A frame rejected as too large has not been parsed, so it may not be JSON.
                LetterReason::Reject(_) if !is_json(bytes) => put_text(&header, bytes, out),
                LetterReason::Reject(_) => put_record(&header, |out| put_line(bytes, out), out),
                // The item was not a text; it is the same when replayed.
                LetterReason::Item { user_id, .. } => {
                    put_record(&header, |out| put_item(user_id, b"null", out), out)
                }
            });
        }
    }

    /// Writes the failed ones of `deliveries`; `place` says where a sequence number is in the
    /// input.
    pub fn write_failed(
        &self,
        files: &Files,
        deliveries: &[Delivery],
        place: impl Fn(u64) -> Option<Location>,
    ) {
        for delivery in deliveries {
            let Outcome::Failed { reason, may_have_arrived } = &delivery.outcome else { continue };
            let Some((seq, place)) = delivery.trace.seq.and_then(|seq| Some((seq, place(seq)?))) else {
                continue;
            };
            let frame = place.frame(files);
            let header = Header {
                kind: "failed",
                reason,
                file: files.get(place.context.file).path().display().to_string(),
                offset: place.slot.offset,
                line: None,
                bytes: frame.bytes.len(),
                seq: Some(seq),
                may_have_arrived: *may_have_arrived,
            };
            let mut inner = self.lock();
            inner.counts.failed += 1;
            inner.write(|out| match place.context.inside {
                Inside::Text { user_id } => {
                    put_record(&header, |out| put_item(user_id, frame.bytes, out), out)
                }
                // The file was written to meanwhile.
                _ if !is_json(frame.bytes) => put_text(&header, frame.bytes, out),
                _ => put_record(&header, |out| put_line(frame.bytes, out), out),
            });
        }
    }

    /// Writes what is still in memory, and returns the totals.
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

    fn lock(&self) -> MutexGuard<'_, LetterFile> {
        // Each line is written whole or ends in an error that is kept.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LetterFile {
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

/// A JSON value on one line: line ends, which are only between its tokens, become blanks.
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
        // An id that is not a number, unchanged; null would mean no id at all.
        None => write!(out, "{{\"id\":\"\",\"tweets\":[")?,
    }
    out.write_all(item)?;
    out.write_all(b"]}")
}

fn is_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_over_several_lines_is_written_on_one() {
        let mut out = Vec::new();
        put_line(b"{\r\n\"a\":\n1}", &mut out).unwrap();
        assert_eq!(out, b"{  \"a\": 1}");
        // A line end in a string is not JSON.
        for line_end in ["\n", "\r"] {
            let text = format!("{{\"id\":1,\"text\":\"a{line_end}b\",\"user\":{{}}}}");
            assert!(crate::tweet::Parser::new().parse(text.as_bytes(), |record| record.is_err()));
        }
    }
}
