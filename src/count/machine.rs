//! CPU time and memory of this process, as Linux reports them; `None` elsewhere.

use std::fs;
use std::time::Duration;

use serde::Serialize;

/// What the run cost.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Usage {
    /// CPU time of all threads, in seconds.
    pub cpu_s: Option<f64>,
    /// CPU time a tweet, in microseconds.
    pub cpu_us_per_tweet: Option<f64>,
    /// Which part of the CPU time of all programs on the machine that was: the rest went to the brokers, to
    /// Druid, and to whatever else ran here.
    #[cfg_attr(test, schemars(range(min = 0, max = 1)))]
    pub cpu_share: Option<f64>,
    /// Greatest resident memory, in MiB, pages of the mapped input included.
    pub peak_resident_mib: Option<f64>,
    /// Greatest resident memory without the pages of mapped files, in MiB; looked at twice a second
    /// and at the end.
    pub own_memory_mib: Option<f64>,
}

/// Clock ticks per second in `/proc/self/stat`: USER_HZ, 100 on every Linux (proc(5)).
const USER_HZ: f64 = 100.0;

/// What all programs had used of the machine's CPUs at one moment.
#[derive(Debug, Clone, Copy)]
pub struct MachineCpu {
    machine_s: Option<f64>,
    own_s: Option<f64>,
}

impl MachineCpu {
    pub fn now() -> Self {
        Self { machine_s: machine_cpu_s(), own_s: process_cpu_s() }
    }

    /// This process's share of what was used since then.
    fn own_share(self) -> Option<f64> {
        let now = Self::now();
        let (all, own) = (now.machine_s? - self.machine_s?, now.own_s? - self.own_s?);
        // Both come in ticks of 10 ms, and are not read at the same instant.
        (all > 0.0).then(|| (own / all).clamp(0.0, 1.0))
    }
}

impl Usage {
    /// What this process used since it began, for this many tweets, and its share of what the
    /// machine used since `start`; `own_memory_mib` is the largest value seen meanwhile.
    pub fn of_process(tweets: u64, own_memory_mib: Option<f64>, start: MachineCpu) -> Self {
        let cpu_s = process_cpu_s();
        Self {
            cpu_s,
            cpu_share: start.own_share(),
            cpu_us_per_tweet: cpu_s.filter(|_| tweets > 0).map(|cpu_s| cpu_s * 1e6 / tweets as f64),
            peak_resident_mib: status_mib("VmHWM:"),
            own_memory_mib: own_memory_mib.into_iter().chain(own_memory()).reduce(f64::max),
        }
    }
}

/// Current resident memory without the pages of mapped files, in MiB.
pub fn own_memory() -> Option<f64> {
    status_mib("RssAnon:")
}

/// CPU time of the calling thread so far.
pub fn thread_cpu() -> Option<Duration> {
    // The first number is the time on a CPU in nanoseconds (Linux, Documentation/scheduler).
    let schedstat = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(schedstat.split_whitespace().next()?.parse().ok()?))
}

fn process_cpu_s() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // Everything up to the command's name is skipped, since the name may contain anything. The
    // first field after it is the state, field 3; utime and stime are fields 14 and 15 (proc(5)).
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field - 3)?.parse::<f64>().ok();
    Some((ticks(14)? + ticks(15)?) / USER_HZ)
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
        let start = MachineCpu { machine_s: Some(0.0), own_s: Some(0.0) };
        let usage = Usage::of_process(1, Some(1e6), start);
        assert!((0.0..1.0).contains(&usage.cpu_share.unwrap()), "the machine has done other things, too");
        assert!(usage.cpu_s.unwrap() >= 0.0);
        assert!(usage.peak_resident_mib.unwrap() > 1.0);
        assert_eq!(usage.own_memory_mib, Some(1e6));
        assert!(own_memory().unwrap() > 0.1);
        assert!(thread_cpu().unwrap() > Duration::ZERO);
    }
}
