//! The account of a placement: what a call would be answered at this moment, and what would have to be different for each offer
//! that is not given.

use std::sync::Arc;

use crate::decide::drive::{Moment, handle};
use crate::decide::env::Env;
use crate::decide::eval::truth;
use crate::decide::offers::dates;
use crate::decide::why::remedy::remedy;
use crate::decide::{Ask, Cause, Outside};
use crate::domain::{Answer, Loser, Profile, Reason, Timestamp, Value};
use crate::policy::offer::{Engagement, Offer};
use crate::policy::{Bundle, Expr, Place};

/// What a placement would be answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Choosing {
    /// The answer, with everybody who lost.
    pub answer: Arc<Answer>,
    /// Of those who lost, in the order of the answer: what to say beside the reason.
    pub losers: Vec<Lost>,
}

/// What to say of an offer that is not given.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lost {
    /// Where the rule stands that keeps it out, if it is a rule with a place of its own.
    pub rule: Option<Place>,
    /// What would have to be different; `None` if nothing would help but chance or time.
    pub remedy: Option<String>,
}

/// The key of the call that is thought of; draws are those of a call with this key.
const KEY: &str = "why";

/// Decides for a placement as if it were asked, and leaves everything as it is; `None` if there is no such placement.
///
/// - `context`: what the caller would know.
/// - `outside`: its purse is asked to give what is thought of: one that only looks leaves budgets as they are.
pub fn choosing(
    bundle: &Bundle,
    profile: &Profile,
    placement: &str,
    context: &Value,
    outside: Outside<'_>,
    now: Timestamp,
) -> Option<Choosing> {
    let placement = bundle.placement(placement)?.name.clone();
    let run = |profile: &mut Profile, cause: &Cause| {
        let moment = Moment { now, at_due: true };
        handle(bundle, profile, cause, moment, None, outside)
    };
    let mut seen = profile.clone();
    run(&mut seen, &Cause::Wake(now));
    let ask = Ask {
        id: KEY.into(),
        placement: placement.clone(),
        context: context.clone(),
        limit: None,
        stranger: false,
    };
    let outcome = run(&mut seen.clone(), &Cause::Ask(ask));
    let mut answers = outcome.answers.into_iter();
    let answer = answers.rfind(|answer| answer.placement == placement)?;
    let env = Env {
        context: Some(context),
        ..Env::new(bundle, &seen, now)
    };
    let wish = Wish {
        env,
        answer: &answer,
    };
    let losers = answer.losers.iter().map(|loser| wish.lost(loser)).collect();
    Some(Choosing { answer, losers })
}

struct Wish<'a> {
    env: Env<'a>,
    answer: &'a Answer,
}

impl Wish<'_> {
    fn lost(&self, loser: &Loser) -> Lost {
        let Some(offer) = self.env.bundle.offer(&loser.offer) else {
            return Lost::default();
        };
        let detail = loser.detail.as_ref();
        let remedy = match loser.reason {
            Reason::NoConsent => consent(detail),
            Reason::Suppressed => Some("the suppression were lifted".into()),
            Reason::Ineligible | Reason::NotApplicable | Reason::Unsuitable => self.passes(offer),
            Reason::ContactLimit | Reason::Cap | Reason::Budget => frees_at(detail),
            Reason::Outranked => self.outranks(loser),
            // Who is held out is drawn.
            Reason::Holdout => None,
        };
        Lost {
            rule: self.rule(offer, detail),
            remedy,
        }
    }

    /// Finds the rule that a reason ends with: it is the offer's, one of its groups' or the placement's.
    fn rule(&self, offer: &Offer, detail: &str) -> Option<Place> {
        let placement = self.env.bundle.placement(&self.answer.placement);
        let own = std::iter::once(&offer.engagement);
        let all = own.chain(self.groups(offer));
        let places = all.flat_map(|of| {
            let conditions = of.conditions().map(|of| &of.place);
            conditions.chain(of.contact.iter().map(|of| &of.place))
        });
        let contact = placement.into_iter().flat_map(|of| &of.contact);
        let mut places = places.chain(contact.map(|of| &of.place));
        let is_named = |place: &&Place| detail.ends_with(&format!(" {place}"));
        places.find(is_named).cloned()
    }

    fn groups<'o>(&self, offer: &'o Offer) -> impl Iterator<Item = &'o Engagement>
    where
        Self: 'o,
    {
        let bundle = self.env.bundle;
        let groups = offer.groups.iter();
        groups.filter_map(move |name| bundle.group(name).map(|group| &group.engagement))
    }

    /// Says what would let an offer through its stages: all that it misses itself, and what its first group does if all do.
    fn passes(&self, offer: &Offer) -> Option<String> {
        let env = Env {
            offer: Some((offer, None)),
            ..self.env
        };
        let mut missed = misses(&offer.engagement, &env)?;
        let mut of_groups = self.groups(offer).map(|of| misses(of, &self.env));
        if let Some(first) = of_groups.next() {
            let is_missed =
                |of: &Option<Vec<String>>| of.as_ref().is_none_or(|all| !all.is_empty());
            if is_missed(&first) && of_groups.all(|of| is_missed(&of)) {
                missed.extend(first?);
            }
        }
        if missed.is_empty() {
            // All stages let it through: what it is worth is unknown.
            missed.push("its value and its rank were known".into());
        }
        Some(missed.join(" and "))
    }

    fn outranks(&self, loser: &Loser) -> Option<String> {
        if loser.detail.starts_with("diversity") {
            return Some("fewer offers like it were given".into());
        }
        let last = self.answer.offers.last()?.priority?;
        let own = loser.priority?;
        (own <= last).then(|| format!("its priority were above {last:.6} ({own:.6})"))
    }
}

/// Returns what of the stages is missed, each with what would help; `None` if nothing would, because it is over.
fn misses(of: &Engagement, env: &Env<'_>) -> Option<Vec<String>> {
    let mut missed = Vec::new();
    if dates(of, env).is_some() {
        let from = of.from.as_ref().filter(|_| !is_over(of, env))?;
        missed.push(format!("it were {} or later", from.text));
    }
    let untrue = |of: &&Expr| truth(&of.root, env) != Some(true);
    let conditions = of.conditions().filter(untrue);
    missed.extend(conditions.map(|of| remedy(of, true, env)));
    Some(missed)
}

/// Tells if the last day is past: the first one alone does not keep it back.
fn is_over(of: &Engagement, env: &Env<'_>) -> bool {
    let from = None;
    let until = of.until.clone();
    let only_until = Engagement {
        from,
        until,
        ..Engagement::default()
    };
    dates(&only_until, env).is_some()
}

/// Returns which consent a reason is about: `profile.consent.email.marketing [unknown]`.
fn consent(detail: &str) -> Option<String> {
    let (path, _) = detail.split_once(" [")?;
    let (channel, purpose) = path.strip_prefix("profile.consent.")?.split_once('.')?;
    Some(format!("the customer said yes to {purpose} by {channel}"))
}

/// Returns when something is free again, if its reason says so.
fn frees_at(detail: &str) -> Option<String> {
    let (_, at) = detail
        .split_once("frees at ")
        .or_else(|| detail.split_once("renews at "))?;
    let at = at.split([']', ' ']).next()?;
    (at != "never").then(|| format!("it were {at} or later"))
}
