//! Laws of offers: caps and contact policies hold whatever comes in whatever order, and whoever is let go and comes back.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::World;
use crate::decide::{Ask, Cause};
use crate::domain::event::Kind;
use crate::domain::{Answer, Duration, Event, EventId, Timestamp, Value};

/// Caps of several lengths, also of the fallback; contact policies of an offer, a group and a placement; calls and steps of
/// journeys that wake at the same moments.
const POLICY: &str = "
offers:
  one: { placements: [hero, side], value: 9, cap: 1 per 20m }
  two: { placements: [hero, side], value: 8, cap: 2 per 1h }
  seen: { placements: [hero, side], value: 7, contact: { after: 2 impressions per 30m without click, suppress: 40m } }
  of-group: { placements: [hero, side], value: 6, group: tired }
  last: { placements: [other], cap: 3 per 2h }
groups:
  tired: { contact: { after: 1 rejection, suppress: 90m } }
placements:
  hero: { limit: 2 }
  side: { limit: 3, fallback: last }
  other: {}
---
journey: a
class: transactional
enter: { event: A, key: event.properties.k, reentry: always }
steps:
  - wait: 10m
  - offer: { placement: hero, as: pick }
  - wait: 5m
  - offer: { placement: side, as: more }
---
journey: b
class: transactional
enter: { event: B, reentry: always }
steps: [ { offer: { placement: other, as: pick } }, { wait: 10m }, { offer: { placement: hero, as: next } } ]
";

/// What happens: so many seconds later, what, about which of the last answers, and whether the customer left memory before.
#[derive(Clone, Debug)]
struct Line {
    after: u64,
    what: u8,
    n: usize,
    is_cold: bool,
}

fn lines() -> impl Strategy<Value = Vec<Line>> {
    let after =
        prop_oneof![3 => Just(0_u64), 4 => 1_u64..400, 2 => 400_u64..1_500, 1 => 1_500_u64..9_000];
    let line = (after, 0_u8..12, 0_usize..4, any::<bool>());
    let line = line.prop_map(|(after, what, n, is_cold)| Line {
        after,
        what,
        n,
        is_cold,
    });
    prop::collection::vec(line, 1..100)
}

/// What came back of an offer.
#[derive(Clone, Debug)]
struct Response {
    at: Timestamp,
    offer: Arc<str>,
    name: &'static str,
}

/// Every answer, and every response that counts, in order.
#[derive(Default)]
struct Played {
    answers: Vec<Arc<Answer>>,
    /// How many answers there were before each response.
    responses: Vec<(usize, Response)>,
}

/// Plays lines; no time passes between the inputs of one moment, and timers fire when they are due.
fn play(lines: &[Line]) -> Played {
    let mut world = World::new(POLICY);
    let mut now = super::start();
    let mut played = Played::default();
    for (n, line) in lines.iter().enumerate() {
        now = now + Duration::from_secs(line.after);
        if line.is_cold {
            let image = postcard::to_stdvec(&world.profile).unwrap();
            world.profile = postcard::from_bytes(&image).unwrap();
        }
        let early = world.handle(&Cause::Wake(now - Duration::from_millis(1)), now);
        played.answers.extend(early.answers);
        let answer = played.answers.iter().rev().nth(line.n).cloned();
        let (cause, response) = cause(line, n, now, answer.as_deref());
        let n_before = played.answers.len();
        let outcome = world.handle(&cause, now);
        played.answers.extend(outcome.answers);
        let counts = outcome
            .facts
            .iter()
            .any(|fact| matches!(fact, crate::domain::Fact::Told(_)));
        let response = response.filter(|_| counts);
        played
            .responses
            .extend(response.map(|response| (n_before, response)));
    }
    played
}

fn cause(
    line: &Line,
    n: usize,
    now: Timestamp,
    about: Option<&Answer>,
) -> (Cause, Option<Response>) {
    let placement = ["hero", "side", "other", "hero"][line.n];
    let id: Arc<str> = match line.what {
        // Some calls are made twice.
        0..=2 => n.to_string().into(),
        3 => "again".into(),
        _ => return event(line, n, now, about),
    };
    let ask = Ask {
        id,
        placement: placement.into(),
        context: Value::Null,
        limit: None,
        stranger: false,
    };
    (Cause::Ask(ask), None)
}

