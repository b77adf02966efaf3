//! Drafts a test from what a customer did: the events, the scores, and what was decided.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::cli::test::judge::judge;
use crate::cli::test::past::Past;
use crate::cli::test::suite;
use crate::cli::test::world::World;
use crate::decide::drive::Moment;
use crate::decide::{Cause, Outside, Scores, handle};
use crate::domain::consent::Said;
use crate::domain::event::Kind;
use crate::domain::{Duration, Event, Map, Profile, Timestamp, Trace, Value, What};
use crate::policy::test::{Check, Customer, Entry, Happening, Script, Sent, State, Test, Wanted};
use crate::policy::{Bundle, Place, Source};
use crate::scoring::Scorer;

/// Delays of an event that are shorter are those of its way, and left out.
const LATE_MIN: Duration = Duration::from_secs(1);

/// Drafts a test of one journey, or of all together.
///
/// - `bundle`: the policies as they are, holdouts included.
///
/// Returns nothing if the journey was of no concern to the customer.
pub fn draft(
    bundle: &Bundle,
    scorer: &dyn Scorer,
    past: &Past,
    journey: Option<&Arc<str>>,
) -> Option<Test> {
    let given = given(past, bundle, journey)?;
    let world = play(bundle, &given, scorer);
    let mut times = times(&world, journey);
    let since = past.events.first()?.0.since(given.start);
    times.retain(|at| *at >= since);
    if times.is_empty() {
        return None;
    }
    // What came before is settled first, so that it is not taken for what is recorded.
    times.extend(past.done().last().map(|(now, _)| now.since(given.start)));
    let mut test = Test {
        held_out: world.traces(0).any(|trace| is_ghost(trace, journey)),
        models: models(&world),
        dealt: dealt(&world, journey),
        ..given.clone()
    };
    expect(&mut test, &times);
    settle(bundle, &mut test, scorer);
    Some(test)
}

/// Returns the test with what happened and without expectations; every model is asked for real.
fn given(past: &Past, bundle: &Bundle, journey: Option<&Arc<str>>) -> Option<Test> {
    let (since, _) = past.events.first()?;
    let all = past.done().iter().chain(&past.events);
    let (start, _) = all.clone().next()?;
    let source = Source::new("recorded", "");
    let name = journey.map_or("what was decided", AsRef::as_ref);
    let models = bundle
        .models
        .keys()
        .map(|name| (name.clone(), Script::Real));
    let entry = |(now, event): &(Timestamp, Event)| Entry {
        at: now.since(*start),
        what: Some(Happening::Event(Box::new(on_time(*now, event)))),
        expect: Vec::new(),
        place: Place::default(),
    };
    let mut ids = BTreeSet::new();
    let known = all.filter(|(_, event)| match event.kind {
        // An id that was there before changes nothing.
        Kind::Track | Kind::Identify | Kind::Page | Kind::Screen => ids.insert(event.id.clone()),
        Kind::Group | Kind::Alias => false,
    });
    let mut timeline: Vec<Entry> = known.map(entry).collect();
    timeline.push(Entry {
        at: end(past, *start),
        what: None,
        expect: Vec::new(),
        place: Place::default(),
    });
    Some(Test {
        name: format!("{name} of {} at {since}", past.customer).into(),
        journey: journey.cloned(),
        start: *start,
        customer: customer(past),
        held_out: false,
        dealt: Vec::new(),
        models: models.collect(),
        timeline,
        source,
        place: Place::default(),
    })
}

/// Returns the end of the recording in whole seconds, and not before the last event.
fn end(past: &Past, start: Timestamp) -> Duration {
    let millis = past.until.since(start).as_millis();
    let last = past.events.last().map_or(start, |(now, _)| *now);
    Duration::from_millis(millis - millis % 1_000).max(last.since(start))
}

/// The short time that an event took on its way is no part of a test.
fn on_time(now: Timestamp, event: &Event) -> Event {
    let late = now.since(event.at);
    let at = if late < LATE_MIN { now } else { event.at };
    Event {
        at,
        ..event.clone()
    }
}

