//! Flags of Druid behind a bridge.

use clap::Args;
use serde_json::Value;

use super::druid::pointer_value;
use super::exit::{UsageError, no_effect};
use super::supervisor::datasource;
use super::values;
use crate::options::BridgeDruidOptions;

#[derive(Debug, Args)]
#[command(next_help_heading = "Druid")]
pub(super) struct BridgeDruidArgs {
    /// Have this Druid read the topics: host:8888
    ///
    /// host:8888 or https://host is the address of its router. User and password are read from TWEETBLAST_DRUID_USER and
    /// TWEETBLAST_DRUID_PASSWORD.
    #[arg(long, value_name = "HOST:PORT", value_parser = values::druid, help_heading = "Send to")]
    druid: Option<String>,
    /// Druid datasource [default: the topic's name]
    #[arg(hide_short_help = true, long, value_name = "NAME", value_parser = datasource, conflicts_with = "topic_map")]
    druid_datasource: Option<String>,
    /// Address of Kafka as Druid reaches it [default: the one the bridge uses]
    #[arg(hide_short_help = true, long, value_name = "HOST:PORT", value_parser = values::kafka)]
    druid_kafka: Option<String>,
    /// Member of a message that has its time [default: timestamp]
    ///
    /// ISO 8601, or seconds or milliseconds since 1970. A message without it has the time at which it came.
    #[arg(hide_short_help = true, long, value_name = "NAME")]
    druid_time: Option<String>,
    /// Let Druid make columns of all members that it finds (useSchemaDiscovery) [default: those of tweets]
    #[arg(hide_short_help = true, long)]
    druid_discover: bool,
    /// Replace a supervisor that was not made by tweetblast
    #[arg(hide_short_help = true, long)]
    druid_overwrite: bool,
    /// Set a place in the spec, such as /ioConfig/taskCount=4
    #[arg(hide_short_help = true, long, value_name = "PLACE=VALUE", value_parser = pointer_value)]
    druid_set: Vec<(String, Value)>,
}

impl BridgeDruidArgs {
    /// Refuses flags that would be ignored.
    pub fn check(&self) -> Result<(), UsageError> {
        if self.druid.is_some() {
            return Ok(());
        }
        let flags = [
            ("--druid-datasource", self.druid_datasource.is_some()),
            ("--druid-kafka", self.druid_kafka.is_some()),
            ("--druid-time", self.druid_time.is_some()),
            ("--druid-discover", self.druid_discover),
            ("--druid-overwrite", self.druid_overwrite),
            ("--druid-set", !self.druid_set.is_empty()),
        ];
        no_effect(&flags, "without --druid HOST:8888")
    }

    /// What to do with Druid, if there is one.
    pub fn options(self) -> Option<BridgeDruidOptions> {
        Some(BridgeDruidOptions {
            url: self.druid?,
            datasource: self.druid_datasource,
            kafka: self.druid_kafka,
            time_from: self.druid_time.unwrap_or_else(|| "timestamp".to_owned()),
            discover: self.druid_discover,
            overwrite: self.druid_overwrite,
            set: self.druid_set,
        })
    }
}
