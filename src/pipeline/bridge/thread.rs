//! Threads of a bridge.

use std::thread::JoinHandle;

use super::error::BridgeError;

/// Starts one, under this name.
pub(super) fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, BridgeError> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work).map_err(BridgeError::Thread)
}
