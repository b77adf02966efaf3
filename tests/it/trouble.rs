//! What goes wrong while a server runs, or between two runs: disks, NATS, signals.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use async_nats::jetstream;
use expect_test::expect;
use futures::StreamExt;
use serde_json::{Value, json};

use crate::server::{PATIENCE, Place, good};

#[tokio::test]
async fn a_server_waits_for_nats_and_says_so() {
    let place = Place::new("nats: { partitions: 1 }\nstore: { engine: memory }\n");
    let mut nats = place.nats(None).await;
    let url = nats.url();
    nats.kill9();
    let mut attune = place.start(place.command(&url)).await;
    let start = Instant::now();
    let unready = loop {
        let (status, body) = attune.get("/readyz").await.unwrap();
        assert_eq!(status, 503);
        if body.contains("NATS") {
            break body;
        }
        assert!(start.elapsed() < PATIENCE, "{body}");
    };
    expect![[r#"{"type":"urn:attune:problem:not-ready","title":"the server is not ready","status":503,"detail":"the server is starting: cannot reach NATS: not connected to NATS yet: client error: nats: IO error"}"#]].assert_eq(&unready);
    assert_eq!(attune.get("/livez").await.unwrap().0, 200);
    nats.restart().await.unwrap();
    attune.ready().await;
    publish(&url, 1).await;
    actions(&url, 1).await;

    // And once more while it runs: it comes back by itself.
    nats.kill9();
    while attune.get("/readyz").await.unwrap().0 == 200 {}
    nats.restart().await.unwrap();
    attune.ready().await;
    publish(&url, 2).await;
    actions(&url, 2).await;

    nats.kill9();
    attune.signal("TERM");
    assert_eq!(attune.ended().await.code(), Some(0), "{}", attune.log());
}

#[tokio::test]
async fn a_server_that_waits_for_nats_can_be_stopped() {
    let place = Place::new("store: { engine: memory }");
    for signal in ["TERM", "INT"] {
        let mut attune = place.start(place.command("nats://127.0.0.1:1")).await;
        attune.signal(signal);
        assert_eq!(attune.ended().await.code(), Some(0), "{}", attune.log());
    }
}

#[tokio::test]
async fn a_stop_in_the_middle_of_work_loses_and_doubles_nothing() {
    const N: usize = 2_000;
    let place = Place::new("nats: { partitions: 2 }");
    let nats = place.nats(None).await;
    let url = nats.url();
    let mut attune = place.serve(&url).await;
    let publishing = publish(&url, N);
    let stopping = async {
        actions(&url, 50).await;
        attune.signal("TERM");
        attune.ended().await
    };
    let ((), status) = tokio::join!(publishing, stopping);
    assert_eq!(status.code(), Some(0), "{}", attune.log());
    let _attune = place.serve(&nats.url()).await;
    actions(&nats.url(), N).await;
}

#[tokio::test]
async fn a_damaged_store_is_refused_or_opened_but_never_hangs() {
    let sled = damaged("sled").await;
    for line in sled.lines() {
        let (file, outcome) = line.split_once(": ").unwrap();
        let refused = outcome.starts_with("error: cannot open the store in `data`: the store");
        assert!(refused || outcome == "opened", "{line}");
        // The lock holds nothing; sled may not yet need a snapshot.
        assert!(
            refused || file == "LOCK" || file.starts_with("rows/snap"),
            "{line}"
        );
    }
    assert!(
        sled.contains("was made by the engine `&led`, not by `sled`"),
        "{sled}"
    );
    assert!(
        sled.contains("its file `HIGH_WATER` has no whole slot"),
        "{sled}"
    );
    // The files of fjall have changing names.
    let fjall = damaged("fjall").await;
    assert!(fjall.contains("cannot open the store in `data`"), "{fjall}");
}

/// Flips bits in each file of a store in turn; returns what a server says that starts on it.
async fn damaged(engine: &str) -> String {
    let place = Place::new(&format!(
        "store: {{ engine: {engine} }}\nnats: {{ partitions: 1 }}"
    ));
    let nats = place.nats(None).await;
    let mut attune = place.serve(&nats.url()).await;
    publish(&nats.url(), 50).await;
    actions(&nats.url(), 50).await;
    attune.signal("TERM");
    assert_eq!(attune.ended().await.code(), Some(0));

    let mut whole = BTreeMap::new();
    read_below(&place.path("data"), &mut whole);
    let mut table = String::new();
    for (damaged, bytes) in &whole {
        fs::remove_dir_all(place.path("data")).unwrap();
        for (path, bytes) in &whole {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        let mut bytes = bytes.clone();
        bytes.iter_mut().step_by(37).for_each(|byte| *byte ^= 0x55);
        fs::write(damaged, bytes).unwrap();
        let mut attune = place.spawn(&mut place.command("nats://127.0.0.1:1"));
        let end = attune.listens_or_ended().await;
        let log = attune.log();
        assert!(!log.contains("panicked"), "{}: {log}", damaged.display());
        let end = end.map_or("opened", |status| {
            assert_eq!(status.code(), Some(1), "{log}");
            let words = log.lines().last().unwrap_or_default();
            // How many depends on the pace.
            words.split(" its last ").next().unwrap_or_default()
        });
        let name = damaged.strip_prefix(place.path("data")).unwrap().display();
        writeln!(table, "{name}: {end}").unwrap();
    }
    table
}

fn read_below(dir: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_below(&path, files);
        } else {
            files.insert(path.clone(), fs::read(path).unwrap());
        }
    }
}

#[tokio::test]
async fn a_full_disk_ends_the_server_and_loses_nothing() {
    let place = Place::new("nats: { partitions: 1 }\nlimits: { checkpoint_every: 1ms }\n");
    let nats = place.nats(None).await;
    let command = place.command_with_small_files(&nats.url(), 700);
    let mut attune = place.start(command).await;
    attune.ready().await;
    publish(&nats.url(), 3_000).await;
    let status = attune.ended().await;
    let log = attune.log();
    assert_eq!(status.code(), Some(1));
    assert!(!log.contains("panicked"), "{log}");
    let words = log.lines().last().unwrap();
    expect!["error: the store cannot be read: the store has stopped after a failure, open it again: the disk is full"].assert_eq(words);

    let _attune = place.serve(&nats.url()).await;
    actions(&nats.url(), 3_000).await;
}

/// Publishes good events of the customers `c-0` up to `c-{n-1}`, with traits of 500 bytes.
async fn publish(url: &str, n: usize) {
    let client = async_nats::connect(url).await.unwrap();
    let jetstream = jetstream::new(client);
    let mut acks = Vec::new();
    for n in 0..n {
        let id = format!("m-{n}");
        let fields = json!({ "messageId": id, "traits": { "text": "x".repeat(500) } });
        let event = good(&format!("c-{n}"), &fields).to_string();
        let sent = jetstream.publish("attune.events.any", event.into()).await;
        acks.push(sent.unwrap().into_future());
    }
    for ack in acks {
        ack.await.unwrap();
    }
}

/// Waits until there are actions for `n` customers, and checks that none is there twice.
async fn actions(url: &str, n: usize) {
    let client = async_nats::connect(url).await.unwrap();
    let jetstream = jetstream::new(client);
    let stream = jetstream.get_stream("ATTUNE_ACTIONS").await.unwrap();
    let consumer = stream.create_consumer(jetstream::consumer::pull::OrderedConfig::default());
    let mut messages = consumer.await.unwrap().messages().await.unwrap();
    let mut customers = BTreeSet::new();
    while customers.len() < n {
        let next = tokio::time::timeout(PATIENCE, messages.next()).await;
        let next = next.unwrap_or_else(|_| panic!("only {} of {n} actions", customers.len()));
        let action: Value = serde_json::from_slice(&next.unwrap().unwrap().payload).unwrap();
        let customer = action["customer"].as_str().unwrap().to_owned();
        assert!(customers.insert(customer), "an action came twice: {action}");
    }
}
