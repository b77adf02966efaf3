//! Documents of many things by name: offers and placements; limits and channels stand beside them.

use std::sync::Arc;

use crate::domain::outcome::ATTRIBUTION;
use crate::domain::{Duration, Value};
use crate::policy::bundle::Bundle;
use crate::policy::compile::Names;
use crate::policy::compile::desk::Desk;
use crate::policy::compile::limits;
use crate::policy::compile::value::value;
use crate::policy::expr::{Expr, Node, Scope, Site};
use crate::policy::offer::{Cap, Offer, Placement};
use crate::policy::yaml::{Content, Yaml};

/// The keys of such a document.
pub const KEYS: [&str; 6] = [
    "features",
    "segments",
    "offers",
    "placements",
    "limits",
    "channels",
];
const OFFER_KEYS: [&str; 7] = [
    "about",
    "placements",
    "value",
    "when",
    "model",
    "cap",
    "data",
];
const OFFER_LATER: [&str; 6] = ["budget", "weight", "group", "until", "from", "suitable"];
const PLACEMENT_KEYS: [&str; 7] = [
    "about",
    "model",
    "score",
    "rank",
    "limit",
    "fallback",
    "attribution",
];
const PLACEMENT_LATER: [&str; 4] = ["explore", "groups", "smoothing", "control"];
/// The most offers of an answer.
const LIMIT_MAX: u32 = 100;

/// Compiles the offers and placements of a document into the bundle; its features are compiled already.
pub fn compile(desk: &mut Desk, names: &Names, root: &Yaml, bundle: &mut Bundle) {
    if desk.fields(root, "the document", &KEYS, &[]).is_none() {
        return;
    }
    limits::compile(desk, names, root, &mut bundle.limits);
    for (key, node) in section(desk, root, "placements") {
        let placement = placement(desk, names, key, node);
        bundle
            .placements
            .extend(placement.map(|placement| (placement.name.clone(), placement)));
    }
    for (key, node) in section(desk, root, "offers") {
        let offer = offer(desk, names, key, node);
        bundle
            .offers
            .extend(offer.map(|offer| (offer.id.clone(), offer)));
    }
}

/// Tells every placement its offers.
pub fn link(bundle: &mut Bundle) {
    for placement in bundle.placements.values_mut() {
        let offers = bundle.offers.values();
        placement.offers = offers
            .filter(|offer| offer.placements.contains(&placement.name))
            .map(|offer| offer.id.clone())
            .collect();
    }
}

fn section<'y>(desk: &mut Desk, root: &'y Yaml, key: &str) -> &'y [(Yaml, Yaml)] {
    let Some((_, node)) = root.entry(key).filter(|(_, node)| !node.is_nothing()) else {
        return &[];
    };
    let Some(entries) = node.entries() else {
        desk.wrong_type(
            node,
            &format!("`{key}` is a map by name"),
            &format!("write `{key}: {{NAME: {{..}}}}`"),
        );
        return &[];
    };
    entries
}

fn offer(desk: &mut Desk, names: &Names, key: &Yaml, node: &Yaml) -> Option<Offer> {
    let scope = Scope {
        site: Site::Offer,
        locals: &[],
    };
    let id = desk.name(key, "an offer")?;
    let first = desk.declare("offer", &id, key);
    let fields = desk.fields(node, &format!("offer `{id}`"), &OFFER_KEYS, &OFFER_LATER)?;
    if let Some(about) = fields.get("about") {
        desk.text(about, "`about`");
    }
    let placements = desk
        .need(&fields, "placements")
        .map(|node| placements(desk, names, node));
    let when = desk.conditions(fields.get("when"), scope);
    let worth = match fields.get("value") {
        Some(node) => desk.number(node, scope),
        None => Some(one(desk, key)),
    };
    let model = fields
        .get("model")
        .and_then(|node| model(desk, names, node));
    let cap = fields.get("cap").map(|node| cap(desk, node));
    let data = fields.get("data").map_or(Value::Null, value);
    let offer = Offer {
        id,
        placements: placements?,
        when,
        value: worth?,
        model,
        cap: cap.map_or(Some(None), |cap| cap.map(Some))?,
        data,
        place: desk.place(key),
    };
    first.then_some(offer)
}

