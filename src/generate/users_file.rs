//! The table of users that fits the made-up tweets, for `--enrich`: who they are, one of the 16
//! labels of a personality test, how many responses their tweets have received in all, and how often
//! others named them.
//!
//! The same options give the same bytes, whatever happens to the tweets: each user has a separate
//! stream of random numbers for this.

use std::io::{self, Write};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::GenerateOptions;
use super::status::Writers;
use super::user::log_uniform;

/// Labels with their shares in the public set of 8,328 users that serves as the model.
const LABELS: [(&str, u32); 16] = [
    ("infj", 917),
    ("intj", 905),
    ("enfp", 900),
    ("infp", 899),
    ("enfj", 723),
    ("intp", 712),
    ("entj", 677),
    ("entp", 586),
    ("isfj", 420),
    ("istj", 342),
    ("esfj", 236),
    ("isfp", 232),
    ("estj", 221),
    ("istp", 209),
    ("esfp", 202),
    ("estp", 147),
];

/// Writes the users of these `options`, as CSV with a header, and flushes. Returns their number.
///
/// # Errors
/// Those of `out`. [`io::ErrorKind::InvalidInput`] when there are no users, or too many.
pub fn generate_users(options: &GenerateOptions, out: &mut impl Write) -> io::Result<u64> {
    let writers = Writers::of(options)?;
    let all: u32 = LABELS.iter().map(|(_, share)| share).sum();
    writeln!(out, "id,screen_name,label,total_favorite_count,total_retweet_count,total_mentions_count")?;
    for index in 0..options.users {
        let user = writers.user(index);
        let mut rng = ChaCha8Rng::seed_from_u64(options.seed);
        // From the end downwards, where the streams of the tweets' users do not reach.
        rng.set_stream(u64::MAX - index);
        let label = label(rng.random_range(0..all));
        let (favorites, retweets) = (log_uniform(&mut rng, 20), log_uniform(&mut rng, 28));
        let mentions = log_uniform(&mut rng, 16);
        writeln!(out, "{},{},{label},{favorites},{retweets},{mentions}", user.id, user.screen_name)?;
    }
    out.flush()?;
    Ok(options.users)
}

/// The label for a share of the total.
fn label(mut share: u32) -> &'static str {
    for (label, shares) in LABELS {
        if share < shares {
            return label;
        }
        share -= shares;
    }
    LABELS[0].0
}
