//! Budgets hold through kills: of what everybody together may have nothing is given twice, and nothing is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use attune::domain::{CustomerId, Timestamp};
use attune::store::Engine;
use attune::stream::{JetStream, Lane, Outgoing, Streams};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::chance::Chance;
use crate::support::outcome::Outcome;
use crate::support::process::Site;
use crate::support::shares::{POLICIES, given, must_be_all};
use crate::support::workload::opening;

/// How many ask at a time.
const CALLERS: u64 = 12;

/// Once so many were given, callers rest ten times as long: however slow the machine is, some are left for the last
/// life.
const SPENT: u64 = 1_500;

/// How many customers there are.
const CUSTOMERS: u64 = 300;

/// How long a caller rests between two calls, so that budgets last through all lives of the server.
const REST: Duration = Duration::from_millis(15);

/// Who gets nothing for so long gets nothing any more: far longer than what is called back needs.
const STILL: Duration = Duration::from_millis(1_500);

/// How long the last life may take to give what is left.
const QUIET_MAX: Duration = Duration::from_mins(1);

/// The points at which the process kills itself.
const POINTS: [&str; 9] = [
    "before_commit",
    "after_commit",
    "before_emit",
    "in_resume",
    "after_emit",
    "after_mark",
    "in_checkpoint",
    "after_checkpoint",
    "in_recovery",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_servers_give_budgets_to_the_last_and_nothing_beyond() {
    for engine in [Engine::Sled, Engine::Fjall] {
        run(engine).await;
    }
}

async fn run(engine: Engine) {
    let mut chance = Chance::new(Chance::seed() ^ 0xb);
    let mut site = Site::with(engine, 1 << 20, &POLICIES).await;
    let crowd = Crowd::new(&site).await;
    for point in POINTS {
        let nth = 1 + chance.below(if point == "in_resume" { 1 } else { 4 });
        let point = format!("{point}:{nth}");
        site.start(Some(&point));
        let asking = crowd.ask(REST);
        site.crashed(&point).await;
        asking.end().await;
    }
    for _ in 0..6 {
        site.start(None);
        let asking = crowd.ask(REST);
        tokio::time::sleep(Duration::from_millis(200 + chance.below(500))).await;
        site.kill9();
        asking.end().await;
    }
    let n_before = crowd.n_given();
    site.start(None);
    let asking = crowd.ask(Duration::from_millis(1));
    crowd.until_nothing_is_given(&mut site).await;
    asking.end().await;
    let n_last = crowd.n_given() - n_before;
    // A last life that gives nothing would prove nothing about what was left.
    assert!(
        n_last > 100,
        "{n_last} given behind the last kill, {n_before} before"
    );
    site.stop().await;
    let outcome = Outcome::of(&site).await;
    let doubled = outcome.decisions.values().find(|(_, n)| *n != 1);
    assert!(doubled.is_none(), "{doubled:?}");
    let payloads = outcome.decisions.values();
    let payloads = payloads.map(|(text, _)| text.split_once(' ').expect("an id before").1);
    let given = given(payloads);
    must_be_all(&given, "2026-03-01");
}

/// Customers who visit and callers who ask, all for the same offers.
#[derive(Clone)]
struct Crowd {
    client: async_nats::Client,
    streams: JetStream,
    /// How many offers callers were told of.
    n_given: Arc<AtomicU64>,
    n: Arc<AtomicU64>,
}

/// Callers who ask until they are ended.
struct Asking {
    tasks: JoinSet<()>,
    ended: Arc<AtomicBool>,
}

impl Crowd {
    async fn new(site: &Site) -> Self {
        let client = async_nats::connect(site.nats.url()).await;
        Self {
            client: client.expect("nats-server is there"),
            streams: site.streams.clone(),
            n_given: Arc::default(),
            n: Arc::default(),
        }
    }

    /// Returns how many offers callers were told of.
    fn n_given(&self) -> u64 {
        self.n_given.load(Ordering::Relaxed)
    }

    /// Waits until nobody gets anything any more, also of what is called back.
    async fn until_nothing_is_given(&self, site: &mut Site) {
        let (since, mut last) = (Instant::now(), (self.n_given(), Instant::now()));
        while last.1.elapsed() < STILL {
            site.alive();
            assert!(since.elapsed() < QUIET_MAX, "{}", site.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
            if last.0 != self.n_given() {
                last = (self.n_given(), Instant::now());
            }
        }
    }

    fn ask(&self, rest: Duration) -> Asking {
        let ended = Arc::new(AtomicBool::default());
        let mut tasks = JoinSet::new();
        for idx in 0..CALLERS {
            tasks.spawn(self.clone().compete(ended.clone(), idx, rest));
        }
        Asking { tasks, ended }
    }
}

impl Crowd {
    /// Asks, or visits, until the end.
    async fn compete(self, ended: Arc<AtomicBool>, idx: u64, rest: Duration) {
        while !ended.load(Ordering::Relaxed) {
            let n = self.n.fetch_add(1, Ordering::Relaxed);
            let customer = format!("c{}", n % CUSTOMERS);
            if idx.is_multiple_of(4) {
                visit(&self.streams, &customer, n).await;
            } else {
                let n_given = decide(&self.client, &customer, n).await;
                self.n_given.fetch_add(n_given, Ordering::Relaxed);
            }
            let is_spent = self.n_given() > SPENT;
            tokio::time::sleep(rest * if is_spent { 10 } else { 1 }).await;
        }
    }
}

impl Asking {
    async fn end(mut self) {
        self.ended.store(true, Ordering::Relaxed);
        while let Some(ended) = self.tasks.join_next().await {
            ended.expect("a caller goes on whatever happens");
        }
    }
}

/// Asks for offers, as somebody known or not; returns how many came.
async fn decide(client: &async_nats::Client, customer: &str, n: u64) -> u64 {
    let placement = if n.is_multiple_of(2) { "hero" } else { "side" };
    let mut body = json!({ "placement": placement });
    if !n.is_multiple_of(9) {
        body["customer"] = customer.into();
    }
    let asked = client.request("attune.decide", body.to_string().into());
    // A server that is killed answers nobody.
    let answered = tokio::time::timeout(Duration::from_millis(500), asked).await;
    let Ok(Ok(answer)) = answered else { return 0 };
    let answer: Value = serde_json::from_slice(&answer.payload).unwrap_or_default();
    answer["offers"]
        .as_array()
        .map_or(0, |offers| offers.len() as u64)
}

/// Enters the journey that has a decision of its own.
async fn visit(streams: &JetStream, customer: &str, n: u64) {
    let customer = CustomerId::parse(customer).expect("a good id");
    let at =
        Timestamp::from_millis(opening().as_millis() + i64::try_from(n % 60_000).expect("small"));
    let payload = json!({
        "type": "track", "event": "visited", "userId": customer, "messageId": format!("v{n}"),
        "timestamp": at.to_string(), "properties": {},
    });
    let out = Outgoing {
        lane: Lane::Events,
        subject: streams.subject(Lane::Events, &customer.token()),
        id: format!("v{n}"),
        headers: Vec::new(),
        payload: payload.to_string().into(),
    };
    let sent = streams.publish(out).await.expect("it is sent");
    sent.await.expect("it is acknowledged");
}
