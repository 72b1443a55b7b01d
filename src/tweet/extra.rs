//! What a user adds to the payload of each of their tweets.

/// Bytes that are appended unchanged: made once per user, not per tweet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extra {
    /// Members as JSON, each preceded by a comma: `,"label":"infp","total":3`.
    pub members: Box<[u8]>,
    /// As a JSON string; used if the tweet has no name.
    pub screen_name: Option<Box<[u8]>>,
}
