//! Shadows: they walk as live runs do, say what they would do, and are in nobody's way.

use std::sync::Arc;

use expect_test::expect;
use proptest::prelude::*;

use super::{World, check};
use crate::decide::drive::Outcome;
use crate::domain::instance::is_shadow;
use crate::domain::{Action, Answer, Crossing, Duration, Fact, Profile, Timer};
use crate::policy::Bundle;
use crate::policy::mode::Mode;

#[test]
fn a_shadow_says_what_it_would_send_and_nothing_leaves() {
    check(
        "
journey: trial
mode: shadow
enter: { event: A, reentry: { after_exit: 1h } }
steps:
  - wait: 10m
  - set: { tried: true }
  - send: { channel: email, template: hello }
",
        None,
        "
        0m A {}
        20m A {}",
        &expect![[r#"
            0s trial#shadow 1 entered
            0s trial#shadow 1 @0 waits until 10m
            10m trial#shadow 1 @0 woke
            10m trial#shadow 1 @1 would have set ["tried"]
            10m trial#shadow 1 @2 would have sent email hello
            10m trial#shadow 1 @2 left: completed
            20m trial#shadow 0 refused REENTRY_GAP: until 2026-01-05T01:10:00.000Z
        "#]],
    );
}

#[test]
fn a_shadow_is_judged_by_caps_that_others_fill_and_fills_none() {
    check(
        "
limits: { email: 1 per 1d }
---
journey: real
enter: { event: Real, reentry: always }
steps: [ { send: { channel: email, template: real } } ]
---
journey: trial
mode: shadow
enter: { event: Trial, reentry: always }
steps: [ { send: { channel: email, template: trial } } ]
",
        None,
        "
        0m Trial {}
        1m Real {}
        2m Trial {}",
        &expect![[r#"
            0s trial#shadow 1 entered
            0s trial#shadow 1 @0 would have sent email trial
            0s trial#shadow 1 @0 left: completed
            1m real#1 entered
            1m real#1 @0 sent email real
            1m real#1 @0 left: completed
            1m ACTION email real {}
            2m trial#shadow 2 entered
            2m trial#shadow 2 @0 blocked CONTACT_LIMIT: limits.email 1 per 1d test.yaml:2 [2/1, frees at 2026-01-06T00:01:00.000Z]
            2m trial#shadow 2 @0 left: completed
        "#]],
    );
}

#[test]
fn what_a_shadow_would_have_sent_counts_against_its_own_caps_and_nobody_elses() {
    check(
        "
limits: { email: 2 per 1d }
---
journey: real
enter: { event: Real, reentry: always }
steps: [ { send: { channel: email, template: real } } ]
---
journey: other
mode: shadow
enter: { event: Other, reentry: always }
steps: [ { send: { channel: email, template: other } } ]
---
journey: trial
mode: shadow
enter: { event: Trial, reentry: always }
steps: [ { send: { channel: email, template: trial } } ]
",
        None,
        "
        0m Trial {}
        1m Real {}
        2m Trial {}
        3m Other {}
        4m Real {}
        1d30s Trial {}",
        &expect![[r#"
            0s trial#shadow 1 entered
            0s trial#shadow 1 @0 would have sent email trial
            0s trial#shadow 1 @0 left: completed
            1m real#1 entered
            1m real#1 @0 sent email real
            1m real#1 @0 left: completed
            1m ACTION email real {}
            2m trial#shadow 2 entered
            2m trial#shadow 2 @0 blocked CONTACT_LIMIT: limits.email 2 per 1d test.yaml:2 [2/2, frees at 2026-01-06T00:00:00.000Z]
            2m trial#shadow 2 @0 left: completed
            3m other#shadow 3 entered
            3m other#shadow 3 @0 would have sent email other
            3m other#shadow 3 @0 left: completed
            4m real#2 entered
            4m real#2 @0 sent email real
            4m real#2 @0 left: completed
            4m ACTION email real {}
            1d30s trial#shadow 4 entered
            1d30s trial#shadow 4 @0 blocked CONTACT_LIMIT: limits.email 2 per 1d test.yaml:2 [2/2, frees at 2026-01-06T00:01:00.000Z]
            1d30s trial#shadow 4 @0 left: completed
        "#]],
    );
}

#[test]
fn of_so_many_shadows_it_is_remembered_what_they_would_have_sent() {
    let mut profile = Profile::new(crate::domain::CustomerId::parse("u1").unwrap());
    let keep = Duration::parse("30d").unwrap();
    for n in 0..3 * u64::try_from(Profile::GHOSTS_MAX).unwrap() {
        let journey = format!("trial-{n}").into();
        let at = super::start() + Duration::from_secs(n);
        profile.apply(&Fact::WouldContact(journey, "email".into(), n, at, keep));
    }
    let names: Vec<&str> = profile.ghosts.keys().map(AsRef::as_ref).collect();
    assert_eq!(names.len(), Profile::GHOSTS_MAX);
    // Those that would have sent last.
    assert!(profile.ghosts.contains_key("trial-47"), "{names:?}");
    assert!(!profile.ghosts.contains_key("trial-31"), "{names:?}");
}

#[test]
fn a_shadow_is_told_who_outranks_it_and_outranks_nobody() {
    check(
        "
journey: light
enter: { event: A }
steps: [ { send: { channel: email, template: light } } ]
---
journey: trial-heavy
mode: shadow
priority: 2
enter: { event: A }
steps: [ { send: { channel: email, template: heavy } } ]
---
journey: trial-lightest
mode: shadow
priority: -1
enter: { event: A }
steps: [ { send: { channel: email, template: lightest } } ]
",
        None,
        "0m A {}",
        &expect![[r#"
            0s light#1 entered
            0s trial-heavy#shadow 1 entered
            0s trial-lightest#shadow 2 entered
            0s trial-heavy#shadow 1 @0 would have sent email heavy
            0s trial-heavy#shadow 1 @0 left: completed
            0s light#1 @0 sent email light
            0s light#1 @0 left: completed
            0s trial-lightest#shadow 2 @0 blocked OUTRANKED: by light [priority -1 against 0]
            0s trial-lightest#shadow 2 @0 left: completed
            0s ACTION email light {}
        "#]],
    );
}

#[test]
fn offers_of_a_shadow_do_not_count_and_are_not_published() {
    check(
        "
offers: { one: { placements: [spot], value: 5, cap: 1 per 1d } }
placements: { spot: {} }
---
journey: trial
mode: shadow
enter: { event: A }
steps:
  - offer: { placement: spot, as: pick }
  - send: { channel: email, template: hello, with: { offer: pick.id } }
",
        None,
        "
        0m A {}
        1m ask spot {}",
        &expect![[r#"
            0s trial#shadow 1 entered
            0s trial#shadow 1 @0 ranked ["one"], lost 
            0s trial#shadow 1 @1 would have sent email hello
            0s trial#shadow 1 @1 left: completed
            1m spot#0 ranked ["one"], lost 
            1m ANSWER degraded=false fallback=false
               one p=None priority=Some(5.0)
        "#]],
    );
}

#[test]
fn a_journey_that_goes_live_does_not_know_its_shadow() {
    let shadow = "
journey: trial
mode: shadow
enter: { event: A, reentry: never }
steps: [ { wait: 10m }, { send: { channel: email, template: hello } } ]
";
    let mut world = World::new(shadow);
    world.line("0m A {}");
    world.bundle = super::bundle(&shadow.replace("shadow", "live"));
    super::play(
        world,
        "
        5m A {}
        20m wake",
        &expect![[r#"
            5m trial#1 entered
            5m trial#1 @0 waits until 15m
            10m trial#shadow 1 @0 woke
            10m trial#shadow 1 @1 would have sent email hello
            10m trial#shadow 1 @1 left: completed
            15m trial#1 @0 woke
            15m trial#1 @1 sent email hello
            15m trial#1 @1 left: completed
            15m ACTION email hello {}
        "#]],
    );
}

#[test]
fn a_segment_that_was_not_published_is_left_in_silence_when_it_is_gone() {
    let mut world = World::new(
        "
segments:
  told: profile.traits.plan == 'gold'
  hushed: { when: profile.traits.plan == 'gold', publish: false }
  shady: { when: profile.traits.plan == 'gold', publish: false }
---
journey: live
enter: { segment: { entered: hushed } }
steps: [stop]
---
journey: shade
mode: shadow
enter: { segment: { entered: shady } }
steps: [stop]
",
    );
    world.line(r#"0h identify {"plan":"gold"}"#);
    let counts = |of: &Profile| (of.n_crossings, of.n_shadow_crossings);
    assert_eq!(counts(&world.profile), (2, 1));
    let other = "journey: other\nenter: { event: X }\nsteps: [stop]\n";
    world.bundle = super::bundle(other);
    let mut after = World::new(other);
    after.profile = world.profile.clone();
    for line in ["1h Same", "1h Y"] {
        after.line(line);
    }
    assert_eq!(counts(&after.profile), (4, 2));
    assert!(after.profile.quiet.is_empty());
    super::play(
        world,
        "1h Y",
        &expect![[r#"
            1h hushed#0 exited: the policies have no such segment any more, or nobody asks for it
            1h shady#shadow 0 exited: the policies have no such segment any more, or nobody asks for it
            1h told#0 exited: the policies have no such segment any more, or nobody asks for it
            1h CROSSING told exited by event Some("e2") timer None
        "#]],
    );
}

/// Journeys of every kind that share caps, channels, a segment, a trait, an offer and a schedule.
const LIVE: &str = "
limits:
  email: [ 2 per 1h, { cap: 3 per day, window: calendar } ]
  all: 3 per 90m
  quiet_hours: { between: 22:00-06:00, jitter: 20m }
---
segments:
  eager: count('A', '1h') >= 2
---
offers: { one: { placements: [spot], value: 5, cap: 2 per 2h }, two: { placements: [spot], value: 1 } }
placements: { spot: {} }
---
journey: a
priority: 2
enter: { event: A, key: event.properties.k, reentry: { concurrent: 2 } }
goal: { event: B, within: 1d }
steps:
  - send: { channel: email, template: t, on_block: retry_at_release }
  - wait: 10m
  - offer: { placement: spot, as: pick }
  - send: { channel: push, template: t, with: { offer: pick.id } }
---
journey: b
enter: { event: A, reentry: { after_exit: 30m } }
exit: { when: profile.traits.gone == true }
steps:
  - hold_until: { quiet: 10m, of: [A, B], max: 1h }
  - send: { channel: email, template: t }
  - set: { mark: entry.properties.k }
---
journey: c
class: transactional
enter: { segment: { entered: eager }, reentry: always }
exit: { when: profile.traits.mark == '1' }
steps: [ { wait: 10m }, { send: { channel: email, template: t, quiet_hours: none } } ]
---
journey: d
enter: { absent: { event: B, for: 40m, after: A }, reentry: always }
steps: [ { send: { channel: sms, template: t } } ]
---
journey: e
enter: { schedule: { cron: '*/30 * * * *', for: eager }, reentry: always }
steps: [ { send: { channel: push, template: t } }, { wait: 25m } ]
";

/// The live journeys, and of each a shadow of more weight.
fn with_shadows() -> String {
    let shadow = |name: &str| {
        let journey = LIVE
            .split("---")
            .find(|text| text.contains(&format!("journey: {name}\n")));
        let text = journey.unwrap().replace("priority: 2\n", "");
        let own = format!("journey: {name}");
        text.replace(
            &own,
            &format!("journey: shadow-{name}\nmode: shadow\npriority: 3"),
        )
    };
    let mut all = LIVE.to_owned();
    for name in ["a", "b", "c", "d", "e"] {
        all += "---";
        all += &shadow(name);
    }
    all += ONLY_FOR_SHADOWS;
    all
}

/// A segment that nobody but a shadow asks for, and one that asks it.
const ONLY_FOR_SHADOWS: &str = "
---
segments:
  hushed: { when: \"count('A', '20m') >= 1\", publish: false }
  both: { when: in_segment('hushed') && in_segment('eager'), publish: false }
---
journey: shadow-f
mode: shadow
enter: { segment: { entered: hushed }, reentry: always }
exit: { when: in_segment('both') }
steps: [ { send: { channel: email, template: t } }, { wait: 5m } ]
";

/// What others can see, and what live runs have learnt.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    facts: Vec<Fact>,
    actions: Vec<Action>,
    answers: Vec<Arc<Answer>>,
    crossings: Vec<Crossing>,
}

impl Seen {
    fn add(&mut self, bundle: &Bundle, outcome: Outcome) {
        // The edge of a segment that only shadows ask for is a moment like others: time goes on.
        let own = |fact: &Fact| !is_of_shadow(bundle, fact) && !matches!(fact, Fact::Now(_));
        self.facts.extend(outcome.facts.into_iter().filter(own));
        self.actions.extend(outcome.actions);
        // Only with the shadows it is another set of policies.
        let unnamed = outcome.answers.iter().map(|answer| {
            let bundle = "".into();
            let answer = Answer::clone(answer);
            Arc::new(Answer { bundle, ..answer })
        });
        self.answers.extend(unnamed);
        self.crossings.extend(outcome.crossings);
    }
}

fn is_of_shadow(bundle: &Bundle, fact: &Fact) -> bool {
    let of = |name: &str| {
        bundle
            .journey(name)
            .is_some_and(|it| it.mode == Mode::Shadow)
    };
    match fact {
        Fact::Entered(run) => run.is_shadow(),
        Fact::Refreshed(number, _)
        | Fact::Migrated(number, _)
        | Fact::Moved(number, ..)
        | Fact::Bound(number, ..)
        | Fact::Left(number, ..) => is_shadow(*number),
        Fact::Traced(trace) => is_shadow(trace.instance),
        Fact::Crossed(.., shadow) | Fact::Quiet(_, shadow) => *shadow,
        Fact::Armed(Timer::Absence(name, _) | Timer::Schedule(name), _) => of(name),
        Fact::Armed(Timer::Edge(name), _) => is_for_shadows(bundle, name),
        // Hashes of policies: these are others.
        Fact::Standing(_) | Fact::WouldContact(..) => true,
        Fact::Seen(..)
        | Fact::Now(_)
        | Fact::Trait(..)
        | Fact::Folded(..)
        | Fact::Cart(..)
        | Fact::Given(..)
        | Fact::Zone(_)
        | Fact::Consented(_)
        | Fact::Suppressed(_)
        | Fact::Unsuppressed(..)
        | Fact::Contacted(..)
        | Fact::Delivered(_)
        | Fact::Decided(_)
        | Fact::Told(_)
        | Fact::Responded(..)
        | Fact::Armed(Timer::Run(_), _) => false,
    }
}

/// The profile without what shadows leave behind.
fn without_shadows(bundle: &Bundle, mut profile: Profile) -> Profile {
    let of = |name: &str| {
        bundle
            .journey(name)
            .is_some_and(|it| it.mode == Mode::Shadow)
    };
    // Time goes on at the moments of shadows, too.
    profile.now = super::start();
    profile.n_shadows = 0;
    profile.n_shadow_crossings = 0;
    profile.ghosts.clear();
    profile.standing = 0;
    profile.journeys.retain(|run| !run.is_shadow());
    profile.past.retain(|past| !past.shadow);
    profile.timeline.retain(|line| !is_shadow(line.instance));
    profile
        .segments
        .retain(|name, _| !is_for_shadows(bundle, name));
    profile
        .quiet
        .retain(|name, _| !is_for_shadows(bundle, name));
    profile.timers.retain(|timer, _| match timer {
        Timer::Absence(name, _) | Timer::Schedule(name) => !of(name),
        Timer::Edge(name) => !is_for_shadows(bundle, name),
        Timer::Run(_) => true,
    });
    profile
}

fn is_for_shadows(bundle: &Bundle, segment: &str) -> bool {
    let segment = bundle.segment(segment);
    segment.is_some_and(|(_, segment)| segment.for_shadows)
}

/// What happens: minutes later, what, and a number to tell apart.
fn lines() -> impl Strategy<Value = Vec<(u64, u8, usize)>> {
    let after = prop_oneof![4 => Just(0_u64), 4 => 1_u64..15, 2 => 15_u64..200, 1 => 200_u64..900];
    prop::collection::vec((after, 0_u8..9, 0_usize..4), 1..60)
}

fn play(policies: &str, lines: &[(u64, u8, usize)]) -> (Seen, Profile, usize) {
    let mut world = World::new(policies);
    let (mut seen, mut minutes, mut n_ghosts) = (Seen::default(), 0, 0);
    for (after, what, n) in lines {
        minutes += after;
        let what = match what {
            0..=3 => format!(r#"A {{"k":"{n}"}}"#),
            4 => format!(r#"B {{"k":"{n}"}}"#),
            5 => "ask spot {}".into(),
            6 => format!(r#"identify {{"gone":{},"timezone":"Asia/Tokyo"}}"#, *n == 0),
            7 => format!(r#"late {n}m A {{"k":"{n}"}}"#),
            _ => "wake".into(),
        };
        let (_, outcomes) = world.line(&format!("{minutes}m {what}"));
        for outcome in outcomes {
            let traces = outcome.facts.iter().filter_map(Fact::as_trace);
            n_ghosts += traces.filter(|trace| is_shadow(trace.instance)).count();
            seen.add(&world.bundle, outcome);
        }
    }
    (
        seen,
        without_shadows(&world.bundle, world.profile),
        n_ghosts,
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn shadows_change_nothing_of_what_the_other_journeys_do(lines in lines()) {
        let (alone, profile, _) = play(LIVE, &lines);
        let (beside, same, n_ghosts) = play(&with_shadows(), &lines);
        prop_assert_eq!(alone, beside);
        prop_assert_eq!(profile, same);
        let anything = lines.iter().any(|(_, what, _)| *what < 4);
        prop_assert!(n_ghosts > 0 || !anything);
    }
}
