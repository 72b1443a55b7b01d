//! Tables of users, whose columns are joined to the tweets of each user: read completely before
//! anything starts.
//!
//! The files are framed by [`crate::source`]; a user's columns reach the payload as
//! [`crate::tweet::Extra`].

mod column;
mod csv;
mod error;
mod file_report;
mod json;
mod table;

pub use column::ColumnType;
pub use error::EnrichError;
pub use file_report::{ColumnReject, EnrichFileReport, RejectedRow};
pub use table::Enrichment;
