//! Draws whole tweets: who writes, about what, in answer to whom. Everything random is decided
//! here; `write` spells it as JSON.

use std::io;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Zipf};

use super::GenerateOptions;
use super::json::Escape;
use super::snowflake;
use super::text::{Person, Text, compose};
use super::user::{User, draw_language, log_uniform};
use super::words::{CITIES, CLIENTS, City};

/// How unevenly tweets are distributed over users: the busiest of 1,500 writes about one in
/// twenty-five.
pub(super) const ZIPF_EXPONENT: f64 = 0.7;

/// One tweet and everything that belongs to it.
#[derive(Debug)]
pub(super) struct Status {
    /// Event time, Unix milliseconds; the id has the same.
    pub ms: u64,
    pub id: u64,
    pub user: User,
    /// The whole text, however long.
    pub text: Text,
    pub lang: &'static str,
    pub client: (&'static str, &'static str),
    pub relation: Relation,
    pub location: Option<UserLocation>,
    pub retweets: u64,
    pub favorites: u64,
}

/// How a tweet relates to another one.
#[derive(Debug)]
pub(super) enum Relation {
    None,
    Reply { to_id: u64, to: Person },
    Retweet(Box<Status>),
    Quote(Box<Status>),
}

/// Where a tweet was written: always a place, sometimes a point in it.
#[derive(Debug)]
pub(super) struct UserLocation {
    pub city: &'static City,
    /// Degrees north and degrees east.
    pub point: Option<(f64, f64)>,
}

/// Draws one tweet after another.
#[derive(Debug)]
pub(super) struct Writers {
    pub rng: ChaCha8Rng,
    users: u64,
    seed: u64,
    by_rank: Zipf<f64>,
}

impl Writers {
    /// The users of these `options`.
    ///
    /// # Errors
    /// When there are none, or too many.
    pub fn of(options: &GenerateOptions) -> io::Result<Self> {
        u32::try_from(options.users)
            .ok()
            .and_then(|users| Self::new(users, options.seed))
            .ok_or_else(|| super::invalid("the number of users must lie between 1 and 4294967295"))
    }

    /// `None` if there are no users.
    fn new(users: u32, seed: u64) -> Option<Self> {
        let by_rank = Zipf::new(f64::from(users), ZIPF_EXPONENT).ok()?;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(super::STREAM_CONTENT);
        Some(Self { rng, users: users.into(), seed, by_rank })
    }

    pub fn user(&self, index: u64) -> User {
        User::numbered(index, self.users, self.seed)
    }

    fn any_user(&mut self) -> User {
        let rank = self.by_rank.sample(&mut self.rng) as u64;
        self.user(rank.clamp(1, self.users) - 1)
    }

    fn any_person(&mut self) -> Person {
        person(&self.any_user())
    }

    /// One record in four is spelt in ASCII.
    pub fn escape(&mut self) -> Escape {
        if self.rng.random_ratio(1, 4) { Escape::Ascii } else { Escape::Raw }
    }

    /// A text by this user without a context.
    pub fn text(&mut self, user: &User) -> Text {
        self.spoken(user, None, None).0
    }

    /// A tweet written at `ms`; `low` makes its id unique within the millisecond.
    pub fn status(&mut self, ms: u64, low: u64, topic: Option<&'static str>) -> Status {
        match self.rng.random_range(0..100) {
            0..5 => {
                let original = Box::new(self.earlier(ms, topic));
                let text = Text::retweet_of(person(&original.user), &original.text);
                let lang = original.lang;
                let user = self.any_user();
                self.around(ms, low, user, (text, lang), Relation::Retweet(original))
            }
            5..7 => {
                let quoted = Box::new(self.earlier(ms, topic));
                let user = self.any_user();
                let said = self.spoken(&user, topic, None);
                self.around(ms, low, user, said, Relation::Quote(quoted))
            }
            7..22 => {
                let (to, to_ms) = (self.any_person(), self.earlier_ms(ms));
                let to_id = snowflake::from_ms(to_ms, self.rng.random());
                let user = self.any_user();
                let said = self.spoken(&user, topic, Some(to.clone()));
                self.around(ms, low, user, said, Relation::Reply { to_id, to })
            }
            _ => {
                let user = self.any_user();
                let said = self.spoken(&user, topic, None);
                self.around(ms, low, user, said, Relation::None)
            }
        }
    }

    /// An older tweet that others retweet and quote, with counts to match.
    fn earlier(&mut self, ms: u64, topic: Option<&'static str>) -> Status {
        let (ms, low) = (self.earlier_ms(ms), self.rng.random());
        let user = self.any_user();
        let said = self.spoken(&user, topic, None);
        let mut status = self.around(ms, low, user, said, Relation::None);
        status.retweets = 1 + log_uniform(&mut self.rng, 15);
        status.favorites = status.retweets * self.rng.random_range(1..6);
        status
    }

    /// Seconds to a day and a half earlier.
    fn earlier_ms(&mut self, ms: u64) -> u64 {
        ms - (1 + log_uniform(&mut self.rng, 16)) * 1000 - self.rng.random_range(0..1000)
    }

    /// A text and the code of its language.
    fn spoken(
        &mut self,
        user: &User,
        topic: Option<&'static str>,
        reply_to: Option<Person>,
    ) -> (Text, &'static str) {
        let strays = self.rng.random_ratio(1, 12);
        let language = if strays { draw_language(&mut self.rng) } else { user.language };
        let mention = self.rng.random_ratio(1, 10).then(|| self.any_person());
        let (text, has_words) = compose(&mut self.rng, language, topic, reply_to, mention);
        (text, if has_words { language.code } else { "und" })
    }

    fn around(
        &mut self,
        ms: u64,
        low: u64,
        user: User,
        (text, lang): (Text, &'static str),
        relation: Relation,
    ) -> Status {
        let rng = &mut self.rng;
        let location = (rng.random_ratio(1, 25) && !matches!(relation, Relation::Retweet(_))).then(|| {
            let city = &CITIES[rng.random_range(0..CITIES.len())];
            let mut near = |degrees: f64| degrees + rng.random_range(-0.05..0.05);
            let point = (near(city.lat), near(city.lon));
            UserLocation { city, point: rng.random_ratio(2, 3).then_some(point) }
        });
        // A live stream shows new tweets with zero counts; these look as if they had been fetched a
        // little later, so that sums over them make a useful chart.
        let retweets = if rng.random_ratio(1, 3) { log_uniform(rng, 8) } else { 0 };
        let favorites = if rng.random_ratio(1, 2) { log_uniform(rng, 10) } else { 0 };
        Status {
            ms,
            id: snowflake::from_ms(ms, low),
            user,
            text,
            lang,
            client: CLIENTS[rng.random_range(0..CLIENTS.len())],
            relation,
            location,
            retweets,
            favorites,
        }
    }
}

pub(super) fn person(user: &User) -> Person {
    Person { id: user.id, screen_name: user.screen_name.clone(), name: user.name }
}
