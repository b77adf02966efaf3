//! What the events and customers of tests bring, held against the schemas that expressions are checked by.

use crate::domain::Value;
use crate::policy::compile::desk::Desk;
use crate::policy::compile::value::value;
use crate::policy::diagnostic::Severity;
use crate::policy::expr::shape::{Fields, Open, Shape, Type};
use crate::policy::schema::{self, Verdict};
use crate::policy::yaml::{Content, Yaml};

/// Checks data that a test brings: a slip in a name is an error, another type than the declared one a warning, because a
/// test may well show what becomes of it.
///
/// - `path`: what it is, as an expression would name it: `event.properties`.
pub fn check(desk: &mut Desk, node: &Yaml, shape: &Shape, path: &str) {
    // What is no map is reported as such.
    if node.entries().is_some() {
        inside(desk, node, shape, path);
    }
}

fn inside(desk: &mut Desk, node: &Yaml, shape: &Shape, path: &str) {
    match (shape, &node.content) {
        (Shape::Fields(fields), Content::Map(entries)) => {
            for (key, node) in entries {
                field(desk, fields, path, key, node);
            }
        }
        (Shape::ListOf(item), Content::List(items)) => {
            for node in items {
                inside(desk, node, item, path);
            }
        }
        (
            Shape::Any
            | Shape::Leaf
            | Shape::Number
            | Shape::Text
            | Shape::Bool
            | Shape::Fields(_)
            | Shape::ListOf(_)
            | Shape::Features,
            _,
        ) => kind(desk, node, shape, path),
    }
}

fn field(desk: &mut Desk, fields: &Fields, path: &str, key: &Yaml, node: &Yaml) {
    let Some(name) = key.text() else { return };
    let own = format!("{path}.{name}");
    let known = fields.known.iter();
    if let Some((_, shape)) = known.clone().find(|(known, _)| known == name) {
        return inside(desk, node, shape, &own);
    }
    let declared = fields.open == Open::Declared;
    let known = known.map(|(known, _)| known);
    let (severity, near) = match schema::judge(name, declared, known) {
        Verdict::Fine => return,
        Verdict::Slip(near) => (Severity::Error, Some(near)),
        Verdict::Undeclared(near) => (Severity::Warning, near),
    };
    let hint = near.map(|near| format!(", did you mean `{path}.{near}`?"));
    let message = format!("unknown property `{own}`{}", hint.unwrap_or_default());
    let reported = desk.report("unknown_property", key.span.clone(), message);
    reported.severity = severity;
    reported.help = Some(format!(
        "if senders do write `{name}`, declare it under `schemas:`"
    ));
}

/// Warns of a value of another type; nothing is of every type.
fn kind(desk: &mut Desk, node: &Yaml, shape: &Shape, path: &str) {
    let Some((brings, expected)) = of(&value(node)).zip(shape.kind()) else {
        return;
    };
    if brings == expected {
        return;
    }
    let message = format!(
        "`{path}` is {}, this brings {}",
        expected.name(),
        brings.name()
    );
    let reported = desk.report("unusual_value", node.span.clone(), message);
    reported.severity = Severity::Warning;
    let help = "most conditions do not know what to do with a value of another type";
    reported.help = Some(help.into());
}

fn of(value: &Value) -> Option<Type> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(_) => Type::Bool,
        Value::Number(_) => Type::Number,
        Value::Text(_) => Type::Text,
        Value::List(_) => Type::List,
        Value::Map(_) => Type::Map,
    })
}
