//! Standard input without a name: a file or a pipe that brings something is the input.

use std::io::stdin;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, fstat};

/// Longest wait for the first byte of a pipe. Programs that start others often give them a pipe that stays empty.
const FIRST_BYTE: Duration = Duration::from_secs(2);

/// Whether standard input is a file, or a pipe whose first byte comes soon.
pub(super) fn brings_something() -> bool {
    match kind() {
        Some(FileType::RegularFile) => true,
        Some(FileType::Fifo) => has_byte(),
        _ => false,
    }
}

/// Whether standard input is a pipe.
pub(super) fn is_pipe() -> bool {
    kind() == Some(FileType::Fifo)
}

fn kind() -> Option<FileType> {
    fstat(stdin()).ok().map(|found| FileType::from_raw_mode(found.st_mode))
}

fn has_byte() -> bool {
    let stdin = stdin();
    let mut fds = [PollFd::new(&stdin, PollFlags::IN)];
    let wait = Timespec { tv_sec: FIRST_BYTE.as_secs() as i64, tv_nsec: 0 };
    poll(&mut fds, Some(&wait)).is_ok_and(|ready| ready > 0) && fds[0].revents().contains(PollFlags::IN)
}
