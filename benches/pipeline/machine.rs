//! What the operating system says of a process.

use std::fs;
use std::time::Duration;

use anyhow::Context;

/// Clock ticks of Linux's `/proc`.
const TICK: Duration = Duration::from_millis(10);

/// Returns the processor time that a process has used.
pub fn cpu(process: u32) -> anyhow::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    let (_, fields) = stat.rsplit_once(')').context("`stat` has no name")?;
    let ticks = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(str::parse::<u32>);
    let ticks: u32 = ticks.sum::<Result<u32, _>>()?;
    Ok(TICK * ticks)
}

/// Waits and looks until something is so.
pub async fn until<F: AsyncFnMut() -> anyhow::Result<bool>>(mut is_so: F) -> anyhow::Result<()> {
    while !is_so().await? {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Ok(())
}

/// Returns the memory that this process has.
pub fn resident_bytes() -> anyhow::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next());
    Ok(kilobytes
        .context("`status` has no `VmRSS`")?
        .parse::<u64>()?
        * 1_024)
}
