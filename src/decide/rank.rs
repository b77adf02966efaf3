//! From candidates to a ranked answer.

use std::sync::Arc;

use crate::decide::env::Env;
use crate::decide::eval::eval;
use crate::decide::explain::first_not_true;
use crate::decide::propensity::{propensities, shared};
use crate::decide::step::{Ask, Effects, Request, Scores, Step};
use crate::domain::action::stable_id;
use crate::domain::{Answer, Choice, Fact, Loser, Profile, Reason, Score, Timestamp, Trace, What};
use crate::policy::Bundle;
use crate::policy::offer::{Offer, Placement};

/// The most offers an answer holds.
pub const LIMIT_MAX: u32 = 100;

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

/// What is asked of a placement.
pub struct Question<'a> {
    /// The decision's id.
    pub id: &'a Arc<str>,
    /// The placement's name.
    pub placement: &'a Arc<str>,
    /// At most so many, if fewer than the placement allows.
    pub limit: Option<u32>,
    /// What expressions can see.
    pub env: Env<'a>,
}

/// An answer and what the profile learns of it.
pub struct Ranked {
    /// The answer.
    pub answer: Answer,
    /// Capped offers that were given.
    pub given: Vec<Fact>,
}

impl Ranked {
    /// Returns the line of the timeline.
    pub fn what(&self) -> What {
        let chosen = self
            .answer
            .offers
            .iter()
            .map(|choice| choice.offer.clone())
            .collect();
        // The details go with the decision; the timeline keeps a reason code for every candidate.
        What::Ranked(chosen, by_reason(&self.answer.losers).into())
    }
}

/// How many offers the timeline names for each reason code: a placement may have thousands.
const NAMED_MAX: usize = 4;

/// Writes who lost, by reason code, in the order of the ranking.
fn by_reason(losers: &[Loser]) -> String {
    let mut text = String::with_capacity(128);
    for reason in Reason::ALL {
        let of_reason = || losers.iter().filter(|loser| loser.reason == reason);
        for (idx, loser) in of_reason().take(NAMED_MAX).enumerate() {
            let before = match (idx, text.is_empty()) {
                (0, true) => "",
                (0, false) => "; ",
                (_, _) => ", ",
            };
            let code = if idx == 0 { reason.code() } else { "" };
            let space = if idx == 0 { " " } else { "" };
            text.extend([before, code, space, &*loser.offer]);
        }
        let n_more = of_reason().count().saturating_sub(NAMED_MAX);
        if n_more > 0 {
            text.extend([" and ", &n_more.to_string(), " more"]);
        }
    }
    text
}

/// Ranks the offers of a placement.
///
/// # Errors
///
/// The scores that are missing; call again with them.
pub fn rank(question: &Question<'_>, scores: &Scores) -> Result<Ranked, Vec<Request>> {
    let env = &question.env;
    let mut answer = Answer {
        decision_id: question.id.clone(),
        customer: env.profile.id.clone(),
        placement: question.placement.clone(),
        offers: Vec::new(),
        losers: Vec::new(),
        degraded: false,
        fallback: false,
        decided_at: env.now,
    };
    let Some(placement) = env.bundle.placement(question.placement) else {
        return Ok(Ranked {
            answer,
            given: Vec::new(),
        });
    };
    if let Some(request) = shared(placement, env, scores) {
        return Err(vec![request]);
    }
    let eligible = eligible(placement, env, &mut answer.losers);
    let propensities = propensities(placement, &eligible, env, scores)?;
    let mut candidates = Vec::with_capacity(eligible.len());
    for (offer, propensity) in eligible.into_iter().zip(propensities) {
        answer.degraded |= matches!(propensity, Some(Score::Unavailable(_)));
        match judge(placement, offer, propensity.as_ref(), env) {
            Ok(candidate) => candidates.push(candidate),
            Err(loser) => answer.losers.push(loser),
        }
    }
    let limit = question
        .limit
        .unwrap_or(placement.limit)
        .min(placement.limit)
        .min(LIMIT_MAX);
    let given = choose(candidates, limit as usize, env.now, &mut answer);
    if answer.offers.is_empty() && limit > 0 {
        fall_back(placement, env, &mut answer);
    }
    Ok(Ranked { answer, given })
}

/// Moves the best so many into the answer and the others to the losers; returns the capped ones that were given.
fn choose(
    mut candidates: Vec<Candidate<'_>>,
    limit: usize,
    now: Timestamp,
    answer: &mut Answer,
) -> Vec<Fact> {
    // Ties break by offer id.
    candidates.sort_by(|a, b| {
        b.priority
            .total_cmp(&a.priority)
            .then(a.offer.id.cmp(&b.offer.id))
    });
    let n_chosen = candidates.len().min(limit);
    let given = candidates[..n_chosen]
        .iter()
        .filter_map(|c| given(c.offer, now))
        .collect();
    let winner = candidates[..n_chosen]
        .last()
        .map(|last| last.offer.id.as_ref());
    let behind: Arc<str> = winner.map_or("no place was asked for".into(), |by| {
        format!("after {by}").into()
    });
    for loser in candidates.drain(n_chosen..) {
        let priority = Some(loser.priority);
        answer.losers.push(Loser {
            priority,
            ..lost(loser.offer, Reason::Outranked, behind.clone())
        });
    }
    answer.offers = candidates.into_iter().map(Candidate::into_choice).collect();
    given
}

