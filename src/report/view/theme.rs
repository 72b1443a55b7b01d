//! Styles.

use ratatui::style::{Color, Modifier, Style};

use super::state::{CurveKind, Mood};

/// Styles with or without colours.
#[derive(Debug, Clone, Copy)]
pub(super) struct Theme {
    pub colours: bool,
}

impl Theme {
    pub fn plain(self) -> Style {
        Style::new()
    }

    pub fn dim(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    pub fn label(self) -> Style {
        self.colour(Color::Cyan)
    }

    pub fn curve(self, kind: CurveKind) -> Style {
        self.colour(match kind {
            CurveKind::Asked => Color::Blue,
            CurveKind::Sent => Color::Cyan,
            CurveKind::Acked | CurveKind::Processed => Color::Green,
            CurveKind::Queryable => Color::Magenta,
            CurveKind::InFlight | CurveKind::Backlog => Color::Yellow,
        })
    }

    pub fn mood(self, mood: Mood) -> Style {
        let style = Style::new().add_modifier(Modifier::BOLD);
        match mood {
            _ if !self.colours => style,
            Mood::Good => style.fg(Color::Green),
            Mood::Doubtful => style.fg(Color::Yellow),
            Mood::Bad => style.fg(Color::Red),
        }
    }

    fn colour(self, colour: Color) -> Style {
        if self.colours { Style::new().fg(colour) } else { Style::new() }
    }
}
