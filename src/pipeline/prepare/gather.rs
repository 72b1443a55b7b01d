//! Collects what the pass over the input finds, chunk by chunk in input order: fills in times,
//! skips what is not wanted, and keeps the slots, or finds that they are not needed.

use std::collections::{HashSet, TryReserveError};
use std::ops::ControlFlow;

use super::index::{Chunk, UserKey};
use super::prepared::{Slots, survey_schedule};
use crate::count::Intake;
use crate::options::{OrderBy, ReplayOptions};
use crate::pace::{AscendingCheck, FileOrder, OrderDetector, Slot, Survey, Surveyor};
use crate::pipeline::input::files::{Context, Files};
use crate::pipeline::input::read::NO_TIME;
use crate::pipeline::input::select::{Selection, Skipped};
use crate::tweet::TimeClues;

/// What a whole pass has found.
pub(crate) struct PassSummary {
    pub intakes: Vec<Intake>,
    /// Of each file; `None` if it has no times.
    pub orders: Vec<Option<FileOrder>>,
    pub found: FileOrder,
    pub times_ms: Option<(i64, i64)>,
    /// In input order; empty if they were not kept.
    pub slots: Slots,
    /// In input order.
    pub survey: Survey,
    pub skipped: Skipped,
    pub has_ids: bool,
    pub users: u64,
    /// What the times of each file have shown of how they are written.
    pub clues: Vec<TimeClues>,
}

/// Place of a slot among those of equal times: its place in the input, reversed in a file that has
/// its newest first.
pub(crate) fn position(slot: &Slot, contexts: &[Context], orders: &[Option<FileOrder>]) -> (u32, u64) {
    let file = contexts[slot.context as usize].file;
    match orders[file as usize] {
        Some(FileOrder::NewestFirst) => (file, !slot.offset),
        _ => (file, slot.offset),
    }
}

/// One pass.
pub(crate) struct Gather<'a> {
    files: &'a Files,
    keep: bool,
    /// Whether the first tweet that steps back makes the pass useless.
    must_ascend: bool,
    inspects: bool,
    has_failed: bool,
    no_room: Option<TryReserveError>,
    limit: u64,
    selection: Selection,
    selected: u64,
    slots: Slots,
    /// Slots before the first time: if there is one, it becomes theirs.
    leading: Vec<Slot>,
    before_ms: Option<i64>,
    times_ms: Option<(i64, i64)>,
    intakes: Vec<Intake>,
    /// Of each file; `None` as long as it has no times.
    seen: Vec<Option<OrderDetector>>,
    seen_all: OrderDetector,
    ascending: AscendingCheck,
    /// Whether they are sent in input order.
    surveys: bool,
    surveyor: Surveyor,
    has_ids: bool,
    users: HashSet<UserKey>,
    clues: Vec<TimeClues>,
}

impl<'a> Gather<'a> {
    /// Nothing found yet.
    pub fn new(
        files: &'a Files,
        options: &ReplayOptions,
        keep: bool,
        must_ascend: bool,
        inspects: bool,
    ) -> Self {
        let contexts = (0..files.count()).map(Context::record).collect();
        Self {
            files,
            keep,
            must_ascend,
            inspects,
            has_failed: false,
            no_room: None,
            limit: options.input.select.limit.unwrap_or(u64::MAX),
            selection: Selection::new(options.input.select),
            selected: 0,
            slots: Slots { slots: Vec::new(), contexts },
            leading: Vec::new(),
            before_ms: None,
            times_ms: None,
            intakes: files.iter().map(|_| Intake::default()).collect(),
            seen: files.iter().map(|_| None).collect(),
            seen_all: OrderDetector::default(),
            ascending: AscendingCheck::default(),
            surveys: !keep || matches!(options.input.order, Some(OrderBy::File | OrderBy::Window(_))),
            surveyor: Surveyor::new(survey_schedule(options)),
            has_ids: false,
            users: HashSet::new(),
            clues: files.iter().map(|_| TimeClues::default()).collect(),
        }
    }

