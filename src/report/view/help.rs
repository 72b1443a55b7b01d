//! What the view says of itself.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Block, Clear, Paragraph, Wrap};

use super::state::Keys;
use super::theme::Theme;

const REPLAY: &str = "\
space  pauses and goes on
+ -    double and halve the speed: ÷ 1,024 to × 1,024
q      stops: what was sent is accounted for
?      closes this help
";

const SEARCH: &str = "\
q      stops: what is known is shown
?      closes this help
";

const ROWS: &str = "\
asked to queryable  per second, on one scale
in flight, backlog  not acked yet, not queryable yet
lag                 send time − intended send time
acked               send to Kafka's report
queryable           intended send to Druid's count
CPU, blocked        of a core; of the time, by the next hop";

/// Columns of the widest line, with the frame.
const WIDTH: u16 = 60;

/// Draws it over the middle of the view.
pub(super) fn draw(keys: Keys, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let words = match keys {
        Keys::Replay => REPLAY,
        Keys::Search => SEARCH,
        Keys::None => "",
    };
    let words = format!("{words}{ROWS}");
    let lines: Vec<Line<'_>> = words.lines().map(Line::raw).collect();
    let height = lines.len() as u16 + 2;
    let place = area.centered(Constraint::Max(WIDTH), Constraint::Max(height));
    let block = Block::bordered().title(" ? ").border_style(theme.dim());
    frame.render_widget(Clear, place);
    frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: false }).block(block), place);
}
