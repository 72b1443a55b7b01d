//! Spells tweets as in account archives, activity streams and hand-made lists.

use std::io::{self, Write};

use super::json::{Escape, created_at, indented, iso_time, string};
use super::status::{Relation, Status};
use super::table::put_cell;
use super::text::{Entity, Text};
use super::write;

/// Appends one element of an account archive: indented, numbers as strings, no user.
pub(super) fn archived(out: &mut Vec<u8>, status: &Status, escape: Escape) -> io::Result<()> {
    let mut flat = Vec::new();
    flat.extend_from_slice(b"{\"tweet\":{\"retweeted\":false,\"source\":");
    string(
        &mut flat,
        &format!("<a href=\"{}\" rel=\"nofollow\">{}</a>", status.client.1, status.client.0),
        escape,
    );
    flat.extend_from_slice(b",\"entities\":{");
    hashtags(&mut flat, &status.text, escape, true)?;
    write!(
        flat,
        "}},\"favorite_count\":\"{}\",\"id_str\":\"{1}\",\"id\":\"{1}\",\"retweet_count\":\"{2}\",\"created_at\":",
        status.favorites, status.id, status.retweets
    )?;
    created_at(&mut flat, status.ms)?;
    flat.extend_from_slice(b",\"full_text\":");
    string(&mut flat, &status.text.text, escape);
    write!(flat, ",\"lang\":\"{}\"}}}}", status.lang)?;
    indented(out, &flat, 1);
    Ok(())
}

/// Appends a v1.1 tweet over many lines.
pub(super) fn pretty(out: &mut Vec<u8>, status: &Status, escape: Escape) -> io::Result<()> {
    let mut flat = Vec::new();
    write::tweet(&mut flat, status, escape)?;
    indented(out, &flat, 0);
    Ok(())
}

/// Appends an activity.
pub(super) fn activity(out: &mut Vec<u8>, status: &Status, escape: Escape) -> io::Result<()> {
    let verb = if matches!(status.relation, Relation::Retweet(_)) { "share" } else { "post" };
    write!(
        out,
        "{{\"id\":\"tag:search.twitter.com,2005:{}\",\"objectType\":\"activity\",\"verb\":\"{verb}\",\
         \"postedTime\":",
        status.id
    )?;
    iso_time(out, status.ms)?;
    let short = status.text.shortened(status.id);
    out.extend_from_slice(b",\"body\":");
    string(out, &short.as_ref().unwrap_or(&status.text).text, escape);
    if short.is_some() {
        out.extend_from_slice(b",\"long_object\":{\"body\":");
        string(out, &status.text.text, escape);
        out.push(b'}');
    }
    let user = &status.user;
    write!(
        out,
        ",\"actor\":{{\"objectType\":\"person\",\"id\":\"id:twitter.com:{}\",\"preferredUsername\":\"{}\",\
         \"displayName\":",
        user.id, user.screen_name
    )?;
    string(out, user.name, escape);
    write!(
        out,
        ",\"followersCount\":{}}},\"favoritesCount\":{},\"retweetCount\":{},\"twitter_lang\":\"{}\"",
        user.followers, status.favorites, status.retweets, status.lang
    )?;
    if let Some((lat, lon)) = status.location.as_ref().and_then(|location| location.point) {
        write!(out, ",\"geo\":{{\"type\":\"Point\",\"coordinates\":[{lat:.6},{lon:.6}]}}")?;
    }
    out.extend_from_slice(b",\"twitter_entities\":{");
    hashtags(out, &status.text, escape, false)?;
    out.extend_from_slice(b"}}");
    Ok(())
}

/// Appends a flat object as people write them.
pub(super) fn flat(out: &mut Vec<u8>, status: &Status, escape: Escape) -> io::Result<()> {
    write!(out, "{{\"tweet_id\":\"{}\",\"created_at\":", status.id)?;
    iso_time(out, status.ms)?;
    write!(
        out,
        ",\"user_id\":\"{}\",\"username\":\"{}\",\"text\":",
        status.user.id, status.user.screen_name
    )?;
    string(out, &status.text.text, escape);
    write!(
        out,
        ",\"language\":\"{}\",\"retweets\":{},\"likes\":{}}}",
        status.lang, status.retweets, status.favorites
    )
}

/// The columns of [`flat_row`].
pub(super) const FLAT: [&str; 8] =
    ["tweet_id", "created_at", "user_id", "username", "text", "language", "retweets", "likes"];

/// Appends the same as a row of a table.
pub(super) fn flat_row(out: &mut Vec<u8>, status: &Status, _: Escape) -> io::Result<()> {
    let mut time = Vec::new();
    iso_time(&mut time, status.ms)?;
    write!(out, "{},", status.id)?;
    // Without its quotes.
    out.extend_from_slice(
        time.trim_ascii().strip_prefix(b"\"").and_then(|time| time.strip_suffix(b"\"")).unwrap_or(&time),
    );
    write!(out, ",{},{},", status.user.id, status.user.screen_name)?;
    put_cell(out, &status.text.text);
    write!(out, ",{},{},{}", status.lang, status.retweets, status.favorites)
}

fn hashtags(out: &mut Vec<u8>, text: &Text, escape: Escape, quoted: bool) -> io::Result<()> {
    out.extend_from_slice(b"\"hashtags\":[");
    let mut between = "";
    for ([start, end], entity) in &text.entities {
        if let Entity::Hashtag(tag) = entity {
            write!(out, "{between}{{\"text\":")?;
            string(out, tag, escape);
            match quoted {
                true => write!(out, ",\"indices\":[\"{start}\",\"{end}\"]}}")?,
                false => write!(out, ",\"indices\":[{start},{end}]}}")?,
            }
            between = ",";
        }
    }
    out.push(b']');
    Ok(())
}
