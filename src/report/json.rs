//! The report as JSON; `docs/report.schema.json` says what each key means.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

use super::RunReport;

/// Writes the report, indented, with a line end. Lists are not broken: the series has 86,400 numbers per day in
/// each.
///
/// # Errors
/// Those of `out`.
pub fn write_json(report: &RunReport, mut out: impl Write) -> io::Result<()> {
    report.serialize(&mut Serializer::with_formatter(&mut out, ListsOnOneLine::default()))?;
    writeln!(out)?;
    out.flush()
}

/// Indents objects alone.
#[derive(Default)]
struct ListsOnOneLine(PrettyFormatter<'static>);

impl Formatter for ListsOnOneLine {
    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object(out)
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object(out)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object_value(out)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object_value(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn lists_stay_on_one_line_and_the_json_is_the_same() {
        let value = json!({"a": [1, 2, 3], "b": {"c": [], "d": [{"e": null}, {}]}});
        let mut out = Vec::new();
        value.serialize(&mut Serializer::with_formatter(&mut out, ListsOnOneLine::default())).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("\n  \"a\": [1, 2, 3],\n  \"b\": {\n    \"c\": [],"), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }
}
