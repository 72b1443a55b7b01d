//! User-grouped records, `{"id": 1608, "tweets": ["text", …]}`: all texts of one user, no times.
//!
//! There are two ways to the texts. [`Group::items`] has all of them at once, after the whole
//! record was parsed. [`texts`] says where each is in the file, so that they can be sent in any
//! order without parsing the record again for each: `Parser::parse_text` reads one from its own
//! bytes.

use super::fields::Fields;
use super::json::Json;
use super::keys::{Field, TWEETS};
use super::members::{Plain, Texts};
use super::read::user_id;
use super::{Reject, Tweet, TweetForm};
use crate::scan::{Members, space, value_end};
use crate::source::Frame;

/// One user and their texts.
#[derive(Debug, Clone)]
pub struct Group<'a> {
    /// The user's id; `None` if it is not an integer below 2^63.
    pub user_id: Option<i64>,
    items: Json<'a, Texts>,
}

impl<'a> Group<'a> {
    /// The tweets, in order; an item that is not a text is a reject.
    pub fn items(&self) -> impl Iterator<Item = Result<Tweet<'a>, Reject>> + '_ {
        self.items.items().into_iter().flatten().map(|item| text(item, self.user_id))
    }
}

/// The group in these fields, if they are one.
pub(super) fn read<'a>(fields: &Fields<'a>) -> Option<Group<'a>> {
    let items = fields.inside(TWEETS).filter(|items| items.is_array())?;
    let id = fields.get(Field::Id).or(fields.get(Field::IdStr))?;
    let user_id = user_id(id);
    Some(Group { user_id, items })
}

/// The tweet in one item of a group.
pub(super) fn text(item: Json<'_, Plain>, user_id: Option<i64>) -> Result<Tweet<'_>, Reject> {
    let text = item.text().ok_or(Reject::NotAText)?;
    Ok(Tweet { shape: TweetForm::Grouped, user_id, text, ..Tweet::default() })
}

/// Where one text of a group is: its JSON string, quotes included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextSlot {
    /// Bytes from the start of the file to the opening quote.
    pub offset: u64,
    /// Length with both quotes.
    pub len: u32,
}

