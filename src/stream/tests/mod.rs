//! One list of promises, kept by the model and by a real nats-server.

mod model;
mod parse;
mod real;
mod server;

use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};

use super::{
    CommitId, Delivery, Error, JetStream, Lane, Layout, Model, Outgoing, Reading, Replicas,
    Streams, TRACE_PARENT,
};
use crate::domain::{CustomerId, Partition, Timestamp};
use server::Real;

const P: Partition = Partition(3);

/// Runs one promise against the model and against a real server.
async fn everywhere<F: Future<Output = ()>>(promise: impl Fn(Arc<dyn Streams>) -> F) {
    let model = Model::new(layout(), Replicas::One, now());
    promise(Arc::new(model)).await;
    let real = Real::start().await;
    let streams: JetStream = real.connect().await;
    streams.open().await.unwrap();
    promise(Arc::new(streams.clone())).await;
    streams.drain().await;
}

fn layout() -> Layout {
    Layout::new("attune", 8).unwrap()
}

fn now() -> Timestamp {
    Timestamp::parse("2026-03-01T10:00:00Z").unwrap()
}

fn out(streams: &dyn Streams, lane: Lane, tail: &str, id: &str) -> Outgoing {
    Outgoing {
        lane,
        subject: streams.subject(lane, tail),
        id: id.into(),
        headers: vec![(TRACE_PARENT, format!("trace-{id}"))],
        payload: Bytes::from(format!("body-{id}")),
    }
}

async fn publish(streams: &dyn Streams, lane: Lane, tail: &str, id: &str) -> u64 {
    let ack = streams.publish(out(streams, lane, tail, id)).await.unwrap();
    ack.await.unwrap()
}

/// Publishes events `first..=last`, each with a token and an id of its number.
async fn put(streams: &dyn Streams, first: u64, last: u64) {
    for n in first..=last {
        publish(streams, Lane::Events, &format!("t{n}"), &n.to_string()).await;
    }
}

/// Reads until `n` events came.
async fn take(events: &mut Reading<Vec<Delivery>>, n: usize) -> Vec<Delivery> {
    let mut all = Vec::new();
    while all.len() < n {
        let next = tokio::time::timeout(std::time::Duration::from_secs(20), events.next()).await;
        let batch = next
            .expect("events come in time")
            .expect("events do not end")
            .unwrap();
        assert!(!batch.is_empty(), "a batch is never empty");
        all.extend(batch);
    }
    all
}

fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

async fn append(streams: &dyn Streams, expected: u64, commit: u128) -> Result<u64, Error> {
    let record = bytes(&format!("record-{commit}"));
    streams.append(P, expected, CommitId(commit), record).await
}

/// Returns `seq:commit` of a log.
async fn log(streams: &dyn Streams, after: u64, upto: u64) -> Result<String, Error> {
    let records: Vec<_> = streams.log(P, after, upto).await?.try_collect().await?;
    let texts = records.iter().map(|it| {
        assert_eq!(it.record, bytes(&format!("record-{}", it.commit.0)));
        format!("{}:{}", it.seq, it.commit.0)
    });
    Ok(texts.collect::<Vec<_>>().join(" "))
}

#[tokio::test]
async fn open_may_be_called_again() {
    everywhere(|streams| async move {
        let first = streams.open().await.unwrap();
        put(&*streams, 1, 3).await;
        assert_eq!(streams.open().await.unwrap(), first);
        assert_eq!(first.n_partitions, 8);
        assert_eq!(first.payload_max, 1_024 * 1_024);
        let extent = streams.extent().await.unwrap();
        assert_eq!((extent.first_seq, extent.last_seq), (1, 3));
        assert_eq!(extent.created, first.created);
        assert_eq!(streams.health(), Ok(()));
    })
    .await;
}

#[tokio::test]
async fn an_empty_event_stream_begins_at_one() {
    everywhere(|streams| async move {
        let extent = streams.extent().await.unwrap();
        assert_eq!((extent.first_seq, extent.last_seq), (1, 0));
    })
    .await;
}

