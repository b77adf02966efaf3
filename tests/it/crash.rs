//! Nothing lost, nothing twice: runs that are killed end like one that is not.

use std::time::{Duration, Instant};

use attune::store::Engine;
use tokio::sync::OnceCell;

use crate::support::chance::Chance;
use crate::support::outcome::{Outcome, last_seq, n_answered};
use crate::support::process::{POLL, Site};
use crate::support::workload::{Message, PARTITIONS, Workload, closing, opening, probes, publish};

/// How many messages a run has.
const MESSAGES: usize = 3_000;

/// How many of them bring customers enough to train a dictionary.
const TRAINING: usize = 300;

/// The largest message of the server: small, so that large commits need several.
const PAYLOAD_MAX: u32 = 16 << 10;

/// How long a run may take to handle what is published.
const QUIET_MAX: Duration = Duration::from_mins(1);

/// How long a process may take to commit something.
const BUSY_MAX: Duration = Duration::from_secs(1);

/// The points at which the process kills itself; after `before_emit` there surely is something to resume.
const POINTS: [&str; 10] = [
    "before_commit",
    "after_commit",
    "before_emit",
    "in_resume",
    "after_emit",
    "before_mark",
    "after_mark",
    "in_checkpoint",
    "after_checkpoint",
    "in_recovery",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_servers_on_sled_lose_nothing_and_double_nothing() {
    let expected = uncrashed().await;
    crashed(Engine::Sled, 1)
        .await
        .must_be(expected, "killed, on sled");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_servers_on_fjall_lose_nothing_and_double_nothing() {
    let expected = uncrashed().await;
    crashed(Engine::Fjall, 2)
        .await
        .must_be(expected, "killed, on fjall");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_nats_server_loses_nothing_and_doubles_nothing() {
    let expected = uncrashed().await;
    let seed = Chance::seed();
    let mut chance = Chance::new(seed ^ 3);
    let workload = Workload::new(seed, MESSAGES);
    let mut site = Site::new(Engine::Sled, PAYLOAD_MAX).await;
    site.start(None);
    let n_kills = (n_crashes() / 10).max(3);
    for part in parts(&workload.messages, n_kills) {
        let publishing = publishing(&site, part);
        tokio::time::sleep(Duration::from_millis(50 + chance.below(400))).await;
        site.nats.kill9();
        site.nats.restart().await.expect("nats-server starts again");
        publishing.await.expect("everything is published");
        site.alive();
    }
    settle(&mut site, &workload).await;
    finish(&mut site).await;
    let outcome = Outcome::of(&site).await;
    outcome.must_be(expected, "nats-server killed");
}

/// What the workload comes to when nothing is killed.
async fn uncrashed() -> &'static Outcome {
    static UNCRASHED: OnceCell<Outcome> = OnceCell::const_new();
    UNCRASHED
        .get_or_init(|| async {
            let workload = Workload::new(Chance::seed(), MESSAGES);
            let mut site = Site::new(Engine::Sled, PAYLOAD_MAX).await;
            site.start(None);
            publish(&site.streams, &workload.messages).await;
            settle(&mut site, &workload).await;
            finish(&mut site).await;
            let outcome = Outcome::of(&site).await;
            // A workload that does nothing would prove nothing.
            assert!(outcome.actions.len() > 500, "{}", outcome.actions.len());
            assert!(outcome.decisions.len() > 300, "{}", outcome.decisions.len());
            assert!(outcome.crossings.len() > 300, "{}", outcome.crossings.len());
            assert!(outcome.dead.len() > 50, "{}", outcome.dead.len());
            assert!(outcome.profiles.len() > 110, "{}", outcome.profiles.len());
            outcome
        })
        .await
}

/// Runs the workload through kills at random moments and at every named point.
async fn crashed(engine: Engine, run: u64) -> Outcome {
    let seed = Chance::seed();
    let mut chance = Chance::new(seed ^ run);
    let workload = Workload::new(seed, MESSAGES);
    let mut site = Site::new(engine, PAYLOAD_MAX).await;
    let n_kills = n_crashes().div_ceil(2);
    let (training, others) = workload.messages.split_at(TRAINING);
    crash_at(&mut site, "after_dictionary:1", training.to_vec()).await;
    let mut parts = parts(others, n_kills + POINTS.len());
    for point in POINTS {
        let point = format!("{point}:{}", nth(point, &mut chance));
        crash_at(&mut site, &point, parts.next().unwrap_or_default()).await;
    }
    for part in parts {
        site.start(None);
        let publishing = publishing(&site, part);
        some_moment(&site, &mut chance).await;
        site.kill9();
        publishing.await.expect("everything is published");
    }
    site.start(None);
    settle(&mut site, &workload).await;
    // The time must not be forgotten with the process: no later event tells it again.
    site.kill9();
    site.start(None);
    finish(&mut site).await;
    Outcome::of(&site).await
}

/// Starts a process that kills itself at a point while so much is published.
async fn crash_at(site: &mut Site, point: &str, part: Vec<Message>) {
    site.start(Some(point));
    let publishing = publishing(site, part);
    site.crashed(point).await;
    publishing.await.expect("everything is published");
}

/// Waits for any moment of a process's life: half the time one at which it commits.
async fn some_moment(site: &Site, chance: &mut Chance) {
    if chance.below(2) == 0 {
        return tokio::time::sleep(Duration::from_millis(chance.below(500))).await;
    }
    let since = Instant::now();
    let n = u64::from(PARTITIONS) + 1 + chance.below(20);
    let end = last_seq(site, "ATTUNE_STATE").await + n;
    while last_seq(site, "ATTUNE_STATE").await < end && since.elapsed() < BUSY_MAX {
        tokio::task::yield_now().await;
    }
}

/// Returns at which passing of a point to crash.
fn nth(point: &str, chance: &mut Chance) -> u64 {
    let n_max = match point {
        "in_resume" => 1,
        "in_recovery" => 4,
        _ => 6,
    };
    1 + chance.below(n_max)
}

fn n_crashes() -> usize {
    let n = std::env::var("ATTUNE_CRASHES").ok();
    n.map_or(10, |n| n.parse().expect("`ATTUNE_CRASHES` is a number"))
}

/// Cuts messages into so many parts, none empty.
fn parts(messages: &[Message], n: usize) -> impl Iterator<Item = Vec<Message>> {
    let size = messages.len().div_ceil(n.max(1)).max(1);
    messages.chunks(size).map(<[Message]>::to_vec)
}

fn publishing(site: &Site, part: Vec<Message>) -> tokio::task::JoinHandle<()> {
    let streams = site.streams.clone();
    tokio::spawn(async move { publish(&streams, &part).await })
}

/// Waits until what is forwarded has come, and lets time go on until every timer is due.
async fn settle(site: &mut Site, workload: &Workload) {
    let n_events = workload.messages.len() as u64 + workload.n_strays;
    reaches(site, "ATTUNE_EVENTS", n_events, "strays are forwarded").await;
    publish(&site.streams, &probes("close", closing())).await;
    answered(site, "close").await;
}

/// Waits until everything that was published is handled, and stops.
async fn finish(site: &mut Site) {
    publish(&site.streams, &probes("finish", opening())).await;
    answered(site, "finish").await;
    site.stop().await;
}

/// Waits until the probes of a name have been answered.
async fn answered(site: &mut Site, name: &str) {
    let since = Instant::now();
    while n_answered(site, name).await < usize::from(PARTITIONS) {
        site.alive();
        let log = site.log();
        assert!(since.elapsed() < QUIET_MAX, "`{name}` has no answer: {log}");
        tokio::time::sleep(POLL).await;
    }
}

/// Waits until a stream has so many messages.
async fn reaches(site: &mut Site, stream: &str, n: u64, what: &str) {
    let since = Instant::now();
    loop {
        let have = last_seq(site, stream).await;
        if have >= n {
            return;
        }
        site.alive();
        let log = site.log();
        assert!(
            since.elapsed() < QUIET_MAX,
            "{what}: {have} of {n} in {stream}: {log}"
        );
        tokio::time::sleep(POLL).await;
    }
}
