//! Where a tweet is in the input, to read it again.

use std::sync::Arc;

use super::files::{Context, Files};
use crate::pace::Slot;
use crate::source::Frame;

/// Where a tweet is in the input. If the input is read as it comes, its bytes are kept here.
#[derive(Debug, Clone)]
pub(crate) struct Location {
    pub slot: Slot,
    pub context: Context,
    copy: Option<Arc<RecordCopy>>,
}

/// The bytes of a record in an input that cannot be read twice.
#[derive(Debug)]
struct RecordCopy {
    bytes: Box<[u8]>,
    includes: Arc<[u8]>,
}

impl Location {
    /// In a mapped file.
    pub fn mapped(slot: Slot, context: Context) -> Self {
        Self { slot, context, copy: None }
    }

    /// With a copy of the slot's bytes, which are in `frame`.
    pub fn copied(slot: Slot, context: Context, frame: Frame<'_>, includes: Arc<[u8]>) -> Self {
        let start = usize::try_from(slot.offset.saturating_sub(frame.offset)).unwrap_or(usize::MAX);
        let rest = frame.bytes.get(start..).unwrap_or_default();
        let bytes = rest.get(..slot.len as usize).unwrap_or_default().into();
        Self { slot, context, copy: Some(Arc::new(RecordCopy { bytes, includes })) }
    }

    /// The frame there; its bytes are empty if it is no longer there.
    pub fn frame<'a>(&'a self, files: &'a Files) -> Frame<'a> {
        match &self.copy {
            Some(copy) => Frame { offset: self.slot.offset, bytes: &copy.bytes, includes: &copy.includes },
            None => files.frame(&self.slot, self.context),
        }
    }

    /// Size of its copy, in bytes.
    pub fn kept_bytes(&self) -> usize {
        self.copy.as_ref().map_or(0, |copy| copy.bytes.len())
    }
}
