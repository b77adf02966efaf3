//! The description against the routes and against what is really answered.

use std::collections::BTreeSet;

use serde_json::Value;

use super::world::World;
use crate::api::openapi::description;
use crate::api::routes;

#[test]
fn every_route_is_described_and_the_other_way_round() {
    let routes: BTreeSet<String> = routes()
        .iter()
        .map(|(method, path, _)| format!("{} {path}", method.as_str().to_lowercase()))
        .collect();
    let description = serde_json::to_value(description()).unwrap();
    let mut described = BTreeSet::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            described.insert(format!("{method} {path}"));
        }
    }
    assert_eq!(described, routes);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_answered_is_what_is_described() {
    let world = World::start(None).await;
    world.ada().await;
    let description = world.get("/openapi.json").await.json();
    let decide = r#"{"customer":"ada","placement":"hero","explain":true}"#;
    let eval = r#"{"customer":"ada","expression":"profile.cart.value"}"#;
    for (method, path, called) in [
        ("post", "/v1/decide", "/v1/decide"),
        ("post", "/v1/eval", "/v1/eval"),
        ("get", "/v1/customers/{id}", "/v1/customers/ada"),
        (
            "get",
            "/v1/customers/{id}/timeline",
            "/v1/customers/ada/timeline",
        ),
        (
            "get",
            "/v1/customers/{id}/why",
            "/v1/customers/ada/why?journey=cart",
        ),
        (
            "get",
            "/v1/customers/{id}/why/offers",
            "/v1/customers/ada/why/offers?placement=hero",
        ),
        ("get", "/v1/customers/{id}", "/v1/customers/nobody"),
        ("get", "/v1/customers", "/v1/customers?limit=1"),
        ("get", "/v1/customers", "/v1/customers?limit=0"),
        ("get", "/v1/placements/{name}", "/v1/placements/footer"),
        ("get", "/v1/placements/{name}", "/v1/placements/foter"),
        ("get", "/v1/journeys", "/v1/journeys"),
        ("get", "/v1/journeys/{name}", "/v1/journeys/cart"),
        ("get", "/v1/journeys/{name}", "/v1/journeys/card"),
        ("get", "/v1/policies", "/v1/policies"),
        ("get", "/v1/models", "/v1/models"),
        ("get", "/v1/models/{name}", "/v1/models/purchase-intent"),
        ("get", "/v1/models/{name}", "/v1/models/purchase-intend"),
        ("get", "/livez", "/livez"),
        ("get", "/readyz", "/readyz"),
    ] {
        let body = if called == "/v1/eval" { eval } else { decide };
        let answered = world.send(&method.to_uppercase(), called, &[], body).await;
        let response = &description["paths"][path][method]["responses"][answered.status.as_str()];
        let schema = &response["content"][answered.header("content-type")]["schema"];
        assert!(schema.is_object(), "{called} is not described: {response}");
        let mut faults = Vec::new();
        check(&description, schema, &answered.json(), called, &mut faults);
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }
}

/// Holds a value against a schema: types, required fields, and no field that is not described.
fn check(all: &Value, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap();
        return check(all, &all["components"]["schemas"][name], value, at, faults);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let fits = choices.iter().any(|choice| {
            let mut inner = Vec::new();
            check(all, choice, value, at, &mut inner);
            inner.is_empty()
        });
        if !fits {
            faults.push(format!("{at}: {value} is none of {}", schema["oneOf"]));
        }
        return;
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        Value::String(kind) => vec![kind],
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => return,
    };
    if !kinds.iter().any(|kind| is(value, kind)) {
        faults.push(format!("{at}: {value} is not {kinds:?}"));
    }
    if let Some(words) = schema["enum"]
        .as_array()
        .filter(|words| !words.contains(value))
    {
        faults.push(format!("{at}: {value} is not one of {words:?}"));
    }
    for item in value.as_array().into_iter().flatten() {
        check(all, &schema["items"], item, &format!("{at}[]"), faults);
    }
    let (Some(fields), Some(described)) = (value.as_object(), schema["properties"].as_object())
    else {
        return;
    };
    for (name, field) in fields {
        match described.get(name) {
            Some(schema) => check(all, schema, field, &format!("{at}.{name}"), faults),
            None => faults.push(format!("{at}.{name} is not described")),
        }
    }
    for name in schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
    {
        if !fields.contains_key(name) {
            faults.push(format!("{at}.{name} is missing"));
        }
    }
}

fn is(value: &Value, kind: &str) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("a schema has type `{other}`"),
    }
}
