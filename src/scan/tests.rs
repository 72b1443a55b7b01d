//! Compares the fast scanners with the plain one, and both with a JSON reader.

use proptest::prelude::*;

use super::block::{BLOCK, Block, LineEndsOfBlock};
use super::fastest::scanners;
use super::scanner::Scanner;
use super::*;

/// JSON texts, whole and broken, with many traps for scanners.
fn jsonish() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        8 => prop::sample::select(vec![
            "{", "}", "[", "]", "\"", "\\", "\\\\", "\\\"", "\n", " ", ",", ":", "\"a\":", "\"]}\"", "\\\\\\\\\\",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
        2 => "[a-z é한😀]{0,40}".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..8),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

fn value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
        "[\\\\\"{}\\[\\]]{0,80}".prop_map(Into::into),
    ];
    leaf.prop_recursive(5, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(serde_json::Value::from),
            prop::collection::hash_map(any::<String>(), inner, 0..6)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Where a plain JSON reader says that the value at the start of `bytes` ends.
fn reader_end(bytes: &[u8]) -> Option<usize> {
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<serde::de::IgnoredAny>();
    values.next()?.ok()?;
    Some(values.byte_offset())
}

#[test]
fn ends_are_found_at_every_place_in_a_block() {
    for before in 0..130 {
        let text = format!("{{\"{}\\\"\":[\"]\\\\\"]}}x", " ".repeat(before));
        let end = Some(text.len() - 1);
        assert_eq!((scalar::SCANNER.balanced_end)(text.as_bytes(), 0), end);
        assert_eq!(container_end(text.as_bytes(), 0), end, "{before}");
        assert_eq!(strict_end(text.as_bytes(), 0).ok(), end);
    }
}

#[test]
fn a_string_that_runs_over_a_line_is_no_string() {
    assert_eq!(container_end(b"{\"a\":\"b,\n\"c\":\"}\"}", 0), None);
    assert_eq!(container_end(b"{\"a\":b\\n}", 0), None);
    assert_eq!(string_end(b"\"a\n\"", 0), None);
    assert_eq!(string_end(b"\"a\\\n\"", 0), None);
}

#[test]
fn what_is_wrong_behind_the_end_does_not_matter() {
    let text = "[1]\\ \"\n\"";
    assert_eq!(container_end(text.as_bytes(), 0), Some(3));
    assert_eq!((scalar::SCANNER.balanced_end)(text.as_bytes(), 0), Some(3));
}

#[test]
fn the_place_where_a_value_breaks() {
    let at = |text: &str| strict_end(text.as_bytes(), 0).unwrap_err();
    assert_eq!(at(r#"{"a":1,,"b":2}"#), Broken::At(7));
    assert_eq!(at(r#"{"a":{"b":1},{"c":2}"#), Broken::At(13));
    assert_eq!(at(r#"{"a":"b,"c":2}"#), Broken::At(9));
    assert_eq!(at("{\"a\":\"b\n"), Broken::At(7));
    assert_eq!(at(r#"{"a":01}"#), Broken::At(6));
    assert_eq!(at(r#"["\ud8x"]"#), Broken::At(6));
    assert_eq!(at(r#"{"a":[1,2"#), Broken::Cut);
    assert_eq!(at(r#"{"a":tru"#), Broken::Cut);
    assert_eq!(at(&"[".repeat(2_000)), Broken::At(1_024));
}

/// The masks that one of the scanners makes, and whether the bytes may be JSON.
fn masks(bytes: &[u8], scanner: Scanner) -> (Vec<Block>, bool) {
    let count = bytes.len().div_ceil(BLOCK);
    let (mut blocks, mut copy) = (vec![Block::default(); count], vec![[0; BLOCK]; count]);
    let is_right = (scanner.fill)(bytes, &mut copy, &mut blocks);
    let (copied, blanks) = copy.as_flattened().split_at(bytes.len());
    assert!(copied == bytes && blanks.iter().all(|byte| *byte == b' '));
    (blocks, is_right)
}

#[test]
fn the_cursor_hops_over_what_it_skips() {
    for before in 0..130 {
        let spaces = " ".repeat(before);
        let text = format!("{{\"a\\\"\":{spaces}[[\":]\"],{{\"b\":[]}}{spaces}],\"c\":\"d\"}}");
        let (mut structure, bytes) = (Structure::default(), text.as_bytes());
        let mut cursor = structure.of(bytes).unwrap();
        assert_eq!((cursor.hop(), cursor.hop()), (Some(0), Some(6)), "{before}");
        let open = cursor.hop().unwrap();
        assert_eq!(bytes[open], b'[');
        let end = cursor.skip(open).unwrap();
        assert_eq!(&text[end..], ",\"c\":\"d\"}");
        let colon = cursor.hop().unwrap();
        assert_eq!((bytes[colon], cursor.mark_before(colon - 1)), (b':', Some(end + 1)));
        assert_eq!(cursor.string_end(colon + 2), Some((text.len() - 2, false)));
        assert_eq!(cursor.string_end(2), Some((5, true)));
        assert_eq!((cursor.hop(), cursor.hop()), (Some(text.len() - 1), None));
        cursor.go_to(end);
        assert_eq!(cursor.hop(), Some(colon));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn the_masks_are_those_of_the_plain_twin(text in jsonish(), bytes: Vec<u8>, value in value()) {
        for bytes in [text, bytes, serde_json::to_vec(&value).unwrap()] {
            let plain = masks(&bytes, scalar::SCANNER);
            for scanner in scanners() {
                prop_assert_eq!(masks(&bytes, scanner), plain.clone());
            }
        }
    }

    #[test]
    fn line_ends_are_found_across_blocks_and_windows(bytes in jsonish(), before in 0..40_000usize) {
        for (before, fill) in [(0, b' '), (before, b' '), (before, b'\n')] {
            let bytes = [&vec![fill; before], &bytes[..]].concat();
            let wanted: Vec<usize> = memchr::memchr_iter(b'\n', &bytes).collect();
            prop_assert_eq!(LineEnds::of(&bytes).collect::<Vec<_>>(), wanted);
            let blocks = |scanner: Scanner| {
                let mut found = vec![LineEndsOfBlock::default(); bytes.len().div_ceil(BLOCK)];
                let count = (scanner.line_ends)(&bytes, &mut found);
                found.truncate(count);
                found
            };
            let plain = blocks(scalar::SCANNER);
            for scanner in scanners() {
                prop_assert_eq!(blocks(scanner), plain.clone());
            }
        }
    }

    #[test]
    fn the_fast_scanners_agree_with_their_plain_twin(text in jsonish(), bytes: Vec<u8>) {
        for bytes in [text, bytes] {
            for start in 0..bytes.len() {
                let plain = (scalar::SCANNER.balanced_end)(&bytes, start);
                for scanner in scanners() {
                    prop_assert_eq!((scanner.balanced_end)(&bytes, start), plain);
                }
                let _ = (container_end(&bytes, start), string_end(&bytes, start), value_end(&bytes, start));
            }
        }
    }

    #[test]
    fn the_end_of_a_whole_value_is_where_a_json_reader_has_it(value in value(), pretty: bool, behind in jsonish()) {
        let mut text = if pretty { serde_json::to_vec_pretty(&value) } else { serde_json::to_vec(&value) }.unwrap();
        let end = text.len();
        let separated = behind.first().is_some_and(|byte| !byte.is_ascii_alphanumeric() && !b".+-".contains(byte));
        if separated {
            text.extend(behind);
        }
        prop_assert_eq!(strict_end(&text, 0), Ok(end));
        if value.is_array() || value.is_object() {
            prop_assert_eq!(container_end(&text, 0), Some(end));
        }
    }

    #[test]
    fn the_grammar_is_that_of_a_json_reader(text in jsonish()) {
        let first = text.iter().position(|byte| !byte.is_ascii_whitespace());
        if let Some(start) = first && std::str::from_utf8(&text).is_ok() {
            let ours = strict_end(&text, start).ok();
            let theirs = reader_end(&text[start..]).map(|end| start + end);
            // The other reader looks one byte further after numbers and words, and refuses lone
            // surrogates.
            if theirs.is_some() {
                prop_assert_eq!(ours, theirs);
            } else if let Some(end) = ours {
                let lenient: Result<serde::de::IgnoredAny, _> = serde_json::from_slice(&text[start..end]);
                prop_assert!(lenient.is_ok(), "{:?}", std::str::from_utf8(&text[start..end]));
            }
        }
    }
}
