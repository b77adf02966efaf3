//! Where people are, and what is kept for them: exact through reloads and kills, and let go once nobody needs it.

use std::time::{Duration, Instant};

use async_nats::jetstream::{self, Context};
use attune::release::Ledger;
use serde_json::{Value, json};

use crate::reload::{actions, connect, send, taken, until, until_live};
use crate::server::{Attune, PATIENCE, Place};

/// A journey that sleeps a day and answers with this template, and one that lets time go on.
fn sleeps(template: &str) -> String {
    format!(
        "journey: hello
enter: {{ event: Good, reentry: always }}
steps:
  - wait: 1d
  - send: {{ channel: email, template: {template} }}
---
journey: clock
enter: {{ event: Tick }}
steps: [stop]
---
channels: {{ email: {{ address: none, consent: not_required }} }}
"
    )
}

fn at(time: &str) -> Value {
    json!({ "timestamp": format!("2026-01-{time}") })
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_counted_and_what_is_kept_for_them_goes_when_they_are_gone() {
    let config = "clock: event\nnats: { partitions: 2 }\nlimits: { checkpoint_every: 50ms }";
    let place = Place::new(config);
    place.write("policies/hello.yaml", sleeps("old"));
    let nats = place.nats(None).await;
    let mut attune = place.serve(&nats.url()).await;
    let context = connect(&nats.url()).await;
    for n in 0..3 {
        send(&context, &format!("c-{n}"), &at("05T00:00:00Z")).await;
    }
    taken(&attune, 3).await;
    place.write("policies/hello.yaml", sleeps("new"));
    until_live(&attune, 2).await;
    send(&context, "c-3", &at("05T06:00:00Z")).await;
    taken(&attune, 4).await;
    stands(&attune, &[("new", 1), ("old", 3)]).await;

    // Who was counted before a kill is counted after it, from the store and from the log.
    for _ in 0..2 {
        attune.signal("KILL");
        attune.ended().await;
        attune = place.serve(&nats.url()).await;
        until_live(&attune, 2).await;
        stands(&attune, &[("new", 1), ("old", 3)]).await;
    }
    // Whom the sweep must not overlook had several looks by now.
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(ledger(&context).await.left.len(), 0);

    send(&context, "c-4", &at("06T03:00:00Z")).await;
    let left = actions(&context, 3).await;
    assert!(left.values().all(|template| template == "old"), "{left:?}");
    stands(&attune, &[("new", 2)]).await;
    let start = Instant::now();
    while ledger(&context).await.left.len() != 1 {
        assert!(start.elapsed() < PATIENCE, "{}", attune.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let ledger = ledger(&context).await;
    assert_eq!(ledger.old().len(), 0);
    // The text stays for a rollback, after which people are in it again.
    let body = json!({ "to": 1 });
    let (status, said) = attune.post("/v1/policies/rollback", &body).await.unwrap();
    assert_eq!(status, 200, "{said}");
    send(&context, "c-5", &at("06T04:00:00Z")).await;
    stands(&attune, &[("old", 1), ("new", 2)]).await;
    attune.signal("KILL");
    attune.ended().await;
    let attune = place.serve(&nats.url()).await;
    send(&context, "c-6", &at("08T00:00:00Z")).await;
    let left = actions(&context, 6).await;
    assert_eq!(
        (&*left["c-3"], &*left["c-4"], &*left["c-5"]),
        ("new", "new", "old")
    );
    let (_, page) = attune.get("/v1/journeys/hello").await.unwrap();
    let page: Value = serde_json::from_str(&page).unwrap();
    assert_eq!(page["left"]["completed"], 3, "{page}");
}

/// Waits until so many sleep in the revisions of `hello`, the live one first, and everybody says so.
async fn stands(attune: &Attune, expected: &[(&str, u64)]) {
    let says = |page: &str| {
        let page: Value = serde_json::from_str(page).unwrap();
        let revisions = page["revisions"].as_array().into_iter().flatten();
        let n: Vec<_> = revisions.map(|of| of["people"].as_u64()).collect();
        let want: Vec<_> = expected.iter().map(|(_, n)| Some(*n)).collect();
        n == want
    };
    let page = until(attune, "/v1/journeys/hello", says).await;
    let page: Value = serde_json::from_str(&page).unwrap();
    let total: u64 = expected.iter().map(|(_, n)| n).sum();
    assert_eq!(page["people"], total, "{page}");
    let first = &page["revisions"][0];
    assert_eq!(first["live"], true, "{page}");
    let step = json!([{ "step": "0", "does": "wait 1 day", "people": expected[0].1 }]);
    assert_eq!(first["steps"], step, "{page}");
    let (_, page) = attune.get("/v1/policies").await.unwrap();
    let page: Value = serde_json::from_str(&page).unwrap();
    let revisions = page["revisions"].as_array().unwrap().iter();
    let sum: u64 = revisions.map(|of| of["people"].as_u64().unwrap()).sum();
    assert_eq!(sum, total, "{page}");
    let (_, metrics) = attune.get("/metrics").await.unwrap();
    let line = format!("attune_journey_people{{journey=\"hello\"}} {total}\n");
    assert!(metrics.contains(&line), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journey_that_is_not_there_is_a_clear_answer() {
    let place = Place::new("nats: { partitions: 1 }");
    let nats = place.nats(None).await;
    let attune = place.serve(&nats.url()).await;
    let (status, page) = attune.get("/v1/journeys/helo").await.unwrap();
    assert_eq!(status, 404);
    assert!(page.contains("did you mean `hello`?"), "{page}");
    let (_, page) = attune.get("/v1/journeys").await.unwrap();
    let page: Value = serde_json::from_str(&page).unwrap();
    let hello = &page["journeys"][0];
    assert_eq!(
        (&hello["people"], &hello["revisions"][0]["steps"]),
        (&json!(0), &json!([]))
    );
}

/// Reads the ledger as it is in NATS.
async fn ledger(context: &Context) -> Ledger {
    Ledger::decode(&last(context).await.payload).unwrap()
}

/// Returns the last record of the ledger.
async fn last(context: &Context) -> jetstream::message::StreamMessage {
    let stream = context.get_stream("ATTUNE_STATE").await.unwrap();
    let subject = "attune.state.policies";
    stream
        .get_last_raw_message_by_subject(subject)
        .await
        .unwrap()
}

/// A journey that sleeps, then asks a model and picks an offer.
const OFFERS: &str = "journey: hello
enter: { event: Good }
steps:
  - wait: 1d
  - score: { model: purchase-intent, as: buy }
  - offer: { placement: hero, as: pick }
  - send: { channel: email, template: old, with: { pick: pick, buy: buy } }
---
offers:
  tea: { placements: [hero], value: 3, data: { title: Tea } }
  gin: { placements: [hero], value: 9, when: profile.features.pages > 100 }
features: { pages: { count: Product Viewed } }
placements: { hero: {} }
---
channels: { email: { address: none, consent: not_required } }
";

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_gets_the_offer_of_their_revision_though_it_is_gone() {
    let place = Place::new("clock: event\nnats: { partitions: 1 }");
    place.write("policies/hello.yaml", OFFERS);
    let models = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("models/purchase-intent");
    for name in ["model.yaml", "model.onnx", "golden.json"] {
        let to = format!("models/purchase-intent/{name}");
        place.write(&to, std::fs::read(models.join(name)).unwrap());
    }
    let nats = place.nats(None).await;
    let attune = place.serve(&nats.url()).await;
    let context = connect(&nats.url()).await;
    send(&context, "c-0", &at("05T00:00:00Z")).await;
    taken(&attune, 1).await;

    // The journey, its offers, the placement and the use of the model go; the model's files stay.
    let other = sleeps("new").replace("journey: hello", "journey: other");
    place.write("policies/hello.yaml", other);
    until_live(&attune, 2).await;
    let asked = json!({ "customer": "c-0", "placement": "hero" });
    let (status, said) = attune.post("/v1/decide", &asked).await.unwrap();
    assert_eq!(status, 404, "nobody can ask for it from outside: {said}");
    send(&context, "c-1", &at("06T00:00:01Z")).await;
    let data = data_of(&context, 1).await;
    assert_eq!(data["pick"]["id"], "tea", "{data}");
    let buy = data["buy"].as_f64().unwrap();
    assert!((0.0..=1.0).contains(&buy), "{data}");
}

/// Returns what the n-th action brings.
async fn data_of(context: &Context, n: usize) -> Value {
    let n_there = crate::reload::templates(context, n).await.len();
    let stream = context.get_stream("ATTUNE_ACTIONS").await.unwrap();
    let message = stream.direct_get(n_there as u64).await.unwrap();
    let action: Value = serde_json::from_slice(&message.payload).unwrap();
    action["data"].clone()
}
