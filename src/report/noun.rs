//! What a replay sends, as people read it: tweets, or other events.

use serde_json::Value;

use super::words::counted;

/// What is sent. The keys of the JSON say tweets of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Noun {
    #[default]
    Tweet,
    Event,
}

impl Noun {
    /// What the replay of this report sent.
    pub(super) fn of_report(report: &Value) -> Self {
        report.pointer("/input/events").is_some_and(Value::is_object).into()
    }

    /// `1 tweet`, `6,000 events`.
    pub fn counted(self, count: u64) -> String {
        match self {
            Self::Tweet => counted(count, "tweet"),
            Self::Event => counted(count, "event"),
        }
    }

    /// A phrase about tweets, said of these.
    pub fn of(self, phrase: &'static str) -> String {
        if self == Self::Tweet {
            return phrase.to_owned();
        }
        let parts = phrase.split_inclusive(|sign: char| !sign.is_alphabetic()).map(|part| {
            let word = part.trim_end_matches(|sign: char| !sign.is_alphabetic());
            let event = match word {
                "tweet" => "event",
                "tweets" => "events",
                "Tweets" => "Events",
                word => word,
            };
            format!("{event}{}", &part[word.len()..])
        });
        parts.collect()
    }
}

impl From<bool> for Noun {
    /// By whether the input has events.
    fn from(has_events: bool) -> Self {
        if has_events { Self::Event } else { Self::Tweet }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_words_are_said_of_events() {
        let phrase = "every tweet accounted for: Tweets, tweets; tweetblast";
        assert_eq!(Noun::Tweet.of(phrase), phrase);
        assert_eq!(Noun::Event.of(phrase), "every event accounted for: Events, events; tweetblast");
        assert_eq!([Noun::Event.counted(1), Noun::Tweet.counted(2)], ["1 event", "2 tweets"]);
    }
}
