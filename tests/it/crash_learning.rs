//! What was learnt survives: the tallies of runs that are killed are those of one that is not.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use attune::domain::action::stable_id;
use attune::domain::{CustomerId, Timestamp};
use attune::store::{self, Engine, Table};
use attune::stream::{Lane, Outgoing, Streams};
use serde_json::json;

use crate::support::chance::Chance;
use crate::support::outcome::last_seq;
use crate::support::process::{POLL, Site};
use crate::support::workload::opening;

/// How many customers a run has.
const CUSTOMERS: u64 = 400;

/// How long a run may take to handle what is published.
const QUIET_MAX: Duration = Duration::from_mins(1);

/// At each visit an offer is chosen, while nothing is known yet: so the choices of all runs are the same.
const POLICIES: [(&str, &str); 1] = [(
    "learning.yaml",
    "
journey: visit
class: transactional
enter: { event: visited }
steps:
  - offer: { placement: hero, as: pick }
---
learners:
  taste: { half_life: 1d, reward: { impression: 0, click: 0.5, conversion: 1 } }
  line: { kind: linear, features: { age: profile.traits.age / 50 } }
placements:
  hero: { learner: taste, challenger: { learner: line, share: 50% } }
offers:
  a: { placements: [hero] }
  b: { placements: [hero] }
  c: { placements: [hero] }
",
)];

/// The points at which the process kills itself; nothing leaves because of an outcome, so none lies behind that.
const POINTS: [&str; 5] = [
    "before_commit",
    "after_commit",
    "in_checkpoint",
    "after_checkpoint",
    "in_recovery",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_servers_learn_everything_once() {
    let whole = run(Engine::Sled, false).await;
    // A run that learns nothing would prove nothing.
    assert!(whole.len() > 8, "{}", whole.len());
    for engine in [Engine::Sled, Engine::Fjall] {
        assert!(
            run(engine, true).await == whole,
            "{engine:?}: the tallies differ"
        );
    }
}

/// Lets everybody visit, tells what became of the offers, and returns what the store then holds of it.
async fn run(engine: Engine, kill: bool) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut chance = Chance::new(Chance::seed());
    let mut site = Site::with(engine, 1 << 20, &POLICIES).await;
    site.start(None);
    for who in 0..CUSTOMERS {
        publish(&site, who, "visited", &json!({}), 0).await;
    }
    reaches(&mut site, "ATTUNE_DECISIONS", CUSTOMERS).await;
    site.stop().await;
    let outcomes = outcomes();
    let mut parts = outcomes.chunks(outcomes.len().div_ceil(POINTS.len() + 3));
    if kill {
        for point in POINTS {
            let nth = 1 + chance.below(if point == "in_recovery" { 4 } else { 6 });
            let point = format!("{point}:{nth}");
            site.start(Some(&point));
            tell(&site, parts.next().unwrap_or_default()).await;
            site.crashed(&point).await;
        }
        for part in parts.by_ref() {
            site.start(None);
            tell(&site, part).await;
            tokio::time::sleep(Duration::from_millis(chance.below(300))).await;
            site.kill9();
        }
    }
    site.start(None);
    for part in parts {
        tell(&site, part).await;
    }
    // Whoever visits last has seen everything before.
    for who in CUSTOMERS..CUSTOMERS + 40 {
        publish(&site, who, "visited", &json!({}), 60).await;
    }
    reaches(&mut site, "ATTUNE_DECISIONS", CUSTOMERS + 40).await;
    site.stop().await;
    kept(&site)
}

/// One outcome: whose, which, and how many minutes after the opening.
type Told = (u64, &'static str, u64);

/// Everybody sees their offer, every third clicks, every tenth takes it; senders try some again.
fn outcomes() -> Vec<Told> {
    let mut outcomes = Vec::new();
    for round in 0..4 {
        for who in 0..CUSTOMERS {
            let name = match round {
                0 => Some("Offer Impression"),
                1 => (who % 3 == 0).then_some("Offer Clicked"),
                2 => (who % 10 == 0).then_some("Offer Converted"),
                _ => (who % 5 == 0).then_some("Offer Clicked"),
            };
            outcomes.extend(name.map(|name| (who, name, 1 + round)));
        }
    }
    outcomes
}

async fn tell(site: &Site, outcomes: &[Told]) {
    for (who, name, minute) in outcomes {
        let decision = stable_id(&[&format!("c{who}"), "visit", "1", "0"]);
        let properties = json!({ "decision_id": decision });
        publish(site, *who, name, &properties, *minute).await;
    }
}

async fn publish(site: &Site, who: u64, event: &str, properties: &serde_json::Value, minute: u64) {
    let customer = CustomerId::parse(&format!("c{who}")).expect("a good id");
    // Customers come one after the other, so that evidence is of different ages.
    let at = opening().as_millis() + i64::try_from(minute * 60_000 + who * 50).expect("small");
    let id = format!("{who}-{event}-{minute}");
    let payload = json!({
        "type": "track", "event": event, "userId": customer, "messageId": id,
        "timestamp": Timestamp::from_millis(at).to_string(), "properties": properties,
    });
    let out = || Outgoing {
        lane: Lane::Events,
        subject: site.streams.subject(Lane::Events, &customer.token()),
        id: id.clone(),
        headers: Vec::new(),
        payload: payload.to_string().into(),
    };
    let sent = site.streams.publish(out()).await.expect("it is sent");
    sent.await.expect("it is acknowledged");
}

/// Waits until a stream has so many messages.
async fn reaches(site: &mut Site, stream: &str, n: u64) {
    let since = Instant::now();
    while last_seq(site, stream).await < n {
        site.alive();
        let log = site.log();
        assert!(since.elapsed() < QUIET_MAX, "{stream} has not {n}: {log}");
        tokio::time::sleep(POLL).await;
    }
}

/// Reads the evidence and the shares of every partition, as they are on disk.
fn kept(site: &Site) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let options = store::Options {
        cache_bytes: 16 << 20,
        ..store::Options::default()
    };
    let store = store::open(site.engine, &site.data(), &options).expect("the store opens");
    let rows = store.scan(Table::Meta, b"learnt/"..b"learnt0", usize::MAX);
    let rows = rows.expect("the store can be read").into_iter();
    rows.filter(|(key, _)| !key.starts_with(b"learnt/seq/"))
        .collect()
}
