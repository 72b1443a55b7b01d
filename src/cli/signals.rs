//! Ctrl-C and SIGTERM.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;

use super::exit::Exit;
use super::keys;

/// The first Ctrl-C or SIGTERM asks for an orderly end; the second one leaves at once.
pub(super) fn stop_on_signals() -> anyhow::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let asked = stop.clone();
    ctrlc::set_handler(move || {
        if asked.swap(true, Ordering::Relaxed) {
            keys::restore();
            std::process::exit(i32::from(Exit::Interrupted as u8));
        }
    })
    .context("cannot catch Ctrl-C")?;
    Ok(stop)
}
