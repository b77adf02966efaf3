//! `wait`: a length of time, a time of the clock, or a date.

use std::sync::Arc;

use crate::domain::zone::{WallTime, Weekdays};
use crate::domain::{Duration, Value, Zone};
use crate::policy::compile::desk::Desk;
use crate::policy::compile::fields::Fields;
use crate::policy::compile::steps::{Flow, Spot};
use crate::policy::expr::{Expr, Node, Scope, Site};
use crate::policy::journey::{Act, Past, Until};
use crate::policy::suggest;
use crate::policy::yaml::{Content, Yaml};

const KEYS: [&str; 5] = ["until", "zone", "days", "offset", "past"];
const PASTS: [(&str, Past); 3] = [
    ("now", Past::Now),
    ("skip", Past::Skip),
    ("exit", Past::Exit),
];

/// Compiles a `wait`.
pub fn wait(flow: &mut Flow<'_>, node: &Yaml, spot: Spot<'_>) -> Option<Act> {
    if !matches!(node.content, Content::Map(_)) {
        let length = flow.desk.duration(node, "`wait`", false)?;
        return Some(Act::Wait(Until::Passed(length)));
    }
    let fields = flow.desk.fields(node, "`wait`", &KEYS, &[])?;
    let zone = fields.get("zone").and_then(|node| zone(flow.desk, node));
    let until_node = flow.desk.need(&fields, "until")?;
    let text = until_node.text().map_or("", |text| text.trim());
    let until = if let Some(time) = WallTime::parse(text) {
        clock(flow.desk, &fields, time, zone)
    } else if is_time(text) {
        let message = format!("`{text}` is not a time of the day");
        let help = "write hours and minutes from `00:00` to `23:59`";
        flow.desk
            .advise("bad_value", until_node.span.clone(), message, help);
        None
    } else {
        date(flow, &fields, until_node, zone, spot)
    };
    until.map(Act::Wait)
}

/// Tells if a text is meant as a time of the day, such as `24:30`.
fn is_time(text: &str) -> bool {
    let of_time = |byte: u8| byte.is_ascii_digit() || byte == b':';
    text.contains(':') && text.bytes().all(of_time)
}

/// Reads `customer` or a tzdata name; `None` is the customer's own, also for a wrong name, of which no bundle comes.
fn zone(desk: &mut Desk, node: &Yaml) -> Option<Zone> {
    let text = desk.text(node, "`zone`")?;
    if text.as_ref() == "customer" {
        return None;
    }
    let zone = Zone::parse(&text);
    if zone.is_none() {
        let names = Zone::names();
        let hint = suggest::hint(&text, names.iter().map(String::as_str));
        let message = format!("unknown zone `{text}`{hint}");
        let help = "write `customer`, or a name of tzdata such as `Europe/Berlin`";
        desk.advise("bad_value", node.span.clone(), message, help);
    }
    zone
}

fn clock(
    desk: &mut Desk,
    fields: &Fields<'_>,
    time: WallTime,
    zone: Option<Zone>,
) -> Option<Until> {
    for key in ["offset", "past"] {
        if let Some(node) = fields.get(key) {
            let message = format!("`{key}` belongs to a date, and `until` is a time of the day");
            let help = "leave it out: the next time that the clocks show it is never past";
            desk.advise("bad_value", node.span.clone(), message, help);
        }
    }
    let days = match fields.get("days") {
        Some(node) => days(desk, node),
        None => Some(Weekdays::ALL),
    };
    Some(Until::Clock {
        time,
        days: days?,
        zone,
    })
}

/// Reads `mon..fri`, or a list of days and ranges.
fn days(desk: &mut Desk, node: &Yaml) -> Option<Weekdays> {
    let items = match &node.content {
        Content::List(items) => items.as_slice(),
        Content::Scalar(_) | Content::Map(_) | Content::Broken => std::slice::from_ref(node),
    };
    if items.is_empty() {
        let help = "write for example `[mon..fri]`, or leave `days` out";
        desk.advise(
            "missing_value",
            node.span.clone(),
            "there are no days",
            help,
        );
        return None;
    }
    let read: Vec<_> = items.iter().map(|item| day(desk, item)).collect();
    read.into_iter()
        .try_fold(Weekdays::NONE, |all, days| Some(all.and(days?)))
}

fn day(desk: &mut Desk, node: &Yaml) -> Option<Weekdays> {
    let text = desk.text(node, "a day of the week")?;
    let days = Weekdays::parse(&text);
    if days.is_none() {
        let hint = suggest::hint(&text, Weekdays::NAMES);
        let message = format!("`{text}` is not a day of the week{hint}");
        let help = "write `mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun`, or a range: `mon..fri`";
        desk.advise("bad_value", node.span.clone(), message, help);
    }
    days
}

fn date(
    flow: &mut Flow<'_>,
    fields: &Fields<'_>,
    node: &Yaml,
    zone: Option<Zone>,
    spot: Spot<'_>,
) -> Option<Until> {
    if let Some(days) = fields.get("days") {
        let message = "`days` belongs to a time of the day, and `until` is a date";
        let help =
            "leave it out, or add a second step: `- wait: { until: 09:00, days: [mon..fri] }`";
        flow.desk
            .advise("bad_value", days.span.clone(), message, help);
    }
    let of = moment(flow, node);
    let offset = match fields.get("offset") {
        Some(node) => offset(flow.desk, node),
        None => Some((Duration::default(), false)),
    };
    let past = match fields.get("past") {
        Some(node) => flow.desk.choice(node, "`past`", &PASTS),
        None => Some(Past::Now),
    };
    if let (Some(Past::Skip), false, Some(node)) = (past, spot.followed, fields.get("past")) {
        let message = "there is no step behind this one that could be skipped";
        let help = "put the step for that date behind it, or write `past: now`";
        flow.desk
            .advise("bad_value", node.span.clone(), message, help);
    }
    let (offset, before) = offset?;
    Some(Until::Date {
        of: of?,
        offset,
        before,
        past: past?,
        zone,
    })
}

/// Compiles an expression, or a date as it is: `2026-12-24` is not a subtraction.
fn moment(flow: &mut Flow<'_>, node: &Yaml) -> Option<Expr> {
    let text: Option<&Arc<str>> = node.text();
    let literal = text.filter(|text| Zone::UTC.read(text).is_some());
    if let Some(text) = literal {
        return Some(Expr {
            root: Node::Literal(Value::Text(text.clone())),
            text: text.clone(),
            place: flow.desk.place(node),
        });
    }
    let scope = Scope {
        site: Site::Step,
        locals: &flow.locals,
    };
    flow.desk.expr(node, scope)
}

/// Reads `-7d` or `7d`; returns the length and whether it goes back.
fn offset(desk: &mut Desk, node: &Yaml) -> Option<(Duration, bool)> {
    let text = desk.text(node, "`offset`")?;
    let (length, before) = match text.strip_prefix('-') {
        Some(length) => (length, true),
        None => (text.strip_prefix('+').unwrap_or(&text), false),
    };
    match Duration::parse(length) {
        Ok(length) => Some((length, before)),
        Err(message) => {
            let help = "write a length of time, with `-` for before the date: `-7d`";
            desk.advise("bad_duration", node.span.clone(), message, help);
            None
        }
    }
}
