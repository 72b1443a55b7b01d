//! Spells tweets and notices as the JSON of Twitter's v1.1 streaming API, field for field in the
//! order the API used, without the profile pictures and colours that make real records fat.

use std::io::{self, Write};

use super::json::{Escape, created_at, string, string_or_null};
use super::status::{Location, Relation, Status};
use super::text::{Entity, Indices, Person, Text};
use super::user::User;

/// Appends one tweet, nested ones included.
pub(super) fn tweet(out: &mut Vec<u8>, status: &Status, escape: Escape) -> io::Result<()> {
    object(out, status, escape)?;
    write!(out, ",\"timestamp_ms\":\"{}\"}}", status.ms)
}

/// Everything but `timestamp_ms`, which nested tweets do not have, and the closing brace.
fn object(out: &mut Vec<u8>, status: &Status, escape: Escape) -> io::Result<()> {
    let short = status.text.shortened(status.id);
    out.extend_from_slice(b"{\"created_at\":");
    created_at(out, status.ms)?;
    write!(out, ",\"id\":{0},\"id_str\":\"{0}\",\"text\":", status.id)?;
    string(out, &short.as_ref().unwrap_or(&status.text).text, escape);
    out.extend_from_slice(b",\"source\":");
    let (client, page) = status.client;
    let link = format!("<a href=\"{page}\" rel=\"nofollow\">{client}</a>");
    string(out, &link, escape);
    write!(out, ",\"truncated\":{}", short.is_some())?;
    if let Relation::Reply { to_id, to } = &status.relation {
        write!(
            out,
            ",\"in_reply_to_status_id\":{to_id},\"in_reply_to_status_id_str\":\"{to_id}\",\
             \"in_reply_to_user_id\":{0},\"in_reply_to_user_id_str\":\"{0}\",\
             \"in_reply_to_screen_name\":\"{1}\"",
            to.id, to.screen_name
        )?;
    }
    out.extend_from_slice(b",\"user\":");
    user(out, &status.user, escape)?;
    location(out, status.location.as_ref(), escape)?;
    match &status.relation {
        Relation::Retweet(original) => nested(out, "retweeted_status", original, escape)?,
        Relation::Quote(quoted) => {
            write!(out, ",\"quoted_status_id\":{0},\"quoted_status_id_str\":\"{0}\"", quoted.id)?;
            nested(out, "quoted_status", quoted, escape)?;
        }
        Relation::None | Relation::Reply { .. } => {}
    }
    write!(out, ",\"is_quote_status\":{}", matches!(status.relation, Relation::Quote(_)))?;
    if short.is_some() {
        out.extend_from_slice(b",\"extended_tweet\":{\"full_text\":");
        string(out, &status.text.text, escape);
        write!(out, ",\"display_text_range\":[0,{}],\"entities\":", status.text.chars)?;
        entities(out, &status.text, escape)?;
        out.push(b'}');
    }
    write!(
        out,
        ",\"retweet_count\":{},\"favorite_count\":{},\"entities\":",
        status.retweets, status.favorites
    )?;
    entities(out, short.as_ref().unwrap_or(&status.text), escape)?;
    write!(out, ",\"lang\":\"{}\"", status.lang)
}

fn nested(out: &mut Vec<u8>, key: &str, status: &Status, escape: Escape) -> io::Result<()> {
    write!(out, ",\"{key}\":")?;
    object(out, status, escape)?;
    out.push(b'}');
    Ok(())
}

fn user(out: &mut Vec<u8>, user: &User, escape: Escape) -> io::Result<()> {
    write!(out, "{{\"id\":{0},\"id_str\":\"{0}\",\"name\":", user.id)?;
    string(out, user.name, escape);
    write!(out, ",\"screen_name\":\"{}\",\"location\":", user.screen_name)?;
    string_or_null(out, user.location, escape);
    write!(
        out,
        ",\"verified\":{},\"followers_count\":{},\"statuses_count\":{},\
         \"created_at\":",
        user.verified, user.followers, user.statuses
    )?;
    created_at(out, user.created_ms)?;
    out.push(b'}');
    Ok(())
}

