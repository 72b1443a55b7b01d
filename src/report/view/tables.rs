//! Percentiles and hops, as rows.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::state::{Hop, ViewState};
use super::theme::Theme;
use crate::report::words::millis;

/// Columns of a row's name.
const NAME: usize = 10;

/// Percentiles: a row with their names, and one for each latency.
pub(super) fn draw_latencies(state: &ViewState, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let narrow = area.width < 50;
    let cell = if narrow { 8 } else { 10 };
    let row = |cells: [String; 4]| cells.iter().map(|text| format!("{text:>cell$}")).collect::<String>();
    let head = row(["p50", "p90", "p99", "max"].map(str::to_owned));
    let mut lines = vec![Line::styled(format!("{:NAME$}{head}", ""), theme.dim())];
    for latency in &state.latencies {
        let cells = match latency.ms {
            Some(ms) => [ms.p50, ms.p90, ms.p99, ms.max].map(millis),
            None => ["-"; 4].map(str::to_owned),
        };
        let name = Span::styled(format!("{:NAME$}", latency.name), theme.label());
        lines.push(Line::from(vec![name, Span::raw(row(cells))]));
    }
    draw_lines(lines, frame, area);
}

/// The hops in two rows: CPU, and waiting.
pub(super) fn draw_hop_lines(state: &ViewState, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let row = |label: &str, of: fn(&Hop) -> Option<f64>| {
        let cell = |hop: &Hop| {
            let share = of(hop).map_or("-".to_owned(), |share| format!("{:.0}", share * 100.0));
            Span::raw(format!(" {} {share:<3}", hop.name))
        };
        let label = Span::styled(format!("{label:NAME$}"), theme.label());
        Line::from_iter(std::iter::once(label).chain(state.hops.iter().map(cell)))
    };
    draw_lines(vec![row("CPU %", |hop| hop.cpu), row("blocked %", |hop| hop.blocked)], frame, area);
}

/// The hops as a table: CPU and waiting. The one that holds the others up is named under it.
pub(super) fn draw_hops(state: &ViewState, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let mut lines = vec![Line::styled(format!("{:NAME$}{:>10}{:>12}", "hop", "CPU", "blocked"), theme.dim())];
    for Hop { name, cpu, blocked } in &state.hops {
        let percent =
            |share: &Option<f64>| share.map_or("-".to_owned(), |share| format!("{:.0} %", share * 100.0));
        let name = Span::styled(format!("{name:NAME$}"), theme.label());
        lines
            .push(Line::from(vec![name, Span::raw(format!("{:>10}{:>12}", percent(cpu), percent(blocked)))]));
    }
    draw_lines(lines, frame, area);
}

/// As many lines as there is room for.
pub(super) fn draw_lines(lines: Vec<Line<'_>>, frame: &mut Frame<'_>, area: Rect) {
    for (line, y) in lines.into_iter().zip(area.top()..area.bottom()) {
        frame.render_widget(line, Rect { y, height: 1, ..area });
    }
}
