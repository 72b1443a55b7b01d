//! A part of the page about one report: tables, lists and places for charts.

use serde_json::Value;

use super::super::Noun;
use super::chart::Chart;
use super::figure::{Form, cut, escape, figure, token};

/// Rows of a table that may be long; more are in the JSON. Fewer where a page has several sections.
const ROWS_MAX: usize = 40;
const ROWS_MAX_OF_SEVERAL: usize = 12;

/// Longest JSON text that is shown whole.
const JSON_MAX: usize = 20_000;

/// The markup of one report, and the charts in it.
pub(super) struct Section<'a> {
    /// Whether it is one of several, which share the page.
    is_one_of_several: bool,
    pub number: usize,
    pub json: &'a Value,
    pub noun: Noun,
    pub html: String,
    pub charts: Vec<Chart>,
}

/// A column: its heading, where its value is below the row's place, and how it is shown.
pub(super) type Column = (&'static str, &'static str, Form);

impl<'a> Section<'a> {
    pub fn new(number: usize, json: &'a Value) -> Self {
        let noun = Noun::of_report(json);
        Self { is_one_of_several: false, number, json, noun, html: String::new(), charts: Vec::new() }
    }

    /// Shorter, as one of several.
    pub fn shorter(self, is_one_of_several: bool) -> Self {
        Self { is_one_of_several, ..self }
    }

    /// Rows of a table that may be long.
    pub fn rows_max(&self) -> usize {
        if self.is_one_of_several { ROWS_MAX_OF_SEVERAL } else { ROWS_MAX }
    }

    pub fn text_at(&self, pointer: &str) -> Option<&'a str> {
        self.json.pointer(pointer)?.as_str()
    }

    pub fn list_at(&self, pointer: &str) -> &'a [Value] {
        self.json.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    pub fn has(&self, pointer: &str) -> bool {
        self.json.pointer(pointer).is_some_and(|value| !value.is_null())
    }

    pub fn figure(&self, pointer: &str, form: Form) -> String {
        figure(self.number, self.json, pointer, form)
    }

    pub fn heading(&mut self, words: &str) {
        self.html += &format!("<h3>{}</h3>\n", escape(words));
    }

    /// A paragraph of this class for the text at `pointer`, if there is one.
    pub fn paragraph(&mut self, class: &str, pointer: &str) {
        if self.has(pointer) {
            let text = self.figure(pointer, Form::Text);
            self.html += &format!("<p class=\"{class}\">{text}</p>\n");
        }
    }

    /// A paragraph for each text of a list.
    pub fn paragraphs(&mut self, class: &str, pointer: &str) {
        let all = self.list_at(pointer).len();
        for place in 0..all.min(self.rows_max()) {
            self.paragraph(class, &format!("{pointer}/{place}"));
        }
        self.more(all);
    }

    /// Names with their values: those that have one.
    pub fn facts(&mut self, class: &str, facts: &[Column]) {
        self.facts_at(class, "", facts);
    }

    /// Names with their values below a place.
    pub fn facts_at(&mut self, class: &str, place: &str, facts: &[Column]) {
        let mut html = format!("<dl class=\"{class}\">\n");
        for (name, pointer, form) in facts {
            let pointer = format!("{place}{pointer}");
            if self.has(&pointer) {
                let (name, value) = (escape(&self.noun.of(name)), self.figure(&pointer, *form));
                html += &format!("<div><dt>{name}</dt><dd>{value}</dd></div>\n");
            }
        }
        self.html += &(html + "</dl>\n");
    }

    /// A table with a row for each place, which has a name.
    pub fn table(&mut self, first: &str, rows: &[(String, String)], columns: &[Column]) {
        let number = |form: Form| if form == Form::Text { "" } else { " class=\"number\"" };
        let mut html = format!("<div class=\"scroll\"><table><thead><tr><th>{}</th>", escape(first));
        for (heading, _, form) in columns {
            html += &format!("<th{}>{}</th>", number(*form), escape(&self.noun.of(heading)));
        }
        html += "</tr></thead><tbody>\n";
        for (name, place) in rows.iter().take(self.rows_max()) {
            html += &format!("<tr><td>{}</td>", escape(&cut(name, 200)));
            for (_, pointer, form) in columns {
                html += &format!(
                    "<td{}>{}</td>",
                    number(*form),
                    self.figure(&format!("{place}{pointer}"), *form)
                );
            }
            html += "</tr>\n";
        }
        self.html += &(html + "</tbody></table></div>\n");
        self.more(rows.len());
    }

    /// A table of a list, with a row for each element; the first column is its text at `name`. Nothing without one.
    pub fn table_of_list(&mut self, heading: &str, pointer: &str, name: &str, columns: &[Column]) {
        let list = self.list_at(pointer);
        let name_of = |element: &Value| match element.pointer(name) {
            Some(Value::String(text)) => text.clone(),
            _ => String::new(),
        };
        let rows: Vec<(String, String)> = (0..)
            .zip(list)
            .map(|(place, element): (usize, _)| (name_of(element), format!("{pointer}/{place}")))
            .collect();
        if !rows.is_empty() {
            self.heading(heading);
            self.table("", &rows, columns);
        }
    }

    /// Counts by name, as a table. Nothing without one.
    pub fn counts(&mut self, heading: &str, pointer: &str, count: &'static str) {
        let Some(fields) = self.json.pointer(pointer).and_then(Value::as_object) else { return };
        let rows: Vec<(String, String)> =
            fields.keys().map(|name| (name.clone(), format!("{pointer}/{}", token(name)))).collect();
        if !rows.is_empty() {
            self.heading(heading);
            self.table("", &rows, &[("count", count, Form::Count)]);
        }
    }

    /// JSON that opens on a click, where the page has the room.
    pub fn details(&mut self, heading: &str, pointer: &str) {
        if let Some(value) =
            self.json.pointer(pointer).filter(|value| !value.is_null() && !self.is_one_of_several)
        {
            let text = serde_json::to_string_pretty(value).unwrap_or_default();
            let lines: Vec<String> = cut(&text, JSON_MAX).lines().map(escape).collect();
            let (heading, text) = (escape(heading), lines.join("\n"));
            self.html += &format!("<details><summary>{heading}</summary><pre>{text}</pre></details>\n");
        }
    }

    /// A place for a chart that has something to show.
    pub fn chart(&mut self, chart: Chart) {
        if chart.is_empty() {
            return;
        }
        self.html += &chart.place();
        self.charts.push(chart);
    }

    fn more(&mut self, rows: usize) {
        if let Some(more @ 1..) = rows.checked_sub(self.rows_max()) {
            self.html += &format!("<p class=\"dim\">and {more} more in the JSON</p>\n");
        }
    }
}
