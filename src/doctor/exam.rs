//! The lines of the doctor, printed as they come.

use crate::report::{Check, CheckState};

/// Takes the lines, and remembers whether one is bad.
pub(super) struct Exam<'a> {
    pub tell: &'a mut dyn FnMut(&Check),
    pub failed: bool,
}

impl Exam<'_> {
    pub fn add(&mut self, name: &'static str, state: CheckState, words: impl Into<String>) {
        self.failed |= state == CheckState::Failed;
        let words = without_pointer(words.into());
        (self.tell)(&Check { name, state, words });
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

/// An error of a hop's ends with a pointer to the doctor, who is here already.
fn without_pointer(words: String) -> String {
    match [" (`tweetblast doctor", " `tweetblast doctor"].iter().find_map(|pointer| words.find(pointer)) {
        Some(end) => words[..end].to_owned(),
        None => words,
    }
}