/// An offer that passed every rule.
struct Candidate<'a> {
    offer: &'a Offer,
    propensity: Option<f64>,
    priority: f64,
    value: f64,
}

impl Candidate<'_> {
    fn into_choice(self) -> Choice {
        let p = self
            .propensity
            .map_or_else(|| "1 (no model)".into(), |p| format!("{p:.6}"));
        let why = format!(
            "priority {:.6} from p {p} and value {}",
            self.priority, self.value
        );
        Choice {
            offer: self.offer.id.clone(),
            propensity: self.propensity,
            priority: Some(self.priority),
            data: self.offer.data.clone(),
            reasons: vec![why.into()],
        }
    }
}

fn eligible<'a>(placement: &Placement, env: &Env<'a>, losers: &mut Vec<Loser>) -> Vec<&'a Offer> {
    let mut eligible = Vec::with_capacity(placement.offers.len());
    for offer in placement
        .offers
        .iter()
        .filter_map(|id| env.bundle.offer(id))
    {
        let env = Env {
            offer: Some((offer, None)),
            ..*env
        };
        if let Some(detail) = first_not_true(&offer.when, &env) {
            losers.push(lost(offer, Reason::Ineligible, detail));
        } else if let Some(detail) = capped(offer, &env) {
            losers.push(lost(offer, Reason::Cap, detail));
        } else {
            eligible.push(offer);
        }
    }
    eligible
}

fn lost(offer: &Offer, reason: Reason, detail: Arc<str>) -> Loser {
    Loser {
        offer: offer.id.clone(),
        reason,
        detail,
        priority: None,
    }
}

/// Returns how often the offer was given, if that is as often as it may be: `1/1, frees at …`.
fn capped(offer: &Offer, env: &Env<'_>) -> Option<Arc<str>> {
    let cap = offer.cap?;
    let edge = env.now - cap.per;
    let times = env
        .profile
        .given
        .get(&offer.id)
        .map_or(&[][..], Vec::as_slice);
    let inside: Vec<_> = times.iter().filter(|time| **time > edge).collect();
    if inside.len() < cap.n as usize {
        return None;
    }
    let free = inside
        .len()
        .checked_sub(cap.n as usize)
        .and_then(|idx| inside.get(idx));
    let frees_at = free.map_or_else(|| "never".into(), |time| (**time + cap.per).to_string());
    Some(
        format!(
            "{}/{} per {}, frees at {frees_at}",
            inside.len(),
            cap.n,
            cap.per
        )
        .into(),
    )
}

fn given(offer: &Offer, now: Timestamp) -> Option<Fact> {
    offer
        .cap
        .map(|cap| Fact::Given(offer.id.clone(), now, cap.per))
}

/// Computes the priority of an offer: the placement's `rank`, else P × V.
fn judge<'a>(
    placement: &Placement,
    offer: &'a Offer,
    score: Option<&Score>,
    env: &Env<'a>,
) -> Result<Candidate<'a>, Loser> {
    let propensity = score.and_then(Score::known);
    // Without a model, and with a broken one, P is 1: the offers are ranked by value.
    let p = propensity.unwrap_or(1.0);
    let env = Env {
        offer: Some((offer, None)),
        propensity: Some(p),
        ..*env
    };
    let number = |of: &'a crate::policy::Expr, env: &Env<'a>| {
        eval(&of.root, env).and_then(|value| value.as_f64())
    };
    let Some(value) = number(&offer.value, &env) else {
        return Err(lost(
            offer,
            Reason::Unsuitable,
            format!("{} is unknown", offer.value.text).into(),
        ));
    };
    let env = Env {
        offer: Some((offer, Some(value))),
        ..env
    };
    let priority = match &placement.rank {
        None => Some(p * value),
        Some(rank) => eval(&rank.root, &env).and_then(|value| value.as_f64()),
    };
    match priority {
        Some(priority) => Ok(Candidate {
            offer,
            propensity,
            priority,
            value,
        }),
        None => Err(lost(offer, Reason::Unsuitable, "rank is unknown".into())),
    }
}

fn fall_back(placement: &Placement, env: &Env<'_>, answer: &mut Answer) {
    let Some(offer) = &placement.fallback else {
        return;
    };
    answer.fallback = true;
    answer.offers.push(Choice {
        offer: offer.clone(),
        propensity: None,
        priority: None,
        data: env
            .bundle
            .offers
            .get(offer)
            .map(|offer| offer.data.clone())
            .unwrap_or_default(),
        reasons: vec!["nothing qualified: the placement's fallback".into()],
    });
}