#[tokio::test]
async fn the_server_gives_a_token_the_partition_that_we_compute() {
    everywhere(|streams| async move {
        let customers = (0..300_u64).map(|n| {
            let id = format!("customer-{}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            CustomerId::parse(&id).unwrap().token()
        });
        let words = ["a", "Z", "0", "ä", "日本", "x-y_z", "a=b"].map(String::from);
        let tokens: Vec<String> = customers.chain(words).collect();
        for token in &tokens {
            publish(&*streams, Lane::Events, token, token).await;
        }
        let mut events = streams.events(0).await.unwrap();
        for (event, token) in take(&mut events, tokens.len()).await.iter().zip(&tokens) {
            assert_eq!(event.partition, Partition::of_token(token, 8), "{token}");
        }
    })
    .await;
}

#[tokio::test]
async fn events_are_read_in_order_from_any_offset_with_what_they_carry() {
    everywhere(|streams| async move {
        put(&*streams, 1, 40).await;
        let mut events = streams.events(10).await.unwrap();
        let read = take(&mut events, 30).await;
        let seqs: Vec<u64> = read.iter().map(|event| event.seq).collect();
        assert_eq!(seqs, (11..=40).collect::<Vec<_>>());
        assert_eq!(read[0].payload, bytes("body-11"));
        assert_eq!(read[0].traceparent.as_deref(), Some("trace-11"));
        assert_eq!(read[0].event_id, None);
        assert_eq!(read[29].pending, 0);
        assert!(read[0].stored_at <= read[29].stored_at);

        put(&*streams, 41, 42).await;
        assert_eq!(take(&mut events, 2).await[1].seq, 42);
    })
    .await;
}

#[tokio::test]
async fn a_range_of_events_is_read_to_its_end() {
    everywhere(|streams| async move {
        put(&*streams, 1, 40).await;
        let read = async |after, upto, only| {
            let events = streams.history(after, upto, only).await.unwrap();
            let batches: Vec<_> = events.try_collect().await.unwrap();
            let seqs = batches.iter().flatten().map(|event| event.seq);
            seqs.collect::<Vec<u64>>()
        };
        assert_eq!(read(0, 40, None).await, (1..=40).collect::<Vec<_>>());
        assert_eq!(read(10, 13, None).await, [11, 12, 13]);
        assert!(read(13, 13, None).await.is_empty());
        let in_p = |n: &u64| Partition::of_token(&format!("t{n}"), 8) == P;
        let expected: Vec<u64> = (6..=35).filter(in_p).collect();
        assert!(!expected.is_empty());
        assert_eq!(read(5, 35, Some(P)).await, expected);
        let nobody = Some(Partition(8));
        assert!(read(0, 40, nobody).await.is_empty());
        assert_eq!(streams.extent().await.unwrap().n_partitions, 8);
    })
    .await;
}

#[tokio::test]
async fn the_first_event_of_a_time_is_found() {
    everywhere(|streams| async move {
        assert_eq!(streams.seq_at(Timestamp::MIN).await.unwrap(), 1);
        put(&*streams, 1, 3).await;
        let stored_at = async |seq| streams.event(seq).await.unwrap().unwrap().stored_at;
        let later = crate::domain::Duration::from_millis(1);
        for at in [Timestamp::MIN, stored_at(1).await] {
            assert_eq!(streams.seq_at(at).await.unwrap(), 1);
        }
        for at in [stored_at(3).await + later, Timestamp::MAX] {
            assert_eq!(streams.seq_at(at).await.unwrap(), 4);
        }
    })
    .await;
}

#[tokio::test]
async fn one_event_can_be_read_by_its_sequence() {
    everywhere(|streams| async move {
        let mut forwarded = out(&*streams, Lane::Events, "token", "a");
        forwarded.headers.push((super::EVENT_ID, "original".into()));
        let seq = streams.publish(forwarded).await.unwrap().await.unwrap();
        let event = streams.event(seq).await.unwrap().unwrap();
        assert_eq!(event.seq, seq);
        assert_eq!(event.event_id.as_deref(), Some("original"));
        assert_eq!(event.partition, Partition::of_token("token", 8));
        assert_eq!(event.payload, bytes("body-a"));
        assert_eq!(streams.event(seq + 1).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn reading_past_the_end_says_that_the_tail_is_lost() {
    everywhere(|streams| async move {
        put(&*streams, 1, 3).await;
        let error = streams.events(7).await.err().unwrap();
        assert!(
            matches!(
                error,
                Error::Behind {
                    after: 7,
                    last: 3,
                    ..
                }
            ),
            "{error}"
        );
        assert!(streams.events(3).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn a_commit_stands_or_is_fenced() {
    everywhere(|streams| async move {
        assert_eq!(streams.log_end(P).await.unwrap(), 0);
        let first = append(&*streams, 0, 1).await.unwrap();
        let other = streams
            .append(Partition(4), 0, CommitId(9), bytes("x"))
            .await
            .unwrap();
        let second = append(&*streams, first, 2).await.unwrap();
        assert!(first < other && other < second);
        assert_eq!(streams.log_end(P).await.unwrap(), second);

        let fenced = Error::Fenced {
            partition: P,
            expected: first,
            found: second,
        };
        assert_eq!(append(&*streams, first, 3).await, Err(fenced));
        let fenced = Error::Fenced {
            partition: P,
            expected: 0,
            found: second,
        };
        assert_eq!(append(&*streams, 0, 4).await, Err(fenced));
        assert_eq!(
            log(&*streams, 0, second).await.unwrap(),
            format!("{first}:1 {second}:2")
        );
    })
    .await;
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_found_again() {
    everywhere(|streams| async move {
        let first = append(&*streams, 0, 1).await.unwrap();
        // What the caller does not know is that this one stands.
        let second = append(&*streams, first, 2).await.unwrap();
        assert_eq!(append(&*streams, first, 2).await, Ok(second));
        assert_eq!(
            log(&*streams, 0, second).await.unwrap(),
            format!("{first}:1 {second}:2")
        );
    })
    .await;
}

#[tokio::test]
async fn a_log_is_read_between_two_records() {
    everywhere(|streams| async move {
        let mut seqs = vec![0];
        for commit in 1..=50 {
            let last = seqs[seqs.len() - 1];
            seqs.push(append(&*streams, last, commit).await.unwrap());
            streams
                .append(
                    Partition(4),
                    last.saturating_sub(1),
                    CommitId(commit),
                    bytes("x"),
                )
                .await
                .ok();
        }
        let expected = format!("{}:3 {}:4", seqs[3], seqs[4]);
        assert_eq!(log(&*streams, seqs[2], seqs[4]).await.unwrap(), expected);
        let all = log(&*streams, 0, seqs[50]).await.unwrap();
        assert_eq!(all.split(' ').count(), 50);
        assert_eq!(log(&*streams, seqs[50], seqs[50]).await.unwrap(), "");
        assert_eq!(log(&*streams, 0, 0).await.unwrap(), "");
    })
    .await;
}

#[tokio::test]
async fn trimming_keeps_the_record_and_the_last_one() {
    everywhere(|streams| async move {
        let mut seqs = vec![0];
        for commit in 1..=5 {
            let last = seqs[seqs.len() - 1];
            seqs.push(append(&*streams, last, commit).await.unwrap());
        }
        let other = streams
            .append(Partition(4), 0, CommitId(9), bytes("x"))
            .await
            .unwrap();
        streams.trim(P, seqs[3]).await.unwrap();
        let expected = format!("{}:4 {}:5", seqs[4], seqs[5]);
        assert_eq!(log(&*streams, seqs[3], seqs[5]).await.unwrap(), expected);
        // Whoever still needs a record that was trimmed hears of it.
        let error = log(&*streams, seqs[1], seqs[5]).await.unwrap_err();
        assert!(matches!(error, Error::Deleted { .. }), "{error}");

        streams.trim(P, u64::MAX).await.unwrap();
        assert_eq!(streams.log_end(P).await.unwrap(), seqs[5]);
        assert_eq!(streams.log_end(Partition(4)).await.unwrap(), other);
        assert!(append(&*streams, seqs[5], 6).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn a_message_id_is_stored_once() {
    everywhere(|streams| async move {
        let first = publish(&*streams, Lane::Actions, "email.cart", "a").await;
        let again = publish(&*streams, Lane::Actions, "email.cart", "a").await;
        let other = publish(&*streams, Lane::Actions, "email.cart", "b").await;
        assert_eq!((first, again, other), (1, 1, 2));
    })
    .await;
}

#[tokio::test]
async fn what_was_published_can_be_looked_up() {
    everywhere(|streams| async move {
        for lane in [
            Lane::Actions,
            Lane::Decisions,
            Lane::DeadLetters,
            Lane::Events,
            Lane::Segments,
        ] {
            publish(&*streams, lane, "x", "a").await;
            publish(&*streams, lane, "x", "b").await;
            publish(&*streams, lane, "x", "c").await;
            let ids = streams.published(lane, 1).await.unwrap();
            let ids: Vec<_> = ids.try_collect().await.unwrap();
            assert_eq!(ids, [(2, "b".to_owned()), (3, "c".to_owned())], "{lane:?}");
            let none = streams.published(lane, 3).await.unwrap();
            assert_eq!(none.try_collect::<Vec<_>>().await.unwrap(), []);
        }
    })
    .await;
}

#[tokio::test]
async fn publishing_is_pipelined_in_order_and_answers_need_not_be_awaited() {
    everywhere(|streams| async move {
        let mut acks = Vec::new();
        for n in 0..10_000 {
            let id = n.to_string();
            let message = out(&*streams, Lane::Actions, "email.cart", &id);
            acks.push(streams.publish(message).await.unwrap());
        }
        for (n, ack) in acks.into_iter().enumerate() {
            assert_eq!(ack.await.unwrap(), n as u64 + 1);
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_too_large_is_not_sent() {
    everywhere(|streams| async move {
        let large = Bytes::from(vec![0; 1_024 * 1_024 + 1]);
        let error = streams
            .append(P, 0, CommitId(1), large.clone())
            .await
            .unwrap_err();
        assert!(matches!(error, Error::TooLarge { .. }), "{error}");
        let mut message = out(&*streams, Lane::Actions, "email.cart", "a");
        message.payload = large;
        let error = streams.publish(message).await.err().unwrap();
        assert!(matches!(error, Error::TooLarge { .. }), "{error}");
        assert_eq!(streams.log_end(P).await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_subject_of_another_lane_is_refused() {
    everywhere(|streams| async move {
        for subject in [
            "attune.actions",
            "attune.actions.a b",
            "attune.actions.*",
            "attune.state.1",
        ] {
            let mut message = out(&*streams, Lane::Actions, "email", "a");
            message.subject = subject.into();
            let error = streams.publish(message).await.err().unwrap();
            assert!(matches!(error, Error::Refused(_)), "{subject}: {error}");
        }
        let mut message = out(&*streams, Lane::Actions, "email", "a");
        message.headers.push(("X-Note", "two\r\nlines".into()));
        assert!(streams.publish(message).await.is_err());
    })
    .await;
}
