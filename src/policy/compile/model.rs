//! `model:`: which value is which input column.

mod drift;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::policy::compile::desk::{Desk, is_plain, list};
use crate::policy::compile::value::number;
use crate::policy::expr::{Expr, Root, Scope, Site};
use crate::policy::model::{Drift, Input, Kind, Model, Output, Unknown};
use crate::policy::yaml::{Content, Yaml};

const KEYS: [&str; 9] = [
    "model", "about", "file", "sha256", "features", "inputs", "output", "metrics", "drift",
];
/// The most columns of a model.
const INPUTS_MAX: usize = 2_000;
/// The most metrics of a model.
const METRICS_MAX: usize = 32;

/// Compiles a manifest; its features are compiled already.
pub fn compile(desk: &mut Desk, root: &Yaml) -> Option<Model> {
    let fields = desk.fields(root, "a model manifest", &KEYS, &["golden", "calibration"])?;
    let name_node = desk.need(&fields, "model");
    let name = name_node.and_then(|node| desk.name(node, "a model"));
    let about = fields
        .get("about")
        .and_then(|node| desk.text(node, "`about`"));
    let file = desk.need(&fields, "file").and_then(|node| file(desk, node));
    let inputs = desk.need(&fields, "inputs").map(|node| inputs(desk, node));
    let output = match fields.get("output") {
        Some(node) => output(desk, node),
        None => Some(Output::default()),
    };
    let sha256 = fields.get("sha256").map(|node| sha256(desk, node));
    let metrics = fields.get("metrics").map(|node| metrics(desk, node));
    let (name, name_node) = (name?, name_node?);
    if !desk.declare("model", &name, name_node) {
        return None;
    }
    let inputs = inputs?;
    let columns: Vec<&str> = inputs.iter().map(|it| it.column.as_ref()).collect();
    let drift = match fields.get("drift") {
        Some(node) => drift::compile(desk, node, &columns)?,
        None => Drift::default(),
    };
    let per_offer = inputs.iter().any(|input| input.per_offer);
    Some(Model {
        name,
        about: about.unwrap_or_default(),
        file: file?,
        inputs,
        output: output?,
        per_offer,
        metrics: metrics.unwrap_or_default(),
        sha256: sha256.map_or(Some(None), |sha256| sha256.map(Some))?,
        drift,
        version: Arc::default(),
        place: desk.place(name_node),
    })
}

fn file(desk: &mut Desk, node: &Yaml) -> Option<Arc<str>> {
    let text = desk.text(node, "`file`")?;
    let leaves = text.starts_with('/') || text.contains('\\') || text.contains(':');
    if !leaves && text.split('/').all(|part| !part.is_empty() && part != "..") {
        return Some(text);
    }
    let message = format!("`{text}` is not a file beside the manifest");
    desk.advise(
        "bad_value",
        node.span.clone(),
        message,
        "write a relative path without `..`: `model.onnx`",
    );
    None
}

fn sha256(desk: &mut Desk, node: &Yaml) -> Option<Arc<str>> {
    let text = desk.text(node, "`sha256`")?;
    let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    if text.len() == 64 && text.chars().all(is_hex) {
        return Some(text);
    }
    desk.advise(
        "bad_value",
        node.span.clone(),
        format!("`{text}` is no SHA-256 of a file: 64 digits from 0-9 and a-f"),
        "`sha256sum model.onnx` prints it",
    );
    None
}

fn metrics(desk: &mut Desk, node: &Yaml) -> BTreeMap<Arc<str>, f64> {
    let mut metrics = BTreeMap::new();
    let Some(entries) = node.entries().filter(|all| all.len() <= METRICS_MAX) else {
        let expected = format!("`metrics` has up to {METRICS_MAX} numbers by name");
        desk.wrong_type(node, &expected, "write `metrics: { auc: 0.93 }`");
        return metrics;
    };
    for (key, node) in entries {
        let measured = node.text().filter(|_| is_plain(node));
        let measured = measured.and_then(|text| number(text));
        match (key.text(), measured) {
            (Some(name), Some(measured)) => drop(metrics.insert(name.clone(), measured)),
            _ => desk.wrong_type(node, "a metric is a number", "write `auc: 0.93`"),
        }
    }
    metrics
}

