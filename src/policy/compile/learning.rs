//! What a placement says of learning: its learner, how it explores, and who is compared with whom.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::policy::bundle::{Bundle, Place};
use crate::policy::compile::Names;
use crate::policy::compile::desk::Desk;
use crate::policy::compile::fields::Fields;
use crate::policy::compile::learner;
use crate::policy::diagnostic::Source;
use crate::policy::expr::{Expr, Node, Op, Root, Scope, Site};
use crate::policy::learner::{Challenger, Explore, Kind, Learning, Places};
use crate::policy::offer::Placement;
use crate::policy::yaml::Yaml;

const CHALLENGER_KEYS: [&str; 6] = ["model", "learner", "rank", "explore", "share", "mode"];

/// Reads the words of a placement; the challenger is put in by [`challenge`].
pub fn learning(desk: &mut Desk, names: &Names, fields: &Fields<'_>) -> Option<Learning> {
    let learner = fields.get("learner");
    let name = learner.map(|node| learner::refer(desk, names, node));
    let explored = fields.get("explore").map(|node| explore(desk, node));
    let default = match learner {
        Some(_) => Explore::Thompson,
        None => Explore::Never,
    };
    let control = fields
        .get("control")
        .map(|node| share(desk, node, "`control`"));
    let holdout = fields
        .get("holdout")
        .map(|node| share(desk, node, "`holdout`"));
    let explore = explored.unwrap_or(Some(default))?;
    let learns = learner.is_some() || explore != Explore::Never;
    let usual = if learns { Learning::CONTROL } else { 0.0 };
    let place = |desk: &Desk, node: Option<&Yaml>| {
        node.map_or_else(Place::default, |node| desk.place(node))
    };
    let places = Places {
        learner: place(desk, learner),
        explore: place(desk, fields.get("explore")),
        model: place(desk, fields.get("model")),
        smoothing: place(desk, fields.get("smoothing")),
    };
    Some(Learning {
        learner: name.map_or(Some(None), |name| name.map(Some))?,
        explore,
        control: control.unwrap_or(Some(usual))?,
        holdout: holdout.unwrap_or(Some(0.0))?,
        challenger: None,
        places,
    })
}

/// Reads `thompson`, `none` or `5%`.
fn explore(desk: &mut Desk, node: &Yaml) -> Option<Explore> {
    let text = desk.text(node, "`explore`")?;
    match text.as_ref() {
        "none" => Some(Explore::Never),
        "thompson" => Some(Explore::Thompson),
        _ => match percent(&text) {
            Some(share) => Some(Explore::Epsilon(share)),
            None => {
                let message = format!("`{text}` is no way to explore");
                let help = "write `thompson`, `none`, or how often any offer is tried: `5%`";
                desk.advise("bad_value", node.span.clone(), message, help);
                None
            }
        },
    }
}

/// Reads `2%`, or `none`.
fn share(desk: &mut Desk, node: &Yaml, what: &str) -> Option<f64> {
    let text = desk.text(node, what)?;
    if text.as_ref() == "none" {
        return Some(0.0);
    }
    let share = percent(&text);
    if share.is_none() {
        let message = format!("`{text}` is not a share of the customers");
        let help = "write a percentage from 0 to 100: `2%`";
        desk.advise("bad_value", node.span.clone(), message, help);
    }
    share
}

fn percent(text: &str) -> Option<f64> {
    let digits = |text: &&str| {
        let mut bytes = text.bytes();
        bytes.all(|byte| byte.is_ascii_digit() || byte == b'.')
    };
    let number = text.strip_suffix('%').map(str::trim).filter(digits);
    let percent = number.and_then(|number| number.parse::<f64>().ok());
    percent
        .filter(|percent| *percent <= 100.0)
        .map(|percent| percent / 100.0)
}

