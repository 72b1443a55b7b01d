//! The thread that draws: a look, a frame, a pause.

use std::cell::RefCell;
use std::io::{self, Write, stderr};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::queue;
use ratatui::crossterm::terminal::{Clear, ClearType};
use ratatui::layout::{Rect, Size};
use ratatui::{Terminal, TerminalOptions, Viewport};
use rustix::termios::tcgetwinsize;

use super::draw::draw;
use super::gather::{Gather, ViewSources};
use super::state::ViewState;
use super::theme::Theme;
use crate::report::Screen;
use crate::report::alternate::{Claim, Entered};
use crate::report::page::Layout;

/// Time between two frames.
const FRAME: Duration = Duration::from_millis(200);

/// Lines that are asked for, however high the terminal is.
const LINES: usize = 60;

/// Size of a terminal that does not say.
const SIZE: Size = Size::new(80, 24);

/// Shows a run until it is dropped; then the terminal is as before, with the lines that were said meanwhile.
pub struct LiveView {
    done: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl LiveView {
    /// Starts to draw; `None` where the screen shows no view.
    pub fn start(screen: &Screen, sources: ViewSources) -> Option<Self> {
        let claim = screen.has_view().then(Claim::new).flatten()?;
        let done = Arc::new(AtomicBool::new(false));
        let (until, screen) = (done.clone(), screen.clone());
        let work = move || {
            let mut canvas = Canvas::new(claim);
            let mut gather = Gather::new(sources, screen);
            while !until.load(Ordering::Acquire) {
                canvas.draw(|lines| gather.state(lines));
                std::thread::park_timeout(FRAME);
            }
        };
        let thread = std::thread::Builder::new().name("view".into()).spawn(work);
        thread
            .map_err(|error| tracing::warn!("no live view: {error}"))
            .ok()
            .map(|thread| Self { done, thread: Some(thread) })
    }
}

impl Drop for LiveView {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A panic there has said so, and left the terminal as it was.
            let _ = thread.join();
        }
    }
}

/// A frame as bytes.
#[derive(Clone, Default)]
struct Bytes(Rc<RefCell<Vec<u8>>>);

impl Write for Bytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Draws into memory, and shows what differs from the frame before.
struct Canvas {
    claim: Claim,
    theme: Theme,
    size: Size,
    bytes: Bytes,
    terminal: Option<Terminal<CrosstermBackend<Bytes>>>,
}

impl Canvas {
    fn new(claim: Claim) -> Self {
        let theme = Theme { colours: Layout::of(&stderr()).colours };
        Self { claim, theme, size: SIZE, bytes: Bytes::default(), terminal: None }
    }

    fn draw(&mut self, state: impl FnOnce(Vec<(std::time::Instant, String)>) -> ViewState) {
        let entered = self.claim.enter();
        let state = state(self.claim.lines(LINES));
        if entered == Entered::No {
            return;
        }
        let size = size();
        if entered == Entered::Now || size != self.size || self.terminal.is_none() {
            self.restart(size);
        }
        let Some(terminal) = &mut self.terminal else { return };
        // Writing to memory cannot fail.
        let _ = terminal.draw(|frame| draw(&state, self.theme, frame));
        let frame = std::mem::take(&mut *self.bytes.0.borrow_mut());
        self.claim.show(&frame);
    }

    /// The next frame is drawn whole, on a clear screen of this size.
    fn restart(&mut self, size: Size) {
        self.size = size;
        self.bytes.0.borrow_mut().clear();
        let _ = queue!(self.bytes, Clear(ClearType::All));
        let viewport = Viewport::Fixed(Rect::from((ratatui::layout::Position::ORIGIN, size)));
        let backend = CrosstermBackend::new(self.bytes.clone());
        self.terminal = Terminal::with_options(backend, TerminalOptions { viewport }).ok();
    }
}

/// The terminal's size now: it may have been resized.
fn size() -> Size {
    let of = |size: rustix::termios::Winsize| Size::new(size.ws_col, size.ws_row);
    tcgetwinsize(stderr()).ok().map(of).filter(|size| size.width > 0 && size.height > 0).unwrap_or(SIZE)
}
