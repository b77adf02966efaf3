//! Models that are replaced under load: every decision is whole, and none is dropped.

#[expect(
    dead_code,
    reason = "the writer of the unit tests, of which few parts are used"
)]
#[path = "../../src/scoring/tests/graph.rs"]
mod graph;

use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use self::graph::{FLOAT, Graph};
use crate::server::{Attune, PATIENCE, Place};

/// The first version and ten others. Version `v` gives `v * v / 2000`: its manifest brings one factor, its file the other.
/// They are primes, so a manifest and a file of two versions give a number that none of them gives.
const VERSIONS: [u16; 11] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31];

/// Between a file and its manifest.
const PAUSES: [Duration; 2] = [Duration::ZERO, Duration::from_millis(800)];

const POLICIES: &str = "\
offers:
  tea: { placements: [hero], value: 1 }
placements:
  hero: { model: accept }
";

/// Returns what a version must score.
fn score(version: u16) -> f64 {
    f64::from(version) * f64::from(version) / 2_000.0
}

/// Returns a file that multiplies its one column by a two-thousandth of the version.
pub fn file(version: u16) -> Vec<u8> {
    let graph = Graph::new().input("worth", FLOAT, &[-1, 1]);
    let graph = graph.weights("weight", &[f32::from(version) / 2_000.0]);
    let graph = graph.node("Mul", &["worth", "weight"], "score");
    graph.output("score", FLOAT, &[-1, 1]).bytes()
}

fn manifest(version: u16, sha256: &str) -> String {
    format!(
        "model: accept\nfile: model.onnx\nsha256: {sha256}\n\
         inputs: [ {{ column: worth, from: profile.traits.worth, unknown: {version} }} ]\n"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_decision_under_ten_swaps_is_of_one_version() {
    let place = Place::new("nats: { partitions: 2 }\nstore: { engine: memory }\n");
    place.write("policies/hello.yaml", POLICIES);
    let hashes = hashes(&place);
    install(&place, VERSIONS[0], &hashes[&VERSIONS[0]], Duration::ZERO).await;
    let nats = place.nats(None).await;
    let attune = place.serve(&nats.url()).await;

    let over = AtomicBool::new(false);
    let asking = async {
        let two = tokio::join!(ask(&attune, &over, "a"), ask(&attune, &over, "b"));
        [two.0, two.1].concat()
    };
    let swapping = async {
        let mut own = Vec::new();
        for (idx, version) in VERSIONS.into_iter().enumerate().skip(1) {
            // The file comes first and the manifest later, now at once, now after the server has seen the pair of two.
            let between = PAUSES[idx % PAUSES.len()];
            install(&place, version, &hashes[&version], between).await;
            until_live(&attune, &hashes[&version]).await;
            // On a busy machine nobody else may ask before the next one is there.
            own.push(decide(&attune, "own").await);
        }
        over.store(true, Ordering::Relaxed);
        own
    };
    let (mut answers, own) = tokio::join!(asking, swapping);
    answers.extend(own);

    let mut seen = BTreeMap::<u16, usize>::new();
    for answer in &answers {
        let offer = &answer["offers"][0];
        let p = offer["propensity"].as_f64();
        let p = p.unwrap_or_else(|| panic!("no score: {answer}"));
        let is_of = |version: &&u16| (score(**version) - p).abs() < 1e-6;
        let version = VERSIONS.iter().find(is_of);
        let version = version.unwrap_or_else(|| panic!("torn: {answer}"));
        assert_eq!(answer["degraded"], json!(false), "{answer}");
        *seen.entry(*version).or_default() += 1;
    }
    assert_eq!(
        seen.len(),
        VERSIONS.len(),
        "a version never decided: {seen:?}"
    );
    let (_, metrics) = attune.get("/metrics").await.unwrap();
    let n = answers.len();
    let line = format!("attune_decisions_total {n}\n");
    assert!(metrics.contains(&line), "{n} answers\n{metrics}");
    assert!(
        metrics.contains("attune_scores_unavailable_total 0\n"),
        "{metrics}"
    );
}

/// Asks for decisions, one after the other, until it is over; every call must be answered.
async fn ask(attune: &Attune, over: &AtomicBool, name: &str) -> Vec<Value> {
    let mut answers = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let customer = format!("{name}-{}", answers.len() % 50);
        answers.push(decide(attune, &customer).await);
    }
    answers
}

async fn decide(attune: &Attune, customer: &str) -> Value {
    let call = json!({ "customer": customer, "placement": "hero" });
    let (status, answer) = attune.post("/v1/decide", &call).await.unwrap();
    assert_eq!(status, 200, "{answer}");
    serde_json::from_str(&answer).unwrap()
}

/// Puts a version into the models folder: its file, then, after a while, its manifest.
async fn install(place: &Place, version: u16, sha256: &str, between: Duration) {
    put(place, "model.onnx", &file(version));
    tokio::time::sleep(between).await;
    put(place, "model.yaml", manifest(version, sha256).as_bytes());
}

/// Writes a file beside its place and moves it there.
fn put(place: &Place, name: &str, content: &[u8]) {
    place.write(&format!("models/accept/{name}.new"), content);
    let path = |name: &str| place.path(&format!("models/accept/{name}"));
    fs::rename(path(&format!("{name}.new")), path(name)).unwrap();
}

/// Returns the SHA-256 of every version's file, as `attune models ls` tells it.
fn hashes(place: &Place) -> BTreeMap<u16, String> {
    for version in VERSIONS {
        let manifest = manifest(version, "").replace("sha256: \n", "");
        let manifest = manifest.replace("model: accept", &format!("model: accept-{version}"));
        place.write(&format!("versions/{version}/model.yaml"), manifest);
        place.write(&format!("versions/{version}/model.onnx"), file(version));
    }
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_attune"));
    place.prepare(&mut command);
    command.args(["models", "ls", "--models", "versions", "--format", "json"]);
    let output = command
        .stdout(std::process::Stdio::piped())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let listed: Value = serde_json::from_slice(&output.stdout).unwrap();
    let listed = listed.as_array().unwrap().iter();
    let of = |line: &Value| {
        let name = line["model"]
            .as_str()
            .unwrap()
            .trim_start_matches("accept-");
        (
            name.parse().unwrap(),
            line["sha256"].as_str().unwrap().to_owned(),
        )
    };
    listed.map(of).collect()
}

/// Waits until the server has loaded a version.
async fn until_live(attune: &Attune, sha256: &str) {
    let start = Instant::now();
    let version = format!("\"version\":\"{sha256}\"");
    loop {
        let (_, card) = attune.get("/v1/models/accept").await.unwrap();
        if card.contains(&version) {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "{card}\n{}", attune.log());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
