//! Policies that change while a server runs: every event is decided by the old or by the new ones, once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

use async_nats::jetstream::{self, Context};
use attune::domain::Timestamp;
use attune::policy::{Source, compile};
use attune::release::{Ledger, Origin};
use attune::stream::{CommitId, Connect, JetStream, Layout, Options, POLICIES, Streams};
use futures::StreamExt;
use serde_json::{Value, json};

use crate::server::{Attune, PATIENCE, Place, good};

/// How soon a change must be live; the promise is a second, the rest is for a busy machine.
const SOON: Duration = Duration::from_secs(20);

/// A journey that answers every `Good` with this template.
fn answers(template: &str) -> String {
    format!(
        "journey: hello
enter: {{ event: Good, reentry: always }}
steps:
  - send: {{ channel: email, template: {template} }}
---
channels: {{ email: {{ address: none, consent: not_required }} }}
"
    )
}

#[tokio::test]
async fn policies_change_while_events_flow() {
    const N: usize = 600;
    let place = Place::new("nats: { partitions: 2 }");
    place.write("policies/hello.yaml", answers("t0"));
    let nats = place.nats(None).await;
    let attune = place.serve(&nats.url()).await;
    let context = connect(&nats.url()).await;
    let publishing = async {
        for n in 0..N {
            publish(&context, n).await;
        }
    };
    let changing = async {
        for n in 1..=5_u64 {
            place.write("policies/hello.yaml", answers(&format!("t{n}")));
            until_live(&attune, n + 1).await;
        }
    };
    tokio::join!(publishing, changing);
    publish(&context, N).await;
    let left = actions(&context, N + 1).await;
    assert_eq!(left.len(), N + 1, "one action for every event");
    assert_eq!(
        left[&format!("c-{N}")],
        "t5",
        "the last one is decided by the last policies"
    );
    assert!(left.values().any(|template| template == "t0"), "{left:?}");
}

