//! A test written as a document.

use std::fmt::Write as _;

use crate::cli::test::yaml::{entry, plain, scalar};
use crate::domain::event::Kind;
use crate::domain::{Event, Value};
use crate::policy::test::{Check, Customer, Entry, Happening, Script, Test};

/// Writes a test; reading it gives the same test again.
pub fn document(of: &Test) -> String {
    let mut out = format!("test: {}\n", scalar(&of.name));
    // INVARIANT: writing to a string does not fail.
    if let Some(journey) = &of.journey {
        let _ = writeln!(out, "journey: {}", scalar(journey));
    }
    let _ = writeln!(out, "start: {}", of.start);
    let _ = writeln!(out, "customer: {{ {} }}", customer(&of.customer));
    if of.held_out {
        out.push_str("holdout: in\n");
    }
    if !of.dealt.is_empty() {
        let dealt = of.dealt.iter();
        let dealt = dealt.map(|(step, arm)| format!("{}: {}", scalar(step), scalar(arm)));
        let _ = writeln!(out, "split: {{ {} }}", join(dealt));
    }
    if !of.models.is_empty() {
        let models = of.models.iter();
        let models = models.map(|(name, says)| format!("{}: {}", scalar(name), script(says)));
        let _ = writeln!(out, "models: {{ {} }}", join(models));
    }
    out.push_str("timeline:\n");
    for entry in &of.timeline {
        let _ = writeln!(out, "  - {{ {} }}", join(line(of, entry)));
    }
    out
}

fn customer(of: &Customer) -> String {
    let mut parts = vec![format!("id: {}", scalar(of.id.as_str()))];
    if !of.traits.is_empty() {
        parts.push(format!("traits: {}", plain(&Value::Map(of.traits.clone()))));
    }
    if of.consent != Value::Null {
        parts.push(format!("consent: {}", plain(&of.consent)));
    }
    if let Some(channels) = &of.reachable {
        let names = join(channels.iter().map(|name| scalar(name)));
        let names = if channels.is_empty() {
            "none".into()
        } else {
            format!("[{names}]")
        };
        parts.push(format!("reachable: {names}"));
    }
    parts.join(", ")
}

fn script(of: &Script) -> String {
    match of {
        Script::Score(score) => score.to_string(),
        Script::Unknown => "unknown".into(),
        Script::Real => "real".into(),
        Script::Offers(scores) => {
            let scores = scores.iter();
            let scores = scores.map(|(offer, score)| format!("{}: {score}", scalar(offer)));
            format!("{{ {} }}", join(scores))
        }
    }
}

fn line(test: &Test, of: &Entry) -> impl Iterator<Item = String> {
    let mut parts = vec![format!("at: {}", of.at)];
    match &of.what {
        None => {}
        Some(Happening::Event(event)) => {
            parts.extend(event_parts(event));
            let late = (test.start + of.at).since(event.at);
            if late.as_millis() > 0 {
                parts.push(format!("late: {late}"));
            }
        }
        Some(Happening::Ask {
            placement,
            name,
            context,
            limit,
            ..
        }) => {
            parts.push(format!("decide: {}", scalar(placement)));
            parts.extend(name.iter().map(|name| format!("as: {}", scalar(name))));
            parts.extend(data("context", context));
            parts.extend(limit.map(|limit| format!("limit: {limit}")));
        }
    }
    if !of.expect.is_empty() {
        let checks = of.expect.iter().map(|check| wanted(test, check));
        parts.push(format!("expect: {{ {} }}", join(checks)));
    }
    parts.into_iter()
}

fn event_parts(event: &Event) -> Vec<String> {
    let empty = Value::Map(crate::domain::Map::default());
    let own = |data: &Value| plain(if *data == Value::Null { &empty } else { data });
    let mut parts = match event.kind {
        Kind::Track => vec![format!("event: {}", scalar(&event.name))],
        Kind::Identify => vec![format!("identify: {}", own(&event.traits))],
        Kind::Page | Kind::Screen | Kind::Group | Kind::Alias => {
            vec![format!(
                "{}: {}",
                event.kind.as_str(),
                own(&event.properties)
            )]
        }
    };
    if event.kind == Kind::Track {
        parts.extend(data("properties", &event.properties));
    }
    parts.extend(data("context", &event.context));
    parts
}

fn data(key: &str, value: &Value) -> Option<String> {
    (*value != Value::Null).then(|| format!("{key}: {}", plain(value)))
}

fn wanted(test: &Test, check: &Check) -> String {
    match &check.journey {
        Some(journey) if test.journey.as_ref() != Some(journey) => {
            format!("journey: {}, {}", scalar(journey), entry(&check.wanted))
        }
        Some(_) | None => entry(&check.wanted),
    }
}

fn join(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}
