//! A customer's state is bounded, whatever is told of them; what does not fit is unknown and said.

use std::fmt::Write;

use expect_test::expect;

use super::World;
use crate::decide::features::value;
use crate::domain::{Profile, Value};
use crate::policy::feature::Feature;

const POLICY: &str = "
journey: cart
enter:
  event: Product Added
  key: event.properties.cart
  reentry: { concurrent: 300 }
steps: [ { wait: 1d }, { set: { note: entry.properties.note } } ]
---
journey: quiet
enter: { absent: { event: Order Completed, for: 7d, after: { event: Looked } }, key: event.properties.key }
steps: [stop]
---
features:
  seen: { last: { event: Looked, of: event.properties.note } }
  usual: { mode: { event: Looked, of: event.properties.note }, window: 7d }
";

/// Bytes of a text.
fn long(n: usize) -> String {
    "x".repeat(n)
}

#[test]
fn traits_without_room_are_unknown_and_said() {
    let mut world = World::with(POLICY, super::customer());
    let half = long(40_000);
    world.line(&format!(
        r#"1h identify {{"plan":"gold","about":"{half}"}}"#
    ));
    world.line(&format!(
        r#"2h identify {{"more":"{half}","plan":"silver"}}"#
    ));
    let has = |world: &World, name: &str| world.profile.traits.get(name).is_some();
    assert!(has(&world, "about") && !has(&world, "more"));
    assert_eq!(
        world.profile.traits.get("plan"),
        Some(&Value::text("silver"))
    );
    // A new value that does not fit leaves no old one behind.
    world.line(&format!(r#"3h identify {{"plan":"{half}"}}"#));
    assert!(!has(&world, "plan"));
    // A smaller one makes room.
    world.line(&format!(
        r#"4h identify {{"about":"short","more":"{half}"}}"#
    ));
    assert!(has(&world, "about") && has(&world, "more"));
    expect![[r#"
        profile  STATE_FULL 1x traits.more: unknown, for all traits have at most 65536 bytes
        profile  STATE_FULL 1x traits.plan: unknown, for all traits have at most 65536 bytes
    "#]]
    .assert_eq(&unkept(&world));
}

#[test]
fn thousands_of_traits_stay_within_their_room() {
    let mut world = World::with(POLICY, super::customer());
    for n in 0..4 {
        let traits = (0..1_000).map(|idx| format!(r#""t{n}_{idx}":"{}""#, long(50)));
        let traits: Vec<String> = traits.collect();
        world.line(&format!("{n}h identify {{{}}}", traits.join(",")));
    }
    world.line(&format!(r#"5h identify {{"{}":1}}"#, long(70_000)));
    let n_bytes = world.profile.traits.n_bytes();
    assert!(n_bytes <= Profile::TRAITS_BYTES_MAX, "{n_bytes}");
    expect![[r#"
        profile  STATE_FULL 1x traits.t1_182, traits.t1_183, traits.t1_184, traits.t1_185 and 903 more: unknown, for all traits have at most 65536 bytes
        profile  STATE_FULL 1x traits.t2_0, traits.t2_1, traits.t2_10, traits.t2_100 and 996 more: unknown, for all traits have at most 65536 bytes
        profile  STATE_FULL 1x traits.t3_0, traits.t3_1, traits.t3_10, traits.t3_100 and 996 more: unknown, for all traits have at most 65536 bytes
        profile  STATE_FULL 1x traits.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx: unknown, for all traits have at most 65536 bytes
    "#]]
    .assert_eq(&unkept(&world));
}

#[test]
fn a_trait_that_a_journey_writes_needs_room_too() {
    let mut world = World::with(POLICY, super::customer());
    let half = long(40_000);
    world.line(&format!(r#"1h identify {{"about":"{half}"}}"#));
    world.line(&format!(
        r#"2h Product Added {{"cart":"a","note":"{half}"}}"#
    ));
    world.line("30h wake");
    assert!(world.profile.traits.get("note").is_none());
    expect![[r#"
        cart 1 STATE_FULL 1x traits.note: unknown, for all traits have at most 65536 bytes
    "#]]
    .assert_eq(&unkept(&world));
}

#[test]
fn events_that_runs_would_keep_need_room() {
    let mut world = World::with(POLICY, super::customer());
    let note = long(30_000);
    for (cart, hour) in ["a", "b", "c", "d", "e", "d"].into_iter().zip(1..) {
        world.line(&format!(
            r#"{hour}h Product Added {{"cart":"{cart}","note":"{note}"}}"#
        ));
    }
    world.line(&format!(r#"8h Looked {{"key":"k","note":"{note}"}}"#));
    world.line(&format!(r#"9h Product Added {{"cart":"{}"}}"#, long(300)));
    assert_eq!(world.profile.journeys.len(), 4);
    expect![[r#"
        cart CONCURRENCY 150330/131072 bytes of events kept with runs
        cart ALREADY_IN run 4
        quiet CONCURRENCY 150322/131072 bytes of events kept with runs
        cart KEY_UNKNOWN event.properties.cart has 300 bytes, a key at most 256 test.yaml:5
    "#]]
    .assert_eq(&refused(&world));
}

#[test]
fn a_value_that_is_too_long_for_a_feature_is_unknown_not_the_one_before() {
    let mut world = World::with(POLICY, super::customer());
    let mut said = String::new();
    for (hour, n) in [(1, 5), (2, 2_000), (3, 2_000), (4, 20_000)] {
        let note = long(n);
        world.line(&format!(r#"{hour}h Looked {{"key":"k","note":"{note}"}}"#));
        let known = |feature: &Feature| {
            let value = value(feature, None, &world.profile, world.profile.now);
            let known = value.filter(|value| *value != Value::Null);
            let text = known.as_ref().and_then(Value::as_str);
            let shown = text.map_or("unknown".into(), |text| format!("{} letters", text.len()));
            let name = feature.name.as_deref();
            name.map(|name| format!("{name}: {shown}"))
        };
        let features = world.bundle.features.iter();
        let features: Vec<String> = features.filter_map(known).collect();
        let _ = writeln!(said, "{n}: {}", features.join(", "));
    }
    expect![[r#"
        5: seen: 5 letters, usual: 5 letters
        2000: seen: 2000 letters, usual: unknown
        2000: seen: 2000 letters, usual: unknown
        20000: seen: unknown, usual: unknown
    "#]]
    .assert_eq(&said);
    expect![[r#"
        profile  STATE_FULL 2x features.usual: unknown, for a value that is kept has at most 16384 bytes, one of many 1024
        profile  STATE_FULL 1x features.seen, features.usual: unknown, for a value that is kept has at most 16384 bytes, one of many 1024
    "#]].assert_eq(&unkept(&world));
}

#[test]
fn what_lies_in_the_cart_is_bounded_and_stays_itself() {
    let mut world = World::with(POLICY, super::customer());
    let id = long(10_000);
    world.line(&format!(
        r#"1h Product Added {{"product_id":"{id}","price":3,"currency":"{id}"}}"#
    ));
    world.line(&format!(
        r#"2h Product Added {{"product_id":"{id}","price":3}}"#
    ));
    let cart = &world.profile.cart;
    assert_eq!((cart.items.len(), cart.items[0].quantity), (1, 2.0));
    assert_eq!(cart.items[0].product_id.len(), 37);
    assert_eq!(cart.currency, None);
}

#[test]
fn a_long_address_is_suppressed_and_lifted_alone() {
    let mut world = World::with(POLICY, super::customer());
    let address = long(2_000);
    world.line(r#"1h Suppressed {"address":"a@b"}"#);
    world.line(&format!(r#"1h Suppressed {{"address":"{address}"}}"#));
    let against = |world: &World, address: &str| {
        let list = &world.profile.suppressed;
        list.against("email", Some(address), world.profile.now)
            .is_some()
    };
    assert!(against(&world, &address) && !against(&world, &long(2_001)));
    world.line(&format!(r#"2h Unsuppressed {{"address":"{address}"}}"#));
    assert!(!against(&world, &address) && against(&world, "a@b"));
}

#[test]
fn what_begins_with_one_event_shares_the_room() {
    let mut policy = Vec::new();
    for n in 0..3 {
        policy.push(format!(
            "journey: run-{n}\nenter: {{ event: Looked, reentry: always }}
steps: [ {{ wait: 1d }}, {{ set: {{ note: entry.properties.note }} }} ]\n"
        ));
        policy.push(format!(
            "journey: still-{n}\nenter: {{ absent: {{ event: Looked, for: 7d }} }}\nsteps: [stop]\n"
        ));
    }
    let mut world = World::with(&policy.join("---\n"), super::customer());
    let note = long(30_000);
    for hour in [1, 30] {
        world.line(&format!(r#"{hour}h Looked {{"note":"{note}"}}"#));
        let (n_runs, n_timers) = (world.profile.journeys.len(), world.profile.timers.len());
        assert_eq!((n_runs, n_timers), (3, 1), "at {hour}h");
    }
    expect![[r#"
        still-1 CONCURRENCY 150250/131072 bytes of events kept with runs
        still-2 CONCURRENCY 150250/131072 bytes of events kept with runs
        still-1 CONCURRENCY 150250/131072 bytes of events kept with runs
        still-2 CONCURRENCY 150250/131072 bytes of events kept with runs
    "#]]
    .assert_eq(&refused(&world));
}

#[test]
fn a_run_whose_entry_is_replaced_needs_no_room_for_both() {
    for on_repeat in ["restart", "refresh"] {
        let journey = |n: u32| {
            format!(
                "journey: run-{n}\nenter: {{ event: Looked, on_repeat: {on_repeat} }}
steps: [ {{ wait: 1d }}, {{ set: {{ note: entry.properties.note }} }} ]\n"
            )
        };
        let policy: Vec<String> = (0..4).map(journey).collect();
        let mut world = World::with(&policy.join("---\n"), super::customer());
        for (hour, n_bytes) in [(1, 30_000), (2, 31_000), (3, 50_000)] {
            let note = long(n_bytes);
            world.line(&format!(r#"{hour}h Looked {{"note":"{note}"}}"#));
        }
        let entries = world.profile.journeys.iter();
        let entries = entries.filter_map(|run| run.entry.as_deref());
        let n_bytes: Vec<usize> = entries.map(crate::domain::Event::n_bytes).collect();
        assert_eq!(n_bytes.len(), 4);
        let n_all: usize = n_bytes.iter().sum();
        assert!(
            n_all <= Profile::EVENTS_BYTES_MAX,
            "{on_repeat}: {n_bytes:?}"
        );
        let n_with = |thousand| n_bytes.iter().filter(|of| **of / 1_000 == thousand).count();
        assert_eq!((n_with(30), n_with(31)), (0, 4), "{on_repeat}: {n_bytes:?}");
    }
}

/// The lines about what is not kept.
fn unkept(world: &World) -> String {
    let mut out = String::new();
    for trace in &world.profile.timeline {
        if let crate::domain::What::Unkept(code, detail) = &trace.what {
            let (subject, step, times) = (&trace.subject, &trace.step, trace.times);
            let _ = writeln!(out, "{subject} {step} {code} {times}x {detail}");
        }
    }
    out
}

/// The lines about what did not begin.
fn refused(world: &World) -> String {
    let mut out = String::new();
    for trace in &world.profile.timeline {
        if let crate::domain::What::Refused(code, detail) = &trace.what {
            let _ = writeln!(out, "{} {code} {detail}", trace.subject);
        }
    }
    out
}
