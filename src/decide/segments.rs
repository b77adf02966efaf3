//! Segments: who is in, when that may change by itself, and what happens at the edge.

use std::sync::Arc;

use crate::decide::env::Env;
use crate::decide::explain::{all_true, detail};
use crate::decide::step::{Effects, Spur};
use crate::decide::{horizon, schedule};
use crate::domain::crossing::Way;
use crate::domain::timer::{Armed, Timer};
use crate::domain::{Crossing, Fact, Profile, Timestamp, Trace, What};
use crate::policy::Bundle;
use crate::policy::journey::On;
use crate::policy::mode::Mode;
use crate::policy::segment::Segment;

/// Looks again at who is in a segment.
///
/// - `profile`: the customer after everything that this segment depends on.
pub fn look(
    bundle: &Bundle,
    profile: &Profile,
    idx: usize,
    spur: Spur<'_>,
    now: Timestamp,
) -> Effects {
    let mut effects = Effects::default();
    let Some(segment) = bundle.segments.get(idx) else {
        return effects;
    };
    let env = Env::new(bundle, profile, now);
    let is_in = all_true(&segment.when, &env);
    if is_in != profile.segments.contains_key(&segment.name) {
        let way = if is_in { Way::Entered } else { Way::Exited };
        let why = why(segment, &env, way);
        let name = &segment.name;
        let edge = Edge {
            name,
            shadow: segment.for_shadows,
            publish: segment.publish,
        };
        cross(&mut effects, profile, edge, way, why, spur, now);
    }
    effects.facts.extend(edge(segment, &env, is_in));
    effects
}

/// Sets the timer for the next time at which the clock may change the segment.
///
/// One that is due earlier stays: it finds out and sets the next one, which is cheaper than to move it with every event.
fn edge(segment: &Segment, env: &Env<'_>, is_in: bool) -> Option<Fact> {
    let timer = Timer::Edge(segment.name.clone());
    let armed = env.profile.timers.get(&timer).map(|armed| armed.due);
    let holds = |env: &Env<'_>| all_true(&segment.when, env);
    let due = horizon::edge(&segment.when, env, is_in, holds);
    let is_over = armed.is_some_and(|armed| armed <= env.now);
    match (armed, due) {
        (Some(armed), Some(due)) if !is_over && armed <= due => None,
        (_, Some(due)) => Some(Fact::Armed(
            timer,
            Some(Box::new(Armed { due, event: None })),
        )),
        (_, None) => is_over.then_some(Fact::Armed(timer, None)),
    }
}

/// Says why somebody came in, or what is missing.
fn why(segment: &Segment, env: &Env<'_>, way: Way) -> Arc<str> {
    if way == Way::Exited
        && let Some(why) = crate::decide::explain::first_not_true(&segment.when, env)
    {
        return why;
    }
    let all: Vec<Arc<str>> = segment.when.iter().map(|of| detail(of, env)).collect();
    all.join("; ").into()
}

/// The edge of a segment.
#[derive(Clone, Copy)]
struct Edge<'a> {
    /// The segment.
    name: &'a Arc<str>,
    /// Whether only shadows ask for it.
    shadow: bool,
    /// Whether others are told.
    publish: bool,
}

/// Crosses an edge.
fn cross(
    effects: &mut Effects,
    profile: &Profile,
    edge: Edge<'_>,
    way: Way,
    detail: Arc<str>,
    spur: Spur<'_>,
    now: Timestamp,
) {
    let Edge {
        name: segment,
        shadow,
        publish,
    } = edge;
    let alike = |fact: &&Fact| matches!(fact, Fact::Crossed(.., of) if *of == shadow);
    let n_before = effects.facts.iter().filter(alike).count();
    let n_known = if shadow {
        profile.n_shadow_crossings
    } else {
        profile.n_crossings
    };
    let number = n_known + u64::try_from(n_before).unwrap_or(0) + 1;
    let mode = if shadow { Mode::Shadow } else { Mode::Live };
    let event = spur.event.map(|event| event.id.clone());
    effects
        .facts
        .push(Fact::Crossed(segment.clone(), way, now, shadow));
    if way == Way::Entered && !publish {
        let quiet = Fact::Quiet(segment.clone(), shadow);
        effects.facts.push(quiet);
    }
    effects.facts.push(Fact::Traced(Trace {
        at: now,
        event: event.clone(),
        subject: segment.clone(),
        instance: mode.first(),
        step: "".into(),
        what: What::Crossed(way, detail.clone()),
        times: 1,
    }));
    effects.crossings.push(Crossing {
        crossing_id: Crossing::id(&profile.id, number, shadow),
        customer: profile.id.clone(),
        segment: segment.clone(),
        way,
        at: now,
        event,
        due: spur.due,
        detail,
        traceparent: None,
    });
}

/// Begins to follow other policies: what they do not have goes, their schedules run; their segments are looked at next.
pub fn renew(bundle: &Bundle, profile: &Profile, spur: Spur<'_>, now: Timestamp) -> Effects {
    let mut effects = Effects::default();
    effects.facts.push(Fact::Now(now));
    effects.facts.push(Fact::Standing(bundle.standing));
    let goes = |timer: &&Timer| match timer {
        Timer::Edge(segment) => !is_kept_up(bundle, segment),
        Timer::Absence(journey, _) => !waits(bundle, journey),
        Timer::Schedule(_) => true,
        Timer::Run(_) => false,
    };
    let gone = profile.timers.keys().filter(goes);
    effects
        .facts
        .extend(gone.map(|timer| Fact::Armed(timer.clone(), None)));
    let left = profile
        .segments
        .keys()
        .filter(|name| !is_kept_up(bundle, name));
    for name in left {
        let why = "the policies have no such segment any more, or nobody asks for it";
        let quiet = profile.quiet.get(name);
        let edge = Edge {
            name,
            shadow: quiet == Some(&true),
            publish: quiet.is_none(),
        };
        cross(
            &mut effects,
            profile,
            edge,
            Way::Exited,
            why.into(),
            spur,
            now,
        );
    }
    effects.facts.extend(schedule::all(bundle, profile, now));
    effects
}

/// Tells if anybody keeps up with a segment.
pub fn is_kept_up(bundle: &Bundle, name: &str) -> bool {
    bundle
        .segment(name)
        .is_some_and(|(_, segment)| segment.used)
}

fn waits(bundle: &Bundle, journey: &str) -> bool {
    let journey = bundle.journey(journey);
    journey.is_some_and(|journey| matches!(journey.enter.on, On::Absence(_)))
}
