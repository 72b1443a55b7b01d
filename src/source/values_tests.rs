//! The values of whole and of broken files; none is lost or seen twice.

use proptest::prelude::*;

use super::*;

fn opens(pages: bool) -> Opens {
    if pages { Opens::Pages } else { Opens::Nothing }
}

fn texts(input: &str, opens_pages: bool) -> Vec<&str> {
    texts_of(Values::new(input.as_bytes(), opens(opens_pages)), input)
}

fn texts_of<'a>(values: Values<'a>, input: &'a str) -> Vec<&'a str> {
    values
        .map(|frame| {
            let at = usize::try_from(frame.offset).unwrap();
            assert_eq!(&input.as_bytes()[at..at + frame.bytes.len()], frame.bytes);
            std::str::from_utf8(frame.bytes).unwrap()
        })
        .collect()
}

fn values(input: &str) -> Vec<&str> {
    texts(input, false)
}

#[test]
fn brackets_and_commas_in_strings_do_not_count() {
    assert_eq!(
        values(r#" [ {"a":"],}\"\\"} , [1,[2]],"x,y" ,3 ] "#),
        [r#"{"a":"],}\"\\"}"#, "[1,[2]]", r#""x,y""#, "3"]
    );
}

#[test]
fn empty_arrays_and_files() {
    assert!(values("[]").is_empty());
    assert!(values(" [ \r\n ] ").is_empty());
    assert!(values("").is_empty());
    assert!(values("\u{feff}[,]").is_empty());
}

#[test]
fn a_cut_array_gives_its_last_element_as_far_as_it_goes() {
    assert_eq!(values(r#"[{"a":1},{"b":"c"#), [r#"{"a":1}"#, r#"{"b":"c"#]);
    assert_eq!(values(r#"[{"a":1},"#), [r#"{"a":1}"#]);
}

#[test]
fn several_arrays_and_objects_one_after_another() {
    assert_eq!(values("[1,2]\n[3],[4]"), ["1", "2", "3", "4"]);
    assert_eq!(
        values("{\n\"a\":1\n}{\"b\":2},\n{\"c\":3}\u{1e}{}"),
        ["{\n\"a\":1\n}", "{\"b\":2}", "{\"c\":3}", "{}"]
    );
}

#[test]
fn what_stands_between_is_a_frame_of_its_own() {
    assert_eq!(values("[1]\n garbage {\"a\":2} \n"), ["1", "garbage", "{\"a\":2}"]);
    assert_eq!(values("[{\"a\":1} oops, {\"b\":2}]"), ["{\"a\":1}", "oops", "{\"b\":2}"]);
    assert_eq!(values("[{\"a\":1}}},{\"b\":2}]"), ["{\"a\":1}", "}}", "{\"b\":2}"]);
    assert_eq!(values("[{\"a\":1}],{\"b\":2}]"), ["{\"a\":1}", "]", "{\"b\":2}"]);
    assert_eq!(values("[{\"a\":1},nulL,\"b,\n{\"b\":2}]"), ["{\"a\":1}", "nulL", "\"b", "{\"b\":2}"]);
}

#[test]
fn assignments_are_stepped_over() {
    assert_eq!(values("window.YTD.tweets.part0 = [ {\"tweet\":{}} ];\n"), ["{\"tweet\":{}}"]);
    assert_eq!(values("window.YTD.a.part0=[1]\nwindow.YTD.a.part1 =\n[2]"), ["1", "2"]);
}

const ONE_A_LINE: [&str; 4] = [
    r#"{"id":1,"text":"a","user":{"id":2}}"#,
    r#"{"id":3,"text":"b, c","urls":[{"id":4},{"id":5}]}"#,
    r#"{"delete":{"id":6}}"#,
    r#"{"id":7,"text":"d"}"#,
];

/// The four elements, one of them replaced, joined by `between`.
fn with_broken(nth: usize, broken: &str, between: &str) -> (String, Vec<String>) {
    let mut elements = ONE_A_LINE.map(str::to_owned);
    elements[nth] = broken.to_owned();
    (format!("[\n{}\n]\n", elements.join(between)), elements.to_vec())
}

#[test]
fn a_broken_element_swallows_no_other_when_each_has_a_line() {
    let broken = [
        r#"{"id":3,"text":"never closed,"urls":[]}"#,
        r#"{"id":3,"text":"never closed}"#,
        r#"{"id":3,"text":"b","urls":[{"id":4}"#,
        r#"{"id":3,"text":"b","urls":{"id":4}"#,
        r#"{"id":3,"text":"b"}}"#,
        r#"{"id":3,"text":"b\"}"#,
        r#"{"id":3,"#,
        r#"{id:3}"#,
        r#"{"#,
        r#"text of a notice"#,
    ];
    for nth in 0..ONE_A_LINE.len() {
        for broken in broken {
            for between in [",\n", ",\r\n"] {
                let (input, elements) = with_broken(nth, broken, between);
                let found = values(&input);
                for (at, element) in elements.iter().enumerate().filter(|(at, _)| *at != nth) {
                    assert!(found.contains(&element.as_str()), "{at} is lost behind {broken} in {found:#?}");
                }
                assert!(found.len() <= 6, "{found:#?}");
            }
        }
    }
}

#[test]
fn on_one_line_the_first_key_tells_an_element() {
    // The notice has another first key, and the broken element runs into it.
    let (input, elements) = with_broken(1, r#"{"id":3,"text":"never closed}"#, ", ");
    assert_eq!(values(&input), elements);
    let (input, elements) = with_broken(2, r#"{"id":6,"text":{"#, ", ");
    let found = values(&input);
    assert_eq!(found, elements.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn a_pretty_printed_object_that_breaks_ends_at_the_next_of_its_indentation() {
    let whole = "{\n  \"a\": [\n    {\n      \"b\": 1\n    }\n  ]\n}";
    let broken = whole.replace("\n  ]", "");
    let input = format!("{whole}\n{broken}\n{whole}\n{whole}\n");
    assert_eq!(values(&input), [whole, broken.as_str(), whole, whole]);
}

#[test]
fn an_element_beyond_the_fast_reach_is_found_all_the_same() {
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(FAST_BYTES));
    assert_eq!(values(&format!("[{long},\n{long},1]")), [&long, &long, "1"]);
}

#[test]
fn pages_are_opened_wherever_they_stand() {
    let page = r#"{"meta":{},"data":[{"id":"1"},{"id":"2"}],"includes":{"users":[]},"errors":[{}]}"#;
    assert_eq!(texts(page, true), [r#"{"id":"1"}"#, r#"{"id":"2"}"#]);
    assert_eq!(texts(&format!("[{page},\n{page}]"), true).len(), 4);
    assert_eq!(texts(&format!("{page}{page}\n{{\"limit\":{{}}}}"), true).len(), 5);
    assert_eq!(texts(r#"{"id":1,"tweets":["a"]}"#, true), [r#"{"id":1,"tweets":["a"]}"#]);
    let includes: Vec<_> = Values::new(page.as_bytes(), Opens::Pages).map(|frame| frame.includes).collect();
    assert_eq!(includes, [br#"{"users":[]}"#, br#"{"users":[]}"#]);
}

#[test]
fn a_page_that_is_broken_behind_its_list_does_not_take_the_next_with_it() {
    let page = "{\"statuses\":[{\"id\":1}],\"meta\":{\"a\":1}}";
    let broken = "{\"statuses\":[{\"id\":1}],\"meta\":{\"a\":1}";
    let found = texts(&[page, broken, page].join("\n"), true).len();
    assert_eq!(found, 4);
}

#[test]
fn a_page_that_ends_behind_its_list_gives_way_to_what_follows() {
    let cut = "{\"data\":[{\"id\":1}]";
    for next in ["{\"id\":2}", "{\"data\":[{\"id\":2}]}", "{\"data\":[{\"id\":2}]"] {
        for between in ["\n", "\n\n", " \n"] {
            let text = [cut, next].join(between);
            let found = texts(&text, true);
            assert_eq!(found, ["{\"id\":1}", "{\"id\":2}"], "{next} after {between:?}");
        }
    }
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(serde_json::Value::from),
            prop::collection::hash_map(any::<String>(), inner, 0..5)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn agrees_with_a_plain_json_reader(values in prop::collection::vec(json(), 0..8), pretty: bool) {
        let text = if pretty {
            serde_json::to_string_pretty(&values).unwrap()
        } else {
            serde_json::to_string(&values).unwrap()
        };
        let read: Vec<serde_json::Value> =
            self::values(&text).iter().map(|element| serde_json::from_str(element).unwrap()).collect();
        prop_assert_eq!(read, values);
    }

    #[test]
    fn objects_agree_with_a_stream_of_a_plain_json_reader(values in prop::collection::vec(json(), 0..8)) {
        let objects: Vec<_> = values.into_iter().filter(serde_json::Value::is_object).collect();
        let text: String = objects.iter().map(|value| serde_json::to_string_pretty(value).unwrap()).collect();
        let read: Vec<serde_json::Value> =
            self::values(&text).iter().map(|element| serde_json::from_str(element).unwrap()).collect();
        prop_assert_eq!(read, objects);
    }

    #[test]
    fn any_bytes_end_without_a_panic_and_without_overlap(bytes: Vec<u8>, opens_pages: bool) {
        no_overlap(&bytes, opens_pages);
    }

    #[test]
    fn broken_json_ends_without_a_panic_and_loses_no_byte(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "{", "}", "[", "]", "\"", ",", ":", "\\", "\n", " ", "\"data\":[", "\"includes\":{", "{\"id\":1}", "x",
        ]), 0..60),
        opens_pages: bool,
    ) {
        let text = pieces.concat();
        no_overlap(text.as_bytes(), opens_pages);
        if !opens_pages {
            // Bytes that are in no frame are white space, separators and the brackets of arrays.
            let in_frames: usize = values(&text).iter().map(|frame| letters(frame)).sum();
            prop_assert_eq!(in_frames, letters(&text));
        }
    }
}

fn letters(text: &str) -> usize {
    text.chars().filter(|c| !" \n,[]".contains(*c)).count()
}

fn no_overlap(bytes: &[u8], opens_pages: bool) {
    for opens in [opens(opens_pages), Opens::Lists] {
        no_overlap_in(Values::new(bytes, opens), bytes.len());
    }
}

fn no_overlap_in(values: Values<'_>, bytes: usize) {
    let mut end = 0;
    for frame in values {
        assert!(frame.offset >= end && !frame.bytes.is_empty());
        end = frame.offset + frame.bytes.len() as u64;
    }
    assert!(end <= bytes as u64);
}

#[test]
fn the_only_list_of_an_object_is_opened_and_no_other() {
    let opened = |input: &'static str| texts_of(Values::new(input.as_bytes(), Opens::Lists), input);
    assert_eq!(
        opened(r#"{"n":2,"rows":[{"a":1},{"a":[{"b":2}]}],"m":{}}"#),
        [r#"{"a":1}"#, r#"{"a":[{"b":2}]}"#]
    );
    for record in [r#"{"a":[{"x":1}],"b":[{"x":1}]}"#, r#"{"text":"x","a":[{"x":1},{"x":2}]}"#] {
        assert_eq!(opened(record), [record]);
    }
    assert_eq!(
        opened(r#"{"errors":"x","data":[{"a":1}]}"#),
        [r#"{"a":1}"#],
        "a page of tweets is opened by its name"
    );
}
