//! Facts about users from other files, joined to their tweets by the user's id (`--enrich`): the
//! columns of a CSV or JSON table become members of the payload, after the tweet's own.
//!
//! All files are read before the replay starts, and each user's additions are kept as the bytes to
//! append, so a tweet costs one look-up. A column with the name of a payload field is not added,
//! except for `screen_name`, which is used if the tweet has none.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::column::{ColumnType, Columns, is_nothing_text, is_own_field};
use super::error::EnrichError;
use super::file_report::{ColumnReject, EnrichFileReport, RejectedRow};
use super::json::Row;
use super::{csv, json};
use crate::source::{Format, Opening, SourceError, TweetFile};
use crate::tweet::Extra;

/// Columns that may hold the id, by preference: `user_id` before `id`, which next to it is the id
/// of something else; `id_str` before `id`, which may have been rounded to a double.
const ID_COLUMNS: [&str; 3] = ["user_id", "id_str", "id"];

/// Rejected rows of a file that are listed one by one.
const REJECTS_KEPT: usize = 10;

/// The additions of all users.
#[derive(Debug, Default)]
pub struct Enrichment {
    users: HashMap<i64, Extra>,
    columns: Columns,
    files: Vec<EnrichFileReport>,
}

impl Enrichment {
    /// Reads the files. If two files have the same column for the same user, the later one counts.
    /// `key` is the column with the user's id; `None`: `user_id`, `id_str` or `id`. `opening`
    /// says how the files are opened.
    ///
    /// # Errors
    /// When a file cannot be read, is not a table, or has no user's id. A row that cannot be used
    /// is not an error: it is counted.
    pub fn load(files: &[PathBuf], key: Option<&str>, opening: &Opening<'_>) -> Result<Self, EnrichError> {
        let mut all = Self::default();
        for path in files {
            let mut table = Table::new(path, key, &mut all.columns);
            table.read(opening)?;
            let (users, report) = table.finish()?;
            all.files.push(report);
            for (id, extra) in users {
                let extra = match all.users.remove(&id) {
                    Some(before) => merged(before, extra),
                    None => extra,
                };
                all.users.insert(id, extra);
            }
        }
        Ok(all)
    }

    /// The user's additions; `None` for a user who is in no file.
    #[inline]
    pub fn of(&self, user_id: Option<i64>) -> Option<&Extra> {
        self.users.get(&user_id?)
    }

    /// How many users there are.
    pub fn users(&self) -> u64 {
        self.users.len() as u64
    }

    /// All users by id, one JSON object per line: `user_id`, `screen_name` if known, the columns,
    /// and `run`, which must need no escaping in JSON.
    pub fn rows(&self, run: &str) -> Vec<u8> {
        let mut ids: Vec<_> = self.users.keys().copied().collect();
        ids.sort_unstable();
        let mut rows = Vec::new();
        for id in ids {
            let Extra { members, screen_name } = &self.users[&id];
            rows.extend_from_slice(format!("{{\"user_id\":{id}").as_bytes());
            if let Some(screen_name) = screen_name {
                rows.extend_from_slice(b",\"screen_name\":");
                rows.extend_from_slice(screen_name);
            }
            rows.extend_from_slice(members);
            rows.extend_from_slice(format!(",\"run\":\"{run}\"}}\n").as_bytes());
        }
        rows
    }

    /// The columns that are added, in the order in which they were first seen.
    pub fn columns(&self) -> impl Iterator<Item = (&str, ColumnType)> {
        self.columns.iter()
    }

    /// What was found in each file.
    pub fn files(&self) -> &[EnrichFileReport] {
        &self.files
    }
}

/// The additions in one row.
fn extra_of(row: Vec<(Cow<'_, str>, Value)>) -> Extra {
    let (mut members, mut screen_name) = (Vec::new(), None);
    for (name, value) in row {
        if name == "screen_name" {
            screen_name = Some(value.to_string().into_bytes().into_boxed_slice());
            continue;
        }
        members.push(b',');
        members.extend_from_slice(Value::from(name).to_string().as_bytes());
        members.push(b':');
        members.extend_from_slice(value.to_string().as_bytes());
    }
    Extra { members: members.into_boxed_slice(), screen_name }
}

/// A user's additions, updated by those of a later file.
fn merged(before: Extra, later: Extra) -> Extra {
    let row = |members: &[u8]| {
        let object = [b"{", members.get(1..).unwrap_or_default(), b"}"].concat();
        serde_json::from_slice::<Row>(&object).map(|row| row.0).unwrap_or_default()
    };
    let mut all = row(&before.members);
    for (name, value) in row(&later.members) {
        match all.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => all.push((name, value)),
        }
    }
    let all = all.into_iter().map(|(name, value)| (Cow::Owned(name), value)).collect();
    Extra { screen_name: later.screen_name.or(before.screen_name), ..extra_of(all) }
}

/// One file while it is being read.
struct Table<'a> {
    path: &'a Path,
    key: Option<&'a str>,
    columns: &'a mut Columns,
    users: HashMap<i64, Extra>,
    report: EnrichFileReport,
    /// Names of the first row, for the message that none of them is an id.
    first_names: Option<Vec<String>>,
    has_key: bool,
}

