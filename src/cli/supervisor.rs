//! The supervisor that a step of `tweetblast druid` changes, and what its Kafka requires.

use std::time::Duration;

use clap::Args;

use super::values;
use crate::druid::{Client, ConsumerSecurity, DruidError, Supervisor};
use crate::options::DEFAULT_TOPIC;
use crate::pipeline::{io_config, listens};
use crate::report::counted;

/// How long `druid terminate` waits until Druid no longer has the supervisor: one that cannot reach Kafka takes half a minute.
const REMOVED: Duration = Duration::from_secs(60);

/// The librdkafka properties of a secured Kafka.
#[derive(Debug, Args)]
pub(super) struct PropertiesArgs {
    /// Set a librdkafka property; @FILE has one per line. What they say of TLS and SASL is for Druid, too
    #[arg(short = 'X', value_name = "KEY=VALUE|@FILE", value_parser = values::properties)]
    properties: Vec<Vec<(String, String)>>,
}

impl PropertiesArgs {
    pub fn security(&self) -> Result<ConsumerSecurity, DruidError> {
        ConsumerSecurity::of(&self.properties.concat())
    }
}

#[derive(Debug, Args)]
pub(super) struct SupervisorName {
    /// Supervisor [default: tweets]
    #[arg(default_value = DEFAULT_TOPIC, hide_default_value = true, value_parser = datasource)]
    pub name: String,
}

#[derive(Debug, Args)]
pub(super) struct SupervisorChange {
    #[command(flatten)]
    pub name: SupervisorName,
    /// Also change a supervisor that was not made by tweetblast
    #[arg(long)]
    druid_overwrite: bool,
}

impl SupervisorChange {
    /// The supervisor, if it is there and may be altered.
    pub fn supervisor(&self, client: Client) -> anyhow::Result<Supervisor> {
        let name = &self.name.name;
        let supervisor = Supervisor::new(client, name);
        if !crate::druid::is_ours(&supervisor.existing_spec()?) && !self.druid_overwrite {
            anyhow::bail!(
                "Druid's supervisor {name} was not made by tweetblast and stays as it is; --druid-overwrite does it all \
                 the same"
            );
        }
        Ok(supervisor)
    }

    /// Terminates it, unless that was done before; says which rows are not durable yet.
    pub fn terminate(&self, client: Client) -> anyhow::Result<String> {
        let name = &self.name.name;
        let there = Supervisor::new(client.clone(), name);
        if there.spec()?.is_none() && there.was_terminated()? {
            return Ok(format!("supervisor {name} was terminated before; its rows stay"));
        }
        let supervisor = self.supervisor(client)?;
        let spec = supervisor.existing_spec()?;
        let (held, rows) = supervisor.unpublished(&spec)?;
        supervisor.remove(REMOVED)?;
        if held.is_safe() {
            return Ok(format!("supervisor {name} terminated; its rows stay, in published segments"));
        }
        let kafka = io_config(&spec)["consumerProperties"]["bootstrap.servers"].as_str().unwrap_or("?");
        let needs = match listens(kafka) {
            Some(false) => {
                format!("nothing listens at {kafka}, and without its Kafka they are lost: start it now")
            }
            _ => format!("its Kafka at {kafka} must stay up until then"),
        };
        let tasks = counted(held.tasks as u64, "task");
        Ok(format!(
            "supervisor {name} terminated; {} of {tasks} not durable yet: published within seconds to minutes; {needs}",
            if rows == 1 { "1 row".to_owned() } else { counted(rows, "row") },
        ))
    }
}

/// Druid refuses slashes and white space at the ends of a name.
pub(super) fn datasource(text: &str) -> Result<String, String> {
    let fits = !text.is_empty()
        && !text.contains(['/', '\n', '\t'])
        && text.trim() == text
        && !text.starts_with('.');
    if fits {
        Ok(text.to_owned())
    } else {
        Err("must be the name of a datasource, without a slash".to_owned())
    }
}
