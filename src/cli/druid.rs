//! Flags of the Druid hop, and `tweetblast druid`: each of its steps alone.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::{Args, Subcommand};
use serde_json::Value;

use super::exit::{UsageError, no_effect};
use super::json::{JsonArgs, write_report};
use super::supervisor::{PropertiesArgs, SupervisorChange, SupervisorName, datasource};
use super::tasks::{ReplayTaskArgs, TaskArgs};
use super::{help, values};
use crate::druid::{
    Access, Client, DruidAfter, DruidError, Granularity, SpecOptions, Supervisor, keep_dimensions, make_spec,
    set_pointer, sets_dimensions,
};
use crate::event::PayloadForm;
use crate::options::{DEFAULT_TOPIC, DRUID_TIMEOUT, DruidOptions, UsersInto};
use crate::pipeline::altered;
use crate::report::{SupervisorReport, write_supervisor};

/// Of the replay.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Druid")]
pub(super) struct DruidArgs {
    /// Have this Druid read the topic: host:8888
    ///
    /// host:8888 or https://host is the address of its router. The replay ends when every tweet can be queried. User and
    /// password are read from TWEETBLAST_DRUID_USER and TWEETBLAST_DRUID_PASSWORD.
    #[arg(long, alias = "druid-url", value_name = "HOST:PORT", value_parser = values::druid, help_heading = "Send to")]
    druid: Option<String>,
    /// Druid datasource [default: the topic's name]
    #[arg(hide_short_help = true, long, value_name = "NAME", value_parser = datasource,
        conflicts_with = "druid_supervisor")]
    druid_datasource: Option<String>,
    /// Address of Kafka as Druid reaches it [default: the one the replay uses]
    #[arg(hide_short_help = true, long, value_name = "HOST:PORT", value_parser = values::kafka,
        conflicts_with = "druid_supervisor")]
    druid_kafka: Option<String>,
    /// Replace a supervisor that was not made by tweetblast
    #[arg(hide_short_help = true, long, conflicts_with = "druid_supervisor")]
    druid_overwrite: bool,
    /// Use this supervisor as it is
    #[arg(hide_short_help = true, long, value_name = "NAME",
        conflicts_with_all = ["druid_spec", "druid_set", "druid_after"])]
    druid_supervisor: Option<String>,
    /// Submit this supervisor spec; its topic and Kafka address are replaced
    #[arg(hide_short_help = true, long, value_name = "FILE")]
    druid_spec: Option<PathBuf>,
    /// Set a place in the spec, such as /ioConfig/taskCount=4
    #[arg(hide_short_help = true, long, value_name = "PLACE=VALUE", value_parser = pointer_value)]
    druid_set: Vec<(String, Value)>,
    /// Let Druid find the columns of events itself (useSchemaDiscovery) [default: those of the first records]
    #[arg(hide_short_help = true, long, conflicts_with_all = ["druid_supervisor", "druid_spec"])]
    druid_discover: bool,
    #[command(flatten)]
    tasks: ReplayTaskArgs,
    /// Druid datasource for the --enrich table; off: don't load it [default: the tweets' datasource with _users]
    ///
    /// One row per user, including users without tweets.
    #[arg(hide_short_help = true, long, value_name = "NAME|off", value_parser = datasource)]
    druid_users: Option<String>,
    /// What to do with the supervisor at the end [default: suspend with the embedded Kafka, keep with a
    /// real one]
    ///
    /// The embedded Kafka ends with the replay, so Druid must have published its messages before.
    #[arg(hide_short_help = true, long, value_enum, value_name = "WHAT")]
    druid_after: Option<DruidAfter>,
    /// Give up when Druid has made no progress for this long [default: 3m]
    ///
    /// Or when a process of it was away for this long.
    #[arg(hide_short_help = true, long, value_name = "TIME", value_parser = values::duration)]
    druid_timeout: Option<Duration>,
    /// Ask Druid the dashboard's queries during the replay: 5/s
    ///
    /// Those of the charts, in turn; how long they took is in the report.
    #[arg(hide_short_help = true, long, value_name = "N/s", value_parser = values::rate)]
    query_load: Option<f64>,
}

const WITHOUT_DRUID: &str = "without --druid HOST:8888";

impl DruidArgs {
    /// Refuses flags that would be ignored.
    pub fn check(&self) -> Result<(), UsageError> {
        if self.druid.is_some() {
            if self.druid_supervisor.is_some() {
                no_effect(&self.tasks.given(), "with --druid-supervisor, which uses one as it is")?;
            }
            // What is in a file that holds the spec is known later.
            return match self.druid_spec {
                Some(_) => Ok(()),
                None => set_places(&mut make_spec(&any_spec()), &self.druid_set),
            };
        }
        no_effect(&self.tasks.given(), WITHOUT_DRUID)?;
        let flags = [
            ("--druid-datasource", self.druid_datasource.is_some()),
            ("--druid-kafka", self.druid_kafka.is_some()),
            ("--druid-overwrite", self.druid_overwrite),
            ("--druid-supervisor", self.druid_supervisor.is_some()),
            ("--druid-spec", self.druid_spec.is_some()),
            ("--druid-set", !self.druid_set.is_empty()),
            ("--druid-discover", self.druid_discover),
            ("--druid-users", self.druid_users.is_some()),
            ("--druid-after", self.druid_after.is_some()),
            ("--druid-timeout", self.druid_timeout.is_some()),
            ("--query-load", self.query_load.is_some()),
        ];
        no_effect(&flags, WITHOUT_DRUID)
    }