/// Reads the challenger of a placement that is complete but for it.
pub fn challenge(desk: &mut Desk, names: &Names, fields: &Fields<'_>, of: &mut Placement) -> bool {
    let Some(node) = fields.get("challenger") else {
        return true;
    };
    let n_before = desk.n_errors();
    let challenger = challenger(desk, names, node, of);
    of.learning.challenger = challenger.map(Box::new);
    desk.n_errors() == n_before
}

fn challenger(desk: &mut Desk, names: &Names, node: &Yaml, of: &Placement) -> Option<Challenger> {
    let fields = desk.fields(node, "`challenger`", &CHALLENGER_KEYS, &[])?;
    let mode = fields.get("mode");
    let mode = mode.map(|node| desk.choice(node, "mode", &[("live", false), ("shadow", true)]));
    let shadow = mode.unwrap_or(Some(false))?;
    let share = match (fields.get("share"), shadow) {
        (Some(node), true) => {
            let message = "a challenger in the shadow decides for nobody";
            let help = "remove `share`, or `mode: shadow`";
            desk.advise("bad_value", node.span.clone(), message, help);
            None
        }
        (None, true) => Some(0.0),
        (_, false) => {
            let node = desk.need(&fields, "share");
            node.and_then(|node| share(desk, node, "`share`"))
        }
    };
    let mut placement = of.clone();
    let changes = overrides(desk, names, &fields, &mut placement);
    if changes.is_empty() {
        let message = "the challenger is the same as the placement";
        let help = "give it another `model`, `learner`, `rank` or `explore`";
        desk.advise("missing_key", node.span.clone(), message, help);
    }
    Some(Challenger {
        share: share?,
        shadow,
        text: changes.join(", ").into(),
        placement,
    })
}

/// Changes the placement as the challenger says; returns what it changes in words.
fn overrides(
    desk: &mut Desk,
    names: &Names,
    fields: &Fields<'_>,
    placement: &mut Placement,
) -> Vec<String> {
    let mut changes = Vec::new();
    let is_none = |node: &Yaml| node.text().is_some_and(|text| text.as_ref() == "none");
    if let Some(node) = fields.get("model") {
        placement.learning.places.model = desk.place(node);
        placement.model = if is_none(node) {
            None
        } else {
            super::offer::model(desk, names, node)
        };
    }
    if let Some(node) = fields.get("learner") {
        placement.learning.places.learner = desk.place(node);
        placement.learning.learner = if is_none(node) {
            None
        } else {
            learner::refer(desk, names, node)
        };
    }
    if let Some(node) = fields.get("rank") {
        let scope = Scope {
            site: Site::Rank,
            locals: &[],
        };
        placement.rank = desk.number(node, scope);
    }
    if let Some(node) = fields.get("explore") {
        placement.learning.places.explore = desk.place(node);
        placement.learning.explore = explore(desk, node).unwrap_or_default();
    } else if fields.has("learner") && placement.learning.learner.is_none() {
        placement.learning.explore = Explore::Never;
    }
    for word in ["model", "learner", "rank", "explore"] {
        let text = fields.get(word).and_then(Yaml::text);
        changes.extend(text.map(|text| format!("{word} {text}")));
    }
    changes
}

/// Tells the challengers of the placements their offers.
pub fn link(placement: &mut Placement) {
    let (offers, index) = (placement.offers.clone(), placement.index.clone());
    if let Some(challenger) = &mut placement.learning.challenger {
        challenger.placement.offers = offers;
        challenger.placement.index = index;
    }
}

/// Reports what of learning cannot work together.
pub fn check(desk: &mut Desk, bundle: &Bundle, sources: &BTreeMap<&str, &Source>) {
    for placement in bundle.placements.values() {
        let source = sources.get(placement.place.file.as_ref());
        desk.source = source.map(|source| (*source).clone());
        check_one(desk, bundle, placement);
        if let Some(challenger) = &placement.learning.challenger {
            check_one(desk, bundle, &challenger.placement);
            check_shadow(desk, bundle, placement, challenger);
        }
    }
}

