//! `groups:`.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::policy::compile::desk::Desk;
use crate::policy::compile::engagement::{self, engagement};
use crate::policy::expr::Site;
use crate::policy::offer::Group;
use crate::policy::yaml::Yaml;

/// The least lever: what it is in L cannot be less than nothing.
pub const LEVER_MIN: f64 = -100.0;

/// Compiles one group.
pub fn group(desk: &mut Desk, key: &Yaml, node: &Yaml) -> Option<Group> {
    let name = desk.name(key, "a group")?;
    let first = desk.declare("group", &name, key);
    let known = [&["about", "weight"][..], &engagement::KEYS].concat();
    let fields = desk.fields(node, &format!("group `{name}`"), &known, &[])?;
    if let Some(about) = fields.get("about") {
        desk.text(about, "`about`");
    }
    let weight = match fields.get("weight") {
        Some(node) => engagement::weight(desk, node, "`weight`", LEVER_MIN),
        None => Some(0.0),
    };
    let engagement = engagement(desk, &fields, Site::Group);
    let group = Group {
        name,
        weight: weight?,
        engagement: engagement?,
        place: desk.place(key),
    };
    first.then_some(group)
}

/// Reads the name of a group or a list of them, each once.
pub fn names(desk: &mut Desk, known: &BTreeSet<Arc<str>>, node: &Yaml) -> Vec<Arc<str>> {
    let items = node.items();
    if items.is_empty() {
        let help = "name at least one group, or remove the key";
        desk.advise(
            "missing_value",
            node.span.clone(),
            "there are no groups",
            help,
        );
    }
    let mut found = Vec::new();
    for item in items {
        let Some(name) = desk.text(item, "the name of a group") else {
            continue;
        };
        let known = known.iter().map(AsRef::as_ref);
        if desk.refer(item, "group", &name, known) && !found.contains(&name) {
            found.push(name);
        }
    }
    found
}