    /// What to do with Druid, if there is one.
    pub fn options(self) -> Option<DruidOptions> {
        Some(DruidOptions {
            url: self.druid?,
            datasource: self.druid_datasource,
            kafka: self.druid_kafka,
            overwrite: self.druid_overwrite,
            supervisor: self.druid_supervisor,
            spec: self.druid_spec,
            set: [self.tasks.places(), self.druid_set].concat(),
            discover: self.druid_discover,
            users: match self.druid_users {
                None => UsersInto::Beside,
                Some(off) if off == "off" => UsersInto::Nowhere,
                Some(name) => UsersInto::Named(name),
            },
            after: self.druid_after,
            query_load: self.query_load,
            timeout: self.druid_timeout.unwrap_or(DRUID_TIMEOUT),
        })
    }
}

/// A place in a spec and its value: JSON, or else a string.
pub(super) fn pointer_value(text: &str) -> Result<(String, Value), String> {
    match text.split_once('=') {
        Some((place, value)) if place.starts_with('/') => {
            Ok((place.to_owned(), serde_json::from_str(value).unwrap_or_else(|_| value.into())))
        }
        _ => Err("must be a place and its value, such as /ioConfig/taskCount=4".to_owned()),
    }
}

/// `tweetblast druid`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{}", help::DRUID))]
pub(super) struct DruidCommand {
    #[command(subcommand)]
    step: Step,
    /// Address of Druid's router [default: 127.0.0.1:8888]
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8888", hide_default_value = true,
        value_parser = values::druid, global = true)]
    druid: String,
}

const EXAMPLES: &str = "\
Examples:
  tweetblast druid spec
  tweetblast druid submit --druid-set /ioConfig/taskCount=4
  tweetblast druid status --json -
  tweetblast druid suspend other-tweets";

#[derive(Debug, Subcommand)]
enum Step {
    /// Print the supervisor spec for our messages
    Spec(SpecArgs),
    /// Submit the spec, unless Druid already runs the same one
    Submit(SubmitArgs),
    /// Show what a supervisor does, and which messages it could not parse
    Status(StatusArgs),
    /// Suspend a supervisor; its tasks publish what they have read
    Suspend(SupervisorChange),
    /// Resume a suspended supervisor
    Resume(SupervisorChange),
    /// Remove a supervisor; its tasks publish what they have read, and its rows stay
    Terminate(SupervisorChange),
    /// Make a supervisor forget its Kafka offsets; unpublished rows are read again, or lost
    Reset(SupervisorChange),
    /// Print the environment variables that Druid needs for a secured Kafka, secrets and all
    Secrets(PropertiesArgs),
}

#[derive(Debug, Args)]
struct SpecArgs {
    /// Topic to read [default: tweets]
    #[arg(long, short = 't', alias = "topic-name", default_value = DEFAULT_TOPIC, hide_default_value = true,
        value_name = "NAME", value_parser = values::topic)]
    topic: String,
    /// Druid datasource [default: the topic's name]
    #[arg(long, value_name = "NAME", value_parser = datasource)]
    druid_datasource: Option<String>,
    /// Address of Kafka as Druid reaches it [default: 127.0.0.1:9092]
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:9092", hide_default_value = true,
        value_parser = values::kafka)]
    druid_kafka: String,
    /// What a message holds [default: tweet]
    #[arg(long, value_enum, default_value_t = PayloadForm::Tweet, hide_default_value = true)]
    payload: PayloadForm,
    /// Number of tasks that read in parallel [default: 1]
    #[arg(long, alias = "task-count", value_name = "N", default_value = "1", hide_default_value = true,
        value_parser = values::count::<usize>(1..=1_000))]
    tasks: usize,
    #[command(flatten)]
    task: TaskArgs,
    /// Length of a segment [default: hour]
    #[arg(long, value_enum, default_value_t = Granularity::Hour, hide_default_value = true)]
    granularity: Granularity,
    /// Set a place in the spec, such as /ioConfig/taskCount=4
    #[arg(long, value_name = "PLACE=VALUE", value_parser = pointer_value)]
    druid_set: Vec<(String, Value)>,
    #[command(flatten)]
    properties: PropertiesArgs,
}

#[derive(Debug, Args)]
struct SubmitArgs {
    #[command(flatten)]
    spec: SpecArgs,
    /// Replace a supervisor that was not made by tweetblast
    #[arg(long)]
    druid_overwrite: bool,
}

