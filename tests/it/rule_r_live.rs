//! Rule R through the running server: killed and started again in the middle, every event delivered twice.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use attune::domain::CustomerId;
use attune::store::Engine;
use attune::stream::{JetStream, Lane, Outgoing, Streams};
use futures::StreamExt;
use futures::stream::FuturesOrdered;
use serde_json::Value;

use crate::rule_r::{self, Fire};
use crate::support::outcome::last_seq;
use crate::support::process::{POLL, Site};

/// How long the server may take for all events.
const PATIENCE: Duration = Duration::from_mins(4);

/// Publishes that wait for their acknowledgement at a time.
const IN_FLIGHT: usize = 512;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn otto_carts_that_stay_quiet_fire_on_the_server_as_in_the_backtest() {
    for (quiet, key, engine) in [("1h", "user", Engine::Sled), ("30m", "item", Engine::Fjall)] {
        let fires = rule_r::expected_of_otto(quiet, key);
        let server = play(
            &rule_r::otto(),
            &rule_r::policy(quiet, key),
            engine,
            fires.len(),
        )
        .await;
        assert_eq!(server, fires, "{quiet} {key}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn taobao_carts_that_stay_quiet_fire_on_the_server_as_often_as_in_the_backtest() {
    let Some(events) = rule_r::taobao() else {
        // The data may not be passed on; where it is not, the OTTO sessions are the proof.
        return;
    };
    for (key, n, engine) in [
        ("user", 2_483, Engine::Sled),
        ("item", 4_362, Engine::Fjall),
    ] {
        let server = play(&events, &rule_r::policy("1h", key), engine, n).await;
        assert_eq!(server.len(), n, "{key}");
    }
}

/// Plays events through a server that is killed half-way; returns who was sent what when.
async fn play(events: &str, policy: &str, engine: Engine, n: usize) -> BTreeSet<Fire> {
    let mut site = Site::with(engine, 1 << 20, &[("rule-r.yaml", policy)]).await;
    site.start(None);
    let events: Vec<&str> = events.lines().collect();
    let (first, second) = events.split_at(events.len() / 2);
    publish(&site.streams, first).await;
    while last_seq(&site, "ATTUNE_ACTIONS").await < u64::try_from(n / 8).unwrap() {
        tokio::time::sleep(POLL).await;
    }
    site.kill9();
    publish(&site.streams, second).await;
    site.start(None);
    let since = Instant::now();
    while last_seq(&site, "ATTUNE_ACTIONS").await < u64::try_from(n).unwrap() {
        assert!(
            since.elapsed() < PATIENCE,
            "the server does not get on: {}",
            site.log()
        );
        tokio::time::sleep(POLL).await;
    }
    site.stop().await;
    fires(&site).await
}

/// Publishes every event twice, the second one right after the first.
async fn publish(streams: &JetStream, events: &[&str]) {
    let mut acks = FuturesOrdered::new();
    for (idx, line) in events.iter().enumerate() {
        let event: Value = serde_json::from_str(line).unwrap();
        let customer = CustomerId::parse(event["userId"].as_str().unwrap()).unwrap();
        for time in ["first", "second"] {
            let out = Outgoing {
                lane: Lane::Events,
                subject: streams.subject(Lane::Events, &customer.token()),
                // The server would drop a double by its id; the engine is to recognise it.
                id: format!("{idx}-{time}-{}", event["messageId"]),
                headers: Vec::new(),
                payload: line.as_bytes().to_vec().into(),
            };
            acks.push_back(streams.publish(out).await.unwrap());
        }
        if acks.len() > IN_FLIGHT {
            acks.next().await.unwrap().unwrap();
            acks.next().await.unwrap().unwrap();
        }
    }
    while let Some(ack) = acks.next().await {
        ack.unwrap();
    }
}

async fn fires(site: &Site) -> BTreeSet<Fire> {
    let mut fires = BTreeSet::new();
    for (_, (action, times)) in crate::support::outcome::Outcome::of(site).await.actions {
        assert_eq!(times, 1, "{action}");
        let (_, json) = action.split_once(' ').unwrap();
        let action: Value = serde_json::from_str(json).unwrap();
        let text = |key: &str| action[key].as_str().unwrap().to_owned();
        let fire = (text("decided_at"), text("customer"), text("key"));
        assert!(fires.insert(fire.clone()), "{fire:?} twice");
    }
    fires
}
