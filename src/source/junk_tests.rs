//! Good records are found behind junk, and parts of broken records never become records.

use proptest::prelude::*;

use super::*;

/// Junk in brackets, records as they are.
fn parts(text: &str) -> Vec<String> {
    let frame = Frame { offset: 7, bytes: text.as_bytes(), includes: &[] };
    let part = |part| {
        let (frame, is_junk) = match part {
            FramePart::Junk(frame) => (frame, true),
            FramePart::Record(frame) => (frame, false),
        };
        let start = frame.offset as usize - 7;
        assert_eq!(&text.as_bytes()[start..start + frame.bytes.len()], frame.bytes);
        let words = String::from_utf8_lossy(frame.bytes).into_owned();
        if is_junk { format!("[{words}]") } else { words }
    };
    frame_parts(frame).into_iter().map(part).collect()
}

const RECORD: &str = r#"{"id":2,"text":"b, {c}","user":{"id":3,"name":"n"}}"#;

#[test]
fn a_byte_order_mark_costs_nothing_and_other_junk_only_itself() {
    assert_eq!(parts(&format!("\u{feff}{RECORD}")), [RECORD]);
    assert_eq!(parts(&format!("\u{feff} \u{feff}{RECORD},")), [RECORD]);
    assert_eq!(parts(&format!("\0\0\0{RECORD}")), ["[\0\0\0]", RECORD]);
    assert_eq!(parts(&format!("\u{200b}{RECORD}")), ["[\u{200b}]", RECORD]);
    assert_eq!(parts(&format!("\u{feff}\0 {RECORD}")), ["[\0]", RECORD]);
    assert_eq!(parts(&format!("{RECORD}\0\0")), [RECORD, "[\0\0]"]);
    assert_eq!(parts(&format!("{RECORD}{RECORD} {RECORD},{RECORD}")), [RECORD; 4]);
    assert_eq!(parts(&format!("{RECORD}}}")), [RECORD, "[}]"]);
}

/// A record that has all kinds of values and places in it.
const CUT: &str =
    r#"{"id":1, "text":"a \"q\" \u00e9","n":[1,-2.5e3,{"x":null},[]],"user":{"id":4,"ok":true},"place":{}}"#;

#[test]
fn the_record_behind_one_that_was_cut_anywhere_is_found() {
    for cut in (1..CUT.len()).filter(|cut| CUT.is_char_boundary(*cut)) {
        let head = &CUT[..cut];
        // Where a value may follow, the next record may be that value.
        let is_value_next = matches!(head.trim_end().as_bytes().last(), Some(b':' | b'['))
            || (head.ends_with(',') && head.matches('[').count() > head.matches(']').count());
        let found = parts(&format!("{head}{RECORD}"));
        if is_value_next && serde_json::from_str::<serde_json::Value>(&format!("{head}{RECORD}")).is_err() {
            assert!(found.is_empty() || found.last().unwrap() == RECORD, "{head}: {found:?}");
        } else {
            assert_eq!(found, [format!("[{}]", head.trim_ascii_end()), RECORD.to_owned()], "{head}");
        }
    }
}

#[test]
fn several_cut_records_cost_only_themselves() {
    let text = format!(r#"{{"id":1,"text":"a{{"id":1,"te{RECORD}{{"id":9,"text":"bad \x"}}{RECORD}"#);
    let junk = [r#"[{"id":1,"text":"a{"id":1,"te]"#, RECORD, r#"[{"id":9,"text":"bad \x"}]"#, RECORD];
    assert_eq!(parts(&text), junk);
}

#[test]
fn a_part_of_a_broken_record_is_no_record() {
    for broken in [
        r#"{"id":1,"text":"bad \x","user":{"id":2,"name":"n"}}"#,
        r#"{"id":1,"quoted_status":{"id":2,"text":"q"},"text":"cut"#,
        r#"{"id":1,"quoted_status":{"id":2,"text":"q"}"#,
        r#"{"id":1,"n":[bad{"id":2},{"id":3}],"text":"a"}"#,
        r#"{"id":1,"text":"he said {"id":2} to me","user":{"id":3}}"#,
        r#"{"id":1,"text":"never closed},{"id":2,"text":"b"}],"meta":{"id":3}}"#,
        r#"lo","user":{"id":1,"name":"n"},"lang":"en"}"#,
        r#"lo","quoted_status":{"id":1,"text":"q"}"#,
        r#"{"a":{"id":1}bad}"#,
        "text {not JSON}",
        "{",
        "",
    ] {
        assert!(parts(broken).is_empty(), "{broken}: {:?}", parts(broken));
    }
}

#[test]
fn a_record_is_found_behind_text() {
    assert_eq!(parts(&format!("2024-03-09, INFO: {RECORD}")), ["[2024-03-09, INFO:]", RECORD]);
    assert_eq!(parts(&format!("a {{b}} {RECORD}")), ["[a {b}]", RECORD]);
    assert_eq!(parts(&format!(r#"lo","user":{{"id":1}}}}{RECORD}"#)), [r#"[lo","user":{"id":1}}]"#, RECORD]);
}

proptest! {
    #[test]
    fn the_parts_of_any_bytes_are_in_order_and_records_are_json(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "{\"", "{", "}", "[", "]", "\"", ",", ":", "\\", " ", "\0", "\u{feff}", "\u{200b}", "{\"id\":1}", "x", "1",
        ]), 0..60),
    ) {
        let text = pieces.concat();
        let mut end = 0;
        let has_marks = invisible(text.as_bytes()) > 0;
        for part in frame_parts(Frame { offset: 0, bytes: text.as_bytes(), includes: &[] }) {
            let (FramePart::Junk(frame) | FramePart::Record(frame)) = part;
            prop_assert!(frame.offset >= end && !frame.bytes.is_empty());
            end = frame.offset + frame.bytes.len() as u64;
            if let FramePart::Record(frame) = part {
                prop_assert!(has_marks || strict_end(frame.bytes, 0) == Ok(frame.bytes.len()));
            }
        }
        prop_assert!(end <= text.len() as u64);
    }
}
