//! One supervisor: submitted, watched, suspended, terminated. One without our mark is never altered
//! unless the caller allows it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::altered::{alterations, marked_keeping};
use super::client::{first_line, is_of_supervisor};
use super::spec::{is_same, marked};
use super::{Alteration, Client, DruidError, ParseError, SupervisorStatus, TaskRows, is_ours};

const SUPERVISORS: &str = "/druid/indexer/v1/supervisor";

/// Time between two checks of a supervisor.
pub(super) const LOOK: Duration = Duration::from_millis(500);

/// A supervisor, by its name.
#[derive(Debug, Clone)]
pub struct Supervisor {
    client: Client,
    name: String,
    path: String,
}

/// What a submission changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Submission {
    /// There was none before.
    Created,
    /// Ours, with another spec.
    Updated,
    /// Ours, the same, and suspended.
    Resumed,
    /// Ours, the same, and running.
    Unchanged,
    /// Nothing was submitted: the existing one is used.
    AsItIs,
}

impl Submission {
    /// As in the JSON report.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Resumed => "resumed",
            Self::Unchanged => "there already",
            Self::AsItIs => "used as it is",
        }
    }
}

/// What happens to the supervisor at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DruidAfter {
    /// It continues to read.
    Keep,
    /// It publishes what it has read, and stops.
    Suspend,
    /// It publishes what it has read, and is removed. The rows stay.
    Drop,
}

impl DruidAfter {
    /// As in the flag and the JSON report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Suspend => "suspend",
            Self::Drop => "drop",
        }
    }
}

