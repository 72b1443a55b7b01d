//! The options of a replay, as plain values, grouped by their readers; `cli` makes them from flags.

mod bridge;
mod druid;
mod ends;
mod input;
mod message;
mod pace;
mod profile;
mod report;
mod session;

pub use bridge::{
    BridgeDruidOptions, BridgeOptions, DEFAULT_MEMORY_BYTES, DEFAULT_SESSION, DEFAULT_SPOOL_BYTES,
    SpoolOptions, TopicRoute,
};
pub use druid::{DRUID_TIMEOUT, DruidOptions, UsersInto};
pub use ends::{
    DEFAULT_TOPIC, DRAIN_AFTER_STOP, EmbeddedKafka, KafkaChoice, KafkaOptions, Listen, MqttChoice,
    MqttOptions,
};
pub use input::{DEFAULT_MAX_RECORD_BYTES, DEFAULT_WINDOW, Enrich, InputForm, InputOptions, OrderBy, Select};
pub use message::{KeyBy, MessageOptions};
pub use pace::{DEFAULT_INTERVAL, Loops, Pace, PaceOptions};
pub use profile::{FASTEST_PER_S, parse_arrivals, parse_profile, profile_words, span_words};
pub use report::{DeadLetterFile, ReportOptions};
pub use session::{Quiet, Session};

use crate::event::PayloadForm;
use crate::report::Noun;
use crate::tweet::{Parser, ParserOptions};

/// One replay. By default: no input yet, and all else as the command line has it without a flag, but that
/// the ports are free ones.
#[derive(Debug, Clone, Default)]
pub struct ReplayOptions {
    /// What is read.
    pub input: InputOptions,
    /// When it is sent.
    pub pace: PaceOptions,
    /// What a message holds.
    pub message: MessageOptions,
    /// The MQTT hop.
    pub mqtt: MqttOptions,
    /// The Kafka hop.
    pub kafka: KafkaOptions,
    /// Druid behind Kafka; `None`: nothing is known about what reads there.
    pub druid: Option<DruidOptions>,
    /// What is said of it.
    pub report: ReportOptions,
}

impl ReplayOptions {
    /// What is sent, once the form of the input is known.
    pub(crate) fn noun(&self) -> Noun {
        self.input.parser.events.is_some().into()
    }

    /// Whether tweets are sent as they are read, in the order of the input. Not with a pace that fits a
    /// time: it needs the number of tweets and their span first.
    pub(crate) fn in_file_order(&self) -> bool {
        matches!(self.input.order, Some(OrderBy::File | OrderBy::Window(_)))
            && !matches!(self.pace.speed, Pace::Fit(_))
    }

    /// A parser for one thread. What is sent as it is must be JSON to its end, looked at or not.
    pub(crate) fn new_parser(&self) -> Parser {
        let options = &self.input.parser;
        let strict = options.strict || self.message.payload == PayloadForm::Raw;
        Parser::with_options(ParserOptions { strict, ..options.clone() })
    }
}
