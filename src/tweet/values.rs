//! Parses JSON values, in buffers that are reused: with the members that some form of tweet reads, or with all.

use simd_json::tape::{Tape, Value};
use simd_json::{Buffers, INPUT_PADDING};

use super::mend::{Mended, mend};
use super::pruned::{self, Pruned};

/// The frame is not a JSON value. simd-json's reason is not worth passing on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a JSON value")]
pub struct NotJson;

/// Buffers for JSON values, reused for each frame.
#[derive(Default)]
pub struct ValueBuffers {
    scratch: Vec<u8>,
    pruned: pruned::Buffers,
    places: Vec<u8>,
    buffers: Buffers,
    tape: Option<Tape<'static>>,
    /// What was mended in the last value.
    pub mended: Mended,
}

impl ValueBuffers {
    /// Shows the value to `look`. With `prune`, members that no form reads may be missing, and the
    /// places in `KEYS` of those at its top may be known.
    pub fn read<T>(
        &mut self,
        json: &[u8],
        prune: bool,
        look: impl FnOnce(Result<Value<'_, '_>, NotJson>, Option<&[u8]>) -> T,
    ) -> T {
        let Self { scratch, pruned, places, tape: kept, mended, .. } = self;
        *mended = Mended::default();
        places.clear();
        scratch.clear();
        scratch.extend_from_slice(json);
        scratch.resize(json.len() + INPUT_PADDING, b' ');
        let mut tape = kept.take().unwrap_or_else(Tape::null).reset();
        let to = Pruned { nodes: &mut tape.0, places };
        if prune && pruned::fill(scratch, json.len(), pruned, to).is_some() {
            let seen = look(Ok(tape.as_value()), Some(places));
            *kept = Some(tape.reset());
            return seen;
        }
        *kept = Some(tape.reset());
        self.fill_whole(json, |value| look(value.map(|(value, _)| value), None))
    }

    /// Shows the value with all its members to `look`, and what was mended.
    pub fn read_whole<T>(
        &mut self,
        json: &[u8],
        look: impl FnOnce(Result<(Value<'_, '_>, Mended), NotJson>) -> T,
    ) -> T {
        let Self { scratch, mended, .. } = self;
        *mended = Mended::default();
        scratch.clear();
        scratch.extend_from_slice(json);
        scratch.resize(json.len() + INPUT_PADDING, b' ');
        self.fill_whole(json, look)
    }

    /// The same, where `scratch` has the padded `json` already.
    fn fill_whole<T>(
        &mut self,
        json: &[u8],
        look: impl FnOnce(Result<(Value<'_, '_>, Mended), NotJson>) -> T,
    ) -> T {
        let Self { scratch, buffers, tape: kept, mended, .. } = self;
        let mut tape = kept.take().unwrap_or_else(Tape::null).reset();
        if simd_json::fill_tape_padded(scratch, json.len(), buffers, &mut tape).is_ok() {
            let seen = look(Ok((tape.as_value(), Mended::default())));
            *kept = Some(tape.reset());
            return seen;
        }
        let mut tape = tape.reset();
        scratch.clear();
        *mended = mend(json, scratch);
        let len = scratch.len();
        scratch.resize(len + INPUT_PADDING, b' ');
        let is_json = *mended != Mended::default()
            && simd_json::fill_tape_padded(scratch, len, buffers, &mut tape).is_ok();
        let seen = look(is_json.then(|| (tape.as_value(), *mended)).ok_or(NotJson));
        *kept = Some(tape.reset());
        seen
    }
}
