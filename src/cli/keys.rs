//! Keys while a replay runs, on a terminal: space, + and -, q.
//!
//! The terminal is told to hand over each key at once and not to show it; Ctrl-C and line ends stay
//! as they are. [`restore`] puts it back, also when a second Ctrl-C leaves at once.

use std::io::{IsTerminal, Read, stdin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use crate::pace::Control;

/// What the keys do, for the plan.
pub(super) const WORDS: &str = "space pauses and goes on, + and - double and halve the speed, q stops";

/// How the terminal was before; `None`: nothing has been changed.
static BEFORE: Mutex<Option<libc::termios>> = Mutex::new(None);

/// Reads keys until it is dropped.
pub(super) struct Keys {
    done: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
}

impl Keys {
    /// Starts to listen; `None` where standard input is no terminal, or that of another program in
    /// the foreground.
    pub fn listen(control: Arc<Control>, stop: Arc<AtomicBool>) -> Option<Self> {
        if !stdin().is_terminal() || !change() {
            return None;
        }
        let done = Arc::new(AtomicBool::new(false));
        let until = done.clone();
        let read = move || {
            let mut key = [0];
            while !until.load(Ordering::Relaxed) {
                match stdin().read(&mut key) {
                    Ok(1) => act(key[0], &control, &stop),
                    // Nothing within a tenth of a second.
                    Ok(_) => {}
                    Err(_) => break,
                }
            }
        };
        let reader = std::thread::Builder::new().name("keys".into()).spawn(read).ok();
        if reader.is_none() {
            restore();
        }
        reader.is_some().then_some(Self { done, reader })
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        let _ = self.reader.take().map(JoinHandle::join);
        restore();
    }
}

fn act(key: u8, control: &Control, stop: &AtomicBool) {
    match key {
        b' ' => control.toggle_pause(),
        b'+' | b'=' => control.double_speed(1),
        b'-' | b'_' => control.double_speed(-1),
        b'q' | b'Q' => stop.store(true, Ordering::Relaxed),
        _ => {}
    }
}

/// Makes the terminal hand over each key at once; whether it could.
#[allow(unsafe_code)]
fn change() -> bool {
    // SAFETY: these calls take numbers and a structure that lives through them, and `termios` is
    // plain data for which zeros are valid. Ignoring a signal touches no memory.
    unsafe {
        // Another job has the terminal: asking for it would stop this one.
        if libc::tcgetpgrp(libc::STDIN_FILENO) != libc::getpgrp() {
            return false;
        }
        let mut terminal = std::mem::zeroed();
        if libc::tcgetattr(libc::STDIN_FILENO, &mut terminal) != 0 {
            return false;
        }
        let before = terminal;
        terminal.c_lflag &= !(libc::ICANON | libc::ECHO);
        // A read comes back after a tenth of a second without a key.
        terminal.c_cc[libc::VMIN] = 0;
        terminal.c_cc[libc::VTIME] = 1;
        // Sent to the background later, a read fails instead of stopping the whole replay.
        libc::signal(libc::SIGTTIN, libc::SIG_IGN);
        libc::signal(libc::SIGTTOU, libc::SIG_IGN);
        if libc::tcsetattr(libc::STDIN_FILENO, libc::TCSANOW, &terminal) != 0 {
            return false;
        }
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
    }
    true
}

/// Puts the terminal back as it was.
#[allow(unsafe_code)]
pub(super) fn restore() {
    if let Some(before) = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take() {
        // SAFETY: as in `change`.
        unsafe { libc::tcsetattr(libc::STDIN_FILENO, libc::TCSANOW, &before) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_does_what_it_says() {
        let (control, stop) = (Control::default(), AtomicBool::new(false));
        let press = |keys: &[u8]| keys.iter().for_each(|key| act(*key, &control, &stop));
        press(b" ");
        assert!(control.is_paused());
        press(b" ++-x+");
        assert_eq!((control.is_paused(), control.speed_times()), (false, 4.0));
        assert!(!stop.load(Ordering::Relaxed));
        press(b"q");
        assert!(stop.load(Ordering::Relaxed));
    }
}
