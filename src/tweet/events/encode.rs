//! The payload of an event: the record as it is, with our time stamp before its members, and `run` and `seq` after
//! them.

use bytes::{BufMut, BytesMut};

use crate::event::OwnNames;
use crate::tweet::{TIMESTAMP_BYTES, Tweet};

/// Position of the 24 characters of the time stamp in a payload.
#[must_use]
pub fn timestamp_offset(names: OwnNames) -> usize {
    "{\"\":\"".len() + names.timestamp().len()
}

/// Appends the payload of an event to `out`, with a blank in place of its time stamp. `run` must need no escaping in
/// JSON, and the record has none of `names`.
pub fn encode_event(event: &Tweet<'_>, names: OwnNames, run: &str, seq: u64, out: &mut BytesMut) {
    const OURS_BYTES: usize = 192;
    out.reserve(OURS_BYTES + event.text.len());
    out.put_slice(b"{\"");
    out.put_slice(names.timestamp().as_bytes());
    out.put_slice(b"\":\"");
    out.put_bytes(b' ', TIMESTAMP_BYTES);
    out.put_u8(b'"');
    let inner =
        event.text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or_default().trim();
    if !inner.is_empty() {
        out.put_u8(b',');
        out.put_slice(inner.as_bytes());
    }
    out.put_slice(b",\"");
    out.put_slice(names.run().as_bytes());
    out.put_slice(b"\":\"");
    out.put_slice(run.as_bytes());
    out.put_slice(b"\",\"");
    out.put_slice(names.seq().as_bytes());
    out.put_slice(b"\":");
    out.put_slice(itoa::Buffer::new().format(seq).as_bytes());
    out.put_u8(b'}');
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use proptest::prelude::*;
    use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
    use serde_json::{Value, json};

    use super::*;
    use crate::event::TakenNames;
    use crate::tweet::{EventFields, Parser, ParserOptions, Record};

    fn payload(json: &str, names: OwnNames) -> Result<String, String> {
        let fields = EventFields { own: Some(names), ..EventFields::default() };
        let options = ParserOptions { events: Some(Arc::from([fields])), ..ParserOptions::default() };
        Parser::with_options(options).parse(json.as_bytes(), |record| match record {
            Ok(Record::Tweet(event)) => {
                let mut out = BytesMut::new();
                encode_event(&event, names, "r1", 7, &mut out);
                assert_eq!(&out[timestamp_offset(names)..][..TIMESTAMP_BYTES], [b' '; TIMESTAMP_BYTES]);
                Ok(String::from_utf8(out.to_vec()).unwrap())
            }
            Ok(Record::Reject(reject)) => Err(reject.name().to_owned()),
            other => Err(format!("{other:?}")),
        })
    }

    #[test]
    fn a_record_is_sent_as_it_is() {
        let plain = |json: &str| payload(json, OwnNames::default()).unwrap();
        let blank = " ".repeat(TIMESTAMP_BYTES);
        for (record, inside) in [
            (r#"{"a" : 12.700, "é":"\u00e9"}"#, r#","a" : 12.700, "é":"\u00e9""#),
            ("{ }", ""),
            ("{\r\n  \"a\": [1,\n2]\r\n}", ",\"a\": [1,\n2]"),
            // What is not JSON is sent as it was meant, and an object in a string as an object.
            (r#"{"a":NaN}"#, r#","a":null"#),
            (r#"" {\"a\":\"\\\"\"} ""#, r#","a":"\"""#),
        ] {
            let expected = format!(r#"{{"timestamp":"{blank}"{inside},"run":"r1","seq":7}}"#);
            assert_eq!(plain(record), expected, "{record}");
        }
        for other in ["7", "[{}]", r#""x""#, r#""{x""#] {
            assert_eq!(payload(other, OwnNames::default()), Err("not an object".to_owned()), "{other}");
        }
    }

    /// All names at the top, each as often as it is there.
    fn names_of(json: &str) -> Vec<String> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = Vec<String>;

            fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<String>, A::Error> {
                let mut names = Vec::new();
                while let Some((name, _)) = map.next_entry::<String, IgnoredAny>()? {
                    names.push(name);
                }
                Ok(names)
            }
        }
        serde_json::Deserializer::from_str(json).deserialize_map(Names).unwrap()
    }

    proptest! {
        #[test]
        fn no_name_is_in_a_payload_twice(
            members in prop::collection::btree_map(
                prop_oneof![r"_{0,3}(run|seq|timestamp)", "[a-z]{0,3}", any::<String>()],
                prop_oneof![any::<i32>().prop_map(Value::from), any::<String>().prop_map(Value::from)],
                0..8,
            ),
            escaped in any::<bool>(),
        ) {
            let mut taken = TakenNames::default();
            members.keys().for_each(|name| taken.note(name));
            let names = taken.free();
            let mut record = json!(members).to_string();
            if escaped {
                record = record.replace("run", "r\\u0075n");
            }
            let payload = payload(&record, names).unwrap();
            let all = names_of(&payload);
            let different: BTreeSet<&String> = all.iter().collect();
            prop_assert_eq!(all.len(), different.len(), "{}", payload);
            prop_assert_eq!(all.len(), members.len() + 3);
            // Theirs are what they were.
            let read: serde_json::Map<String, Value> = serde_json::from_str(&payload).unwrap();
            for (name, value) in &members {
                prop_assert_eq!(&read[name], value);
            }
            // With names that a record has it is not sent at all.
            if let Some(clash) = members.keys().find(|name| OwnNames::default().has(name)) {
                prop_assert!(super::tests::payload(&record, OwnNames::default()).is_err(), "{}", clash);
            }
        }
    }
}
