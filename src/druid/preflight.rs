//! What can be known before anything is sent: whether the address is the router's, and whether the
//! columns of an existing datasource can take the rows.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Client, DruidError};
use crate::event::OwnNames;

impl Client {
    /// Makes sure that this is a router whose broker answers: a run that cannot be counted at its end
    /// is better not begun.
    ///
    /// # Errors
    /// When it does not answer queries; names the process that listens there, if it is another one.
    pub fn check_router(&self) -> Result<(), DruidError> {
        let answer = self.check_sql();
        if matches!(&answer, Err(error) if !matches!(error.status(), Some(400..=499))) {
            return answer;
        }
        match self.process() {
            Some(process) => Err(DruidError::NoRouter { url: self.url().to_owned(), process }),
            None => answer,
        }
    }

    /// Which process of Druid listens at the address, as it says itself; `None` if it is the router, or
    /// does not say.
    fn process(&self) -> Option<&'static str> {
        const PROCESSES: [&str; 6] =
            ["coordinator", "overlord", "broker", "historical", "middleManager", "indexer"];
        let properties = self.without_patience().get("/status/properties").ok()?;
        let service = properties["druid.service"].as_str()?.rsplit('/').next()?.to_owned();
        PROCESSES.into_iter().find(|process| service.eq_ignore_ascii_case(process))
    }

    /// The columns of a datasource with their types in SQL; empty if Druid does not know it.
    ///
    /// # Errors
    /// When Druid does not answer, or refuses.
    pub fn columns(&self, datasource: &str) -> Result<BTreeMap<String, String>, DruidError> {
        let query = "SELECT \"COLUMN_NAME\" AS \"name\", \"DATA_TYPE\" AS \"type\" FROM \
                     INFORMATION_SCHEMA.COLUMNS WHERE \"TABLE_SCHEMA\" = 'druid' AND \"TABLE_NAME\" = ?";
        let rows = self.sql(query, &[datasource.into()])?;
        let text = |row: &Value, key: &str| row[key].as_str().map(str::to_owned);
        Ok(rows.iter().filter_map(|row| text(row, "name").zip(text(row, "type"))).collect())
    }

    /// Compares the columns of an existing datasource with the dimensions of a spec. Returns a remark on
    /// those that differ and do not matter for the proof.
    ///
    /// # Errors
    /// When rows could not be counted there; when Druid does not answer, or refuses.
    pub fn check_columns(
        &self,
        datasource: &str,
        dimensions: &Value,
        names: OwnNames,
    ) -> Result<Option<String>, DruidError> {
        let columns = self.columns(datasource)?;
        // By these the rows of a run are counted.
        for (column, wanted) in [(names.run(), "VARCHAR"), (names.seq(), "BIGINT")] {
            if let Some(kind) = columns.get(column).filter(|kind| *kind != wanted) {
                let (datasource, kind) = (datasource.to_owned(), kind.clone());
                return Err(DruidError::ColumnType { datasource, column, kind, wanted });
            }
        }
        let others = other_types(&columns, dimensions);
        Ok((!others.is_empty()).then(|| {
            format!(
                "WARNING: in Druid's datasource {datasource} {}; older and newer rows differ",
                others.join(", ")
            )
        }))
    }
}

/// The columns with another type than the dimension of that name, in words.
fn other_types(columns: &BTreeMap<String, String>, dimensions: &Value) -> Vec<String> {
    let differs = |dimension: &Value| {
        let name = dimension.as_str().or(dimension["name"].as_str())?;
        let wanted = sql_type(dimension["type"].as_str().unwrap_or("string"))?;
        let kind = columns.get(name).filter(|kind| *kind != wanted)?;
        Some(format!("column {name} is {kind}, and this run's is {wanted}"))
    };
    dimensions.as_array().into_iter().flatten().filter_map(differs).collect()
}

/// The type in SQL of a dimension's type.
fn sql_type(dimension: &str) -> Option<&'static str> {
    match dimension {
        "long" => Some("BIGINT"),
        "double" => Some("DOUBLE"),
        "float" => Some("FLOAT"),
        "string" => Some("VARCHAR"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_columns_of_both_with_another_type_are_named() {
        let column = |name: &str, kind: &str| (name.to_owned(), kind.to_owned());
        let there =
            BTreeMap::from([column("seq", "VARCHAR"), column("lat", "DOUBLE"), column("mine", "BIGINT")]);
        let dimensions = json!([{"type": "long", "name": "seq"}, {"type": "double", "name": "lat"}, "mine", "new",
            {"type": "json", "name": "odd"}]);
        assert_eq!(
            other_types(&there, &dimensions),
            [
                "column seq is VARCHAR, and this run's is BIGINT",
                "column mine is BIGINT, and this run's is VARCHAR"
            ]
        );
    }
}
