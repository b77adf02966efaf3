//! Journeys in plain words, and as charts.

use expect_test::{Expect, expect};

use super::bundle;
use crate::policy::explain;

const EVERYTHING: &str = r##"
features:
  seen: { count: Product Viewed, window: 7d }
---
segments:
  vip: profile.traits.plan == 'gold'
---
limits:
  email: 3 per 7d
  all: [ 1 per 4h, 9 per calendar month ]
  quiet_hours: 21:00-08:00 customer
channels: { letter: { address: none, consent: not_required } }
---
offers: { free: { placements: [hero], value: 1 } }
placements: { hero: {} }
---
journey: all
mode: shadow
about: Everything that can be said, <b>once</b>.
priority: 2 + 3
enter:
  event: Product Added
  where:
    - profile.cart.value >= 50
    - "event.properties.name != '#1; \"best\" %% `x`'"
  unless: count('Order Completed', '1d') > 0
  key: event.properties.cart_id
  reentry: { after_exit: 1d, concurrent: 3 }
  on_repeat: refresh
  max_age: 1h30m
goal: { event: Order Completed, where: event.properties.total > 10, within: 3d }
exit:
  - { event: Product Removed, when: size(profile.cart.items) == 0, reason: empty }
  - { when: in_segment('vip') }
holdout: 12.5%
steps:
  - split: { a: 33.3%, b: 66.7%, as: arm, salt: spring }
  - hold_until: { quiet: 45m, of: [Product Added, { event: Cart Viewed, where: event.properties.big == true }] }
  - wait_for:
      arms:
        - { event: Coupon Applied, where: "event.properties.code == 'X'", then: { set: { coupon: 1, last: now() } } }
        - { event: Product Viewed, then: next }
      within: 10d
      otherwise: { exit: bored }
  - wait_for: { arms: [ { event: A1 }, { event: B1 } ], within: 1d12h, rank: true }
  - branch:
      - when: profile.features.seen > 3
        then:
          - offer: { placement: hero, as: pick }
          - send: { channel: email, template: hello, with: { pick: pick.id, n: 1 }, on_block: exit, quiet_hours: none }
  - wait: { until: 09:00, days: [mon..wed] }
  - wait: { until: profile.traits.renewal, offset: -7d, past: skip, zone: Europe/Berlin }
  - send: { channel: letter, template: paper, class: transactional, purpose: orders, on_block: retry_at_release }
  - stop
"##;

