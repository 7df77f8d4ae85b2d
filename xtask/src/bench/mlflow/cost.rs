//! What a server's processes have used, from `/proc`.

use std::fs;

use anyhow::Context;

/// Ticks of the kernel's clock in a second, as Linux shows them to programs.
const TICKS: f64 = 100.0;

/// One process as `/proc` tells of it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Process {
    pid: u32,
    parent: u32,
    /// Its own time and that of its children that have ended.
    ticks: u64,
}

/// `pid` and all that it started, directly or not.
fn tree(pid: u32) -> anyhow::Result<Vec<Process>> {
    let mut all = Vec::new();
    for entry in fs::read_dir("/proc").context("this machine has no /proc to measure by")? {
        // What ended while we looked is gone.
        if let Ok(stat) = fs::read_to_string(entry?.path().join("stat")) {
            all.extend(process(&stat));
        }
    }
    let mut found: Vec<Process> = all.iter().copied().filter(|it| it.pid == pid).collect();
    let mut at = 0;
    while let Some(parent) = found.get(at).map(|it| it.pid) {
        found.extend(all.iter().filter(|it| it.parent == parent));
        at += 1;
    }
    Ok(found)
}

/// Reads one `/proc/*/stat`. The name stands in parentheses and may hold anything.
fn process(stat: &str) -> Option<Process> {
    let (head, rest) = stat.rsplit_once(')')?;
    let pid = head.split_once(' ')?.0.parse().ok()?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    let parent = u32::try_from(number(1)?).ok()?;
    let ticks = [11, 12, 13, 14].into_iter().map(number).sum::<Option<u64>>()?;
    Some(Process { pid, parent, ticks })
}

/// Milliseconds of processor that `pid` and its children have used.
pub(super) fn cpu_ms(pid: u32) -> anyhow::Result<f64> {
    let ticks: u64 = tree(pid)?.iter().map(|it| it.ticks).sum();
    #[expect(clippy::cast_precision_loss, reason = "no process has used so much")]
    Ok(ticks as f64 * 1000.0 / TICKS)
}

/// MiB of memory that `pid` and its children hold.
pub(super) fn resident_mib(pid: u32) -> anyhow::Result<f64> {
    let mut kib = 0;
    for it in tree(pid)? {
        let status = fs::read_to_string(format!("/proc/{}/status", it.pid)).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let size = line.and_then(|it| it.trim().strip_suffix(" kB")?.trim().parse::<u32>().ok());
        kib += size.unwrap_or(0);
    }
    Ok(f64::from(kib) / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_whatever_its_name_is() {
        let stat = "12 (a) b (c) S 7 12 12 0 -1 4194560 1 2 3 4 50 6 70 8 20 0 1 0 9";
        assert_eq!(process(stat), Some(Process { pid: 12, parent: 7, ticks: 134 }));
        assert_eq!(process("nonsense"), None);
    }

    #[test]
    fn this_process_has_used_something() {
        let pid = std::process::id();
        assert!(resident_mib(pid).unwrap() > 0.1);
        assert!(cpu_ms(pid).unwrap() >= 0.0);
    }
}
