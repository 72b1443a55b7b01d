//! The library's own choices as values of flags, with the help of each.

use clap::ValueEnum;
use clap::builder::PossibleValue;

use crate::druid::{DruidAfter, Granularity};
use crate::event::PayloadForm;
use crate::generate::GenerateForm;
use crate::options::KeyBy;
use crate::pace::StampTime;

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
    Keep "keep" "It goes on reading",
    Suspend "suspend" "It publishes its segments and stands still",
    Drop "drop" "It publishes and goes; the rows stay",
}

choices! { Granularity:
    Hour "hour",
    Day "day",
    Month "month",
    Year "year",
}

choices! { GenerateForm:
    Lines "lines" "One JSON object per line",
    FullLines "full-lines" "The same with all fields of the API: 2.5 KB per tweet, not 1 KB",
    Array "array" "One JSON array",
    Grouped "grouped" "An array of users with their texts, without times",
    Objects "objects" "Pretty-printed objects one after another",
    Search "search" "A search answer: one object that holds the list",
    V2Pages "v2-pages" "Pages of API v2, one per line, each with its authors",
    V2Stream "v2-stream" "The stream of API v2: a tweet and its author per line",
    V2Flat "v2-flat" "Tweets of API v2 with their author inside, one per line",
    Archive "archive" "An account archive (tweets.js)",
    ActivityStreams "activity-streams" "Activity streams, one per line",
    Flat "flat" "Hand-made flat objects, one per line",
}