    /// Takes the next chunk; breaks off when the pass has become useless.
    pub fn take(&mut self, chunk: Chunk) -> ControlFlow<()> {
        self.intakes[chunk.file as usize].merge(chunk.intake);
        self.clues[chunk.file as usize].merge(chunk.clues);
        if self.inspects {
            self.users.extend(chunk.users);
        }
        let own = self.files.count();
        let shift = self.slots.contexts.len() as u32 - own;
        if self.keep || self.before_ms.is_none() {
            self.slots.contexts.extend(chunk.contexts);
        }
        if (self.keep || self.before_ms.is_none())
            && let Err(error) = self.make_room(chunk.file, chunk.end, chunk.slots.len())
        {
            self.no_room = Some(error);
            return ControlFlow::Break(());
        }
        for (mut slot, id) in chunk.slots.into_iter().zip(chunk.ids) {
            if slot.context >= own {
                slot.context += shift;
            }
            let number = id.number();
            self.has_ids |= number.is_some();
            if self.selection.is_duplicate(id) {
                continue;
            }
            match (slot.event_time_ms, self.before_ms) {
                (NO_TIME, None) => self.leading.push(slot),
                (NO_TIME, Some(before_ms)) => {
                    self.intakes[chunk.file as usize].without_time += 1;
                    slot.event_time_ms = before_ms;
                    self.place(slot, chunk.file, number);
                }
                (time_ms, _) => {
                    self.seen[chunk.file as usize].get_or_insert_default();
                    self.before_ms = Some(time_ms);
                    self.place_leading(time_ms);
                    self.place(slot, chunk.file, number);
                }
            }
            if self.has_failed {
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }

    /// Makes room for the slots that the whole input should have, judging by what was read so far.
    /// A vector that grows by doubling would need three times the memory of its slots at the worst
    /// moment; memory that is reserved but never written to costs nothing.
    ///
    /// # Errors
    /// When there is not enough memory.
    fn make_room(&mut self, file: u32, end: u64, more: usize) -> Result<(), TryReserveError> {
        const MARGIN: f64 = 1.25;
        let slots = if self.before_ms.is_none() { &mut self.leading } else { &mut self.slots.slots };
        if slots.capacity() - slots.len() >= more {
            return Ok(());
        }
        let before: u64 =
            self.files.iter().take(file as usize).map(|(_, file)| file.bytes().len() as u64).sum();
        let read = (before + end).max(1) as f64;
        let expected = (slots.len() + more) as f64 * (self.files.bytes() as f64 / read) * MARGIN;
        let expected = (expected as usize).saturating_sub(slots.len()).max(more);
        slots.try_reserve_exact(expected).or_else(|_| slots.try_reserve_exact(more))
    }

    /// Number of slots kept so far.
    pub fn slots_kept(&self) -> usize {
        self.slots.slots.len() + self.leading.len()
    }

    /// Why the slots cannot be kept; `None`: they can.
    pub fn take_no_room(&mut self) -> Option<TryReserveError> {
        self.no_room.take()
    }

    fn place_leading(&mut self, time_ms: i64) {
        if self.leading.is_empty() {
            return;
        }
        // Their ids are no longer known, so it is unknown whether they are in order.
        self.has_failed = self.must_ascend;
        for mut slot in std::mem::take(&mut self.leading) {
            let file = self.slots.contexts[slot.context as usize].file;
            self.intakes[file as usize].without_time += 1;
            slot.event_time_ms = time_ms;
            self.place(slot, file, None);
        }
    }

    fn place(&mut self, slot: Slot, file: u32, id: Option<u64>) {
        let time_ms = slot.event_time_ms;
        if let Some(seen) = &mut self.seen[file as usize] {
            seen.add(time_ms);
        }
        self.seen_all.add(time_ms);
        let (first_ms, last_ms) = self.times_ms.unwrap_or((time_ms, time_ms));
        self.times_ms = Some((first_ms.min(time_ms), last_ms.max(time_ms)));
        // All of them, not only those in the range: ties depend on the direction of the whole file.
        self.has_failed |= self.must_ascend && !self.ascending.accepts(time_ms, id);
        if self.selection.is_out_of_range(time_ms) {
            return;
        }
        self.selected += 1;
        if self.surveys && self.selected <= self.limit {
            self.surveyor.add(time_ms);
        }
        if self.keep {
            self.slots.slots.push(slot);
        }
    }

    /// What was found; `None` if the pass is useless, and the slots have to be kept.
    pub fn finish(mut self) -> Option<PassSummary> {
        if self.has_failed {
            return None;
        }
        // Only if nothing has a time; then there are no others, and these are not copied.
        if !self.leading.is_empty() {
            self.slots.slots = std::mem::take(&mut self.leading);
        }
        for slot in self.slots.slots.iter_mut().filter(|slot| slot.event_time_ms == NO_TIME) {
            self.selected += 1;
            slot.event_time_ms = 0;
            if self.selected <= self.limit {
                self.surveyor.add(0);
            }
        }
        let limit = self.selected.saturating_sub(self.limit);
        Some(PassSummary {
            intakes: self.intakes,
            orders: self.seen.iter().map(|seen| seen.as_ref().map(OrderDetector::order)).collect(),
            found: self.seen_all.order(),
            times_ms: self.times_ms,
            slots: self.slots,
            survey: self.surveyor.finish(),
            skipped: Skipped { limit, ..self.selection.skipped },
            has_ids: self.has_ids,
            users: self.users.len() as u64,
            clues: self.clues,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::input::select::IdKey;
    use crate::source::Opening;

    fn gather(times_ms: &[i64], keep: bool, must_ascend: bool) -> Option<PassSummary> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.json");
        std::fs::write(&path, "{}").unwrap();
        let files = Files::open(&[path], &Opening::whole(None)).unwrap();
        let mut gather = Gather::new(&files, &ReplayOptions::default(), keep, must_ascend, false);
        for (number, chunk) in times_ms.chunks(2).enumerate() {
            let slot = |(at, time_ms): (usize, &i64)| Slot {
                event_time_ms: *time_ms,
                offset: (number * 2 + at) as u64,
                len: 1,
                context: 0,
            };
            let slots: Vec<Slot> = chunk.iter().enumerate().map(slot).collect();
            let ids = slots.iter().map(|_| IdKey::None).collect();
            if gather.take(Chunk { slots, ids, ..Chunk::default() }).is_break() {
                break;
            }
        }
        gather.finish()
    }

    #[test]
    fn a_tweet_without_a_time_takes_that_of_the_one_before_and_is_counted() {
        let found = gather(&[NO_TIME, 5, NO_TIME, 3, NO_TIME], true, false).unwrap();
        let times_ms: Vec<i64> = found.slots.slots.iter().map(|slot| slot.event_time_ms).collect();
        assert_eq!(times_ms, [5, 5, 5, 3, 3]);
        assert_eq!((found.times_ms, found.intakes[0].without_time), (Some((3, 5)), 3));

        let none = gather(&[NO_TIME; 2], false, true).unwrap();
        assert_eq!((none.times_ms, none.slots.slots[1].event_time_ms), (None, 0));
        assert_eq!((none.intakes[0].without_time, none.survey.tweets), (0, 2));
    }

    #[test]
    fn room_is_made_once_for_all_that_is_to_be_expected() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.json");
        std::fs::write(&path, "{\"id\":1}\n".repeat(100_000)).unwrap();
        let files = Files::open(&[path], &Opening::whole(None)).unwrap();
        let mut gather = Gather::new(&files, &ReplayOptions::default(), true, false, false);
        gather.make_room(0, files.bytes() / 100, 1_000).unwrap();
        let room = gather.leading.capacity();
        assert!((100_000..=130_000).contains(&room), "{room}");
        gather.make_room(0, files.bytes() / 2, 1_000).unwrap();
        assert_eq!(gather.leading.capacity(), room);
    }

    #[test]
    fn what_is_in_order_is_not_kept_and_what_steps_back_has_to_be() {
        let found = gather(&[1, 2, 2, NO_TIME, 7], false, true).unwrap();
        assert!(found.slots.slots.is_empty());
        assert_eq!((found.survey.tweets, found.survey.last_ms), (5, 7));
        assert!(gather(&[1, 2, 1], false, true).is_none());
        assert!(gather(&[NO_TIME, 2, 3], false, true).is_none());
        assert_eq!(gather(&[3, 2, 2], true, false).unwrap().found, FileOrder::NewestFirst);
    }
}
