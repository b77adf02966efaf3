//! Runs stay on the revision of the journey that they entered, unless the author takes them over.

use expect_test::{Expect, expect};

use super::{World, bundle, play};
use crate::policy::{Bundle, Kept, Source, check_with};

const OLD: &str = "
features: { views: { count: Viewed, window: 7d } }
segments: { loyal: { when: count('Bought') > 1, publish: false } }
journey: tips
enter: { event: A }
exit: { when: in_segment('loyal') }
steps:
  - wait: 1d
  - send: { channel: email, template: old-1, with: { views: profile.features.views } }
  - wait: 1d
  - send: { channel: email, template: old-2, with: { bought: count('Bought') } }
";

const NEW: &str = "
journey: tips
enter: { event: A }
steps:
  - wait: 1h
  - send: { channel: email, template: new }
";

#[test]
fn a_run_goes_on_as_it_began_and_others_begin_anew() {
    let lines = "
        2h Viewed
        26h Bought
        27h A
        73h wake";
    check(
        OLD,
        NEW,
        lines,
        &expect![[r#"
            1d tips#1 @0 woke
            1d tips#1 @1 sent email old-1
            1d tips#1 @2 waits until 2d
            1d ACTION email old-1 {"views":1}
            1d3h tips#0 refused ALREADY_IN: run 1
            2d tips#1 @2 woke
            2d tips#1 @3 sent email old-2
            2d tips#1 @3 left: completed
            2d ACTION email old-2 {"bought":1}
        "#]],
    );
}

#[test]
fn a_journey_that_is_no_more_lets_everybody_finish() {
    check(
        OLD,
        "journey: other\nenter: { event: B }\nsteps: [stop]",
        "73h wake",
        &expect![[r#"
            1d tips#1 @0 woke
            1d tips#1 @1 sent email old-1
            1d tips#1 @2 waits until 2d
            2d tips#1 @2 woke
            2d tips#1 @3 sent email old-2
            2d tips#1 @3 left: completed
            1d ACTION email old-1 {"views":0}
            2d ACTION email old-2 {"bought":0}
        "#]],
    );
}

#[test]
fn a_journey_that_is_ended_lets_everybody_leave() {
    check(
        OLD,
        "journey: tips\nmigrate: exit",
        "1h wake",
        &expect![[r#"
            1h tips#1 @0 left: migrated
        "#]],
    );
}

#[test]
fn a_segment_that_is_no_more_still_lets_runs_leave() {
    check(
        OLD,
        NEW,
        "1h Bought\n2h Bought\n73h wake",
        &expect![[r#"
        2h loyal#0 entered: count('Bought') > 1 [2 > 1] old.yaml:3
        2h tips#1 @0 left: exit
    "#]],
    );
}

#[test]
fn runs_are_taken_over_step_by_step() {
    let mapped = NEW.to_owned() + "  - wait: 2h\nmigrate: { steps: { '0': '2', '2': exit } }";
    check(
        OLD,
        &mapped,
        "30h wake",
        &expect![[r#"
        1d tips#1 @2 migrated from 0
        1d tips#1 @2 left: completed
    "#]],
    );
    let at_once = NEW.to_owned() + "migrate: { steps: { '0': '1' } }";
    check(
        OLD,
        &at_once,
        "30h wake",
        &expect![[r#"
        1d tips#1 @1 migrated from 0
        1d tips#1 @1 woke
        1d tips#1 @1 sent email new
        1d tips#1 @1 left: completed
        1d ACTION email new {}
    "#]],
    );
}

#[test]
fn runs_are_taken_over_where_they_are() {
    check(
        OLD,
        &(NEW.to_owned() + "migrate: same"),
        "30h wake",
        &expect![[r#"
            1d tips#1 @0 migrated from 0
            1d tips#1 @0 woke
            1d tips#1 @1 sent email new
            1d tips#1 @1 left: completed
            1d ACTION email new {}
        "#]],
    );
}

#[test]
fn only_runs_of_the_revisions_that_are_named_are_taken_over() {
    let from = NEW.to_owned() + "migrate: { from: [0123456789abcdef], steps: exit }";
    check(
        OLD,
        &from,
        "30h wake",
        &expect![[r#"
        1d tips#1 @0 woke
        1d tips#1 @1 sent email old-1
        1d tips#1 @2 waits until 2d
        1d ACTION email old-1 {"views":0}
    "#]],
    );
}

/// Enters a customer under the old policies and goes on under the later ones.
fn check(old: &str, later: &str, script: &str, expected: &Expect) {
    let mut world = World::new(&with_channel(old));
    world.line("0m A");
    world.bundle = after(&world.bundle, &with_channel(old), &with_channel(later));
    play(world, script, expected);
}

fn with_channel(policies: &str) -> String {
    let policies = policies.replace("\njourney: tips", "\n---\njourney: tips");
    format!("{policies}\n---\nchannels: {{ email: {{ address: none, consent: not_required }} }}\n")
}

/// Compiles later policies, with what is kept of those before.
fn after(before: &Bundle, old: &str, later: &str) -> Bundle {
    let kept = Kept {
        sources: vec![Source::new("old.yaml", old)],
        journeys: before.journeys.iter().map(|it| it.revision).collect(),
    };
    let checked = check_with(&[Source::new("new.yaml", later)], &[kept]);
    let problems = checked.problems;
    let bundle = checked.bundle;
    bundle.unwrap_or_else(|| panic!("{}", problems.errors().render(false)))
}

#[test]
fn what_is_kept_lets_nobody_be_looked_at_anew_unless_it_asks_for_more() {
    let live = "segments: { loyal: { when: count('Bought') > 1 } }\n---\njourney: j\nenter: { event: A }\n";
    let with = |steps: &str| bundle(&format!("{live}{steps}"));
    let standing = |before: &str, later: &str| {
        let old = with(before);
        after(&old, &format!("{live}{before}"), &format!("{live}{later}")).standing
    };
    let (plain, asks) = (
        "steps: [wait: 1d]",
        "exit: { when: in_segment('loyal') }\nsteps: [stop]",
    );
    let later = "steps: [wait: 2d]";
    assert_eq!(standing(plain, later), with(later).standing);
    assert_eq!(
        standing(asks, later),
        with(later).standing,
        "it is published anyway"
    );
    let private = live.replace("> 1 }", "> 1, publish: false }");
    let old = bundle(&format!("{private}{asks}"));
    let new = format!("{private}{later}");
    let kept = after(&old, &format!("{private}{asks}"), &new);
    assert_ne!(kept.standing, bundle(&new).standing);
}

/// Policies with a journey that gives one offer at a placement; both are called alike, and the offer asks for more of later ones.
fn shop(journey: &str, placement: &str, views: u32) -> String {
    format!(
        "offers: {{ hat: {{ placements: [{placement}], value: 1, when: count('Viewed {placement}') >= {views} }} }}
placements: {{ {placement}: {{ limit: 1 }} }}
---
journey: {journey}
enter: {{ event: A }}
steps:
  - wait: 1d
  - offer: {{ placement: {placement}, as: best }}
---
channels: {{ email: {{ address: none, consent: not_required }} }}
"
    )
}

#[test]
fn of_an_offer_that_only_earlier_sets_have_there_is_one() {
    let sets = [shop("newer", "shelf", 1), shop("older", "desk", 2)];
    let kept = sets.clone().map(|text| Kept {
        journeys: bundle(&text)
            .journeys
            .iter()
            .map(|it| it.revision)
            .collect(),
        sources: vec![Source::new("old.yaml", &text)],
    });
    let live = "journey: other\nenter: { event: B }\nsteps: [stop]";
    let checked = check_with(&[Source::new("new.yaml", live)], &kept);
    let bundle = checked.bundle.unwrap();
    for name in ["shelf", "desk"] {
        let offers = &bundle.placement(name).unwrap().offers;
        assert_eq!(offers.len(), 1, "{name}");
        let known = bundle.offer("hat").unwrap();
        assert!(std::ptr::eq(offers[0].as_ref(), known), "{name}");
    }
}
