//! Questions about a customer: the value, or which part of it is unknown and why.

use std::fmt::Write as _;

use expect_test::{Expect, expect};

use super::World;
use crate::decide::{Env, answer};
use crate::domain::event::Kind;
use crate::domain::{Event, EventId, Value};
use crate::policy::question::ask;

const POLICIES: &str = "
features:
  seen: { count: Product Viewed, window: 7d }
---
segments:
  keen: { when: profile.features.seen > 1, publish: true }
  idle: { when: profile.traits.plan == 'gold', publish: false }
---
schemas: { events: { Product Viewed: { properties: { size: number } } } }
---
journey: j
enter:
  event: Product Added
  where: count('Order Completed', '1d') == 0
steps: [stop]
";

#[test]
fn what_is_known_has_a_value() {
    check(
        "
        profile.traits.email
        profile.features.seen
        profile.features.seen + 1 > 3 || size(profile.cart.items) == 1
        count('Product Viewed', '1d')
        count('Order Completed', '1d')
        in_segment('keen')
        has(profile.traits.plan)
        event.properties.size * 2
        profile.cart.items.map(x, x.product_id)
        {'a': 1, 'b': [true, 'x']}
        profile.cart.value > 5 ? 'dear' : 'cheap'
    ",
        &expect![[r#"
            profile.traits.email: "u1@example.org"
            profile.features.seen: 3
            profile.features.seen + 1 > 3 || size(profile.cart.items) == 1: true
            count('Product Viewed', '1d'): 3
            count('Order Completed', '1d'): 0
            in_segment('keen'): true
            has(profile.traits.plan): false
            event.properties.size * 2: 42
            profile.cart.items.map(x, x.product_id): ["pen"]
            {'a': 1, 'b': [true, 'x']}: {"a":1,"b":[true,"x"]}
            profile.cart.value > 5 ? 'dear' : 'cheap': unknown
                profile.cart.value: the price of an item in the cart is unknown
        "#]],
    );
}

#[test]
fn what_is_unknown_says_which_part_and_why() {
    check(
        "
        profile.traits.plan
        profile.traits.plan == 'gold' && profile.features.seen > 1
        profile.traits.plan == 'gold' || profile.consent.letter == 'granted'
        count('Product Viewed', '30d') > 1
        count('Cart Viewed') + 1
        last('Order Completed')
        !in_segment('idle')
        event.properties.price
        context.page
        entry.properties.x
        profile.cart.item_count / 0
        profile.cart.items[4].price
        profile.cart.items.exists(x, x.price > 100)
        profile.features.seen > 1 ? profile.traits.a : profile.traits.b
        double('x')
        profile.traits.email - 1
    ",
        &expect![[r#"
            profile.traits.plan: unknown
                profile.traits.plan: the customer has no such trait
            profile.traits.plan == 'gold' && profile.features.seen > 1: unknown
                profile.traits.plan: the customer has no such trait
            profile.traits.plan == 'gold' || profile.consent.letter == 'granted': true
            count('Product Viewed', '30d') > 1: unknown
                count('Product Viewed', '30d'): the live policies keep only the last 1w of it
            count('Cart Viewed') + 1: unknown
                count('Cart Viewed'): the live policies do not keep it: nobody asked for it while it happened; once a policy does, it counts from then on
            last('Order Completed'): unknown
                last('Order Completed'): the live policies do not keep it: nobody asked for it while it happened; once a policy does, it counts from then on
            !in_segment('idle'): unknown
                in_segment('idle'): nobody keeps up with this segment: it is not published, and no policy asks for it
            event.properties.price: unknown
                event.properties.price: the event has no such value
            context.page: unknown
                context.page: there is no context to look at
            attune::not_at_hand

              × `entry` is not at hand in a question about a customer
               ╭─[expression:1:1]
             1 │ entry.properties.x
               · ──┬──
               ·   ╰── here
               ╰────
              help: `entry` belongs to journeys
            profile.cart.item_count / 0: unknown
                profile.cart.item_count / 0: a division by zero
            profile.cart.items[4].price: unknown
                profile.cart.items[4]: there is no such item
            profile.cart.items.exists(x, x.price > 100): unknown
                profile.cart.items.exists(x, (x.price > 100)): the condition is unknown for an item
            profile.features.seen > 1 ? profile.traits.a : profile.traits.b: unknown
                profile.traits.a: the customer has no such trait
            double('x'): unknown
                double("x"): it cannot be made of what it is given
            profile.traits.email - 1: unknown
                profile.traits.email - 1: "u1@example.org" and 1 do not fit together
        "#]],
    );
}

#[test]
fn what_is_wrong_is_underlined() {
    check(
        "
        profile.cart.valu >= 50
        profile.features.sen
        count('Product View')
        in_segment('kean')
    ",
        &expect![[r#"
            attune::unknown_field

              × unknown field `profile.cart.valu`, did you mean `profile.cart.value`?
               ╭─[expression:1:14]
             1 │ profile.cart.valu >= 50
               ·              ──┬─
               ·                ╰── here
               ╰────
              help: `profile.cart` has `value`, `currency`, `items`, `item_count`, `updated_at`
            attune::unknown_feature

              × unknown feature `sen`, did you mean `seen`?
               ╭─[expression:1:18]
             1 │ profile.features.sen
               ·                  ─┬─
               ·                   ╰── here
               ╰────
              help: declared features are `seen`
            attune::unknown_event

              × unknown event `Product View`, did you mean `Product Viewed`?
               ╭─[expression:1:7]
             1 │ count('Product View')
               ·       ───────┬──────
               ·              ╰── here
               ╰────
              help: if senders do write it, declare it: `schemas: { events: { Product View: {} } }`
            attune::unknown_segment

              × unknown segment `kean`, did you mean `keen`?
               ╭─[expression:1:12]
             1 │ in_segment('kean')
               ·            ───┬──
               ·               ╰── here
               ╰────
              help: declared segments are `idle`, `keen`
        "#]],
    );
}

#[test]
fn what_is_wrong_in_another_way_is_underlined_too() {
    check(
        "
        profile.cart.value = 5
        offer.value
        event.properties.siz
        'a' + 1
    ",
        &expect![[r#"
            attune::expression_syntax

              × `=` is no operator
               ╭─[expression:1:20]
             1 │ profile.cart.value = 5
               ·                    ┬
               ·                    ╰── here
               ╰────
              help: use `==` to compare
            attune::not_at_hand

              × `offer` is not at hand in a question about a customer
               ╭─[expression:1:1]
             1 │ offer.value
               · ──┬──
               ·   ╰── here
               ╰────
              help: `offer` belongs to offers, placements and model manifests; a journey reads the result of
                    its `offer` step by the name after `as`
            event.properties.siz: unknown
                event.properties.siz: the event has no such value
            attune::type_mismatch

              × a text and a number are added
               ╭─[expression:1:1]
             1 │ 'a' + 1
               · ───┬───
               ·    ╰── here
               ╰────
              help: `string(x)` makes a text of a number, `double(x)` reads a number from a text
        "#]],
    );
}

/// Asks one question a line of a customer who saw three products and has one in the cart.
fn check(questions: &str, expected: &Expect) {
    let mut world = World::new(POLICIES);
    for line in [
        "1h Product Viewed",
        "2h Product Viewed",
        "3h Product Viewed",
        r#"4h Product Added {"product_id":"pen","quantity":2}"#,
    ] {
        world.line(line);
    }
    let properties = serde_json::from_str(r#"{"size":21}"#).unwrap();
    let event = Event {
        id: EventId::new("e"),
        kind: Kind::Track,
        name: "Product Viewed".into(),
        at: world.profile.now,
        properties,
        traits: Value::Null,
        context: Value::Null,
    };
    let mut said = String::new();
    for text in questions.lines().map(str::trim).filter(|it| !it.is_empty()) {
        let question = match ask(&world.bundle, text, Some("Product Viewed")) {
            Ok(question) => question,
            Err(wrong) => {
                let shown = wrong.render(false);
                let lines: Vec<_> = shown.lines().map(str::trim_end).collect();
                writeln!(said, "{}", lines.join("\n")).unwrap();
                continue;
            }
        };
        let env = Env {
            event: Some(&event),
            ..Env::new(&world.bundle, &world.profile, world.profile.now)
        };
        match answer(&question, &env) {
            Ok(value) => writeln!(said, "{text}: {value}").unwrap(),
            Err(unknown) => {
                writeln!(said, "{text}: unknown").unwrap();
                for of in unknown {
                    writeln!(said, "    {}: {}", of.part, of.why).unwrap();
                }
            }
        }
    }
    expected.assert_eq(&said);
}