#[derive(Debug, Args)]
struct StatusArgs {
    #[command(flatten)]
    supervisor: SupervisorName,
    #[command(flatten)]
    json: JsonArgs,
}

impl DruidCommand {
    /// Does the one step.
    pub fn run(self) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        let client = Client::new(&self.druid, &Access::from_env()?)?;
        match self.step {
            Step::Spec(args) => writeln!(out, "{:#}", args.spec()?.1)?,
            Step::Submit(args) => {
                let (name, mut spec) = args.spec.spec()?;
                let supervisor = Supervisor::new(client, &name);
                let mut kept = Vec::new();
                if let Some(there) = supervisor.spec()?.filter(crate::druid::is_ours) {
                    if !sets_dimensions(&args.spec.druid_set) {
                        keep_dimensions(&mut spec, &there);
                    }
                    if !args.druid_overwrite {
                        kept = supervisor.alterations(&there, &args.spec.druid_set);
                    }
                }
                let done = supervisor.submit(spec, &kept, args.druid_overwrite)?;
                writeln!(out, "supervisor {name} {}", done.name())?;
                if !kept.is_empty() {
                    writeln!(out, "{}", altered(&name, &kept))?;
                }
            }
            Step::Status(args) => {
                let mut json = args.json.open(&[])?;
                let report = status(&Supervisor::new(client, &args.supervisor.name))?;
                match &mut json {
                    Some(json) => write_report(&report, json)?,
                    None => {
                        let mut page = String::new();
                        write_supervisor(&report, &mut page)?;
                        out.write_all(page.as_bytes())?;
                    }
                }
            }
            Step::Suspend(named) => {
                named.supervisor(client)?.suspend()?;
                writeln!(
                    out,
                    "supervisor {} suspended; its tasks publish what they have read",
                    named.name.name
                )?;
            }
            Step::Resume(named) => {
                named.supervisor(client)?.resume()?;
                writeln!(out, "supervisor {} resumed", named.name.name)?;
            }
            Step::Terminate(named) => writeln!(out, "{}", named.terminate(client)?)?,
            Step::Reset(named) => {
                named.supervisor(client)?.reset()?;
                writeln!(out, "supervisor {} reset; it reads from where its spec says", named.name.name)?;
            }
            Step::Secrets(args) => write!(out, "{}", args.security()?.exports())?,
        }
        Ok(())
    }
}

impl SpecArgs {
    /// The supervisor's name, and the spec.
    fn spec(&self) -> anyhow::Result<(String, Value)> {
        let mut spec = make_spec(&SpecOptions {
            datasource: self.druid_datasource.clone().unwrap_or_else(|| self.topic.clone()),
            topic: self.topic.clone(),
            kafka: self.druid_kafka.clone(),
            extra: Vec::new(),
            events: None,
            form: self.payload,
            tasks: self.tasks,
            granularity: self.granularity,
        });
        self.properties.security()?.put_into(&mut spec["spec"]["ioConfig"]["consumerProperties"]);
        set_places(&mut spec, &self.task.places())?;
        set_places(&mut spec, &self.druid_set)?;
        let name = spec["spec"]["dataSchema"]["dataSource"].as_str().unwrap_or_default().to_owned();
        Ok((name, spec))
    }
}

/// Options of a spec whose places are those of any that we make.
fn any_spec() -> SpecOptions {
    SpecOptions {
        datasource: DEFAULT_TOPIC.to_owned(),
        topic: DEFAULT_TOPIC.to_owned(),
        kafka: String::new(),
        extra: Vec::new(),
        events: None,
        form: PayloadForm::Tweet,
        tasks: 1,
        granularity: Granularity::Hour,
    }
}

fn set_places(spec: &mut Value, places: &[(String, Value)]) -> Result<(), UsageError> {
    let wrong = |error: DruidError| UsageError::value(error.to_string());
    places.iter().try_for_each(|(place, value)| set_pointer(spec, place, value.clone()).map_err(wrong))
}

/// A supervisor as it is now.
fn status(supervisor: &Supervisor) -> anyhow::Result<SupervisorReport> {
    supervisor.existing_spec()?;
    let name = supervisor.name();
    let status = supervisor.status()?.with_context(|| format!("Druid has no supervisor {name}"))?;
    Ok(SupervisorReport::new(name, status, supervisor.rows()?, supervisor.parse_errors()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_in_a_spec_are_json_or_else_text() {
        assert_eq!(pointer_value("/a/b=4"), Ok(("/a/b".into(), 4.into())));
        assert_eq!(pointer_value("/a=PT1H"), Ok(("/a".into(), "PT1H".into())));
        assert_eq!(pointer_value("/a=x=y"), Ok(("/a".into(), "x=y".into())));
        assert!(pointer_value("a=4").is_err() && pointer_value("/a").is_err());
    }

    #[test]
    fn names_of_datasources_are_checked() {
        assert!(datasource("tweets 2").is_ok());
        for wrong in ["", "a/b", " a", ".a"] {
            assert!(datasource(wrong).is_err(), "{wrong}");
        }
    }
}
