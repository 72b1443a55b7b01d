//! Pages for people: rows with a label, wrapped at word ends to the width of the terminal, the lines after
//! the first indented as far as its text. What is no terminal gets each row as one line, however long.

use std::fmt::Write;
use std::os::fd::AsFd;

use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use rustix::termios::tcgetwinsize;
use textwrap::core::display_width;
use textwrap::{Options, WordSeparator, WordSplitter, wrap};

/// How pages are laid out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Layout {
    /// Columns of the terminal; `None`: lines are not wrapped.
    pub columns: Option<usize>,
    /// Whether colours are shown.
    pub colours: bool,
}

/// Narrower than this, wrapping does not help any more.
const COLUMNS_MIN: usize = 30;

impl Layout {
    /// For a stream as it is now: terminals are resized. Colours on terminals only, and not with `NO_COLOR`.
    pub fn of<S: RawStream + AsFd>(stream: &S) -> Self {
        Self { columns: columns(stream), colours: AutoStream::choice(stream) != ColorChoice::Never }
    }

    /// A text in a style, where colours are shown.
    pub fn paint(self, style: Style, text: &str) -> String {
        if self.colours { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

/// Width of the terminal; `None`: there is none, or it does not say.
pub(super) fn columns<S: RawStream + AsFd>(stream: &S) -> Option<usize> {
    let size = tcgetwinsize(stream).ok().filter(|_| stream.is_terminal())?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// It went well.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// Somebody should look.
pub const DOUBTFUL: Style = AnsiColor::Yellow.on_default();
/// It went wrong.
pub const BAD: Style = AnsiColor::Red.on_default();
/// What a row is about.
const LABEL: Style = AnsiColor::Cyan.on_default();
/// A hint.
pub const DIM: Style = Style::new().dimmed();

/// A page in the making.
#[derive(Debug)]
pub struct Page {
    layout: Layout,
    text: String,
}

impl Page {
    /// An empty page.
    pub fn new(layout: Layout) -> Self {
        Self { layout, text: String::new() }
    }

    /// A row with its label.
    pub fn row(&mut self, label: &str, text: impl AsRef<str>) {
        let head = format!("  {label:<10} ");
        match label {
            "" => self.hanging(&head, text),
            _ => self.hanging(&self.paint(LABEL, &head), text),
        }
    }

    /// One more row under the same label.
    pub fn more(&mut self, text: impl AsRef<str>) {
        self.row("", text);
    }

    /// A text whose first line begins with `head`, and the others with as much space.
    pub fn hanging(&mut self, head: &str, text: impl AsRef<str>) {
        self.wrapped(head, &" ".repeat(display_width(head)), text.as_ref());
    }

    /// A line without a label.
    pub fn line(&mut self, text: impl AsRef<str>) {
        self.wrapped("", "  ", text.as_ref());
    }

    /// An empty line.
    pub fn blank(&mut self) {
        self.text.push('\n');
    }

    /// A text in a style, where colours are shown.
    pub fn paint(&self, style: Style, text: &str) -> String {
        self.layout.paint(style, text)
    }

    /// Columns of the terminal; `None`: lines are not wrapped.
    pub fn columns(&self) -> Option<usize> {
        self.layout.columns
    }

    /// The page, with its line ends.
    pub fn finish(self) -> String {
        self.text
    }

    fn wrapped(&mut self, head: &str, indent: &str, text: &str) {
        let Some(columns) = self.layout.columns.filter(|columns| *columns >= COLUMNS_MIN) else {
            // Writing to a string cannot fail.
            let _ = writeln!(self.text, "{}", format!("{head}{text}").replace(GLUE, " "));
            return;
        };
        let options = Options::new(columns)
            .initial_indent(head)
            .subsequent_indent(indent)
            .break_words(false)
            .word_separator(WordSeparator::AsciiSpace)
            .word_splitter(WordSplitter::NoHyphenation);
        for line in wrap(text, options) {
            let _ = writeln!(self.text, "{}", line.trim_end().replace(GLUE, " "));
        }
    }
}

/// A space at which no line ends, on a page.
const GLUE: char = '\u{a0}';

/// Keeps together what belongs on one line: a number with its unit.
pub fn glued(text: &str) -> String {
    text.replace(' ', &GLUE.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(columns: Option<usize>, text: &str) -> String {
        let mut page = Page::new(Layout { columns, colours: false });
        page.row("label", text);
        page.finish()
    }

    #[test]
    fn rows_are_wrapped_at_word_ends_and_hang_under_their_text() {
        let text = format!("one two three four five six {} seven", glued("10 min 16 s"));
        assert_eq!(page(None, "a b"), "  label      a b\n");
        assert_eq!(
            page(Some(40), &text),
            "  label      one two three four five six\n             10 min 16 s seven\n"
        );
        let long = "x".repeat(60);
        assert_eq!(page(Some(40), &format!("a {long} b")).lines().count(), 3, "a word is never broken");
        assert_eq!(page(Some(5), "a b c d"), "  label      a b c d\n", "too narrow for any of it");
    }

    #[test]
    fn colours_take_no_room() {
        let layout = Layout { columns: Some(40), colours: true };
        let painted = layout.paint(BAD, "FAILED");
        assert!(painted.starts_with('\u{1b}') && painted.len() > 6, "{painted:?}");
        let mut page = Page::new(layout);
        page.line(format!("{painted} {painted} {painted} {painted} {painted}"));
        assert_eq!(page.finish().lines().count(), 1);
        let mut page = Page::new(layout);
        page.row("label", "one two three four five six seven");
        let text = page.finish();
        assert!(text.starts_with('\u{1b}') && text.ends_with("\n             seven\n"), "{text:?}");
        assert_eq!(Layout::default().paint(BAD, "FAILED"), "FAILED");
    }
}
