//! Calls to Druid's HTTP API: JSON both ways, with a time-out on each call. A client with
//! [`Patience`] repeats a call while a process of Druid is away; one without tries once.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use ureq::Agent;

use super::stop::Stop;
use super::{Access, Credentials, DruidError, Patience};
use crate::net;

/// Longest wait for an answer: an overlord on a busy machine has taken 12 s.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The same for calls that change a supervisor. The overlord handles them one at a time, and
/// stopping a supervisor that cannot reach its Kafka has taken minutes, while other calls wait.
const ALTER_TIMEOUT: Duration = Duration::from_secs(240);

/// Characters of an answer that are shown.
const LINE_CHARS: usize = 300;

/// One Druid, through its router.
#[derive(Debug, Clone)]
pub struct Client {
    agent: Agent,
    url: String,
    authorization: Option<String>,
    patience: Option<Arc<Patience>>,
    waits: bool,
    /// Longest wait for an answer; `None`: the usual one. Calls that alter a supervisor keep theirs.
    within: Option<Duration>,
    /// `None`: nobody can stop it.
    stop: Option<Stop>,
}

impl Client {
    /// A client for the Druid at `url`. Sends nothing yet.
    ///
    /// # Errors
    /// When that is not an address, or the certificates to trust cannot be read.
    pub fn new(url: &str, access: &Access) -> Result<Self, DruidError> {
        Self::with_timeout(url, access, TIMEOUT)
    }

    pub(super) fn with_timeout(url: &str, access: &Access, timeout: Duration) -> Result<Self, DruidError> {
        let wrong = |reason| DruidError::Url { url: url.to_owned(), reason };
        let (scheme, host) = match url.split_once("://") {
            Some((scheme @ ("http" | "https"), host)) => (scheme, host.trim_end_matches('/')),
            _ => return Err(wrong("it does not begin with http:// or https://")),
        };
        if host.is_empty() || host.contains(|c: char| c.is_whitespace() || "?#@".contains(c)) {
            return Err(wrong("a host and a port are all it may hold"));
        }
        let config = Agent::config_builder()
            .timeout_global(Some(timeout))
            .http_status_as_error(false)
            // Druid is nearby: proxies from the environment are not meant for it.
            .proxy(None)
            .tls_config(access.tls()?)
            .build();
        let authorization = access.credentials.as_ref().map(Credentials::header);
        Ok(Self {
            agent: config.new_agent(),
            url: format!("{scheme}://{host}"),
            authorization,
            patience: None,
            waits: false,
            within: None,
            stop: None,
        })
    }

    /// The same client, which waits at most 2 s for an answer once `stop` is set, and hardly at all
    /// for those that follow one that did not come.
    #[must_use]
    pub fn stopped_by(self, stop: Arc<AtomicBool>) -> Self {
        Self { stop: Some(Stop::new(stop)), ..self }
    }

    /// The same client, for a run: it waits for a process of Druid that is away.
    #[must_use]
    pub fn with_patience(self, patience: Arc<Patience>) -> Self {
        Self { patience: Some(patience), waits: true, ..self }
    }

    /// The same client, which tries once and tells its patience the result.
    #[must_use]
    pub fn trying_once(&self) -> Self {
        Self { waits: false, ..self.clone() }
    }

    /// The same client, which tries once, for calls that a run can do without.
    #[must_use]
    pub fn without_patience(&self) -> Self {
        Self { patience: None, waits: false, ..self.clone() }
    }

    /// The same client, which asks once, and waits no longer than this, for what a run can do without.
    #[must_use]
    pub fn asking_within(&self, within: Duration) -> Self {
        Self { within: Some(within), ..self.without_patience() }
    }

    /// The same client with connections of its own, for which no other call waits.
    #[must_use]
    pub fn with_own_connections(self) -> Self {
        Self { agent: Agent::new_with_config(self.agent.config().clone()), ..self }
    }

    /// When Druid last changed: at `changed`, or when a process of it returned after that.
    pub(crate) fn last_change(&self, changed: Instant) -> Instant {
        self.patience.as_ref().map_or(changed, |patience| patience.last_change(changed))
    }

    /// The address, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Host and port of the address.
    #[must_use]
    pub fn host(&self) -> &str {
        self.url.split_once("://").map_or(&self.url, |(_, host)| host)
    }

