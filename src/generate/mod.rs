//! Made-up tweets.