fn check_one(desk: &mut Desk, bundle: &Bundle, placement: &Placement) {
    let Learning {
        learner,
        explore,
        places,
        ..
    } = &placement.learning;
    let learner = learner.as_ref().and_then(|name| bundle.learners.get(name));
    let mut advise = |place: &Place, message: &str, help: &str| {
        desk.advise("bad_value", place.span.clone(), message, help);
    };
    if *explore == Explore::Thompson && placement.learning.learner.is_none() {
        let message = "Thompson sampling draws from what a learner believes, and there is none";
        let help = "name a `learner`, or write how often any offer is tried: `5%`";
        advise(&places.explore, message, help);
    }
    let calibrates = learner.map(|learner| matches!(learner.kind, Kind::Calibrate));
    if calibrates == Some(true) && !has_model(placement) {
        let message = "the learner corrects a model, and there is none";
        let help = "name a `model`, or a learner of `kind: beta`";
        advise(&places.learner, message, help);
    }
    if calibrates == Some(false) && placement.model.is_some() {
        let message = "the learner would take the model's place";
        let help = "remove one of them, or write `kind: calibrate` to correct the model";
        advise(&places.learner, message, help);
    }
    let bent = |rank: &&Expr| degree(&rank.root).is_none_or(|degree| degree > 1);
    if let Some(rank) = placement.rank.as_ref().filter(bent)
        && *explore == Explore::Thompson
    {
        let message = "the rank does not grow with `p` in a straight line, so how likely a choice was cannot be told";
        let help = "write `p * ..` plus what does not depend on `p`, or `explore: 5%`";
        advise(&rank.place, message, help);
    }
}

/// The scores of a model are found by the model's name and the place among the offers that it was asked about: the two of a
/// shadowed decision may not ask one model about different offers.
fn check_shadow(desk: &mut Desk, bundle: &Bundle, of: &Placement, challenger: &Challenger) {
    let other = &challenger.placement;
    if !challenger.shadow || other.model == of.model {
        return;
    }
    let models = [&of.model, &other.model];
    let shared = |name: &&Arc<str>| {
        let model = bundle.models.get(*name);
        models.contains(&&Some((*name).clone())) && model.is_some_and(|model| model.per_offer)
    };
    let offers = of.offers.iter();
    let own = offers.filter_map(|offer| Some((&offer.id, offer.model.as_ref().filter(shared)?)));
    for (offer, model) in own {
        let message = format!(
            "the shadow and the placement would ask `{model}` about different offers: it is offer `{offer}`'s own model"
        );
        let help = format!(
            "remove `model` of offer `{offer}`, or let the challenger decide for a `share`"
        );
        let place = &other.learning.places.model;
        desk.advise("bad_value", place.span.clone(), message, help);
    }
}

fn has_model(placement: &Placement) -> bool {
    placement.model.is_some() || placement.offers.iter().all(|of| of.model.is_some())
}

/// Returns the degree of an expression as a polynomial in `p`; `None` if it is none.
fn degree(node: &Node) -> Option<u32> {
    if !node.uses(&Root::Propensity) {
        return Some(0);
    }
    match node {
        Node::Root(Root::Propensity) => Some(1),
        Node::Negate(inner) => degree(inner),
        Node::Binary(Op::Add | Op::Sub, a, b) => Some(degree(a)?.max(degree(b)?)),
        Node::Binary(Op::Mul, a, b) => Some(degree(a)? + degree(b)?),
        Node::Binary(Op::Div, a, b) if degree(b) == Some(0) => degree(a),
        Node::If(condition, a, b) if degree(condition) == Some(0) => {
            Some(degree(a)?.max(degree(b)?))
        }
        Node::Literal(_)
        | Node::Root(_)
        | Node::Member(..)
        | Node::Index(..)
        | Node::Not(_)
        | Node::Binary(..)
        | Node::If(..)
        | Node::List(_)
        | Node::Map(_)
        | Node::Has(_)
        | Node::Each(..)
        | Node::Matches(..)
        | Node::Call(..)
        | Node::Feature(..)
        | Node::InSegment(_) => None,
    }
}