    /// Makes sure that somebody listens at the address, and asks nothing: what is wrong there at the start
    /// need not wait for the input to be read. Who does not answer within a second is left for later.
    ///
    /// # Errors
    /// When a connection is refused, or nobody knows the host.
    pub fn check_address(&self) -> Result<(), DruidError> {
        let default_port = if self.url.starts_with("https") { 443 } else { 80 };
        let (host, port) = match self.host().rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().unwrap_or(default_port)),
            _ => (self.host(), default_port),
        };
        match net::reach(host.trim_matches(['[', ']']), port, Duration::from_secs(1)) {
            Err(reason) if !reason.starts_with("no answer") => {
                let url = self.url.clone();
                Err(DruidError::Unreachable { method: "GET", url, reason, hint: "" })
            }
            _ => Ok(()),
        }
    }

    /// Asks for `path`, which begins with a slash.
    ///
    /// # Errors
    /// When there is no answer, or it reports a failure, or is not JSON.
    pub fn get(&self, path: &str) -> Result<Value, DruidError> {
        self.call("GET", path, None)
    }

    /// Sends a POST request with `body`, or without one.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn post(&self, path: &str, body: Option<&Value>) -> Result<Value, DruidError> {
        self.call("POST", path, Some(body))
    }

    /// The rows returned by an SQL query. Counts of distinct values are exact.
    ///
    /// # Errors
    /// As [`get`](Self::get). A datasource that Druid does not know yet has no rows.
    pub fn sql(&self, query: &str, parameters: &[Value]) -> Result<Vec<Value>, DruidError> {
        let parameters: Vec<Value> = parameters
            .iter()
            .map(|value| json!({ "type": if value.is_string() { "VARCHAR" } else { "BIGINT" }, "value": value }))
            .collect();
        let mut context = uncached();
        context["useApproximateCountDistinct"] = false.into();
        let body = json!({"query": query, "parameters": parameters, "context": context});
        match self.post("/druid/v2/sql", Some(&body)) {
            Ok(Value::Array(rows)) => Ok(rows),
            Ok(other) => Err(self.not_understood("POST", "/druid/v2/sql", "no rows", &other.to_string())),
            Err(DruidError::Refused { status: 400, line, .. })
                if line.contains("Object '") && line.contains("not found") =>
            {
                Ok(Vec::new())
            }
            Err(error) => Err(error),
        }
    }

    /// Runs an empty query, to check that Druid answers queries.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn check_sql(&self) -> Result<(), DruidError> {
        self.sql("SELECT 1", &[]).map(|_| ())
    }

    pub(super) fn not_understood(
        &self,
        method: &'static str,
        path: &str,
        reason: impl Into<String>,
        text: &str,
    ) -> DruidError {
        let url = format!("{}{path}", self.url);
        DruidError::Answer { method, url, reason: reason.into(), line: first_line(text) }
    }

    fn call(
        &self,
        method: &'static str,
        path: &str,
        body: Option<Option<&Value>>,
    ) -> Result<Value, DruidError> {
        let Some(patience) = &self.patience else { return self.try_call(method, path, body) };
        loop {
            let asked = Instant::now();
            match self.try_call(method, path, body) {
                // A termination continues by itself, and its answer may take minutes.
                Err(error) if error.is_passing() && !(error.is_timeout() && path.ends_with("/terminate")) => {
                    match patience.failed(&self.url, path, asked, error) {
                        Ok(_) if self.waits => patience.pause(),
                        Ok(error) | Err(error) => return Err(error),
                    }
                }
                answer => {
                    patience.answered(path, asked);
                    return answer;
                }
            }
        }
    }

    fn try_call(
        &self,
        method: &'static str,
        path: &str,
        body: Option<Option<&Value>>,
    ) -> Result<Value, DruidError> {
        let body = body.map(|body| body.map_or(String::new(), Value::to_string));
        let Some(stop) = &self.stop else { return self.request(method, path, body) };
        let (client, asked) = (self.clone(), path.to_owned());
        let answer = stop.bound(move || client.request(method, &asked, body));
        let silent = |reason: String| DruidError::Unreachable {
            method,
            url: format!("{}{path}", self.url),
            hint: "",
            reason,
        };
        match answer {
            Ok(Some(answer)) => answer,
            Ok(None) => Err(silent("no answer after the stop".to_owned())),
            Err(error) => Err(silent(format!("cannot start a thread: {}", net::words(&error)))),
        }
    }

    /// One request, and its answer. Blocks up to the time-out.
    fn request(&self, method: &'static str, path: &str, body: Option<String>) -> Result<Value, DruidError> {
        let url = format!("{}{path}", self.url);
        let unreachable = |error: ureq::Error| DruidError::Unreachable {
            method,
            url: url.clone(),
            hint: tls_hint(&error),
            reason: reason_of(&error),
        };
        let answer = match body {
            None => {
                let request = self.authorized(self.agent.get(&url));
                match self.within {
                    Some(_) => request.config().timeout_global(self.within).build().call(),
                    None => request.call(),
                }
            }
            Some(body) => {
                let request =
                    self.authorized(self.agent.post(&url)).header("Content-Type", "application/json");
                // The client does not wait for a termination: it continues by itself.
                let slow = path.starts_with("/druid/indexer/v1/supervisor") && !path.ends_with("/terminate");
                match if slow { Some(ALTER_TIMEOUT) } else { self.within } {
                    None => request.send(body),
                    within => request.config().timeout_global(within).build().send(body),
                }
            }
        };
        let mut answer = answer.map_err(unreachable)?;
        let text = answer.body_mut().read_to_string().map_err(unreachable)?;
        let status = answer.status().as_u16();
        if !(200..300).contains(&status) {
            let line = reason_in(&text);
            let hint = hint(status, &line, path);
            return Err(DruidError::Refused { method, url, status, line, hint });
        }
        if text.trim().is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&text)
            .map_err(|error| self.not_understood(method, path, error.to_string(), &text))
    }

    fn authorized<T>(&self, request: ureq::RequestBuilder<T>) -> ureq::RequestBuilder<T> {
        match &self.authorization {
            Some(authorization) => request.header("Authorization", authorization),
            None => request,
        }
    }
}

