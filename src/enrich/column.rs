//! The columns that are added, and their types.

use std::collections::HashMap;

use serde_json::Value;

/// Fields of the payload, which no column may replace, and Druid's name for the time.
const OWN_FIELDS: [&str; 15] = [
    "timestamp",
    "user_id",
    "tweet",
    "id",
    "created_at",
    "lang",
    "screen_name",
    "retweet_count",
    "favorite_count",
    "hashtags",
    "lat",
    "lon",
    "run",
    "seq",
    "__time",
];

/// Whether the payload has a field with this name.
pub(super) fn is_own_field(name: &str) -> bool {
    OWN_FIELDS.contains(&name)
}

/// Whether a text stands for a missing value, as pandas and SQL write it. Not `NA`, which may be
/// Namibia.
pub(super) fn is_nothing_text(text: &str) -> bool {
    ["NaN", "null"].iter().any(|nothing| text.eq_ignore_ascii_case(nothing))
}

/// The type of a column's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// Integers below 2^63, exact.
    Long,
    /// Numbers.
    Double,
    /// True and false.
    Boolean,
    /// Anything.
    Text,
}

impl ColumnType {
    /// As in the report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Long => "long",
            Self::Double => "double",
            Self::Boolean => "boolean",
            Self::Text => "text",
        }
    }

    /// The type of one value; `None` for an object, or a list that contains one: the payload is
    /// flat.
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(_) => Some(Self::Boolean),
            Value::Number(number) if number.is_i64() => Some(Self::Long),
            Value::Number(_) => Some(Self::Double),
            Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => None,
            Value::Null | Value::String(_) | Value::Array(_) => Some(Self::Text),
            Value::Object(_) => None,
        }
    }

    /// The type that can hold both.
    pub(super) fn or(self, other: Self) -> Self {
        match (self, other) {
            (one, other) if one == other => one,
            (Self::Long | Self::Double, Self::Long | Self::Double) => Self::Double,
            _ => Self::Text,
        }
    }
}

/// Columns by name, in the order in which they were first seen.
#[derive(Debug, Default)]
pub(super) struct Columns {
    all: Vec<(String, ColumnType)>,
    places: HashMap<String, usize>,
}

impl Columns {
    /// Records a value; returns whether it can be added.
    pub fn add(&mut self, name: &str, value: &Value) -> bool {
        let Some(found) = ColumnType::of(value) else { return false };
        match self.places.get(name) {
            Some(place) => self.all[*place].1 = self.all[*place].1.or(found),
            None => {
                self.places.insert(name.to_owned(), self.all.len());
                self.all.push((name.to_owned(), found));
            }
        }
        true
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, ColumnType)> {
        self.all.iter().map(|(name, column)| (name.as_str(), *column))
    }
}
