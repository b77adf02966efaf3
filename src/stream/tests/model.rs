//! What only the model can be made to do.

use std::time::Duration as StdDuration;

use futures::{FutureExt, StreamExt};

use super::{P, append, bytes, layout, log, now, out, put, take};
use crate::domain::Duration;
use crate::stream::model::{Answer, Journal};
use crate::stream::{Error, Lane, MESSAGE_ID, Model, Replicas, Stored, Streams};

fn model() -> Model {
    Model::new(layout(), Replicas::One, now())
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_of_a_commit_is_resolved_by_reading_back() {
    for replicas in [Replicas::One, Replicas::Three] {
        let model = Model::new(layout(), replicas, now());
        let first = append(&model, 0, 1).await.unwrap();
        model.lose_answer_of_append(1);
        let second = append(&model, first, 2).await.unwrap();
        assert_eq!(log(&model, 0, second).await.unwrap(), "1:1 2:2");
    }
}

#[tokio::test(start_paused = true)]
async fn a_clash_of_two_writes_is_tried_again() {
    let model = model();
    model.clash_appends(2);
    assert_eq!(append(&model, 0, 1).await, Ok(1));
    assert_eq!(model.log_len(P), 1);
}

#[tokio::test(start_paused = true)]
async fn a_commit_without_a_connection_is_unsure_and_one_that_waits_is_mended() {
    let model = model();
    model.set_reachable(false);
    assert!(matches!(append(&model, 0, 1).await, Err(Error::Unsure(_))));
    assert!(model.health().is_err());
    assert!(matches!(model.log_end(P).await, Err(Error::Unreachable(_))));

    let mend = async {
        tokio::time::sleep(StdDuration::from_millis(100)).await;
        model.set_reachable(true);
    };
    let (stands, ()) = tokio::join!(append(&model, 0, 1), mend);
    assert_eq!(stands, Ok(1));
}

#[tokio::test]
async fn a_lost_answer_of_a_publish_leaves_the_message_there() {
    let model = model();
    model.lose_answer_of_publish(2);
    let mut acks = Vec::new();
    for id in ["a", "b", "c"] {
        let message = out(&model, Lane::Actions, "email", id);
        acks.push(model.publish(message).await.unwrap().await);
    }
    assert!(
        matches!(&acks[..], [Ok(1), Err(Error::Unsure(_)), Ok(3)]),
        "{acks:?}"
    );
    assert_eq!(model.actions().len(), 3);
}

#[tokio::test]
async fn an_id_is_forgotten_after_the_window() {
    let model = model();
    let put = |id| model.put_event("t", "{}", &[(MESSAGE_ID, id)]);
    assert_eq!((put("a"), put("a"), put("b")), (1, 1, 2));
    model.set_now(now() + Duration::from_secs(119));
    assert_eq!(put("a"), 1);
    model.set_now(now() + Duration::from_secs(120));
    assert_eq!(put("a"), 3);
}

#[tokio::test]
async fn a_reader_hears_of_a_lost_tail_and_of_deleted_events() {
    let model = model();
    put(&model, 1, 10).await;
    let mut behind = model.events(10).await.unwrap();
    model.lose_tail(4);
    let error = behind.next().await.unwrap().unwrap_err();
    assert!(
        matches!(
            error,
            Error::Behind {
                after: 10,
                last: 6,
                ..
            }
        ),
        "{error}"
    );
    assert!(behind.next().await.is_none());

    model.purge_events_before(5);
    let error = model.events(3).await.err().unwrap();
    assert!(
        matches!(
            error,
            Error::Deleted {
                after: 3,
                first: 5,
                ..
            }
        ),
        "{error}"
    );
    let mut rest = model.events(4).await.unwrap();
    assert_eq!(take(&mut rest, 2).await[0].seq, 5);
}

#[tokio::test]
async fn a_reader_waits_while_the_connection_is_cut() {
    let model = model();
    put(&model, 1, 2).await;
    let mut events = model.events(0).await.unwrap();
    model.set_reachable(false);
    assert!(events.next().now_or_never().is_none());
    model.clone().set_reachable(true);
    assert_eq!(take(&mut events, 2).await.len(), 2);
}

#[tokio::test]
async fn a_hole_in_a_log_is_not_its_end() {
    let model = model();
    for commit in 1..=4 {
        append(&model, u64::try_from(commit).unwrap() - 1, commit)
            .await
            .unwrap();
    }
    model.delete_record(3);
    let error = log(&model, 0, 4).await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::Deleted {
                after: 2,
                first: 4,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn replicas_decide_what_is_checked_first() {
    let message = |id: &str| Stored {
        seq: 0,
        subject: "s".into(),
        id: Some(id.into()),
        headers: Vec::new(),
        payload: bytes(""),
        stored_at: now(),
    };
    let window = Duration::from_secs(120);
    let retry = |replicas| {
        let mut journal = Journal::default();
        let first = journal.store(message("a"), Some(0), replicas, window);
        let again = journal.store(message("a"), Some(0), replicas, window);
        let stale = journal.store(message("b"), Some(0), replicas, window);
        (first, again, stale)
    };
    let (stored, wrong) = (Answer::Stored(1), Answer::WrongLast);
    assert_eq!(retry(Replicas::One), (stored, wrong, wrong));
    assert_eq!(
        retry(Replicas::Three),
        (stored, Answer::Duplicate(1), wrong)
    );
}
