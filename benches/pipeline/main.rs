//! Measures the whole pipeline against bare loops that do the least there is to do, in the same run.
//!
//! `cargo bench --bench pipeline -- throughput` runs the lines whose names begin so; `ATTUNE_BENCH_SCALE`
//! (default 1, such as 0.1) makes all of them smaller. Each line runs in a process of its own, with a
//! nats-server of its own, so that none inherits the memory of another.

mod backtest;
mod bare;
mod check;
mod clients;
mod decide;
mod events;
mod latency;
mod machine;
mod offers;
mod person;
mod recovery;
mod room;
mod row;
mod stages;
mod throughput;
mod world;

use std::io::{Write, stderr, stdout};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use row::Row;

// The one of `attune` itself.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures one line.
type Measure = fn() -> anyhow::Result<Vec<Row>>;

/// What can be measured, by name.
const LINES: [(&str, Measure); 11] = [
    ("throughput-stored", throughput::stored),
    ("throughput-filling", throughput::filling),
    ("latency", latency::at_a_steady_rate),
    ("decide", decide::over_http),
    ("offers", offers::many),
    ("memory", room::memory),
    ("disk", room::disk),
    ("recovery", recovery::after_a_kill),
    ("check", check::a_thousand_journeys),
    ("idle", backtest::idle_policies),
    ("backtest", backtest::of_the_abandoned_cart),
];

fn main() -> anyhow::Result<()> {
    // As `attune` itself does.
    attune::pages::keep_small();
    // Cargo says `--bench` to every benchmark.
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| arg != "--bench")
        .collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["--line", name] => line(name),
        ["--part", name, rest @ ..] => part(name, rest),
        wanted => table(wanted),
    }
}

/// Runs every wanted line and prints one table.
fn table(wanted: &[&str]) -> anyhow::Result<()> {
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|of| name.starts_with(of));
    let mut rows = Vec::new();
    for (name, _) in LINES.iter().filter(|(name, _)| is_wanted(name)) {
        writeln!(stderr(), "\n== {name}")?;
        let child = Command::new(std::env::current_exe()?)
            .args(["--line", name])
            .stderr(Stdio::inherit())
            .output()?;
        if !child.status.success() {
            bail!("the line `{name}` is broken");
        }
        let text = String::from_utf8(child.stdout)?;
        // A line that breaks later takes nothing away of what was measured.
        write!(stderr(), "{text}")?;
        rows.extend(text.lines().map(str::to_owned));
    }
    writeln!(stdout(), "\n{}", row::HEAD)?;
    for row in rows {
        writeln!(stdout(), "{row}")?;
    }
    Ok(())
}

/// Runs one line and prints its rows.
fn line(name: &str) -> anyhow::Result<()> {
    let (_, run) = LINES
        .iter()
        .find(|(of, _)| *of == name)
        .with_context(|| format!("there is no line `{name}`"))?;
    for row in run()? {
        writeln!(stdout(), "{row}")?;
    }
    Ok(())
}

/// Runs what a line wants to have in a process of its own.
fn part(name: &str, args: &[&str]) -> anyhow::Result<()> {
    match (name, args) {
        ("fill", [url, n]) => throughput::fill(url, n.parse()?),
        ("node", [dir, url, engine, then, upto]) => {
            recovery::node(dir, url, engine, then, upto.parse()?)
        }
        _ => bail!("there is no part `{name}`"),
    }
}
