//! `limits:` and `channels:`.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::domain::Duration;
use crate::policy::compile::Names;
use crate::policy::compile::desk::Desk;
use crate::policy::compile::quiet;
use crate::policy::limits::{ALL, Channel, Limit, Limits, Unit, Window};
use crate::policy::yaml::{Content, Yaml};

/// The most a cap may allow: what it counts is kept in the profile.
const N_MAX: u32 = 1_000;
/// The longest window of a cap.
const WINDOW_MAX: Duration = Duration::from_secs(366 * 86_400);
const HELP: &str = "write how many in which time: `3 per 7d`, `{ cap: 3 per day, window: calendar }`, or `0` for none";

/// Compiles the limits and channels of a document.
pub fn compile(desk: &mut Desk, names: &Names, root: &Yaml, limits: &mut Limits) {
    for (key, node) in section(desk, root, "limits") {
        let is_quiet = key.text().is_some_and(|key| key.as_ref() == quiet::KEY);
        if is_quiet {
            if desk.declare("limit", &quiet::KEY.into(), key) {
                limits.quiet = quiet::compile(desk, node);
            }
            continue;
        }
        let Some(name) = desk.name(key, "a channel") else {
            continue;
        };
        if name.as_ref() != ALL {
            refer(desk, names, key, &name);
        }
        let caps = caps(desk, node);
        if desk.declare("limit", &name, key) {
            limits.caps.insert(name, caps);
        }
    }
    for (key, node) in section(desk, root, "channels") {
        let Some(name) = desk.name(key, "a channel") else {
            continue;
        };
        let channel = channel(desk, &name, node);
        if desk.declare("channel", &name, key) {
            limits
                .channels
                .extend(channel.map(|channel| (name, channel)));
        }
    }
}

/// Returns the channels that documents name: those of every `send`, and those that are declared.
pub fn channels(node: &Yaml, found: &mut BTreeSet<Arc<str>>) {
    match &node.content {
        Content::Map(entries) => {
            for (key, value) in entries {
                match key.text().map(AsRef::as_ref) {
                    Some("send") => {
                        let channel = value
                            .entry("channel")
                            .and_then(|(_, channel)| channel.text());
                        found.extend(channel.cloned());
                    }
                    Some("channels") => {
                        let declared = value.entries().unwrap_or_default().iter();
                        found.extend(declared.filter_map(|(name, _)| name.text().cloned()));
                    }
                    Some(_) | None => channels(value, found),
                }
            }
        }
        Content::List(items) => items.iter().for_each(|item| channels(item, found)),
        Content::Scalar(_) | Content::Broken => {}
    }
}

fn refer(desk: &mut Desk, names: &Names, key: &Yaml, name: &str) {
    let own = Limits::ADDRESSES.iter().map(|(channel, _)| *channel);
    let known: BTreeSet<&str> = names
        .channels
        .iter()
        .map(AsRef::as_ref)
        .chain(own)
        .chain([ALL])
        .collect();
    desk.refer(key, "channel", name, known.iter().copied());
}

fn section<'y>(desk: &mut Desk, root: &'y Yaml, key: &str) -> &'y [(Yaml, Yaml)] {
    let Some((_, node)) = root.entry(key).filter(|(_, node)| !node.is_nothing()) else {
        return &[];
    };
    let Some(entries) = node.entries() else {
        let help = format!("write `{key}: {{ email: .. }}`");
        desk.wrong_type(node, &format!("`{key}` is a map by channel"), &help);
        return &[];
    };
    entries
}

/// Reads one cap or a list of them; all of a list hold.
fn caps(desk: &mut Desk, node: &Yaml) -> Vec<Limit> {
    let items = match &node.content {
        Content::List(items) => items.as_slice(),
        Content::Scalar(_) | Content::Map(_) | Content::Broken => std::slice::from_ref(node),
    };
    if items.is_empty() {
        desk.advise(
            "missing_value",
            node.span.clone(),
            "the list of caps is empty",
            HELP,
        );
    }
    items.iter().filter_map(|item| cap(desk, item)).collect()
}

