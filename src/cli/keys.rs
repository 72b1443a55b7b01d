//! Keys while a replay or a search runs, on a terminal: space, + and -, q, ?.

use std::fs::File;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::terminal;
use crate::options::Session;
use crate::pace::Control;
use crate::report::Screen;

/// What the keys do, for the plan.
pub(super) const WORDS: &str =
    "space pauses and goes on, + and - double and halve the speed, q stops, ? helps";

/// The same for a search, which sets the rate itself.
pub(super) const OF_SEARCH: &str = "q stops, ? helps";

/// Longest wait for a key, and the delay until a terminal that was reset is taken again.
const LOOK: Duration = Duration::from_millis(100);

/// Reads keys until it is dropped.
pub(super) struct Keys {
    done: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
}

impl Keys {
    /// Starts to listen; `None` if there is no terminal, or if another program is in its foreground.
    pub fn listen(session: &Session) -> Option<Self> {
        let tty = terminal::tty().filter(|_| terminal::take())?;
        let done = Arc::new(AtomicBool::new(false));
        let until = done.clone();
        let (control, stop, screen) = (session.control.clone(), session.stop.clone(), session.screen.clone());
        let read = move || read_keys(tty, &until, |key| act(key, &control, &stop, &screen));
        let reader = std::thread::Builder::new().name("keys".into()).spawn(read).ok();
        if reader.is_none() {
            terminal::give_back();
        }
        reader.is_some().then_some(Self { done, reader })
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        // So that keys typed from now on are left to the next reader.
        let _ = self.reader.take().map(JoinHandle::join);
        terminal::give_back();
    }
}

fn read_keys(mut tty: &File, done: &AtomicBool, act: impl Fn(u8)) {
    let mut keys = [0; 64];
    while !done.load(Ordering::Relaxed) {
        if !terminal::hold() {
            // In the background.
            std::thread::sleep(LOOK);
            continue;
        }
        match has_keys(tty) {
            Ok(false) => continue,
            Ok(true) => {}
            Err(_) => break,
        }
        // A temporary failure: the terminal went to another job.
        let Ok(read) = tty.read(&mut keys) else { continue };
        keys[..read].iter().for_each(|key| act(*key));
    }
}

/// Waits for keys, but not for long: a terminal in line mode would keep a read forever.
///
/// # Errors
/// When the terminal is gone.
fn has_keys(tty: &File) -> Result<bool, Errno> {
    let wait = Timespec { tv_sec: 0, tv_nsec: i64::from(LOOK.subsec_nanos()) };
    let mut fds = [PollFd::new(tty, PollFlags::IN)];
    match poll(&mut fds, Some(&wait)) {
        Ok(_) if fds[0].revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) => {
            Err(Errno::IO)
        }
        Ok(ready) => Ok(ready > 0),
        Err(Errno::INTR) => Ok(false),
        Err(error) => Err(error),
    }
}

fn act(key: u8, control: &Control, stop: &AtomicBool, screen: &Screen) {
    match key {
        b' ' => control.toggle_pause(),
        b'+' | b'=' => control.double_speed(1),
        b'-' | b'_' => control.double_speed(-1),
        b'q' | b'Q' => stop.store(true, Ordering::Relaxed),
        b'?' if screen.has_view() => screen.toggle_help(),
        b'?' => screen.note(WORDS),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_does_what_it_says() {
        let (control, stop) = (Control::default(), AtomicBool::new(false));
        let press = |keys: &[u8]| keys.iter().for_each(|key| act(*key, &control, &stop, &Screen::none()));
        press(b" ");
        assert!(control.is_paused());
        press(b" ++-x+?");
        assert_eq!((control.is_paused(), control.speed_times()), (false, 4.0));
        assert!(!stop.load(Ordering::Relaxed));
        press(b"q");
        assert!(stop.load(Ordering::Relaxed));
    }
}
