//! A decide call: one decision, its line in the timeline and its answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::decide::env::Env;
use crate::decide::offers::{Question, rank};
use crate::decide::step::{Ask, Effects, Input, Step};
use crate::domain::decision::{self, Decision, Given};
use crate::domain::learning::Credit;
use crate::domain::outcome::fingerprint;
use crate::domain::{Answer, Fact, Profile, Timestamp, Trace};
use crate::policy::Bundle;
use crate::policy::offer::Placement;

/// Answers a decide call.
pub fn ask(
    bundle: &Bundle,
    profile: &Profile,
    ask: &Ask,
    input: &Input<'_>,
    now: Timestamp,
) -> Step {
    let id = decision::id(profile.id.as_str(), &ask.placement, &ask.id);
    let env = Env {
        context: Some(&ask.context),
        stranger: ask.stranger,
        ..Env::new(bundle, profile, now)
    };
    let question = Question {
        id: &id,
        placement: &ask.placement,
        limit: ask.limit,
        env,
        said: input.said,
        budgets: input.budgets,
        learnt: input.learnt,
    };
    let ranked = match rank(&question) {
        Ok(ranked) => ranked,
        Err(needs) => return Step::Needs(needs),
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
        updates: ranked.updates,
        claims: ranked.claims,
        ..Effects::default()
    })
}

/// Returns what a profile remembers of a decision, if it gave anything, or would have.
///
/// - `credits`: what learners make of the outcomes, by offer.
/// - `withheld`: what a customer who is held out would have got. Where nothing is given instead it is what outcomes are of, so that
///   they count for the arm; nobody learns from them.
pub fn remembered(
    placement: &Placement,
    answer: &Answer,
    mut credits: BTreeMap<Arc<str>, Credit>,
    withheld: Vec<Arc<str>>,
) -> Option<Fact> {
    let given = answer.offers.iter().map(|choice| Given {
        credit: credits.remove(&choice.offer),
        ..Given::new(choice.offer.clone())
    });
    let mut offers: Vec<Given> = given.collect();
    if offers.is_empty() {
        offers.extend(withheld.into_iter().map(Given::new));
    }
    let decision = Decision {
        id: fingerprint(&answer.decision_id),
        placement: answer.placement.clone(),
        at: answer.decided_at,
        attribution: placement.attribution,
        arm: answer.arm,
        offers,
    };
    (!decision.offers.is_empty()).then(|| Fact::Decided(decision.into()))
}
