//! Which client gets a message: filters, and the plan of a topic.

use std::sync::Arc;

use super::super::codec::Subscription;
use super::session::Session;

/// One subscription of a client.
#[derive(Debug, Clone)]
pub(super) struct Filter {
    /// As the client wrote it, with `$share/GROUP/` before it.
    pub text: String,
    /// Where the filter begins in `text`; above 0 it is shared.
    pub start: usize,
    pub qos: u8,
    pub no_local: bool,
    pub retain_as_published: bool,
    /// How many messages had been kept when the client subscribed; 0 if it is shared.
    pub kept_before: u64,
    pub subscription_id: Option<u32>,
}

impl Filter {
    /// As a client asks for it, when so many messages have been kept.
    pub fn new(asked: &Subscription<'_>, subscription_id: Option<u32>, kept: u64) -> Self {
        let start = filter_start(asked.filter);
        Self {
            text: asked.filter.to_owned(),
            start,
            qos: asked.qos,
            no_local: asked.no_local,
            retain_as_published: asked.retain_as_published,
            kept_before: if start > 0 { 0 } else { kept },
            subscription_id,
        }
    }

    pub fn is_shared(&self) -> bool {
        self.start > 0
    }

    pub fn matches(&self, topic: &str) -> bool {
        matches(&self.text[self.start..], topic)
    }
}

/// Where the filter begins behind `$share/GROUP/`; 0 if it is not shared.
pub(super) fn filter_start(text: &str) -> usize {
    let group = text.strip_prefix("$share/").and_then(|shared| shared.find('/'));
    group.map_or(0, |length| "$share/".len() + length + 1)
}

/// Whether a topic is one of a filter's. Topics that begin with `$` are ours, and there are none.
pub fn matches(filter: &str, topic: &str) -> bool {
    let mut levels = topic.split('/');
    for wanted in filter.split('/') {
        match (wanted, levels.next()) {
            ("#", _) => return true,
            ("+", Some(_)) => {}
            (wanted, Some(level)) if wanted == level => {}
            _ => return false,
        }
    }
    levels.next().is_none()
}

/// How one client gets a message.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub session: Arc<Session>,
    /// The highest QoS of its filters that match.
    pub qos: u8,
    /// Whether all of its filters that match skip what it sent itself.
    pub no_local: bool,
    pub retain_as_published: bool,
    /// Those up to this one that were kept came to it when it subscribed, and do not come again.
    pub kept_before: u64,
    pub subscription_ids: Vec<u32>,
}

/// Who gets the messages of a topic.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub targets: Vec<Target>,
    /// For each shared subscription those who take turns.
    pub groups: Vec<Vec<Target>>,
}

impl Plan {
    /// The plan of `topic`, given every client's filters.
    pub fn new<'a>(topic: &str, clients: impl Iterator<Item = (&'a Arc<Session>, &'a [Filter])>) -> Self {
        let mut plan = Self::default();
        let mut names: Vec<&str> = Vec::new();
        for (session, filters) in clients {
            let mut own: Option<Target> = None;
            for filter in filters.iter().filter(|filter| filter.matches(topic)) {
                let target = Target {
                    session: session.clone(),
                    qos: filter.qos,
                    no_local: filter.no_local,
                    retain_as_published: filter.retain_as_published,
                    kept_before: filter.kept_before,
                    subscription_ids: filter.subscription_id.into_iter().collect(),
                };
                if filter.is_shared() {
                    let group = names.iter().position(|name| *name == filter.text).unwrap_or_else(|| {
                        names.push(&filter.text);
                        plan.groups.push(Vec::new());
                        names.len() - 1
                    });
                    plan.groups[group].push(target);
                } else if let Some(own) = &mut own {
                    own.qos = own.qos.max(target.qos);
                    own.no_local &= target.no_local;
                    own.retain_as_published |= target.retain_as_published;
                    own.kept_before = own.kept_before.min(target.kept_before);
                    own.subscription_ids.extend(target.subscription_ids);
                } else {
                    own = Some(target);
                }
            }
            plan.targets.extend(own);
        }
        plan
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_matches_whole_levels() {
        for (filter, topic) in [
            ("#", "a/b"),
            ("a/#", "a"),
            ("a/#", "a/b/c"),
            ("+/b", "a/b"),
            ("+", "a"),
            ("/+", "/a"),
            ("a/+/c", "a//c"),
            ("ä/b", "ä/b"),
        ] {
            assert!(matches(filter, topic), "{filter} {topic}");
        }
        for (filter, topic) in
            [("a", "a/b"), ("+", "a/b"), ("a/b", "a"), ("a/+", "a"), ("+", "/a"), ("$SYS/#", "SYS/a")]
        {
            assert!(!matches(filter, topic), "{filter} {topic}");
        }
    }

    #[test]
    fn a_shared_filter_begins_behind_its_group() {
        assert_eq!(&"$share/g/a/#"[filter_start("$share/g/a/#")..], "a/#");
        assert_eq!(filter_start("a/$share/g"), 0);
    }
}