impl<'a> Table<'a> {
    fn new(path: &'a Path, key: Option<&'a str>, columns: &'a mut Columns) -> Self {
        let report = EnrichFileReport { file: path.display().to_string(), ..EnrichFileReport::default() };
        Self { path, key, columns, users: HashMap::new(), report, first_names: None, has_key: false }
    }

    fn read(&mut self, opening: &Opening<'_>) -> Result<(), EnrichError> {
        // The given format only skips detection; it is not used.
        let opening = Opening { framing: Some(Format::Lines), streams: false, ..*opening };
        let file = TweetFile::open_with(self.path, &opening).map_err(|error| match error {
            SourceError::Empty { path } => EnrichError::Empty { path },
            error => EnrichError::Source(error),
        })?;
        if let Some(error) = file.cut() {
            return Err(EnrichError::Source(error));
        }
        let bytes = file.bytes();
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        match bytes.trim_ascii_start().first() {
            None => Err(EnrichError::Empty { path: self.path.to_owned() }),
            Some(b'{' | b'[') => json::read(self.path, bytes, |line, row| self.take(line, row)),
            Some(_) if bytes[..bytes.len().min(4_096)].contains(&0) => {
                Err(EnrichError::Binary { path: self.path.to_owned() })
            }
            Some(_) => csv::read(bytes, |line, row| self.take(line, row)),
        }
    }

    /// Takes one row, or the reason why it is not one.
    fn take(&mut self, line: u64, row: Result<Vec<(Cow<'_, str>, Value)>, String>) {
        self.report.rows += 1;
        match row.and_then(|row| self.take_row(row)) {
            Ok(()) => {}
            Err(reason) => {
                self.report.rejects += 1;
                if self.report.first_rejects.len() < REJECTS_KEPT {
                    self.report.first_rejects.push(RejectedRow { line, reason });
                }
            }
        }
    }

    fn take_row(&mut self, mut row: Vec<(Cow<'_, str>, Value)>) -> Result<(), String> {
        self.first_names
            .get_or_insert_with(|| row.iter().map(|(name, _)| name.clone().into_owned()).take(12).collect());
        let is_key = |name: &str, key: &&str| name.eq_ignore_ascii_case(key);
        let keys = self.key.as_ref().map_or(&ID_COLUMNS[..], std::slice::from_ref);
        self.has_key |= row.iter().any(|(name, _)| keys.iter().any(|key| is_key(name, key)));
        let place = |key| row.iter().position(|(name, id)| is_key(name, key) && !is_nothing(id));
        let place = keys.iter().find_map(place).ok_or_else(|| "no user's id".to_owned())?;
        let (name, id) = row.remove(place);
        let id = user_id(&id).ok_or_else(|| format!("{name} is {id}, no user's id"))?;
        row.retain(|(name, value)| {
            let reason = if is_nothing(value) {
                return false;
            } else if name == "screen_name" {
                return value.is_string();
            } else if is_own_field(name) {
                ColumnReject::OwnField
            } else if name.is_empty() {
                ColumnReject::NoName
            } else if !self.columns.add(name, value) {
                ColumnReject::Objects
            } else {
                return true;
            };
            self.report.skipped_columns.entry(name.clone().into_owned()).or_insert(reason);
            false
        });
        let is_new = self.users.insert(id, extra_of(row)).is_none();
        self.report.duplicate_ids += u64::from(!is_new);
        Ok(())
    }

    fn finish(mut self) -> Result<(HashMap<i64, Extra>, EnrichFileReport), EnrichError> {
        let path = || self.path.to_owned();
        if !self.has_key {
            let key = self.key.map_or_else(|| ID_COLUMNS.join(", "), str::to_owned);
            return Err(match self.first_names {
                Some(names) => EnrichError::NoKey { path: path(), key, names: names.join(", ") },
                None => EnrichError::NoRows { path: path(), reason: first_reason(&self.report) },
            });
        }
        if self.users.is_empty() {
            return Err(EnrichError::NoRows { path: path(), reason: first_reason(&self.report) });
        }
        self.report.users = self.users.len() as u64;
        Ok((self.users, self.report))
    }
}

fn first_reason(report: &EnrichFileReport) -> String {
    let first = report.first_rejects.first();
    first.map_or_else(|| "there are none".to_owned(), |row| format!("line {}: {}", row.line, row.reason))
}

/// A user's id below 2^63, however it is spelt. Programs without missing integers write them as
/// `1608.0`; beyond 2^53 such a number is no longer exact.
fn user_id(value: &Value) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let whole = |number: f64| (number.fract() == 0.0 && number.abs() < EXACT).then_some(number as i64);
    match value {
        Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
        Value::String(text) => {
            let text = text.trim();
            let decimal = || whole(text.strip_suffix(".0")?.parse().ok()?);
            text.parse().ok().or_else(decimal)
        }
        _ => None,
    }
    .filter(|id| *id >= 0)
}

/// Whether the value counts as missing.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => is_nothing_text(text),
        _ => false,
    }
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
