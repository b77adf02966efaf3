//! The example clients handle what a real server sends, each action once.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use async_nats::jetstream;
use expect_test::expect;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::server::{PATIENCE, Place};

#[tokio::test]
async fn example_clients_handle_every_action_once() {
    let place = Place::new("nats: { partitions: 1 }\nstore: { engine: memory }\n");
    let nats = place.nats(None).await;
    let _attune = place.serve(&nats.url()).await;
    let url = nats.url();

    let events: String = (1..=3).map(event).collect();
    assert_eq!(publish(&url, &events).await, "3 events are stored\n");
    expect![[r#"
        e467c9476ad3678b3e436009cb3ec8e3 email hello anna-1
        9283c237a0009078ac94a720d7d0a190 email hello anna-2
        190f9a3371aa6fb59c1c9f5374213af0 email hello anna-3
    "#]]
    .assert_eq(&subscribe(&url, "3").await);

    // A message that comes again, as after a lost answer, is handled once.
    repeat_first_action(&url).await;
    publish(&url, &event(4)).await;
    expect![[r#"
        e467c9476ad3678b3e436009cb3ec8e3 email hello anna-1
        5aabb501a7f828ba193fbd4839bb4b27 email hello anna-4
    "#]]
    .assert_eq(&subscribe(&url, "2").await);
}

/// Returns what both subscribers say of so many actions.
async fn subscribe(url: &str, count: &str) -> String {
    let rust = said(&example("subscribe"), &[url, count], "").await;
    let script = root().join("examples/subscribe.py").display().to_string();
    let python = said(&python(), &[&script, url, count], "").await;
    assert_eq!(rust, python);
    rust
}

fn event(n: u32) -> String {
    let id = format!(r#""messageId":"good-{n}","userId":"anna-{n}""#);
    format!(r#"{{"type":"track",{id},"event":"Good","properties":{{"item":{n}}}}}"#) + "\n"
}

async fn publish(url: &str, events: &str) -> String {
    said(&example("publish"), &[url], events).await
}

/// Publishes the first action twice more, without the id that the server drops duplicates by.
async fn repeat_first_action(url: &str) {
    let client = async_nats::connect(url).await.unwrap();
    let jetstream = jetstream::new(client);
    let stream = jetstream.get_stream("ATTUNE_ACTIONS").await.unwrap();
    let first = stream.get_raw_message(1).await.unwrap();
    for _ in 0..2 {
        let stored = jetstream.publish(first.subject.clone(), first.payload.clone());
        stored.await.unwrap().await.unwrap();
    }
}

/// Runs a program to its end; returns what it says.
async fn said(program: &Path, arguments: &[&str], input: &str) -> String {
    let mut command = Command::new(program);
    command.args(arguments).kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let missing = || {
        format!(
            "`{}` is missing, `make setup` installs it",
            program.display()
        )
    };
    let mut child = command
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}", missing()));
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).await.unwrap();
    drop(stdin);
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output());
    let output = output.await.expect("the example does not end").unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Returns an example that Cargo has built beside this test.
fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let target = test.parent().and_then(Path::parent).unwrap();
    target.join("examples").join(name)
}

fn python() -> PathBuf {
    root().join(".tools/venv/bin/python")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
