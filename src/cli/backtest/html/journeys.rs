//! One journey of the page: its funnel, and why runs ended, actions were held back and events did not enter.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::text::{delta, escape, percent, thousands};
use super::{Pair, add, goals, sum};
use crate::cli::backtest::summary::{Counts, Journey};

/// Draws one journey.
pub fn section(html: &mut String, name: &str, before: Option<&Journey>, after: &Journey) {
    add(
        html,
        format_args!("<section class=\"journey\"><h2>{}</h2>", escape(name)),
    );
    let pair = |of: fn(&Journey) -> u64| Pair {
        before: before.map(of),
        after: of(after),
    };
    let steps = [
        ("entered", pair(|of| of.entries)),
        ("actions sent", pair(|of| sum(&of.actions))),
        ("goal reached", pair(goals)),
    ];
    let most = steps.iter().map(|(_, pair)| pair.most()).max();
    let most = most.unwrap_or(0).max(1);
    let whole = after.entries;
    html.push_str("<div class=\"funnel\">");
    for (name, pair) in steps {
        let share = match name {
            "actions sent" if whole > 0 => each(pair.after, whole),
            "goal reached" if whole > 0 => format!("{} of entries", percent(pair.after, whole)),
            _ => String::new(),
        };
        let share = format!(" <span class=\"muted\">{share}</span>");
        bar(html, name, pair, most, &share);
    }
    html.push_str("</div><div class=\"grid\">");
    let side = |of: fn(&Journey) -> &Counts| before.map(of);
    reasons(
        html,
        "Sent, by channel",
        side(|of| &of.actions),
        &after.actions,
    );
    reasons(
        html,
        "Would have sent, as a shadow",
        side(|of| &of.shadow_actions),
        &after.shadow_actions,
    );
    reasons(html, "Exits, by reason", side(|of| &of.exits), &after.exits);
    reasons(
        html,
        "Held back, by reason",
        side(|of| &of.blocked),
        &after.blocked,
    );
    reasons(
        html,
        "Did not enter, by reason",
        side(|of| &of.refused),
        &after.refused,
    );
    html.push_str("</div></section>");
}

/// Tells if nobody came near a journey.
pub fn is_idle(before: Option<&Journey>, after: &Journey) -> bool {
    let is_idle = |of: &Journey| {
        let nothing = of.entries == 0 && of.open == 0;
        nothing && of.refused.is_empty() && of.exits.is_empty()
    };
    is_idle(after) && before.is_none_or(is_idle)
}

/// Names the journeys that nobody came near.
pub fn idle<'n>(html: &mut String, names: impl Iterator<Item = &'n str>) {
    let names: Vec<String> = names.map(|name| escape(name).to_string()).collect();
    if names.is_empty() {
        return;
    }
    add(
        html,
        format_args!(
            "<section><h2>Nobody entered, nobody was refused</h2><p class=\"muted\">{}</p></section>",
            names.join(", ")
        ),
    );
}

/// Draws counts by name, the largest first; nothing where there are none.
pub fn reasons(html: &mut String, title: &str, before: Option<&Counts>, after: &Counts) {
    let names: BTreeSet<&Arc<str>> = after
        .keys()
        .chain(before.into_iter().flat_map(|of| of.keys()))
        .collect();
    if names.is_empty() {
        return;
    }
    let n = |counts: &Counts, name: &Arc<str>| counts.get(name).copied().unwrap_or(0);
    let of = |name| {
        let before = before.map(|counts| n(counts, name));
        (
            name,
            Pair {
                before,
                after: n(after, name),
            },
        )
    };
    let mut rows: Vec<_> = names.into_iter().map(of).collect();
    rows.sort_by_key(|(name, pair)| (std::cmp::Reverse(pair.most()), (*name).clone()));
    let most = rows.iter().map(|(_, pair)| pair.most()).max();
    html.push_str("<div class=\"reasons\">");
    if !title.is_empty() {
        add(html, format_args!("<h3>{title}</h3>"));
    }
    for (name, pair) in rows {
        bar(html, name, pair, most.unwrap_or(0).max(1), "");
    }
    html.push_str("</div>");
}

fn bar(html: &mut String, name: &str, pair: Pair, most: u64, more: &str) {
    let width = |n: u64| percent_of(n, most);
    add(
        html,
        format_args!(
            "<div class=\"row\"><span class=\"name\">{}</span><span class=\"track\">",
            escape(name)
        ),
    );
    if let Some(before) = pair.before {
        add(
            html,
            format_args!(
                "<i class=\"was\" style=\"width:{:.2}%\"></i>",
                width(before)
            ),
        );
    }
    add(
        html,
        format_args!(
            "<i class=\"is\" style=\"width:{:.2}%\"></i></span><span class=\"n\"><b>{}</b> {}{more}</span></div>",
            width(pair.after),
            thousands(pair.after),
            delta(pair),
        ),
    );
}

#[expect(clippy::cast_precision_loss, reason = "counts are fewer than 2^52")]
fn each(n: u64, whole: u64) -> String {
    format!("{:.2} an entry", n as f64 / whole as f64)
}

#[expect(clippy::cast_precision_loss, reason = "counts are fewer than 2^52")]
fn percent_of(n: u64, most: u64) -> f64 {
    100.0 * n as f64 / most as f64
}

impl Pair {
    /// Returns the larger side.
    fn most(self) -> u64 {
        self.after.max(self.before.unwrap_or(0))
    }
}
