use super::*;
use crate::tweet::{Hashtags, Parser, ParserOptions, Record, TimeFormat, TimeOptions};

fn with_map<T>(map: &str, format: Option<&str>, json: &str, look: impl FnOnce(Option<Tweet<'_>>) -> T) -> T {
    let times = TimeOptions { format: format.map(|format| format.parse().unwrap()), zone: None };
    let fields = Some(map.parse().unwrap());
    let mut parser = Parser::with_options(ParserOptions { fields, times, ..ParserOptions::default() });
    parser.parse(json.as_bytes(), |record| match record {
        Ok(Record::Tweet(tweet)) => look(Some(tweet)),
        Ok(Record::Reject(_)) => look(None),
        other => panic!("{other:?}"),
    })
}

#[test]
fn paths_lead_into_objects_and_arrays() {
    with_map(
        "time=meta.at,text=says.1.words,user=by.id,id=nr",
        None,
        r#"{"nr":"20","says":[{},{"words":"hello"}],"by":{"id":"7"},"meta":{"at":"2021-07-06T16:04:47Z"}}"#,
        |tweet| {
            let tweet = tweet.unwrap();
            assert_eq!((tweet.text, tweet.user_id, tweet.shape), ("hello", Some(7), TweetForm::Mapped));
            assert_eq!(tweet.id, Some(Id::Text("20")));
            assert_eq!(tweet.event_time_ms, Some(1_625_587_487_000));
        },
    );
}

#[test]
fn what_is_not_mapped_is_found_as_in_any_file() {
    let json =
        r#"{"id_str":"20","text":"t","user":{"screen_name":"n"},"when":"06/07/2021 16:04","a.b":"bob"}"#;
    with_map("time=when,user=a.b", Some("%d/%m/%Y %H:%M"), json, |tweet| {
        let tweet = tweet.unwrap();
        assert_eq!((tweet.text, tweet.screen_name, tweet.user_id), ("t", Some("bob"), None));
        assert_eq!(tweet.event_time_ms, Some(1_625_587_440_000));
    });
}

/// All of a tweet, in words.
fn all_of(map: &str, json: &str) -> String {
    with_map(map, None, json, |tweet| {
        let Some(tweet) = tweet else { return "none".to_owned() };
        let id = tweet.id.and_then(Id::number);
        let time_s = tweet.event_time_ms.map(|ms| ms / 1_000);
        let user = (tweet.user_id, tweet.screen_name);
        let counts = (tweet.retweet_count, tweet.favorite_count);
        let listed = matches!(tweet.hashtags, Hashtags::Listed(_));
        format!(
            "{} {id:?} {time_s:?} {user:?} {:?} {counts:?} {:?} {listed}",
            tweet.text, tweet.lang, tweet.position
        )
    })
}

/// A usual name for everything, and an unusual one: whatever is mapped, the rest is found.
#[test]
fn each_field_is_mapped_by_itself() {
    let usual = r#""id":"1","user_id":"7","screen_name":"n","created_at":"2021-07-06T16:04:47Z","lang":"en",
        "retweets":2,"likes":3,"hashtags":["h"],"lat":40,"lon":-73.5"#;
    let unusual = r#""nr":"2","who":"8","when":"2021-07-06T16:04:48Z","words":"w""#;
    let usual_text = format!("{{{usual},\"text\":\"t\",{unusual}}}");
    let no_usual_text = format!("{{{usual},{unusual}}}");
    for mapped in 0..16 {
        let is = |bit: u32| mapped & (1 << bit) != 0;
        let pick = |bit, usual, unusual| if is(bit) { unusual } else { usual };
        let expected = |text| {
            let (id, user) = (pick(0, "1", "2"), pick(1, "7", "8"));
            let time_s = pick(2, "1625587487", "1625587488");
            format!(
                "{text} Some({id}) Some({time_s}) (Some({user}), Some(\"n\")) Some(\"en\") \
                 (Some(2), Some(3)) Some((40.0, -73.5)) true"
            )
        };
        let map: Vec<&str> = ["id=nr", "user=who", "time=when", "text=words"]
            .into_iter()
            .enumerate()
            .filter_map(|(bit, part)| is(bit as u32).then_some(part))
            .collect();
        if map.is_empty() {
            continue;
        }
        let map = map.join(",");
        assert_eq!(all_of(&map, &usual_text), expected(pick(3, "t", "w")), "{map}");
        let without = if is(3) { expected("w") } else { "none".to_owned() };
        assert_eq!(all_of(&map, &no_usual_text), without, "{map}");
    }
}

#[test]
fn with_an_unusual_text_official_records_are_read_too() {
    let of = |path: &str, json: &str| all_of(&format!("text={path}"), json);
    let expected =
        "w Some(1) Some(1625587487) (Some(7), Some(\"n\")) Some(\"en\") (None, Some(3)) None false";
    let v11 = r#"{"id_str":"1","created_at":"Tue Jul 06 16:04:47 +0000 2021","words":"w","lang":"en",
        "favorite_count":3,"user":{"id":7,"screen_name":"n"}}"#;
    assert_eq!(of("words", v11), expected);
    assert_eq!(of("tweet.words", &format!("{{\"tweet\":{v11}}}")), expected);
    let v2 = r#"{"data":{"id":"1","created_at":"2021-07-06T16:04:47.000Z","words":"w","lang":"en","author_id":"7",
        "public_metrics":{"like_count":3}},"includes":{"users":[{"id":"7","username":"n"}]}}"#;
    assert_eq!(of("data.words", v2), expected);
    let activity = r#"{"id":"tag:search.twitter.com,2005:1","verb":"post","postedTime":"2021-07-06T16:04:47Z",
        "actor":{"id":"id:twitter.com:7","preferredUsername":"n"},"words":"w","favoritesCount":3,"twitter_lang":"en"}"#;
    assert_eq!(of("words", activity), expected);
}

