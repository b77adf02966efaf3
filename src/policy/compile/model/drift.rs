//! `drift:` of a manifest: when a model counts as having moved away from its training.

use std::sync::Arc;

use crate::policy::compile::desk::{Desk, is_plain};
use crate::policy::compile::value::number;
use crate::policy::model::Drift;
use crate::policy::yaml::{Content, Yaml};

/// Rows that may be compared at a time.
const ROWS: [f64; 2] = [100.0, 1_000_000.0];

/// Compiles the bounds.
///
/// - `columns`: those of the model.
pub fn compile(desk: &mut Desk, node: &Yaml, columns: &[&str]) -> Option<Drift> {
    let keys = ["psi", "rows", "tolerance", "run_length", "ignore"];
    let fields = desk.fields(node, "`drift`", &keys, &[])?;
    let default = Drift::default();
    let mut bound = |key: &str, default: f64, [least, most]: [f64; 2]| match fields.get(key) {
        Some(node) => between(desk, node, key, least, most),
        None => Some(default),
    };
    let psi = bound("psi", default.psi, [0.01, 100.0]);
    let rows = bound("rows", f64::from(default.rows), ROWS);
    let tolerance = bound("tolerance", default.tolerance, [0.0, 10.0]);
    let run_length = bound("run_length", default.run_length, [100.0, 1e12]);
    let ignore = fields.get("ignore").map(|node| ignore(desk, node, columns));
    Some(Drift {
        psi: psi?,
        rows: whole(rows?),
        tolerance: tolerance?,
        run_length: run_length?,
        ignore: ignore.unwrap_or_default(),
    })
}

fn between(desk: &mut Desk, node: &Yaml, key: &str, least: f64, most: f64) -> Option<f64> {
    let text = node.text().filter(|_| is_plain(node)).cloned();
    let text = text.unwrap_or_default();
    let found = number(&text).filter(|found| (least..=most).contains(found));
    if found.is_none() {
        let message = format!("`{key}` is a number from {least} to {most}, not `{text}`");
        desk.report("bad_value", node.span.clone(), message);
    }
    found
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is in the bounds of `ROWS`"
)]
fn whole(number: f64) -> u32 {
    number as u32
}

fn ignore(desk: &mut Desk, node: &Yaml, columns: &[&str]) -> Vec<Arc<str>> {
    let Content::List(items) = &node.content else {
        desk.wrong_type(
            node,
            "`ignore` is a list of columns",
            "write `ignore: [month]`",
        );
        return Vec::new();
    };
    let mut ignored = Vec::new();
    for item in items {
        let Some(column) = desk.text(item, "a column") else {
            continue;
        };
        if desk.refer(item, "column", &column, columns.iter().copied()) {
            ignored.push(column);
        }
    }
    ignored
}
