//! Segments and schedules that are new find everybody, also who is not in memory, and each once.

use std::time::Duration;

use serde_json::json;

use crate::reload::{actions, connect, send, taken, until, until_live};
use crate::server::{Attune, Place};

const PLAIN: &str = "
features: { goods: { count: Good } }
---
journey: tick
enter: { event: Tick }
steps: [stop]
---
channels: { email: { address: none, consent: not_required } }
";

/// Who did `Good` is found by a segment, and once a day by a schedule.
const FINDS: &str = "
---
segments: { doers: { when: count('Good') > 0, publish: false } }
---
journey: found
enter: { segment: { entered: doers } }
steps:
  - send: { channel: email, template: found }
";

const DAILY: &str = "
---
journey: daily
enter: { schedule: { cron: '0 9 * * *', zone: UTC, for: doers } }
steps:
  - send: { channel: email, template: daily }
";

/// Starts a server that holds few customers in memory, and tells it of `n`.
fn place(engine: &str, checkpoint_every: &str) -> Place {
    let place = Place::new(&format!(
        "clock: event
nats: {{ partitions: 1 }}
store: {{ engine: {engine} }}
limits: {{ residents: 1, checkpoint_every: {checkpoint_every} }}"
    ));
    place.write("policies/hello.yaml", PLAIN);
    place
}

async fn tell(context: &async_nats::jetstream::Context, n: usize) {
    for n in 0..n {
        let at = json!({ "timestamp": "2026-01-05T00:00:00Z" });
        send(context, &format!("c-{n}"), &at).await;
    }
}

/// Waits until hardly anybody is in memory: who is stored goes when somebody else comes.
async fn are_at_rest(attune: &Attune, context: &async_nats::jetstream::Context) {
    for n in 0..500 {
        let at = json!({ "timestamp": "2026-01-05T00:00:00Z", "event": "Tick" });
        send(context, &format!("t-{}", n % 8), &at).await;
        let (_, page) = attune.get("/metrics").await.unwrap();
        let name = "attune_resident_customers ";
        let line = page.lines().find_map(|line| line.strip_prefix(name));
        if line.is_some_and(|n| n.parse::<usize>().unwrap() <= 48) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("they stay in memory: {}", attune.log());
}

async fn is_done(attune: &Attune) -> String {
    until(attune, "/metrics", |page| {
        page.contains("attune_rounds_open 0\n")
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_in_memory_is_found_once_through_kills() {
    const N: usize = 700;
    let place = place("sled", "50ms");
    let nats = place.nats(None).await;
    let mut attune = place.serve(&nats.url()).await;
    let context = connect(&nats.url()).await;
    tell(&context, N).await;
    taken(&attune, N).await;
    are_at_rest(&attune, &context).await;
    attune.signal("TERM");
    attune.ended().await;

    // Each time it comes a little further: first those in memory, then page by page.
    place.write("policies/hello.yaml", format!("{PLAIN}{FINDS}{DAILY}"));
    for point in ["in_round:3", "in_round:1"] {
        let mut command = place.command(&nats.url());
        command.env("ATTUNE_CRASH_AT", point);
        attune = place.start(command).await;
        attune.ended().await;
    }
    attune = place.serve(&nats.url()).await;
    let left = actions(&context, N).await;
    assert!(left.values().all(|template| template == "found"));
    let metrics = is_done(&attune).await;
    assert!(
        metrics.contains("attune_rounds_customers_total "),
        "{metrics}"
    );

    // A schedule concerns them, too: nobody has done anything since.
    send(
        &context,
        "late",
        &json!({ "timestamp": "2026-01-05T10:00:00Z", "event": "Tick" }),
    )
    .await;
    let mut n_daily = 0;
    let all = crate::reload::templates(&context, 2 * N).await;
    n_daily += all
        .iter()
        .filter(|(_, template)| *template == "daily")
        .count();
    assert_eq!(n_daily, N);

    // A restart looks at nobody again.
    attune.signal("TERM");
    attune.ended().await;
    let attune = place.serve(&nats.url()).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let metrics = is_done(&attune).await;
    assert!(
        metrics.contains("attune_rounds_customers_total 0\n"),
        "{metrics}"
    );
    assert_eq!(crate::reload::templates(&context, 2 * N).await.len(), 2 * N);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_only_in_memory_is_found_and_who_left_is_told() {
    let place = place("memory", "1h");
    let nats = place.nats(None).await;
    let attune = place.serve(&nats.url()).await;
    let context = connect(&nats.url()).await;
    tell(&context, 10).await;
    taken(&attune, 10).await;
    place.write("policies/hello.yaml", format!("{PLAIN}{FINDS}"));
    until_live(&attune, 2).await;
    let left = actions(&context, 10).await;
    assert!(left.values().all(|template| template == "found"));
    // Who is in a segment that goes leaves it, and it says so once more to nobody.
    place.write("policies/hello.yaml", PLAIN);
    until_live(&attune, 3).await;
    let gone = |page: &str| page.contains("\"live\":3");
    until(&attune, "/v1/policies", gone).await;
    is_done(&attune).await;
    let customer = "/v1/customers/c-3/timeline";
    until(&attune, customer, |page| page.contains("exited")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_the_clock_of_the_stream_nobody_has_to_do_anything() {
    let place =
        Place::new("nats: { partitions: 2 }\nlimits: { residents: 1, checkpoint_every: 50ms }");
    place.write("policies/hello.yaml", PLAIN);
    let nats = place.nats(None).await;
    let attune = place.serve(&nats.url()).await;
    let context = connect(&nats.url()).await;
    for n in 0..100 {
        send(&context, &format!("c-{n}"), &json!({})).await;
    }
    taken(&attune, 100).await;
    are_at_rest(&attune, &context).await;
    place.write("policies/hello.yaml", format!("{PLAIN}{FINDS}"));
    let left = actions(&context, 100).await;
    assert!(left.values().all(|template| template == "found"));
    assert!(
        attune.log().contains("everybody is looked at"),
        "{}",
        attune.log()
    );
    is_done(&attune).await;
    let log = attune.log();
    assert!(log.contains("everybody was looked at"), "{log}");
}
