//! Hostile events: each becomes a dead letter with its bytes or is handled, and the server goes on.

use std::collections::BTreeMap;
use std::fmt::Write;

use async_nats::jetstream::Context;
use async_nats::{Message, Subscriber};
use attune::domain::{CustomerId, Partition};
use attune::stream::server::NatsServer;
use bytes::Bytes;
use expect_test::{Expect, expect};
use futures::StreamExt;
use serde_json::{Value, json};

use crate::server::{Attune, PATIENCE, Place, good};

const ONE_PARTITION: &str = "nats: { partitions: 1 }\nstore: { cache_mb: 16 }\n";

#[tokio::test]
async fn what_is_no_event_becomes_a_dead_letter() {
    let cases = [
        ("empty", bytes("")),
        ("spaces", bytes("  \r\n ")),
        (
            "cut off",
            bytes(r#"{"type":"track","userId":"a","event":"Go"#),
        ),
        (
            "more behind it",
            bytes(r#"{"type":"track","userId":"a","event":"Good"} {}"#),
        ),
        (
            "not UTF-8",
            Bytes::from_static(b"{\"type\":\"track\",\"userId\":\"\xff\xfe\"}"),
        ),
        (
            "half a surrogate",
            bytes(r#"{"type":"track","userId":"\ud800","event":"Good"}"#),
        ),
        ("byte order mark", bytes("\u{feff}{}")),
        ("zero bytes", Bytes::from_static(&[0; 64])),
        (
            "array",
            bytes(r#"[{"type":"track","userId":"a","event":"Good"}]"#),
        ),
        (
            "list of fields",
            bytes(r#"["track","m","a",null,"Good",{"item":1}]"#),
        ),
        ("number", bytes("42")),
        ("null", bytes("null")),
        ("text", bytes(r#""track""#)),
        ("empty object", bytes("{}")),
        ("brackets", bytes(&"[".repeat(10_000))),
        (
            "key twice",
            bytes(r#"{"type":"track","type":"track","userId":"a","event":"Good"}"#),
        ),
        ("unknown type", bytes(r#"{"type":"purchase","userId":"a"}"#)),
        (
            "type in capitals",
            bytes(r#"{"type":"TRACK","userId":"a","event":"Good"}"#),
        ),
        (
            "long type",
            bytes(&format!(
                r#"{{"type":"{}","userId":"a"}}"#,
                "t\\n".repeat(9_000)
            )),
        ),
    ];
    check(cases, &expect![[r#"
        empty: dead, undecodable: not an event: EOF while parsing a value at line 1 column 0
        spaces: dead, undecodable: not an event: EOF while parsing a value at line 2 column 1
        cut off: dead, undecodable: not an event: EOF while parsing a string at line 1 column 40
        more behind it: dead, undecodable: not an event: trailing characters at line 1 column 46
        not UTF-8: dead, undecodable: not UTF-8: invalid utf-8 sequence of 1 bytes from index 26
        half a surrogate: dead, undecodable: not an event: unexpected end of hex escape at line 1 column 33
        byte order mark: dead, undecodable: not an event: expected value at line 1 column 1
        zero bytes: dead, undecodable: not an event: expected value at line 1 column 1
        array: dead, undecodable: not an event: a list, expected an object
        list of fields: dead, undecodable: not an event: a list, expected an object
        number: dead, undecodable: not an event: invalid type: integer `42`, expected an object at line 1 column 2
        null: dead, undecodable: not an event: invalid type: null, expected an object at line 1 column 4
        text: dead, undecodable: not an event: invalid type: string "track", expected an object at line 1 column 7
        empty object: dead, undecodable: `type` is missing
        brackets: dead, undecodable: not an event: a list, expected an object
        key twice: dead, undecodable: not an event: duplicate field `type` at line 1 column 22
        unknown type: dead, undecodable: `type` is `purchase`, expected track, identify, page, screen, group or alias
        type in capitals: dead, undecodable: `type` is `TRACK`, expected track, identify, page, screen, group or alias
        long type: dead, undecodable: `type` is `t t t t t t t t t t t t t t t t t t t t …`, expected track, identify, page, screen, group or alias
    "#]]).await;
}

#[tokio::test]
async fn fields_of_the_wrong_type_become_dead_letters_or_count_as_missing() {
    let fields = [
        "type",
        "messageId",
        "userId",
        "anonymousId",
        "event",
        "properties",
        "traits",
        "context",
        "timestamp",
        "originalTimestamp",
        "sentAt",
    ];
    let values = [
        json!(null),
        json!(true),
        json!(1.5),
        json!(7),
        json!([]),
        json!({}),
        json!(""),
    ];
    let mut cases = Vec::new();
    for field in fields {
        for value in &values {
            let name = format!("{field} {value}");
            let mut event = good("a", &json!({ "messageId": name, "anonymousId": "b" }));
            event[field] = value.clone();
            cases.push((name, bytes(&event.to_string())));
        }
    }
    check(cases, &expect![[r#"
        type null: dead, undecodable: `type` is missing
        type true: dead, undecodable: `type` is `true`, expected a text
        type 1.5: dead, undecodable: `type` is `1.5`, expected a text
        type 7: dead, undecodable: `type` is `7`, expected a text
        type []: dead, undecodable: `type` is `[]`, expected a text
        type {}: dead, undecodable: `type` is `{}`, expected a text
        type "": dead, undecodable: `type` is ``, expected track, identify, page, screen, group or alias
        messageId null: action for "a"
        messageId true: dead, undecodable: `messageId` is `true`, expected a text
        messageId 1.5: dead, undecodable: `messageId` is `1.5`, expected a text
        messageId 7: action for "a"
        messageId []: dead, undecodable: `messageId` is `[]`, expected a text
        messageId {}: dead, undecodable: `messageId` is `{}`, expected a text
        messageId "": action for "a"
        userId null: action for "b"
        userId true: dead, undecodable: `userId` is `true`, expected a text
        userId 1.5: dead, undecodable: `userId` is `1.5`, expected a text
        userId 7: action for "7"
        userId []: dead, undecodable: `userId` is `[]`, expected a text
        userId {}: dead, undecodable: `userId` is `{}`, expected a text
        userId "": action for "b"
        anonymousId null: action for "a"
        anonymousId true: dead, undecodable: `anonymousId` is `true`, expected a text
        anonymousId 1.5: dead, undecodable: `anonymousId` is `1.5`, expected a text
        anonymousId 7: action for "a"
        anonymousId []: dead, undecodable: `anonymousId` is `[]`, expected a text
        anonymousId {}: dead, undecodable: `anonymousId` is `{}`, expected a text
        anonymousId "": action for "a"
        event null: dead, undecodable: a track event has no `event`
        event true: dead, undecodable: `event` is `true`, expected a text
        event 1.5: dead, undecodable: `event` is `1.5`, expected a text
        event 7: dead, undecodable: `event` is `7`, expected a text
        event []: dead, undecodable: `event` is `[]`, expected a text
        event {}: dead, undecodable: `event` is `{}`, expected a text
        event "": dead, undecodable: a track event has no `event`
        properties null: no action
        properties true: dead, undecodable: `properties` is not an object
        properties 1.5: dead, undecodable: `properties` is not an object
        properties 7: dead, undecodable: `properties` is not an object
        properties []: dead, undecodable: `properties` is not an object
        properties {}: no action
        properties "": dead, undecodable: `properties` is not an object
        traits null: action for "a"
        traits true: dead, undecodable: `traits` is not an object
        traits 1.5: dead, undecodable: `traits` is not an object
        traits 7: dead, undecodable: `traits` is not an object
        traits []: dead, undecodable: `traits` is not an object
        traits {}: action for "a"
        traits "": dead, undecodable: `traits` is not an object
        context null: action for "a"
        context true: dead, undecodable: `context` is not an object
        context 1.5: dead, undecodable: `context` is not an object
        context 7: dead, undecodable: `context` is not an object
        context []: dead, undecodable: `context` is not an object
        context {}: action for "a"
        context "": dead, undecodable: `context` is not an object
        timestamp null: action for "a"
        timestamp true: dead, undecodable: `timestamp` is `true`, expected a text
        timestamp 1.5: dead, undecodable: `timestamp` is `1.5`, expected a text
        timestamp 7: dead, undecodable: `timestamp` is `7`, expected a text
        timestamp []: dead, undecodable: `timestamp` is `[]`, expected a text
        timestamp {}: dead, undecodable: `timestamp` is `{}`, expected a text
        timestamp "": dead, undecodable: `timestamp` is ``, expected RFC 3339 such as 2026-01-31T10:00:00Z
        originalTimestamp null: action for "a"
        originalTimestamp true: dead, undecodable: `originalTimestamp` is `true`, expected a text
        originalTimestamp 1.5: dead, undecodable: `originalTimestamp` is `1.5`, expected a text
        originalTimestamp 7: dead, undecodable: `originalTimestamp` is `7`, expected a text
        originalTimestamp []: dead, undecodable: `originalTimestamp` is `[]`, expected a text
        originalTimestamp {}: dead, undecodable: `originalTimestamp` is `{}`, expected a text
        originalTimestamp "": dead, undecodable: `originalTimestamp` is ``, expected RFC 3339 such as 2026-01-31T10:00:00Z
        sentAt null: action for "a"
        sentAt true: dead, undecodable: `sentAt` is `true`, expected a text
        sentAt 1.5: dead, undecodable: `sentAt` is `1.5`, expected a text
        sentAt 7: dead, undecodable: `sentAt` is `7`, expected a text
        sentAt []: dead, undecodable: `sentAt` is `[]`, expected a text
        sentAt {}: dead, undecodable: `sentAt` is `{}`, expected a text
        sentAt "": action for "a"
    "#]]).await;
}

#[tokio::test]
async fn ids_and_names_may_hold_anything_but_control_characters() {
    let mut cases = Vec::new();
    let ids = [
        "",
        " ",
        "a.b",
        "*",
        ">",
        "a b",
        " trimmed ",
        "a\r\nb",
        "a\0b",
        "a\u{7f}b",
        "😀",
        "שלום",
        "a\u{202e}b",
        "a\u{feff}b",
        "'; DROP TABLE --",
        "{{x}}",
        "../../etc",
        "%2e%2e/",
        "null",
    ];
    for id in ids {
        cases.push((format!("userId {id:?}"), good(id, &json!({}))));
    }
    for n in [512, 513, 100_000] {
        cases.push((
            format!("userId of {n} bytes"),
            good(&"u".repeat(n), &json!({})),
        ));
    }
    for id in [json!(0), json!(-1), json!(u64::MAX), json!(1e30)] {
        cases.push((format!("userId {id}"), good("", &json!({ "userId": id }))));
    }
    cases.push((
        "anonymousId only".into(),
        good("", &json!({ "anonymousId": "b" })),
    ));
    cases.push((
        "messageId empty".into(),
        good("a", &json!({ "messageId": "" })),
    ));
    cases.push((
        "messageId with lines".into(),
        good("a", &json!({ "messageId": "x\r\ny: z" })),
    ));
    cases.push((
        "messageId, long".into(),
        good("a", &json!({ "messageId": "x".repeat(9_000) })),
    ));
    cases.push((
        "messageId, again".into(),
        good("a", &json!({ "messageId": "x".repeat(9_000) })),
    ));
    for name in [
        "", " ", " Good ", "g", "good", "Goöd", "a.b.*.>", "Good\n", "G\0",
    ] {
        cases.push((
            format!("event {name:?}"),
            good("a", &json!({ "event": name })),
        ));
    }
    for n in [256, 257] {
        cases.push((
            format!("event of {n} bytes"),
            good("a", &json!({ "event": "e".repeat(n) })),
        ));
    }
    let cases = cases
        .into_iter()
        .map(|(name, event)| (name, bytes(&event.to_string())));
    check(cases, &expect![[r#"
        userId "": dead, undecodable: neither `userId` nor `anonymousId` is there
        userId " ": dead, undecodable: neither `userId` nor `anonymousId` is there
        userId "a.b": action for "a.b"
        userId "*": action for "*"
        userId ">": action for ">"
        userId "a b": action for "a b"
        userId " trimmed ": action for "trimmed"
        userId "a\r\nb": dead, undecodable: a customer id has a control character
        userId "a\0b": dead, undecodable: a customer id has a control character
        userId "a\u{7f}b": dead, undecodable: a customer id has a control character
        userId "😀": action for "😀"
        userId "שלום": action for "שלום"
        userId "a\u{202e}b": action for "a\u{202e}b"
        userId "a\u{feff}b": action for "a\u{feff}b"
        userId "'; DROP TABLE --": action for "'; DROP TABLE --"
        userId "{{x}}": action for "{{x}}"
        userId "../../etc": action for "../../etc"
        userId "%2e%2e/": action for "%2e%2e/"
        userId "null": action for "null"
        userId of 512 bytes: action for "uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu…uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu"
        userId of 513 bytes: dead, undecodable: a customer id has 513 bytes, at most 512 are allowed
        userId of 100000 bytes: dead, undecodable: a customer id has 100000 bytes, at most 512 are allowed
        userId 0: action for "0"
        userId -1: action for "-1"
        userId 18446744073709551615: action for "18446744073709551615"
        userId 1e+30: dead, undecodable: `userId` is `1e+30`, expected a text
        anonymousId only: action for "b"
        messageId empty: action for "a"
        messageId with lines: action for "a"
        messageId, long: action for "a"
        messageId, again: no action
        event "": dead, undecodable: a track event has no `event`
        event " ": dead, undecodable: a track event has no `event`
        event " Good ": action for "a"
        event "g": no action
        event "good": no action
        event "Goöd": no action
        event "a.b.*.>": no action
        event "Good\n": action for "a"
        event "G\0": no action
        event of 256 bytes: no action
        event of 257 bytes: dead, undecodable: `event` has 257 bytes, at most 256 are allowed
    "#]]).await;
}

#[tokio::test]
async fn numbers_and_times_at_the_edges_are_handled_or_refused() {
    let mut cases = Vec::new();
    let numbers = [
        "1",
        "-0",
        "0.0",
        "1e308",
        "-1e308",
        "1e309",
        "1e999",
        "1e-400",
        "NaN",
        "Infinity",
        "01",
        "18446744073709551616",
        "123456789012345678901234567890",
        "true",
        "\"1\"",
        "[1]",
        "null",
    ];
    for number in numbers {
        let event = good("a", &json!({})).to_string();
        let event = event.replace(r#""item":1"#, &format!(r#""item":{number}"#));
        cases.push((format!("item {number}"), bytes(&event)));
    }
    let times = [
        "1970-01-01T00:00:00Z",
        "1969-12-31T23:59:59.999Z",
        "0000-01-01T00:00:00Z",
        "-009999-01-02T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:59-12:00",
        "10000-01-01T00:00:00Z",
        "+010000-01-01T00:00:00Z",
        "2024-02-30T00:00:00Z",
        "2026-01-31T10:00:60Z",
        "2026-01-31T24:00:00Z",
        "2026-01-31T10:00:00",
        "2026-01-31",
        "2026-01-31 10:00:00Z",
        "2026-01-31T10:00:00+99:99",
        "yesterday",
        "1769853600000",
        "",
    ];
    for time in times {
        let event = good("a", &json!({ "timestamp": time }));
        cases.push((format!("timestamp {time:?}"), bytes(&event.to_string())));
    }
    let pairs = [
        ("9999-12-31T23:59:59Z", "1970-01-01T00:00:00Z"),
        ("1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
        ("-009999-01-02T00:00:00Z", "9999-12-31T23:59:59Z"),
    ];
    for (original, sent) in pairs {
        let event = good(
            "a",
            &json!({ "originalTimestamp": original, "sentAt": sent }),
        );
        cases.push((
            format!("original {original} sent {sent}"),
            bytes(&event.to_string()),
        ));
    }
    check(cases, &expect![[r#"
        item 1: action for "a"
        item -0: no action
        item 0.0: no action
        item 1e308: action for "a"
        item -1e308: no action
        item 1e309: dead, undecodable: `properties`: number out of range at line 1 column 13
        item 1e999: dead, undecodable: `properties`: number out of range at line 1 column 13
        item 1e-400: no action
        item NaN: dead, undecodable: not an event: expected value at line 1 column 38
        item Infinity: dead, undecodable: not an event: expected value at line 1 column 38
        item 01: dead, undecodable: not an event: invalid number at line 1 column 39
        item 18446744073709551616: action for "a"
        item 123456789012345678901234567890: action for "a"
        item true: no action
        item "1": no action
        item [1]: no action
        item null: no action
        timestamp "1970-01-01T00:00:00Z": action for "a"
        timestamp "1969-12-31T23:59:59.999Z": action for "a"
        timestamp "0000-01-01T00:00:00Z": action for "a"
        timestamp "-009999-01-02T00:00:00Z": dead, undecodable: `timestamp` is `-009999-01-02T00:00:00Z`, expected RFC 3339 such as 2026-01-31T10:00:00Z
        timestamp "9999-12-31T23:59:59Z": dead, undecodable: `timestamp` is `9999-12-31T23:59:59Z`, expected RFC 3339 such as 2026-01-31T10:00:00Z
        timestamp "9999-12-31T23:59:59-12:00": dead, undecodable: `timestamp` is `9999-12-31T23:59:59-12:00`, expected RFC 3339 such as 2026-01-31T10:00:00Z
        timestamp "10000-01-01T00:00:00Z": dead, undecodable: `timestamp` is `10000-01-01T00:00:00Z`, expected RFC 3339 such as 2026-01-31T10:00:00Z
        timestamp "+010000-01-01T00:00:00Z": dead, undecodable: `timestamp` is `+010000-01-01T00:00:00Z`, expected RFC 3339 such as 2026-01-31T10:00:00Z
        timestamp "2024-02-30T00:00:00Z": dead, undecodable: `timestamp` is `2024-02-30T00:00:00Z`, expected RFC 3339 such as 2026-01-31T10:00:00Z
        timestamp "2026-01-31T10:00:60Z": action for "a"
        timestamp "2026-01-31T24:00:00Z": dead, undecodable: `timestamp` is `2026-01-31T24:00:00Z`, expected RFC 3339 such as 2026-01-31T10:00:00Z
        timestamp "2026-01-31T10:00:00": dead, undecodable: `timestamp` is `2026-01-31T10:00:00`, expected RFC 3339 such as 2026-01-31T10:00:00Z
        timestamp "2026-01-31": dead, undecodable: `timestamp` is `2026-01-31`, expected RFC 3339 such as 2026-01-31T10:00:00Z
        timestamp "2026-01-31 10:00:00Z": action for "a"
        timestamp "2026-01-31T10:00:00+99:99": dead, undecodable: `timestamp` is `2026-01-31T10:00:00+99:99`, expected RFC 3339 such as 2026-01-31T10:00:00Z
        timestamp "yesterday": dead, undecodable: `timestamp` is `yesterday`, expected RFC 3339 such as 2026-01-31T10:00:00Z
        timestamp "1769853600000": dead, undecodable: `timestamp` is `1769853600000`, expected RFC 3339 such as 2026-01-31T10:00:00Z
        timestamp "": dead, undecodable: `timestamp` is ``, expected RFC 3339 such as 2026-01-31T10:00:00Z
        original 9999-12-31T23:59:59Z sent 1970-01-01T00:00:00Z: dead, undecodable: `originalTimestamp` is `9999-12-31T23:59:59Z`, expected RFC 3339 such as 2026-01-31T10:00:00Z
        original 1970-01-01T00:00:00Z sent 9999-12-31T23:59:59Z: dead, undecodable: `sentAt` is `9999-12-31T23:59:59Z`, expected RFC 3339 such as 2026-01-31T10:00:00Z
        original -009999-01-02T00:00:00Z sent 9999-12-31T23:59:59Z: dead, undecodable: `sentAt` is `9999-12-31T23:59:59Z`, expected RFC 3339 such as 2026-01-31T10:00:00Z
    "#]]).await;
}

#[tokio::test]
async fn events_that_are_large_or_deep_stay_within_bounds() {
    let padded = |n: usize| {
        let event = good("a", &json!({ "context": { "padding": "" } })).to_string();
        let padding = "x".repeat(n - event.len());
        bytes(&event.replace(r#""padding":"""#, &format!(r#""padding":"{padding}""#)))
    };
    let nested = |n: usize, name: &str| {
        let event = good("a", &json!({ "event": name })).to_string();
        let deep = "[".repeat(n) + &"]".repeat(n);
        bytes(&event.replace(r#""item":1"#, &format!(r#""item":1,"deep":{deep}"#)))
    };
    let list: Vec<u32> = (0..100_000).map(|n| n % 10).collect();
    let traits: BTreeMap<String, u32> = (0..10_000).map(|n| (format!("t{n}"), n)).collect();
    let identify = json!({ "type": "identify", "userId": "big", "traits": traits });
    let keys: Vec<_> = (0..20_000).map(|n| format!(r#""item":{n},"#)).collect();
    let keys = keys.concat();
    let event = good("a", &json!({})).to_string();
    let twice = event.replace(r#""item":1"#, &format!("{keys}\"item\":1"));
    let cases = [
        ("256 KB", padded(256 << 10)),
        ("256 KB and a byte", padded((256 << 10) + 1)),
        ("10 MB", padded(10 << 20)),
        ("10 MB of zero bytes", Bytes::from(vec![0; 10 << 20])),
        (
            "a list of 100,000",
            bytes(&event.replace(
                "\"item\":1",
                &format!("\"item\":1,\"list\":{}", json!(list)),
            )),
        ),
        ("deep, 100", nested(100, "Good")),
        ("deep, 10,000", nested(10_000, "Good")),
        ("deep, 100,000", nested(100_000, "Good")),
        ("deep, 10,000, nobody looks", nested(10_000, "Other")),
        ("a key 20,000 times", bytes(&twice)),
        ("10,000 traits", bytes(&identify.to_string())),
        (
            "a customer with 10,000 traits",
            bytes(&good("big", &json!({})).to_string()),
        ),
    ];
    check(cases, &expect![[r#"
        256 KB: action for "a"
        256 KB and a byte: dead, too_large: 262145 bytes, at most 262144 are allowed
        10 MB: dead, too_large: 10485760 bytes, at most 262144 are allowed
        10 MB of zero bytes: dead, too_large: 10485760 bytes, at most 262144 are allowed
        a list of 100,000: action for "a"
        deep, 100: action for "a"
        deep, 10,000: dead, undecodable: `properties`: recursion limit exceeded at line 1 column 144
        deep, 100,000: dead, undecodable: `properties`: recursion limit exceeded at line 1 column 144
        deep, 10,000, nobody looks: no action
        a key 20,000 times: action for "a"
        10,000 traits: no action
        a customer with 10,000 traits: action for "big"
    "#]]).await;
}

#[tokio::test]
async fn an_event_in_the_wrong_partition_finds_its_customer() {
    let place = Place::new("nats: { partitions: 2 }\nstore: { engine: memory }\n");
    let mut shop = Shop::open(&place).await;
    let wrong = |id: &str| {
        let right = CustomerId::parse(id).unwrap().partition(2);
        let mut tokens = (0..).map(|n| format!("any-{n}"));
        tokens
            .find(|token| Partition::of_token(token, 2) != right)
            .unwrap()
    };
    for id in ["anna", "bert", "😀 with lines"] {
        let event = good(id, &json!({ "messageId": "m\r\nx" })).to_string();
        shop.publish(&wrong(id), bytes(&event)).await;
        assert_eq!(shop.action().await["customer"], id);
    }
}

#[tokio::test]
async fn an_action_that_the_server_never_takes_becomes_a_dead_letter_and_holds_up_nobody() {
    let place = Place::new(ONE_PARTITION);
    let twice = "profile.traits, more: profile.traits";
    let policy = crate::server::POLICY.replace("profile.traits.name", twice);
    place.write("policies/hello.yaml", policy);
    let mut shop = Shop::on(&place, place.nats_that_takes(64 << 10, None).await).await;
    for name in ["a", "b"] {
        let traits = json!({ name: "x".repeat(30 << 10) });
        let event = json!({ "type": "identify", "userId": "large", "traits": traits });
        shop.publish("any", bytes(&event.to_string())).await;
    }
    for customer in ["large", "small"] {
        let event = good(customer, &json!({})).to_string();
        shop.publish("any", bytes(&event)).await;
    }
    assert_eq!(shop.action().await["customer"], "small");
    let next = tokio::time::timeout(PATIENCE, shop.dead.next()).await;
    let letter = next.expect("no dead letter comes").unwrap();
    let headers = letter.headers.as_ref().unwrap();
    let header = |name: &str| headers.get(name).unwrap().as_str();
    let shown = format!(
        "{}: {}: {}",
        letter.subject,
        header("Attune-Reason"),
        header("Attune-Error")
    );
    expect!["attune.dlq.undeliverable: undeliverable: a message of 123274 bytes is larger than the server's `max_payload` of 65536"].assert_eq(&shown);
    let (status, timeline) = shop
        .attune
        .get("/v1/customers/large/timeline")
        .await
        .unwrap();
    assert_eq!(status, 200);
    assert!(timeline.contains(header("Attune-Message-Id")), "{timeline}");
}

fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

/// Publishes each case and a good event behind it, and compares what came of the cases.
async fn check(cases: impl IntoIterator<Item = (impl ToString, Bytes)>, expected: &Expect) {
    let place = Place::new(ONE_PARTITION);
    let mut shop = Shop::open(&place).await;
    let mut results = Vec::new();
    for (name, payload) in cases {
        let seq = shop.publish("any", payload.clone()).await;
        let customer = format!("good-{seq}");
        shop.publish("any", bytes(&good(&customer, &json!({})).to_string()))
            .await;
        let mut actions = Vec::new();
        loop {
            let action = shop.action().await;
            if action["customer"] == customer.as_str() {
                break;
            }
            actions.push(format!(
                "action for {:?}",
                action["customer"].as_str().unwrap()
            ));
        }
        results.push((name.to_string(), seq, payload, actions));
    }
    // What is dead leaves with its commit, in order: behind this action all are there.
    let mut dead = shop.dead_letters().await;
    let mut table = String::new();
    for (name, seq, payload, actions) in results {
        let outcome = match (actions.as_slice(), dead.remove(&seq)) {
            ([], None) => "no action".into(),
            ([action], None) => short(action),
            ([], Some(letter)) => shown(&letter, &payload),
            (actions, dead) => format!("{actions:?} and {dead:?}"),
        };
        writeln!(table, "{}: {outcome}", short(&name)).unwrap();
    }
    expected.assert_eq(&table);
    assert!(dead.is_empty(), "{dead:?}");
    assert!(
        !shop.attune.log().contains("panicked"),
        "{}",
        shop.attune.log()
    );
}

/// Says what a dead letter says of itself, after a look at its bytes.
fn shown(letter: &Message, payload: &Bytes) -> String {
    assert!(
        letter.payload == *payload,
        "the bytes of a dead letter differ"
    );
    let headers = letter.headers.as_ref().unwrap();
    let header = |name: &str| headers.get(name).unwrap().as_str();
    assert_eq!(
        letter.subject.as_str(),
        format!("attune.dlq.{}", header("Attune-Reason"))
    );
    format!(
        "dead, {}: {}",
        header("Attune-Reason"),
        short(header("Attune-Error"))
    )
}

/// Cuts a text in its middle.
fn short(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() <= 120 {
        return text.to_owned();
    }
    let part = |chars: &[char]| chars.iter().collect::<String>();
    format!(
        "{}…{}",
        part(&chars[..60]),
        part(&chars[chars.len() - 40..])
    )
}

/// A server, and who sends to it and reads from it.
struct Shop {
    attune: Attune,
    jetstream: Context,
    actions: Subscriber,
    dead: Subscriber,
    _nats: NatsServer,
}

impl Shop {
    async fn open(place: &Place) -> Self {
        Self::on(place, place.nats(None).await).await
    }

    async fn on(place: &Place, nats: NatsServer) -> Self {
        let attune = place.serve(&nats.url()).await;
        let client = async_nats::connect(nats.url()).await.unwrap();
        Self {
            attune,
            actions: client.subscribe("attune.actions.>").await.unwrap(),
            dead: client.subscribe("attune.dlq.>").await.unwrap(),
            jetstream: async_nats::jetstream::new(client),
            _nats: nats,
        }
    }

    /// Publishes an event; returns its sequence.
    async fn publish(&self, token: &str, payload: Bytes) -> u64 {
        let subject = format!("attune.events.{token}");
        let stored = self.jetstream.publish(subject, payload).await.unwrap();
        stored.await.unwrap().sequence
    }

    /// Waits for the next action.
    async fn action(&mut self) -> Value {
        let next = tokio::time::timeout(PATIENCE, self.actions.next()).await;
        let next = next.unwrap_or_else(|_| panic!("no action comes: {}", self.attune.log()));
        serde_json::from_slice(&next.unwrap().payload).unwrap()
    }

    /// Returns all dead letters by the sequence of their events.
    async fn dead_letters(&mut self) -> BTreeMap<u64, Message> {
        let last = self.publish("any", bytes("the last one")).await;
        let mut letters = BTreeMap::new();
        loop {
            let next = tokio::time::timeout(PATIENCE, self.dead.next()).await;
            let letter = next.expect("no dead letter comes").unwrap();
            let headers = letter.headers.as_ref().unwrap();
            let seq = headers.get("Attune-Stream-Seq").unwrap().as_str();
            let seq: u64 = seq.parse().unwrap();
            if seq == last {
                return letters;
            }
            letters.insert(seq, letter);
        }
    }
}