/// Returns what was told of the customer before; policies have no part in it.
fn customer(past: &Past) -> Customer {
    let mut profile = Profile::new(past.customer.clone());
    let nobody = Bundle::default();
    for (now, event) in past.told() {
        let moment = Moment {
            now: *now,
            at_due: true,
        };
        let cause = Cause::Event(event.clone());
        let outside = Outside::of(&|_| Scores::new());
        handle(&nobody, &mut profile, &cause, moment, None, outside);
    }
    Customer {
        id: past.customer.clone(),
        traits: profile.traits.clone(),
        consent: consent(profile.consent.iter()),
        reachable: Some(Vec::new()),
    }
}

fn consent<'a>(said: impl Iterator<Item = &'a Said>) -> Value {
    let mut channels: BTreeMap<&Arc<str>, Map> = BTreeMap::new();
    for said in said {
        if let Some(status) = said.status.as_str() {
            let purposes = channels.entry(&said.channel).or_default();
            purposes.set(&said.purpose, Value::text(status));
        }
    }
    if channels.is_empty() {
        return Value::Null;
    }
    let channels = channels.into_iter();
    Value::Map(
        channels
            .map(|(name, said)| (name.clone(), Value::Map(said)))
            .collect(),
    )
}

fn play<'a>(bundle: &'a Bundle, test: &'a Test, scorer: &'a dyn Scorer) -> World<'a> {
    let mut world = World::as_drawn(bundle, test, scorer);
    for entry in &test.timeline {
        if let Some(what) = &entry.what {
            world.happen(entry.at, what);
        }
    }
    let last = test
        .timeline
        .last()
        .map_or(Duration::default(), |last| last.at);
    world.pass(last);
    world
}

fn concerns(trace: &Trace, journey: Option<&Arc<str>>) -> bool {
    journey.is_none_or(|journey| trace.subject == *journey)
}

fn is_ghost(trace: &Trace, journey: Option<&Arc<str>>) -> bool {
    let code = if let What::Blocked(code, _) = &trace.what {
        code.as_ref()
    } else {
        ""
    };
    code == "HOLDOUT" && concerns(trace, journey)
}

/// Returns what the models said: one number if it was always the same, else the model itself.
fn models(world: &World<'_>) -> BTreeMap<Arc<str>, Script> {
    let mut models: BTreeMap<Arc<str>, Script> = BTreeMap::new();
    for trace in world.traces(0) {
        let What::Scored(model, said) = &trace.what else {
            continue;
        };
        let said = said
            .as_ref()
            .map_or(Script::Unknown, |it| Script::Score(*it));
        let known = models.entry(model.clone()).or_insert_with(|| said.clone());
        if *known != said {
            *known = Script::Real;
        }
    }
    for placement in world.bundle.placements.values() {
        let asked = world
            .answers
            .iter()
            .any(|it| it.placement == placement.name);
        if let Some(model) = placement.model.as_ref().filter(|_| asked) {
            models.insert(model.clone(), Script::Real);
        }
    }
    models
}

fn dealt(world: &World<'_>, journey: Option<&Arc<str>>) -> Vec<(Arc<str>, Arc<str>)> {
    let own = world
        .traces(0)
        .filter(|trace| journey == Some(&trace.subject));
    let dealt: BTreeMap<_, _> = own
        .filter_map(|trace| {
            if let What::Dealt(arm, _) = &trace.what {
                Some((trace.step.clone(), arm.clone()))
            } else {
                None
            }
        })
        .collect();
    dealt.into_iter().collect()
}

