//! Laws of the guards: caps hold whatever comes in whatever order, and nobody is written to against their word.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use proptest::prelude::*;

use super::{World, customer};
use crate::decide::drive::Outcome;
use crate::domain::{Duration, Fact, Profile, Timestamp, What, Zone};

/// Caps of every kind, journeys that compete, waits that end at the same moment, sends that are retried.
const POLICY: &str = "
limits:
  email: [ 2 per 1h, { cap: 3 per day, window: calendar } ]
  all: 3 per 90m
  quiet_hours: { between: 22:00-06:00, jitter: 20m }
---
journey: a
priority: 2
enter: { event: A, key: event.properties.k }
steps:
  - send: { channel: email, template: t, on_block: retry_at_release }
  - wait: 10m
  - send: { channel: push, template: t }
---
journey: b
enter: { event: A }
exit: { when: profile.traits.gone == true }
steps:
  - wait: 10m
  - send: { channel: email, template: t }
  - send: { channel: sms, template: t, on_block: retry_at_release }
---
journey: c
class: transactional
enter: { event: B, key: event.properties.k }
steps: [ { wait: 10m }, { send: { channel: email, template: t, quiet_hours: none } } ]
";

/// What happens: minutes later, what, and a number to tell apart.
#[derive(Clone, Debug)]
struct Line {
    after: u64,
    what: u8,
    n: usize,
}

fn lines() -> impl Strategy<Value = Vec<Line>> {
    let after = prop_oneof![4 => Just(0_u64), 4 => 1_u64..15, 2 => 15_u64..200, 1 => 200_u64..900];
    let line = (after, 0_u8..12, 0_usize..4).prop_map(|(after, what, n)| Line { after, what, n });
    prop::collection::vec(line, 1..80)
}

/// An action as the laws look at it.
#[derive(Clone, Debug)]
struct Sent {
    id: Arc<str>,
    channel: Arc<str>,
    journey: Arc<str>,
    at: Timestamp,
}

