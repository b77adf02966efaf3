//! The schema of the configuration says what the configuration says; those of policies are tested beside the compiler.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{all, of};
use crate::config::Config;

#[test]
fn every_key_of_the_configuration_is_in_its_schema_and_the_other_way_round() {
    compare(&of("config").unwrap(), &[]);
}

#[test]
fn the_defaults_of_the_schema_are_those_of_the_configuration() {
    let all = defaults(&of("config").unwrap());
    let read: Config = serde_json::from_value(all).unwrap();
    assert_eq!(format!("{read:?}"), format!("{:?}", Config::default()));
}

#[test]
fn every_schema_becomes_a_file_that_is_json() {
    let names: Vec<String> = all()
        .unwrap()
        .into_iter()
        .map(|(name, text)| {
            let schema: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
            name
        })
        .collect();
    assert!(
        names.contains(&"policy.schema.json".to_owned()),
        "{names:?}"
    );
    assert!(
        names.contains(&"config.schema.json".to_owned()),
        "{names:?}"
    );
}

/// Compares a map, and those in it, with what the configuration says of a key that it does not know.
fn compare(schema: &Value, path: &[&str]) {
    let Some(properties) = schema["properties"].as_object() else {
        return compare_choices(schema, path);
    };
    assert_eq!(schema["additionalProperties"], json!(false), "{path:?}");
    let known: BTreeSet<&str> = properties.keys().map(String::as_str).collect();
    let refusal = refusal(path, json!({ "zz_unknown": 1 }));
    assert_eq!(words(&refusal), known, "{refusal}");
    for (key, of) in properties {
        compare(of, &[path, &[key.as_str()]].concat());
    }
}

fn compare_choices(schema: &Value, path: &[&str]) {
    let Some(choices) = schema["enum"].as_array() else {
        return;
    };
    let choices: BTreeSet<&str> = choices.iter().filter_map(Value::as_str).collect();
    let refusal = refusal(path, json!("zz_unknown"));
    assert_eq!(words(&refusal), choices, "{refusal}");
}

/// Returns why a value cannot stand at a path.
fn refusal(path: &[&str], value: Value) -> String {
    let nested = path
        .iter()
        .rev()
        .fold(value, |value, key| json!({ *key: value }));
    serde_json::from_value::<Config>(nested)
        .unwrap_err()
        .to_string()
}

/// Returns the words in backticks but the first.
fn words(refusal: &str) -> BTreeSet<&str> {
    refusal.split('`').skip(1).step_by(2).skip(1).collect()
}

fn defaults(schema: &Value) -> Value {
    let Some(properties) = schema["properties"].as_object() else {
        return schema["default"].clone();
    };
    let map: Map<String, Value> = properties
        .iter()
        .map(|(key, of)| (key.clone(), defaults(of)))
        .collect();
    Value::Object(map)
}