/// `geo` is [lat, lon], `coordinates` is [lon, lat]: so it was.
fn location(out: &mut Vec<u8>, location: Option<&Location>, escape: Escape) -> io::Result<()> {
    match location.and_then(|location| location.point) {
        Some((lat, lon)) => write!(
            out,
            ",\"geo\":{{\"type\":\"Point\",\"coordinates\":[{lat:.6},{lon:.6}]}},\
             \"coordinates\":{{\"type\":\"Point\",\"coordinates\":[{lon:.6},{lat:.6}]}}"
        )?,
        None => out.extend_from_slice(b",\"geo\":null,\"coordinates\":null"),
    }
    let Some(city) = location.map(|location| location.city) else {
        out.extend_from_slice(b",\"place\":null");
        return Ok(());
    };
    write!(out, ",\"place\":{{\"id\":\"{}\",\"place_type\":\"city\",\"name\":", city.id)?;
    string(out, city.name, escape);
    out.extend_from_slice(b",\"full_name\":");
    string(out, &format!("{}, {}", city.name, city.country), escape);
    write!(out, ",\"country_code\":\"{}\",\"country\":", city.country_code)?;
    string(out, city.country, escape);
    let (south, north) = (city.lat - 0.1, city.lat + 0.1);
    let (west, east) = (city.lon - 0.1, city.lon + 0.1);
    write!(
        out,
        ",\"bounding_box\":{{\"type\":\"Polygon\",\"coordinates\":[[[{west:.2},{south:.2}],\
         [{west:.2},{north:.2}],[{east:.2},{north:.2}],[{east:.2},{south:.2}]]]}}}}"
    )
}

fn entities(out: &mut Vec<u8>, text: &Text, escape: Escape) -> io::Result<()> {
    out.extend_from_slice(b"{\"hashtags\":[");
    let mut first = true;
    for ([start, end], entity) in &text.entities {
        if let Entity::Hashtag(tag) = entity {
            open(out, &mut first, "text");
            string(out, tag, escape);
            write!(out, ",\"indices\":[{start},{end}]}}")?;
        }
    }
    out.extend_from_slice(b"],\"urls\":[");
    first = true;
    for (indices, entity) in &text.entities {
        match entity {
            Entity::Link(token) => {
                let page = format!("example.com/{token}");
                url(out, &mut first, text, *indices, &page, escape)?;
            }
            Entity::Itself(id) => {
                let page = format!("tweets.example/i/web/status/{id}");
                url(out, &mut first, text, *indices, &page, escape)?;
            }
            Entity::Hashtag(_) | Entity::Mention(_) => {}
        }
    }
    out.extend_from_slice(b"],\"user_mentions\":[");
    first = true;
    for ([start, end], entity) in &text.entities {
        if let Entity::Mention(Person { id, screen_name, name }) = entity {
            open(out, &mut first, "screen_name");
            write!(out, "\"{screen_name}\",\"name\":")?;
            string(out, name, escape);
            write!(out, ",\"id\":{id},\"id_str\":\"{id}\",\"indices\":[{start},{end}]}}")?;
        }
    }
    out.extend_from_slice(b"]}");
    Ok(())
}

/// Starts the next object of a list with its first key.
fn open(out: &mut Vec<u8>, first: &mut bool, key: &str) {
    out.extend_from_slice(if std::mem::take(first) { b"{\"" } else { b",{\"" });
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(b"\":");
}

fn url(
    out: &mut Vec<u8>,
    first: &mut bool,
    text: &Text,
    [start, end]: Indices,
    page: &str,
    escape: Escape,
) -> io::Result<()> {
    open(out, first, "url");
    let spelt: String = text.text.chars().skip(start).take(end - start).collect();
    string(out, &spelt, escape);
    out.extend_from_slice(b",\"expanded_url\":");
    string(out, &format!("https://{page}"), escape);
    out.extend_from_slice(b",\"display_url\":");
    string(out, page, escape);
    write!(out, ",\"indices\":[{start},{end}]}}")
}

/// Appends the notice that a tweet was deleted.
pub(super) fn delete_notice(out: &mut Vec<u8>, id: u64, user_id: u64, ms: u64) -> io::Result<()> {
    write!(
        out,
        "{{\"delete\":{{\"status\":{{\"id\":{id},\"id_str\":\"{id}\",\"user_id\":{user_id},\
         \"user_id_str\":\"{user_id}\"}},\"timestamp_ms\":\"{ms}\"}}}}"
    )
}

/// Appends the notice that the stream has left out `track` tweets since it began.
pub(super) fn limit_notice(out: &mut Vec<u8>, track: u64, ms: u64) -> io::Result<()> {
    write!(out, "{{\"limit\":{{\"track\":{track},\"timestamp_ms\":\"{ms}\"}}}}")
}
