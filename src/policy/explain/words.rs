//! The words that all explanations share: lengths of time, lists, events and conditions.

use crate::domain::Duration;
use crate::policy::expr::Expr;
use crate::policy::journey::Trigger;

/// Says a length of time: `1 day 12 hours`.
pub fn length(of: Duration) -> String {
    const UNITS: [(&str, u64); 6] = [
        ("week", 604_800_000),
        ("day", 86_400_000),
        ("hour", 3_600_000),
        ("minute", 60_000),
        ("second", 1_000),
        ("millisecond", 1),
    ];
    let mut left = of.as_millis();
    let mut parts = Vec::new();
    for (unit, size) in UNITS {
        let n = left / size;
        // As authors write it: 10 days are no week and three days.
        if n > 0 && (unit != "week" || left.is_multiple_of(size)) {
            parts.push(format!("{n} {unit}{}", if n == 1 { "" } else { "s" }));
            left %= size;
        }
    }
    if parts.is_empty() {
        return "no time".into();
    }
    parts.join(" ")
}

/// Joins words: `a, b or c`.
pub fn list(words: &[String], last: &str) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [all @ .., end] => format!("{} {last} {end}", all.join(", ")),
    }
}

/// Puts a name of the author's between backticks.
pub fn named(name: &str) -> String {
    format!("`{name}`")
}

/// Writes an expression as its author did, on one line.
pub fn said(expr: &Expr) -> String {
    let words: Vec<&str> = expr.text.split_whitespace().collect();
    words.join(" ")
}

/// Writes conditions that must all be true.
pub fn all(conditions: &[Expr]) -> String {
    let said: Vec<String> = conditions.iter().map(said).collect();
    said.join(" and ")
}

/// Says what is listened to: an event, and what it must be like.
pub fn trigger(of: &Trigger) -> String {
    let event = named(&of.event);
    if of.filter.is_empty() {
        return event;
    }
    format!("{event} where {}", all(&of.filter))
}

/// Says a share of customers: `12.5%`.
pub fn percent(share: f64) -> String {
    // Shares are sums of what authors write with few digits.
    format!("{}%", (share * 1e8).round() / 1e6)
}
