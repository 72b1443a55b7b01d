//! CPU time, memory and start of this process, by the names that all exporters use.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::count::{process_cpu, resident_memory_mib};

/// What the system says of this process.
pub(super) struct Process {
    pub cpu_s: f64,
    pub resident_bytes: Option<u64>,
    pub started_s: Option<f64>,
}

impl Process {
    pub fn now() -> Self {
        Self {
            cpu_s: process_cpu().as_secs_f64(),
            resident_bytes: resident_memory_mib().map(|mib| (mib * f64::from(1 << 20)) as u64),
            started_s: started(),
        }
    }
}

/// When the process was started: its folder in /proc has that time.
fn started() -> Option<f64> {
    let created: SystemTime = std::fs::metadata("/proc/self").ok()?.modified().ok()?;
    Some(created.duration_since(UNIX_EPOCH).ok()?.as_secs_f64())
}
