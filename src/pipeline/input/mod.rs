//! The input as the replay sees it: its files, what each frame in them is, and which tweets are
//! selected.

pub(crate) mod dead_letters;
pub(crate) mod diagnosis;
pub(crate) mod files;
pub(crate) mod form;
pub(crate) mod input_hash;
pub(crate) mod late;
pub(crate) mod letter;
pub(crate) mod line_count;
pub(crate) mod location;
pub(crate) mod mapped;
pub(crate) mod opened;
pub(crate) mod read;
pub(crate) mod sample;
pub(crate) mod select;
pub(crate) mod sorted;
pub(crate) mod stream;
pub(crate) mod tables;
pub(crate) mod time_pattern;