/// Returns when something was decided that a test should hold on to.
fn times(world: &World<'_>, journey: Option<&Arc<str>>) -> BTreeSet<Duration> {
    let own = world.traces(0).filter(|trace| concerns(trace, journey));
    let noted = own.filter(|trace| match trace.what {
        What::Entered
        | What::Refused(..)
        | What::Sent(..)
        | What::WouldSend(..)
        | What::Blocked(..)
        | What::Left(_) => true,
        What::Waits(_)
        | What::Woke
        | What::Scored(..)
        | What::Took(..)
        | What::Ranked(..)
        | What::Set(_)
        | What::Crossed(..)
        | What::Aimed(..)
        | What::Missed(..)
        | What::Met(..)
        | What::Dealt(..)
        | What::WouldSet(_)
        | What::Migrated(_)
        | What::Told(..)
        | What::Untold(..)
        | What::Unkept(..) => false,
    });
    noted
        .map(|trace| trace.at.since(world.test.start))
        .collect()
}

/// Puts expectations where something was decided and at the end, with any values.
fn expect(test: &mut Test, times: &BTreeSet<Duration>) {
    let journey = test.journey.clone();
    let end = test.timeline.last().map(|last| last.at);
    for at in times.iter().copied().chain(end) {
        let check = |wanted| Check {
            journey: journey.clone(),
            wanted,
            place: Place::default(),
        };
        let mut checks = vec![
            check(Wanted::Sent(Vec::<Sent>::new())),
            check(Wanted::WouldSend(Vec::<Sent>::new())),
            check(Wanted::Blocked(BTreeSet::new())),
            check(Wanted::Refused(BTreeSet::new())),
        ];
        if journey.is_some() {
            checks.push(check(Wanted::State(State::None)));
            checks.push(check(Wanted::AtStep("none".into())));
            checks.push(check(Wanted::Reason("none".into())));
        }
        let idx = test.timeline.partition_point(|entry| entry.at <= at);
        let last = idx.checked_sub(1).map(|idx| &mut test.timeline[idx]);
        match last.filter(|last| last.at == at) {
            Some(last) => last.expect = checks,
            None => test.timeline.insert(
                idx,
                Entry {
                    at,
                    what: None,
                    expect: checks,
                    place: Place::default(),
                },
            ),
        }
    }
}

/// Replaces the values of all expectations by what there is, and leaves out what says nothing.
fn settle(bundle: &Bundle, test: &mut Test, scorer: &dyn Scorer) {
    let bundle = suite::without_holdouts(bundle.clone());
    let drafted = test.clone();
    let mut world = World::new(&bundle, &drafted, scorer);
    for entry in &mut test.timeline {
        if let Some(what) = &entry.what {
            world.happen(entry.at, what);
        }
        if !entry.expect.is_empty() {
            world.pass(entry.at);
        }
        for check in &mut entry.expect {
            if let Some(got) = judge(&mut world, check) {
                check.wanted = got;
            }
        }
        entry.expect.retain(|check| says_something(&check.wanted));
    }
}

fn says_something(wanted: &Wanted) -> bool {
    match wanted {
        Wanted::Blocked(codes) | Wanted::Refused(codes) => !codes.is_empty(),
        Wanted::WouldSend(sends) => !sends.is_empty(),
        Wanted::AtStep(text) | Wanted::Reason(text) => text.as_ref() != "none",
        Wanted::Sent(_)
        | Wanted::State(_)
        | Wanted::Runs(_)
        | Wanted::Offer(_)
        | Wanted::Offers(_)
        | Wanted::Lost(_)
        | Wanted::Segments(..)
        | Wanted::Trait(..)
        | Wanted::Next(_) => true,
    }
}

/// Returns the journeys that concerned the customer: those that were in progress or began, sorted.
pub fn journeys(bundle: &Bundle, scorer: &dyn Scorer, past: &Past) -> Vec<Arc<str>> {
    let Some((test, (since, _))) = given(past, bundle, None).zip(past.events.first()) else {
        return Vec::new();
    };
    let world = play(bundle, &test, scorer);
    let mut open: BTreeSet<(Arc<str>, u32)> = BTreeSet::new();
    let mut concerned = BTreeSet::new();
    for trace in world.traces(0) {
        let run = (trace.subject.clone(), trace.instance);
        if trace.what == What::Entered {
            open.insert(run.clone());
        }
        if trace.at >= *since && open.contains(&run) {
            concerned.insert(run.0);
        }
    }
    concerned.into_iter().collect()
}
