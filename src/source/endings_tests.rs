//! Every layout comes to an end, in time that grows with the length of the input: over whole and broken pages,
//! lists and records, in one go and in pieces.

use proptest::prelude::*;

use super::framer::Framer;
use super::steps::steps_of;
use super::{Format, Frame, Frames, frame_parts};

/// Steps for each byte that are more than enough for an input of a few hundred parts, which may all be nested.
const PER_BYTE: usize = 200;

/// Enough for an input of a few bytes.
const BASE: usize = 4_000;

fn count_whole(framing: Format, text: &[u8]) -> usize {
    let mut frames = 0;
    for frame in Frames::new(framing, text) {
        frames += 1 + frame_parts(frame).len();
    }
    frames
}

fn count_in_pieces(framing: Format, text: &[u8], length: usize) -> usize {
    let (mut framer, mut frames, mut start) = (Framer::new(framing), 0, 0);
    for end in (0..text.len()).step_by(length).map(|at| (at + length).min(text.len())).chain([text.len()]) {
        let is_cut = end < text.len();
        while let Some(found) = framer.next(&text[start..end], is_cut) {
            found.within(&text[start..end], 0);
            frames += 1;
        }
        let done = framer.keep_from();
        framer.shift(done);
        start += done;
    }
    frames
}

/// Parts of pages and lists, with and without their ends.
fn part() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        r#"{"data":[{"id":1}]"#,
        r#"{"data":[{"id":1},{"id":2}],"meta":{"n":2},"includes":{"users":[{"id":"5"}]}}"#,
        r#"{"statuses":[{"id":1}],"data":[{"id":2}]"#,
        r#"{"includes":{"users":[]},"data":[{"id":1}"#,
        r#"{"data":["#,
        r#"{"id":2}"#,
        r#"{"id":3,"text":"cut"#,
        r#"{"id":4,"text":"bad \x"}"#,
        "],",
        "]}",
        "]",
        "[",
        "{",
        "}",
        ",",
        ":",
        "\"",
        "\\",
        "\n",
        " ",
        "\0",
        "\u{feff}",
        "\u{200b}",
        "window.YTD.tweets.part0 = ",
        "nulL",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn broken_pages_and_lists_come_to_an_end_whole_and_in_pieces(
        parts in prop::collection::vec(part(), 0..40),
        length in prop::sample::select(vec![1usize, 7, 64, 5_000]),
    ) {
        let text = parts.concat();
        let pieces = text.len() / length + 2;
        for framing in Format::ALL {
            let whole = BASE + PER_BYTE * text.len();
            steps_of(whole, || check_number(count_whole(framing, text.as_bytes()), text.len()));
            // What has not ended is looked at again with each piece.
            steps_of(whole * pieces, || check_number(count_in_pieces(framing, text.as_bytes(), length), text.len()));
        }
    }
}

/// No frame is empty, so there are no more than bytes; junk and record of a broken one count again.
fn check_number(frames: usize, bytes: usize) {
    assert!(frames <= 3 * bytes + 1, "{frames} frames in {bytes} bytes");
}

/// Inputs whose parts are broken in ways that may make each of them cost a look at all that follows.
fn costly() -> Vec<(&'static str, String, &'static str, &'static str)> {
    let plain = [
        ("cut texts on one line", "[", r#"{"id":1,"text":"cut},"#, "]"),
        ("cut texts without separators", "", r#"{"id":1,"text":"cut}"#, ""),
        ("cut records before good ones", "[", r#"{"id":1,"text":"cu{"id":2,"text":"b"},"#, "]"),
        ("texts with wrong escapes", "[", r#"{"id":1,"text":"bad \x"},"#, "]"),
        ("pages cut behind their lists", "", "{\"data\":[{\"id\":1}]\n", ""),
        ("pages cut in their lists", "", "{\"data\":[{\"id\":1},\n", ""),
        ("pages without includes", "", "{\"data\":[{\"id\":1}],\"meta\":{}}\n", ""),
        ("pages on one line", "", r#"{"data":[{"id":1}],"meta":{}}"#, ""),
        ("lists of one page", "{", r#""data":[{"id":1}],"#, "\"meta\":{}}"),
        ("lists of one broken page", "{", r#""data":[{"id":1}],"#, "\"meta\":{}"),
        ("opening brackets", "", "[", ""),
        ("opening braces", "", "{", ""),
        ("nested objects", "", r#"{"a":"#, ""),
        ("closing brackets", "[", "]", ""),
        ("quotes", "[", "\"", ""),
        ("words", "[", "nulL,", ""),
        ("commas", "[", ",", ""),
        ("NULs and marks", "", "\0\u{feff} \u{200b}\n", ""),
        ("assignments", "", "window.a = [{}];\n", ""),
        ("one long text", "[{\"a\":\"", "x, {\\\"b\\\": ", ""),
    ];
    plain.map(|(what, start, part, end)| (what, start.to_owned(), part, end)).into()
}

#[test]
fn twice_the_input_takes_twice_the_steps() {
    for (what, start, part, end) in costly() {
        for framing in Format::ALL {
            let steps = |parts: usize| {
                let text = format!("{start}{}{end}", part.repeat(parts));
                let most = 5_000 * text.len() + 100 * BASE;
                let whole = steps_of(most, || {
                    count_whole(framing, text.as_bytes());
                });
                let in_pieces = steps_of(most, || {
                    // Pieces that grow with the input: a stream waits for an eighth more.
                    count_in_pieces(framing, text.as_bytes(), text.len() / 8 + 1);
                });
                (whole, in_pieces)
            };
            // More than may be nested.
            let (one, two) = (steps(800), steps(1_600));
            for (one, two) in [(one.0, two.0), (one.1, two.1)] {
                assert!(two <= 3 * one + 20 * BASE, "{what} as {framing:?}: {one} steps, then {two}");
            }
        }
    }
}

#[test]
fn the_parts_of_one_long_broken_frame_take_steps_in_proportion() {
    for (what, start, part, end) in costly() {
        let text = format!("{start}{}{end}", part.repeat(1_600));
        let frame = Frame { offset: 0, bytes: text.as_bytes(), includes: &[] };
        let steps = steps_of(20 * text.len() + BASE, || {
            frame_parts(frame);
        });
        assert!(steps <= 20 * text.len() + BASE, "{what}");
    }
}
