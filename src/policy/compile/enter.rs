//! `enter:`: what may enter a journey, and how often.

use std::sync::Arc;

use crate::domain::Zone;
use crate::domain::crossing::Way;
use crate::policy::compile::desk::{Desk, list};
use crate::policy::compile::fields::Fields;
use crate::policy::compile::journey::{WATCHES, trigger};
use crate::policy::cron::Cron;
use crate::policy::expr::{Scope, Site};
use crate::policy::journey::{Absence, Enter, On, OnRepeat, Reentry, Schedule};
use crate::policy::yaml::{Content, Yaml};

const TRIGGERS: [&str; 4] = ["event", "segment", "schedule", "absent"];
const KEYS: [&str; 10] = [
    "event",
    "segment",
    "schedule",
    "absent",
    "where",
    "unless",
    "key",
    "reentry",
    "on_repeat",
    "max_age",
];
const ON_REPEAT: [(&str, OnRepeat); 3] = [
    ("ignore", OnRepeat::Ignore),
    ("restart", OnRepeat::Restart),
    ("refresh", OnRepeat::Refresh),
];
const ENTERS: Scope<'static> = Scope {
    site: Site::Enter,
    locals: &[],
};

/// Compiles an entry.
pub fn compile(desk: &mut Desk, node: &Yaml) -> Option<Enter> {
    let fields = desk.fields(node, "`enter`", &KEYS, &[])?;
    let on = on(desk, node, &fields);
    let event = on.as_ref().and_then(On::event).cloned();
    let (filter, unless, key) = desk.about(event.as_ref(), |desk| {
        let filter = desk.conditions(fields.get("where"), ENTERS);
        let unless = desk.conditions(fields.get("unless"), ENTERS);
        let key = fields.get("key").and_then(|node| desk.expr(node, ENTERS));
        (filter, unless, key)
    });
    let again = fields
        .get("reentry")
        .map_or(Some(Again::default()), |node| reentry(desk, node));
    if let (
        Some(node),
        Some(Again {
            concurrent: Some(_),
            ..
        }),
        false,
    ) = (fields.get("reentry"), &again, fields.has("key"))
    {
        let message = "runs at the same time are told apart by their key, and there is none";
        let help = "add `key: event.properties.order_id`, or leave the number of runs out";
        desk.advise("missing_key", node.span.clone(), message, help);
    }
    let on_repeat = match fields.get("on_repeat") {
        Some(node) => desk.choice(node, "`on_repeat`", &ON_REPEAT),
        None => Some(OnRepeat::Ignore),
    };
    let max_age = fields
        .get("max_age")
        .and_then(|node| desk.duration(node, "`max_age`", true));
    if let (Some(node), Some(On::Crossing(..) | On::Schedule(_) | On::Absence(_))) =
        (fields.get("max_age"), &on)
    {
        let message = "`max_age` is about the event that enters, and another trigger is given";
        desk.advise("bad_value", node.span.clone(), message, "leave it out");
    }
    let again = again?;
    Some(Enter {
        on: on?,
        filter,
        unless,
        key,
        reentry: again.reentry,
        concurrent: again.concurrent,
        on_repeat: on_repeat?,
        max_age,
    })
}

/// Reads the one trigger.
fn on(desk: &mut Desk, node: &Yaml, fields: &Fields<'_>) -> Option<On> {
    let given: Vec<&str> = TRIGGERS.into_iter().filter(|key| fields.has(key)).collect();
    match given.as_slice() {
        [] => {
            desk.need(fields, "event");
            None
        }
        ["segment"] => crossing(desk, fields.get("segment")?),
        ["schedule"] => schedule(desk, fields),
        ["absent"] => absence(desk, fields.get("absent")?),
        ["event"] => Some(On::Event(desk.event(fields.get("event")?)?)),
        [..] => {
            let message = format!("`enter` has {} triggers instead of one", given.len());
            let help = format!(
                "write one of {}; a second way in is a second journey",
                list(&TRIGGERS)
            );
            desk.advise("bad_value", node.span.clone(), message, help);
            None
        }
    }
}

/// Reads `{ entered: NAME }` or `{ exited: NAME }`.
fn crossing(desk: &mut Desk, node: &Yaml) -> Option<On> {
    let help = "write `segment: { entered: NAME }` or `segment: { exited: NAME }`";
    if !matches!(node.content, Content::Map(_)) {
        desk.wrong_type(node, "`segment` says which way and which one", help);
        return None;
    }
    let fields = desk.fields(node, "`segment`", &["entered", "exited"], &[])?;
    let (name, way) = match (fields.get("entered"), fields.get("exited")) {
        (Some(name), None) => (name, Way::Entered),
        (None, Some(name)) => (name, Way::Exited),
        (Some(_), Some(_)) => {
            let message = "`segment` has two ways instead of one";
            desk.advise("bad_value", node.span.clone(), message, help);
            return None;
        }
        (None, None) => {
            desk.need(&fields, "entered");
            return None;
        }
    };
    Some(On::Crossing(segment(desk, name)?, way))
}

/// Reads the name of a segment, which is of use because of it.
fn segment(desk: &mut Desk, node: &Yaml) -> Option<Arc<str>> {
    let name = desk.text(node, "the name of a segment")?;
    if desk.registry.segments.ask(&name, true) {
        return Some(name);
    }
    let problem = desk.registry.segments.unknown(&name, &node.span);
    desk.report(problem.code, problem.span, problem.message)
        .help = problem.help;
    None
}

