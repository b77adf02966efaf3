//! A decide call: one decision, its line in the timeline and its answer.

use crate::decide::env::Env;
use crate::decide::offers::{Question, rank};
use crate::decide::step::{Ask, Effects, Scores, Step};
use crate::domain::action::stable_id;
use crate::domain::decision::{Decision, Given};
use crate::domain::outcome::fingerprint;
use crate::domain::{Answer, Fact, Profile, Timestamp, Trace};
use crate::policy::Bundle;
use crate::policy::offer::Placement;

/// Answers a decide call.
pub fn ask(bundle: &Bundle, profile: &Profile, ask: &Ask, scores: &Scores, now: Timestamp) -> Step {
    let id = stable_id(&[profile.id.as_str(), &ask.placement, &ask.id]);
    let env = Env {
        context: Some(&ask.context),
        ..Env::new(bundle, profile, now)
    };
    let question = Question {
        id: &id,
        placement: &ask.placement,
        limit: ask.limit,
        env,
    };
    let ranked = match rank(&question, scores) {
        Ok(ranked) => ranked,
        Err(requests) => return Step::Needs(requests),
    };
    let (subject, what) = (ask.placement.clone(), ranked.what());
    let step = "".into();
    let trace = Trace {
        at: now,
        event: None,
        subject,
        instance: 0,
        step,
        what,
        times: 1,
    };
    let mut facts = vec![Fact::Now(now), Fact::Traced(trace)];
    facts.extend(ranked.given);
    Step::Done(Effects {
        facts,
        answers: vec![ranked.answer.into()],
        ..Effects::default()
    })
}

/// Returns what a profile remembers of a decision, if it gave anything.
pub fn remembered(placement: &Placement, answer: &Answer) -> Option<Fact> {
    let given = answer.offers.iter();
    let decision = Decision {
        id: fingerprint(&answer.decision_id),
        placement: answer.placement.clone(),
        at: answer.decided_at,
        attribution: placement.attribution,
        offers: given
            .map(|choice| Given::new(choice.offer.clone()))
            .collect(),
    };
    (!decision.offers.is_empty()).then(|| Fact::Decided(decision.into()))
}
