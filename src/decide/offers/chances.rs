//! How likely a placement would have given each candidate of a logged decision its place.
//!
//! From the log come who could be chosen and what stands in the places before, and what only the customer tells: C, and
//! the value of offers that look at the customer. L, `rank`, the order of the groups, diversity, exploration and the
//! shares of the control and of the challenger are the placement's.

use crate::decide::env::Env;
use crate::decide::eval::eval;
use crate::decide::learn::{Belief, Chance, Contender, Explore, choose, win};
use crate::decide::offers::arbitrate::{Price, context};
use crate::decide::offers::slots::Alike;
use crate::policy::expr::{Expr, Function, Node, Root};
use crate::policy::offer::{Factor, Offer, Placement};

/// One place of a logged decision.
pub struct Past<'a> {
    /// Its number, from 0.
    pub place: usize,
    /// C as logged; `None` if it is not.
    pub context: Option<f64>,
    /// What stands in the places before.
    pub before: &'a [&'a str],
    /// Who could have had the place.
    pub candidates: &'a [Rival<'a>],
}

/// Somebody who could have had a place.
pub struct Rival<'a> {
    /// The offer's id.
    pub offer: &'a str,
    /// V as logged; `None` if it is not.
    pub value: Option<f64>,
}

/// What is known of the propensity of an offer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Known {
    /// P: the best guess.
    pub p: f64,
    /// What it may be drawn from, or why that is not known.
    pub belief: Result<Belief, &'static str>,
}

impl Known {
    /// Returns a propensity that nobody draws.
    pub const fn sure(p: f64) -> Self {
        let belief = Ok(Belief::Point(p));
        Self { p, belief }
    }
}

/// Returns the propensity of an offer where a placement asks for it, or why it is not known.
pub type Propensity<'a> = dyn Fn(&Placement, &Offer, &Rival<'_>) -> Result<Known, String> + 'a;

/// Returns for each candidate how likely it would have had the place; what the placement does not have has 0.
///
/// The customers of the control and of the challenger are drawn anew: each has its share of the choice.
///
/// - `env`: the policies and the time, with a customer of whom nothing is known.
///
/// # Errors
///
/// Why that cannot be told from the log.
pub fn chances(
    placement: &Placement,
    past: &Past<'_>,
    env: &Env<'_>,
    propensity: &Propensity<'_>,
) -> Result<Vec<f64>, String> {
    if past.place >= placement.limit as usize {
        let (place, limit) = (past.place + 1, placement.limit);
        return Err(format!(
            "the log has a place {place}, and `limit` of `{}` is {limit}",
            placement.name
        ));
    }
    let of = |means: &Placement, explore| chosen(means, explore, past, env, propensity);
    let learning = &placement.learning;
    let mut chances = of(placement, learning.explore)?;
    let challenger = learning.challenger.as_ref().filter(|of| of.share > 0.0);
    if let Some(challenger) = challenger {
        let means = &challenger.placement;
        mix(
            &mut chances,
            challenger.share,
            &of(means, means.learning.explore)?,
        );
    }
    if learning.control > 0.0 {
        mix(
            &mut chances,
            learning.control,
            &of(placement, Explore::Uniform)?,
        );
    }
    Ok(chances)
}

fn mix(chances: &mut [f64], share: f64, others: &[f64]) {
    for (chance, other) in chances.iter_mut().zip(others) {
        *chance += share * (other - *chance);
    }
}