/// Why there is no answer, in a few words.
pub fn reason_of(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Io(error) => net::words(error),
        ureq::Error::HostNotFound => "unknown host".to_owned(),
        other => other.to_string(),
    }
}

/// What to do when TLS is the problem.
fn tls_hint(error: &ureq::Error) -> &'static str {
    let words = error.to_string();
    match () {
        () if words.contains("UnknownIssuer") => {
            " TWEETBLAST_DRUID_CA=FILE names the certificate of the authority that signed its own."
        }
        () if words.contains("InvalidContentType") => " It speaks no TLS there: use http://.",
        () => "",
    }
}

/// The context of a query whose result changes all the time: it must not come out of a cache.
pub(super) fn uncached() -> Value {
    json!({"useCache": false, "populateCache": false})
}

/// What to do about a refusal, if that is known.
fn hint(status: u16, line: &str, path: &str) -> &'static str {
    match status {
        401 | 403 => "; set TWEETBLAST_DRUID_USER and TWEETBLAST_DRUID_PASSWORD to a user who may do that",
        _ if line.contains("Could not resolve type id 'kafka") => {
            "; add \"druid-kafka-indexing-service\" to druid.extensions.loadList of every service, and restart them"
        }
        404 if path.starts_with("/druid/v2") || path == "/status" => {
            "; that is no router or broker: give the router's address, usually port 8888"
        }
        404 if path.starts_with("/druid/indexer/") && !is_of_supervisor(line) => {
            "; give the router's address, and set druid.router.managementProxy.enabled=true there"
        }
        503 => "; the overlord has no leader yet, or Druid is overloaded",
        _ => "",
    }
}

/// Whether that is the overlord's word on a supervisor that it does not have, or that is about to go; a router
/// that leads to no overlord shows a page.
pub(super) fn is_of_supervisor(line: &str) -> bool {
    line.contains("supervisor") || line.contains("does not exist")
}

/// The readable message in an error of Druid's, or its first line.
fn reason_in(text: &str) -> String {
    let json: Value = serde_json::from_str(text).unwrap_or_default();
    let words = ["errorMessage", "error", "message"].iter().find_map(|key| json[key].as_str());
    first_line(words.unwrap_or(text))
}

/// The first line of a text, or the title of an HTML page.
pub(super) fn first_line(text: &str) -> String {
    let text = match text.trim_start().starts_with('<') {
        true => title(text).unwrap_or("a page of HTML"),
        false => text,
    };
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("(nothing)");
    line.chars().take(LINE_CHARS).collect()
}

fn title(page: &str) -> Option<&str> {
    let (_, rest) = page.split_once("<title>")?;
    Some(rest.split_once("</title>")?.0).filter(|title| !title.trim().is_empty())
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
