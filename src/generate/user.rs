//! Made-up users. A user is a function of the seed and a number, so none has to be remembered.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::snowflake;
use super::words::{CITIES, HANDLE_FIRST, HANDLE_SECOND, LANGUAGES, Language, PROFILE_LOCATIONS};

/// Ids before users got snowflakes (end of 2015) were sequential up to here.
const COUNTED_IDS_END: u64 = 4_294_967_296;
/// Time of the first account, 2006-03-21, and roughly when the sequential ids ended, 2015-12-01.
const FIRST_USER_MS: u64 = 1_142_899_200_000;
const COUNTED_UNTIL_MS: u64 = 1_448_928_000_000;
/// Accounts with snowflake ids were made from 2016-01-01 to 2024-01-01.
const SNOWFLAKES_FROM_MS: u64 = 1_451_606_400_000;
const SNOWFLAKES_TO_MS: u64 = 1_704_067_200_000;

/// One of the people who do not exist.
#[derive(Debug)]
pub(super) struct User {
    /// Three in ten are above 2^53, where a double is no longer exact.
    pub id: u64,
    pub screen_name: String,
    pub name: &'static str,
    pub location: Option<&'static str>,
    pub language: &'static Language,
    pub followers: u64,
    pub statuses: u64,
    pub verified: bool,
    /// When the account was made, in Unix milliseconds; agrees with a snowflake id.
    pub created_ms: u64,
}

impl User {
    /// The user with this number among `users`; different numbers have different ids and screen
    /// names.
    pub fn numbered(index: u64, users: u64, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(super::STREAM_FIRST_USER.wrapping_add(index));
        let (id, created_ms) = draw_id(&mut rng, index, users);
        let language = draw_language(&mut rng);
        let first = HANDLE_FIRST[rng.random_range(0..HANDLE_FIRST.len())];
        let second = HANDLE_SECOND[rng.random_range(0..HANDLE_SECOND.len())];
        let location = match rng.random_range(0..10) {
            0..4 => None,
            4..7 => Some(CITIES[rng.random_range(0..CITIES.len())].name),
            _ => Some(PROFILE_LOCATIONS[rng.random_range(0..PROFILE_LOCATIONS.len())]),
        };
        Self {
            id,
            screen_name: format!("{first}{second}{index}"),
            name: language.names[rng.random_range(0..language.names.len())],
            location,
            language,
            followers: log_uniform(&mut rng, 17),
            statuses: log_uniform(&mut rng, 16),
            verified: rng.random_ratio(1, 100),
            created_ms,
        }
    }
}

/// Each number has a separate stretch of ids, so two users never share one.
fn draw_id(rng: &mut ChaCha8Rng, index: u64, users: u64) -> (u64, u64) {
    let mut within = |end: u64| {
        let step = (end / users).max(1);
        index.saturating_mul(step) + rng.random_range(0..step)
    };
    // Drawn before the kind is, so that both kinds use the same number of random words.
    let counted = 295 + within(COUNTED_IDS_END - 295);
    let first = snowflake::from_ms(SNOWFLAKES_FROM_MS, 0);
    let snowflake_id = first + within(snowflake::from_ms(SNOWFLAKES_TO_MS, 0) - first);
    if rng.random_ratio(3, 10) {
        (snowflake_id, snowflake::to_ms(snowflake_id))
    } else {
        let age = counted as f64 / COUNTED_IDS_END as f64;
        let ms = FIRST_USER_MS + (age * (COUNTED_UNTIL_MS - FIRST_USER_MS) as f64) as u64;
        (counted, ms.min(COUNTED_UNTIL_MS))
    }
}

/// A language by its share of users.
pub(super) fn draw_language(rng: &mut ChaCha8Rng) -> &'static Language {
    let mut left = rng.random_range(0..100);
    for language in LANGUAGES {
        if left < language.users_percent {
            return language;
        }
        left -= language.users_percent;
    }
    LANGUAGES[0]
}

/// A number below 2^`bits`; each power of two is equally likely: many small numbers, few large
/// ones.
pub(super) fn log_uniform(rng: &mut ChaCha8Rng, bits: u32) -> u64 {
    let top = 1_u64 << rng.random_range(0..bits);
    top - 1 + rng.random_range(0..top)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_and_names_are_unique_and_times_agree() {
        let (mut ids, mut names, mut large) = (HashSet::new(), HashSet::new(), 0);
        for index in 0..5_000 {
            let user = User::numbered(index, 5_000, 1);
            assert!(ids.insert(user.id), "id {} twice", user.id);
            assert!(user.screen_name.len() <= 15, "{}", user.screen_name);
            assert!((FIRST_USER_MS..=SNOWFLAKES_TO_MS).contains(&user.created_ms));
            if user.id > 1 << 53 {
                large += 1;
                assert_eq!(snowflake::to_ms(user.id), user.created_ms);
            }
            assert!(names.insert(user.screen_name));
        }
        assert!((1_000..2_000).contains(&large), "{large} of 5000 ids above 2^53");
    }

    #[test]
    fn log_uniform_stays_below_its_bound_and_reaches_both_ends() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let draws: Vec<u64> = (0..10_000).map(|_| log_uniform(&mut rng, 10)).collect();
        assert!(draws.iter().all(|&n| n < 1_023));
        assert!(draws.contains(&0));
        assert!(draws.iter().any(|&n| n > 900));
    }
}
