//! The lines of the doctor, as they come.

/// How one check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckState {
    /// As it should be.
    Ok,
    /// A replay can go on, but somebody should know.
    Warning,
    /// A replay would fail here.
    Failed,
    /// Not asked for, or pointless after what failed before.
    Skipped,
}

/// One line of the doctor's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// How it ended.
    pub state: CheckState,
    /// What was found; where that is bad, also what to do.
    pub words: String,
}

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
