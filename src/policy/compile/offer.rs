//! One offer.

use std::sync::Arc;

use crate::domain::{Duration, Value};
use crate::policy::compile::Names;
use crate::policy::compile::budget::budget;
use crate::policy::compile::desk::Desk;
use crate::policy::compile::engagement::{self, engagement};
use crate::policy::compile::fields::Fields;
use crate::policy::compile::group::{self, LEVER_MIN};
use crate::policy::compile::value::value;
use crate::policy::expr::{Expr, Node, Scope, Site};
use crate::policy::offer::{Cap, Offer};
use crate::policy::yaml::Yaml;

const KEYS: [&str; 10] = [
    "about",
    "placements",
    "group",
    "value",
    "weight",
    "model",
    "cap",
    "budget",
    "purpose",
    "data",
];

/// Compiles an offer.
pub fn offer(desk: &mut Desk, names: &Names, key: &Yaml, node: &Yaml) -> Option<Offer> {
    let id = desk.name(key, "an offer")?;
    let first = desk.declare("offer", &id, key);
    let known = [&KEYS[..], &engagement::KEYS].concat();
    let fields = desk.fields(node, &format!("offer `{id}`"), &known, &[])?;
    if let Some(about) = fields.get("about") {
        desk.text(about, "`about`");
    }
    let placements = desk
        .need(&fields, "placements")
        .map(|node| placements(desk, names, node));
    let groups = fields.get("group");
    let groups = groups.map(|node| group::names(desk, &names.groups, node));
    let engagement = engagement(desk, &fields, Site::Offer);
    let worth = worth(desk, &fields, key);
    let weight = match fields.get("weight") {
        Some(node) => engagement::weight(desk, node, "`weight`", LEVER_MIN),
        None => Some(0.0),
    };
    let model = fields
        .get("model")
        .and_then(|node| model(desk, names, node));
    let cap = fields.get("cap").map(|node| cap(desk, node));
    let budget = fields.get("budget").map(|node| budget(desk, node));
    let purpose = fields.get("purpose");
    let purpose = purpose.map(|node| desk.name(node, "a purpose"));
    let offer = Offer {
        id,
        placements: placements?,
        groups: groups.unwrap_or_default(),
        engagement: engagement?,
        value: worth?,
        weight: weight?,
        model,
        cap: cap.map_or(Some(None), |cap| cap.map(Some))?,
        budget: budget.map_or(Some(None), |budget| budget.map(Some))?,
        purpose: purpose.map_or(Some(None), |purpose| purpose.map(Some))?,
        data: fields.get("data").map_or(Value::Null, value),
        place: desk.place(key),
    };
    first.then_some(offer)
}

/// Compiles the value of an offer; without one it is worth 1.
fn worth(desk: &mut Desk, fields: &Fields<'_>, key: &Yaml) -> Option<Expr> {
    let scope = Scope {
        site: Site::Offer,
        locals: &[],
    };
    match fields.get("value") {
        Some(node) => desk.number(node, scope),
        None => Some(Expr {
            root: Node::Literal(Value::Number(1.0)),
            text: "1".into(),
            place: desk.place(key),
        }),
    }
}

fn placements(desk: &mut Desk, names: &Names, node: &Yaml) -> Vec<Arc<str>> {
    let items = node.items();
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

/// Reads the name of a model.
pub fn model(desk: &mut Desk, names: &Names, node: &Yaml) -> Option<Arc<str>> {
    let name = desk.text(node, "the name of a model")?;
    let known = names.models.keys().map(AsRef::as_ref);
    desk.refer(node, "model", &name, known).then_some(name)
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
