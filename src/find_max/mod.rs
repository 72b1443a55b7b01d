//! `tweetblast find-max`: drives a [`Search`](crate::limit::Search) with a replay whose rate it changes, on one side, and
//! what Kafka and Druid say on the other.
//!
//! ```text
//!  stage (topic, supervisor) ─▶ replay, --loop forever ─▶ Kafka ─▶ Druid
//!                                 ▲ rate, pause                      │
//!                                 └──── Search ◀── Observer ◀────────┘
//! ```

mod drive;
mod observer;
mod options;
mod progress;
mod stage;
mod steering;

use serde_json::Value;

use crate::druid::{Access, Client, DruidError};
use crate::options::{KafkaChoice, Session};
use crate::pipeline::{Goal, Opened, ReplayError, opening};
use crate::report::{Environment, FIND_MAX_VERSION, FindMaxReport, OpeningBar, SearchReport, WantedRate};

pub use options::FindMaxOptions;

/// Searches, once or for each value of the sweep. Blocks until the last search is over and what belongs to it is dropped.
///
/// # Errors
/// When a search cannot start or continue; what it made is dropped then, too.
pub fn find_max(options: &FindMaxOptions, session: &Session) -> Result<FindMaxReport, ReplayError> {
    let KafkaChoice::Cluster(kafka) = &options.replay.kafka.cluster else {
        return Err(ReplayError::Usage("find-max needs a real Kafka: --kafka HOST:9092".to_owned()));
    };
    let Some(druid) = &options.replay.druid else {
        return Err(ReplayError::Usage("find-max needs a Druid: --druid HOST:8888".to_owned()));
    };
    stage::check(druid)?;
    let watch = OpeningBar::new(&session.screen);
    let watch = |state| watch.show(state);
    let opened = &Opened::new(&options.replay, &opening(&options.replay, Goal::Replay, session, &watch))?;
    let mut searches: Vec<SearchReport> = Vec::new();
    let values =
        options.sweep.iter().flat_map(|(place, values)| values.iter().map(move |value| (place, value)));
    let sweep: Vec<Option<(&String, &Value)>> = match &options.sweep {
        Some(_) => values.map(Some).collect(),
        None => vec![None],
    };
    for swept in sweep {
        let searched = drive::search(options, opened, swept, session);
        searches.push(searched.map_err(|error| match error {
            ReplayError::Druid(DruidError::Stopped) => ReplayError::Stopped,
            error => error,
        })?);
        if session.is_stopped() {
            break;
        }
    }
    Ok(FindMaxReport {
        find_max_version: FIND_MAX_VERSION,
        tweetblast_version: env!("CARGO_PKG_VERSION"),
        druid: Client::new(&druid.url, &Access::from_env()?)?.url().to_owned(),
        kafka: kafka.clone(),
        quick: options.quick,
        wanted: options.wanted_per_s.map(|per_s| wanted(per_s, &searches)),
        environment: Environment::of_process(rdkafka::util::get_rdkafka_version().1),
        exit_code: searches.iter().map(|search| search.exit_code).find(|code| *code != 0).unwrap_or(0),
        searches,
    })
}

/// The fewest tasks that were seen to hold a rate; otherwise computed from the best rate per task.
fn wanted(rows_per_s: f64, searches: &[SearchReport]) -> WantedRate {
    let held = searches.iter().filter_map(|search| Some((search, search.sustainable_per_s?)));
    let enough = held.clone().filter(|(_, held)| *held >= rows_per_s).map(|(search, _)| search);
    let fewest = enough.min_by_key(|search| search.tasks);
    let replicas = searches.first().map_or(1, |search| search.replicas);
    let (task_count, measured) = match fewest {
        Some(search) => (Some(search.tasks), true),
        None => {
            let per_task = held.filter_map(|(search, _)| search.per_task_per_s).reduce(f64::min);
            (per_task.map(|per_task| (rows_per_s / per_task).ceil() as usize), false)
        }
    };
    let worker_slots = task_count.map(|tasks| 2 * replicas * tasks);
    WantedRate { rows_per_s, task_count, measured, worker_slots }
}