/// Plays lines; returns the customer, the actions, those that failed before they were confirmed, and every fact.
fn play(lines: &[Line]) -> (Profile, Vec<Sent>, BTreeSet<Arc<str>>, Vec<Outcome>) {
    let mut world = World::new(POLICY);
    let (mut sent, mut failed, mut confirmed) =
        (Vec::<Sent>::new(), BTreeSet::new(), BTreeSet::new());
    let (mut all, mut minutes) = (Vec::new(), 0);
    for line in lines {
        minutes += line.after;
        let mut text = format!("{minutes}m ");
        let about = sent.iter().rev().nth(line.n).map(|sent| sent.id.clone());
        let id = about.clone().unwrap_or_else(|| "none".into());
        match line.what {
            0..=3 => write!(text, r#"A {{"k":"{}"}}"#, line.n),
            4 => write!(text, r#"B {{"k":"{}"}}"#, line.n),
            5 | 6 => write!(text, r#"Delivery Failed {{"action_id":"{id}"}}"#),
            7 => write!(text, r#"Delivery Confirmed {{"action_id":"{id}"}}"#),
            8 => write!(
                text,
                r#"identify {{"timezone":"{}"}}"#,
                ["UTC", "Asia/Tokyo", "America/New_York", "nowhere"][line.n]
            ),
            9 => write!(text, r#"identify {{"gone":{}}}"#, line.n == 0),
            10 => write!(
                text,
                r#"Consent Changed {{"channel":"email","status":"{}"}}"#,
                ["denied", "granted"][line.n % 2]
            ),
            _ => write!(text, "wake"),
        }
        .unwrap();
        // The feedback comes after the timers of its moment were heard.
        let (_, outcomes) = world.line(&text);
        match (line.what, about) {
            (5 | 6, Some(id)) if !confirmed.contains(&id) => drop(failed.insert(id)),
            (7, Some(id)) if !failed.contains(&id) => drop(confirmed.insert(id)),
            _ => {}
        }
        for action in outcomes.iter().flat_map(|outcome| &outcome.actions) {
            sent.push(Sent {
                id: action.action_id.clone(),
                channel: action.channel.clone(),
                journey: action.journey.clone(),
                at: action.decided_at,
            });
        }
        all.extend(outcomes);
    }
    (world.profile, sent, failed, all)
}

/// Tells if more than `n` of these lie within a window of this length.
fn exceeds(times: &[Timestamp], n: usize, length: Duration) -> bool {
    times
        .windows(n + 1)
        .any(|window| window[n].since(window[0]) < length)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_cap_is_exceeded_under_any_interleaving(lines in lines()) {
        let (_, sent, failed, _) = play(&lines);
        let counts = |of: &&Sent| of.journey.as_ref() != "c" && !failed.contains(&of.id);
        let counted: Vec<&Sent> = sent.iter().filter(counts).collect();
        let times: Vec<Timestamp> = counted.iter().map(|of| of.at).collect();
        let email = counted.iter().filter(|of| of.channel.as_ref() == "email");
        let email: Vec<Timestamp> = email.map(|of| of.at).collect();
        prop_assert!(!exceeds(&email, 2, Duration::from_secs(3_600)), "email {email:?}");
        prop_assert!(!exceeds(&times, 3, Duration::from_secs(5_400)), "all {times:?}");
    }

    #[test]
    fn a_calendar_cap_holds_within_every_day_of_a_customer_who_stays(lines in lines()) {
        let stays: Vec<Line> = lines.into_iter().filter(|line| line.what != 8).collect();
        let (_, sent, failed, _) = play(&stays);
        let mut days: BTreeMap<Timestamp, usize> = BTreeMap::new();
        for of in sent.iter().filter(|of| of.journey.as_ref() != "c" && of.channel.as_ref() == "email") {
            *days.entry(Zone::UTC.start_of_day(of.at)).or_default() += usize::from(!failed.contains(&of.id));
        }
        prop_assert!(days.values().all(|n| *n <= 3), "{days:?}");
    }

    #[test]
    fn two_journeys_never_share_a_channel_at_one_moment_of_one_input(lines in lines()) {
        let (_, _, _, outcomes) = play(&lines);
        for outcome in outcomes {
            let mut won: BTreeMap<(Timestamp, Arc<str>), Arc<str>> = BTreeMap::new();
            for action in &outcome.actions {
                let key = (action.decided_at, action.channel.clone());
                let first = won.entry(key).or_insert_with(|| action.journey.clone());
                prop_assert_eq!(first.as_ref(), action.journey.as_ref());
            }
        }
    }

    #[test]
    fn marketing_leaves_neither_in_quiet_hours_nor_against_a_no(lines in lines()) {
        let mut replayed = customer();
        let (live, _, _, outcomes) = play(&lines);
        for outcome in &outcomes {
            for fact in &outcome.facts {
                replayed.apply(fact);
                let Fact::Traced(trace) = fact else { continue };
                let What::Sent(_, channel, _) = &trace.what else { continue };
                if trace.subject.as_ref() == "c" {
                    continue;
                }
                let zone = Zone::of(&replayed, &Zone::UTC).zone;
                let hour = zone.local(trace.at).hour;
                prop_assert!((6..22).contains(&hour), "{hour} in {}", zone.name());
                let status = replayed.consent.of(channel, "marketing");
                prop_assert!(status.is_some_and(|status| !status.is_no()), "{status:?}");
            }
        }
        prop_assert_eq!(live, replayed);
    }

    #[test]
    fn contacts_are_kept_no_longer_than_a_window_needs_them(lines in lines()) {
        let (profile, _, _, _) = play(&lines);
        for (channel, contacts) in profile.contacts.iter() {
            // Two days of at most two mails an hour, whatever zone they are in; or ninety minutes of at most three sends.
            let most = if channel == "email" { 96 } else { 3 };
            prop_assert!(contacts.len() <= most, "{channel} {}", contacts.len());
        }
        let image = postcard::to_stdvec(&profile).unwrap();
        prop_assert_eq!(postcard::from_bytes::<Profile>(&image).unwrap(), profile);
    }
}
