//! Draws a frame of any size: what matters most comes first, and what has no room is not shown.

use std::collections::VecDeque;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Wrap};

use super::state::{CurveKind, Keys, ViewState};
use super::theme::Theme;
use super::{curves, help, tables};
use crate::report::words::whole_seconds;

/// From this size on there are two columns.
const TWO_COLUMNS: (u16, u16) = (110, 20);
/// Columns of the right one.
const RIGHT: u16 = 48;

/// Most rows of a curve in one column.
const CURVE_MAX: u16 = 6;

/// Draws all of it.
pub(super) fn draw(state: &ViewState, theme: Theme, frame: &mut Frame<'_>) {
    let area = frame.area();
    let keys = u16::from(state.keys != Keys::None && area.height >= 5);
    let rows = [Constraint::Max(2), Constraint::Fill(1), Constraint::Length(keys)];
    let [head, body, foot] = Layout::vertical(rows).areas(area);
    draw_head(state, theme, frame, head);
    if area.width >= TWO_COLUMNS.0 && area.height >= TWO_COLUMNS.1 {
        draw_two_columns(state, theme, frame, body);
    } else {
        draw_one_column(state, theme, frame, body);
    }
    draw_keys(state, theme, frame, foot);
    if state.explains {
        help::draw(state.keys, theme, frame, body);
    }
}

/// What it does, how far it is, and how long it still takes.
fn draw_head(state: &ViewState, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let mut first = Vec::new();
    if let Some(done) = state.done {
        let columns = usize::from(area.width / 4).min(40);
        let full = ((done * columns as f64) as usize).min(columns);
        first.push(Span::styled("█".repeat(full), theme.curve(CurveKind::Sent)));
        first.push(Span::styled("░".repeat(columns - full), theme.dim()));
        first.push(Span::raw(format!(" {:>3.0} %  ", (done * 100.0).floor())));
    }
    first.push(Span::styled(state.doing.clone(), theme.mood(state.mood)));
    if !state.left.is_empty() {
        first.push(Span::raw(format!("  {}", state.left)));
    }
    let first = Line::from(first);
    let mut second = vec![Span::raw(state.counts.clone())];
    if let Some(elapsed) = state.elapsed {
        second.push(Span::styled(format!("  {}", whole_seconds(elapsed)), theme.dim()));
    }
    if !state.bottleneck.is_empty() {
        second.push(Span::styled("  bottleneck ", theme.dim()));
        second.push(Span::raw(state.bottleneck));
    }
    if !state.more_counts.is_empty() {
        second.push(Span::raw(format!("  {}", state.more_counts)));
    }
    let has_room = first.width() + state.title.chars().count() + 2 <= usize::from(area.width);
    tables::draw_lines(vec![first, Line::from(second)], frame, area);
    if has_room {
        let title = Line::styled(state.title.clone(), theme.dim()).right_aligned();
        frame.render_widget(title, Rect { height: area.height.min(1), ..area });
    }
}

fn draw_keys(state: &ViewState, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let keys: &[(&str, &str)] = match state.keys {
        Keys::None => &[],
        Keys::Replay => &[("space", "pause"), ("+ -", "speed"), ("q", "stop"), ("?", "help")],
        Keys::Search => &[("q", "stop"), ("?", "help")],
    };
    let spans = keys.iter().flat_map(|(key, what)| {
        [Span::styled(*key, theme.label().add_modifier(Modifier::BOLD)), Span::raw(format!(" {what}   "))]
    });
    frame.render_widget(Line::from_iter(spans), area);
}

/// How many rows each part of one column gets.
#[derive(Debug, Default)]
struct Rows {
    curves: Vec<u16>,
    axis: u16,
    latencies: u16,
    hops: u16,
    druid: u16,
    lines: u16,
}

