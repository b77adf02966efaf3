//! `journey:`: entry, goal, exits and steps.

use xxhash_rust::xxh3::xxh3_64;

use crate::policy::asked;
use crate::policy::compile::desk::Desk;
use crate::policy::compile::fields::Fields;
use crate::policy::compile::{Names, enter, migrate, quiet, steps};
use crate::policy::expr::{Scope, Site};
use crate::policy::journey::{Class, Exit, Goal, Journey, Trigger};
use crate::policy::mode::Mode;
use crate::policy::registry::Asker;
use crate::policy::yaml::{Content, Yaml};

const KEYS: [&str; 12] = [
    "journey",
    "about",
    "mode",
    "class",
    "priority",
    "quiet_hours",
    "enter",
    "goal",
    "exit",
    "holdout",
    "steps",
    migrate::KEY,
];
const LATER: [&str; 2] = ["limits", "segments"];
/// The classes by name.
pub const CLASSES: [(&str, Class); 3] = [
    ("marketing", Class::Marketing),
    ("transactional", Class::Transactional),
    ("mandatory", Class::Mandatory),
];
const WEIGHS: Scope<'static> = Scope {
    site: Site::Step,
    locals: &[],
};
/// What goals, exits and watched events can see.
pub const WATCHES: Scope<'static> = Scope {
    site: Site::Watch,
    locals: &[],
};

/// Hashes what a journey does; who may be moved to it, and how, is no part of that.
pub fn revision(root: &Yaml) -> u64 {
    let mut text = String::new();
    root.canonical_without(Some(migrate::KEY), &mut text);
    xxh3_64(text.as_bytes())
}

/// Compiles a journey.
pub fn compile(desk: &mut Desk, names: &Names, root: &Yaml) -> Option<Journey> {
    let fields = desk.fields(root, "a journey", &KEYS, &LATER)?;
    desk.entry = None;
    desk.locals.clear();
    let name_node = desk.need(&fields, "journey");
    let name = name_node.and_then(|node| desk.name(node, "a journey"));
    let about = fields
        .get("about")
        .and_then(|node| desk.text(node, "`about`"));
    let mode = mode(desk, &fields);
    let class = match fields.get("class") {
        Some(node) => desk.choice(node, "class", &CLASSES),
        None => Some(Class::Marketing),
    };
    let priority = fields.get("priority").map(|node| desk.expr(node, WEIGHS));
    let quiet = fields.get(quiet::KEY).map(|node| quiet::own(desk, node));
    let entered = desk
        .need(&fields, "enter")
        .map(|node| enter::compile(desk, node));
    let entered = entered.flatten();
    let event = entered.as_ref().and_then(|enter| enter.on.event().cloned());
    desk.entry.clone_from(&event);
    let goal = fields.get("goal").and_then(|node| goal(desk, node));
    let exits = fields
        .get("exit")
        .map(|node| exits(desk, node))
        .unwrap_or_default();
    let holdout = fields
        .get("holdout")
        .map_or(Some(0.0), |node| holdout(desk, node));
    let flow = desk
        .need(&fields, "steps")
        .map(|node| steps::compile(desk, names, event.as_ref(), node));
    let migrate = migrate::compile(desk, fields.get(migrate::KEY), flow.as_deref());
    let (name, name_node) = (name?, name_node?);
    if !desk.declare("journey", &name, name_node) {
        return None;
    }
    let mut journey = Journey {
        name,
        about: about.unwrap_or_default(),
        mode: mode?,
        class: class?,
        priority: priority.map_or(Some(None), |priority| priority.map(Some))?,
        quiet: quiet.map_or(Some(None), |quiet| quiet.map(Some))?,
        enter: entered?,
        goal,
        exits,
        holdout: holdout?,
        flow: flow?,
        migrate,
        revision: revision(root),
        uses_entry: false,
        place: desk.place(name_node),
    };
    journey.uses_entry = asked::uses_entry(&journey);
    Some(journey)
}

/// Reads the mode; from here on the segments that are asked for are of use to such a journey.
fn mode(desk: &mut Desk, fields: &Fields<'_>) -> Option<Mode> {
    let mode = match fields.get("mode") {
        Some(node) => desk.choice(node, "mode", &Mode::ALL),
        None => Some(Mode::Live),
    };
    desk.registry.segments.asker = match mode {
        Some(Mode::Shadow) => Asker::Shadows,
        Some(Mode::Live) | None => Asker::Others,
    };
    mode
}

fn goal(desk: &mut Desk, node: &Yaml) -> Option<Goal> {
    let fields = desk.fields(node, "`goal`", &["event", "where", "within"], &["value"])?;
    let event = desk
        .need(&fields, "event")
        .and_then(|node| desk.event(node));
    let filter = desk.about(event.as_ref(), |desk| {
        desk.conditions(fields.get("where"), WATCHES)
    });
    let within = fields
        .get("within")
        .and_then(|node| desk.duration(node, "`within`", true));
    Some(Goal {
        event: event?,
        filter,
        within,
    })
}

fn exits(desk: &mut Desk, node: &Yaml) -> Vec<Exit> {
    let items = match &node.content {
        Content::List(items) => items.as_slice(),
        Content::Map(_) | Content::Scalar(_) | Content::Broken => std::slice::from_ref(node),
    };
    items.iter().filter_map(|item| exit(desk, item)).collect()
}

fn exit(desk: &mut Desk, node: &Yaml) -> Option<Exit> {
    let fields = desk.fields(node, "`exit`", &["when", "event", "reason"], &[])?;
    if !fields.has("when") && !fields.has("event") {
        desk.need(&fields, "when");
    }
    let event = fields.get("event").and_then(|node| desk.event(node));
    let when = desk.about(event.as_ref(), |desk| {
        desk.conditions(fields.get("when"), WATCHES)
    });
    let reason = fields
        .get("reason")
        .and_then(|node| desk.text(node, "`reason`"));
    Some(Exit {
        event,
        when,
        reason: reason.unwrap_or_else(|| "exit".into()),
    })
}

/// Reads an event, or an event with a filter.
pub fn trigger(desk: &mut Desk, node: &Yaml, scope: Scope<'_>) -> Option<Trigger> {
    if !matches!(node.content, Content::Map(_)) {
        let event = desk.event(node)?;
        let filter = Vec::new();
        return Some(Trigger { event, filter });
    }
    let fields = desk.fields(node, "a trigger", &["event", "where"], &[])?;
    trigger_of(desk, &fields, scope)
}

/// Reads `event` and `where` of a map that may have more keys.
pub fn trigger_of(desk: &mut Desk, fields: &Fields<'_>, scope: Scope<'_>) -> Option<Trigger> {
    let event = desk.need(fields, "event").and_then(|node| desk.event(node));
    let filter = desk.about(event.as_ref(), |desk| {
        desk.conditions(fields.get("where"), scope)
    });
    let event = event?;
    Some(Trigger { event, filter })
}

/// Reads `10%`.
fn holdout(desk: &mut Desk, node: &Yaml) -> Option<f64> {
    let text = desk.text(node, "`holdout`")?;
    let percent = text
        .strip_suffix('%')
        .and_then(|number| number.trim().parse::<f64>().ok());
    let share = percent
        .map(|percent| percent / 100.0)
        .filter(|share| (0.0..1.0).contains(share));
    if share.is_none() {
        let message = format!("`{text}` is not a share of the customers");
        desk.advise(
            "bad_value",
            node.span.clone(),
            message,
            "write a percentage below 100: `10%`",
        );
    }
    share
}
