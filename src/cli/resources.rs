//! The system's limits, checked before anything starts: a limit that is too low is one line at the start, and
//! not a library's panic in the middle.

use std::sync::mpsc::channel;
use std::thread::Builder;

use anyhow::{Context, ensure};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files, sockets and pipes of a run, and how many more each producer has (measured: 21 and 6), with room for
/// clients.
const FILES: u64 = 32;
const FILES_OF_PRODUCER: u64 = 8;

/// The same for threads (measured: 14 and 5).
const THREADS: usize = 20;
const THREADS_OF_PRODUCER: usize = 6;

/// The same for address space, most of which is never used: below 1,200,000 KiB allocations fail in the
/// middle of a run with one producer (measured).
const SPACE_MIB: u64 = 1_280;
const SPACE_MIB_OF_PRODUCER: u64 = 64;

/// Checks that the limits suffice for a run with this number of producers.
///
/// # Errors
/// When one does not; the message names it.
pub(super) fn ensure(producers: usize) -> anyhow::Result<()> {
    ensure_space(SPACE_MIB + SPACE_MIB_OF_PRODUCER * producers.saturating_sub(1) as u64)?;
    ensure_files(FILES + FILES_OF_PRODUCER * producers as u64)?;
    ensure_threads(THREADS + THREADS_OF_PRODUCER * producers)
}

fn ensure_space(needed_mib: u64) -> anyhow::Result<()> {
    let allowed_mib = getrlimit(Resource::As).current.map_or(u64::MAX, |bytes| bytes >> 20);
    ensure!(
        allowed_mib >= needed_mib,
        "too little address space: {allowed_mib} MiB are allowed (ulimit -v, or a batch system), and a run needs \
         {needed_mib}"
    );
    Ok(())
}

/// Raises the limit as far as it may be: it is low only for old programs.
fn ensure_files(needed: u64) -> anyhow::Result<()> {
    let limit = getrlimit(Resource::Nofile);
    let allowed = limit.maximum.unwrap_or(u64::MAX);
    if limit.current.is_some_and(|current| current < needed) {
        let raised = Rlimit { current: Some(needed.min(allowed)), maximum: limit.maximum };
        let _ = setrlimit(Resource::Nofile, raised);
    }
    ensure!(
        allowed >= needed,
        "too few file descriptors: {allowed} are allowed (ulimit -n), and a run needs about {needed}"
    );
    Ok(())
}

fn ensure_threads(needed: usize) -> anyhow::Result<()> {
    let mut threads = Vec::new();
    let mut failed = None;
    // All at once: each waits until its sender is gone.
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..needed).map(|_| channel::<()>()).unzip();
    for receiver in receivers {
        match Builder::new().spawn(move || receiver.recv().is_ok()) {
            Ok(thread) => threads.push(thread),
            Err(error) => {
                failed = Some(error);
                break;
            }
        }
    }
    drop(senders);
    let started = threads.len();
    for thread in threads {
        let _ = thread.join();
    }
    match failed {
        None => Ok(()),
        Some(error) => Err(error).with_context(|| {
            format!(
                "cannot start {needed} threads, only {started}; does ulimit -u, ulimit -v or the container limit \
                 them?"
            )
        }),
    }
}