/// Does so for the means of one arm.
fn chosen(
    placement: &Placement,
    explore: Explore,
    past: &Past<'_>,
    env: &Env<'_>,
    propensity: &Propensity<'_>,
) -> Result<Vec<f64>, String> {
    let mut chances = vec![0.0; past.candidates.len()];
    let open = open(placement, past, env);
    let each = share(open.len());
    match (explore, open.as_slice()) {
        (_, []) => {}
        (_, [(only, _)]) => chances[*only] = 1.0,
        (Explore::Uniform, all) => {
            for (at, _) in all {
                chances[*at] = each;
            }
        }
        (Explore::Thompson, all) => {
            let contenders = contest(placement, all, past, env, propensity, contender)?;
            for (idx, (at, _)) in all.iter().enumerate() {
                chances[*at] = win::probability(&contenders, idx);
            }
        }
        (Explore::Never | Explore::Epsilon(_), all) => {
            let epsilon = match explore {
                Explore::Epsilon(share) => share,
                Explore::Never | Explore::Uniform | Explore::Thompson => 0.0,
            };
            let contenders = contest(placement, all, past, env, propensity, at_guess)?;
            for (at, _) in all {
                chances[*at] = epsilon * each;
            }
            // Nothing is drawn: the best one is chosen.
            let best = choose(&contenders, Explore::Never, &Chance::of(&[]));
            if let Some(best) = best {
                chances[all[best.idx].0] += 1.0 - epsilon;
            }
        }
    }
    Ok(chances)
}

/// Returns the candidates that may take the place, by their index: those of the first group that has any, and none that is
/// too much like those before.
fn open<'a>(placement: &'a Placement, past: &Past<'_>, env: &Env<'a>) -> Vec<(usize, &'a Offer)> {
    let rules = &placement.diversity;
    let mut alike = Alike::default();
    for offer in past.before.iter().filter_map(|id| env.bundle.offer(id)) {
        alike.count(rules, offer);
    }
    let mut open = Vec::new();
    for (at, rival) in past.candidates.iter().enumerate() {
        let offer = placement.offer(rival.offer);
        let offer = offer.filter(|offer| alike.full(rules, offer).is_none());
        open.extend(offer.map(|offer| (at, offer)));
    }
    let order = |offer: &Offer| standing(placement, offer, env).1;
    let first = open.iter().map(|(_, offer)| order(offer)).min();
    open.retain(|(_, offer)| Some(order(offer)) == first);
    open
}

/// Returns the levers of an offer in percent, and which place it has among the ordered groups, if all of its groups let it
/// pass.
fn standing(placement: &Placement, offer: &Offer, env: &Env<'_>) -> (f64, usize) {
    let groups = offer
        .groups
        .iter()
        .filter_map(|name| env.bundle.group(name));
    let lever = groups.map(|group| group.weight).reduce(f64::max);
    let mut ordered = placement.groups.iter();
    let place = ordered.position(|group| offer.groups.contains(group));
    (
        offer.weight + lever.unwrap_or(0.0),
        place.unwrap_or(placement.groups.len()),
    )
}

/// Makes a contender of an offer.
type Enter = for<'o> fn(&Price<'o>, &'o Offer, &Known) -> Result<Contender<'o>, String>;

/// Returns those who may take the place as contenders.
fn contest<'o>(
    placement: &'o Placement,
    open: &[(usize, &'o Offer)],
    past: &Past<'_>,
    env: &Env<'o>,
    propensity: &Propensity<'_>,
    enter: Enter,
) -> Result<Vec<Contender<'o>>, String> {
    let of = |(at, offer): &(usize, &'o Offer)| {
        let rival = &past.candidates[*at];
        let price = price(placement, offer, rival, past, env)?;
        let known = if asks_propensity(placement) {
            propensity(placement, offer, rival)?
        } else {
            Known::sure(1.0)
        };
        enter(&price, offer, &known)
    };
    open.iter().map(of).collect()
}

fn at_guess<'o>(
    price: &Price<'o>,
    offer: &'o Offer,
    known: &Known,
) -> Result<Contender<'o>, String> {
    let priority = price.priority(known.p).ok_or_else(|| unknown_rank(offer))?;
    Ok(Contender::known(&offer.id, priority))
}