fn cap(desk: &mut Desk, node: &Yaml) -> Option<Limit> {
    let place = desk.place(node);
    if !matches!(node.content, Content::Map(_)) {
        let text = desk.text(node, "a cap")?;
        let (n, window) = read(desk, node, &text, None)?;
        return Some(Limit {
            n,
            window,
            text,
            place,
        });
    }
    let fields = desk.fields(node, "a cap", &["cap", "window"], &[])?;
    let choices = [("sliding", false), ("calendar", true)];
    let calendar = fields
        .get("window")
        .map(|node| desk.choice(node, "window", &choices));
    let cap = desk.need(&fields, "cap")?;
    let text = desk.text(cap, "`cap`")?;
    let calendar = calendar.map_or(Some(false), |calendar| calendar)?;
    let (n, window) = read(desk, cap, &text, Some(calendar))?;
    let text = if calendar {
        format!("{text} (calendar)").into()
    } else {
        text
    };
    Some(Limit {
        n,
        window,
        text,
        place,
    })
}

/// Reads `3 per 7d`, `3 per calendar week` or `0`.
///
/// - `calendar`: what a `window:` beside it says.
fn read(desk: &mut Desk, node: &Yaml, text: &str, calendar: Option<bool>) -> Option<(u32, Window)> {
    let (n, per) = text
        .split_once(" per ")
        .map_or((text, None), |(n, per)| (n, Some(per.trim())));
    let n = n.trim().parse::<u32>().ok();
    let window = match per {
        None if n == Some(0) => Some(Window::Sliding(Duration::from_millis(1))),
        None => None,
        Some(per) => match (per.strip_prefix("calendar "), calendar) {
            (Some(unit), None | Some(true)) => unit_of(unit.trim()).map(Window::Calendar),
            (None, Some(true)) => unit_of(per).map(Window::Calendar),
            (None, None | Some(false)) => length_of(per).map(Window::Sliding),
            (Some(_), Some(false)) => None,
        },
    };
    let Some((n, window)) = n.zip(window) else {
        desk.advise(
            "bad_value",
            node.span.clone(),
            format!("`{text}` is not a cap"),
            HELP,
        );
        return None;
    };
    if n > N_MAX {
        let message = format!("a cap of {n} is more than anybody is written to");
        let help = format!(
            "write at most {N_MAX}, or leave the cap out: without one a channel is unlimited"
        );
        desk.advise("bad_value", node.span.clone(), message, help);
        return None;
    }
    Some((n, window))
}

fn unit_of(text: &str) -> Option<Unit> {
    Some(match text {
        "day" | "1d" => Unit::Day,
        "week" | "1w" | "7d" => Unit::Week,
        "month" => Unit::Month,
        _ => return None,
    })
}

fn length_of(text: &str) -> Option<Duration> {
    let length = match text {
        "hour" => Duration::from_secs(3_600),
        "day" => Duration::from_secs(86_400),
        "week" => Duration::from_secs(7 * 86_400),
        text => Duration::parse(text).ok()?,
    };
    (length.as_millis() > 0 && length <= WINDOW_MAX).then_some(length)
}

fn channel(desk: &mut Desk, name: &str, node: &Yaml) -> Option<Channel> {
    let fields = desk.fields(
        node,
        &format!("channel `{name}`"),
        &["about", "address", "consent"],
        &[],
    )?;
    let mut channel = Channel::of(name);
    if let Some(node) = fields.get("about") {
        channel.about = desk.text(node, "`about`");
    }
    if let Some(node) = fields.get("address") {
        channel.address = address(desk, node)?;
    }
    if let Some(node) = fields.get("consent") {
        let choices = [("required", true), ("not_required", false)];
        channel.asks_consent = desk.choice(node, "`consent`", &choices)?;
    }
    Some(channel)
}

/// Reads the path of a trait, or `none`.
fn address(desk: &mut Desk, node: &Yaml) -> Option<Vec<Arc<str>>> {
    let text = desk.text(node, "`address`")?;
    if text.as_ref() == "none" {
        return Some(Vec::new());
    }
    let below = text.strip_prefix("profile.").unwrap_or(&text);
    let below = below.strip_prefix("traits.").unwrap_or(below);
    let word = |part: &str| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| c.is_alphanumeric() || "_-".contains(c))
    };
    if below.split('.').all(word) {
        return Some(below.split('.').map(Arc::from).collect());
    }
    let help = "write the path of a trait, `traits.email`, or `none` where the channel finds the address itself";
    desk.advise(
        "bad_name",
        node.span.clone(),
        format!("`{text}` is not the path of a trait"),
        help,
    );
    None
}
