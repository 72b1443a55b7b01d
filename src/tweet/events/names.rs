//! The usual names of the time, the key and the id of an event, and how sure each is. The names are words that
//! standards and many programs share, split where a name begins a new word: `createdAt`, `created_at`, `CreatedAt`.

/// Whether a list of words has this one.
fn is(list: &str, word: &str) -> bool {
    list.split_whitespace().any(|one| one == word)
}

/// The words of a name: `HTTPServerName` → `http server name`, `@timestamp` → `timestamp`.
pub(super) fn words_of(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let chars: Vec<char> = name.chars().collect();
    let mut begins = true;
    for (at, char) in chars.iter().enumerate() {
        if !char.is_alphanumeric() {
            begins = true;
            continue;
        }
        let before = at.checked_sub(1).map(|before| chars[before]);
        let after = chars.get(at + 1);
        // A capital after a small letter, or the last of several before a small one.
        let is_new = char.is_uppercase()
            && before.is_some_and(|before| {
                !before.is_uppercase() || after.is_some_and(|after| after.is_lowercase())
            });
        if begins || is_new {
            words.push(String::new());
        }
        begins = false;
        if let Some(word) = words.last_mut() {
            word.extend(char.to_lowercase());
        }
    }
    words
}

/// What only says how a time is written, or in which unit or zone.
const WRITTEN: &str = "s ms us ns sec secs seconds millis milliseconds micros microseconds nanos nanoseconds utc gmt unix \
    epoch posix iso iso8601 local str string raw";

/// Words for a time; `dt`, `ts` and `when` as programs write them, the others as databases and people do.
const TIME: &str = "time timestamp ts datetime date dt when epoch unixtime eventtime localtime fecha datum zeit \
    horodatage";

/// Small words that come with these: `created_at`, `started_on`.
const SMALL: &str = "at on of the in day";

/// What an event is called itself: its time is the one that is meant.
const ITSELF: &str = "event log record message msg tweet post comment sample reading measurement observation trade quote \
    tick request";

/// When something began to be: an event is known by its beginning.
const BEGINNING: &str = "created create creation createdat posted published issued occurred occurrence happened start started \
    begin began beginning observed measured sampled captured recorded sent opened logged generated";

/// What comes later than the event, or when another program handled it.
const LATER: &str = "end ended finish finished stop stopped close closed complete completed update updated updatedat \
    modified changed edit edited retrieved fetched crawled scraped received ingest ingested ingestion \
    indexed processed loaded inserted saved stored exported imported collected last deleted removed \
    expires expiry expiration due until scheduled merged";

/// Whom or what a time may be about: when they came to be may be years before the event.
const OTHERS: &str = "user account author profile owner member customer actor repo repository organization";

/// When they did, without such a word.
const LONG_AGO: &str = "birth birthday birthdate born dob joined registered registration signup since";

/// Words of lengths and zones, which are no times although `time` may be in the name.
const NO_TIME: &str = "timezone tz zone offset timeout duration elapsed taken took spent latency uptime downtime lifetime \
    runtime interval delay wait lag delta response remaining";

/// Rank of a field whose values are dates though its name does not say so.
pub(super) const UNNAMED_TIME: u32 = 20;