impl Supervisor {
    /// The supervisor with this name, which need not exist.
    #[must_use]
    pub fn new(client: Client, name: &str) -> Self {
        // Names of datasources may have anything but slashes; characters that a URL reserves are
        // escaped.
        let escaped: String = name
            .bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                    char::from(byte).to_string()
                }
                _ => format!("%{byte:02X}"),
            })
            .collect();
        Self { client, name: name.to_owned(), path: format!("{SUPERVISORS}/{escaped}") }
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same supervisor, whose calls are tried once.
    #[must_use]
    pub fn without_patience(&self) -> Self {
        Self { client: self.client.without_patience(), ..self.clone() }
    }

    /// The same, asked through [`Client::asking_within`].
    #[must_use]
    pub fn asking_within(&self, within: Duration) -> Self {
        Self { client: self.client.asking_within(within), ..self.clone() }
    }

    /// The same supervisor, whose calls are tried once, and tell the run's patience the result.
    #[must_use]
    pub fn trying_once(&self) -> Self {
        Self { client: self.client.trying_once(), ..self.clone() }
    }

    /// A client of the Druid it is in.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Its spec as Druid has it; `None` when there is no such supervisor.
    ///
    /// # Errors
    /// When Druid does not answer, or refuses.
    pub fn spec(&self) -> Result<Option<Value>, DruidError> {
        absent_is_none(self.client.get(&self.path))
    }

    /// Its spec, to be used unchanged.
    ///
    /// # Errors
    /// When there is none; the message names the existing ones.
    pub fn existing_spec(&self) -> Result<Value, DruidError> {
        if let Some(spec) = self.spec()? {
            return Ok(spec);
        }
        let names = self.names()?;
        let others = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        Err(DruidError::NoSupervisor { name: self.name.clone(), others })
    }

    /// The names of all supervisors of its Druid.
    ///
    /// # Errors
    /// When Druid does not answer, or refuses.
    pub(super) fn names(&self) -> Result<Vec<String>, DruidError> {
        let names = self.client.get(SUPERVISORS)?;
        Ok(names
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|name| Some(name.as_str()?.to_owned()))
            .collect())
    }

    /// Submits a spec, marked as ours, unless Druid already runs the same one. What others have changed and
    /// is to be `kept` is put into it.
    ///
    /// # Errors
    /// When the name is taken by a supervisor without our mark and `overwrite` is not set; when
    /// Druid does not answer, or refuses.
    pub fn submit(
        &self,
        spec: Value,
        kept: &[Alteration],
        overwrite: bool,
    ) -> Result<Submission, DruidError> {
        let spec = marked_keeping(spec, kept);
        let there = self.spec()?;
        match &there {
            Some(there) if !overwrite && !is_ours(there) => {
                return Err(DruidError::Foreign { name: self.name.clone() });
            }
            Some(there) if is_same(there, &spec) && !(overwrite && self.is_altered(there)) => {
                if there["suspended"].as_bool() != Some(true) {
                    return Ok(Submission::Unchanged);
                }
                self.resume()?;
                return Ok(Submission::Resumed);
            }
            _ => {}
        }
        self.client.post(SUPERVISORS, Some(&spec))?;
        Ok(if there.is_some() { Submission::Updated } else { Submission::Created })
    }

    /// Whether submitting `spec` would restart the tasks of `there`, a supervisor of ours.
    #[must_use]
    pub fn would_update(there: &Value, spec: &Value) -> bool {
        is_ours(there) && !is_same(there, &marked(spec.clone()))
    }

    /// What was changed by hand in `there`, its present spec. Places in `set` are the user's, and are left to
    /// them. Empty, too, if Druid does not tell its history.
    #[must_use]
    pub fn alterations(&self, there: &Value, set: &[(String, Value)]) -> Vec<Alteration> {
        let history = self.without_patience().history().unwrap_or_default();
        let mut found = alterations(there, &history);
        found.retain(|one| one.stays(set));
        found
    }

    fn is_altered(&self, there: &Value) -> bool {
        !self.alterations(there, &[]).is_empty()
    }

    /// Its status; `None` if there is no such supervisor.
    ///
    /// # Errors
    /// When Druid does not answer, or refuses.
    pub fn status(&self) -> Result<Option<SupervisorStatus>, DruidError> {
        let answer = absent_is_none(self.client.get(&format!("{}/status", self.path)))?;
        Ok(answer.as_ref().map(SupervisorStatus::of))
    }

    /// Totals of its tasks, by task. Only those that run now.
    ///
    /// # Errors
    /// When Druid does not answer, or refuses.
    pub fn rows(&self) -> Result<BTreeMap<String, TaskRows>, DruidError> {
        let answer = absent_is_none(self.client.get(&format!("{}/stats", self.path)))?;
        Ok(TaskRows::by_task(&answer.unwrap_or_default()))
    }

    /// The same by group of tasks.
    ///
    /// # Errors
    /// When Druid does not answer, or refuses.
    pub fn rows_by_group(&self) -> Result<BTreeMap<usize, BTreeMap<String, TaskRows>>, DruidError> {
        let answer = absent_is_none(self.client.get(&format!("{}/stats", self.path)))?;
        Ok(TaskRows::by_group(&answer.unwrap_or_default()))
    }

    /// The last messages that did not become rows.
    ///
    /// # Errors
    /// When Druid does not answer, or refuses.
    pub fn parse_errors(&self) -> Result<Vec<ParseError>, DruidError> {
        let answer = absent_is_none(self.client.get(&format!("{}/parseErrors", self.path)))?;
        Ok(ParseError::all(&answer.unwrap_or_default()))
    }

    /// Starts tasks again after it was suspended.
    ///
    /// # Errors
    /// When Druid does not answer, or refuses; not when it already runs.
    pub fn resume(&self) -> Result<(), DruidError> {
        unless_done(self.client.post(&format!("{}/resume", self.path), None), "already running")
    }

    /// Whether there was one of this name that has been terminated.
    ///
    /// # Errors
    /// When Druid does not answer, or refuses.
    pub fn was_terminated(&self) -> Result<bool, DruidError> {
        // Druid 33 writes the member twice, as NoopSupervisorSpec and then as noop.
        let is_noop = |last: &Value| matches!(last["type"].as_str(), Some("noop" | "NoopSupervisorSpec"));
        Ok(self.history()?.first().is_some_and(is_noop))
    }

    /// Its specs as Druid has had them, the newest first; empty if there never was one.
    ///
    /// # Errors
    /// When Druid does not answer, or refuses.
    pub(super) fn history(&self) -> Result<Vec<Value>, DruidError> {
        let versions = match self.client.get(&format!("{}/history", self.path)) {
            Err(DruidError::Refused { status: 404, .. }) => return Ok(Vec::new()),
            versions => versions?,
        };
        Ok(versions.as_array().into_iter().flatten().map(|version| version["spec"].clone()).collect())
    }

    /// Lets its tasks publish what they have read, and starts no others.
    ///
    /// # Errors
    /// When Druid does not answer, or refuses; not when it is already suspended.
    pub fn suspend(&self) -> Result<(), DruidError> {
        unless_done(self.client.post(&format!("{}/suspend", self.path), None), "already suspended")
    }

    /// Lets its tasks publish what they have read, and removes it. While it is connecting to Kafka
    /// this may take minutes: a call that is not answered in time counts as under way. One that is
    /// already gone is fine: the answer to an earlier call may have been lost.
    ///
    /// # Errors
    /// When Druid refuses, or there is no Druid at all.
    pub fn terminate(&self) -> Result<(), DruidError> {
        match absent_is_none(self.client.post(&format!("{}/terminate", self.path), None)) {
            Err(error) if error.is_timeout() => Ok(()),
            answer => answer.map(|_| ()),
        }
    }

    /// Makes it forget how far it has read: what was not published is read again, or lost.
    ///
    /// # Errors
    /// When Druid does not answer, or refuses.
    pub fn reset(&self) -> Result<(), DruidError> {
        self.client.post(&format!("{}/reset", self.path), None).map(|_| ())
    }

    /// Whether a task has ended: `Some(Ok)` with success, `Some(Err)` with Druid's reason.
    ///
    /// # Errors
    /// When Druid does not answer, or refuses.
    pub fn task_end(&self, task: &str) -> Result<Option<Result<(), String>>, DruidError> {
        let answer = self.client.get(&format!("/druid/indexer/v1/task/{task}/status"))?;
        let status = &answer["status"];
        Ok(match status["statusCode"].as_str().or(status["status"].as_str()) {
            Some("SUCCESS") => Some(Ok(())),
            Some("FAILED") => Some(Err(first_line(status["errorMsg"].as_str().unwrap_or("no reason given")))),
            _ => None,
        })
    }

    /// Waits until a suspended supervisor's tasks have published. Tasks started earlier than that
    /// were seen to start from where the others had started, and then to fail when they publish.
    ///
    /// # Errors
    /// When they do not within `patience`; when `stop` is set.
    pub fn wait_until_published(
        &self,
        datasource: &str,
        patience: Duration,
        stop: &AtomicBool,
        say: &dyn Fn(&str),
    ) -> Result<(), DruidError> {
        let (since, mut said) = (Instant::now(), false);
        loop {
            let (held, _) = self.held(datasource)?;
            if held.is_safe() {
                return Ok(());
            }
            let tasks = if held.tasks == 1 { "1 task".to_owned() } else { format!("{} tasks", held.tasks) };
            let waiting = format!("for {tasks} of the last run to publish");
            if !std::mem::replace(&mut said, true) {
                say(&waiting);
            }
            if self.client.last_change(since).elapsed() > patience {
                let (name, waited, causes) = (self.name.clone(), since.elapsed(), String::new());
                return Err(DruidError::NotReady { name, waited, waiting, causes });
            }
            if stop.load(Ordering::Relaxed) {
                return Err(DruidError::Stopped);
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Ids of the tasks of `datasource` that have not ended.
    ///
    /// # Errors
    /// When Druid does not answer, or refuses.
    pub fn unfinished_tasks(&self, datasource: &str) -> Result<Vec<String>, DruidError> {
        let mut ids = Vec::new();
        for state in ["runningTasks", "pendingTasks", "waitingTasks"] {
            let tasks = self.client.get(&format!("/druid/indexer/v1/{state}"))?;
            let ours = tasks.as_array().into_iter().flatten().filter(|task| task["dataSource"] == datasource);
            ids.extend(ours.filter_map(|task| Some(task["id"].as_str()?.to_owned())));
        }
        Ok(ids)
    }
}

/// Druid refuses to do what is already done, which happens if the answer to an earlier call was
/// lost.
fn unless_done(answer: Result<Value, DruidError>, done: &str) -> Result<(), DruidError> {
    match answer {
        Err(DruidError::Refused { status: 400, line, .. }) if line.contains(done) => Ok(()),
        answer => answer.map(|_| ()),
    }
}

fn absent_is_none(answer: Result<Value, DruidError>) -> Result<Option<Value>, DruidError> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(DruidError::Refused { status: 404, line, .. }) if is_of_supervisor(&line) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_in_addresses() {
        let client = Client::new("http://h:1", &crate::druid::Access::default()).unwrap();
        let supervisor = Supervisor::new(client, "a b/ü");
        assert_eq!(supervisor.path, "/druid/indexer/v1/supervisor/a%20b%2F%C3%BC");
    }
}
