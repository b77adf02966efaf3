//! `schemas:` and `templates:`: what an author declares about events, traits and channels.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::policy::compile::desk::Desk;
use crate::policy::expr::shape::{Open, Shape};
use crate::policy::suggest;
use crate::policy::yaml::{Content, Yaml};

/// The deepest nesting of a property.
const DEPTH_MAX: usize = 16;
const TYPES: [&str; 4] = ["text", "number", "bool", "any"];
const HELP: &str =
    "a type is `text`, `number`, `bool` or `any`; `[text]` is a list, `{ city: text }` a map";

/// Reads a document with `schemas` or `templates`.
pub fn compile(desk: &mut Desk, root: &Yaml, templates: &mut Option<BTreeSet<Arc<str>>>) {
    let Some(fields) = desk.fields(root, "the document", &["schemas", "templates"], &[]) else {
        return;
    };
    if let Some(node) = fields.get("schemas") {
        schemas(desk, node);
    }
    if let Some(node) = fields.get("templates") {
        let known = templates.get_or_insert_default();
        for item in node.items() {
            known.extend(desk.text(item, "the name of a template"));
        }
    }
}

fn schemas(desk: &mut Desk, node: &Yaml) {
    let Some(fields) = desk.fields(node, "`schemas`", &["events", "traits"], &[]) else {
        return;
    };
    for (key, definition) in entries(desk, fields.get("events"), "`events` is a map by name") {
        let Some(name) = desk.text(key, "the name of an event") else {
            continue;
        };
        desk.declare("event", &name, key);
        let properties = event(desk, &name, definition);
        desk.schemas.declare_event(&name, properties);
    }
    let traits = entries(desk, fields.get("traits"), "`traits` is a map by name");
    let traits = properties(desk, traits, 0);
    if fields.has("traits") {
        desk.schemas.declare_traits(traits);
    }
}

fn event(desk: &mut Desk, name: &str, node: &Yaml) -> Vec<(Arc<str>, Shape)> {
    if node.is_nothing() {
        return Vec::new();
    }
    let what = format!("event `{name}`");
    let Some(fields) = desk.fields(node, &what, &["about", "properties"], &[]) else {
        return Vec::new();
    };
    let entries = entries(desk, fields.get("properties"), "`properties` is a map");
    properties(desk, entries, 0)
}

fn entries<'y>(desk: &mut Desk, node: Option<&'y Yaml>, expected: &str) -> &'y [(Yaml, Yaml)] {
    let Some(node) = node else {
        return &[];
    };
    if node.entries().is_none() {
        desk.wrong_type(node, expected, "write `{ name: text }`");
    }
    node.entries().unwrap_or_default()
}

fn properties(desk: &mut Desk, entries: &[(Yaml, Yaml)], depth: usize) -> Vec<(Arc<str>, Shape)> {
    let property =
        |(key, node): &(Yaml, Yaml)| Some((key.text()?.clone(), shape(desk, node, depth)));
    entries.iter().filter_map(property).collect()
}

/// Reads a type; a wrong one was reported and counts as `any`.
fn shape(desk: &mut Desk, node: &Yaml, depth: usize) -> Shape {
    if depth > DEPTH_MAX {
        let message = format!("a property is nested deeper than {DEPTH_MAX} levels");
        desk.advise("too_large", node.span.clone(), message, "write `any` here");
        return Shape::Any;
    }
    if node.is_nothing() {
        desk.advise(
            "missing_value",
            node.span.clone(),
            "a type is missing",
            HELP,
        );
        return Shape::Any;
    }
    match &node.content {
        Content::Map(entries) => Shape::map(Open::Declared, properties(desk, entries, depth + 1)),
        Content::List(items) => match items.as_slice() {
            [item] => Shape::list_of(shape(desk, item, depth + 1)),
            _ => {
                let message = format!("a list has one type, not {}", items.len());
                desk.advise("bad_value", node.span.clone(), message, HELP);
                Shape::Any
            }
        },
        Content::Scalar(scalar) => word(desk, node, &scalar.text),
        Content::Broken => Shape::Any,
    }
}

fn word(desk: &mut Desk, node: &Yaml, word: &str) -> Shape {
    match word {
        "text" => Shape::Text,
        "number" => Shape::Number,
        "bool" => Shape::Bool,
        "any" => Shape::Any,
        _ => {
            let also = [
                ("string", "text"),
                ("boolean", "bool"),
                ("integer", "number"),
            ];
            let also = also.iter().find(|(theirs, _)| *theirs == word);
            let hint = match also {
                Some((_, ours)) => format!(", write `{ours}`"),
                None => suggest::hint(word, TYPES),
            };
            let message = format!("unknown type `{word}`{hint}");
            desk.advise("bad_value", node.span.clone(), message, HELP);
            Shape::Any
        }
    }
}
