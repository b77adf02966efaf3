//! `as:` and `decision:` of a test: which decide call an outcome is of.

use std::sync::Arc;

use crate::domain::decision;
use crate::domain::{Map, Value};
use crate::policy::compile::desk::{Desk, list};
use crate::policy::compile::fields::Fields;
use crate::policy::compile::timeline::Around;
use crate::policy::suggest;
use crate::policy::test::{Entry, Happening};

/// Means the decide call before, whatever its name.
const LAST: &str = "last";

/// A decide call of the lines before.
struct Made<'a> {
    name: Option<&'a str>,
    id: Arc<str>,
}

/// Returns the decide calls of lines, in order.
fn made<'a>(around: &Around<'_>, before: &'a [Entry]) -> Vec<Made<'a>> {
    let customer = around.customer.map_or("", |id| id.as_str());
    let asks = before.iter().filter_map(|entry| match &entry.what {
        Some(Happening::Ask {
            id,
            name,
            placement,
            ..
        }) => Some(Made {
            name: name.as_deref(),
            id: decision::id(customer, placement, id),
        }),
        Some(Happening::Event(_)) | None => None,
    });
    asks.collect()
}

/// Returns the key of the next decide call, which makes its decision another one than those before.
pub fn key(before: &[Entry]) -> Arc<str> {
    let asks = before.iter().filter_map(|entry| entry.what.as_ref());
    let asks = asks.filter(|what| matches!(what, Happening::Ask { .. }));
    (asks.count() + 1).to_string().into()
}

/// Reads the name that later lines call a decision by.
pub fn name(desk: &mut Desk, fields: &Fields<'_>, before: &[Entry]) -> Option<Arc<str>> {
    let node = fields.get("as")?;
    let name = desk.text(node, "the name of a decision")?;
    let taken = before.iter().any(|entry| match &entry.what {
        Some(Happening::Ask { name: own, .. }) => own.as_ref() == Some(&name),
        Some(Happening::Event(_)) | None => false,
    });
    if taken || name.as_ref() == LAST {
        let message = if taken {
            format!("a decision before is called `{name}`, too")
        } else {
            format!("`{LAST}` means the decision before, whatever its name")
        };
        let help = "give it a name of its own";
        desk.advise("duplicate_name", node.span.clone(), message, help);
        return None;
    }
    Some(name)
}

/// Puts the id of the decision that a line names into the properties of its event.
pub fn refer(
    desk: &mut Desk,
    around: &Around<'_>,
    fields: &Fields<'_>,
    before: &[Entry],
    properties: &mut Value,
) {
    let Some(node) = fields.get("decision") else {
        return;
    };
    let Some(name) = desk.text(node, "the name of a decision") else {
        return;
    };
    if properties.get("decision_id").is_some() {
        let message = "both `decision` and `properties.decision_id` are given";
        let help = "keep one of them";
        desk.advise("duplicate_key", node.span.clone(), message, help);
        return;
    }
    let made = made(around, before);
    let found = made
        .iter()
        .rfind(|of| name.as_ref() == LAST || of.name == Some(&name));
    let Some(found) = found else {
        let names: Vec<&str> = made.iter().filter_map(|of| of.name).collect();
        let hint = suggest::hint(&name, names.iter().copied());
        let message = match (name.as_ref(), made.is_empty()) {
            (LAST, _) | (_, true) => "no decision was made before".to_owned(),
            (_, false) => format!("no decision before is called `{name}`{hint}"),
        };
        let help = match (names.is_empty(), made.is_empty()) {
            (_, true) => "write a line with `decide: PLACEMENT` before this one".to_owned(),
            (true, false) => format!("write `{LAST}`, or `as: {name}` beside its `decide`"),
            (false, false) => format!("there are {}, and `{LAST}`", list(&names)),
        };
        desk.advise("unknown_reference", node.span.clone(), message, help);
        return;
    };
    let mut map = properties.as_map().cloned().unwrap_or_else(Map::default);
    map.set("decision_id", Value::Text(found.id.clone()));
    *properties = Value::Map(map);
}