/// Log lines and events of other programs have such names too.
#[test]
fn an_official_name_in_a_hand_made_record_hides_nothing_of_it() {
    let rest = r#""id":1,"user_id":7,"username":"n","time":"2021-07-06T16:04:47Z","language":"en","likes":3"#;
    for (map, official) in [
        ("text=msg", r#""verb":"GET","msg":"w""#),
        ("text=data.msg", r#""data":{"msg":"w"}"#),
        ("text=tweet.msg", r#""tweet":{"msg":"w"}"#),
    ] {
        assert_eq!(
            all_of(map, &format!("{{{official},{rest}}}")),
            "w Some(1) Some(1625587487) (Some(7), Some(\"n\")) Some(\"en\") (None, Some(3)) None false",
            "{official}"
        );
    }
}

#[test]
fn what_is_mapped_makes_the_rest_likely_and_an_id_has_its_time() {
    // A `content` alone is not a tweet.
    assert_eq!(all_of("id=nr", r#"{"content":"c"}"#), "none");
    for (map, member) in
        [("id=nr", "\"nr\":5"), ("time=when", "\"when\":1625587487"), ("user=who", "\"who\":7")]
    {
        assert!(all_of(map, &format!("{{\"content\":\"c\",{member}}}")).starts_with("c "), "{map}");
    }
    let json = r#"{"text":"t","id":"1","nr":"1494676113423061005"}"#;
    with_map("id=nr", None, json, |tweet| {
        assert_eq!(tweet.unwrap().event_time_ms, crate::tweet::snowflake_ms(1_494_676_113_423_061_005));
    });
}

#[test]
fn a_record_without_the_mapped_text_is_not_a_tweet() {
    assert!(with_map("text=words", None, r#"{"text":"t","id":1}"#, |tweet| tweet.is_none()));
    assert!(with_map("text=words", None, r#"{"words":7}"#, |tweet| tweet.is_none()));
}

#[test]
fn numbers_of_any_unit() {
    for (format, time) in [("s", "1625587487"), ("ms", "\"1625587487000\""), ("us", "1625587487000000")] {
        let json = format!("{{\"text\":\"t\",\"at\":{time}}}");
        with_map("time=at", Some(format), &json, |tweet| {
            assert_eq!(tweet.unwrap().event_time_ms, Some(1_625_587_487_000), "{format}");
        });
    }
}

#[test]
fn mistakes_are_named() {
    let wrong = |map: &str| map.parse::<FieldMap>().unwrap_err().to_string();
    assert!(wrong("time").contains("FIELD=PATH"));
    assert!(wrong("date=x").contains("time, text, user or id"));
    assert!(wrong("time=a..b").contains("FIELD=PATH"));
    assert_eq!(wrong("id=a,id=b"), "id is mapped twice");
    for pattern in ["", "when", "%H:%M", "%d/%m %H:%M", "%Q!"] {
        assert!(pattern.parse::<TimeFormat>().is_err(), "{pattern}");
    }
}
