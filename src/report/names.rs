//! Values that are one of a few: the report has them by their names, and its schema lists those.

#[cfg(test)]
use std::borrow::Cow;

#[cfg(test)]
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

use crate::druid::{CauseName, DruidAfter, Submission};
use crate::enrich::{ColumnReject, ColumnType};
use crate::pace::{FileOrder, Order};
use crate::source::Framing;

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
        }
    }
}

/// Within what tweets and rows were paired in the order in which they came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RankedBy {
    /// Exact.
    Partition,
    /// With several producers: only the distribution as a whole is near the truth.
    Run,
}

impl RankedBy {
    /// As in the JSON report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Partition => "partition",
            Self::Run => "run",
        }
    }
}

/// How the values of all files are strung together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputFraming {
    /// Alike in each.
    One(Framing),
    /// Not alike.
    Several,
}

impl InputFraming {
    /// In words, as in the JSON report.
    pub fn name(self) -> &'static str {
        match self {
            Self::One(framing) => framing.name(),
            Self::Several => "several forms",
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

by_name!(Bottleneck: None, Tweetblast, MqttWindow, KafkaAcks, Druid);
by_name!(RankedBy: Partition, Run);
by_name!(Framing: Lines, PageLines, Array, Objects, Pages, Script);
by_name!(FileOrder: OldestFirst, NewestFirst, Mixed);
by_name!(Order: Time, File, Window(0), Shuffle { seed: 0 });
by_name!(Submission: Created, Updated, Resumed, Unchanged, AsItIs);
by_name!(DruidAfter: Keep, Suspend, Drop);
by_name!(ColumnType: Long, Double, Boolean, Text);
by_name!(ColumnReject: OwnField, NoName, Objects);
by_name!(CauseName: SupervisorGone, Suspended, TooFewWorkerSlots, TopicMissing, KafkaUnreachable,
    KafkaMisadvertised, TopicMadeAnew, Unparseable, ThrownAway, ReadsFromTheEnd, TaskFailed, Unhealthy,
    NoColumn, NoCount, NoAnswer);

impl Serialize for InputFraming {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
impl JsonSchema for InputFraming {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "InputFraming".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let mut names: Vec<_> = Framing::ALL.map(Framing::name).into();
        names.push(Self::Several.name());
        json_schema!({ "type": "string", "enum": names })
    }
}
