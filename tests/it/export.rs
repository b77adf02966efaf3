//! `attune export` of a running server: everybody, every decision, each once.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::server::{Attune, PATIENCE, Place};

const POLICY: &str = "\
features:
  goods: { count: Good }
  last_item: { last: { event: Good, of: event.properties.item } }
---
placements: { hero: { limit: 2 } }
offers:
  a: { placements: [hero], value: 3 }
  b: { placements: [hero], value: 2 }
  c: { placements: [hero], value: 1 }
  d: { placements: [hero], value: 9, when: profile.features.goods > 99 }
";

const N_CUSTOMERS: usize = 23;

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_knows_is_exported_each_once() {
    let place = Place::new("nats: { partitions: 4 }\nlimits: { checkpoint_every: 100ms }\n");
    place.write("policies/hello.yaml", POLICY);
    let nats = place.nats(None).await;
    let attune = place.serve(&nats.url()).await;
    let client = async_nats::connect(nats.url()).await.unwrap();
    let jetstream = async_nats::jetstream::new(client);
    for n in 0..N_CUSTOMERS {
        let event = json!({
            "type": "track", "userId": format!("c {n}/ä"), "messageId": format!("m-{n}"), "event": "Good",
            "properties": { "item": n },
        });
        let subject = format!("attune.events.{n:016x}");
        let sent = jetstream.publish(subject, event.to_string().into()).await;
        sent.unwrap().await.unwrap();
    }
    let all = everybody(&attune).await;
    let ids: BTreeSet<&str> = all.iter().map(|of| of["id"].as_str().unwrap()).collect();
    assert_eq!((all.len(), ids.len()), (N_CUSTOMERS, N_CUSTOMERS));
    for n in 0..5 {
        let body =
            json!({ "customer": format!("c {n}/ä"), "placement": "hero", "decision_key": "k" });
        let (status, _) = attune.post("/v1/decide", &body).await.unwrap();
        assert_eq!(status, 200);
    }

    let run = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_attune"));
        place.prepare(&mut command);
        command.arg("export").args(words).stdout(Stdio::piped());
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        (
            output.status.code(),
            text,
            fs::read_to_string(place.path("attune.log")).unwrap(),
        )
    };
    let url = attune.url();
    let (code, lines, _) = run(&["customers", "--url", &url]);
    assert_eq!(code, Some(0));
    let exported: BTreeSet<String> = lines.lines().map(id).collect();
    assert_eq!(exported.len(), N_CUSTOMERS);
    assert_eq!(lines.lines().count(), N_CUSTOMERS);

    let (code, ..) = run(&["features", "--url", &url, "--out", "features.csv"]);
    assert_eq!(code, Some(0));
    let table = fs::read_to_string(place.path("features.csv")).unwrap();
    assert!(
        table.starts_with("customer,at,goods,last_item\n"),
        "{table}"
    );
    let of_7 = table
        .lines()
        .find(|line| line.starts_with("c 7/ä,"))
        .unwrap();
    assert!(of_7.ends_with(",1,7"), "{of_7}");

    let decisions = |name: &str| {
        let (code, ..) = run(&["decisions", "--nats", &nats.url(), "--out", name]);
        assert_eq!(code, Some(0));
        fs::read_to_string(place.path(name)).unwrap()
    };
    // They leave after their commits.
    let start = std::time::Instant::now();
    while decisions("decisions.jsonl").lines().count() < 5 {
        assert!(start.elapsed() < PATIENCE, "the decisions do not come");
    }
    let lines = decisions("decisions.jsonl");
    let given: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(given.len(), 5);
    for decision in &given {
        let offers = decision["offers"].as_array().unwrap();
        let offers: Vec<_> = offers
            .iter()
            .map(|of| of["offer"].as_str().unwrap())
            .collect();
        assert_eq!(offers, ["a", "b"]);
    }
    let table = decisions("decisions.csv");
    assert_eq!(table.lines().count(), 1 + 2 * 5, "{table}");

    // One click on `b`. The policies that decided would decide so again: every choice has the weight 1.
    let clicked = json!({
        "event": "Offer Clicked", "timestamp": given[0]["decided_at"],
        "properties": { "decision_id": given[0]["decision_id"], "offer": "b" },
    });
    place.write("outcomes.jsonl", clicked.to_string());
    let mut command = Command::new(env!("CARGO_BIN_EXE_attune"));
    place.prepare(&mut command);
    command.args([
        "evaluate",
        "decisions.jsonl",
        "--outcomes",
        "outcomes.jsonl",
    ]);
    command.args(["--policy", "policies", "--format", "json"]);
    let output = command.stdout(Stdio::piped()).output().unwrap();
    let valued: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(valued["log"]["rows"], 10.0, "{valued}");
    assert_eq!(valued["weight_max"], 1.0, "{valued}");
    let value = valued["ips"]["value"].as_f64().unwrap();
    assert!((value - 0.1).abs() < 1e-9, "{valued}");

    let later = [
        "decisions",
        "--nats",
        &nats.url(),
        "--since",
        "2200-01-01T00:00:00Z",
    ];
    let (code, text, log) = run(&later);
    assert_eq!((code, text.as_str()), (Some(0), ""), "{log}");
    let (code, _, log) = run(&["customers", "--url", "http://127.0.0.1:9"]);
    assert_eq!(code, Some(1));
    assert!(log.contains("no server answers"), "{log}");
    let (code, _, log) = run(&["features", "--url", &url, "--format", "parquet"]);
    assert_eq!(code, Some(1));
    assert!(log.contains("add `--out FILE`"), "{log}");
}

fn id(line: &str) -> String {
    let customer: Value = serde_json::from_str(line).unwrap();
    customer["id"].as_str().unwrap().to_owned()
}

/// Pages of five, until everybody is in the store.
async fn everybody(attune: &Attune) -> Vec<Value> {
    let start = std::time::Instant::now();
    loop {
        let (mut all, mut after) = (Vec::new(), String::new());
        loop {
            let path = format!("/v1/customers?limit=5{after}");
            let (status, body) = attune.get(&path).await.unwrap();
            assert_eq!(status, 200, "{body}");
            let page: Value = serde_json::from_str(&body).unwrap();
            all.extend(page["customers"].as_array().unwrap().iter().cloned());
            let Some(next) = page["next"].as_str() else {
                break;
            };
            let next = next
                .replace(' ', "%20")
                .replace('/', "%2F")
                .replace('ä', "%C3%A4");
            after = format!("&after={next}");
        }
        if all.len() >= N_CUSTOMERS {
            return all;
        }
        assert!(
            start.elapsed() < PATIENCE,
            "only {} customers came",
            all.len()
        );
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
