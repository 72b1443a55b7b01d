//! What made-up tweets say: sentences, hashtags, mentions, links and emoji, with the position of
//! each entity counted in code points, as the API counts them.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::words::{EMOJI, Language, ODD_ENDS};

/// Longest `text` of a streamed tweet, in code points; a longer one is cut, and the whole text is
/// in `extended_tweet.full_text` (Twitter's compatibility mode).
pub(super) const SHORT_CHARS: usize = 140;

/// Start and end of an entity, in code points.
pub(super) type Indices = [usize; 2];

/// A part of a text with a special meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entity {
    /// Without its `#`.
    Hashtag(&'static str),
    Mention(Person),
    /// The last part of the short link.
    Link(String),
    /// The link to the tweet itself that ends a text cut short.
    Itself(u64),
}

/// A user, as far as a mention shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    pub id: u64,
    pub screen_name: String,
    pub name: &'static str,
}

/// A text and its entities in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Text {
    pub text: String,
    /// Length in code points.
    pub chars: usize,
    pub entities: Vec<(Indices, Entity)>,
}

impl Text {
    fn push(&mut self, words: &str) {
        self.text.push_str(words);
        self.chars += words.chars().count();
    }

    /// An entity needs a blank before it, even in languages without blanks.
    fn push_apart(&mut self) {
        if self.text.chars().next_back().is_some_and(|last| !last.is_whitespace()) {
            self.push(" ");
        }
    }

    fn ends_in_entity(&self) -> bool {
        self.entities.last().is_some_and(|([_, end], _)| *end == self.chars)
    }

    pub fn push_entity(&mut self, entity: Entity) {
        self.push_apart();
        let start = self.chars;
        match &entity {
            Entity::Hashtag(tag) => {
                self.push("#");
                self.push(tag);
            }
            Entity::Mention(person) => {
                self.push("@");
                self.push(&person.screen_name);
            }
            Entity::Link(token) => {
                self.push("https://t.example/");
                self.push(token);
            }
            // Made from the id, so that nothing is drawn; as long as other links.
            Entity::Itself(id) => {
                self.push("https://t.example/");
                self.push(&format!("{:010x}", id & 0xff_ffff_ffff));
            }
        }
        self.entities.push(([start, self.chars], entity));
    }

    /// `RT @author: ` and the text, cut to [`SHORT_CHARS`].
    pub fn retweet_of(author: Person, original: &Text) -> Self {
        let mut text = Self::default();
        text.push("RT");
        text.push_entity(Entity::Mention(author));
        text.push(": ");
        let shift = text.chars;
        text.push(&original.text);
        let moved = original.entities.iter();
        text.entities
            .extend(moved.map(|([start, end], entity)| ([start + shift, end + shift], entity.clone())));
        if text.chars > SHORT_CHARS {
            text = text.cut(SHORT_CHARS - 1);
            text.push("…");
        }
        text
    }

    /// The short form of a text that is too long: its beginning and a link to the tweet itself.
    pub fn shortened(&self, id: u64) -> Option<Self> {
        if self.chars <= SHORT_CHARS {
            return None;
        }
        let mut short = self.cut(110);
        short.push("…");
        short.push_entity(Entity::Itself(id));
        Some(short)
    }

    /// The first `chars` code points and the entities completely within them.
    fn cut(&self, chars: usize) -> Self {
        let text: String = self.text.chars().take(chars).collect();
        let within = self.entities.iter().filter(|([_, end], _)| *end <= chars);
        Self { chars: text.chars().count(), text, entities: within.cloned().collect() }
    }
}