/// The texts of a frame that [`Parser::parse`](super::Parser::parse) classified as a [`Group`]: as
/// many items as [`Group::items`] has, in the same order, each a text or the same reject.
///
/// Scans for brackets and strings only. On a frame that is not a group, or not JSON, it ends early
/// and the result is meaningless; it never panics.
pub fn texts(frame: Frame<'_>) -> impl Iterator<Item = Result<TextSlot, Reject>> + '_ {
    let bytes = frame.bytes;
    // If a key appears twice, its last value counts, as in the parser.
    let items = Members::of(bytes, 0).filter(|member| is_tweets(member.key)).last();
    let mut at = items.map_or(bytes.len(), |member| member.value + 1);
    std::iter::from_fn(move || {
        let mut start = space(bytes, at);
        if bytes.get(start) == Some(&b',') {
            start = space(bytes, start + 1);
        }
        let end = value_end(bytes, start).filter(|end| *end > start)?;
        at = end;
        let is_text = bytes[start] == b'"';
        let len = is_text.then(|| u32::try_from(end - start).ok()).flatten();
        Some(match len {
            Some(len) => Ok(TextSlot { offset: frame.offset + start as u64, len }),
            None => Err(Reject::NotAText),
        })
    })
}

/// Whether a key reads `tweets`; it may be spelt with escapes.
fn is_tweets(key: &[u8]) -> bool {
    let spelt = || serde_json::from_slice::<String>(&[b"\"", key, b"\""].concat());
    key == b"tweets" || (key.contains(&b'\\') && spelt().is_ok_and(|key| key == "tweets"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tweet::{Parser, Record};
    use proptest::prelude::*;

    type Items = Vec<Result<String, Reject>>;

    /// The items from the parser and from the slots; `None`: not a group.
    fn both_ways(json: &[u8]) -> Option<(Items, Items)> {
        let mut parser = Parser::new();
        let owned = |item: Result<Tweet<'_>, Reject>| item.map(|tweet| tweet.text.to_owned());
        let (user_id, parsed) = parser.parse(json, |record| match record {
            Ok(Record::Group(group)) => Some((group.user_id, group.items().map(owned).collect())),
            _ => None,
        })?;
        let before = 7;
        let slots = texts(Frame { offset: before, bytes: json, includes: &[] }).map(|slot| {
            let slot = slot?;
            let start = usize::try_from(slot.offset - before).unwrap();
            let raw = &json[start..start + slot.len as usize];
            parser.parse_text(raw, user_id, |record| match record {
                Ok(Record::Tweet(tweet)) => {
                    assert_eq!(tweet.user_id, user_id);
                    Ok(tweet.text.to_owned())
                }
                other => panic!("{other:?}"),
            })
        });
        Some((parsed, slots.collect()))
    }

    #[test]
    fn slots_are_found_among_other_keys_spaces_and_escapes() {
        let json = r#" { "id" : 5, "a":["tweets",{"tweets":["no"]}], "\u0074weets" :
            [ "a\"],", "" ,17,{"x":["y"]}, "é\ud83d\ude00\\" ] , "z":1}"#;
        let (parsed, slots) = both_ways(json.trim().as_bytes()).unwrap();
        assert_eq!(parsed, slots);
        let text = |text: &str| Ok(text.to_owned());
        let not = || Err(Reject::NotAText);
        assert_eq!(slots, [text("a\"],"), text(""), not(), not(), text("é😀\\")]);
    }

    #[test]
    fn of_a_key_that_comes_twice_the_last_one_counts() {
        let (parsed, slots) = both_ways(br#"{"tweets":["a"],"id":1,"tweets":["b","c"]}"#).unwrap();
        assert_eq!((parsed.len(), &parsed), (2, &slots));
    }

    #[test]
    fn a_value_that_breaks_beside_the_texts_hides_none_of_them() {
        for broken in ["5 5", "\"x\" \"y\"", "{} {}", "{} 5", "tru", ""] {
            let json = format!("{{\"id\":1,\"x\":{broken},\"tweets\":[\"a\"]}}");
            if let Some((parsed, slots)) = both_ways(json.as_bytes()) {
                assert_eq!(parsed, slots, "{json}");
            }
        }
        for json in [r#"{"id":"5","stray","tweets":["b"]}"#, r#"{"stray","id":5,"tweets":["b"]}"#] {
            assert_eq!(both_ways(json.as_bytes()), None, "{json}");
        }
    }

    #[test]
    fn a_slot_that_holds_no_text_is_said_so() {
        let mut parser = Parser::new();
        assert!(parser.parse_text(b"\"cut", None, |record| record.is_err()));
        assert!(parser.parse_text(b"[1]", None, |record| matches!(record, Ok(Record::Reject(_)))));
    }

    fn item() -> impl Strategy<Value = String> {
        prop_oneof![
            4 => any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
            1 => Just(r#""\u005c\u0022\ud83d\ude00""#.to_owned()),
            1 => prop_oneof![Just("17"), Just("null"), Just("[\"x\",[]]"), Just("{\"tweets\":[\"]\"]}"), Just("[]")]
                .prop_map(str::to_owned),
        ]
    }

    fn member() -> impl Strategy<Value = String> {
        let key = prop_oneof![Just("tweets"), Just("id"), Just("\\u0074weets"), Just("x"), Just("tweets ")];
        let list =
            prop::collection::vec(item(), 0..5).prop_map(|items| format!("[{}]", items.join(" ,\r\n")));
        let broken = prop_oneof![Just("5 5"), Just("tru"), Just("\"x\" 5"), Just("{} []")];
        (key, prop_oneof![3 => list, 3 => item(), 1 => broken.prop_map(str::to_owned)])
            .prop_map(|(key, value)| format!("\t\"{key}\" : {value}"))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1024))]
        #[test]
        fn slots_agree_with_the_parser_on_whole_and_on_broken_groups(
            members in prop::collection::vec(member(), 1..5),
            edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..4), 0..3),
        ) {
            let mut json = format!("{{\"id\":1,{}}}", members.join(",")).into_bytes();
            for (at, byte, kind) in edits {
                let at = at.index(json.len());
                match kind {
                    0 => json[at] = b"\"\\{}[],: \n"[usize::from(byte) % 10],
                    1 => json[at] = byte,
                    2 => { json.remove(at); }
                    _ => json.truncate(at + 1),
                }
            }
            let _ = texts(Frame { offset: 0, bytes: &json, includes: &[] }).count();
            if let Some((parsed, slots)) = both_ways(&json) {
                prop_assert_eq!(parsed, slots);
            }
        }

        #[test]
        fn any_bytes_are_scanned_without_a_panic(bytes: Vec<u8>) {
            let _ = texts(Frame { offset: 0, bytes: &bytes, includes: &[] }).count();
        }
    }
}
