//! Spells tweets as the JSON of Twitter's API v2: whole texts, ids as strings, authors apart.

use std::io::{self, Write};

use super::json::{Escape, iso_time, string};
use super::status::{Relation, Status};
use super::text::{Entity, Text};
use super::user::User;

/// Appends a tweet as it appears in `data`.
pub(super) fn tweet(out: &mut Vec<u8>, status: &Status, escape: Escape) -> io::Result<()> {
    out.push(b'{');
    members(out, status, escape)?;
    out.push(b'}');
    Ok(())
}

/// Appends a tweet with its author inside, as flattening tools write it.
pub(super) fn flattened(out: &mut Vec<u8>, status: &Status, escape: Escape) -> io::Result<()> {
    out.push(b'{');
    members(out, status, escape)?;
    out.extend_from_slice(b",\"author\":");
    user(out, &status.user, escape)?;
    out.push(b'}');
    Ok(())
}

/// Appends a record of the filtered stream.
pub(super) fn streamed(out: &mut Vec<u8>, status: &Status, escape: Escape) -> io::Result<()> {
    out.extend_from_slice(b"{\"data\":");
    tweet(out, status, escape)?;
    out.extend_from_slice(b",\"includes\":{\"users\":[");
    user(out, &status.user, escape)?;
    out.extend_from_slice(b"]},\"matching_rules\":[{\"id\":\"1494676080753623048\",\"tag\":\"sample\"}]}");
    Ok(())
}

/// Appends a page: these tweets, the newest first, and each author once.
pub(super) fn page(out: &mut Vec<u8>, statuses: &[Status], escape: Escape) -> io::Result<()> {
    out.extend_from_slice(b"{\"data\":[");
    for (nth, status) in statuses.iter().rev().enumerate() {
        if nth > 0 {
            out.push(b',');
        }
        tweet(out, status, escape)?;
    }
    out.extend_from_slice(b"],\"includes\":{\"users\":[");
    let mut authors: Vec<&User> = statuses.iter().map(|status| &status.user).collect();
    authors.sort_unstable_by_key(|user| user.id);
    authors.dedup_by_key(|user| user.id);
    for (nth, author) in authors.into_iter().enumerate() {
        if nth > 0 {
            out.push(b',');
        }
        user(out, author, escape)?;
    }
    let ids = || statuses.iter().map(|status| status.id);
    let (newest, oldest) = (ids().max().unwrap_or(0), ids().min().unwrap_or(0));
    write!(
        out,
        "]}},\"meta\":{{\"newest_id\":\"{newest}\",\"oldest_id\":\"{oldest}\",\"result_count\":{}}}}}",
        statuses.len()
    )
}

fn members(out: &mut Vec<u8>, status: &Status, escape: Escape) -> io::Result<()> {
    write!(out, "\"id\":\"{}\",\"text\":", status.id)?;
    string(out, &status.text.text, escape);
    write!(out, ",\"author_id\":\"{}\",\"created_at\":", status.user.id)?;
    iso_time(out, status.ms)?;
    write!(out, ",\"lang\":\"{}\",\"source\":", status.lang)?;
    string(out, status.client.0, escape);
    write!(
        out,
        ",\"edit_history_tweet_ids\":[\"{}\"],\"public_metrics\":{{\"retweet_count\":{},\"reply_count\":0,\
         \"like_count\":{},\"quote_count\":0}}",
        status.id, status.retweets, status.favorites
    )?;
    let referenced = match &status.relation {
        Relation::None => None,
        Relation::Reply { to_id, .. } => Some(("replied_to", *to_id)),
        Relation::Retweet(original) => Some(("retweeted", original.id)),
        Relation::Quote(quoted) => Some(("quoted", quoted.id)),
    };
    if let Some((kind, id)) = referenced {
        write!(out, ",\"referenced_tweets\":[{{\"type\":\"{kind}\",\"id\":\"{id}\"}}]")?;
    }
    if let Some(location) = &status.location {
        write!(out, ",\"geo\":{{\"place_id\":\"{}\"", location.city.id)?;
        if let Some((lat, lon)) = location.point {
            write!(out, ",\"coordinates\":{{\"type\":\"Point\",\"coordinates\":[{lon:.6},{lat:.6}]}}")?;
        }
        out.push(b'}');
    }
    hashtags(out, &status.text, escape)
}

fn hashtags(out: &mut Vec<u8>, text: &Text, escape: Escape) -> io::Result<()> {
    let mut between = ",\"entities\":{\"hashtags\":[";
    for ([start, end], entity) in &text.entities {
        if let Entity::Hashtag(tag) = entity {
            write!(out, "{between}{{\"start\":{start},\"end\":{end},\"tag\":")?;
            string(out, tag, escape);
            out.push(b'}');
            between = ",";
        }
    }
    if between == "," {
        out.extend_from_slice(b"]}");
    }
    Ok(())
}

fn user(out: &mut Vec<u8>, user: &User, escape: Escape) -> io::Result<()> {
    write!(out, "{{\"id\":\"{}\",\"name\":", user.id)?;
    string(out, user.name, escape);
    write!(out, ",\"username\":\"{}\",\"created_at\":", user.screen_name)?;
    iso_time(out, user.created_ms)?;
    write!(
        out,
        ",\"verified\":{},\"public_metrics\":{{\"followers_count\":{},\"tweet_count\":{}}}}}",
        user.verified, user.followers, user.statuses
    )
}