/// What an offer without a value is worth.
fn one(desk: &Desk, key: &Yaml) -> Expr {
    Expr {
        root: Node::Literal(Value::Number(1.0)),
        text: "1".into(),
        place: desk.place(key),
    }
}

fn placements(desk: &mut Desk, names: &Names, node: &Yaml) -> Vec<Arc<str>> {
    let items = match &node.content {
        Content::List(items) => items.as_slice(),
        Content::Scalar(_) | Content::Map(_) | Content::Broken => std::slice::from_ref(node),
    };
    if items.is_empty() {
        let help = "name at least one placement, or remove the offer";
        desk.advise(
            "missing_value",
            node.span.clone(),
            "the offer can never be shown",
            help,
        );
    }
    let mut found = Vec::new();
    for item in items {
        let Some(name) = desk.text(item, "the name of a placement") else {
            continue;
        };
        let known = names.placements.iter().map(AsRef::as_ref);
        if desk.refer(item, "placement", &name, known) && !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

fn placement(desk: &mut Desk, names: &Names, key: &Yaml, node: &Yaml) -> Option<Placement> {
    let name = desk.name(key, "a placement")?;
    let first = desk.declare("placement", &name, key);
    let fields = desk.fields(
        node,
        &format!("placement `{name}`"),
        &PLACEMENT_KEYS,
        &PLACEMENT_LATER,
    )?;
    if let Some(about) = fields.get("about") {
        desk.text(about, "`about`");
    }
    if fields.has("model") && fields.has("score") {
        let help = "keep `model`; `score` is another word for it";
        desk.advise(
            "duplicate_key",
            key.span.clone(),
            "both `model` and `score` are given",
            help,
        );
    }
    let model_node = fields.get("model").or_else(|| fields.get("score"));
    let model = model_node.and_then(|node| model(desk, names, node));
    let scope = Scope {
        site: Site::Rank,
        locals: &[],
    };
    let rank = fields.get("rank").map(|node| desk.number(node, scope));
    let limit = fields
        .get("limit")
        .map_or(Some(1), |node| limit(desk, node));
    let fallback = fields.get("fallback").and_then(|node| {
        let id = desk.text(node, "the id of an offer")?;
        let known = names.offers.iter().map(AsRef::as_ref);
        desk.refer(node, "offer", &id, known).then_some(id)
    });
    let attribution = match fields.get("attribution") {
        Some(node) => desk.duration(node, "`attribution`", true),
        None => Some(ATTRIBUTION),
    };
    let placement = Placement {
        name,
        model,
        rank: rank.map_or(Some(None), |rank| rank.map(Some))?,
        limit: limit?,
        attribution: attribution?,
        fallback,
        offers: Vec::new(),
        place: desk.place(key),
    };
    first.then_some(placement)
}

fn model(desk: &mut Desk, names: &Names, node: &Yaml) -> Option<Arc<str>> {
    let name = desk.text(node, "the name of a model")?;
    let known = names.models.keys().map(AsRef::as_ref);
    desk.refer(node, "model", &name, known).then_some(name)
}

fn limit(desk: &mut Desk, node: &Yaml) -> Option<u32> {
    let text = desk.text(node, "`limit`")?;
    let limit = text
        .parse()
        .ok()
        .filter(|limit| (1..=LIMIT_MAX).contains(limit));
    if limit.is_none() {
        let message = format!("`{text}` is not a number of offers");
        let help = format!("write a whole number from 1 to {LIMIT_MAX}");
        desk.advise("bad_value", node.span.clone(), message, help);
    }
    limit
}

/// Reads `3 per 7d`.
fn cap(desk: &mut Desk, node: &Yaml) -> Option<Cap> {
    let text = desk.text(node, "`cap`")?;
    let parts = text.split_once(" per ");
    let n = parts.and_then(|(n, _)| n.trim().parse().ok());
    let per = parts.and_then(|(_, per)| Duration::parse(per).ok());
    let per = per.filter(|per| per.as_millis() > 0);
    let cap = n.zip(per).map(|(n, per)| Cap { n, per });
    if cap.is_none() {
        let message = format!("`{text}` is not a cap");
        let help = "write how many in which length of time: `1 per 30d`";
        desk.advise("bad_value", node.span.clone(), message, help);
    }
    cap
}
