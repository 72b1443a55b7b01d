//! Records that the pass skimmed and took for tweets, and that turn out to be broken, or have to be mended, when they
//! are read as a whole: they are counted as what they are, as if the pass had found it.

use super::dead_letters::{DeadLetters, FoundIn};
use super::files::Files;
use super::letter::Letter;
use super::read::Reader;
use crate::count::Intake;
use crate::options::ReplayOptions;
use crate::source::Frame;
use crate::tweet::TimeDecision;

/// Dead letters that wait to be written in the order of the input, so that its lines are counted in one go.
const LETTERS: usize = 1 << 16;

/// Corrects the counts of the pass.
pub(crate) struct LateCheck<'a> {
    files: &'a Files,
    dead_letters: Option<&'a DeadLetters>,
    decisions: &'a [TimeDecision],
    /// Whether some tweet of the input has a time.
    is_timed: bool,
    skimming: Reader,
    whole: Reader,
    intakes: Vec<Intake>,
    letters: Vec<(u32, Letter)>,
    has_found: bool,
    /// Tweets of the pass that were not sent for this.
    pub lost: u64,
}

impl<'a> LateCheck<'a> {
    /// Of an input whose pass has counted this in each file.
    pub fn new(
        files: &'a Files,
        options: &ReplayOptions,
        dead_letters: Option<&'a DeadLetters>,
        decisions: &'a [TimeDecision],
        pass: (&[Intake], bool),
    ) -> Self {
        let (intakes, is_timed) = pass;
        let [mut skimming, whole] = [(); 2].map(|()| Reader::new(options, dead_letters.is_some()));
        skimming.skim();
        Self {
            files,
            dead_letters,
            decisions,
            is_timed,
            skimming,
            whole,
            intakes: intakes.to_vec(),
            letters: Vec::new(),
            has_found: false,
            lost: 0,
        }
    }

    /// Reads a frame in both ways, and corrects the counts where they differ, if it `counts`. Whether the pass found
    /// more tweets in it.
    pub fn look(&mut self, file: u32, frame: Frame<'_>, counts: bool) -> bool {
        let Self { files, skimming, whole, is_timed, .. } = self;
        let decision = self.decisions.get(file as usize).copied().unwrap_or_default();
        let (mut without_time, is_timed) = ([0, 0], *is_timed);
        for (reader, without_time) in [&mut *skimming, &mut *whole].into_iter().zip(&mut without_time) {
            reader.begin_file(file, decision);
            reader.places(files, file, frame, |place| {
                *without_time += u64::from(is_timed && place.time_ms().is_none());
            });
        }
        let [mut before, mut after] =
            [skimming, whole].map(|reader| std::mem::take(&mut reader.counted.intake));
        let [known, letters] = [&mut self.skimming, &mut self.whole]
            .map(|reader| reader.counted.letters.as_mut().map(std::mem::take).unwrap_or_default());
        [before.without_time, after.without_time] = without_time;
        if before == after || !counts {
            return before.tweets > after.tweets;
        }
        let lost = before.tweets.saturating_sub(after.tweets);
        self.intakes[file as usize].correct(&before, after);
        self.lost += lost;
        self.has_found = true;
        let new = letters.into_iter().filter(|letter| !known.contains(letter));
        self.letters.extend(new.map(|letter| (file, letter)));
        if self.letters.len() >= LETTERS {
            self.write_letters();
        }
        lost > 0
    }

    fn write_letters(&mut self) {
        let Some(dead_letters) = self.dead_letters else { return };
        self.letters.sort_by_key(|(file, letter)| (*file, letter.offset));
        for (file, letter) in self.letters.drain(..) {
            dead_letters.write_found(self.files, file, FoundIn::File, &[letter]);
        }
    }

    /// The counts with all corrections; `None`: there are none. Dead letters are written.
    pub fn corrected(mut self) -> Option<Vec<Intake>> {
        self.write_letters();
        self.has_found.then_some(self.intakes)
    }
}
