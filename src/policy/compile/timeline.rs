//! `timeline:` of a test: what happens when.

use std::sync::Arc;

use crate::domain::event::Kind;
use crate::domain::{CustomerId, Duration, Event, EventId, Timestamp, Value};
use crate::policy::compile::brought;
use crate::policy::compile::decisions;
use crate::policy::compile::desk::{Desk, list};
use crate::policy::compile::expect;
use crate::policy::compile::fields::Fields;
use crate::policy::compile::test::{Known, map};
use crate::policy::compile::value::number;
use crate::policy::test::{Entry, Happening};
use crate::policy::yaml::{Content, Yaml};

/// What can happen.
const HAPPENINGS: [&str; 5] = ["event", "identify", "page", "screen", "decide"];
const KEYS: [&str; 14] = [
    "at",
    "event",
    "identify",
    "page",
    "screen",
    "decide",
    "as",
    "properties",
    "decision",
    "context",
    "late",
    "id",
    "limit",
    "expect",
];
/// Keys that say more of what happens, and of what.
const DETAILS: [(&str, &[&str]); 7] = [
    ("as", &["decide"]),
    ("decision", &["event"]),
    ("properties", &["event"]),
    (
        "context",
        &["event", "identify", "page", "screen", "decide"],
    ),
    ("late", &["event", "identify", "page", "screen"]),
    ("id", &["event", "identify", "page", "screen"]),
    ("limit", &["decide"]),
];
const HELP: &str =
    "write `- { at: 30m, event: Cart Viewed }`, or `- { at: 1h, expect: { sent: none } }`";

/// What the lines of a timeline are read by.
pub struct Around<'a> {
    /// What they refer to.
    pub known: &'a Known<'a>,
    /// The journey that the test is about.
    pub journey: Option<&'a Arc<str>>,
    /// What times count from.
    pub start: Timestamp,
    /// Who it happens to, if the test says it rightly.
    pub customer: Option<&'a CustomerId>,
}

/// Compiles a timeline.
pub fn compile(desk: &mut Desk, around: &Around<'_>, node: &Yaml) -> Vec<Entry> {
    let Content::List(items) = &node.content else {
        desk.wrong_type(node, "`timeline` is a list", HELP);
        return Vec::new();
    };
    let mut entries: Vec<Entry> = Vec::new();
    for item in items {
        let clock = entries.last().map_or(Duration::default(), |last| last.at);
        let read = entry(desk, around, item, &entries, clock);
        entries.extend(read);
    }
    if items.iter().all(|item| item.entry("expect").is_none()) {
        let message = "the test expects nothing, so it cannot fail";
        desk.advise(
            "nothing_expected",
            node.span.start..node.span.start + 1,
            message,
            HELP,
        );
    }
    entries
}

fn entry(
    desk: &mut Desk,
    around: &Around<'_>,
    node: &Yaml,
    before: &[Entry],
    clock: Duration,
) -> Option<Entry> {
    let fields = desk.fields(node, "a line of the timeline", &KEYS, &[])?;
    let at = desk
        .need(&fields, "at")
        .and_then(|node| time(desk, node, clock));
    let at = at.unwrap_or(clock);
    let what = happening(desk, around, &fields, node, before, at);
    let expect = fields
        .get("expect")
        .map(|node| expect::compile(desk, around, node));
    Some(Entry {
        at,
        what,
        expect: expect.unwrap_or_default(),
        place: desk.place(node),
    })
}

fn time(desk: &mut Desk, node: &Yaml, clock: Duration) -> Option<Duration> {
    let at = desk.duration(node, "`at`", false)?;
    if at < clock {
        let message = format!("time goes backwards: `{at}` comes after `{clock}`");
        let help = "`at` counts from the start of the test, not from the line before; sort the lines by it";
        desk.advise("bad_time", node.span.clone(), message, help);
        return None;
    }
    Some(at)
}