#[tokio::test]
async fn bad_policies_keep_the_last_good_ones_and_everybody_says_so() {
    let place = Place::new("nats: { partitions: 1 }");
    place.write("policies/hello.yaml", answers("good"));
    let nats = place.nats(None).await;
    let attune = place.serve(&nats.url()).await;
    let context = connect(&nats.url()).await;
    place.write(
        "policies/hello.yaml",
        answers("bad").replace("event: Good", "evnt: Good"),
    );
    let ready = until(&attune, "/readyz", |ready| ready.contains("rejected")).await;
    let why = "policies/hello.yaml:2: unknown key `evnt`";
    assert!(ready.starts_with("{\"status\":\"ready\""), "{ready}");
    assert!(ready.contains(why), "{ready}");
    let (_, metrics) = attune.get("/metrics").await.unwrap();
    for line in [
        "attune_policies_rejected_total 1",
        "attune_policies_stale 1",
        "attune_policies_info{revision=\"1\",bundle=",
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
    assert!(
        attune.log().contains("policies are rejected"),
        "{}",
        attune.log()
    );
    assert!(attune.log().contains("evnt: Good"), "{}", attune.log());
    publish(&context, 0).await;

    // A folder that is gone is bad, too; SIGHUP looks again and comes to the same.
    fs::remove_dir_all(place.path("policies")).unwrap();
    until(&attune, "/readyz", |ready| {
        ready.contains("no file or folder")
    })
    .await;
    attune.signal("HUP");
    publish(&context, 1).await;
    place.write("policies/hello.yaml", answers("better"));
    until(&attune, "/readyz", |ready| {
        ready.contains("\"revision\":2") && !ready.contains("rejected")
    })
    .await;
    publish(&context, 2).await;
    let left = actions(&context, 3).await;
    let templates: Vec<_> = left.values().map(String::as_str).collect();
    assert_eq!(templates, ["good", "good", "better"]);
}

#[tokio::test]
async fn the_links_of_a_config_map_are_followed() {
    let place = Place::new("nats: { partitions: 1 }");
    fs::remove_dir_all(place.path("policies")).unwrap();
    place.write("policies/..1/hello.yaml", answers("one"));
    symlink("..1", place.path("policies/..data")).unwrap();
    symlink("..data/hello.yaml", place.path("policies/hello.yaml")).unwrap();
    let nats = place.nats(None).await;
    let attune = place.serve(&nats.url()).await;
    let context = connect(&nats.url()).await;
    publish(&context, 0).await;
    assert_eq!(actions(&context, 1).await["c-0"], "one");

    // As kubelet does it: a folder beside, a link to it, and the link moved over the old one.
    place.write("policies/..2/hello.yaml", answers("two"));
    symlink("..2", place.path("policies/..data_tmp")).unwrap();
    fs::rename(
        place.path("policies/..data_tmp"),
        place.path("policies/..data"),
    )
    .unwrap();
    fs::remove_dir_all(place.path("policies/..1")).unwrap();
    until_live(&attune, 2).await;
    publish(&context, 1).await;
    assert_eq!(actions(&context, 2).await["c-1"], "two");
}

#[tokio::test]
async fn a_rollback_outlives_a_restart_on_an_empty_store() {
    let place = Place::new("nats: { partitions: 1 }");
    place.write("policies/hello.yaml", answers("one"));
    let nats = place.nats(None).await;
    let mut attune = place.serve(&nats.url()).await;
    place.write("policies/hello.yaml", answers("two"));
    until_live(&attune, 2).await;

    let body = json!({ "to": 1, "expected": 1 });
    let (status, said) = attune.post("/v1/policies/rollback", &body).await.unwrap();
    assert_eq!(status, 409, "{said}");
    let body = json!({ "to": 1, "expected": 2 });
    let (status, said) = attune.post("/v1/policies/rollback", &body).await.unwrap();
    assert_eq!(status, 200, "{said}");
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(
        (&said["revision"], &said["changed"]),
        (&json!(3), &json!(["hello"]))
    );

    attune.signal("TERM");
    attune.ended().await;
    fs::remove_dir_all(place.path("data")).unwrap();
    let attune = place.serve(&nats.url()).await;
    until_live(&attune, 3).await;
    let context = connect(&nats.url()).await;
    publish(&context, 0).await;
    assert_eq!(actions(&context, 1).await["c-0"], "one");

    let (_, list) = attune.get("/v1/policies").await.unwrap();
    let list: Value = serde_json::from_str(&list).unwrap();
    let revisions = list["revisions"].as_array().unwrap().iter();
    let shown: Vec<_> = revisions
        .map(|it| format!("{} {} {}", it["revision"], it["origin"], it["of"]))
        .collect();
    assert_eq!(
        shown,
        ["3 \"rollback\" 1", "2 \"folder\" null", "1 \"folder\" null"]
    );
}

#[tokio::test]
async fn an_older_folder_never_replaces_what_came_later_unless_it_changes() {
    let config = "nats: { partitions: 1 }";
    let (first, second) = (Place::new(config), Place::new(config));
    for place in [&first, &second] {
        place.write("policies/hello.yaml", answers("one"));
    }
    let nats = first.nats(None).await;
    let mut one = first.serve(&nats.url()).await;
    first.write("policies/hello.yaml", answers("two"));
    until_live(&one, 2).await;

    // Another installation comes up with what the first one has left behind: what is live stays, and it says so.
    let mut two = second.serve(&nats.url()).await;
    let ready = until(&two, "/readyz", |ready| ready.contains("\"revision\":2,")).await;
    assert!(
        ready.contains("the folder holds an earlier set (revision 1)"),
        "{ready}"
    );
    let context = connect(&nats.url()).await;
    publish(&context, 0).await;
    one.ended().await;
    assert!(one.log().contains("another owner"), "{}", one.log());
    two.signal("HUP");
    let (_, metrics) = two.get("/metrics").await.unwrap();
    assert!(metrics.contains("attune_policies_stale 1"), "{metrics}");
    assert_eq!(actions(&context, 1).await["c-0"], "two");

    // What changes there is taken in, also what was live before.
    second.write("policies/hello.yaml", answers("three"));
    until_live(&two, 3).await;
    second.write("policies/hello.yaml", answers("two"));
    until_live(&two, 4).await;
    two.signal("TERM");
    two.ended().await;
    second.write("policies/hello.yaml", answers("one"));
    let two = second.serve(&nats.url()).await;
    until_live(&two, 5).await;
    let (_, ready) = two.get("/readyz").await.unwrap();
    assert!(!ready.contains("rejected"), "{ready}");
}

#[tokio::test]
async fn a_server_follows_what_another_one_makes_live() {
    let place = Place::new("nats: { partitions: 1 }");
    place.write("policies/hello.yaml", answers("ours"));
    let nats = place.nats(None).await;
    let attune = place.serve(&nats.url()).await;
    let options = Options {
        connect: Connect {
            urls: vec![nats.url()],
            ..Connect::default()
        },
        layout: Layout::new("attune", 1).unwrap(),
        ..Options::default()
    };
    let streams = JetStream::connect(options).await.unwrap();
    streams.open().await.unwrap();
    let last = streams.log_last(POLICIES).await.unwrap().unwrap();
    let mut ledger = Ledger::decode(&last.record).unwrap();
    let sources = [Source::new("hello.yaml", &answers("theirs"))];
    let bundle = compile(&sources).unwrap();
    ledger.push(&sources, &bundle, Origin::Apply, Timestamp::MIN);
    let record = ledger.encode().unwrap();
    let appended = streams
        .append(POLICIES, last.seq, CommitId(7), record)
        .await;
    appended.unwrap();

    until_live(&attune, 2).await;
    let context = connect(&nats.url()).await;
    publish(&context, 0).await;
    assert_eq!(actions(&context, 1).await["c-0"], "theirs");
}

/// A journey that sleeps a day and answers with this template, and one that lets time go on.
fn sleeps(template: &str) -> String {
    let journey = answers(template).replace("steps:\n", "steps:\n  - wait: 1d\n");
    journey + "---\njourney: clock\nenter: { event: Tick }\nsteps: [stop]\n"
}

#[tokio::test]
async fn whoever_is_on_the_way_stays_on_their_revision_through_kills() {
    let place = Place::new("clock: event\nnats: { partitions: 1 }");
    place.write("policies/hello.yaml", sleeps("old"));
    let nats = place.nats(None).await;
    let mut attune = place.serve(&nats.url()).await;
    let context = connect(&nats.url()).await;
    let at = |time: &str| json!({ "timestamp": format!("2026-01-{time}") });
    send(&context, "c-0", &at("05T00:00:00Z")).await;
    taken(&attune, 1).await;

    // Killed before and after what is in the ledger is live: either way it is once the server is back.
    for (point, template, revision) in [("before_swap", "new", 2), ("after_swap", "newer", 3)] {
        attune.signal("KILL");
        attune.ended().await;
        let mut command = place.command(&nats.url());
        command.env("ATTUNE_CRASH_AT", point);
        attune = place.start(command).await;
        attune.ready().await;
        place.write("policies/hello.yaml", sleeps(template));
        attune.ended().await;
        attune = place.serve(&nats.url()).await;
        until_live(&attune, revision).await;
    }
    send(&context, "c-1", &at("05T01:00:00Z")).await;
    taken(&attune, 1).await;

    send(&context, "c-2", &at("07T00:00:00Z")).await;
    let left = actions(&context, 2).await;
    assert_eq!((&*left["c-0"], &*left["c-1"]), ("old", "newer"));
}

#[tokio::test]
async fn policies_are_applied_by_a_call_or_refused_as_a_whole() {
    let place = Place::new("nats: { partitions: 1 }");
    place.write("policies/hello.yaml", answers("one"));
    let nats = place.nats(None).await;
    let attune = place.serve(&nats.url()).await;
    let apply = |expected: u64, text: &str| {
        let sources = json!([{ "name": "hello.yaml", "text": text }]);
        json!({ "expected": expected, "sources": sources })
    };
    let wrong = answers("two").replace("event: Good", "evnt: Good");
    let (status, said) = attune
        .post("/v1/policies", &apply(1, &wrong))
        .await
        .unwrap();
    assert_eq!(status, 422, "{said}");
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["type"], "urn:attune:problem:wrong-policies");
    assert_eq!(
        (&said["errors"][0]["file"], &said["errors"][0]["line"]),
        (&json!("hello.yaml"), &json!(2))
    );

    let (status, _) = attune
        .post("/v1/policies", &apply(7, &answers("two")))
        .await
        .unwrap();
    assert_eq!(status, 409);
    let (status, _) = attune
        .post("/v1/policies", &apply(1, &answers("two")))
        .await
        .unwrap();
    assert_eq!(status, 200);
    let (status, whole) = attune.get("/v1/policies/2").await.unwrap();
    assert_eq!(status, 200, "{whole}");
    let whole: Value = serde_json::from_str(&whole).unwrap();
    assert_eq!(whole["sources"][0]["text"], json!(answers("two")));
    assert_eq!(attune.get("/v1/policies/9").await.unwrap().0, 404);
    let context = connect(&nats.url()).await;
    publish(&context, 0).await;
    assert_eq!(actions(&context, 1).await["c-0"], "two");
}

