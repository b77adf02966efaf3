//! `migrate:`: who of earlier revisions goes on in this one, and where.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::policy::compile::desk::Desk;
use crate::policy::journey::Step;
use crate::policy::migration::{Migration, Target};
use crate::policy::suggest;
use crate::policy::yaml::{Content, Yaml};

/// The key.
pub const KEY: &str = "migrate";
const EXIT: &str = "exit";
const SAME: &str = "same";
const HELP: &str = "write `same`, `exit`, or `{steps: {\"2\": \"3\", \"1.branch.0.0\": exit}}`";

/// Reads `migrate`.
///
/// - `flow`: the steps of this revision.
pub fn compile(desk: &mut Desk, node: Option<&Yaml>, flow: Option<&[Step]>) -> Vec<Migration> {
    let items = node.map_or(&[][..], Yaml::items).iter();
    let flow = flow.unwrap_or_default();
    items.filter_map(|item| one(desk, item, flow)).collect()
}

/// Reads a document that has nothing but a journey's name and `migrate: exit`: whoever is in it leaves.
pub fn ended(desk: &mut Desk, root: &Yaml) -> Option<Arc<str>> {
    let has = |key: &str| root.entry(key).is_some();
    let (_, node) = root.entry(KEY)?;
    if has("enter") || has("steps") || node.text().map(AsRef::as_ref) != Some(EXIT) {
        return None;
    }
    let fields = desk.fields(
        root,
        "the end of a journey",
        &["journey", "about", KEY],
        &[],
    )?;
    let node = desk.need(&fields, "journey")?;
    let name = desk.name(node, "a journey")?;
    desk.declare("journey", &name, node);
    Some(name)
}

fn one(desk: &mut Desk, node: &Yaml, flow: &[Step]) -> Option<Migration> {
    let (from, to) = match &node.content {
        Content::Map(_) => {
            let fields = desk.fields(node, "`migrate`", &["from", "steps"], &[])?;
            let from = fields.get("from").map(|node| revisions(desk, node));
            let steps = desk.need(&fields, "steps")?;
            (from.unwrap_or_default(), target(desk, steps, flow)?)
        }
        Content::Scalar(_) | Content::List(_) | Content::Broken => {
            (Vec::new(), target(desk, node, flow)?)
        }
    };
    Some(Migration { from, to })
}

fn revisions(desk: &mut Desk, node: &Yaml) -> Vec<u64> {
    let mut revisions = Vec::new();
    for item in node.items() {
        let text = desk.text(item, "a revision");
        let Some(text) = text else { continue };
        match u64::from_str_radix(&text, 16)
            .ok()
            .filter(|_| text.len() == 16)
        {
            Some(revision) => revisions.push(revision),
            None => {
                let message = format!("`{text}` is not a revision of a journey");
                let help = "it has 16 hex digits, as `attune policies --json` shows it";
                desk.advise("bad_value", item.span.clone(), message, help);
            }
        }
    }
    revisions
}

fn target(desk: &mut Desk, node: &Yaml, flow: &[Step]) -> Option<Target> {
    let Some(entries) = node.entries() else {
        let words = [(EXIT, true), (SAME, false)];
        let Content::Scalar(_) = node.content else {
            desk.wrong_type(
                node,
                "where runs go is `same`, `exit` or a map of steps",
                HELP,
            );
            return None;
        };
        let exits = desk.choice(node, "migration", &words)?;
        return Some(if exits { Target::Exit } else { Target::Same });
    };
    let mut steps = BTreeMap::new();
    for (key, value) in entries {
        let (Some(old), Some(label)) = (
            desk.text(key, "the label of a step"),
            desk.text(value, "the label of a step"),
        ) else {
            continue;
        };
        if label.as_ref() == EXIT {
            steps.insert(old, None);
        } else if let Some(idx) = step(desk, value, &label, flow) {
            steps.insert(old, Some(idx));
        }
    }
    Some(Target::Steps(steps))
}

fn step(desk: &mut Desk, node: &Yaml, label: &str, flow: &[Step]) -> Option<usize> {
    let found = flow.iter().position(|step| step.label.as_ref() == label);
    if found.is_none() {
        let labels: Vec<&str> = flow.iter().map(|step| step.label.as_ref()).collect();
        let hint = suggest::hint(label, labels.iter().copied());
        let message = format!("this revision has no step `{label}`{hint}");
        let known: Vec<String> = labels.iter().take(20).map(|it| format!("`{it}`")).collect();
        let help = format!("its steps are {}; or write `exit`", known.join(", "));
        desk.advise("unknown_label", node.span.clone(), message, help);
    }
    found
}
