//! Parses JSON values, in buffers that are reused: with the members that some form of tweet reads, or with all.

use simd_json::tape::{Tape, Value};
use simd_json::{Buffers, INPUT_PADDING};

use super::mend::{Mended, mend};
use super::pruned::{self, Pruned, Wanted};

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
        if !prune {
            return self.read_whole(json, |value| look(value.map(|(value, _)| value), None));
        }
        let seen = self.prune(json, Wanted::Tweet, |pruned| match pruned {
            Some((value, places)) => Ok(look(Ok(value), Some(places))),
            None => Err(look),
        });
        seen.unwrap_or_else(|look| self.read_whole(json, |value| look(value.map(|(value, _)| value), None)))
    }

    /// Shows what tells the value's place to `look`, and the places in `KEYS` of the members at its top, or nothing.
    pub fn skim<T>(&mut self, json: &[u8], look: impl FnOnce(Option<(Value<'_, '_>, &[u8])>) -> T) -> T {
        self.prune(json, Wanted::Place, look)
    }

    /// Shows what is wanted of the value to `look`, or nothing.
    #[inline]
    fn prune<T>(
        &mut self,
        json: &[u8],
        wanted: Wanted,
        look: impl FnOnce(Option<(Value<'_, '_>, &[u8])>) -> T,
    ) -> T {
        let Self { pruned, places, tape: kept, mended, .. } = self;
        *mended = Mended::default();
        places.clear();
        let mut tape = kept.take().unwrap_or_else(Tape::null).reset();
        let to = Pruned { wanted, nodes: &mut tape.0, places };
        let is_pruned = pruned::fill(json, pruned, to).is_some();
        let seen = look(is_pruned.then(|| (tape.as_value(), places.as_slice())));
        *kept = Some(tape.reset());
        seen
    }

    /// Shows the value with all its members to `look`, and what was mended.
    pub fn read_whole<T>(
        &mut self,
        json: &[u8],
        look: impl FnOnce(Result<(Value<'_, '_>, Mended), NotJson>) -> T,
    ) -> T {
        let Self { scratch, buffers, tape: kept, mended, .. } = self;
        *mended = Mended::default();
        scratch.clear();
        scratch.extend_from_slice(json);
        scratch.resize(json.len() + INPUT_PADDING, b' ');
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