fn contender<'o>(
    price: &Price<'o>,
    offer: &'o Offer,
    known: &Known,
) -> Result<Contender<'o>, String> {
    let belief = known.belief.map_err(|why| {
        let name = &price.placement.name;
        format!("`{name}` explores by Thompson sampling, which draws from what is believed: {why}")
    })?;
    if let Belief::Point(_) = belief {
        return at_guess(price, offer, known);
    }
    let drawn = price.drawn(belief).ok_or_else(|| unknown_rank(offer))?;
    Ok(drawn.contender(&offer.id))
}

fn unknown_rank(offer: &Offer) -> String {
    format!("the rank of `{}` is unknown", offer.id)
}

/// Tells if P counts.
fn asks_propensity(placement: &Placement) -> bool {
    match &placement.rank {
        Some(rank) => rank.root.uses(&Root::Propensity),
        None => placement.factors.contains(&Factor::Propensity),
    }
}

fn price<'o>(
    placement: &'o Placement,
    offer: &'o Offer,
    rival: &Rival<'_>,
    past: &Past<'_>,
    env: &Env<'o>,
) -> Result<Price<'o>, String> {
    let counts = |factor| placement.rank.is_none() && placement.factors.contains(&factor);
    let rank = placement.rank.as_ref().map(|rank| &rank.root);
    if placement.rank.as_ref().is_some_and(looks_at_customer) {
        return Err(format!(
            "`rank` of `{}` looks at the customer, whom the log does not show",
            placement.name
        ));
    }
    let v = if counts(Factor::Value) || rank.is_some_and(|rank| rank.uses(&Root::Offer)) {
        worth(offer, rival, env)?
    } else {
        1.0
    };
    let env = Env {
        offer: Some((offer, Some(v))),
        ..*env
    };
    let c = if counts(Factor::Context) {
        context_of(placement, past, &env)?
    } else {
        1.0
    };
    let levers = standing(placement, offer, &env).0;
    let l = (1.0 + levers / 100.0).max(0.0);
    Ok(Price {
        placement,
        env,
        c,
        v,
        l,
    })
}

/// Returns V of a candidate: by the policies, or as logged where it looks at the customer.
///
/// # Errors
///
/// It is not known.
pub fn worth(offer: &Offer, rival: &Rival<'_>, env: &Env<'_>) -> Result<f64, String> {
    if looks_at_customer(&offer.value) {
        return rival.value.ok_or_else(|| {
            format!(
                "the value of `{}` looks at the customer, and the log does not have it",
                offer.id
            )
        });
    }
    let env = Env {
        offer: Some((offer, None)),
        ..*env
    };
    let value = eval(&offer.value.root, &env).and_then(|value| value.as_f64());
    value.ok_or_else(|| format!("the value of `{}` is unknown", offer.id))
}

fn context_of(placement: &Placement, past: &Past<'_>, env: &Env<'_>) -> Result<f64, String> {
    let weights = || placement.context_weights.iter().map(|of| &of.when);
    if !weights().any(looks_at_customer) {
        return Ok(context(placement, env));
    }
    let name = &placement.name;
    if weights().any(|when| when.root.uses(&Root::Offer)) {
        return Err(format!(
            "context weights of `{name}` look at the customer and at the offer, and the log has one C for all offers"
        ));
    }
    past.context.ok_or_else(|| {
        format!("context weights of `{name}` look at the customer, and the log does not have C")
    })
}

/// Tells if an expression about an offer needs more than the offer, its propensity and the time.
pub fn looks_at_customer(of: &Expr) -> bool {
    of.root.any(&|node| {
        matches!(
            node,
            Node::Root(Root::Profile | Root::Event | Root::Entry | Root::Context)
                | Node::Feature(..)
                | Node::InSegment(_)
                | Node::Call(
                    Function::LocalHour | Function::LocalWeekday | Function::LocalMonth,
                    _
                )
        )
    })
}

#[expect(
    clippy::cast_precision_loss,
    reason = "an answer has far fewer candidates"
)]
fn share(n: usize) -> f64 {
    1.0 / n as f64
}