fn event(
    line: &Line,
    n: usize,
    now: Timestamp,
    about: Option<&Answer>,
) -> (Cause, Option<Response>) {
    let name = match line.what {
        4 => "A",
        5 => "B",
        6..=8 => "Offer Impression",
        9 => "Offer Clicked",
        10 => "Offer Rejected",
        _ => return (Cause::Wake(now), None),
    };
    let chosen =
        about.and_then(|about| Some((about, about.offers.get(n % about.offers.len().max(1))?)));
    let properties = chosen.map(|(about, choice)| {
        format!(
            r#"{{"decision_id":"{}","offer":"{}"}}"#,
            about.decision_id, choice.offer
        )
    });
    let properties = properties.unwrap_or_else(|| format!(r#"{{"k":"{}"}}"#, line.n));
    let response = chosen.map(|(_, choice)| Response {
        at: now,
        offer: choice.offer.clone(),
        name,
    });
    let event = Event {
        id: EventId::new(&format!("e{n}")),
        kind: Kind::Track,
        name: name.into(),
        at: now,
        properties: serde_json::from_str(&properties).unwrap(),
        traits: Value::Null,
        context: Value::Null,
    };
    let response = response.filter(|_| line.what > 5);
    (Cause::Event(event), response)
}

/// Returns when each offer was given, as the answers say.
fn given(answers: &[Arc<Answer>]) -> BTreeMap<Arc<str>, Vec<Timestamp>> {
    let mut given = BTreeMap::<Arc<str>, Vec<Timestamp>>::new();
    for answer in answers {
        for choice in &answer.offers {
            given
                .entry(choice.offer.clone())
                .or_default()
                .push(answer.decided_at);
        }
    }
    given
}

/// Returns whether an offer must not be given at a time: so many of `what` within a time, none of `lift` since the first of
/// them, and the last not longer ago than the suppression lasts.
fn is_held(responses: &[&Response], rule: &Rule, now: Timestamp) -> bool {
    let of = |name: &str| -> Vec<Timestamp> {
        let own = responses.iter().filter(|of| of.name == name);
        own.map(|of| of.at).collect()
    };
    let (times, lifts) = (of(rule.what), of(rule.lift));
    times.windows(rule.n).any(|window| {
        let (first, last) = (window[0], window[rule.n - 1]);
        let is_full = last.since(first) < rule.per;
        let is_lifted = lifts.iter().any(|at| *at >= first);
        is_full && !is_lifted && now < last + rule.suppress
    })
}

struct Rule {
    offer: &'static str,
    what: &'static str,
    n: usize,
    per: Duration,
    lift: &'static str,
    suppress: Duration,
}

const fn minutes(n: u64) -> Duration {
    Duration::from_secs(n * 60)
}

/// What the policies say, in other words.
const CAPS: [(&str, usize, Duration); 3] = [
    ("one", 1, minutes(20)),
    ("two", 2, minutes(60)),
    ("last", 3, minutes(120)),
];
const RULES: [Rule; 2] = [
    Rule {
        offer: "seen",
        what: "Offer Impression",
        n: 2,
        per: minutes(30),
        lift: "Offer Clicked",
        suppress: minutes(40),
    },
    Rule {
        offer: "of-group",
        what: "Offer Rejected",
        n: 1,
        per: minutes(1),
        lift: "nothing",
        suppress: minutes(90),
    },
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_cap_of_an_offer_is_exceeded_under_any_interleaving(lines in lines()) {
        let played = play(&lines);
        let given = given(&played.answers);
        for (offer, n, per) in CAPS {
            let times = given.get(offer).map_or(&[][..], Vec::as_slice);
            prop_assert!(times.is_sorted());
            let too_many = times.windows(n + 1).find(|window| window[n].since(window[0]) < per);
            prop_assert!(too_many.is_none(), "{offer}: {too_many:?}");
        }
    }

    #[test]
    fn no_offer_is_given_that_is_too_much_under_any_interleaving(lines in lines()) {
        let played = play(&lines);
        for (n, answer) in played.answers.iter().enumerate() {
            for rule in &RULES {
                let before = played.responses.iter().filter(|(n_before, of)| *n_before <= n && &*of.offer == rule.offer);
                let before: Vec<&Response> = before.map(|(_, response)| response).collect();
                let is_given = answer.offers.iter().any(|choice| &*choice.offer == rule.offer);
                prop_assert!(
                    !(is_given && is_held(&before, rule, answer.decided_at)),
                    "{} at {}: {before:?}", rule.offer, answer.decided_at
                );
            }
        }
    }
}

/// The laws above prove nothing of a rule that no script comes near.
#[test]
fn the_scripts_of_these_laws_reach_every_cap_and_every_rule() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut reached = std::collections::BTreeSet::new();
    for _ in 0..100 {
        let lines = lines().new_tree(&mut runner).unwrap().current();
        for answer in play(&lines).answers {
            reached.extend(
                answer
                    .losers
                    .iter()
                    .map(|loser| (loser.offer.to_string(), loser.reason.code())),
            );
        }
    }
    for (offer, code) in [
        ("one", "CAP"),
        ("two", "CAP"),
        ("last", "CAP"),
        ("seen", "CONTACT_LIMIT"),
        ("of-group", "CONTACT_LIMIT"),
    ] {
        assert!(
            reached.contains(&(offer.to_owned(), code)),
            "{offer} {code}: {reached:?}"
        );
    }
}
