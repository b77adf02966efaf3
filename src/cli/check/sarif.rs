//! Problems as SARIF 2.1.0, for code scanning.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::{Value, json};

use crate::policy::{Diagnostic, Diagnostics, Severity};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// Returns a log with one run.
pub fn sarif(problems: &Diagnostics) -> String {
    let written = problems.0.iter().take(Diagnostics::WRITTEN_MAX);
    let codes: BTreeSet<&str> = written.clone().map(|problem| problem.code).collect();
    let rules: Vec<Value> = codes.iter().map(|code| json!({ "id": code })).collect();
    let results: Vec<Value> = written.map(result).collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "attune",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    log.to_string()
}

fn result(problem: &Diagnostic) -> Value {
    let source = &problem.source;
    let (line, column) = source.position(problem.span.start);
    let (end_line, end_column) = source.position(problem.span.end);
    let level = match problem.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let help = problem.help.as_deref();
    let text = help.map_or_else(
        || problem.message.clone(),
        |help| format!("{}\n{help}", problem.message),
    );
    json!({
        "ruleId": problem.code,
        "level": level,
        "message": { "text": text },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": uri(&source.name) },
            "region": {
                "startLine": line,
                "startColumn": column,
                "endLine": end_line,
                "endColumn": end_column,
            },
        }}],
    })
}

/// Writes a path as a URI reference: everything that is not plain is written as `%` and its bytes.
fn uri(path: &str) -> String {
    let path = path.replace('\\', "/");
    let mut uri = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    if path.starts_with('/') {
        return format!("file://{uri}");
    }
    uri
}
