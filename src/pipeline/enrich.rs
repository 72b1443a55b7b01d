//! What is joined to the tweets of each user: read before anything starts, told at the end.

mod column;
mod csv;
mod error;
mod json;
mod table;

use super::feed::Fed;
use super::{ReplayError, ReplayOptions};
use crate::druid::{Dimension, DimensionType};
use crate::report::{EnrichColumn, EnrichReport, Screen};
use crate::tweet::PayloadForm;
pub use column::ColumnType;
pub use error::EnrichError;
pub use table::Enrichment;

/// Reads the files that are asked for; `None`: none is. Says which rows of them do not count.
///
/// # Errors
/// When a file cannot be joined, or the payload has no place for it.
pub(super) fn load(options: &ReplayOptions, screen: &Screen) -> Result<Option<Enrichment>, ReplayError> {
    if options.enrich.files.is_empty() {
        return Ok(None);
    }
    if options.payload != PayloadForm::Tweet {
        return Err(ReplayError::Options(
            "--enrich adds columns to our own payload; --payload raw and minimal have no place for them"
                .into(),
        ));
    }
    let enrichment = Enrichment::load(&options.enrich.files, options.enrich.key.as_deref())?;
    if screen.shows_progress() {
        for words in enrichment.files().iter().flat_map(|file| file.words()) {
            screen.say(&format!("  enrich     {words}\n"));
        }
    }
    Ok(Some(enrichment))
}

/// What it came to.
pub(super) fn report(enrichment: &Enrichment, fed: &Fed) -> EnrichReport {
    EnrichReport {
        enriched: fed.enriched,
        not_enriched: fed.tweets - fed.enriched,
        users: enrichment.users(),
        columns: enrichment
            .columns()
            .map(|(name, kind)| EnrichColumn { name: name.to_owned(), kind: kind.name() })
            .collect(),
        files: enrichment.files().to_vec(),
    }
}

/// The columns as Druid is to have them.
pub(super) fn dimensions(enrichment: Option<&Enrichment>) -> Vec<Dimension> {
    let columns = enrichment.into_iter().flat_map(Enrichment::columns);
    let dimension = |(name, kind): (&str, ColumnType)| Dimension {
        name: name.to_owned(),
        kind: match kind {
            ColumnType::Long => DimensionType::Long,
            ColumnType::Double => DimensionType::Double,
            ColumnType::Boolean | ColumnType::Text => DimensionType::String,
        },
    };
    columns.map(dimension).collect()
}
