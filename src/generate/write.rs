//! Spells tweets and notices as the JSON of Twitter's v1.1 streaming API, field for field in the
//! order the API used; with or without the profile pictures and colours that make real records
//! large.

use std::io::{self, Write};

use super::json::{Escape, created_at, string, string_or_null};
use super::status::{Relation, Status, UserLocation};
use super::text::{Entity, Indices, Person, Text};
use super::user::User;

/// Appends one tweet, nested ones included.
pub(super) fn tweet(out: &mut Vec<u8>, status: &Status, escape: Escape) -> io::Result<()> {
    object(out, status, escape, false)?;
    write!(out, ",\"timestamp_ms\":\"{}\"}}", status.ms)
}

/// The same, with everything else that the API said of a user and a tweet.
pub(super) fn full_tweet(out: &mut Vec<u8>, status: &Status, escape: Escape) -> io::Result<()> {
    object(out, status, escape, true)?;
    write!(out, ",\"filter_level\":\"low\",\"timestamp_ms\":\"{}\"}}", status.ms)
}

/// Everything except `timestamp_ms`, which nested tweets do not have, and the closing brace.
fn object(out: &mut Vec<u8>, status: &Status, escape: Escape, full: bool) -> io::Result<()> {
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
    } else if full {
        out.extend_from_slice(
            b",\"in_reply_to_status_id\":null,\"in_reply_to_status_id_str\":null,\"in_reply_to_user_id\":null,\
              \"in_reply_to_user_id_str\":null,\"in_reply_to_screen_name\":null",
        );
    }
    out.extend_from_slice(b",\"user\":");
    user(out, &status.user, escape, full)?;
    location(out, status.location.as_ref(), escape)?;
    match &status.relation {
        Relation::Retweet(original) => nested(out, "retweeted_status", original, escape, full)?,
        Relation::Quote(quoted) => {
            write!(out, ",\"quoted_status_id\":{0},\"quoted_status_id_str\":\"{0}\"", quoted.id)?;
            nested(out, "quoted_status", quoted, escape, full)?;
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
    if full {
        out.extend_from_slice(
            b",\"favorited\":false,\"retweeted\":false,\"possibly_sensitive\":false,\"contributors\":null",
        );
    }
    write!(out, ",\"lang\":\"{}\"", status.lang)
}

fn nested(out: &mut Vec<u8>, key: &str, status: &Status, escape: Escape, full: bool) -> io::Result<()> {
    write!(out, ",\"{key}\":")?;
    object(out, status, escape, full)?;
    out.push(b'}');
    Ok(())
}

fn user(out: &mut Vec<u8>, user: &User, escape: Escape, full: bool) -> io::Result<()> {
    write!(out, "{{\"id\":{0},\"id_str\":\"{0}\",\"name\":", user.id)?;
    string(out, user.name, escape);
    write!(out, ",\"screen_name\":\"{}\",\"location\":", user.screen_name)?;
    string_or_null(out, user.location, escape);
    if full {
        profile(out, user, escape)?;
    }
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

/// What else the API said of a user: the larger part of most records.
fn profile(out: &mut Vec<u8>, user: &User, escape: Escape) -> io::Result<()> {
    let id = user.id;
    let color = |shift: u32| id.rotate_right(shift) & 0xff_ffff;
    let text = |out: &mut Vec<u8>, key: &str, text: &str| {
        out.extend_from_slice(format!(",\"{key}\":").as_bytes());
        string(out, text, escape);
    };
    text(out, "url", &format!("http://example.com/profile?id={id}"));
    let name = &user.screen_name;
    text(
        out,
        "description",
        &format!("{}, or {name} to most. Football, \"old\" films & long walks.", user.name),
    );
    let (friends, listed, liked) = (id % 1_987, id % 31, id % 8_009);
    write!(
        out,
        ",\"protected\":false,\"friends_count\":{friends},\"listed_count\":{listed},\"favourites_count\":{liked},\
         \"utc_offset\":null,\"time_zone\":null,\"geo_enabled\":true,\"lang\":\"{}\",\"contributors_enabled\":false,\
         \"is_translator\":false,\"profile_background_color\":\"{:06X}\"",
        user.language.code,
        color(3)
    )?;
    let images = "img.example.com/profile_background_images";
    text(out, "profile_background_image_url", &format!("http://{images}/{id}/back.jpg"));
    text(out, "profile_background_image_url_https", &format!("https://{images}/{id}/back.jpg"));
    write!(
        out,
        ",\"profile_background_tile\":false,\"profile_link_color\":\"{:06X}\",\
         \"profile_sidebar_border_color\":\"{:06X}\",\"profile_sidebar_fill_color\":\"{:06X}\",\
         \"profile_text_color\":\"333333\",\"profile_use_background_image\":true",
        color(5),
        color(7),
        color(11)
    )?;
    text(out, "profile_image_url", &format!("http://img.example.com/profile_images/{id}/{name}_normal.jpeg"));
    text(
        out,
        "profile_image_url_https",
        &format!("https://img.example.com/profile_images/{id}/{name}_normal.jpeg"),
    );
    text(out, "profile_banner_url", &format!("https://img.example.com/profile_banners/{id}/1420821409"));
    out.extend_from_slice(
        b",\"default_profile\":false,\"default_profile_image\":false,\"following\":null,\
          \"follow_request_sent\":null,\"notifications\":null",
    );
    Ok(())
}

/// `geo` is [lat, lon], `coordinates` is [lon, lat], as in the API.
fn location(out: &mut Vec<u8>, location: Option<&UserLocation>, escape: Escape) -> io::Result<()> {
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

/// Appends the notice that the stream has omitted `track` tweets since it began.
pub(super) fn limit_notice(out: &mut Vec<u8>, track: u64, ms: u64) -> io::Result<()> {
    write!(out, "{{\"limit\":{{\"track\":{track},\"timestamp_ms\":\"{ms}\"}}}}")
}
