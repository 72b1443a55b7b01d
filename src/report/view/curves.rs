//! Curves: a row each, of any height, with their name and last value.

use indicatif::HumanCount;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style};
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::Sparkline;
use ratatui::widgets::canvas::{self, Canvas, Context};

use super::state::{Curve, ViewState};
use super::theme::Theme;
use crate::report::words::{rate, seconds};

/// Columns of a curve's name and value.
const NAME: u16 = 10;
const VALUE: u16 = 12;

/// Rows from which on a curve is a line.
const LINE_FROM: u16 = 3;

/// Height of a line's plot, as a multiple of its top.
const HEADROOM: f64 = 1.02;

/// Levels in one row of a sparkline.
const LEVELS: f64 = 8.0;

/// Draws all curves, `heights` rows each.
pub(super) fn draw(state: &ViewState, theme: Theme, frame: &mut Frame<'_>, area: Rect, heights: &[u16]) {
    let rates = state.curves.iter().filter(|curve| curve.kind.is_rate());
    let top_rate = rates.flat_map(|curve| &curve.values).copied().fold(0.0, f64::max);
    let mut y = area.y;
    for (curve, height) in state.curves.iter().zip(heights) {
        let own = curve.values.iter().copied().fold(0.0, f64::max);
        let top = if curve.kind.is_rate() { top_rate } else { own };
        let row = Rect { y, height: *height, ..area }.intersection(area);
        draw_one(curve, (top, state.span_s), theme, frame, row);
        y += height;
    }
}

/// The times under the curves.
pub(super) fn draw_axis(state: &ViewState, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let [_, _, axis] = columns(area);
    let end = seconds(state.span_s);
    let middle = seconds(state.span_s / 2.0);
    frame.render_widget(Line::styled("0 s", theme.dim()), axis);
    if axis.width > 40 {
        frame.render_widget(Line::styled(middle, theme.dim()).centered(), axis);
    }
    frame.render_widget(Line::styled(end, theme.dim()).right_aligned(), axis);
}

fn columns(area: Rect) -> [Rect; 3] {
    let widths = [Constraint::Length(NAME), Constraint::Length(VALUE), Constraint::Fill(1)];
    Layout::horizontal(widths).areas(area)
}

fn draw_one(curve: &Curve, (top, span_s): (f64, f64), theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let [name, value, plot] = columns(area);
    let style = theme.curve(curve.kind);
    frame.render_widget(Line::styled(curve.kind.name(), style), name);
    let words = |count: f64| match curve.kind.is_rate() {
        true => rate(count),
        false => HumanCount(count as u64).to_string(),
    };
    let top_words = format!("max {}", words(top));
    let rows = [curve.now.clone(), curve.total.clone(), if top > 0.0 { top_words } else { String::new() }];
    // What has no total has its maximum there.
    for (place, text) in rows.iter().filter(|text| !text.is_empty()).enumerate() {
        // Below the name there is room for numbers of any length.
        let from = if place == 0 { value } else { name.union(value) };
        let row = Rect { y: value.y + place as u16, height: 1, ..from }.intersection(from);
        let style = if place == 0 { theme.plain() } else { theme.dim() };
        // A space stays free before the curve.
        frame.render_widget(Line::from(Span::styled(format!("{text} "), style)).right_aligned(), row);
    }
    match plot.height {
        0..LINE_FROM => draw_bars(curve, (top, span_s), style, frame, plot),
        _ => draw_line(curve, (top, span_s), style, frame, plot),
    }
}

/// Filled, for few rows.
fn draw_bars(curve: &Curve, (top, span_s): (f64, f64), style: Style, frame: &mut Frame<'_>, plot: Rect) {
    let levels = LEVELS * f64::from(plot.height);
    let height = |value: f64| if top > 0.0 { (value / top * levels).ceil() as u64 } else { 0 };
    let points: Vec<u64> = resampled(curve, span_s, plot.width).into_iter().map(height).collect();
    frame.render_widget(Sparkline::default().data(points).max(levels.max(1.0) as u64).style(style), plot);
}

