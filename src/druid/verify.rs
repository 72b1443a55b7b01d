//! Asks Druid which rows of a run can be queried.

use serde_json::Value;

use super::{Client, DruidError};
use crate::event::OwnNames;

/// The `seq` of all rows of a run, summed up in five numbers: a missing, extra or changed one shows
/// in at least one of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Proof {
    pub rows: u64,
    /// Distinct `seq`, counted exactly.
    pub distinct: u64,
    /// Smallest and greatest `seq`; `None` without rows.
    pub span: Option<Span>,
    /// Sum of all `seq`.
    pub sum: i64,
}

/// Smallest and greatest `seq`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub min: u64,
    pub max: u64,
}

/// A run, and the columns by which its rows are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunName<'a> {
    pub run: &'a str,
    pub names: OwnNames,
}

impl<'a> From<&'a str> for RunName<'a> {
    fn from(run: &'a str) -> Self {
        Self { run, names: OwnNames::default() }
    }
}

impl RunName<'_> {
    /// The condition that a row is of the run, which is the query's parameter.
    pub(super) fn condition(self) -> String {
        format!("{} = ?", quoted(self.names.run()))
    }

    /// The column of the sequence number.
    pub(super) fn seq(self) -> String {
        quoted(self.names.seq())
    }
}

/// How many `seq` are counted at a time. An exact count of distinct values holds all of them in a
/// merge buffer of Druid's: one of 25 MiB was too small for 1,000,000.
pub(super) const SLICE: u64 = 200_000;

/// A name, quoted for a query.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

impl Proof {
    /// Rows of the run that can be queried now; 0 while the datasource or its column is unknown.
    ///
    /// # Errors
    /// When Druid does not answer, or refuses.
    pub fn count(client: &Client, datasource: &str, run: RunName<'_>) -> Result<u64, DruidError> {
        let query =
            format!("SELECT COUNT(*) AS \"rows\" FROM {} WHERE {}", quoted(datasource), run.condition());
        let rows = known(client.sql(&query, &[run.run.into()]))?;
        Ok(rows.first().map_or(0, |row| number(&row["rows"]).unwrap_or(0) as u64))
    }

    /// Rows of all runs that can be queried now; 0 while the datasource is unknown.
    ///
    /// # Errors
    /// When Druid does not answer, or refuses.
    pub fn count_all(client: &Client, datasource: &str) -> Result<u64, DruidError> {
        let query = format!("SELECT COUNT(*) AS \"rows\" FROM {}", quoted(datasource));
        let rows = known(client.sql(&query, &[]))?;
        Ok(rows.first().map_or(0, |row| number(&row["rows"]).unwrap_or(0) as u64))
    }

    /// The whole proof.
    ///
    /// # Errors
    /// When Druid does not answer, or refuses.
    pub fn of_run(client: &Client, datasource: &str, run: RunName<'_>) -> Result<Self, DruidError> {
        let (seq, condition) = (run.seq(), run.condition());
        let query = format!(
            "SELECT COUNT(*) AS \"rows\", MIN({seq}) AS \"min\", MAX({seq}) AS \"max\", \
             SUM({seq}) AS \"sum\" FROM {} WHERE {condition}",
            quoted(datasource)
        );
        let rows = known(client.sql(&query, &[run.run.into()]))?;
        let mut proof = rows.first().map(Self::of).unwrap_or_default();
        if let Some(Span { min, max }) = proof.span {
            let mut from = min;
            while from <= max {
                let end = from.saturating_add(SLICE).min(max.saturating_add(1));
                proof.distinct += distinct(client, datasource, run, (from, end))?;
                from = end;
            }
        }
        Ok(proof)
    }

    fn of(row: &Value) -> Self {
        let count = |key: &str| number(&row[key]).and_then(|count| u64::try_from(count).ok());
        let rows = count("rows").unwrap_or(0);
        let span = count("min").zip(count("max")).map(|(min, max)| Span { min, max });
        Self { rows, distinct: 0, span: span.filter(|_| rows > 0), sum: number(&row["sum"]).unwrap_or(0) }
    }

    /// The proof of a complete run of this many tweets: from 0 on without a gap.
    #[must_use]
    pub fn expected(tweets: u64) -> Self {
        let span = tweets.checked_sub(1).map(|max| Span { min: 0, max });
        // In 64 bits, wrapping as Druid's LONG does.
        let sum = (u128::from(tweets) * u128::from(tweets.saturating_sub(1)) / 2) as i64;
        Self { rows: tweets, distinct: tweets, span, sum }
    }
}

/// Distinct `seq` from `from` on and below `end`. If that is too much for Druid's memory, in two
/// halves.
fn distinct(
    client: &Client,
    datasource: &str,
    run: RunName<'_>,
    (from, end): (u64, u64),
) -> Result<u64, DruidError> {
    let (seq, condition) = (run.seq(), run.condition());
    let query = format!(
        "SELECT COUNT(DISTINCT {seq}) AS \"distinct\" FROM {} WHERE {condition} AND {seq} >= {from} AND {seq} < {end}",
        quoted(datasource)
    );
    match client.sql(&query, &[run.run.into()]) {
        Err(DruidError::Refused { line, .. }) if end - from > 1 && line.contains("merge buffer memory") => {
            let middle = from + (end - from) / 2;
            Ok(distinct(client, datasource, run, (from, middle))?
                + distinct(client, datasource, run, (middle, end))?)
        }
        rows => Ok(rows?.first().and_then(|row| number(&row["distinct"])).unwrap_or(0) as u64),
    }
}

/// Before our first row, a datasource may not have our columns.
pub(super) fn known(rows: Result<Vec<Value>, DruidError>) -> Result<Vec<Value>, DruidError> {
    match rows {
        Err(DruidError::Refused { status: 400, line, .. })
            if line.contains("Column '") && line.contains("not found") =>
        {
            Ok(Vec::new())
        }
        rows => rows,
    }
}

/// Druid writes a LONG as a number; an aggregate over nothing is null.
pub(super) fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_whole_run_is_what_is_expected_and_any_change_of_it_is_not() {
        let whole = json!({"rows": 4, "min": 0, "max": 3, "sum": 6});
        let proof = |row: &Value, distinct| Proof { distinct, ..Proof::of(row) };
        assert_eq!(proof(&whole, 4), Proof::expected(4));
        assert_ne!(proof(&whole, 3), Proof::expected(4));
        for (key, value) in [("rows", 5), ("min", 1), ("max", 4), ("sum", 7)] {
            let mut changed = whole.clone();
            changed[key] = value.into();
            assert_ne!(proof(&changed, 4), Proof::expected(4), "{key}");
        }
    }

    #[test]
    fn no_rows_have_no_span() {
        // What Druid 33 answers if there are no rows at all.
        let none = json!({"rows": 0, "min": null, "max": null, "sum": null});
        assert_eq!(Proof::of(&none), Proof::expected(0));
    }

    #[test]
    fn sums_beyond_32_bits_are_exact() {
        assert_eq!(Proof::expected(1_000_000).sum, 499_999_500_000);
        assert_eq!(quoted("a\"b"), "\"a\"\"b\"");
    }
}