fn happening(
    desk: &mut Desk,
    around: &Around<'_>,
    fields: &Fields<'_>,
    node: &Yaml,
    before: &[Entry],
    at: Duration,
) -> Option<Happening> {
    let mut named = HAPPENINGS.into_iter().filter(|key| fields.has(key));
    let what = named.next();
    if let Some(other) = named.next() {
        let what = what.unwrap_or_default();
        let message = format!("both `{what}` and `{other}` are given");
        let help = "one line is one thing that happens: write two lines with the same `at`";
        desk.advise("duplicate_key", node.span.clone(), message, help);
        return None;
    }
    for (key, of) in DETAILS {
        if let Some(node) = fields.get(key)
            && !of.contains(&what.unwrap_or_default())
        {
            let of = list(of);
            let message = format!("`{key}` says nothing without {of}");
            let help = format!("remove it, or write it in a line with {of}");
            desk.advise("bad_value", node.span.clone(), message, help);
        }
    }
    let Some(what) = what else {
        if !fields.has("expect") {
            let message = "nothing happens here and nothing is expected";
            desk.advise("nothing_expected", node.span.clone(), message, HELP);
        }
        return None;
    };
    let node = fields.get(what)?;
    if what == "decide" {
        return ask(desk, around, fields, node, before);
    }
    let kind = Kind::parse(what).unwrap_or(Kind::Track);
    let late = fields
        .get("late")
        .and_then(|node| desk.duration(node, "`late`", true));
    let id = fields.get("id").and_then(|node| desk.text(node, "`id`"));
    let own = || Arc::from(format!("e{}", before.len() + 1));
    let mut event = Event {
        id: EventId::new(&id.unwrap_or_else(own)),
        kind,
        name: kind.as_str().into(),
        at: around.start + at - late.unwrap_or_default(),
        properties: Value::Null,
        traits: Value::Null,
        context: detail(desk, fields, "context"),
    };
    match kind {
        Kind::Track => {
            event.name = desk.event(node)?;
            event.properties = properties(desk, fields, &event.name);
            decisions::refer(desk, around, fields, before, &mut event.properties);
        }
        Kind::Identify => {
            event.traits = Value::Map(map(desk, node, "`identify`"));
            brought::check(desk, node, &desk.schemas.traits(), "profile.traits");
        }
        Kind::Page | Kind::Screen | Kind::Group | Kind::Alias => {
            event.properties = Value::Map(map(desk, node, &format!("`{what}`")));
        }
    }
    Some(Happening::Event(Box::new(event)))
}

fn properties(desk: &mut Desk, fields: &Fields<'_>, event: &str) -> Value {
    if let Some(node) = fields.get("properties") {
        let shape = desk.schemas.properties(event);
        brought::check(desk, node, &shape, "event.properties");
    }
    detail(desk, fields, "properties")
}

fn detail(desk: &mut Desk, fields: &Fields<'_>, key: &str) -> Value {
    let node = fields.get(key);
    let read = |node| Value::Map(map(desk, node, &format!("`{key}`")));
    node.map_or(Value::Null, read)
}

fn ask(
    desk: &mut Desk,
    around: &Around<'_>,
    fields: &Fields<'_>,
    node: &Yaml,
    before: &[Entry],
) -> Option<Happening> {
    let name = decisions::name(desk, fields, before);
    let placement = desk.text(node, "the name of a placement")?;
    let names = around.known.names.placements.iter().map(AsRef::as_ref);
    if !desk.refer(node, "placement", &placement, names) {
        return None;
    }
    let limit = fields.get("limit").map(|node| count(desk, node, "`limit`"));
    Some(Happening::Ask {
        id: decisions::key(before),
        name,
        placement,
        context: detail(desk, fields, "context"),
        limit: limit.map_or(Some(None), |limit| limit.map(Some))?,
    })
}

/// Reads a whole number.
pub fn count(desk: &mut Desk, node: &Yaml, what: &str) -> Option<u32> {
    let text = desk.text(node, what)?;
    let count = number(&text).and_then(|_| text.parse().ok());
    if count.is_none() {
        let message = format!("{what} is a whole number, not `{text}`");
        desk.report("bad_value", node.span.clone(), message);
    }
    count
}
