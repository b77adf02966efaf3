//! Drift on a real server: who asks is another than in the training, and takes less than the scores promise.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::server::{Attune, PATIENCE, Place, good};
use crate::swap::file;

/// Rows that are compared with the training at a time.
const WINDOW: usize = 100;

const POLICIES: &str = "\
offers:
  tea: { placements: [hero], value: 1 }
placements:
  hero: { model: accept, attribution: 3s }
";

/// The model says `worth / 100`; nobody has a worth, so everybody is taken for 25.
const MANIFEST: &str = "\
model: accept
file: model.onnx
inputs: [ { column: worth, from: profile.traits.worth, unknown: 25 } ]
drift: { rows: 100 }
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drift_is_seen_from_decisions_and_their_outcomes() {
    let place = Place::new("nats: { partitions: 1 }\nstore: { engine: memory }\n");
    place.write("policies/hello.yaml", POLICIES);
    place.write("models/accept/model.onnx", file(20));
    place.write("models/accept/model.yaml", MANIFEST);
    baseline(&place);
    let nats = place.nats(None).await;
    let attune = place.serve(&nats.url()).await;
    let alarm = |kind: &str, is: u8| {
        format!("attune_model_alarm{{model=\"accept\",kind=\"{kind}\"}} {is}\n")
    };
    let client = async_nats::connect(nats.url()).await.unwrap();
    let context = async_nats::jetstream::new(client);
    // What becomes of an offer to a stranger is not followed.
    for n in 0..=WINDOW {
        let hello = good(&format!("c-{n}"), &json!({ "event": "Hello" })).to_string();
        let sent = context.publish("attune.events.any", hello.into()).await;
        sent.unwrap().await.unwrap();
    }
    let start = Instant::now();
    let last = format!("/v1/customers/c-{WINDOW}");
    while attune.get(&last).await.unwrap().0 != 200 {
        assert!(start.elapsed() < PATIENCE, "{}", attune.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let first = decide(&attune, 0).await;
    // Who asks why scores too, and is no customer who asks for an offer.
    for _ in 0..WINDOW {
        let why = "/v1/customers/c-0/why/offers?placement=hero";
        assert_eq!(attune.get(why).await.unwrap().0, 200);
    }
    let (_, metrics) = attune.get("/metrics").await.unwrap();
    assert!(metrics.contains(&alarm("inputs", 0)), "{metrics}");
    // The first one takes the offer at once.
    let event = json!({
        "event": "Offer Converted",
        "properties": { "decision_id": first, "offer": "tea" },
    });
    let event = good("c-0", &event).to_string();
    let sent = context.publish("attune.events.any", event.into()).await;
    sent.unwrap().await.unwrap();
    for n in 1..WINDOW {
        decide(&attune, n).await;
    }
    let (_, metrics) = attune.get("/metrics").await.unwrap();
    for kind in ["inputs", "scores"] {
        assert!(metrics.contains(&alarm(kind, 1)), "{metrics}");
    }
    assert!(metrics.contains("attune_model_drift{model=\"accept\",column=\"worth\"} "));
    let said = attune.log();
    let said = said.matches("the inputs are not those of the training");
    assert_eq!(said.count(), 1, "{}", attune.log());

    // The others let the time pass. Who asks later tells the watch what time it is.
    let start = Instant::now();
    let outcomes = loop {
        decide(&attune, WINDOW).await;
        let (_, card) = attune.get("/v1/models/accept").await.unwrap();
        let card: Value = serde_json::from_str(&card).unwrap();
        let outcomes = card["drift"]["outcomes"].clone();
        if outcomes["n"].as_u64().unwrap() >= WINDOW as u64 {
            break outcomes;
        }
        assert!(start.elapsed() < PATIENCE, "{card}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    // A quarter of a hundred was promised, and one came: the older ones fade a little.
    let number = |key: &str| outcomes[key].as_f64().unwrap();
    assert!((20.0..30.0).contains(&number("promised")), "{outcomes}");
    assert!((0.8..1.0).contains(&number("came")), "{outcomes}");
    assert!(number("evidence") > 100.0, "{outcomes}");
}

/// Counts a training in which everybody had a worth from 1 to 10.
fn baseline(place: &Place) {
    let rows = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n".repeat(50);
    place.write("train.csv", format!("worth\n{rows}"));
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_attune"));
    place.prepare(&mut command);
    command.args(["models", "baseline", "models/accept", "--rows", "train.csv"]);
    assert!(command.status().unwrap().success());
}

/// Asks for a decision; returns its id.
async fn decide(attune: &Attune, customer: usize) -> String {
    let customer = format!("c-{customer}");
    let call = json!({ "customer": customer, "placement": "hero", "explain": true });
    let (status, answer) = attune.post("/v1/decide", &call).await.unwrap();
    assert_eq!(status, 200, "{answer}");
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let version = answer["models"][0]["version"].as_str().unwrap();
    assert_eq!(version.len(), 64, "{answer}");
    answer["decision_id"].as_str().unwrap().to_owned()
}
