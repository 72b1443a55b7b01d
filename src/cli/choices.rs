//! The library's own choices as values of flags, with the help of each.

use clap::ValueEnum;
use clap::builder::PossibleValue;

use crate::druid::{DruidAfter, Granularity};
use crate::event::PayloadForm;
use crate::options::{InputForm, KeyBy};
use crate::pace::StampTime;
use crate::source::Format;

macro_rules! choices {
    ($choice:ty: $($variant:ident $name:literal $($help:literal)?,)+) => {
        impl ValueEnum for $choice {
            fn value_variants<'a>() -> &'a [Self] {
                &[$(Self::$variant),+]
            }

            fn to_possible_value(&self) -> Option<PossibleValue> {
                Some(match self {
                    $(Self::$variant => PossibleValue::new($name)$(.help($help))?,)+
                })
            }
        }
    };
}

choices! { PayloadForm:
    Tweet "tweet" "One flat JSON object with the fields a dashboard needs",
    Minimal "minimal" "Only timestamp, user_id and tweet; run and seq as Kafka headers",
    Raw "raw" "The record's own bytes, without a time stamp; run and seq as Kafka headers",
}

choices! { InputForm:
    Tweets "tweets" "Tweets, and what people make of them",
    Events "events" "Any records that have a time; they are sent as they are",
}

choices! { StampTime:
    Send "send" "The intended send time",
    Event "event" "The event time, when the tweet was written",
}

choices! { KeyBy:
    User "user" "The author's id",
    Id "id" "The tweet's id",
    None "none" "No key",
}

choices! { DruidAfter:
    Keep "keep" "It continues to read",
    Suspend "suspend" "It publishes its segments and stops",
    Drop "drop" "It publishes and goes; the rows stay",
}

choices! { Granularity:
    Hour "hour",
    Day "day",
    Month "month",
    Year "year",
}

/// By the names that the report has.
impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let value = PossibleValue::new(self.flag()).help(self.name());
        // As it was called before.
        Some(if *self == Format::Script { value.alias("archive") } else { value })
    }
}
