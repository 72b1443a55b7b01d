//! What happens when another program shortens a mapped file.
//!
//! Reading a page of a map that is no longer in the file kills a process with SIGBUS, silently. The
//! handler here checks whether the address lies in one of our maps. Before anything is sent, it names
//! the file on standard error and ends the process with exit code 1. Once tweets have been sent, the
//! run needs its ledger: the handler notes that the file was shortened, and puts zeros in place of
//! what is gone, so that the read goes on. Any other SIGBUS goes to the previous handler.
//!
//! Safety: a handler may interrupt anything, so it calls only `write`, `sigaction` and `_exit`
//! (which POSIX lists as safe there) and `mmap` (on Linux a system call without a lock, used in such
//! handlers by libwayland too), takes no lock and frees nothing. The list that it walks only grows:
//! entries are never freed, and are reused once their map is gone. A map that was replaced in part is
//! unmapped as a whole, like any other.

#![expect(unsafe_code, reason = "a handler of SIGBUS, which Rust has no safe way to set")]

use std::path::Path;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Mutex, Once, PoisonError};

/// A map registered with the handler.
struct MapEntry {
    /// First address and length of the map; length 0: free.
    start: AtomicUsize,
    length: AtomicUsize,
    /// The message to print. Never freed, so that the handler can read it at any time.
    message: AtomicPtr<String>,
    /// Whether zeros are put in place of what is gone.
    outlives: AtomicBool,
    /// Whether that was done.
    shortened: AtomicBool,
    next: Option<&'static MapEntry>,
}

static FIRST: AtomicPtr<MapEntry> = AtomicPtr::new(ptr::null_mut());
/// Bytes of a page of memory.
static PAGE: AtomicUsize = AtomicUsize::new(4096);
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

impl Watch {
    /// From now on zeros are read where the file was shortened, in place of the end of the process.
    pub fn outlive(&self) {
        self.entry.outlives.store(true, Ordering::Release);
    }

    /// Whether zeros were put in place of what is gone.
    pub fn is_shortened(&self) -> bool {
        self.entry.shortened.load(Ordering::Acquire)
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
        let entry = Box::leak(Box::new(MapEntry {
            start: AtomicUsize::new(0),
            length: AtomicUsize::new(0),
            message: AtomicPtr::default(),
            outlives: AtomicBool::new(false),
            shortened: AtomicBool::new(false),
            next: first(),
        }));
        FIRST.store(entry, Ordering::Release);
        entry
    });
    entry.message.store(message, Ordering::Release);
    entry.outlives.store(false, Ordering::Release);
    entry.shortened.store(false, Ordering::Release);
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
        if let Ok(page @ 1..) = usize::try_from(libc::sysconf(libc::_SC_PAGESIZE)) {
            PAGE.store(page, Ordering::Release);
        }
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

/// Puts zeros in place of all pages from that of `address` up to `end`; whether that could be done.
fn put_zeros(address: usize, end: usize) -> bool {
    let page = PAGE.load(Ordering::Acquire);
    let first = address / page * page;
    let fixed = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED | libc::MAP_NORESERVE;
    // SAFETY: these pages are those of a live map of ours, which is only read; another thread that
    // reads them sees the file's bytes or zeros.
    let mapped =
        unsafe { libc::mmap(first as *mut libc::c_void, end - first, libc::PROT_READ, fixed, -1, 0) };
    mapped != libc::MAP_FAILED
}

extern "C" fn on_bus_error(_: libc::c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: with SA_SIGINFO the kernel passes a valid structure.
    let address = unsafe { (*info).si_addr() } as usize;
    let mut entry = first();
    while let Some(known) = entry {
        let (start, length) = (known.start.load(Ordering::Acquire), known.length.load(Ordering::Acquire));
        let within = address.wrapping_sub(start) < length;
        if within && known.outlives.load(Ordering::Acquire) {
            known.shortened.store(true, Ordering::Release);
            if put_zeros(address, start + length) {
                return; // The instruction runs again, and reads zeros.
            }
        }
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
