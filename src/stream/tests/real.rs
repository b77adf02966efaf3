//! What only a real server can show: crashes, refusals, durability.

use std::time::Duration;

use super::server::Real;
use super::{append, log, put, take};
use crate::stream::{Durability, Error, JetStream, Layout, Streams};

#[tokio::test]
async fn another_number_of_partitions_is_refused() {
    let real = Real::start().await;
    real.connect().await.open().await.unwrap();
    let mut options = real.options();
    options.layout = Layout::new("attune", 16).unwrap();
    let error = JetStream::connect(options)
        .await
        .unwrap()
        .open()
        .await
        .unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, Error::Setup(_)));
    assert!(
        text.starts_with(
            "stream ATTUNE_EVENTS was created with 8 partitions, the configuration says 16"
        ),
        "{text}"
    );
}

#[tokio::test]
async fn two_prefixes_share_a_server() {
    let real = Real::start().await;
    let first = real.connect().await;
    first.open().await.unwrap();
    let mut options = real.options();
    options.layout = Layout::new("other", 4).unwrap();
    let second = JetStream::connect(options).await.unwrap();
    second.open().await.unwrap();
    put(&first, 1, 3).await;
    assert_eq!(second.extent().await.unwrap().last_seq, 0);
}

#[tokio::test]
async fn a_reader_and_a_log_survive_a_killed_server() {
    let mut real = Real::start().await;
    let streams = real.connect().await;
    streams.open().await.unwrap();
    put(&streams, 1, 500).await;
    let first = append(&streams, 0, 1).await.unwrap();
    let mut events = streams.events(0).await.unwrap();
    let events_read = take(&mut events, 500).await;
    assert_eq!(events_read.last().unwrap().seq, 500);

    for round in 0..3 {
        real.server.kill9();
        real.server.restart().await.unwrap();
        while streams.open().await.is_err() {}
        let start = 500 + round * 10;
        put(&streams, start + 1, start + 10).await;
        let events_read = take(&mut events, 10).await;
        let seqs: Vec<u64> = events_read.iter().map(|event| event.seq).collect();
        assert_eq!(seqs, (start + 1..=start + 10).collect::<Vec<_>>());
    }
    let second = append(&streams, first, 2).await.unwrap();
    assert_eq!(
        log(&streams, 0, second).await.unwrap(),
        format!("{first}:1 {second}:2")
    );
}

#[tokio::test]
async fn a_commit_during_a_crash_stands_once() {
    let mut real = Real::start().await;
    let streams = real.connect().await;
    streams.open().await.unwrap();
    let first = append(&streams, 0, 1).await.unwrap();
    real.server.kill9();
    let commit = append(&streams, first, 2);
    let restart = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        real.server.restart().await.unwrap();
    };
    let (second, ()) = tokio::join!(commit, restart);
    let second = second.unwrap();
    assert_eq!(
        log(&streams, 0, second).await.unwrap(),
        format!("{first}:1 {second}:2")
    );
}

#[tokio::test]
async fn deleted_events_are_reported_to_who_needed_them() {
    let real = Real::start().await;
    let streams = real.connect().await;
    streams.open().await.unwrap();
    put(&streams, 1, 10).await;
    let client = async_nats::connect(real.server.url()).await.unwrap();
    let context = async_nats::jetstream::new(client);
    let stream = context.get_stream("ATTUNE_EVENTS").await.unwrap();
    stream.purge().sequence(6).await.unwrap();
    assert_eq!(streams.extent().await.unwrap().first_seq, 6);
    let error = streams.events(2).await.err().unwrap();
    assert!(
        matches!(
            error,
            Error::Deleted {
                after: 2,
                first: 6,
                ..
            }
        ),
        "{error}"
    );
    stream.delete_message(8).await.unwrap();
    let mut events = streams.events(5).await.unwrap();
    assert_eq!(take(&mut events, 2).await.len(), 2);
    let error = futures::StreamExt::next(&mut events)
        .await
        .unwrap()
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::Deleted {
                after: 7,
                first: 9,
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn durability_is_proved_by_the_monitoring_page() {
    let real = Real::start_with(|settings| settings.sync_interval = "always".into()).await;
    let mut options = real.options();
    options.require_durability = Durability::Power;
    let unproved = JetStream::connect(options.clone()).await.unwrap();
    assert!(matches!(unproved.open().await, Err(Error::Setup(_))));
    options.varz_url = Some(real.server.varz_url());
    let proved = JetStream::connect(options).await.unwrap();
    assert_eq!(proved.open().await.unwrap().durability, Durability::Power);
}

#[tokio::test]
async fn an_unreachable_server_is_said_so() {
    let mut real = Real::start().await;
    real.server.kill().await.unwrap();
    let mut options = real.options();
    options.connect.timeout = Duration::from_millis(300);
    let streams = JetStream::connect(options).await.unwrap();
    assert!(matches!(streams.open().await, Err(Error::Unreachable(_))));
    assert!(streams.health().is_err());
    real.server.restart().await.unwrap();
    while streams.open().await.is_err() {}
    assert_eq!(streams.health(), Ok(()));
}

#[tokio::test]
async fn large_events_do_not_stop_the_reader() {
    let real = Real::start().await;
    let streams = real.connect().await;
    streams.open().await.unwrap();
    for n in 0..40 {
        let message = crate::stream::Outgoing {
            lane: crate::stream::Lane::Events,
            subject: format!("attune.events.t{n}"),
            id: n.to_string(),
            headers: Vec::new(),
            payload: vec![b'x'; 1_000_000].into(),
        };
        streams.publish(message).await.unwrap().await.unwrap();
    }
    let mut events = streams.events(0).await.unwrap();
    assert_eq!(take(&mut events, 40).await.len(), 40);
}
