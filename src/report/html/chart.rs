//! A chart as the page's script takes it.

use serde::Serialize;

use super::figure::escape;

/// One chart. Lists of numbers are rounded to a thousandth.
#[derive(Debug, Default, Serialize)]
pub(super) struct Chart {
    /// Of its place on the page.
    pub id: String,
    #[serde(skip)]
    pub title: String,
    /// Charts of one group are zoomed together.
    pub group: String,
    /// What lies along the bottom: s (seconds), share (1 / (1 − quantile)) or name.
    pub x: &'static str,
    /// Places of the values; without them those are 0, `every`, 2 × `every`, ...
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub xs: Vec<f64>,
    pub every: f64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// ms, s, or what is put after a number.
    pub unit: &'static str,
    pub log: bool,
    /// Whether a value is that of a whole step, or of its end.
    pub stepped: bool,
    pub levels: bool,
    pub series: Vec<Line>,
    pub bands: Vec<Band>,
    pub marks: Vec<Mark>,
}

/// A line of a chart; null where nothing was measured.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Line {
    pub label: String,
    pub colour: usize,
    pub dash: usize,
    pub values: Vec<Option<f64>>,
}

/// A time that is shaded.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Band {
    pub from: f64,
    /// `None`: to the end.
    pub to: Option<f64>,
    /// away or pause.
    pub kind: &'static str,
}

/// A moment with a name.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Mark {
    pub at: f64,
    pub label: String,
}

impl Line {
    pub fn new(label: impl Into<String>, colour: usize, values: Vec<Option<f64>>) -> Self {
        let values = values.into_iter().map(|value| value.map(rounded)).collect();
        Self { label: label.into(), colour, dash: 0, values }
    }

    pub fn dashed(self, dash: usize) -> Self {
        Self { dash, ..self }
    }
}

impl Chart {
    pub fn is_empty(&self) -> bool {
        !self.series.iter().any(|line| line.values.iter().any(Option::is_some))
    }

    /// Where it is drawn.
    pub fn place(&self) -> String {
        let (id, title) = (escape(&self.id), escape(&self.title));
        format!(
            "<div class=\"chart\" id=\"{id}\"><h3>{title}</h3><div class=\"plot\" role=\"img\" \
             aria-label=\"{title}\"></div></div>\n"
        )
    }
}

/// To a thousandth.
pub(super) fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}
