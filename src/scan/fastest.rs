//! The fastest scanner on this processor, selected at run time.

use std::sync::LazyLock;

use super::scalar;
use super::scanner::Scanner;
#[cfg(target_arch = "x86_64")]
use super::{avx2, avx512};

pub(super) static SCANNER: LazyLock<Scanner> = LazyLock::new(|| scanners().next().unwrap_or(scalar::SCANNER));

/// Scanners that this processor supports with special instructions, the fastest first.
pub(super) fn scanners() -> impl Iterator<Item = Scanner> {
    #[cfg(target_arch = "x86_64")]
    return [avx512::scanner(), avx2::scanner()].into_iter().flatten();
    #[cfg(not(target_arch = "x86_64"))]
    std::iter::empty()
}
