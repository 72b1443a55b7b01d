//! The tables of `--enrich`: read before anything starts.

use crate::enrich::Enrichment;
use crate::event::PayloadForm;
use crate::options::{Enrich, ReplayOptions};
use crate::pipeline::error::ReplayError;
use crate::report::Screen;
use crate::source::Opening;

/// Reads the requested files; `None` if there are none. Reports which of their rows do not count.
///
/// # Errors
/// When a file cannot be joined, or the payload has no place for it.
pub(crate) fn load_tables(
    options: &ReplayOptions,
    opening: &Opening<'_>,
    screen: &Screen,
) -> Result<Option<Enrichment>, ReplayError> {
    if options.input.enrich.files.is_empty() {
        return Ok(None);
    }
    if options.message.payload != PayloadForm::Tweet {
        return Err(ReplayError::Options(
            "--enrich adds columns to our own payload; --payload raw and minimal have no place for them"
                .into(),
        ));
    }
    let Enrich { files, key } = &options.input.enrich;
    let enrichment = Enrichment::load(files, key.as_deref(), opening)?;
    if screen.shows_progress() {
        for words in enrichment.files().iter().flat_map(|file| file.words()) {
            screen.say_row("enrich", &words);
        }
    }
    Ok(Some(enrichment))
}
