//! Ranges of the model's event stream: which events are in, whose, and each once.

use std::fmt::Write as _;

use bytes::Bytes;
use expect_test::{Expect, expect};

use super::{History, Range, moment};
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::segment::Depth;
use crate::domain::{CustomerId, Partition, Timestamp};
use crate::stream::{EVENT_ID, Lane, Layout, Model, Outgoing, Replicas, Streams};

#[tokio::test]
async fn a_range_begins_at_since_and_ends_before_until() {
    let script = "
        10:00 a e-1
        10:01 b e-2
        10:02 a e-3
        10:03 b e-4";
    check(
        script,
        "10:01..10:03",
        &expect![[r"
        (1, 3]
        2 10:01 b e-2
        3 10:02 a e-3
    "]],
    )
    .await;
    check(
        script,
        "10:02..",
        &expect![[r"
        (2, 4]
        3 10:02 a e-3
        4 10:03 b e-4
    "]],
    )
    .await;
    check(
        script,
        "11:00..",
        &expect![[r"
        (4, 4]
    "]],
    )
    .await;
    check(
        script,
        "10:03..09:00",
        &expect![[r"
        (3, 3]
    "]],
    )
    .await;
}

#[tokio::test]
async fn one_customer_is_read_from_one_partition() {
    let script = "
        10:00 a e-1
        10:01 b e-2
        10:01 c e-3
        10:02 a e-4
        10:03 broken";
    check(
        script,
        "10:00.. a",
        &expect![[r"
        (0, 5]
        1 10:00 a e-1
        4 10:02 a e-4
    "]],
    )
    .await;
}

#[tokio::test]
async fn an_event_of_a_wrong_partition_counts_once() {
    // Forwarded, not forwarded, and forwarded when the first one is out of the range.
    let script = "
        10:00 a e-1 stray
        10:01 a e-2 stray
        10:01 b -
        10:02 b - stray
        10:03 a e-1 copy
        10:04 b seq-1767261600000-4 copy
        10:05 a e-2";
    check(
        script,
        "10:00..",
        &expect![[r"
        (0, 7]
        1 10:00 a e-1
        2 10:01 a e-2
        3 10:01 b seq-1767261600000-3
        4 10:02 b seq-1767261600000-4
        7 10:05 a e-2
    "]],
    )
    .await;
    check(
        script,
        "10:03.. a",
        &expect![[r"
        (4, 7]
        5 10:03 a e-1
        7 10:05 a e-2
    "]],
    )
    .await;
}

#[tokio::test]
async fn what_is_no_event_says_why() {
    check(
        "10:00 broken\n10:01 a e-1",
        "10:00..",
        &expect![[r"
        (0, 2]
        1 10:00 not an event: expected ident at line 1 column 2
        2 10:01 a e-1
    "]],
    )
    .await;
}

#[test]
fn a_moment_is_a_time_or_a_length_before_now() {
    assert_eq!(moment("2026-01-01T10:00:00Z"), Ok(at("10:00")));
    let day = crate::domain::Duration::from_secs(86_400);
    let ago = moment("24h").unwrap();
    assert!(crate::clock::now().since(ago) >= day);
    expect![[r#"
        Err(
            "`yesterday` is neither a time such as 2026-01-31T10:00:00Z nor a length of time such as 24h",
        )
    "#]]
    .assert_debug_eq(&moment("yesterday"));
}

/// Stores events, `TIME CUSTOMER ID [stray|copy]` a line, and reads a range of them, `SINCE..[UNTIL] [CUSTOMER]`.
async fn check(script: &str, range: &str, expected: &Expect) {
    let model = Model::new(
        Layout::new("attune", 8).unwrap(),
        Replicas::One,
        at("10:00"),
    );
    for line in script
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
    {
        store(&model, line).await;
    }
    let (times, customer) = range.split_once(' ').unwrap_or((range, ""));
    let (since, until) = times.split_once("..").unwrap();
    let range = Range {
        since: at(since),
        until: (!until.is_empty()).then(|| at(until)),
        customer: CustomerId::parse(customer).ok(),
    };
    let config = Config {
        clock: Clock::Stream,
        ..Config::default()
    };
    let mut history = History::open(&model, &config, range).await.unwrap();
    let mut text = format!("({}, {}]\n", history.after, history.upto);
    while let Some(batch) = history.next(|_| Depth::Whole).await.unwrap() {
        for past in batch {
            let at = past.now.to_string();
            let what = match &past.event {
                Ok(decoded) => format!("{} {}", decoded.customer, decoded.event.id),
                Err(why) => why.clone(),
            };
            writeln!(text, "{} {} {what}", past.seq, &at[11..16]).unwrap();
        }
    }
    expected.assert_eq(&text);
}

async fn store(model: &Model, line: &str) {
    let words: Vec<&str> = line.split(' ').collect();
    model.set_now(at(words[0]));
    let mut headers = Vec::new();
    let (token, payload) = match words[1..] {
        ["broken"] => ("x".to_owned(), "not JSON".to_owned()),
        [customer, id, ref how @ ..] => {
            let own = CustomerId::parse(customer).unwrap().token();
            let message_id = if id.starts_with('e') { id } else { "" };
            if how == ["copy"] {
                headers.push((EVENT_ID, id.to_owned()));
            }
            let token = if how == ["stray"] { stray(&own) } else { own };
            let payload = serde_json::json!({
                "type": "track", "userId": customer, "event": "Seen", "messageId": message_id,
            });
            (token, payload.to_string())
        }
        _ => panic!("`{line}` is not an event"),
    };
    let out = Outgoing {
        lane: Lane::Events,
        subject: model.subject(Lane::Events, &token),
        id: line.to_owned(),
        headers,
        payload: Bytes::from(payload),
    };
    model.publish(out).await.unwrap().await.unwrap();
}

/// Returns a token of another partition.
fn stray(own: &str) -> String {
    let partition = |token: &str| Partition::of_token(token, 8);
    let mut tokens = (0..).map(|n| format!("x{n}"));
    tokens
        .find(|token| partition(token) != partition(own))
        .unwrap()
}

fn at(time: &str) -> Timestamp {
    Timestamp::parse(&format!("2026-01-01T{time}:00Z")).unwrap()
}
