//! What a user adds to the payload of each of their tweets.

/// Bytes that are appended as they are: made once for each user, not for each tweet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extra {
    /// Members as JSON, each behind a comma: `,"label":"infp","total":3`.
    pub members: Box<[u8]>,
    /// As a JSON string; stands where the tweet has no name.
    pub screen_name: Option<Box<[u8]>>,
}
