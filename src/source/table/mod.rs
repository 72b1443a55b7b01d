//! Tables with a header: rows of CSV, with commas, semicolons, tabs or bars between the cells.
//!
//! Bytes of a table go in, piece by piece. JSON lines come out, which are then read like any others: for each row an
//! object `{"column":"cell",...}`, followed by as many line ends as the row had. So the line of a record is the line
//! where its row begins. What is not a row comes out as a line that is not JSON, and says why.
//!
//! Quotes follow the rules of the csv crate ([`csv_core`]), with one exception: a row goes on over a line end only in
//! a cell whose quote is closed where the cell ends. Otherwise a quote that is never closed would take all rows after
//! it with it.

mod columns;
mod number;
mod reader;
mod row;
mod sniff;

pub use reader::TableReader;
pub(super) use sniff::{NoHeader, Sniffed, delimiter, sniff};
