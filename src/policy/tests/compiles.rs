//! Good policies and what becomes of them.

use std::fmt::Write;

use expect_test::{Expect, expect};

use super::bundle;
use crate::policy::journey::{Act, Journey, Step, Until};
use crate::policy::limits::{Clocks, OwnQuiet, Quiet};
use crate::policy::{Bundle, Source, check, compile};

const MODEL: &str = "
model: purchase-intent
file: model.onnx
features:
  product_pages: { count: Product Viewed, window: session }
  product_seconds: { dwell: Product Viewed, window: session }
inputs:
  - { column: pages, from: profile.features.product_pages, unknown: 0 }
  - { column: seconds, from: profile.features.product_seconds, unknown: nan }
  - { column: month, from: \"string(local_month())\", type: text, unknown: none }
output: { name: probabilities, class: 1 }
";

#[test]
fn nothing_is_odd_about_the_shop_of_the_repository() {
    let text = |name: &str, text: &str| Source::new(name, text);
    let sources = [
        text(
            "cart.yaml",
            include_str!("../../../policies/abandoned-cart.yaml"),
        ),
        text("offers.yaml", include_str!("../../../policies/offers.yaml")),
        text(
            "model.yaml",
            include_str!("../../../models/purchase-intent/model.yaml"),
        ),
        text(
            "rule.yaml",
            include_str!("../../../tests/data/policies/rule-r-item.yaml"),
        ),
    ];
    assert_eq!(check(&sources).problems.to_string(), "");
}

#[test]
fn what_is_checked_against_is_no_part_of_what_decides() {
    let journey = "journey: j\nenter: { event: Product Added }\nsteps: [stop]\n";
    let declared = format!("{journey}---\nschemas: {{ traits: {{ tier: text }} }}\n");
    assert_eq!(bundle(journey).unwrap().id, bundle(&declared).unwrap().id);
}

#[test]
fn warnings_stand_beside_the_bundle_and_errors_in_its_place() {
    let odd = "journey: j\nenter: { event: A, where: 1 > 2 }\nsteps: [stop]\n";
    let checked = check(&[Source::new("a.yaml", odd)]);
    assert!(checked.bundle.is_some());
    assert_eq!(checked.problems.tally(), "1 warning");
    let wrong = "journey: j\nenter: { event: A, where: [1 > 2, 1 > 'a'] }\nsteps: [fly]\n";
    let checked = check(&[Source::new("a.yaml", wrong)]);
    assert!(checked.bundle.is_none());
    assert_eq!(checked.problems.tally(), "2 errors, 1 warning");
    assert_eq!(checked.problems.errors().tally(), "2 errors");
}

#[test]
fn the_shop_of_the_repository_compiles() {
    let bundle = shop();
    let journey = bundle.journey("abandoned-cart").unwrap();
    expect![[r#"
        abandoned-cart Marketing holdout 0.1 uses_entry false
        enter ["Product Added"] where [(size(profile.cart.items) > 0)] unless [(feature(3, 1d) > 0)] key None AfterExit(Duration(86400000)) Ignore Some("1h")
        goal Order Completed [] Some("3d")
        exit None [(size(profile.cart.items) == 0)] cart emptied
        0 @0 line 16: hold_until 30m of Product Added/0, Product Removed/0, Cart Viewed/0 max 6h -> 1
        1 @1 line 17: score purchase-intent as buy -> 2
        2 @2 line 18: branch (buy < 0.35) ? 5 | (buy < 0.7) ? 7 else 8 -> 3
        3 @3 line 28: wait 20h -> 4
        4 @4 line 29: send email cart-last-call (items = profile.cart.items) -> end
        5 @2.branch.0.0 line 21: offer cart_recovery as pick -> 6
        6 @2.branch.0.1 line 22: send email cart-nudge (offer = pick, items = profile.cart.items) -> 3
        7 @2.branch.1.0 line 25: send push cart-reminder () -> 3
        8 @2.branch.2.0 line 27: stop stopped -> 3
    "#]].assert_eq(&flow(journey));
    expect![[r#"
        cart_recovery None None 1 Some("cart-reminder") ["bundle-deal", "cart-reminder", "come-back", "free-shipping", "ten-off"]
        home_hero None Some("p * offer.value") 4 Some("bestsellers") ["bestsellers", "bundle-deal", "come-back", "free-shipping", "gift-card", "loyalty-club", "new-arrivals", "store-pickup", "welcome"]
        win_back None None 1 Some("bestsellers") ["come-back"]
        bestsellers value (2 + (min(feature(0), 5) / 10)) when 0 cap None {"title":"What others buy"}
        bundle-deal value 6 when 1 cap Some("1 per 1w") {"title":"Buy three, pay two"}
        cart-reminder value 1 when 0 cap None {"title":"Your cart is waiting"}
        come-back value 7 when 1 cap Some("1 per 2w") {"code":"AGAIN","title":"Nice to see you again"}
        free-shipping value 4.9 when 0 cap Some("2 per 1w") {"code":"SHIP","title":"Free shipping on your cart"}
        gift-card value 2.5 when 0 cap None {"title":"Give a gift card"}
        loyalty-club value 4 when 1 cap None {"title":"Join the club"}
        new-arrivals value 3 when 0 cap None {"title":"New this week"}
        store-pickup value 1.5 when 0 cap None {"title":"Pick it up today"}
        ten-off value 10 when 2 cap Some("1 per 30d") {"code":"TENOFF","title":"10 off your cart"}
        welcome value 8 when 1 cap Some("3 per 1w") {"code":"HELLO","title":"Welcome"}
        purchase-intent model.onnx per_offer false Output { name: Some("probabilities"), class: Some(1) }
          pages = feature(0) Number Number(0.0)
          seconds = feature(1) Number Nan
          month = string(local_month()) Text Text("none")
        0 product_pages Product Viewed Session
        1 product_seconds Product Viewed Session
        2 - Order Completed Lifetime
        3 - Order Completed Sliding(Duration(15552000000))
    "#]].assert_eq(&catalogue(&bundle));
}

fn shop() -> Bundle {
    let sources = [
        Source::new(
            "abandoned-cart.yaml",
            include_str!("../../../policies/abandoned-cart.yaml"),
        ),
        Source::new("offers.yaml", include_str!("../../../policies/offers.yaml")),
        Source::new("model.yaml", MODEL),
    ];
    compile(&sources).unwrap_or_else(|diagnostics| panic!("{diagnostics}"))
}

#[test]
fn every_key_of_a_journey_finds_its_place() {
    check_flow(
        "
journey: full
about: everything at once
class: transactional
enter:
  event: Product Added
  where: [event.properties.price > 5, \"profile.traits.tier in ['gold', 'loyal']\"]
  unless: [profile.traits.blocked == true]
  key: event.properties.cart_id
  reentry: never
  on_repeat: restart
  max_age: 1h
goal: { event: Order Completed, where: event.properties.total > entry.properties.price, within: 3d }
exit:
  - { when: size(profile.cart.items) == 0 }
  - { event: Unsubscribed, reason: unsubscribed }
holdout: 12.5%
steps:
  - hold_until: { quiet: 5m, of: [Cart Viewed, { event: page, where: event.name == 'Cart' }] }
  - set: { cart.nudged_at: now(), profile.traits.from: entry.context.page.path }
  - branch:
      - when: has(profile.traits.email)
        then: { send: { channel: email, template: hello, with: { name: profile.traits.name, note: \"'hi'\" } } }
      - otherwise: next
  - exit: done
",
        &expect![[r#"
            full Transactional holdout 0.125 uses_entry true
            enter ["Product Added"] where [(event.properties.price > 5); (profile.traits.tier in ["gold", "loyal"])] unless [(profile.traits.blocked == true)] key Some("event.properties.cart_id") Never Restart Some("1h")
            goal Order Completed [(event.properties.total > entry.properties.price)] Some("3d")
            exit None [(size(profile.cart.items) == 0)] exit
            exit Some("Unsubscribed") [] unsubscribed
            0 @0 line 19: hold_until 5m of Cart Viewed/0, page/1 max - -> 1
            1 @1 line 20: set cart.nudged_at = now(), from = entry.context.page.path -> 2
            2 @2 line 21: branch has(profile.traits.email) ? 4 else 3 -> 3
            3 @3 line 25: stop done -> end
            4 @2.branch.0.0 line 23: send email hello (name = profile.traits.name, note = "hi") -> 3
        "#]],
    );
}

#[test]
fn hold_until_listens_to_the_entry_event_by_default() {
    check_flow(
        "
journey: j
enter: { event: Cart Viewed }
steps: [hold_until: { quiet: 1h }, stop]
",
        &expect![[r#"
            j Marketing holdout 0 uses_entry false
            enter ["Cart Viewed"] where [] unless [] key None Always Ignore None
            0 @0 line 4: hold_until 1h of Cart Viewed/0 max - -> 1
            1 @1 line 4: stop stopped -> end
        "#]],
    );
}

#[test]
fn arms_of_nested_branches_lead_to_the_step_behind_them() {
    check_flow(
        "
journey: j
enter: { event: A }
steps:
  - branch:
      - when: profile.traits.a > 1
        then:
          - branch:
              - when: profile.traits.b > 1
                then: [wait: 1h]
              - otherwise: stop
      - when: profile.traits.c > 1
        then: next
  - wait: 2h
",
        &expect![[r#"
            j Marketing holdout 0 uses_entry false
            enter ["A"] where [] unless [] key None Always Ignore None
            0 @0 line 5: branch (profile.traits.a > 1) ? 2 | (profile.traits.c > 1) ? 1 else 1 -> 1
            1 @1 line 14: wait 2h -> end
            2 @0.branch.0.0 line 8: branch (profile.traits.b > 1) ? 3 else 4 -> 1
            3 @0.branch.0.0.branch.0.0 line 10: wait 1h -> 1
            4 @0.branch.0.0.branch.1.0 line 11: stop stopped -> 1
        "#]],
    );
}

#[test]
fn features_of_one_definition_are_one_feature_with_the_longest_window() {
    let bundle = bundle(
        "
features:
  views: { count: Product Viewed, window: 1d }
  spent: { sum: { event: Order Completed, of: event.properties.total } }
---
journey: j
enter:
  event: A
  where:
    - profile.features.views > count('Product Viewed', '7d')
    - count('Product Viewed') > count('Product Viewed', 'session')
    - sum('Order Completed', 'total') > profile.features.spent
    - last('A', 'x.y') == first('A') || distinct('A', 'z', '2d') > 1
steps: [stop]
",
    )
    .unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
    let mut out = String::new();
    for (idx, feature) in bundle.features.iter().enumerate() {
        let name = feature.name.as_deref().unwrap_or("-");
        let _ = writeln!(out, "{idx} {name} {} {:?}", feature.event, feature.window);
    }
    for expr in &bundle.journeys[0].enter.filter {
        let _ = writeln!(out, "{}", expr.root);
    }
    let _ = writeln!(out, "{:?}", bundle.listeners);
    expect![[r#"
        0 views Product Viewed Sliding(Duration(604800000))
        1 spent Order Completed Lifetime
        2 - Product Viewed Lifetime
        3 - Product Viewed Session
        4 - A Lifetime
        5 - A Lifetime
        6 - A Sliding(Duration(172800000))
        (feature(0, 1d) > feature(0, 1w))
        (feature(2) > feature(3))
        (feature(1) > feature(1))
        ((feature(4) == feature(5)) || (feature(6, 2d) > 1))
        Listeners { by_event: {"A": Listens { features: [4, 5, 6], journeys: [0], absences: [], segments: [] }, "Order Completed": Listens { features: [1], journeys: [], absences: [], segments: [] }, "Product Viewed": Listens { features: [0, 2, 3], journeys: [], absences: [], segments: [] }}, every: [], segments: [], traits: [], by_segment: {}, schedules: [] }
    "#]].assert_eq(&out);
}

#[test]
fn the_id_changes_with_the_content_and_not_with_comments_or_the_order_of_files() {
    let a = Source::new("a.yaml", "journey: a\nenter: { event: A }\nsteps: [stop]\n");
    let b = Source::new(
        "b.yaml",
        "journey: b\nenter: { event: count }\nsteps: [stop]\n",
    );
    let commented = Source::new(
        "c.yaml",
        "# why\njourney: a\nenter:\n  event: A # here\nsteps:\n  - stop\n",
    );
    let changed = Source::new("a.yaml", "journey: a\nenter: { event: B }\nsteps: [stop]\n");
    let id = |sources: &[Source]| compile(sources).map(|bundle| bundle.id.to_string());
    let first = id(&[a.clone(), b.clone()]).unwrap();
    assert_eq!(first.len(), 16);
    assert_eq!(id(&[b.clone(), a]).unwrap(), first);
    assert_eq!(id(&[commented, b.clone()]).unwrap(), first);
    assert_ne!(id(&[changed, b]).unwrap(), first);
}

#[test]
fn no_files_are_an_empty_bundle() {
    let bundle = compile(&[]).unwrap();
    assert!(bundle.journeys.is_empty() && bundle.features.is_empty());
}

pub fn check_flow(text: &str, expected: &Expect) {
    let bundle = bundle(text).unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
    expected.assert_eq(&flow(&bundle.journeys[0]));
}

fn flow(journey: &Journey) -> String {
    let enter = &journey.enter;
    let texts = |list: &[crate::policy::Expr]| {
        let texts: Vec<String> = list.iter().map(|expr| expr.root.to_string()).collect();
        texts.join("; ")
    };
    let mut out = format!(
        "{} {:?} holdout {} uses_entry {}\nenter {:?} where [{}] unless [{}] key {:?} {:?} {:?} {:?}\n",
        journey.name,
        journey.class,
        journey.holdout,
        journey.uses_entry,
        enter.events(),
        texts(&enter.filter),
        texts(&enter.unless),
        enter.key.as_ref().map(|key| key.text.as_ref()),
        enter.reentry,
        enter.on_repeat,
        enter.max_age.map(|age| age.to_string()),
    );
    if let Some(goal) = &journey.goal {
        let within = goal.within.map(|within| within.to_string());
        let _ = writeln!(
            out,
            "goal {} [{}] {within:?}",
            goal.event,
            texts(&goal.filter)
        );
    }
    for exit in &journey.exits {
        let _ = writeln!(
            out,
            "exit {:?} [{}] {}",
            exit.event,
            texts(&exit.when),
            exit.reason
        );
    }
    for (idx, step) in journey.flow.iter().enumerate() {
        let _ = writeln!(
            out,
            "{idx} @{} line {}: {} -> {}",
            step.label,
            step.place.line,
            act(step),
            to(step.next)
        );
    }
    out
}

fn to(next: Option<usize>) -> String {
    next.map_or_else(|| "end".into(), |next| next.to_string())
}

fn act(step: &Step) -> String {
    let pairs = |pairs: &[(std::sync::Arc<str>, crate::policy::Expr)]| {
        let pairs: Vec<String> = pairs
            .iter()
            .map(|(name, expr)| format!("{name} = {}", expr.root))
            .collect();
        pairs.join(", ")
    };
    match &step.act {
        Act::Wait(until) => format!("wait {}", self::until(until)),
        Act::WaitFor {
            arms,
            within,
            rank,
            otherwise,
        } => {
            let arms: Vec<String> = arms
                .iter()
                .map(|arm| {
                    let trigger = &arm.trigger;
                    format!(
                        "{}/{} ? {}",
                        trigger.event,
                        trigger.filter.len(),
                        to(arm.first)
                    )
                })
                .collect();
            let arms = arms.join(" | ");
            format!(
                "wait_for {arms} within {within} rank {rank} else {}",
                to(*otherwise)
            )
        }
        Act::Split { salt, arms, bind } => {
            let arms: Vec<String> = arms
                .iter()
                .map(|arm| format!("{} < {} ? {}", arm.name, arm.end, to(arm.first)))
                .collect();
            format!("split `{salt}` {} as {bind}", arms.join(" | "))
        }
        Act::HoldUntil { quiet, of, max } => {
            let of: Vec<String> = of
                .iter()
                .map(|it| format!("{}/{}", it.event, it.filter.len()))
                .collect();
            format!(
                "hold_until {quiet} of {} max {}",
                of.join(", "),
                max.map_or_else(|| "-".into(), |max| max.to_string())
            )
        }
        Act::Score { model, bind } => format!("score {model} as {bind}"),
        Act::Branch { arms, otherwise } => {
            let arms: Vec<String> = arms
                .iter()
                .map(|(when, first)| format!("{} ? {}", when.root, to(*first)))
                .collect();
            format!("branch {} else {}", arms.join(" | "), to(*otherwise))
        }
        Act::Offer { placement, bind } => format!("offer {placement} as {bind}"),
        Act::Send(send) => {
            format!(
                "send {} {} ({})",
                send.channel,
                send.template,
                pairs(&send.with)
            )
        }
        Act::Set(values) => format!("set {}", pairs(values)),
        Act::Stop { reason } => format!("stop {reason}"),
    }
}

fn until(until: &Until) -> String {
    let zone = |zone: &Option<crate::domain::Zone>| {
        zone.as_ref()
            .map_or("customer".into(), |zone| zone.name().to_owned())
    };
    match until {
        Until::Passed(length) => length.to_string(),
        Until::Clock {
            time,
            days,
            zone: of,
        } => format!("{time} {days} {}", zone(of)),
        Until::Date {
            of,
            offset,
            before,
            past,
            zone: whose,
        } => {
            format!("{} {before} {offset} {past:?} {}", of.root, zone(whose))
        }
    }
}

fn catalogue(bundle: &Bundle) -> String {
    let mut out = String::new();
    for placement in bundle.placements.values() {
        let rank = placement.rank.as_ref().map(|rank| rank.text.as_ref());
        let offers: Vec<_> = placement.offers.iter().map(|offer| &offer.id).collect();
        let _ = writeln!(
            out,
            "{} {:?} {rank:?} {} {:?} {offers:?}",
            placement.name, placement.model, placement.limit, placement.fallback
        );
    }
    for offer in bundle.offers.values() {
        let cap = offer.cap.map(|cap| format!("{} per {}", cap.n, cap.per));
        let _ = writeln!(
            out,
            "{} value {} when {} cap {cap:?} {}",
            offer.id,
            offer.value.root,
            offer.engagement.eligible.len(),
            offer.data
        );
    }
    for model in bundle.models.values() {
        let _ = writeln!(
            out,
            "{} {} per_offer {} {:?}",
            model.name, model.file, model.per_offer, model.output
        );
        for input in &model.inputs {
            let _ = writeln!(
                out,
                "  {} = {} {:?} {:?}",
                input.column, input.from.root, input.kind, input.unknown
            );
        }
    }
    for (idx, feature) in bundle.features.iter().enumerate() {
        let name = feature.name.as_deref().unwrap_or("-");
        let _ = writeln!(out, "{idx} {name} {} {:?}", feature.event, feature.window);
    }
    out
}

#[test]
fn limits_and_channels_are_read_in_every_form() {
    let bundle = bundle(
        "
limits:
  email: 3 per 7d
  all: [ 1 per 4h, { cap: 5 per day, window: calendar }, 9 per calendar month ]
  sms: 0
  quiet_hours: 21:00-08:00 customer
channels:
  fax: { address: none, consent: not_required }
  app: { address: traits.devices.token }
---
journey: j
class: transactional
priority: 2 * 3
quiet_hours: none
enter: { event: A }
steps:
  - send:
      channel: fax
      template: t
      class: mandatory
      purpose: law
      on_block: retry_at_release
      quiet_hours: { between: 12:00-13:30, zone: Europe/Berlin, days: [mon..fri, sun], then: drop, jitter: 5m }
",
    )
    .unwrap_or_else(|problems| panic!("{}", problems.render(false)));
    let mut out = String::new();
    for (name, caps) in &bundle.limits.caps {
        for cap in caps {
            let _ = writeln!(
                out,
                "{name} {} {:?} `{}` {}",
                cap.n, cap.window, cap.text, cap.place
            );
        }
    }
    let _ = writeln!(out, "keep email {:?}", bundle.limits.keep("email"));
    for name in ["email", "sms", "push", "fax", "app", "post"] {
        let channel = bundle.limits.channel(name);
        let _ = writeln!(
            out,
            "{name} {:?} asks {}",
            channel.address, channel.asks_consent
        );
    }
    let quiet = |of: &Quiet| {
        let zone = match &of.clocks {
            Clocks::Customer => "customer",
            Clocks::Of(zone) => zone.name(),
        };
        format!(
            "{}-{} {} {zone} {:?} {} `{of}`",
            of.from, of.to, of.days, of.then, of.jitter
        )
    };
    let _ = writeln!(out, "all {}", quiet(bundle.limits.quiet.as_ref().unwrap()));
    let journey = bundle.journey("j").unwrap();
    let priority = journey.priority.as_ref().map(|of| of.root.to_string());
    let _ = writeln!(
        out,
        "journey {:?} {:?} {:?}",
        journey.class, priority, journey.quiet
    );
    let Act::Send(send) = &journey.flow[0].act else {
        panic!("a send")
    };
    let _ = writeln!(
        out,
        "send {:?} {:?} {:?}",
        send.class, send.purpose, send.on_block
    );
    if let Some(OwnQuiet::Some(of)) = &send.quiet {
        let _ = writeln!(out, "send {}", quiet(of));
    }
    expect![[r#"
        all 1 Sliding(Duration(14400000)) `1 per 4h` shop.yaml:4
        all 5 Calendar(Day) `5 per day (calendar)` shop.yaml:4
        all 9 Calendar(Month) `9 per calendar month` shop.yaml:4
        email 3 Sliding(Duration(604800000)) `3 per 7d` shop.yaml:3
        sms 0 Sliding(Duration(1)) `0` shop.yaml:5
        keep email Some(Duration(2764800000))
        email ["email"] asks true
        sms ["phone"] asks true
        push ["device_token"] asks true
        fax [] asks false
        app ["devices", "token"] asks true
        post [] asks true
        all 21:00-08:00 mon tue wed thu fri sat sun customer Hold 15m `21:00-08:00 customer shop.yaml:6`
        journey Transactional Some("(2 * 3)") Some(None)
        send Some(Mandatory) Some("law") Retry
        send 12:00-13:30 mon tue wed thu fri sun Europe/Berlin Drop 5m `12:00-13:30 shop.yaml:23`
    "#]].assert_eq(&out);
}