impl Rows {
    /// What is more important gets its least first; then what the hops waited, curves of two rows, the table of the
    /// hops, lines, and higher curves.
    fn of(state: &ViewState, height: u16) -> Self {
        let mut left = height;
        let mut take = |rows: usize| {
            let rows = rows as u16;
            let fits = rows <= left;
            left -= if fits { rows } else { 0 };
            if fits { rows } else { 0 }
        };
        let mut curves: Vec<u16> = state.curves.iter().map(|_| take(1)).collect();
        let mut lines = take(usize::from(!state.lines.is_empty()));
        let latencies = take(if state.latencies.is_empty() { 0 } else { state.latencies.len() + 1 });
        let druid = take(usize::from(!state.druid.is_empty()));
        let mut hops = take(usize::from(!state.hops.is_empty()));
        hops += take(usize::from(hops));
        let more_curves = take(curves.len());
        if more_curves > 0 {
            curves.iter_mut().for_each(|rows| *rows += 1);
        }
        hops += take(if hops > 1 { state.hops.len() - 1 } else { 0 });
        let axis = take(usize::from(more_curves > 0));
        lines += (1..state.lines.len().clamp(1, 5)).map(|_| take(1)).sum::<u16>();
        while curves.first().is_some_and(|rows| *rows < CURVE_MAX) && take(curves.len()) > 0 {
            curves.iter_mut().for_each(|rows| *rows += 1);
        }
        lines += left;
        Self { curves, axis, latencies, hops, druid, lines }
    }
}

fn draw_one_column(state: &ViewState, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let rows = Rows::of(state, area.height);
    let heights = [rows.curves.iter().sum(), rows.axis, rows.latencies, rows.hops, rows.druid, rows.lines]
        .map(Constraint::Length);
    let [curves, axis, latencies, hops, druid, lines] = Layout::vertical(heights).areas(area);
    curves::draw(state, theme, frame, curves, &rows.curves);
    if rows.axis > 0 {
        curves::draw_axis(state, theme, frame, axis);
    }
    tables::draw_latencies(state, theme, frame, latencies);
    match rows.hops {
        0..=2 => tables::draw_hop_lines(state, theme, frame, hops),
        _ => tables::draw_hops(state, theme, frame, hops),
    }
    draw_druid(state, theme, frame, druid);
    draw_said(state, theme, frame, lines);
}

fn draw_two_columns(state: &ViewState, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let widths = [Constraint::Fill(1), Constraint::Length(2), Constraint::Length(RIGHT)];
    let [left, _, right] = Layout::horizontal(widths).areas(area);
    let [_, curves, axis] =
        Layout::vertical([Constraint::Length(1), Constraint::Fill(1), Constraint::Length(1)]).areas(left);
    let count = state.curves.len().max(1) as u16;
    let more = usize::from(curves.height % count);
    let heights: Vec<u16> =
        (0..state.curves.len()).map(|place| curves.height / count + u16::from(place < more)).collect();
    curves::draw(state, theme, frame, curves, &heights);
    curves::draw_axis(state, theme, frame, axis);
    let druid = if state.druid.is_empty() { 0 } else { 4 };
    let rows = [
        Constraint::Length(1),
        Constraint::Length(state.latencies.len() as u16 + 2),
        Constraint::Length(state.hops.len() as u16 + 2),
        Constraint::Length(druid),
        Constraint::Fill(1),
    ];
    let [_, latencies, hops, druid, lines] = Layout::vertical(rows).areas(right);
    tables::draw_latencies(state, theme, frame, latencies);
    tables::draw_hops(state, theme, frame, hops);
    draw_druid(state, theme, frame, druid);
    draw_said(state, theme, frame, lines);
}

fn draw_druid(state: &ViewState, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let words = Line::from(vec![Span::styled("druid     ", theme.label()), Span::raw(state.druid.as_str())]);
    frame.render_widget(Paragraph::new(words).wrap(Wrap { trim: true }), area);
}

/// The last lines that were said, the newest at the bottom. Of the newest there is at least the beginning.
fn draw_said(state: &ViewState, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    const TIME: usize = 10;
    let (width, height) = (usize::from(area.width).saturating_sub(TIME).max(1), usize::from(area.height));
    let mut rows: VecDeque<Line<'_>> = VecDeque::new();
    for (at, words) in state.lines.iter().rev() {
        let wrapped = textwrap::wrap(words, width);
        if !rows.is_empty() && rows.len() + wrapped.len() > height {
            break;
        }
        for (place, part) in wrapped.into_iter().take(height).enumerate().rev() {
            let at = if place == 0 { whole_seconds(*at) } else { String::new() };
            let at = Span::styled(format!("{at:>8}  "), theme.dim());
            rows.push_front(Line::from(vec![at, Span::raw(part)]));
        }
    }
    tables::draw_lines(rows.into(), frame, area);
}