/// Waits until a revision is live.
pub async fn until_live(attune: &Attune, revision: u64) {
    let live = format!("\"revision\":{revision},");
    until(attune, "/readyz", |ready| ready.contains(&live)).await;
}

/// Waits until a page says something.
pub async fn until(attune: &Attune, path: &str, says: impl Fn(&str) -> bool) -> String {
    let start = Instant::now();
    loop {
        let (_, page) = attune.get(path).await.unwrap();
        if says(&page) {
            return page;
        }
        assert!(start.elapsed() < SOON, "{page}\n{}", attune.log());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub async fn connect(url: &str) -> Context {
    jetstream::new(async_nats::connect(url).await.unwrap())
}

async fn publish(context: &Context, n: usize) {
    send(
        context,
        &format!("c-{n}"),
        &json!({ "messageId": format!("m-{n}") }),
    )
    .await;
}

/// Waits until a server has taken in so many events.
pub async fn taken(attune: &Attune, n: usize) {
    let line = format!("attune_events_total {n}\n");
    until(attune, "/metrics", |page| page.contains(&line)).await;
}

pub async fn send(context: &Context, customer: &str, fields: &Value) {
    let event = good(customer, fields);
    let sent = context.publish("attune.events.any", event.to_string().into());
    sent.await.unwrap().await.unwrap();
}

/// Waits for the actions of `n` customers; returns their templates, none twice.
pub async fn actions(context: &Context, n: usize) -> BTreeMap<String, String> {
    let mut left = BTreeMap::new();
    for (customer, template) in templates(context, n).await {
        let twice = left.insert(customer, template);
        assert!(twice.is_none(), "somebody got a second action: {twice:?}");
    }
    left
}

/// Waits for `n` actions, each once; returns customer and template of all that are there.
pub async fn templates(context: &Context, n: usize) -> Vec<(String, String)> {
    let stream = context.get_stream("ATTUNE_ACTIONS").await.unwrap();
    let consumer = stream.create_consumer(jetstream::consumer::pull::OrderedConfig::default());
    let mut messages = consumer.await.unwrap().messages().await.unwrap();
    let (mut left, mut ids) = (Vec::new(), BTreeSet::new());
    let mut n_waiting = u64::MAX;
    while left.len() < n || n_waiting > 0 {
        let next = tokio::time::timeout(PATIENCE, messages.next()).await;
        let next = next.unwrap_or_else(|_| panic!("only {} of {n} actions", left.len()));
        let message = next.unwrap().unwrap();
        n_waiting = message.info().unwrap().pending;
        let action: Value = serde_json::from_slice(&message.payload).unwrap();
        let text = |key: &str| action[key].as_str().unwrap().to_owned();
        assert!(ids.insert(text("action_id")), "twice: {action}");
        left.push((text("customer"), text("template")));
    }
    left
}
