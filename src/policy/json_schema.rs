//! What editors are told about policy files: JSON Schema, draft 7.
//!
//! The words stand in `json_schema/*.yaml`; tests hold them to what the compiler takes and refuses.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::policy::commerce;

const DEFINITIONS: [&str; 8] = [
    include_str!("json_schema/policy.yaml"),
    include_str!("json_schema/words.yaml"),
    include_str!("json_schema/journey.yaml"),
    include_str!("json_schema/steps.yaml"),
    include_str!("json_schema/catalogue.yaml"),
    include_str!("json_schema/model.yaml"),
    include_str!("json_schema/schemas.yaml"),
    include_str!("json_schema/test.yaml"),
];
const PREFIX: &str = "#/definitions/";

/// The kinds of documents that have a schema, and what they are.
pub const KINDS: [(&str, &str); 6] = [
    ("policy", "A policy file with documents of any kind"),
    ("journey", "A journey"),
    (
        "offers",
        "Offers, placements, segments, features, limits, channels",
    ),
    ("model", "The manifest of a model"),
    ("test", "What happens to a customer, and what must follow"),
    ("schemas", "What events, customers and templates look like"),
];

/// Returns the schema of a kind of documents, one of [`KINDS`].
///
/// # Errors
///
/// There is no such kind.
pub fn of(kind: &str) -> Result<Value, String> {
    let mut definitions = read(&DEFINITIONS)?;
    let names: Vec<&str> = commerce::names().collect();
    if let Some(event) = definitions.get_mut("event") {
        event["examples"] = json!(names);
    }
    document(&definitions, kind)
}

/// Reads definitions by name.
///
/// # Errors
///
/// A text is not YAML.
pub fn read(texts: &[&str]) -> Result<Map<String, Value>, String> {
    let mut definitions = Map::new();
    for text in texts {
        let read: Map<String, Value> =
            serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
        definitions.extend(read);
    }
    Ok(definitions)
}

/// Makes a schema of a definition and of all that it refers to.
///
/// # Errors
///
/// A definition is missing.
pub fn document(definitions: &Map<String, Value>, root: &str) -> Result<Value, String> {
    let find = |name: &str| {
        let definition = definitions.get(name);
        definition.ok_or_else(|| format!("there is no definition of `{name}`"))
    };
    let mut schema = find(root)?.clone();
    let mut used = BTreeSet::new();
    let mut left = references(&schema);
    while let Some(name) = left.pop() {
        if used.insert(name.clone()) {
            left.extend(references(find(&name)?));
        }
    }
    let mut parts = Map::new();
    for name in used {
        let part = find(&name)?.clone();
        parts.insert(name, part);
    }
    schema["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    schema["definitions"] = Value::Object(parts);
    Ok(schema)
}

/// Returns the names that a schema refers to.
fn references(schema: &Value) -> Vec<String> {
    match schema {
        Value::Object(map) => {
            let own = map.get("$ref").and_then(Value::as_str);
            let own = own.and_then(|name| name.strip_prefix(PREFIX));
            let below = map.values().flat_map(references);
            below.chain(own.map(str::to_owned)).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}
