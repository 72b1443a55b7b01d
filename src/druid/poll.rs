//! One look at how far the rows of a run have come: a count, and which of some tweets are among them, in
//! one query, so that both are of the same moment.

use std::fmt::Write;

use serde_json::Value;

use super::verify::{RunName, known, number, quoted};
use super::{Client, DruidError};

/// What to look for.
#[derive(Debug, Clone, Copy, Default)]
pub struct RowQuestion<'a> {
    /// Only rows with times from here on, in milliseconds since 1970; `None`: all. Druid then reads the
    /// newest rows only.
    pub since_ms: Option<i64>,
    /// Also count those before this time.
    pub settled_ms: Option<i64>,
    /// Sequence numbers to look for.
    pub samples: &'a [u64],
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowAnswer {
    /// Rows since the time that was asked for.
    pub rows: u64,
    /// Those among them that are before the other time.
    pub settled: u64,
    /// The samples that have rows.
    pub found: Vec<u64>,
}

impl RowQuestion<'_> {
    /// Asks once; nothing is found while the datasource or its columns are unknown.
    ///
    /// # Errors
    /// When Druid does not answer, or refuses.
    pub fn ask(&self, client: &Client, datasource: &str, run: RunName<'_>) -> Result<RowAnswer, DruidError> {
        let rows = known(client.sql(&self.query(datasource, run), &[run.run.into()]))?;
        let Some(row) = rows.first() else { return Ok(RowAnswer::default()) };
        let count = |key: &str| number(&row[key]).and_then(|count| u64::try_from(count).ok()).unwrap_or(0);
        Ok(RowAnswer { rows: count("rows"), settled: count("settled"), found: numbers(&row["found"]) })
    }

    fn query(&self, datasource: &str, run: RunName<'_>) -> String {
        let seq = run.seq();
        let mut query = "SELECT COUNT(*) AS \"rows\"".to_owned();
        if let Some(settled_ms) = self.settled_ms {
            let _ = write!(
                query,
                ", COUNT(*) FILTER (WHERE \"__time\" < MILLIS_TO_TIMESTAMP({settled_ms})) AS \"settled\""
            );
        }
        if !self.samples.is_empty() {
            let list: Vec<String> = self.samples.iter().map(u64::to_string).collect();
            let bytes = 64 * self.samples.len() + 1_024;
            let list = list.join(", ");
            let _ =
                write!(query, ", ARRAY_AGG({seq}, {bytes}) FILTER (WHERE {seq} IN ({list})) AS \"found\"");
        }
        let _ = write!(query, " FROM {} WHERE {}", quoted(datasource), run.condition());
        if let Some(since_ms) = self.since_ms {
            let _ = write!(query, " AND \"__time\" >= MILLIS_TO_TIMESTAMP({since_ms})");
        }
        query
    }
}

/// An array of numbers; Druid writes arrays as text.
fn numbers(value: &Value) -> Vec<u64> {
    let parsed: Value = match value {
        Value::String(text) => serde_json::from_str(text).unwrap_or_default(),
        value => value.clone(),
    };
    let all = parsed.as_array().into_iter().flatten();
    all.filter_map(|one| u64::try_from(number(one)?).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_question_asks_for_no_more_than_it_needs() {
        let all = RowQuestion::default();
        assert_eq!(
            all.query("a\"b", "r".into()),
            "SELECT COUNT(*) AS \"rows\" FROM \"a\"\"b\" WHERE \"run\" = ?"
        );
        let few = RowQuestion { since_ms: Some(5), settled_ms: Some(7), samples: &[1, 2] };
        assert_eq!(
            few.query("d", "r".into()),
            "SELECT COUNT(*) AS \"rows\", COUNT(*) FILTER (WHERE \"__time\" < MILLIS_TO_TIMESTAMP(7)) AS \"settled\", \
             ARRAY_AGG(\"seq\", 1152) FILTER (WHERE \"seq\" IN (1, 2)) AS \"found\" FROM \"d\" WHERE \"run\" = ? AND \
             \"__time\" >= MILLIS_TO_TIMESTAMP(5)"
        );
        assert_eq!((numbers(&json!("[3,4]")), numbers(&json!([3]))), (vec![3, 4], vec![3]));
        assert!(numbers(&Value::Null).is_empty());
    }
}
