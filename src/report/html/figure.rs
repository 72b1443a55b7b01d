//! Texts and figures of the page. A figure has its place in the JSON and its value there beside what is shown.

use indicatif::{HumanBytes, HumanCount};
use serde_json::Value;

use crate::report::compare::plain;
use crate::report::words::{micros, millis, rate, seconds};

/// Longer texts are cut: a page is for people, the JSON has all of it.
const TEXT_MAX: usize = 2_000;

/// How a value is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Count,
    Rate,
    Millis,
    Seconds,
    Micros,
    Bytes,
    Mebibytes,
    /// A part of one, in percent.
    Share,
    /// Rows per second, with its sign.
    Growth,
    /// A factor of speed.
    Times,
    /// The elements of a list, as a shell takes them.
    Command,
}

/// A text that is no markup any more. Characters that move a cursor are blanks.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in plain(text).chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// At most so many characters of a text.
pub(super) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}… (cut; the JSON has all of it)", &text[..end]),
        None => text.to_owned(),
    }
}

/// What is at `pointer` in the JSON of report `number`, as markup; a dash where nothing is.
pub(super) fn figure(number: usize, json: &Value, pointer: &str, form: Form) -> String {
    let Some(value) = json.pointer(pointer).filter(|value| !value.is_null() && *value != "") else {
        return "<span class=\"none\">–</span>".to_owned();
    };
    let raw = match value {
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    let value_attribute = if raw.is_empty() { String::new() } else { format!(" value=\"{raw}\"") };
    let (at, words) = (escape(pointer), escape(&cut(&words(value, form), TEXT_MAX)));
    format!("<data data-at=\"{number}{at}\"{value_attribute}>{words}</data>")
}

/// A value as people read it.
pub(super) fn words(value: &Value, form: Form) -> String {
    let Some(number) = value.as_f64() else { return text(value, form) };
    match form {
        Form::Count => HumanCount(number.round() as u64).to_string(),
        Form::Rate => rate(number),
        Form::Millis => millis(number),
        Form::Seconds => seconds(number),
        Form::Micros => micros(number),
        Form::Bytes => HumanBytes(number as u64).to_string(),
        Form::Mebibytes => format!("{number:.0} MiB"),
        Form::Share => format!("{:.1} %", number * 100.0),
        Form::Growth => format!("{number:+.1} rows/s"),
        Form::Times if number >= 10.0 => format!("{number:.0}x"),
        Form::Times => format!("{}x", (number * 100.0).round() / 100.0),
        Form::Text | Form::Command => value.to_string(),
    }
}

fn text(value: &Value, form: Form) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Array(items) if form == Form::Command => {
            let words: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            crate::report::compare::command_words(&words)
        }
        Value::Array(items) => {
            let words: Vec<String> = items.iter().map(|item| words(item, form)).collect();
            words.join(", ")
        }
        other => other.to_string(),
    }
}

/// A name as part of a JSON pointer.
pub(super) fn token(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_figure_names_its_place_and_its_value_and_what_is_not_there_is_a_dash() {
        let json = json!({"a": {"n": 1234, "ms": 0.5, "t": "<b>&\"'\u{1b}"}, "none": null, "empty": ""});
        assert_eq!(
            figure(2, &json, "/a/n", Form::Count),
            "<data data-at=\"2/a/n\" value=\"1234\">1,234</data>"
        );
        assert_eq!(
            figure(0, &json, "/a/ms", Form::Millis),
            "<data data-at=\"0/a/ms\" value=\"0.5\">500 µs</data>"
        );
        let times = [2.0, 0.5, 3.126, 184.09].map(|factor| words(&json!(factor), Form::Times));
        assert_eq!(times, ["2x", "0.5x", "3.13x", "184x"]);
        let text = figure(0, &json, "/a/t", Form::Text);
        assert_eq!(text, "<data data-at=\"0/a/t\">&lt;b&gt;&amp;&quot;&#39; </data>");
        assert!(figure(0, &json, "/none", Form::Count).contains('–'));
        assert!(figure(0, &json, "/nowhere", Form::Count).contains('–'));
        assert!(figure(0, &json, "/empty", Form::Text).contains('–'));
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert!(cut("äöü", 2).starts_with("äö… (cut"));
    }
}
