//! A backtest over a range of the event stream of a real nats-server: as over a file, each event once.

use std::fs;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use attune::domain::CustomerId;
use attune::store::Engine;
use attune::stream::{Lane, Outgoing, Streams};
use expect_test::expect;
use serde_json::Value;

use crate::rule_r;
use crate::support::outcome::last_seq;
use crate::support::process::{POLL, Site};
use crate::support::workload::PARTITIONS;

/// How long the server may take to forward what came in the wrong partition.
const PATIENCE: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_event_stream_decides_as_the_file_it_was_filled_from() {
    let policy = rule_r::policy("1h", "item");
    let mut site = Site::with(Engine::Sled, 1 << 20, &[("rule-r.yaml", &policy)]).await;
    let events = rule_r::otto();
    fs::write(site.path("events.jsonl"), &events).unwrap();
    let of_file = backtest(&site, &["--events", "events.jsonl"]);
    assert_eq!(of_file.status.code(), Some(0), "{}", problems(&of_file));
    assert_eq!(text(&of_file.stdout).lines().count(), 45);

    let n_strays = fill(&site, &events).await;
    let stream = ["--config", "attune.yaml", "--since", "1h"];
    let before = backtest(&site, &stream);
    assert_eq!(
        text(&before.stdout),
        text(&of_file.stdout),
        "{}",
        problems(&before)
    );

    site.start(None);
    let since = Instant::now();
    let n_events = events.lines().count() as u64;
    while last_seq(&site, "ATTUNE_EVENTS").await < n_events + n_strays {
        assert!(
            since.elapsed() < PATIENCE,
            "nothing is forwarded: {}",
            site.log()
        );
        tokio::time::sleep(POLL).await;
    }
    site.stop().await;
    let after = backtest(&site, &stream);
    assert_eq!(
        text(&after.stdout),
        text(&of_file.stdout),
        "{}",
        problems(&after)
    );
    // The file was read again, and the copies were not.
    assert!(problems(&after).contains("862 events of 20 customers"));

    let none = backtest(
        &site,
        &["--config", "attune.yaml", "--since", "1h", "--until", "59m"],
    );
    assert_eq!(none.status.code(), Some(1));
    assert_eq!(text(&none.stdout), "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_customer_is_read_alone() {
    let policy = rule_r::policy("1h", "item");
    let site = Site::with(Engine::Sled, 1 << 20, &[("rule-r.yaml", &policy)]).await;
    let of_one = |line: &&str| line.contains("otto-3\"");
    for (idx, line) in rule_r::otto().lines().enumerate() {
        publish(&site, 3 * idx + 1, line).await;
    }
    let stream = ["--config", "attune.yaml", "--since", "1h"];
    let all = backtest(&site, &stream);
    let expected: Vec<&str> = text(&all.stdout).lines().filter(of_one).collect();
    let one = backtest(&site, &[&stream[..], &["--customer", "otto-3"]].concat());
    let found: Vec<&str> = text(&one.stdout).lines().collect();
    // The customer's own time ends with the last event: two of the timers are still to fire then.
    assert_eq!((found.len(), expected.len()), (18, 20));
    assert!(expected.starts_with(&found), "{found:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_live_stream_is_replayed_at_the_times_at_which_it_was_stored() {
    let policy = "journey: cart\nenter: { event: Product Added }\nsteps:\n  - wait: 1ms\n  - send: { channel: email, template: nudge }\n---\nchannels: { email: { address: none, consent: not_required } }\n";
    let site = Site::with(Engine::Sled, 1 << 20, &[("cart.yaml", policy)]).await;
    publish(&site, 0, r#"{"type":"track","userId":"a","event":"Product Added","timestamp":"2020-01-01T00:00:00Z"}"#).await;
    let stored_at = site.streams.event(1).await.unwrap().unwrap().stored_at;
    let url = site.nats.url();
    let ended = backtest(&site, &["--nats", &url, "--since", "1h"]);
    let action: Value = serde_json::from_slice(&ended.stdout).unwrap();
    let due = stored_at + attune::domain::Duration::from_millis(1);
    assert_eq!(action["at"], due.to_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_is_said() {
    let policy = rule_r::policy("1h", "user");
    let site = Site::with(Engine::Sled, 1 << 20, &[("rule-r.yaml", &policy)]).await;
    fs::write(
        site.path("other.yaml"),
        format!("nats: {{ urls: [{:?}], prefix: other }}", site.nats.url()),
    )
    .unwrap();
    let ended = backtest(&site, &["--config", "other.yaml", "--since", "1h"]);
    assert_eq!(ended.status.code(), Some(1));
    expect![[r#"
        error: cannot look into the event stream: NATS refused: STREAM.INFO.OTHER_EVENTS: stream not found (code 404, error code 10059)
    "#]].assert_eq(&problems(&ended));
    let ended = backtest(&site, &["--since", "yesterday"]);
    assert_eq!(ended.status.code(), Some(2));
    expect![[r#"
        error: invalid value 'yesterday' for '--since <24h|RFC3339>': `yesterday` is neither a time such as 2026-01-31T10:00:00Z nor a length of time such as 24h

        For more information, try '--help'.
    "#]].assert_eq(&problems(&ended));
    let ended = backtest(&site, &["--since", "1h", "--events", "events.jsonl"]);
    assert_eq!(ended.status.code(), Some(2));
    let ended = backtest(&site, &[]);
    assert_eq!(ended.status.code(), Some(2));
}

/// Runs the command in the directory of an installation.
fn backtest(site: &Site, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_attune"));
    command
        .arg("backtest")
        .args(args)
        .current_dir(site.path(""));
    command
        .env_remove("ATTUNE_NATS_URL")
        .env_remove("ATTUNE_CONFIG");
    command.output().unwrap()
}

/// Publishes events, every third one with a token of nobody; returns how many came in a wrong partition.
pub async fn fill(site: &Site, events: &str) -> u64 {
    let mut n_strays = 0;
    for (idx, line) in events.lines().enumerate() {
        let delivery = publish(site, idx, line).await;
        let event: Value = serde_json::from_str(line).unwrap();
        let customer = CustomerId::parse(event["userId"].as_str().unwrap()).unwrap();
        n_strays += u64::from(customer.partition(PARTITIONS) != delivery);
    }
    assert!(n_strays > 100, "{n_strays}");
    n_strays
}

/// Publishes one event; returns the partition that it came in.
pub async fn publish(site: &Site, idx: usize, line: &str) -> attune::domain::Partition {
    let event: Value = serde_json::from_str(line).unwrap();
    let customer = CustomerId::parse(event["userId"].as_str().unwrap()).unwrap();
    let token = if idx.is_multiple_of(3) {
        format!("any-{idx}")
    } else {
        customer.token()
    };
    let partition = attune::domain::Partition::of_token(&token, PARTITIONS);
    let out = Outgoing {
        lane: Lane::Events,
        subject: site.streams.subject(Lane::Events, &token),
        id: idx.to_string(),
        headers: Vec::new(),
        payload: line.as_bytes().to_vec().into(),
    };
    site.streams.publish(out).await.unwrap().await.unwrap();
    partition
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// What was said besides the actions.
fn problems(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
