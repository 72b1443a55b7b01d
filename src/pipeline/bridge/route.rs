//! Which topic of Kafka a message goes to, and its key.

use std::sync::Arc;

use bytes::Bytes;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::mqtt::filter_matches;
use crate::options::TopicRoute;

/// The routes, and where the key is.
pub(super) struct Routes {
    routes: Vec<(String, Arc<str>)>,
    key_from: Vec<String>,
}

impl Routes {
    pub fn new(routes: &[TopicRoute], key_from: &[String]) -> Self {
        let mut topics: Vec<Arc<str>> = Vec::new();
        let routes = routes.iter().map(|route| {
            let known = topics.iter().find(|topic| ***topic == *route.topic).cloned();
            let topic = known.unwrap_or_else(|| {
                let topic: Arc<str> = route.topic.as_str().into();
                topics.push(topic.clone());
                topic
            });
            (route.filter.clone(), topic)
        });
        Self { routes: routes.collect(), key_from: key_from.to_vec() }
    }

    /// Kafka's topic for messages on this one; the first route that matches counts.
    pub fn topic(&self, mqtt_topic: &[u8]) -> Option<&Arc<str>> {
        let mqtt_topic = std::str::from_utf8(mqtt_topic).ok()?;
        self.routes.iter().find(|(filter, _)| filter_matches(filter, mqtt_topic)).map(|(_, topic)| topic)
    }

    /// The key that a message has in itself.
    pub fn key(&self, payload: &[u8]) -> Option<Bytes> {
        let mut json = serde_json::Deserializer::from_slice(payload);
        AtPath(&self.key_from).deserialize(&mut json).ok().flatten().map(Bytes::from)
    }
}

/// Finds the value at a path, and skips all else unread. Texts, numbers and booleans are keys.
struct AtPath<'a>(&'a [String]);

impl<'de> DeserializeSeed<'de> for AtPath<'_> {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl AtPath<'_> {
    fn here(&self, text: impl FnOnce() -> String) -> Option<String> {
        self.0.is_empty().then(text)
    }
}

impl<'de> Visitor<'de> for AtPath<'_> {
    type Value = Option<String>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(self.here(|| text.to_owned()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(self.here(|| number.to_string()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(self.here(|| number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(self.here(|| number.to_string()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(self.here(|| value.to_string()))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(name) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            match self.0.split_first() {
                Some((wanted, rest)) if found.is_none() && *name == **wanted => {
                    found = map.next_value_seed(AtPath(rest))?;
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let wanted = self.0.split_first().and_then(|(name, rest)| Some((name.parse::<usize>().ok()?, rest)));
        let mut found = None;
        for index in 0.. {
            match wanted.filter(|(wanted, _)| *wanted == index) {
                Some((_, rest)) => match list.next_element_seed(AtPath(rest))? {
                    Some(value) => found = value,
                    None => break,
                },
                None if list.next_element::<IgnoredAny>()?.is_none() => break,
                None => {}
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(routes: &[(&str, &str)], key_from: &str) -> Routes {
        let route = |(filter, topic): &(&str, &str)| TopicRoute {
            filter: (*filter).to_owned(),
            topic: (*topic).to_owned(),
        };
        let path: Vec<String> = key_from.split('.').map(str::to_owned).collect();
        Routes::new(&routes.iter().map(route).collect::<Vec<_>>(), &path)
    }

    #[test]
    fn the_first_route_that_matches_counts() {
        let routes = routes(&[("sensors/+/tweets", "tweets"), ("sensors/#", "others")], "user_id");
        let topic = |name: &str| routes.topic(name.as_bytes()).map(|topic| topic.to_string());
        assert_eq!(topic("sensors/a/tweets").as_deref(), Some("tweets"));
        assert_eq!(topic("sensors/a/b/tweets").as_deref(), Some("others"));
        assert_eq!(topic("a"), None);
    }

    #[test]
    fn the_key_is_the_value_at_the_path() {
        for (path, json, key) in [
            ("user_id", r#"{"a":[1,{"user_id":2}],"user_id":17,"b":null}"#, Some("17")),
            ("user_id", r#"{"user_id":"ab\u00e9"}"#, Some("abé")),
            ("user.id_str", r#"{"id_str":"x","user":{"name":"n","id_str":"9"}}"#, Some("9")),
            ("users.1.id", r#"{"users":[{"id":1},{"id":2},{"id":3}]}"#, Some("2")),
            ("user_id", r#"{"user_id":null}"#, None),
            ("user_id", r#"{"user_id":{"id":1}}"#, None),
            ("user_id", r#"{"user":1}"#, None),
            ("user_id", r#"[1]"#, None),
            ("user_id", "not JSON", None),
            ("user_id", "", None),
            ("a.b", r#"{"a":"b"}"#, None),
        ] {
            let found = routes(&[], path).key(json.as_bytes());
            assert_eq!(found.as_deref(), key.map(str::as_bytes), "{path} in {json}");
        }
    }
}
