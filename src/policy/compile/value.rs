//! Plain data: what YAML says is a number, a bool or nothing is one.

use std::sync::Arc;

use crate::domain::Value;
use crate::policy::compile::desk::is_plain;
use crate::policy::yaml::{Content, Yaml};

/// Returns a node as a value.
pub fn value(node: &Yaml) -> Value {
    match &node.content {
        Content::Scalar(scalar) if is_plain(node) => plain(&scalar.text),
        Content::Scalar(scalar) => Value::Text(scalar.text.clone()),
        Content::List(items) => Value::List(items.iter().map(value).collect()),
        Content::Map(entries) => {
            let entries = entries.iter().filter_map(|(key, it)| {
                let key: Arc<str> = key.text()?.clone();
                Some((key, value(it)))
            });
            Value::Map(entries.collect())
        }
        Content::Broken => Value::Null,
    }
}

/// Reads a number as YAML writes it, if it is one.
pub fn number(text: &str) -> Option<f64> {
    let begins = text.trim_start_matches(['-', '+']);
    if !begins.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

fn plain(text: &Arc<str>) -> Value {
    match text.as_ref() {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        other => number(other).map_or_else(|| Value::Text(text.clone()), Value::Number),
    }
}