fn schedule(desk: &mut Desk, enter: &Fields<'_>) -> Option<On> {
    let node = enter.get("schedule")?;
    let fields = desk.fields(node, "`schedule`", &["cron", "zone", "for"], &[])?;
    let cron = desk.need(&fields, "cron").and_then(|node| cron(desk, node));
    let zone = fields
        .get("zone")
        .map(|node| (node, desk.text(node, "`zone`")));
    let zone = match zone {
        None => Some(None),
        Some((_, Some(text))) if text.as_ref() == "customer" => Some(None),
        Some((node, text)) => zone_of(desk, node, &text?).map(Some),
    };
    let members = match fields.get("for") {
        Some(node) => Some(Some(segment(desk, node)?)),
        None if enter.has("where") => Some(None),
        None => {
            let message = "the schedule does not say for whom";
            let help = "add `for: SEGMENT` to it, or `where: CONDITION` to `enter`";
            desk.advise("missing_key", node.span.clone(), message, help);
            None
        }
    };
    Some(On::Schedule(Schedule {
        cron: cron?,
        zone: zone?,
        members: members?,
    }))
}

fn cron(desk: &mut Desk, node: &Yaml) -> Option<Cron> {
    let text = desk.text(node, "`cron`")?;
    Cron::parse(&text)
        .map_err(|message| {
            let help = "write minute, hour, day, month and weekday: `'0 9 * * mon'`";
            desk.advise("bad_cron", node.span.clone(), message, help);
        })
        .ok()
}

/// Reads the name of a zone.
fn zone_of(desk: &mut Desk, node: &Yaml, text: &str) -> Option<Zone> {
    let zone = Zone::parse(text);
    if zone.is_none() {
        let message = format!("`{text}` is not a time zone");
        let help = "write `customer`, or a zone of tzdata: `Europe/Berlin`";
        desk.advise("bad_zone", node.span.clone(), message, help);
    }
    zone
}

/// Reads `{ event: X, for: 7d, after: { event: Y, where: .. } }`; without `after` the silence of X itself.
fn absence(desk: &mut Desk, node: &Yaml) -> Option<On> {
    let fields = desk.fields(node, "`absent`", &["event", "where", "for", "after"], &[])?;
    let event = desk
        .need(&fields, "event")
        .and_then(|node| desk.event(node));
    let filter = desk.about(event.as_ref(), |desk| {
        desk.conditions(fields.get("where"), WATCHES)
    });
    let length = desk
        .need(&fields, "for")
        .and_then(|node| desk.duration(node, "`for`", true));
    let after = match fields.get("after") {
        Some(node) => Some(trigger(desk, node, ENTERS)?),
        None => None,
    };
    let event = crate::policy::journey::Trigger {
        event: event?,
        filter,
    };
    Some(On::Absence(Absence {
        after: after.unwrap_or_else(|| event.clone()),
        length: length?,
        event,
    }))
}

/// What may follow a run, or go beside it.
struct Again {
    reentry: Reentry,
    concurrent: Option<u32>,
}

impl Default for Again {
    fn default() -> Self {
        Self {
            reentry: Reentry::Always,
            concurrent: None,
        }
    }
}

/// Reads `never`, `always`, `{ after_exit: 1d }`, `{ concurrent: 3 }` or `concurrent up to 3 by key`.
fn reentry(desk: &mut Desk, node: &Yaml) -> Option<Again> {
    if let Content::Map(_) = node.content {
        let fields = desk.fields(node, "`reentry`", &["after_exit", "concurrent"], &[])?;
        if !fields.has("concurrent") {
            desk.need(&fields, "after_exit");
        }
        let gap = match fields.get("after_exit") {
            Some(gap) => Reentry::AfterExit(desk.duration(gap, "`after_exit`", false)?),
            None => Reentry::Always,
        };
        let concurrent = match fields.get("concurrent") {
            Some(node) => Some(concurrent(desk, node)?),
            None => None,
        };
        return Some(Again {
            reentry: gap,
            concurrent,
        });
    }
    let text = node.text().map_or("", AsRef::as_ref);
    if text.starts_with("concurrent") {
        let concurrent = Some(concurrent(desk, node)?);
        return Some(Again {
            concurrent,
            ..Again::default()
        });
    }
    let choices = [("never", Reentry::Never), ("always", Reentry::Always)];
    let found = desk.choice(node, "`reentry`", &choices);
    if found.is_none()
        && let Some(last) = desk.problems.last_mut()
    {
        last.help = Some(
            "write `never`, `always`, `{ after_exit: 1d }` or `concurrent up to 3 by key`".into(),
        );
    }
    found.map(|reentry| Again {
        reentry,
        concurrent: None,
    })
}

/// Reads `3`, or `concurrent up to 3 by key`.
fn concurrent(desk: &mut Desk, node: &Yaml) -> Option<u32> {
    let text = desk.text(node, "`concurrent`")?;
    let words = text.strip_prefix("concurrent up to").unwrap_or(&text);
    let number = words.strip_suffix("by key").unwrap_or(words).trim();
    let number = number.parse::<u32>().ok().filter(|n| *n > 0);
    if number.is_none() {
        let message = format!("`{text}` is not a number of runs from 1");
        let help = "write `concurrent up to 3 by key`, or `{ concurrent: 3 }`";
        desk.advise("bad_value", node.span.clone(), message, help);
    }
    number
}