/// A line of dots, through the middle of each step.
fn draw_line(curve: &Curve, (top, span_s): (f64, f64), style: Style, frame: &mut Frame<'_>, plot: Rect) {
    let has_room = curve.values.len() <= usize::from(plot.width);
    let column_s = span_s / f64::from(plot.width.max(1));
    let (values, every_s) = match has_room {
        true => (curve.values.clone(), curve.every_s),
        false => (resampled(curve, span_s, plot.width), column_s),
    };
    let at = |place: usize| ((place as f64 + 0.5) * every_s, values[place]);
    let color = style.fg.unwrap_or(Color::Reset);
    let paint = |context: &mut Context<'_>| {
        for place in 0..values.len() {
            // The first point has no other before it.
            let ((x1, y1), (x2, y2)) = (at(place.saturating_sub(1)), at(place));
            context.draw(&canvas::Line { x1, y1, x2, y2, color });
        }
    };
    let top = if top > 0.0 { top * HEADROOM } else { 1.0 };
    let canvas = Canvas::default().marker(Marker::Braille).x_bounds([0.0, span_s.max(1.0)]);
    frame.render_widget(canvas.y_bounds([0.0, top]).paint(paint), plot);
}

/// A value for each column that time has reached: of several steps the mean rate, or the highest level.
fn resampled(curve: &Curve, span_s: f64, width: u16) -> Vec<f64> {
    let per_column = span_s / f64::from(width.max(1)) / curve.every_s;
    let step = |column: u16| (f64::from(column) * per_column) as usize;
    let of = |column: u16| {
        let (first, last) = (step(column), step(column + 1).min(curve.values.len()));
        let values = curve.values.get(first..last.max(first + 1))?;
        Some(match curve.kind.is_rate() {
            true => values.iter().sum::<f64>() / values.len() as f64,
            false => values.iter().copied().fold(0.0, f64::max),
        })
    };
    (0..width).map_while(of).collect()
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::super::state::CurveKind;
    use super::*;

    fn curve(kind: CurveKind, values: &[f64]) -> Curve {
        Curve { kind, now: String::new(), total: String::new(), values: values.to_vec(), every_s: 1.0 }
    }

    #[test]
    fn a_curve_is_stretched_or_joined_to_the_width_and_ends_where_time_is() {
        let rates = curve(CurveKind::Sent, &[1.0, 2.0, 3.0]);
        assert_eq!(resampled(&rates, 6.0, 12), [1.0, 1.0, 2.0, 2.0, 3.0, 3.0]);
        assert_eq!(resampled(&rates, 3.0, 3), [1.0, 2.0, 3.0]);
        assert_eq!(resampled(&rates, 4.0, 2), [1.5, 3.0]);
        let levels = curve(CurveKind::Backlog, &[1.0, 7.0, 3.0, 0.0]);
        assert_eq!(resampled(&levels, 4.0, 2), [7.0, 3.0]);
        assert!(
            resampled(&rates, 3.0, 0).is_empty()
                && resampled(&curve(CurveKind::Sent, &[]), 9.0, 9).is_empty()
        );
    }

    #[test]
    fn the_highest_rate_is_whole_however_long_it_is() {
        let mut sent = curve(CurveKind::Sent, &[1_234_567.0]);
        sent.now = "1,234,567/s".to_owned();
        let mut terminal = Terminal::new(TestBackend::new(40, 4)).unwrap();
        let draw = |frame: &mut Frame<'_>| {
            draw_one(&sent, (1_234_567.0, 1.0), Theme { colours: false }, frame, frame.area());
        };
        let screen = terminal.draw(draw).unwrap().buffer.clone();
        let text: String = screen.content().iter().map(|cell| cell.symbol()).collect();
        assert!(text.contains("max 1,234,567/s ") && text.starts_with("sent "), "{text}");
    }
}
