//! `quiet_hours:`: `21:00-08:00 customer`, or a map.

use std::sync::Arc;

use crate::domain::zone::{WallTime, Weekdays};
use crate::domain::{Duration, Zone};
use crate::policy::compile::desk::Desk;
use crate::policy::limits::{Clocks, OwnQuiet, Quiet, Then};
use crate::policy::yaml::{Content, Yaml};

/// The key.
pub const KEY: &str = "quiet_hours";

const KEYS: [&str; 5] = ["between", "zone", "days", "then", "jitter"];
const HELP: &str = "write `21:00-08:00 customer`, or `{ between: 21:00-08:00, zone: customer, days: [mon..fri], then: hold }`";
/// Over how long held sends are spread unless the author says.
const JITTER: Duration = Duration::from_secs(15 * 60);
/// The longest spread.
const JITTER_MAX: Duration = Duration::from_secs(12 * 3_600);

/// Compiles the quiet hours of a journey or a send: `none` is an answer too.
pub fn own(desk: &mut Desk, node: &Yaml) -> Option<OwnQuiet> {
    if node.text().is_some_and(|text| text.as_ref() == "none") {
        return Some(OwnQuiet::None);
    }
    compile(desk, node).map(|quiet| OwnQuiet::Some(Box::new(quiet)))
}

/// Compiles quiet hours.
pub fn compile(desk: &mut Desk, node: &Yaml) -> Option<Quiet> {
    let place = desk.place(node);
    if !matches!(node.content, Content::Map(_)) {
        let text = desk.text(node, "`quiet_hours`")?;
        let (between, zone) = text.split_once(' ').unwrap_or((&text, "customer"));
        let (from, to) = between_of(desk, node, between)?;
        let clocks = clocks(desk, node, zone.trim())?;
        let (days, then, jitter) = (Weekdays::ALL, Then::Hold, JITTER);
        return Some(Quiet {
            from,
            to,
            days,
            clocks,
            then,
            jitter,
            text: text.clone(),
            place,
        });
    }
    let fields = desk.fields(node, "`quiet_hours`", &KEYS, &[])?;
    let between_node = desk.need(&fields, "between")?;
    let between = desk.text(between_node, "`between`")?;
    let times = between_of(desk, between_node, &between);
    let clocks = match fields.get("zone") {
        Some(node) => desk
            .text(node, "`zone`")
            .and_then(|name| clocks(desk, node, &name)),
        None => Some(Clocks::Customer),
    };
    let days = fields
        .get("days")
        .map_or(Some(Weekdays::ALL), |node| days(desk, node));
    let choices = [("hold", Then::Hold), ("drop", Then::Drop)];
    let then = fields.get("then").map_or(Some(Then::Hold), |node| {
        desk.choice(node, "`then`", &choices)
    });
    let jitter = fields
        .get("jitter")
        .map_or(Some(JITTER), |node| jitter(desk, node));
    let (from, to) = times?;
    Some(Quiet {
        from,
        to,
        days: days?,
        clocks: clocks?,
        then: then?,
        jitter: jitter?,
        text: between,
        place,
    })
}

fn between_of(desk: &mut Desk, node: &Yaml, text: &str) -> Option<(WallTime, WallTime)> {
    let (from, to) = text.split_once('-').unwrap_or((text, ""));
    let times = WallTime::parse(from).zip(WallTime::parse(to));
    let Some((from, to)) = times.filter(|(from, to)| from != to) else {
        let message = format!("`{text}` is not a part of the day");
        desk.advise("bad_value", node.span.clone(), message, HELP);
        return None;
    };
    Some((from, to))
}

/// Reads `customer` or the name of a zone.
fn clocks(desk: &mut Desk, node: &Yaml, name: &str) -> Option<Clocks> {
    if name == "customer" {
        return Some(Clocks::Customer);
    }
    let zone = Zone::parse(name);
    if zone.is_none() {
        let message = format!("unknown time zone `{name}`");
        let help = "write `customer`, or a name of tzdata such as `Europe/Berlin`";
        desk.advise("bad_value", node.span.clone(), message, help);
    }
    zone.map(Clocks::Of)
}

fn days(desk: &mut Desk, node: &Yaml) -> Option<Weekdays> {
    let items = match &node.content {
        Content::List(items) => items.as_slice(),
        Content::Scalar(_) | Content::Map(_) | Content::Broken => std::slice::from_ref(node),
    };
    let mut all = Weekdays::NONE;
    for item in items {
        let text: Arc<str> = desk.text(item, "a day of the week")?;
        let Some(days) = Weekdays::parse(&text) else {
            let message = format!("`{text}` is not a day of the week");
            desk.advise(
                "bad_value",
                item.span.clone(),
                message,
                "write `[mon..fri, sun]`",
            );
            return None;
        };
        all = all.and(days);
    }
    if all == Weekdays::NONE {
        desk.report(
            "missing_value",
            node.span.clone(),
            "the list of days is empty",
        );
        return None;
    }
    Some(all)
}

fn jitter(desk: &mut Desk, node: &Yaml) -> Option<Duration> {
    let jitter = desk.duration(node, "`jitter`", false)?;
    if jitter > JITTER_MAX {
        let message = format!("a jitter of {jitter} is longer than {JITTER_MAX}");
        desk.advise(
            "bad_value",
            node.span.clone(),
            message,
            "write for example `30m`",
        );
        return None;
    }
    Some(jitter)
}
