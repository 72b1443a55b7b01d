//! Superset: whether it is up, and shows our datasource to anonymous visitors.

use crate::options::ReplayOptions;
use std::time::Duration;

use serde_json::Value;

use super::exam::Exam;
use crate::druid::reason_of;

/// Longest wait for an answer: its first one after a start takes seconds.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The dashboard of `docker/superset`, by its slug.
const DASHBOARD: &str = "tweets";

/// Checks the dashboard and its dataset, as an anonymous visitor.
pub(super) fn check(url: &str, options: &ReplayOptions, exam: &mut Exam<'_>) {
    let url = url.trim_end_matches('/');
    let datasource =
        options.druid.as_ref().and_then(|druid| druid.datasource.as_ref()).unwrap_or(&options.kafka.topic);
    if let Err(reason) = get(&format!("{url}/health")) {
        return exam.fail(
            "superset",
            format!("{url} does not answer ({reason}): `docker/native/stack up superset`"),
        );
    }
    exam.ok("superset", format!("{url} answers"));
    let answer = match get(&format!("{url}/api/v1/dashboard/{DASHBOARD}/datasets")) {
        Ok(answer) => answer,
        Err(reason) => {
            return exam.fail(
                "dataset",
                format!(
                    "the dashboard {DASHBOARD} cannot be seen without a login ({reason}): import docker/superset, or \
                     give it the role Public"
                ),
            );
        }
    };
    let datasets: Value = serde_json::from_str(&answer).unwrap_or_default();
    let names: Vec<&str> = datasets["result"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|set| set["table_name"].as_str())
        .collect();
    if names.contains(&datasource.as_str()) {
        exam.ok("dataset", format!("{datasource} is shown at {url}/superset/dashboard/{DASHBOARD}/"));
    } else {
        exam.fail(
            "dataset",
            format!(
                "the dashboard {DASHBOARD} shows {}, not {datasource}: edit its dataset",
                names.join(", ")
            ),
        );
    }
}

/// The answer's text, or the failure that it reports.
fn get(url: &str) -> Result<String, String> {
    let agent = ureq::Agent::config_builder().timeout_global(Some(TIMEOUT)).proxy(None).build().new_agent();
    let mut answer = agent.get(url).call().map_err(|error| reason_of(&error))?;
    answer.body_mut().read_to_string().map_err(|error| reason_of(&error))
}