/// How sure a field with this path is the time of the event, from 0 to 110; `None`: its name is not that of a time.
pub(super) fn time_rank(path: &[String]) -> Option<u32> {
    let (name, parents) = path.split_last()?;
    // What Elasticsearch, Logstash and their agents call the time of an event.
    if name == "@timestamp" {
        return Some(110);
    }
    let all = words_of(name);
    if all.iter().any(|word| is(NO_TIME, word)) {
        return None;
    }
    let mut words: Vec<&String> = all.iter().filter(|word| !is(WRITTEN, word)).collect();
    if words.is_empty() {
        // `epoch`, `unix_ms`: how it is written is all that is said.
        return all.iter().any(|word| matches!(&word[..], "epoch" | "unix" | "utc")).then_some(80);
    }
    let is_time = words.iter().any(|word| is(TIME, word));
    let is_beginning = words.iter().any(|word| is(BEGINNING, word));
    let is_later = words.iter().any(|word| is(LATER, word));
    let is_long_ago = words.iter().any(|word| is(LONG_AGO, word));
    if !is_time && !is_beginning && !is_later && !is_long_ago {
        return None;
    }
    let is_in_another = parents.iter().flat_map(|parent| words_of(parent)).any(|word| is(OTHERS, &word));
    if is_long_ago || is_in_another || words.iter().any(|word| is(OTHERS, word)) {
        return Some(15);
    }
    if is_later {
        return Some(40);
    }
    if is_beginning {
        return Some(85);
    }
    words.retain(|word| !is(TIME, word) && !is(SMALL, word));
    match &words[..] {
        [] => Some(100),
        words if words.iter().all(|word| is(ITSELF, word)) => Some(95),
        _ => Some(60),
    }
}

/// Who did it; `did` is a decentralized identifier, as the W3C has it.
const PERSONS: &str = "user author actor account acct member customer client login username handle did uid userid player \
    driver rider patient subscriber visitor sender creator person employee";

/// What did it, or where.
const THINGS: &str = "device deviceid sensor station machine vehicle meter node instance container pod service app \
    application thing asset gateway camera robot session tenant symbol ticker instrument site";

/// The machine on which it was.
const HOSTS: &str = "host hostname server computer";

/// Who called, as servers log it.
const CALLERS: [&[&str]; 9] = [
    &["remote", "ip"],
    &["client", "ip"],
    &["remote", "addr"],
    &["remote", "address"],
    &["client", "address"],
    &["source", "ip"],
    &["src", "ip"],
    &["ip"],
    &["ip", "address"],
];

/// How sure a field with this path is the key: who or what the event belongs to. `None`: its name is not that of a
/// key.
pub(super) fn key_rank(path: &[String]) -> Option<u32> {
    let (name, parents) = path.split_last()?;
    let words = words_of(name);
    let words: Vec<&str> = words.iter().map(|word| &word[..]).collect();
    let parent = parents.last().map(|parent| words_of(parent)).unwrap_or_default();
    let parent = if parent.len() == 1 { &parent[0][..] } else { "" };
    if CALLERS.contains(&&words[..]) {
        return Some(75);
    }
    let of = |list: &str, best: u32| match words[..] {
        ["id"] if is(list, parent) => Some(best),
        ["name" | "login" | "username" | "handle"] if is(list, parent) => Some(best - 10),
        [one, "id"] if is(list, one) => Some(best),
        [one] if is(list, one) => Some(best - 2),
        [one, "name"] if is(list, one) => Some(best - 4),
        // As Twitter has it.
        ["screen", "name"] if is(list, "user") => Some(best - 4),
        _ => None,
    };
    // The row that a database says has changed: its new state, and `before` where it is gone.
    if words[..] == ["id"] && parents.len() == 1 && parent == "after" {
        return Some(100);
    }
    of(PERSONS, 100).or_else(|| of(THINGS, 80)).or_else(|| of(HOSTS, 72)).or(match words[..] {
        // Where it repeats: of a device, say.
        ["id"] if parents.is_empty() => Some(65),
        ["key"] if parents.is_empty() => Some(60),
        _ => None,
    })
}

/// How sure a field with this path tells one event from another; `None`: its name is not that of an id.
pub(super) fn id_rank(path: &[String]) -> Option<u32> {
    let words = words_of(path.last()?);
    match words.iter().map(|word| &word[..]).collect::<Vec<_>>()[..] {
        ["id" | "uuid" | "guid"] => Some(100),
        [one, "id" | "uuid" | "guid"] if is(ITSELF, one) => Some(95),
        [.., "id" | "uuid" | "guid"] => Some(60),
        ["eventid" | "messageid" | "recordid" | "tweetid"] => Some(95),
        _ => None,
    }
}

#[cfg(test)]
#[path = "names_tests.rs"]
mod tests;
