//! The lines of the doctor, as they come.

use crate::report::{Check, CheckState};

/// Takes the lines, and remembers whether one is bad.
pub(super) struct Exam<'a> {
    pub tell: &'a mut dyn FnMut(&Check),
    pub failed: bool,
}

impl Exam<'_> {
    pub fn add(&mut self, name: &'static str, state: CheckState, words: impl Into<String>) {
        self.failed |= state == CheckState::Failed;
        (self.tell)(&Check { name, state, words: words.into() });
    }

    pub fn ok(&mut self, name: &'static str, words: impl Into<String>) {
        self.add(name, CheckState::Ok, words);
    }

    pub fn warn(&mut self, name: &'static str, words: impl Into<String>) {
        self.add(name, CheckState::Warning, words);
    }

    pub fn fail(&mut self, name: &'static str, words: impl Into<String>) {
        self.add(name, CheckState::Failed, words);
    }

    pub fn skip(&mut self, name: &'static str, words: impl Into<String>) {
        self.add(name, CheckState::Skipped, words);
    }
}