fn inputs(desk: &mut Desk, node: &Yaml) -> Vec<Input> {
    let Content::List(items) = &node.content else {
        desk.wrong_type(
            node,
            "`inputs` is a list",
            "write `- {column: price, from: offer.value}`",
        );
        return Vec::new();
    };
    if items.is_empty() || items.len() > INPUTS_MAX {
        let message = format!("a model has 1 to {INPUTS_MAX} inputs, not {}", items.len());
        desk.report("bad_value", node.span.clone(), message);
        return Vec::new();
    }
    let mut seen = BTreeSet::new();
    let mut inputs = Vec::new();
    for item in items {
        let Some(input) = input(desk, item) else {
            continue;
        };
        if !seen.insert(input.column.clone()) {
            let message = format!("column `{}` is given twice", input.column);
            desk.report("duplicate_name", item.span.clone(), message);
        }
        inputs.push(input);
    }
    inputs
}

fn input(desk: &mut Desk, node: &Yaml) -> Option<Input> {
    let fields = desk.fields(
        node,
        "an input",
        &["column", "from", "unknown", "type"],
        &[],
    )?;
    let column = desk
        .need(&fields, "column")
        .and_then(|node| desk.text(node, "`column`"));
    let from = desk.need(&fields, "from").and_then(|node| from(desk, node));
    let kinds = [("number", Kind::Number), ("text", Kind::Text)];
    let kind = match fields.get("type") {
        Some(node) => desk.choice(node, "type", &kinds),
        None => Some(Kind::Number),
    }?;
    let unknown = match fields.get("unknown") {
        Some(node) => unknown(desk, node, kind),
        None => Some(Unknown::Fail),
    };
    let from = from?;
    Some(Input {
        per_offer: from.root.uses(&Root::Offer),
        column: column?,
        from,
        kind,
        unknown: unknown?,
    })
}

fn from(desk: &mut Desk, node: &Yaml) -> Option<Expr> {
    let scope = Scope {
        site: Site::Model,
        locals: &[],
    };
    desk.expr(node, scope)
}

fn unknown(desk: &mut Desk, node: &Yaml, kind: Kind) -> Option<Unknown> {
    let text = node.text().cloned().unwrap_or_default();
    let plain = is_plain(node);
    let found = match (plain, text.as_ref(), kind) {
        (true, "fail", _) => Some(Unknown::Fail),
        (true, "nan" | "NaN" | ".nan" | ".NaN", Kind::Number) => Some(Unknown::Nan),
        (_, text, Kind::Number) => number(text).filter(|_| plain).map(Unknown::Number),
        (_, _, Kind::Text) => node.text().map(|text| Unknown::Text(text.clone())),
    };
    if found.is_none() {
        let help = format!("write one of {}, or a number", list(&["fail", "nan"]));
        desk.advise(
            "bad_value",
            node.span.clone(),
            format!("`{text}` cannot stand for an unknown number"),
            help,
        );
    }
    found
}

fn output(desk: &mut Desk, node: &Yaml) -> Option<Output> {
    let fields = desk.fields(node, "`output`", &["name", "class"], &[])?;
    let name = fields.get("name").map(|node| desk.text(node, "`name`"));
    let class = fields.get("class").map(|node| {
        let text = desk.text(node, "`class`")?;
        let class = text.parse::<usize>().ok().filter(|class| *class < 10_000);
        if class.is_none() {
            desk.report(
                "bad_value",
                node.span.clone(),
                format!("`{text}` is not a column number from 0"),
            );
        }
        class
    });
    Some(Output {
        name: name.map_or(Some(None), |name| name.map(Some))?,
        class: class.map_or(Some(None), |class| class.map(Some))?,
    })
}
