//! Where a bridge brings a message, and where its key is.

use super::kafka::topic;
use crate::mqtt::is_filter;
use crate::options::TopicRoute;

/// Names of members, from the outside in.
pub(in crate::cli) type JsonPath = std::sync::Arc<[String]>;

/// `FILTER=TOPIC`: an MQTT filter, and a topic of Kafka.
pub(in crate::cli) fn topic_route(text: &str) -> Result<TopicRoute, String> {
    const EXAMPLE: &str = "must be such as 'sensors/+/tweets=tweets'";
    let (filter, name) = text.rsplit_once('=').ok_or_else(|| EXAMPLE.to_owned())?;
    let filter = filter.trim();
    if !is_filter(filter) || filter.starts_with('$') {
        return Err(format!("{filter:?} is not an MQTT topic filter: {EXAMPLE}"));
    }
    let topic = topic(name.trim()).map_err(|words| format!("the topic of Kafka {words}"))?;
    Ok(TopicRoute { filter: filter.to_owned(), topic })
}

/// Names of members with dots between them.
pub(in crate::cli) fn json_path(text: &str) -> Result<JsonPath, String> {
    let path: Vec<String> = text.split('.').map(str::to_owned).collect();
    match path.iter().any(String::is_empty) {
        true => Err("must be a path such as user_id or user.id_str".to_owned()),
        false => Ok(path.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_is_a_filter_and_a_topic() {
        let route = topic_route("sensors/+/tweets=tweets").unwrap();
        assert_eq!((&*route.filter, &*route.topic), ("sensors/+/tweets", "tweets"));
        assert_eq!(topic_route("a=b=t").unwrap().filter, "a=b");
        assert_eq!(topic_route("# = t").unwrap().filter, "#");
        for wrong in ["", "a", "=t", "a=", "a/#/b=t", "a+=t", "$SYS/#=t", "a=b c"] {
            assert!(topic_route(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_path_has_no_empty_name() {
        assert_eq!(&*json_path("user.id_str").unwrap(), ["user", "id_str"]);
        for wrong in ["", "a.", ".a", "a..b"] {
            assert!(json_path(wrong).is_err(), "{wrong}");
        }
    }
}
