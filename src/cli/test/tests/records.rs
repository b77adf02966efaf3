//! What a real customer did becomes a test that holds.

use expect_test::{Expect, expect};

use super::{SHOP, compiled};
use crate::cli::test::past::{BEFORE_MAX, Past};
use crate::cli::test::record::record;
use crate::cli::test::suite;
use crate::domain::event::Kind;
use crate::domain::{CustomerId, Duration, Event, EventId, Score, Timestamp, Value};
use crate::scoring::Scripted;

const CONSENT: &str = r#"0s identify {"consent":{"email":"granted"},"email":"anna@example.org"}"#;

#[test]
fn a_reminder_is_recorded_with_what_was_told_before() {
    check_record(
        &[CONSENT],
        &[
            r#"1h Product Added {"product_id":"a","price":3}"#,
            r#"70m Product Added {"product_id":"b"}"#,
            r"71m page {}",
        ],
        "3h",
        &expect![[r##"
            # Decide calls are not in the event stream: what they gave fills no caps here.
            test: "cart of anna at 2026-03-02T09:00:00.000Z"
            journey: cart
            start: 2026-03-02T09:00:00.000Z
            customer: { id: anna, traits: { email: anna@example.org }, consent: { email: { marketing: granted } }, reachable: none }
            split: { "1": loud }
            models: { accept: real, intent: 0.25 }
            timeline:
              - { at: 0s, event: Product Added, properties: { price: 3, product_id: a }, expect: { sent: none, state: running, at_step: hold_until } }
              - { at: 10m, event: Product Added, properties: { product_id: b }, expect: { sent: none, refused: ALREADY_IN, state: running, at_step: hold_until } }
              - { at: 11m, page: {} }
              - { at: 40m, expect: { sent: come-back, state: completed, reason: completed } }
              - { at: 2h, expect: { sent: none, state: completed, reason: completed } }
        "##]],
    );
}

#[test]
fn who_allowed_nothing_is_recorded_as_blocked() {
    check_record(
        &[],
        &[
            r#"1h Product Added {"product_id":"a"}"#,
            "2h Order Completed {}",
        ],
        "3h",
        &expect![[r##"
            # Decide calls are not in the event stream: what they gave fills no caps here.
            test: "cart of anna at 2026-03-02T09:00:00.000Z"
            journey: cart
            start: 2026-03-02T09:00:00.000Z
            customer: { id: anna, reachable: none }
            split: { "1": loud }
            models: { accept: real, intent: 0.25 }
            timeline:
              - { at: 0s, event: Product Added, properties: { product_id: a }, expect: { sent: none, state: running, at_step: hold_until } }
              - { at: 30m, expect: { sent: none, blocked: NO_CONSENT, state: completed, reason: completed } }
              - { at: 1h, event: Order Completed, properties: {} }
              - { at: 2h, expect: { sent: none, state: completed, reason: completed } }
        "##]],
    );
}

#[test]
fn a_run_in_progress_is_recorded_with_what_led_to_it() {
    check_record(
        &[
            CONSENT,
            r#"40m Product Added {"product_id":"a","price":3}"#,
            r#"50m Product Added {"product_id":"b","price":4}"#,
        ],
        &[r#"1h Cart Viewed {}"#],
        "3h",
        &expect![[r##"
            # The first 2 events came before: they say where the customer stood.
            # Decide calls are not in the event stream: what they gave fills no caps here.
            test: "cart of anna at 2026-03-02T09:00:00.000Z"
            journey: cart
            start: 2026-03-02T08:40:00.000Z
            customer: { id: anna, traits: { email: anna@example.org }, consent: { email: { marketing: granted } }, reachable: none }
            split: { "1": loud }
            models: { accept: real, intent: 0.25 }
            timeline:
              - { at: 0s, event: Product Added, properties: { price: 3, product_id: a } }
              - { at: 10m, event: Product Added, properties: { price: 4, product_id: b }, expect: { sent: none, refused: ALREADY_IN, state: running, at_step: hold_until } }
              - { at: 20m, event: Cart Viewed, properties: {} }
              - { at: 40m, expect: { sent: come-back, state: completed, reason: completed } }
              - { at: 2h20m, expect: { sent: none, state: completed, reason: completed } }
        "##]],
    );
}

#[test]
fn of_too_many_events_before_the_last_ones_are_recorded_and_the_rest_is_told() {
    let name = |n: usize| format!(r#"{n}s Product Viewed {{"product_id":"p{n}"}}"#);
    let before: Vec<String> = (0..BEFORE_MAX + 7).map(name).collect();
    let past = Past {
        customer: CustomerId::parse("anna").unwrap(),
        before: before.iter().map(|line| event(line)).collect(),
        events: vec![event(r#"1h Product Added {"product_id":"a"}"#)],
        until: at("3h"),
    };
    let (bundle, _) = compiled(SHOP);
    let texts = record(&bundle, &Scripted::default(), &past, None).unwrap();
    let notes: Vec<&str> = texts[0].lines().take(3).collect();
    expect![[r#"
        # The first 500 events came before: they say where the customer stood.
        # Not exact: 7 events before that are left out, and what followed from them.
        # Decide calls are not in the event stream: what they gave fills no caps here."#]]
    .assert_eq(&notes.join("\n"));
    assert_eq!(texts[0].matches("Product Viewed").count(), BEFORE_MAX);
}

#[test]
fn where_no_journey_began_there_is_nothing_to_record() {
    check_record(
        &[],
        &["1h Cart Viewed {}"],
        "3h",
        &expect!["no journey concerned `anna` in this time (events read: 1)"],
    );
}

/// Records events, `AT NAME {data}` a line, and checks the documents, which must hold.
fn check_record(before: &[&str], events: &[&str], until: &str, expected: &Expect) {
    let (bundle, _) = compiled(SHOP);
    let scorer = Scripted::default().with("intent", Score::Value(0.25));
    let past = Past {
        customer: CustomerId::parse("anna").unwrap(),
        before: before.iter().map(|line| event(line)).collect(),
        events: events.iter().map(|line| event(line)).collect(),
        until: at(until) + Duration::from_millis(123),
    };
    let texts = match record(&bundle, &scorer, &past, None) {
        Ok(texts) => texts.join("---\n"),
        Err(error) => return expected.assert_eq(&error.to_string()),
    };
    expected.assert_eq(&texts);
    let (bundle, recorded) = compiled(&format!("{SHOP}{texts}"));
    assert!(!recorded.is_empty());
    for report in suite::run(&bundle, &recorded, &scorer) {
        assert!(
            report.holds(),
            "{}",
            crate::cli::test::shown::failed(&bundle, &report)
        );
    }
}

fn at(time: &str) -> Timestamp {
    Timestamp::parse("2026-03-02T08:00:00Z").unwrap() + Duration::parse(time).unwrap()
}

fn event(line: &str) -> (Timestamp, Event) {
    let (time, what) = line.split_once(' ').unwrap();
    let (name, data) = what.split_once('{').unwrap();
    let data: Value = serde_json::from_str(&format!("{{{data}")).unwrap();
    let kind = Kind::parse(name.trim()).unwrap_or(Kind::Track);
    let (properties, traits) = if kind == Kind::Identify {
        (Value::Null, data)
    } else {
        (data, Value::Null)
    };
    let event = Event {
        id: EventId::new(line),
        kind,
        name: name.trim().into(),
        at: at(time),
        properties,
        traits,
        context: Value::Null,
    };
    (at(time), event)
}
