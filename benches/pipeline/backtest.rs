//! A backtest of the abandoned-cart policy, and what policies that do not listen cost an event.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write, sink, stderr};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use attune::cli::backtest::{Args, backtest};
use attune::decide::Outside;
use attune::decide::drive::Moment;
use attune::decide::{Cause, Scores, handle};
use attune::domain::event::Kind;
use attune::domain::{CustomerId, Event, EventId, Profile, Timestamp, Value};
use attune::policy::{self, Bundle, Source};
use clap::Parser;
use serde::Deserialize;

use crate::events::Crowd;
use crate::machine::cpu;
use crate::row::{Row, per_second};
use crate::throughput::scaled;

/// What the abandoned-cart policy needs to stand alone, in the order of its file.
const POLICIES: [&str; 3] = ["abandoned-cart.yaml", "limits.yaml", "offers.yaml"];
/// Events a second.
const GOAL: f64 = 100_000.0;
/// Policies that do not listen to the event.
const N_IDLE: usize = 1_000;
/// What all of them may add to an event.
const IDLE_GOAL: Duration = Duration::from_micros(2);

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    args: Args,
}

/// Measures a backtest over a file against a loop that decodes it and counts events by customer.
///
/// Both are measured in processor time, of which two cores have twice as much as passes: with nothing else to do they
/// are as fast as the figure at least, however unevenly the threads share the work.
pub fn of_the_abandoned_cart() -> anyhow::Result<Vec<Row>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("events.jsonl");
    let n = scaled(1_000_000);
    fill(&path, n)?;
    let reference = busy(|| bare(&path, n))?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut arguments = vec!["backtest".to_owned()];
    for name in POLICIES {
        let policy = root.join("policies").join(name);
        arguments.extend(["--policies".to_owned(), policy.display().to_string()]);
    }
    let (events, models) = (path.display(), root.join("models"));
    let more = format!("--events\n{events}\n--models\n{}", models.display());
    arguments.extend(more.lines().map(str::to_owned));
    let args = Arguments::try_parse_from(arguments)?.args;
    let mut seconds = 0.0;
    let spent = busy(|| {
        let summary = backtest(&args, &mut sink(), &mut stderr())?;
        ensure!(summary.events == n as u64, "{} events", summary.events);
        seconds = summary.seconds;
        Ok(())
    })?;
    let rate = |spent: Duration| count(n) / spent.as_secs_f64();
    Ok(vec![Row {
        what: format!(
            "backtest of abandoned-cart, {n} events of a file, by processor time ({seconds:.1} s passed)"
        ),
        figure: per_second(rate(spent)),
        reference: per_second(rate(reference)),
        ratio: Some(rate(spent) / rate(reference)),
        goal: format!("≥ {}", per_second(GOAL)),
        ok: rate(spent) >= GOAL,
    }])
}

/// Measures an event that nobody listens to, with and without a thousand journeys that listen to others.
pub fn idle_policies() -> anyhow::Result<Vec<Row>> {
    let (few, many) = (bundle(0)?, bundle(N_IDLE)?);
    let n = scaled(200_000);
    let mut best = [Duration::MAX; 2];
    for _ in 0..5 {
        for (best, bundle) in best.iter_mut().zip([&few, &many]) {
            *best = (*best).min(look(bundle, n)?);
        }
    }
    let [few, many] = best;
    let added = many.saturating_sub(few);
    let micros = |of: Duration| format!("{:.2} µs", of.as_secs_f64() * 1e6);
    Ok(vec![Row {
        what: format!("{N_IDLE} idle policies add to an event"),
        figure: micros(added),
        reference: micros(few),
        ratio: None,
        goal: format!("< {}", micros(IDLE_GOAL)),
        ok: added < IDLE_GOAL,
    }])
}

fn fill(path: &Path, n: usize) -> anyhow::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    let mut crowd = Crowd::new(0);
    for idx in 0..n {
        let (_, event) = crowd.event("attune", idx);
        writeln!(file, "{event}")?;
    }
    Ok(file.flush()?)
}

/// The least there is to do: whose event it is, what it is called, when it was.
#[derive(Deserialize)]
struct Bare<'a> {
    #[serde(rename = "userId")]
    customer: &'a str,
    event: &'a str,
    timestamp: &'a str,
}

fn bare(path: &Path, n: usize) -> anyhow::Result<()> {
    let mut counts: HashMap<String, u64> = HashMap::new();
    let (mut file, mut line) = (
        BufReader::with_capacity(256 << 10, File::open(path)?),
        Vec::new(),
    );
    let mut n_bytes = 0;
    while file.read_until(b'\n', &mut line)? > 0 {
        let event: Bare<'_> = serde_json::from_slice(&line)?;
        n_bytes += event.event.len() + event.timestamp.len();
        match counts.get_mut(event.customer) {
            Some(count) => *count += 1,
            None => drop(counts.insert(event.customer.to_owned(), 1)),
        }
        line.clear();
    }
    let n_counted: u64 = counts.values().sum();
    ensure!(n_counted == n as u64 && n_bytes > n, "{n_counted} events");
    Ok(())
}

/// Returns the processor time that something takes.
fn busy(act: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<Duration> {
    let before = cpu(std::process::id())?;
    act()?;
    Ok(cpu(std::process::id())?.saturating_sub(before))
}

/// Compiles one journey that looks at every product, and so many that look at an event of their own.
fn bundle(n_idle: usize) -> anyhow::Result<Bundle> {
    let mut text = "schemas:\n  events:\n    Bench Viewed: {}\n".to_owned();
    for idx in 0..n_idle {
        writeln!(text, "    Bench {idx}: {{}}")?;
    }
    text.push_str("---\njourney: looks\nenter: { event: Bench Viewed, where: profile.cart.value > 1000 }\nsteps:\n  - stop\n");
    for idx in 0..n_idle {
        writeln!(
            text,
            "---\njourney: idle-{idx}\nenter: {{ event: Bench {idx} }}\ngoal: {{ event: Bench {idx} }}\nsteps:\n  - wait: 1d"
        )?;
    }
    let checked = policy::check(&[Source::new("policies/idle.yaml", &text)]);
    let Some(bundle) = checked.bundle else {
        bail!("the policies are wrong: {}", checked.problems);
    };
    Ok(bundle)
}

/// Returns the time of one event among many of one customer.
fn look(bundle: &Bundle, n: usize) -> anyhow::Result<Duration> {
    let customer = CustomerId::parse("customer").map_err(anyhow::Error::msg)?;
    let mut profile = Profile::new(customer);
    let events: Vec<Cause> = (0..n).map(event).collect();
    let start = Instant::now();
    for (at, cause) in (1..).zip(&events) {
        let moment = Moment {
            now: Timestamp::from_millis(at),
            at_due: true,
        };
        let outside = Outside::of(&|_| Scores::new());
        let outcome = handle(bundle, &mut profile, cause, moment, None, outside);
        ensure!(!outcome.duplicate, "an event was not handled");
    }
    let n = u32::try_from(n).context("too many events")?;
    Ok(start.elapsed() / n)
}

fn event(idx: usize) -> Cause {
    Cause::Event(Event {
        id: EventId::new(&format!("event-{idx}")),
        kind: Kind::Track,
        name: "Bench Viewed".into(),
        at: Timestamp::from_millis(i64::try_from(idx).unwrap_or(0) + 1),
        properties: Value::Null,
        traits: Value::Null,
        context: Value::Null,
    })
}

#[expect(clippy::cast_precision_loss, reason = "counts are small")]
fn count(n: usize) -> f64 {
    n as f64
}