#[test]
fn a_journey_is_said_in_plain_words() {
    check_text(
        "all",
        &expect![[r#"
            all  shop.yaml:17
            Everything that can be said, <b>once</b>.
            It is a shadow: it runs and says what it would do, and nothing leaves.

            A customer enters
              - on `Product Added`
              - if profile.cart.value >= 50
              - if event.properties.name != '#1; "best" %% `x`'
              - unless count('Order Completed', '1d') > 0
              - unless the event is older than 1 hour 30 minutes
              - one run at a time for each event.properties.cart_id
              - at most 3 runs at a time
              - while a run is in progress, another entry takes the place of what it knows of its own
              - again 1 day after a run has ended
              - 12.5% of them walk along and get nothing, for comparison

            Then
              0  deal customers out by chance, each always to the same way, as `arm`
                  33.3% are `a`: go on
                  66.7% are `b`: go on
              1  hold until 45 minutes pass without `Product Added` or `Cart Viewed` where event.properties.big == true
              2  wait 10 days for the first of these
                  on `Coupon Applied` where event.properties.code == 'X'
                    2.wait_for.0.0  set the trait `coupon` to 1 and the trait `last` to now()
                  on `Product Viewed`: go on
                  otherwise
                    2.wait_for.otherwise.0  leave (bored)
              3  wait 1 day 12 hours for all of it; then take the first way that was met
                  on `A1`: go on
                  on `B1`: go on
                  otherwise: go on
              4  take the first way that is true
                  if profile.features.seen > 3
                    4.branch.0.0  pick an offer for `hero`, as `pick`
                    4.branch.0.1  send `hello` by email, with pick and n, at any time of the day; if it is blocked, leave
                  otherwise: go on
              5  wait until 09:00 on mon, tue or wed, by the customer's clocks
              6  wait until 1 week before profile.traits.renewal, by the clocks of Europe/Berlin; if that is past or unknown, go on behind the next step
              7  send `paper` by letter, as transactional, for the purpose `orders`; if it is blocked, try again once that is over
              8  leave (stopped)

            It ends
              - at any step, on `Order Completed` where event.properties.total > 10 within 3 days of entering (converted)
              - at any step, on `Product Removed` when size(profile.cart.items) == 0 (empty)
              - at any step, when in_segment('vip') (exit)
              - behind the last step (completed)

            A send (transactional by letter) leaves if, at that moment,
              - the customer has not said no to orders by letter
              - neither the address, nor the channel, nor the customer is on the suppression list
              - the customer's clocks are not between 21:00 and 08:00; else it waits until they are over
              - as often as it comes: caps count marketing only
              - no journey of a higher priority sends there at that moment; this one has 2 + 3

            A send (marketing by email) leaves if, at that moment,
              - the customer has said yes to marketing by email
              - neither the address, nor the channel, nor the customer is on the suppression list
              - there is an address: profile.traits.email
              - at any time of the day: there are no quiet hours
              - at most 3 per 7d (email), 1 per 4h (all), 9 per calendar month (all)
              - no journey of a higher priority sends there at that moment; this one has 2 + 3
        "#]],
    );
}

#[test]
fn a_placement_is_explained_with_everything_that_competes_for_it() {
    let text = "
learners:
  taste: { prior: { propensity: 0.05, evidence: 50 }, half_life: 30d, reward: { impression: 0, click: 1 }, within: 3d }
  context: { kind: linear, features: { rich: profile.cart.value / 100 } }
---
groups: { cards: { weight: 20, contact: { after: 1 rejection, suppress: 90d } }, loans: {} }
---
offers:
  gold:
    placements: [hero]
    group: [cards, loans]
    weight: 35
    value: 100
    from: 2026-03-01
    eligible: profile.traits.age >= 18
    applicable: context.page == 'cards'
    suitable: profile.traits.debt < 1000
    contact: { after: 3 impressions per 7d without click, suppress: 14d }
    cap: 1 per 30d
    budget: 500 per day
    purpose: news
  plain: { placements: [hero] }
  info: { placements: [side] }
---
placements:
  hero:
    limit: 3
    groups: [cards, loans]
    learner: taste
    smoothing: { evidence: 50, propensity: 0.3 }
    context_weights: [{ when: context.page == 'cards', weight: 100 }]
    diversity: { group: 1 }
    channel: email
    contact: { after: 9 impressions per 1d, suppress: 1d }
    fallback: info
    holdout: 5%
    challenger: { learner: context, share: 10% }
  side: { rank: p * offer.value, model: m, challenger: { rank: offer.value, mode: shadow }, explore: 5% }
---
model: m
file: m.onnx
inputs: [{ column: v, from: profile.cart.value, unknown: 0 }]
";
    let bundle = bundle(text).unwrap_or_else(|wrong| panic!("{}", wrong.render(false)));
    let page = |name: &str| explain::placement(&bundle, bundle.placement(name).unwrap());
    expect![[r#"
        hero  shop.yaml:26

        Who asks gets
          - up to 3 offers that every rule lets through, the best first
          - nothing without consent to marketing by email, nor to anybody on the suppression list
          - after 9 impressions per 1d not for 1 day
          - at most 1 with the same group
          - `info` if nothing qualifies

        How they are ranked
          - group by group: `cards`, then `loans`, then the rest
          - by propensity × context × value × levers
          - the context adds +100% if context.page == 'cards'
          - the propensity is what learner `taste` believes
          - what is learnt begins at 0.3, as if 50 outcomes had been seen

        For learning and comparison
          - every propensity is drawn from what is believed of it: the less is known, the more is tried
          - control: 2% of the customers, others each month, get any offer that they may have
          - holdout: 5% of the customers, always the same, get nothing but the fallback
          - a challenger with learner context decides for 10% of the customers, always the same

        Offers
          gold  shop.yaml:9
            - worth 100
            - in `cards` and `loans`
            - its lever is +35%
            - from 2026-03-01
            - only who may have it: profile.traits.age >= 18
            - only where it makes sense: context.page == 'cards'
            - only in the customer's interest: profile.traits.debt < 1000
            - after 3 impressions per 7d without click not for 2 weeks
            - at most 1 in any 30 days for each customer
            - at most 500 per day for everybody together
            - where a channel is asked for: consent to news
          plain  shop.yaml:22
            - worth 1
          info  shop.yaml:23
            - worth 1

        Groups
          cards  shop.yaml:6
            - its lever is +20%
            - after 1 rejection not for 90 days
          loans  shop.yaml:6
            - holds nothing back

        Learner context  shop.yaml:4
          - learns for each offer a line over what it looks at
          - looks at rich: profile.cart.value / 100
          - begins at 1, as if 1 outcomes had been seen, unless the placement says otherwise
          - impression is worth 0
          - click is worth 1

        Learner taste  shop.yaml:3
          - learns one rate for each offer
          - begins at 0.05, as if 50 outcomes had been seen, unless the placement says otherwise
          - impression is worth 0
          - click is worth 1
          - what was seen counts for half after 30 days
          - outcomes later than 3 days teach nothing
    "#]].assert_eq(&page("hero"));
    expect![[r#"
        side  shop.yaml:38

        Who asks gets
          - the best offer that every rule lets through
          - nothing if nothing qualifies

        How they are ranked
          - by p * offer.value
          - the propensity is what model `m` says

        For learning and comparison
          - 5% of the choices are any offer
          - control: 2% of the customers, others each month, get any offer that they may have
          - a challenger with rank offer.value decides beside it for everybody, and is only logged

        Offers
          info  shop.yaml:23
            - worth 1
    "#]]
    .assert_eq(&page("side"));
}

#[test]
fn a_journey_is_drawn_as_a_chart() {
    let bundle = bundle(EVERYTHING).unwrap_or_else(|wrong| panic!("{}", wrong.render(false)));
    let chart = explain::mermaid(&[bundle.journey("all").unwrap()]);
    expect![[r#"
        flowchart TD
          j0enter(["on #96;Product Added#96;<br/>if profile.cart.value #62;= 50<br/>if event.properties.name #33;= '#35;1#59; #34;best#34; #37;#37; #96;x#96;'<br/>unless count('Order Completed', '1d') #62; 0<br/>unless the event is older than 1 hour 30 minutes<br/>one run at a time for each event.properties.cart_id<br/>at most 3 runs at a time<br/>while a run is in progress, another entry takes the place of what it knows of its own<br/>again 1 day after a run has ended"])
          subgraph j0["all"]
          j0s0{"deal customers out by chance, each always to the same way, as #96;arm#96;"}
          j0s1("hold until 45 minutes pass without #96;Product Added#96; or #96;Cart Viewed#96; where event.properties.big == true")
          j0s2("wait 10 days for the first of these")
          j0s3("wait 1 day 12 hours for all of it#59; then take the first way that was met")
          j0s4{"take the first way that is true"}
          j0s5("wait until 09#58;00 on mon, tue or wed, by the customer's clocks")
          j0s6("wait until 1 week before profile.traits.renewal, by the clocks of Europe/Berlin#59; if that is past or unknown, go on behind the next step")
          j0s7[/"send #96;paper#96; by letter, as transactional, for the purpose #96;orders#96;#59; if it is blocked, try again once that is over"/]
          j0s8(["leave (stopped)"])
          j0s9["set the trait #96;coupon#96; to 1 and the trait #96;last#96; to now()"]
          j0s10(["leave (bored)"])
          j0s11["pick an offer for #96;hero#96;, as #96;pick#96;"]
          j0s12[/"send #96;hello#96; by email, with pick and n, at any time of the day#59; if it is blocked, leave"/]
          end
          j0enter --> j0s0
          j0s0 -->|"33.3#37; are #96;a#96;"| j0s1
          j0s0 -->|"66.7#37; are #96;b#96;"| j0s1
          j0s1 --> j0s2
          j0s2 -->|"on #96;Coupon Applied#96; where event.properties.code == 'X'"| j0s9
          j0s2 -->|"on #96;Product Viewed#96;"| j0s3
          j0s2 -->|"otherwise"| j0s10
          j0s3 -->|"on #96;A1#96;"| j0s4
          j0s3 -->|"on #96;B1#96;"| j0s4
          j0s3 -->|"otherwise"| j0s4
          j0s4 -->|"if profile.features.seen #62; 3"| j0s11
          j0s4 -->|"otherwise"| j0s5
          j0s5 --> j0s6
          j0s6 --> j0s7
          j0s7 --> j0s8
          j0s9 --> j0s3
          j0s11 --> j0s12
          j0s12 --> j0s5
          j0out0(["converted"])
          j0 -.->|"on #96;Order Completed#96; where event.properties.total #62; 10 within 3 days of entering"| j0out0
          j0out1(["empty"])
          j0 -.->|"on #96;Product Removed#96; when size(profile.cart.items) == 0"| j0out1
          j0out2(["exit"])
          j0 -.->|"when in_segment('vip')"| j0out2
    "#]].assert_eq(&chart);
}

#[test]
fn every_way_to_enter_has_its_words() {
    let enters = [
        "{ segment: { entered: vip } }",
        "{ segment: { exited: vip } }",
        "{ schedule: { cron: '0 9 * * mon' }, where: has(profile.traits.plan) }",
        "{ schedule: { cron: '0 9 * * mon', zone: Europe/Berlin, for: vip } }",
        "{ absent: { event: Order Completed, for: 7d, after: { event: Signed Up, where: event.properties.pro == true } } }",
        "{ event: A, reentry: { after_exit: 10d }, on_repeat: restart }",
    ];
    let mut said = String::new();
    for enter in enters {
        let text = format!(
            "segments: {{ vip: profile.traits.plan == 'gold' }}\n---\njourney: j\nenter: {enter}\nsteps: [stop]\n"
        );
        let bundle = bundle(&text).unwrap_or_else(|wrong| panic!("{}", wrong.render(false)));
        let page = explain::text(&bundle, bundle.journey("j").unwrap());
        let enters = page.split("\n\n").nth(1).unwrap();
        said.push_str(enters);
        said.push('\n');
    }
    expect![[r#"
        A customer enters
          - on coming into the segment `vip`
          - one run at a time
          - while a run is in progress, another entry changes nothing
          - again as soon as a run has ended
        A customer enters
          - on dropping out of the segment `vip`
          - one run at a time
          - while a run is in progress, another entry changes nothing
          - again as soon as a run has ended
        A customer enters
          - at the times of the schedule `0 9 * * mon`, by the customer's clocks
          - if has(profile.traits.plan)
          - one run at a time
          - while a run is in progress, another entry changes nothing
          - again as soon as a run has ended
        A customer enters
          - at the times of the schedule `0 9 * * mon`, by the clocks of Europe/Berlin, while in the segment `vip`
          - one run at a time
          - while a run is in progress, another entry changes nothing
          - again as soon as a run has ended
        A customer enters
          - when 1 week after `Signed Up` where event.properties.pro == true no `Order Completed` has come
          - one run at a time
          - while a run is in progress, another entry changes nothing
          - again as soon as a run has ended
        A customer enters
          - on `A`
          - one run at a time
          - while a run is in progress, another entry begins it anew
          - again 10 days after a run has ended
    "#]].assert_eq(&said);
}

#[test]
fn lengths_of_time_are_said_as_authors_write_them() {
    let said = ["45m", "1h30m", "20h", "1d", "10d", "2w", "1ms", "1d12h"].map(|text| {
        let length = crate::domain::Duration::parse(text).unwrap();
        format!("{text}: {}\n", explain::length(length))
    });
    expect![[r#"
        45m: 45 minutes
        1h30m: 1 hour 30 minutes
        20h: 20 hours
        1d: 1 day
        10d: 10 days
        2w: 2 weeks
        1ms: 1 millisecond
        1d12h: 1 day 12 hours
    "#]]
    .assert_eq(&said.concat());
}

fn check_text(name: &str, expected: &Expect) {
    let bundle = bundle(EVERYTHING).unwrap_or_else(|wrong| panic!("{}", wrong.render(false)));
    let journey = bundle.journey(name).unwrap();
    expected.assert_eq(&explain::text(&bundle, journey));
}
