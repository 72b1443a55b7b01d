//! Reports as one HTML page that opens offline: made of their JSON alone, with the charts' library, style and script in
//! it. Every figure on it names its place in the JSON; every text is escaped, and no text becomes script.

mod chart;
mod figure;
mod find_max;
mod page;
mod percentiles;
mod replay;
mod replay_charts;
mod section;
mod shown;
mod side_by_side;
mod steps;
#[cfg(test)]
mod tests;

pub use page::html_page;
pub use shown::ShownReport;
