//! What offers, groups and placements have in common: stages of engagement, contact policies, dates and levers.

use crate::domain::outcome::Kind;
use crate::domain::response::Responses;
use crate::domain::zone::day_after;
use crate::domain::{Duration, Timestamp, Zone};
use crate::policy::compile::desk::Desk;
use crate::policy::compile::fields::Fields;
use crate::policy::expr::{Scope, Site};
use crate::policy::offer::{ContactPolicy, Date, Engagement};
use crate::policy::yaml::Yaml;

/// The keys of an engagement policy; `when` is another word for `eligible`.
pub const KEYS: [&str; 7] = [
    "when",
    "eligible",
    "applicable",
    "suitable",
    "contact",
    "from",
    "until",
];
const CONTACT_HELP: &str =
    "write what is too much: `{ after: 3 impressions per 7d without click, suppress: 14d }`";
/// The greatest lever or weight, in percent.
const WEIGHT_MAX: f64 = 10_000.0;

/// Compiles the engagement policy of an offer or a group.
///
/// - `site`: a group is asked once for all its offers.
pub fn engagement(desk: &mut Desk, fields: &Fields<'_>, site: Site) -> Option<Engagement> {
    let scope = Scope { site, locals: &[] };
    if let (Some(node), true) = (fields.get("when"), fields.has("eligible")) {
        let help = "keep `eligible`; `when` is another word for it";
        let message = "both `eligible` and `when` are given";
        desk.advise("duplicate_key", node.span.clone(), message, help);
    }
    let eligible = fields.get("eligible").or_else(|| fields.get("when"));
    let eligible = desk.conditions(eligible, scope);
    let applicable = desk.conditions(fields.get("applicable"), scope);
    let suitable = desk.conditions(fields.get("suitable"), scope);
    let contact = contacts(desk, fields.get("contact"));
    let from = fields.get("from").map(|node| date(desk, node, false));
    let until = fields.get("until").map(|node| date(desk, node, true));
    let from = from.map_or(Some(None), |from| from.map(Some))?;
    let until = until.map_or(Some(None), |until| until.map(Some))?;
    if let (Some(first), Some(last), Some(node)) = (&from, &until, fields.get("until"))
        && first.utc >= last.utc
    {
        let message = format!("`until` {} is not after `from` {}", last.text, first.text);
        let help = "a day without a time is all of it: `from: 2026-03-01`, `until: 2026-03-31`";
        desk.advise("bad_value", node.span.clone(), message, help);
    }
    Some(Engagement {
        from,
        until,
        eligible,
        applicable,
        suitable,
        contact,
    })
}

/// Reads a date with or without a time; as an end a day without a time is over with the day.
fn date(desk: &mut Desk, node: &Yaml, ends: bool) -> Option<Date> {
    let text = desk.text(node, "a date")?;
    let next = if ends { day_after(&text) } else { None };
    let shown = next.map_or_else(|| text.clone(), Into::into);
    let Some(utc) = Zone::UTC.read(&shown) else {
        let message = format!("`{text}` is not a date");
        let help = "write `2026-03-31`, `2026-03-31T18:00` on the customer's clocks, or \
                    `2026-03-31T18:00:00+02:00` for everybody at once";
        desk.advise("bad_value", node.span.clone(), message, help);
        return None;
    };
    let absolute = Timestamp::parse(&shown).is_some();
    Some(Date {
        text,
        shown,
        utc,
        absolute,
    })
}

/// Compiles `contact:`, one policy or a list of them.
pub fn contacts(desk: &mut Desk, node: Option<&Yaml>) -> Vec<ContactPolicy> {
    let Some(node) = node else {
        return Vec::new();
    };
    let items = node.items();
    if items.is_empty() {
        let message = "the list of contact policies is empty";
        desk.advise("missing_value", node.span.clone(), message, CONTACT_HELP);
    }
    items
        .iter()
        .filter_map(|item| contact(desk, item))
        .collect()
}

fn contact(desk: &mut Desk, node: &Yaml) -> Option<ContactPolicy> {
    let fields = desk.fields(node, "a contact policy", &["after", "suppress"], &[])?;
    let suppress = desk.need(&fields, "suppress");
    let suppress = suppress.and_then(|node| desk.duration(node, "`suppress`", true));
    let after = desk.need(&fields, "after")?;
    let text = desk.text(after, "`after`")?;
    let Some(phrase) = Phrase::read(&text) else {
        let message = format!("`{text}` is not something that can be counted");
        let help = "write how many of which in which time, and what lifts it: `3 impressions per 7d \
                    without click`, `1 rejection`; there are impressions, clicks, conversions and rejections";
        desk.advise("bad_value", after.span.clone(), message, help);
        return None;
    };
    let n_max = Responses::OF_KIND_MAX;
    if phrase.n as usize > n_max {
        let message = format!("{} are more than are remembered", phrase.n);
        let help = format!("write at most {n_max}");
        desk.advise("bad_value", after.span.clone(), message, help);
        return None;
    }
    Some(ContactPolicy {
        n: phrase.n,
        kind: phrase.kind,
        per: phrase.per,
        without: phrase.without,
        suppress: suppress?,
        text,
        place: desk.place(after),
    })
}

/// `3 impressions per 7d without click`.
struct Phrase {
    n: u32,
    kind: Kind,
    per: Duration,
    without: Option<Kind>,
}

impl Phrase {
    fn read(text: &str) -> Option<Self> {
        let (counted, without) = match text.split_once(" without ") {
            Some((counted, without)) => (counted, Some(kind(without)?)),
            None => (text, None),
        };
        let (times, per) = match counted.split_once(" per ") {
            Some((times, per)) => (times, Some(Duration::parse(per).ok()?)),
            None => (counted, None),
        };
        let (n, word) = times.trim().split_once(' ')?;
        let n = n.parse().ok().filter(|n| *n >= 1)?;
        let kind = kind(word)?;
        // One is enough within any time.
        let once = (n == 1).then_some(Duration::from_millis(1));
        let per = per.or(once).filter(|per| per.as_millis() > 0)?;
        let is_lifted = without != Some(kind);
        is_lifted.then_some(Self {
            n,
            kind,
            per,
            without,
        })
    }
}

fn kind(word: &str) -> Option<Kind> {
    let word = word.trim();
    let one = word.strip_suffix('s').unwrap_or(word);
    Kind::ALL.into_iter().find(|kind| kind.word() == one)
}

/// Reads a lever or a weight in percent: `35`, `35%`, `-20`.
pub fn weight(desk: &mut Desk, node: &Yaml, what: &str, least: f64) -> Option<f64> {
    let text = desk.text(node, what)?;
    let number = text.strip_suffix('%').unwrap_or(&text).trim();
    let weight = number.parse::<f64>().ok();
    let weight = weight.filter(|weight| (least..=WEIGHT_MAX).contains(weight));
    if weight.is_none() {
        let message = format!("`{text}` is not a weight");
        let help = format!("write percent from {least} to {WEIGHT_MAX}: 35 is 35 % more");
        desk.advise("bad_value", node.span.clone(), message, help);
    }
    weight
}
