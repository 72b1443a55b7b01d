//! CPU time and memory of this process, as Linux reports them; `None` elsewhere.

use std::fs;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;

/// CPU time that the run took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CpuUsage {
    /// CPU time of all threads since the run began, in seconds.
    pub total_s: Option<f64>,
    /// CPU time per tweet, in microseconds.
    pub us_per_tweet: Option<f64>,
    /// Share of all CPU time used on this machine meanwhile: the rest went to the brokers, to Druid, and to
    /// whatever else ran here.
    #[cfg_attr(test, schemars(range(min = 0, max = 1)))]
    pub share: Option<f64>,
}

/// Memory that the run took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MemoryUsage {
    /// Greatest resident memory without the pages of mapped files, in MiB; looked at twice a second
    /// and at the end.
    pub own_mib: Option<f64>,
    /// Greatest resident memory, in MiB, pages of the mapped input included.
    pub resident_mib: Option<f64>,
}

/// Clock ticks per second in `/proc/stat`: USER_HZ, 100 on every Linux (proc(5)).
const USER_HZ: f64 = 100.0;

/// What all programs had used of the machine's CPUs at one moment.
#[derive(Debug, Clone, Copy)]
pub struct MachineCpu {
    machine_s: Option<f64>,
    own_s: f64,
}

impl MachineCpu {
    pub fn now() -> Self {
        Self { machine_s: machine_cpu_s(), own_s: cpu_time(ClockId::ProcessCPUTime).as_secs_f64() }
    }

    /// This process's share of what was used since then.
    fn own_share(self) -> Option<f64> {
        let now = Self::now();
        let (all, own) = (now.machine_s? - self.machine_s?, now.own_s - self.own_s);
        // The machine's time comes in ticks of 10 ms, and not at the same instant.
        (all > 0.0).then(|| (own / all).clamp(0.0, 1.0))
    }
}

impl CpuUsage {
    /// What this process used since `start`, for this many tweets, and its share of what the machine
    /// used. What was before does not count: `cargo run` compiles, and then becomes the program.
    pub fn of_process(tweets: u64, start: MachineCpu) -> Self {
        let total_s = cpu_time(ClockId::ProcessCPUTime).as_secs_f64() - start.own_s;
        Self {
            total_s: Some(total_s),
            us_per_tweet: (tweets > 0).then(|| total_s * 1e6 / tweets as f64),
            share: start.own_share(),
        }
    }
}

impl MemoryUsage {
    /// What this process used at most; `own_mib` is the greatest that was seen meanwhile.
    pub fn of_process(own_mib: Option<f64>) -> Self {
        Self {
            own_mib: own_mib.into_iter().chain(own_memory()).reduce(f64::max),
            resident_mib: status_mib("VmHWM:"),
        }
    }
}

/// Current resident memory without the pages of mapped files, in MiB.
pub fn own_memory() -> Option<f64> {
    status_mib("RssAnon:")
}

/// CPU time of all threads so far.
pub fn process_cpu() -> Duration {
    cpu_time(ClockId::ProcessCPUTime)
}

/// Current resident memory, in MiB, pages of mapped files included.
pub fn resident_memory_mib() -> Option<f64> {
    status_mib("VmRSS:")
}

/// CPU time of the calling thread so far.
pub fn thread_cpu() -> Duration {
    cpu_time(ClockId::ThreadCPUTime)
}

/// CPU time of each living thread so far, with its name; empty where the system does not tell.
pub fn threads_cpu() -> Vec<(String, Duration)> {
    let Ok(threads) = fs::read_dir("/proc/self/task") else { return Vec::new() };
    let of = |thread: std::io::Result<fs::DirEntry>| {
        let thread = thread.ok()?.path();
        let name = fs::read_to_string(thread.join("comm")).ok()?;
        // Nanoseconds on a CPU come first (proc(5)).
        let times = fs::read_to_string(thread.join("schedstat")).ok()?;
        let ns = times.split_whitespace().next()?.parse().ok()?;
        Some((name.trim_end().to_owned(), Duration::from_nanos(ns)))
    };
    threads.filter_map(of).collect()
}

/// To the nanosecond, where `/proc/self/stat` has ticks of 10 ms.
fn cpu_time(clock: ClockId) -> Duration {
    Duration::try_from(clock_gettime(clock)).unwrap_or_default()
}

fn machine_cpu_s() -> Option<f64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let fields = stat.lines().next()?.strip_prefix("cpu ")?.split_whitespace();
    let ticks: Vec<f64> = fields.map_while(|field| field.parse().ok()).collect();
    // user nice system idle iowait irq softirq steal; user already includes guests (proc(5)). Idle
    // time, and time stolen by other machines, was used by no program here.
    let [user, nice, system, _, _, irq, softirq] = ticks.get(..7)?.try_into().ok()?;
    Some((user + nice + system + irq + softirq) / USER_HZ)
}

fn status_mib(name: &str) -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib / 1024.0)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn linux_tells_all_of_it() {
        let start = MachineCpu { machine_s: Some(0.0), own_s: 0.0 };
        let (cpu, memory) = (CpuUsage::of_process(1, start), MemoryUsage::of_process(Some(1e6)));
        assert!((0.0..1.0).contains(&cpu.share.unwrap()), "the machine has done other things, too");
        assert!(memory.resident_mib.unwrap() > 1.0);
        assert_eq!(memory.own_mib, Some(1e6));
        assert!(own_memory().unwrap() > 0.1);
    }

    #[test]
    fn each_thread_is_told_by_its_name() {
        let spin = || {
            let before = thread_cpu();
            while thread_cpu() - before < Duration::from_millis(30) {}
            threads_cpu()
        };
        let thread = std::thread::Builder::new().name("a-spinner".into()).spawn(spin).unwrap();
        let all = thread.join().unwrap();
        let (_, spent) = all.iter().find(|(name, _)| name == "a-spinner").unwrap();
        assert!(*spent >= Duration::from_millis(10), "{spent:?}");
    }

    #[test]
    fn cpu_time_is_finer_than_a_tick() {
        let start = MachineCpu::now();
        let before = thread_cpu();
        while thread_cpu() - before < Duration::from_millis(3) {}
        let used_s = MachineCpu::now().own_s - start.own_s;
        assert!(used_s >= 0.003, "{used_s}");
        assert_ne!(thread_cpu().as_nanos() % 10_000_000, 0, "in ticks of 10 ms");
    }

    #[test]
    fn cpu_time_from_before_the_run_does_not_count() {
        let before = thread_cpu();
        while thread_cpu() - before < Duration::from_millis(3) {}
        let start = MachineCpu::now();
        let usage = CpuUsage::of_process(1, start);
        assert!(usage.total_s.unwrap() <= MachineCpu::now().own_s - start.own_s, "{usage:?}");
    }
}
