//! The account of a customer and a placement, for a terminal.

use std::fmt::Write as _;

use serde_json::Value;

use crate::cli::why::account;

/// Writes an account as the server gives it.
pub fn shown(account: &Value) -> String {
    let mut page = String::new();
    let text = |of: &Value, key: &str| of[key].as_str().unwrap_or_default().to_owned();
    // INVARIANT: writing to a string does not fail.
    let _ = writeln!(
        page,
        "{} for {}  {}",
        text(account, "placement"),
        text(account, "customer"),
        text(account, "place")
    );
    for line in list(account, "last").iter().take(LINES_MAX) {
        let _ = writeln!(page, "  last: {}  {}", text(line, "at"), text(line, "text"));
    }
    page.push_str(&basis(account));
    let _ = writeln!(
        page,
        "\nIf it were asked for at {}{}",
        text(account, "at"),
        circumstances(account)
    );
    for (of, n) in list(account, "given").iter().zip(1..) {
        let _ = writeln!(page, "  ✓ {n}. {}  {}", text(of, "offer"), given(of));
        let _ = writeln!(page, "      {}", text(of, "place"));
    }
    if list(account, "given").is_empty() {
        page.push_str("  nothing is given\n");
    }
    let next = &account["runner_up"];
    if next.is_object() {
        let _ = writeln!(
            page,
            "  then {} with {}, behind by {}",
            text(next, "offer"),
            next["priority"],
            next["behind"]
        );
    }
    for of in list(account, "lost") {
        let _ = writeln!(
            page,
            "  ✗ {}  {}  {}",
            text(of, "offer"),
            text(of, "reason"),
            text(of, "detail")
        );
        let remedy = match of["remedy"].as_str() {
            Some(remedy) => format!("would be different if {remedy}"),
            None => "nothing helps but time or chance".into(),
        };
        let _ = writeln!(page, "      {}  {remedy}", text(of, "place"));
    }
    for of in list(account, "passed_over") {
        let (n, reason) = (&of["n"], text(of, "reason"));
        let _ = writeln!(page, "  ✗ {n} more  {reason}  {}", text(of, "detail"));
    }
    page
}

/// Says what an account of the past rests on.
fn basis(account: &Value) -> String {
    let mut lines = account::basis(account);
    if !lines.is_empty() {
        lines.push("  learners, budgets and models are those of this moment".into());
    }
    lines.push(String::new());
    lines.join("\n")
}

/// How many lines of the timeline are shown.
const LINES_MAX: usize = 3;

fn list<'a>(of: &'a Value, key: &str) -> &'a [Value] {
    of[key].as_array().map_or(&[], Vec::as_slice)
}

/// Says what the decision rests on beside the rules.
fn circumstances(account: &Value) -> String {
    let mut said = Vec::new();
    if let Some(arm) = account["arm"].as_str() {
        said.push(format!("as one of the {arm}"));
    }
    if let Some(learner) = account["learner"].as_str() {
        said.push(format!("by learner {learner}"));
    }
    if account["degraded"] == Value::Bool(true) {
        said.push("without a model that is not available".into());
    }
    if account["fallback"] == Value::Bool(true) {
        said.push("by the fallback: nothing qualifies".into());
    }
    let said = said.iter().map(|said| format!(", {said}"));
    said.collect()
}

/// Writes what a choice is made of.
fn given(of: &Value) -> String {
    let Some(priority) = of["priority"].as_f64() else {
        return of["text"].as_str().unwrap_or_default().to_owned();
    };
    let (p, c, v, l) = (&of["p"], &of["c"], &of["v"], &of["l"]);
    let probability = &of["probability"];
    format!(
        "priority {priority}: P {p} × C {c} × V {v} × L {l}; chosen with probability {probability}"
    )
}