/// A new text. `reply_to` comes first, `mention` somewhere within, `topic` among the hashtags.
/// Returns `true` if it has words, and so a language; `false` if it is all emoji.
pub(super) fn compose(
    rng: &mut ChaCha8Rng,
    language: &Language,
    topic: Option<&'static str>,
    reply_to: Option<Person>,
    mention: Option<Person>,
) -> (Text, bool) {
    let mut text = Text::default();
    if let Some(person) = reply_to {
        text.push_entity(Entity::Mention(person));
    }
    if topic.is_none() && rng.random_ratio(1, 40) {
        text.push_apart();
        for _ in 0..rng.random_range(1..6) {
            text.push(pick(rng, EMOJI));
        }
        return (text, false);
    }
    let sentences = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3][rng.random_range(0..16)];
    let mention_after = rng.random_range(0..sentences);
    let mut mention = mention;
    for sentence in 0..sentences {
        let breaks = rng.random_ratio(1, 12);
        if text.ends_in_entity() {
            // In languages without blanks, too; otherwise what follows would belong to the name.
            text.push(if breaks { "\n" } else { " " });
        } else if sentence > 0 {
            text.push(if breaks { "\n" } else { language.space });
        }
        text.push(pick(rng, language.subjects));
        text.push(language.space);
        text.push(pick(rng, language.predicates));
        text.push(pick(rng, language.ends));
        if rng.random_ratio(1, 4) {
            text.push(language.space);
            text.push(pick(rng, EMOJI));
        }
        if sentence == mention_after
            && let Some(person) = mention.take()
        {
            text.push_entity(Entity::Mention(person));
        }
    }
    if rng.random_ratio(1, 40) {
        text.push(pick(rng, ODD_ENDS));
    }
    if let Some(topic) = topic {
        text.push_entity(Entity::Hashtag(topic));
    }
    for _ in 0..[0, 0, 0, 0, 0, 0, 0, 1, 1, 2][rng.random_range(0..10)] {
        let tag = Entity::Hashtag(pick(rng, language.hashtags));
        if text.entities.iter().all(|(_, other)| *other != tag) {
            text.push_entity(tag);
        }
    }
    if rng.random_ratio(3, 20) {
        text.push_entity(Entity::Link(link_token(rng)));
    }
    (text, true)
}

fn pick(rng: &mut ChaCha8Rng, from: &[&'static str]) -> &'static str {
    from[rng.random_range(0..from.len())]
}

/// Ten letters and digits.
fn link_token(rng: &mut ChaCha8Rng) -> String {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    (0..10).map(|_| char::from(LETTERS[rng.random_range(0..LETTERS.len())])).collect()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::super::words::LANGUAGES;
    use super::*;

    fn person() -> Person {
        Person { id: 7, screen_name: "tinyotter7".into(), name: "tiny otter" }
    }

    fn entity_texts_fit(text: &Text) {
        assert_eq!(text.text.chars().count(), text.chars);
        for ([start, end], entity) in &text.entities {
            let spelt: String = text.text.chars().skip(*start).take(end - start).collect();
            match entity {
                Entity::Hashtag(tag) => assert_eq!(spelt, format!("#{tag}")),
                Entity::Mention(person) => assert_eq!(spelt, format!("@{}", person.screen_name)),
                Entity::Link(token) => assert_eq!(spelt, format!("https://t.example/{token}")),
                Entity::Itself(_) => assert!(spelt.starts_with("https://t.example/"), "{spelt}"),
            }
            let next = text.text.chars().nth(*end);
            assert!(next.is_none_or(|next| !next.is_alphanumeric()), "{}", text.text);
        }
    }

    #[test]
    fn indices_point_at_their_entities_in_every_form_of_a_text() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let mut seen_long = 0;
        for n in 0..3_000 {
            let language = LANGUAGES[n % LANGUAGES.len()];
            let topic = (n % 3 == 0).then_some("LanternCup");
            let mention = (n % 2 == 0).then(person);
            let (text, _) = compose(&mut rng, language, topic, (n % 5 == 0).then(person), mention);
            assert!(!text.text.is_empty());
            entity_texts_fit(&text);
            let retweet = Text::retweet_of(person(), &text);
            entity_texts_fit(&retweet);
            assert!(retweet.chars <= SHORT_CHARS);
            if let Some(short) = text.shortened(1_766_000_000_000_000_000) {
                seen_long += 1;
                entity_texts_fit(&short);
                assert!(short.chars <= SHORT_CHARS, "{} code points", short.chars);
                assert!(text.chars > SHORT_CHARS);
            }
        }
        assert!(seen_long > 100, "{seen_long} long texts of 3000");
    }
}
