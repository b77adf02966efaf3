//! `budget:` of an offer: how often everybody together gets it.

use crate::domain::Zone;
use crate::domain::budget::Per;
use crate::policy::compile::desk::Desk;
use crate::policy::offer::Budget;
use crate::policy::suggest;
use crate::policy::yaml::{Content, Yaml};

const KEYS: [&str; 3] = ["limit", "per", "zone"];
/// The most a budget may allow.
const LIMIT_MAX: u64 = 1_000_000_000_000;
const HELP: &str = "write how many for everybody together: `500 per day` (or `week`, `month`), `500` for all time, or `{ limit: 500, per: day, zone: Europe/Berlin }`";

/// Reads `500 per day`, `500`, or a map.
pub fn budget(desk: &mut Desk, node: &Yaml) -> Option<Budget> {
    if !matches!(node.content, Content::Map(_)) {
        let text = desk.text(node, "`budget`")?;
        let (limit, per) = match text.split_once(" per ") {
            Some((limit, per)) => (limit, Some(per.trim())),
            None => (text.as_ref(), None),
        };
        return Some(Budget {
            limit: limit_of(desk, node, limit.trim())?,
            per: per.map_or(Some(Per::Ever), |per| per_of(desk, node, per))?,
            zone: None,
        });
    }
    let fields = desk.fields(node, "a budget", &KEYS, &[])?;
    let limit = desk.need(&fields, "limit").and_then(|node| {
        let text = desk.text(node, "`limit`")?;
        limit_of(desk, node, &text)
    });
    let per = fields.get("per").map_or(Some(Per::Ever), |node| {
        desk.choice(node, "`per`", &Per::ALL)
    });
    let zone = match fields.get("zone") {
        Some(node) => Some(zone_of(desk, node)?),
        None => None,
    };
    Some(Budget {
        limit: limit?,
        per: per?,
        zone,
    })
}

fn limit_of(desk: &mut Desk, node: &Yaml, text: &str) -> Option<u64> {
    let limit = text.parse().ok().filter(|limit| *limit <= LIMIT_MAX);
    if limit.is_none() {
        let message = format!("`{text}` is no number of offers from 0 to {LIMIT_MAX}");
        desk.advise("bad_value", node.span.clone(), message, HELP);
    }
    limit
}

fn per_of(desk: &mut Desk, node: &Yaml, text: &str) -> Option<Per> {
    let found = Per::ALL.iter().find(|(name, _)| *name == text);
    if found.is_none() {
        let hint = suggest::hint(text, Per::ALL.iter().map(|(name, _)| *name));
        let message = format!("`{text}` is no period of a budget{hint}");
        desk.advise("bad_value", node.span.clone(), message, HELP);
    }
    found.map(|(_, per)| *per)
}

/// Reads a tzdata name; a budget is everybody's, so no customer's clocks count.
fn zone_of(desk: &mut Desk, node: &Yaml) -> Option<Zone> {
    let text = desk.text(node, "`zone`")?;
    let zone = Zone::parse(&text);
    if zone.is_none() {
        let names = Zone::names();
        let hint = suggest::hint(&text, names.iter().map(String::as_str));
        let message = format!("unknown zone `{text}`{hint}");
        let help = "write a name of tzdata such as `Europe/Berlin`; without one the calendar of the workspace counts";
        desk.advise("bad_value", node.span.clone(), message, help);
    }
    zone
}
