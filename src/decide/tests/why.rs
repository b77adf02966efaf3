//! Accounts of decisions, as people read them.

use std::fmt::Write as _;

use expect_test::{Expect, expect};

use super::{World, cause, start};
use crate::decide::why::{Account, Condition, Mark, Verdict, choosing, why};
use crate::decide::{Cause, Outside};
use crate::domain::budget::{Claim, Purse, Refusal};
use crate::domain::{CustomerId, Duration, Profile};

const CART: &str = "
features: { bought: { count: Order Completed, window: 1d } }
---
limits: { email: 1 per 7d, quiet_hours: 21:00-08:00 UTC }
---
segments: { vip: profile.traits.plan == 'gold' }
---
journey: cart
enter:
  event: Product Added
  where:
    - profile.cart.value >= 50 && size(profile.cart.items) < 9
    - \"profile.consent.email == 'granted' || in_segment('vip')\"
  unless: [ profile.features.bought > 0, \"event.properties.gift == true\" ]
  reentry: { after_exit: 1d }
  max_age: 1h
goal: { event: Order Completed, within: 3d }
exit:
  - { when: size(profile.cart.items) == 0, reason: emptied }
  - { event: Product Removed, when: event.properties.all == true }
holdout: 10%
steps:
  - hold_until: { quiet: 45m, of: [Product Added], max: 6h }
  - send: { channel: email, template: nudge }
";

#[test]
fn who_does_not_enter_is_told_every_condition_and_what_would_help() {
    check(
        CART,
        Profile::new(CustomerId::parse("u1").unwrap()),
        &[],
        r#"10h Product Added {"product_id":"pen","price":29,"gift":false}"#,
        &expect![[r#"
            cart: refused WHERE: profile.cart.value >= 50 && size(profile.cart.items) < 9 [29 >= 50] test.yaml:12
              ✓ enter.event | Product Added | Product Added e99 2026-01-05T10:00:00.000Z test.yaml:8
              ✗ where[0] WHERE | profile.cart.value >= 50 && size(profile.cart.items) < 9 | 29 >= 50 && 1 < 9 test.yaml:12 → profile.cart.value were at least 50
              ✗ where[1] WHERE | profile.consent.email == 'granted' || in_segment('vip') | unknown == "granted" || unknown test.yaml:13 → either profile.consent.email were 'granted' or the customer were in the segment `vip`
              ✓ unless[0] | profile.features.bought > 0 | 0 > 0 test.yaml:14
              ✓ unless[1] | event.properties.gift == true | false == true test.yaml:14
              ✓ max_age | 1h | happened at 2026-01-05T10:00:00.000Z test.yaml:8
              ✓ on_repeat | while a run is in progress, another entry changes nothing | no run is in progress test.yaml:8
              ✓ reentry | again 1 day after a run has ended | no run has ended that is remembered test.yaml:8
              ✓ holdout | 10% | not held out: stands at 49.51% test.yaml:8
              if profile.cart.value were at least 50 and either profile.consent.email were 'granted' or the customer were in the segment `vip`
            send 1 email nudge
              ✗ consent NO_CONSENT | the customer has said yes to marketing by email | profile.consent.email.marketing [unknown] test.yaml:24 → the customer said yes to marketing by email
              ✓ suppression | neither the address, nor the channel, nor the customer is on the suppression list | nothing is on the list test.yaml:24
              ✗ address UNREACHABLE | there is an address: profile.traits.email | profile.traits.email [unknown] test.yaml:24 → profile.traits.email were known
              ✓ quiet_hours | the clocks of UTC are not between 21:00 and 08:00; else it waits until they are over | 10:00 in UTC by policy test.yaml:4
              ✓ limits | at most 1 per 7d (email) | limits.email 1 per 7d [0/1] test.yaml:4
              ✓ holdout | the first 10% are held out | the customer stands at 49.51% test.yaml:24
              ✓ priority | no journey of a higher priority sends there at that moment; this one has 0 | priority 0; no other run may send there test.yaml:24
        "#]],
    );
}

#[test]
fn without_an_event_what_depends_on_it_stays_open() {
    check(
        CART,
        super::customer(),
        &[r#"10h Product Added {"product_id":"pen","price":60,"gift":true}"#],
        "11h wake",
        &expect![[r#"
            cart: open
              · enter.event | Product Added | no event is at hand test.yaml:8
              ✓ where[0] | profile.cart.value >= 50 && size(profile.cart.items) < 9 | 60 >= 50 && 1 < 9 test.yaml:12
              ✓ where[1] | profile.consent.email == 'granted' || in_segment('vip') | "granted" == "granted" || false test.yaml:13
              ✓ unless[0] | profile.features.bought > 0 | 0 > 0 test.yaml:14
              · unless[1] | event.properties.gift == true | depends on what is not at hand test.yaml:14
              · max_age | 1h | depends on what is not at hand test.yaml:8
              ✓ on_repeat | while a run is in progress, another entry changes nothing | no run is in progress test.yaml:8
              ✓ reentry | again 1 day after a run has ended | no run has ended that is remembered test.yaml:8
              ✓ holdout | 10% | not held out: stands at 49.51% test.yaml:8
            send 1 email nudge
              ✓ consent | the customer has said yes to marketing by email | profile.consent.email.marketing [granted] test.yaml:24
              ✓ suppression | neither the address, nor the channel, nor the customer is on the suppression list | nothing is on the list test.yaml:24
              ✓ address | there is an address: profile.traits.email | profile.traits.email [known] test.yaml:24
              ✓ quiet_hours | the clocks of UTC are not between 21:00 and 08:00; else it waits until they are over | 11:00 in UTC by policy test.yaml:4
              ✓ limits | at most 1 per 7d (email) | limits.email 1 per 7d [0/1] test.yaml:4
              ✓ holdout | the first 10% are held out | the customer stands at 49.51% test.yaml:24
              ✓ priority | no journey of a higher priority sends there at that moment; this one has 0 | priority 0; no other run may send there test.yaml:24
        "#]],
    );
}

#[test]
fn who_is_in_is_told_where_they_stand_and_what_would_end_it() {
    check(
        CART,
        super::customer(),
        &[r#"10h Product Added {"product_id":"pen","price":60,"gift":false}"#],
        r#"10h5m Product Added {"product_id":"pen","price":60,"gift":false}"#,
        &expect![[r#"
            cart: refused ALREADY_IN: run 1
              ✓ enter.event | Product Added | Product Added e99 2026-01-05T10:05:00.000Z test.yaml:8
              ✓ where[0] | profile.cart.value >= 50 && size(profile.cart.items) < 9 | 120 >= 50 && 1 < 9 test.yaml:12
              ✓ where[1] | profile.consent.email == 'granted' || in_segment('vip') | "granted" == "granted" || false test.yaml:13
              ✓ unless[0] | profile.features.bought > 0 | 0 > 0 test.yaml:14
              ✓ unless[1] | event.properties.gift == true | false == true test.yaml:14
              ✓ max_age | 1h | happened at 2026-01-05T10:05:00.000Z test.yaml:8
              ✗ on_repeat ALREADY_IN | while a run is in progress, another entry changes nothing | run 1 test.yaml:8 → run 1 had ended
              ✓ reentry | again 1 day after a run has ended | no run has ended that is remembered test.yaml:8
              ✓ holdout | 10% | not held out: stands at 49.51% test.yaml:8
              if run 1 had ended
            run 1 @0 hold until 45 minutes pass without `Product Added`, at most 6 hours Some("test.yaml:23") Some(Duration(36000000)) Some(Duration(38700000)) hears ["`Product Added`"]
              · goal | on `Order Completed` within 3 days of entering | counts until 2026-01-08T10:00:00.000Z test.yaml:8
              ✗ exit[0] | when size(profile.cart.items) == 0 (emptied) | 1 == 0 test.yaml:19
              · exit[1] | on `Product Removed` when event.properties.all == true (exit) | unknown == true test.yaml:20
            send 1 email nudge
              ✓ exit | no exit: when size(profile.cart.items) == 0 | 1 == 0 test.yaml:19
              ✓ consent | the customer has said yes to marketing by email | profile.consent.email.marketing [granted] test.yaml:24
              ✓ suppression | neither the address, nor the channel, nor the customer is on the suppression list | nothing is on the list test.yaml:24
              ✓ address | there is an address: profile.traits.email | profile.traits.email [known] test.yaml:24
              ✓ quiet_hours | the clocks of UTC are not between 21:00 and 08:00; else it waits until they are over | 10:05 in UTC by policy test.yaml:4
              ✓ limits | at most 1 per 7d (email) | limits.email 1 per 7d [0/1] test.yaml:4
              ✓ holdout | the first 10% are held out | the customer stands at 49.51% test.yaml:24
              ✓ priority | no journey of a higher priority sends there at that moment; this one has 0 | priority 0; no other run may send there test.yaml:24
        "#]],
    );
}

#[test]
fn who_was_in_is_told_when_they_may_return() {
    check(
        CART,
        super::customer(),
        &[
            r#"10h Product Added {"product_id":"pen","price":60,"gift":false}"#,
            r#"10h5m Order Completed {"total":60}"#,
        ],
        r#"12h Product Added {"product_id":"pen","price":60,"gift":false}"#,
        &expect![[r#"
            cart: refused UNLESS: profile.features.bought > 0 [1 > 0] test.yaml:14
              ✓ enter.event | Product Added | Product Added e99 2026-01-05T12:00:00.000Z test.yaml:8
              ✓ where[0] | profile.cart.value >= 50 && size(profile.cart.items) < 9 | 60 >= 50 && 1 < 9 test.yaml:12
              ✓ where[1] | profile.consent.email == 'granted' || in_segment('vip') | "granted" == "granted" || false test.yaml:13
              ✗ unless[0] UNLESS | profile.features.bought > 0 | 1 > 0 test.yaml:14 → profile.features.bought were at most 0
              ✓ unless[1] | event.properties.gift == true | false == true test.yaml:14
              ✓ max_age | 1h | happened at 2026-01-05T12:00:00.000Z test.yaml:8
              ✓ on_repeat | while a run is in progress, another entry changes nothing | no run is in progress test.yaml:8
              ✗ reentry REENTRY_GAP | again 1 day after a run has ended | until 2026-01-06T10:05:00.000Z test.yaml:8 → it were 2026-01-06T10:05:00.000Z or later
              ✓ holdout | 10% | not held out: stands at 49.51% test.yaml:8
              if profile.features.bought were at most 0 and it were 2026-01-06T10:05:00.000Z or later
            send 1 email nudge
              ✓ consent | the customer has said yes to marketing by email | profile.consent.email.marketing [granted] test.yaml:24
              ✓ suppression | neither the address, nor the channel, nor the customer is on the suppression list | nothing is on the list test.yaml:24
              ✓ address | there is an address: profile.traits.email | profile.traits.email [known] test.yaml:24
              ✓ quiet_hours | the clocks of UTC are not between 21:00 and 08:00; else it waits until they are over | 12:00 in UTC by policy test.yaml:4
              ✓ limits | at most 1 per 7d (email) | limits.email 1 per 7d [0/1] test.yaml:4
              ✓ holdout | the first 10% are held out | the customer stands at 49.51% test.yaml:24
              ✓ priority | no journey of a higher priority sends there at that moment; this one has 0 | priority 0; no other run may send there test.yaml:24
        "#]],
    );
}

#[test]
fn entries_by_segment_absence_and_schedule_say_when_they_come() {
    let policies = "
segments: { vip: profile.traits.plan == 'gold' }
---
journey: a
enter: { segment: { entered: vip } }
steps: [ { send: { channel: push, template: t, class: mandatory } } ]
---
journey: b
enter: { absent: { event: Order Completed, for: 7d, after: { event: Signed Up } }, where: event.properties.pro == true }
steps: [stop]
---
journey: c
enter: { schedule: { cron: '0 9 * * mon', for: vip } }
steps: [stop]
";
    let mut said = String::new();
    for name in ["a", "b", "c"] {
        let mut world = World::with(policies, super::customer());
        world.line(r#"1h identify {"plan":"gold"}"#);
        world.line(r#"2h Signed Up {"pro":true}"#);
        let now = world.profile.now;
        let journey = world.bundle.journey(name).unwrap();
        let account = why(&world.bundle, &world.profile, journey, None, now);
        write(&mut said, name, &account);
    }
    expect![[r#"
        a: open
          · enter.segment | on coming into the segment `vip` | in `vip` since 2026-01-05T01:00:00.000Z test.yaml:4
          ✓ on_repeat | while a run is in progress, another entry changes nothing | no run is in progress test.yaml:4
          ✓ reentry | again as soon as a run has ended | no run has ended that is remembered test.yaml:4
        send 0 push t
          ✓ consent | the customer has not said no to mandatory by push | profile.consent.push.mandatory [unknown] test.yaml:6
          ✓ suppression | neither the address, nor the channel, nor the customer is on the suppression list | nothing is on the list test.yaml:6
          ✓ address | there is an address: profile.traits.device_token | profile.traits.device_token [known] test.yaml:6
          ✓ quiet_hours | at any time of the day: there are no quiet hours |  test.yaml:6
          ✓ limits | as often as it comes: caps count marketing only |  test.yaml:6
          ✓ priority | whatever other journeys send at that moment |  test.yaml:6
        b: open
          · enter.absent | when 1 week after `Signed Up` no `Order Completed` has come | enters at 2026-01-12T02:00:00.000Z if nothing comes test.yaml:8
          ✓ where | event.properties.pro == true | true == true test.yaml:9
          ✓ on_repeat | while a run is in progress, another entry changes nothing | no run is in progress test.yaml:8
          ✓ reentry | again as soon as a run has ended | no run has ended that is remembered test.yaml:8
        c: open
          · enter.schedule | at the times of the schedule `0 9 * * mon`, by the customer's clocks, while in the segment `vip` | the next time is 2026-01-05T09:00:00.000Z test.yaml:12
          ✓ on_repeat | while a run is in progress, another entry changes nothing | no run is in progress test.yaml:12
          ✓ reentry | again as soon as a run has ended | no run has ended that is remembered test.yaml:12
    "#]].assert_eq(&said);
}

/// Plays lines, learns the last one's event without deciding on it, and writes the account.
fn check(policies: &str, profile: Profile, lines: &[&str], last: &str, expected: &Expect) {
    let mut world = World::with(policies, profile);
    for line in lines {
        world.line(line);
    }
    let (time, what) = last.split_once(' ').unwrap();
    let now = start() + Duration::parse(time).unwrap();
    let mut learnt = world.profile.clone();
    let event = match (what != "wake").then(|| cause(what, now, 99)) {
        Some(Cause::Event(event)) => Some(event),
        _ => None,
    };
    if let Some(event) = &event {
        let observed = crate::decide::observe::observe(&world.bundle, &learnt, event, now);
        for fact in &observed.facts {
            learnt.apply(fact);
        }
    }
    let journey = world.bundle.journey("cart").unwrap();
    let account = why(&world.bundle, &learnt, journey, event.as_ref(), now);
    let mut said = String::new();
    write(&mut said, "cart", &account);
    expected.assert_eq(&said);
}

fn write(out: &mut String, name: &str, account: &Account) {
    let verdict = match &account.verdict {
        Verdict::Enters => "enters".into(),
        Verdict::Repeats(run) => format!("repeats run {run}"),
        Verdict::Refused(code, detail) => format!("refused {code}: {detail}"),
        Verdict::Open => "open".to_owned(),
    };
    writeln!(out, "{name}: {verdict}").unwrap();
    lines(out, &account.entry);
    if let Some(remedy) = account.remedy() {
        writeln!(out, "  if {remedy}").unwrap();
    }
    for run in &account.runs {
        let since = run.since.map(|since| since.since(start()));
        let until = run.until.map(|until| until.since(start()));
        let place = run.place.as_ref().map(ToString::to_string);
        writeln!(
            out,
            "run {} @{} {} {place:?} {since:?} {until:?} hears {:?}",
            run.number, run.step, run.does, run.listens
        )
        .unwrap();
        lines(out, &run.ends);
    }
    for send in &account.sends {
        writeln!(out, "send {} {} {}", send.step, send.channel, send.template).unwrap();
        lines(out, &send.guards);
    }
}

fn lines(out: &mut String, conditions: &[Condition]) {
    for of in conditions {
        let mark = match of.mark {
            Mark::Met => "✓",
            Mark::Missed => "✗",
            Mark::Open => "·",
        };
        let code = of.code.map(|code| format!(" {code}")).unwrap_or_default();
        let place = of.place.as_ref().map(|place| format!(" {place}"));
        let remedy = of.remedy.as_ref().map(|remedy| format!(" → {remedy}"));
        let (place, remedy) = (place.unwrap_or_default(), remedy.unwrap_or_default());
        writeln!(
            out,
            "  {mark} {}{code} | {} | {}{place}{remedy}",
            of.part, of.text, of.values
        )
        .unwrap();
    }
}

/// Of every budget everything was given.
struct Empty;

impl Purse for Empty {
    fn look(&self, claims: &[Claim]) -> Vec<Option<Refusal>> {
        let spent = |claim: &Claim| Refusal::Spent {
            n: claim.limit,
            idle: 0,
        };
        claims.iter().map(|claim| Some(spent(claim))).collect()
    }

    fn take(&self, claims: &[Claim]) -> Result<(), Vec<(usize, Refusal)>> {
        panic!("{claims:?}: nothing is given")
    }
}

/// Shows what a placement would be answered.
fn chosen(policies: &str, script: &str, ask: &str, expected: &Expect) {
    let mut world = World::new(policies);
    for line in script.lines().filter(|line| !line.trim().is_empty()) {
        world.line(line);
    }
    let (time, rest) = ask.split_once(' ').unwrap();
    let (placement, context) = rest.split_once(' ').unwrap_or((rest, "{}"));
    let before = world.profile.clone();
    let scoring = |_: &[crate::decide::Request]| crate::decide::Scores::new();
    let choosing = choosing(
        &world.bundle,
        &world.profile,
        placement,
        &serde_json::from_str(context).unwrap(),
        Outside {
            purse: &Empty,
            ..Outside::of(&scoring)
        },
        start() + Duration::parse(time).unwrap(),
    );
    let choosing = choosing.unwrap();
    assert_eq!(world.profile, before, "nothing is decided");
    let mut out = String::new();
    for choice in &choosing.answer.offers {
        writeln!(out, "{} {}", choice.offer, choice.reasons[0]).unwrap();
    }
    for (loser, lost) in choosing.answer.losers.iter().zip(&choosing.losers) {
        let rule = lost
            .rule
            .as_ref()
            .map_or_else(String::new, |of| format!(" ({of})"));
        let remedy = lost.remedy.as_deref().unwrap_or("nothing helps");
        writeln!(
            out,
            "not {}: {} {}{rule} → {remedy}",
            loser.offer,
            loser.reason.code(),
            loser.detail
        )
        .unwrap();
    }
    expected.assert_eq(&out);
}

#[test]
fn every_offer_of_a_placement_is_accounted_for() {
    chosen(
        "
groups:
  loans: { suitable: profile.traits.debt < 1000 }
  tired: { contact: { after: 1 rejection, suppress: 30d } }
offers:
  a: { placements: [hero], value: 5 }
  b: { placements: [hero], value: 9, eligible: profile.traits.age >= 18, applicable: context.page == 'loans' }
  c: { placements: [hero], group: loans, from: 2026-02-01, eligible: profile.traits.age >= 18 }
  d: { placements: [hero], until: 2026-01-01 }
  e: { placements: [hero], cap: 1 per 1d, value: 100 }
  f: { placements: [hero], group: tired }
  g: { placements: [hero], value: profile.traits.worth }
  h: { placements: [hero], value: 2 }
  i: { placements: [hero], value: 50, budget: 5 per day }
placements: { hero: {} }
",
        r#"
        0m identify {"debt":5000}
        1m ask hero
        2m Offer Rejected {"offer":"f"}
    "#,
        r#"3m hero {"page":"home"}"#,
        &expect![[r#"
            a priority 5.000000 from p 1 (no model), context 1, value 5 and levers 1
            not b: INELIGIBLE profile.traits.age >= 18 [unknown >= 18] test.yaml:7 (test.yaml:7) → profile.traits.age were at least 18 and context.page were 'loans'
            not c: INELIGIBLE from 2026-02-01 [now 2026-01-05T00:03:00.000Z] → it were 2026-02-01 or later and profile.traits.age were at least 18 and profile.traits.debt were less than 1000
            not d: INELIGIBLE until 2026-01-01 [now 2026-01-05T00:03:00.000Z] → nothing helps
            not e: CAP 1/1 per 1d, frees at 2026-01-06T00:01:00.000Z → it were 2026-01-06T00:01:00.000Z or later
            not f: CONTACT_LIMIT group tired: 1 rejection [reached, frees at 2026-02-04T00:02:00.000Z] test.yaml:4 (test.yaml:4) → it were 2026-02-04T00:02:00.000Z or later
            not i: BUDGET 5/5 per day, renews at 2026-01-06T00:00:00.000Z → it were 2026-01-06T00:00:00.000Z or later
            not g: UNSUITABLE profile.traits.worth is unknown → its value and its rank were known
            not h: OUTRANKED after a → its priority were above 5.000000 (2.000000)
        "#]],
    );
}

#[test]
fn an_account_of_a_channel_names_the_consent_and_the_suppression() {
    let policies = "
offers: { a: { placements: [mail], purpose: news }, b: { placements: [mail], purpose: transactional } }
placements: { mail: { channel: email, fallback: b } }
";
    let withdrawn =
        r#"0m Consent Changed {"channel":"email","purpose":"news","status":"withdrawn"}"#;
    chosen(
        policies,
        withdrawn,
        "1m mail",
        &expect![[r#"
        b priority 1.000000 from p 1 (no model), context 1, value 1 and levers 1
        not a: NO_CONSENT profile.consent.email.news [withdrawn] → the customer said yes to news by email
    "#]],
    );
    let suppressed = r#"0m Suppressed {"channel":"email","reason":"complaint"}"#;
    chosen(
        policies,
        suppressed,
        "1m mail",
        &expect![[r#"
        not a: SUPPRESSED suppressed channel email [by complaint, until lifted] → the suppression were lifted
        not b: SUPPRESSED suppressed channel email [by complaint, until lifted] → the suppression were lifted
    "#]],
    );
}
