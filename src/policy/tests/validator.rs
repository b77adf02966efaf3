//! A strict reader of JSON Schema, draft 7: the part that policies need, and a panic for every other word.

use std::collections::BTreeMap;
use std::sync::Mutex;

use regex::Regex;
use serde_json::{Map, Value};

/// What does not fit a schema, each with its path; empty if all is well.
pub fn faults(schema: &Value, value: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let validator = Validator {
        definitions: &schema["definitions"],
    };
    validator.check(schema, value, "", &mut faults);
    faults
}

/// Returns the parts of a schema that describe a value: of alternatives all that know its kind, of conditions the one that holds.
pub fn parts<'s>(schema: &'s Value, part: &'s Value, value: &Value) -> Vec<&'s Value> {
    let validator = Validator {
        definitions: &schema["definitions"],
    };
    validator.parts(part, value)
}

/// Words that refuse nothing.
const ANNOTATIONS: [&str; 6] = [
    "$schema",
    "definitions",
    "title",
    "description",
    "default",
    "examples",
];
/// Words that are about what is below a value, or choose among schemas.
const BELOW: [&str; 6] = [
    "if",
    "then",
    "else",
    "items",
    "properties",
    "additionalProperties",
];

struct Validator<'s> {
    definitions: &'s Value,
}

impl<'s> Validator<'s> {
    fn parts(&self, part: &'s Value, value: &Value) -> Vec<&'s Value> {
        if let Some(name) = part.get("$ref") {
            let name = name.as_str().unwrap().trim_start_matches("#/definitions/");
            return self.parts(&self.definitions[name], value);
        }
        let mut parts = vec![part];
        for word in ["anyOf", "oneOf"] {
            let alternatives = part.get(word).and_then(Value::as_array);
            parts.extend(
                alternatives
                    .into_iter()
                    .flatten()
                    .flat_map(|of| self.parts(of, value)),
            );
        }
        let branch = part.as_object().and_then(|part| self.branch(part, value));
        parts.extend(branch.into_iter().flat_map(|of| self.parts(of, value)));
        parts
    }

    fn fits(&self, schema: &'s Value, value: &Value) -> bool {
        let mut faults = Vec::new();
        self.check(schema, value, "", &mut faults);
        faults.is_empty()
    }

    fn check(&self, schema: &'s Value, value: &Value, path: &str, faults: &mut Vec<String>) {
        let Some(schema) = schema.as_object() else {
            assert_eq!(schema, &Value::Bool(true), "a schema is a map or `true`");
            return;
        };
        if let Some(name) = schema.get("$ref") {
            let name = name.as_str().unwrap().strip_prefix("#/definitions/");
            let annotations = ["$ref", "description", "default", "examples", "title"];
            let odd = schema
                .keys()
                .find(|key| !annotations.contains(&key.as_str()));
            assert_eq!(odd, None, "it is not looked at beside `$ref`");
            let target = &self.definitions[name.unwrap()];
            assert!(target.is_object(), "no definition of {name:?}");
            return self.check(target, value, path, faults);
        }
        for (word, of) in schema {
            if !self.word(word, of, value) {
                faults.push(format!("{path}: {word} of {value}"));
            }
        }
        if let Some(branch) = self.branch(schema, value) {
            self.check(branch, value, path, faults);
        }
        for (key, of, value) in below(schema, value) {
            let path = format!("{path}/{key}");
            if of == &Value::Bool(false) {
                faults.push(format!("{path} is not known"));
            } else {
                self.check(of, value, &path, faults);
            }
        }
    }

    fn branch(&self, schema: &'s Map<String, Value>, value: &Value) -> Option<&'s Value> {
        let branch = if self.fits(schema.get("if")?, value) {
            "then"
        } else {
            "else"
        };
        schema.get(branch)
    }

    /// Tells if a value fits one word of a schema, without what is below it.
    fn word(&self, word: &str, of: &'s Value, value: &Value) -> bool {
        let number = || of.as_f64().unwrap();
        let length = || usize::try_from(of.as_u64().unwrap()).unwrap();
        let all = || of.as_array().unwrap().iter();
        let (map, items) = (value.as_object(), value.as_array());
        match word {
            word if ANNOTATIONS.contains(&word) || BELOW.contains(&word) => true,
            "type" if of.is_array() => all().any(|name| is(name, value)),
            "type" => is(of, value),
            "enum" => all().any(|choice| choice == value),
            "const" if of.is_number() => value.as_f64() == of.as_f64(),
            "const" => of == value,
            "pattern" => {
                let pattern = of.as_str().unwrap();
                value.as_str().is_none_or(|text| is_match(pattern, text))
            }
            "minimum" => value.as_f64().is_none_or(|value| value >= number()),
            "maximum" => value.as_f64().is_none_or(|value| value <= number()),
            "minItems" => items.is_none_or(|items| items.len() >= length()),
            "maxItems" => items.is_none_or(|items| items.len() <= length()),
            "minProperties" => map.is_none_or(|map| map.len() >= length()),
            "maxProperties" => map.is_none_or(|map| map.len() <= length()),
            "required" => {
                let has =
                    |map: &Map<String, Value>, key: &Value| map.contains_key(key.as_str().unwrap());
                map.is_none_or(|map| all().all(|key| has(map, key)))
            }
            "anyOf" => all().any(|of| self.fits(of, value)),
            "oneOf" => all().filter(|of| self.fits(of, value)).count() == 1,
            "not" => !self.fits(of, value),
            "contains" => items.is_none_or(|items| items.iter().any(|item| self.fits(of, item))),
            "propertyNames" => {
                let mut keys = map.into_iter().flat_map(Map::keys);
                keys.all(|key| self.fits(of, &Value::String(key.clone())))
            }
            _ => panic!("the word `{word}` is not known"),
        }
    }
}

/// Returns the items or entries of a value, each with its key and the schema that holds for it.
fn below<'s, 'v>(
    schema: &'s Map<String, Value>,
    value: &'v Value,
) -> Vec<(String, &'s Value, &'v Value)> {
    let items = value.as_array().into_iter().flatten().enumerate();
    let items = items.filter_map(|(k, item)| Some((k.to_string(), schema.get("items")?, item)));
    let entry = |(key, value): (&'v String, &'v Value)| {
        let own = schema.get("properties").and_then(|of| of.get(key));
        Some((
            key.clone(),
            own.or_else(|| schema.get("additionalProperties"))?,
            value,
        ))
    };
    let entries = value.as_object().into_iter().flatten().filter_map(entry);
    items.chain(entries).collect()
}

/// Tells if a text fits a pattern, of which every one is compiled once.
fn is_match(pattern: &str, text: &str) -> bool {
    static COMPILED: Mutex<BTreeMap<String, Regex>> = Mutex::new(BTreeMap::new());
    let mut compiled = COMPILED.lock().unwrap();
    let regex = compiled
        .entry(pattern.to_owned())
        .or_insert_with(|| Regex::new(pattern).unwrap());
    regex.is_match(text)
}

fn is(name: &Value, value: &Value) -> bool {
    match name.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        name => panic!("the type `{name}` is not known"),
    }
}
