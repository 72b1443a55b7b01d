//! Values that are one of a few: the report has their names, and its schema lists them.

#[cfg(test)]
use std::borrow::Cow;

#[cfg(test)]
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

use crate::count::{OutageEnd, OutageHop};
use crate::druid::{CauseName, DruidAfter, Submission};
use crate::enrich::{ColumnReject, ColumnType};
use crate::pace::{FileOrder, Order};
use crate::source::Format;

/// Share of the time that a hop must have been blocked by the next one to count as held up.
pub const HELD_UP: f64 = 0.2;

/// Which hop held the others up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bottleneck {
    /// The plan was kept.
    None,
    /// Reading, parsing and encoding.
    Tweetblast,
    /// The acknowledgements of the MQTT broker.
    MqttWindow,
    /// The acknowledgements of Kafka.
    KafkaAcks,
    /// Rows that came long after their tweets.
    Druid,
    /// The outside MQTT broker was away.
    MqttAway,
    /// Kafka, or one of its brokers, was away.
    KafkaAway,
    /// Druid, or one of its processes, was away.
    DruidAway,
}

impl Bottleneck {
    /// As in the JSON report.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Tweetblast => "tweetblast",
            Self::MqttWindow => "mqtt window",
            Self::KafkaAcks => "kafka acks",
            Self::Druid => "druid",
            Self::MqttAway => "mqtt away",
            Self::KafkaAway => "kafka away",
            Self::DruidAway => "druid away",
        }
    }

    /// The hop that held up a run that was not on time, by the shares of the time that went into waits for Kafka's
    /// acknowledgements, for those of the MQTT broker, and for the queues after it: checked from the last to the
    /// first, because a full hop fills the ones before it.
    pub fn held_up(kafka: f64, mqtt: f64, bridge: f64) -> Self {
        if kafka > HELD_UP {
            Self::KafkaAcks
        } else if mqtt > HELD_UP && bridge <= HELD_UP {
            Self::MqttWindow
        } else {
            Self::Tweetblast
        }
    }

    /// What was away on this hop.
    pub fn away(hop: OutageHop) -> Self {
        match hop {
            OutageHop::Mqtt => Self::MqttAway,
            OutageHop::Kafka => Self::KafkaAway,
            OutageHop::Druid => Self::DruidAway,
        }
    }
}

/// Within what tweets and rows were paired in the order in which they came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PairedBy {
    /// Exact.
    Partition,
    /// With several producers: only the distribution as a whole is near the truth.
    Run,
}

impl PairedBy {
    /// As in the JSON report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Partition => "partition",
            Self::Run => "run",
        }
    }
}

/// Layout of the bytes of all files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputFormat {
    /// The same in each.
    One(Format),
    /// Not the same.
    Mixed,
}

impl InputFormat {
    /// In words for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::One(framing) => framing.name(),
            Self::Mixed => "files of several formats",
        }
    }

    /// As in the JSON report: what `--format` takes.
    pub fn name(self) -> &'static str {
        match self {
            Self::One(framing) => framing.flag(),
            Self::Mixed => "mixed",
        }
    }
}

/// Writes values of a type as what its `name()` gives. All variants are listed, or it does not compile:
/// the schema has the name of each.
macro_rules! by_name {
    ($type:ident: $($variant:ident $(($($value:expr),+))? $({ $($field:ident: $of:expr),+ })?),+) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        const _: fn($type) = |value| match value {
            $($type::$variant { .. } => {})+
        };

        #[cfg(test)]
        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                let names = [$($type::$variant $(($($value),+))? $({ $($field: $of),+ })?.name()),+];
                json_schema!({ "type": "string", "enum": names })
            }
        }
    };
}

by_name!(Bottleneck: None, Tweetblast, MqttWindow, KafkaAcks, Druid, MqttAway, KafkaAway, DruidAway);
by_name!(OutageHop: Mqtt, Kafka, Druid);
by_name!(OutageEnd: Back, WithoutIt);
by_name!(PairedBy: Partition, Run);
by_name!(FileOrder: OldestFirst, NewestFirst, Mixed);
by_name!(Order: Time, File, Window(0), Shuffle { seed: 0 });
by_name!(Submission: Created, Updated, Resumed, Unchanged, AsItIs);
by_name!(DruidAfter: Keep, Suspend, Drop);
by_name!(ColumnType: Long, Double, Boolean, Text);
by_name!(ColumnReject: OwnField, NoName, Objects);
by_name!(CauseName: SupervisorGone, Suspended, TooFewWorkerSlots, WorkerGone, TopicMissing, KafkaUnreachable,
    KafkaMisadvertised, KafkaRefuses, TopicRecreated, Unparseable, ThrownAway, ReadsFromTheEnd, TaskFailed, Unhealthy,
    NoColumn, NoCount, NoAnswer);

impl Serialize for InputFormat {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
impl JsonSchema for InputFormat {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "InputFormat".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let mut names: Vec<_> = Format::ALL.map(Format::flag).into();
        names.push(Self::Mixed.name());
        json_schema!({ "type": "string", "enum": names })
    }
}

impl Serialize for Format {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.flag())
    }
}

#[cfg(test)]
impl JsonSchema for Format {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Format".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": Format::ALL.map(Format::flag) })
    }
}
