//! A clear error message when another program shortens a mapped file.
//!
//! Reading a page of a map that is no longer in the file kills a process with SIGBUS, silently. The
//! handler here checks whether the address lies in one of our maps; if so, it names the file on
//! standard error and ends the process with exit code 1. Any other SIGBUS goes to the previous
//! handler. It can do no more than that: the failed read cannot be undone.
//!
//! Safety: a handler may interrupt anything, so it calls only `write`, `sigaction` and `_exit`
//! (which POSIX lists as safe there), takes no lock and frees nothing. The list that it walks only
//! grows: entries are never freed, and are reused once their map is gone.

#![expect(unsafe_code, reason = "a handler of SIGBUS, which Rust has no safe way to set")]

use std::path::Path;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Mutex, Once, PoisonError};

/// A map registered with the handler.
struct MapEntry {
    /// First address and length of the map; length 0: free.
    start: AtomicUsize,
    length: AtomicUsize,
    /// The message to print. Never freed, so that the handler can read it at any time.
    message: AtomicPtr<String>,
    next: Option<&'static MapEntry>,
}

static FIRST: AtomicPtr<MapEntry> = AtomicPtr::new(ptr::null_mut());
/// Held while the list is changed.
static CHANGE: Mutex<()> = Mutex::new(());
static BEFORE: AtomicPtr<libc::sigaction> = AtomicPtr::new(ptr::null_mut());

/// Keeps a map registered with the handler until dropped.
#[derive(Debug)]
pub struct Watch {
    entry: &'static MapEntry,
}

impl std::fmt::Debug for MapEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MapEntry").field("length", &self.length).finish_non_exhaustive()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.entry.length.store(0, Ordering::Release);
    }
}

/// Makes a SIGBUS within `map` report that the file at `path` was shortened. Leaks a few hundred
/// bytes.
pub fn watch(path: &Path, map: &[u8]) -> Watch {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(install);
    let message = format!(
        "\ntweetblast: {} was shortened by another program while it was read; \
         replay a copy that nothing writes to\n",
        path.display()
    );
    let message: *mut String = Box::leak(Box::new(message));
    let _change = CHANGE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut free = first();
    while let Some(entry) = free.filter(|entry| entry.length.load(Ordering::Acquire) > 0) {
        free = entry.next;
    }
    let entry = free.unwrap_or_else(|| {
        let (start, length, message) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicPtr::default());
        let entry = Box::leak(Box::new(MapEntry { start, length, message, next: first() }));
        FIRST.store(entry, Ordering::Release);
        entry
    });
    entry.message.store(message, Ordering::Release);
    entry.start.store(map.as_ptr() as usize, Ordering::Release);
    entry.length.store(map.len(), Ordering::Release);
    Watch { entry }
}

fn first() -> Option<&'static MapEntry> {
    // SAFETY: null, or an entry that was leaked.
    unsafe { FIRST.load(Ordering::Acquire).as_ref() }
}

fn install() {
    // SAFETY: both structures are plain data for which zeros are valid, and outlive the calls; the
    // handler has the signature that SA_SIGINFO asks for.
    unsafe {
        let mut before: libc::sigaction = std::mem::zeroed();
        if libc::sigaction(libc::SIGBUS, ptr::null(), &mut before) != 0 {
            return;
        }
        BEFORE.store(Box::leak(Box::new(before)), Ordering::Release);
        let mut ours: libc::sigaction = std::mem::zeroed();
        ours.sa_sigaction = on_bus_error as *const () as usize;
        ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        libc::sigaction(libc::SIGBUS, &ours, ptr::null_mut());
    }
}

extern "C" fn on_bus_error(_: libc::c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: with SA_SIGINFO the kernel passes a valid structure.
    let address = unsafe { (*info).si_addr() } as usize;
    let mut entry = first();
    while let Some(known) = entry {
        let length = known.length.load(Ordering::Acquire);
        let within = address.wrapping_sub(known.start.load(Ordering::Acquire)) < length;
        // SAFETY: null, or a message that was leaked.
        if let Some(message) = unsafe { known.message.load(Ordering::Acquire).as_ref() }.filter(|_| within) {
            // SAFETY: bytes of a live string; `_exit` does not return.
            unsafe {
                libc::write(libc::STDERR_FILENO, message.as_ptr().cast(), message.len());
                libc::_exit(1);
            }
        }
        entry = known.next;
    }
    // SAFETY: set before the handler was installed. The instruction runs again, and its signal goes
    // to the previous handler.
    unsafe {
        libc::sigaction(libc::SIGBUS, BEFORE.load(Ordering::Acquire), ptr::null_mut());
    }
}
