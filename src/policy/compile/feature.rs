//! `features:`: behavioural state by name.

use std::sync::Arc;

use crate::policy::compile::desk::{Desk, list};
use crate::policy::compile::fields::Fields;
use crate::policy::expr::{Expr, Scope, Site, read_window};
use crate::policy::feature::{Feature, Fold, Window};
use crate::policy::registry::identity;
use crate::policy::yaml::{Content, Yaml};

const FOLDS: [&str; 6] = ["count", "sum", "first", "last", "distinct", "dwell"];
const KEYS: [&str; 10] = [
    "count", "sum", "first", "last", "distinct", "dwell", "of", "where", "window", "about",
];
const SCOPE: Scope<'static> = Scope {
    site: Site::Feature,
    locals: &[],
};

/// Compiles a map of features into the registry.
pub fn compile_all(desk: &mut Desk, node: &Yaml) {
    let Some(entries) = node.entries() else {
        let help = "write `features: {NAME: {count: EVENT}}`";
        desk.wrong_type(node, "`features` is a map of features by name", help);
        return;
    };
    for (key, definition) in entries {
        let Some(name) = desk.name(key, "a feature") else {
            continue;
        };
        let before = desk.registry.named(&name);
        let after = compile(desk, &name, key, definition).map(|feature| desk.registry.add(feature));
        if after.is_none() {
            // A broken feature keeps its name, so that nobody is told that it does not exist.
            desk.registry.declare_broken(&name);
        }
        // The same definition may stand in several manifests.
        if before.is_none() || before != desk.registry.named(&name) {
            desk.declare("feature", &name, key);
        }
    }
}

fn compile(desk: &mut Desk, name: &Arc<str>, key: &Yaml, node: &Yaml) -> Option<Feature> {
    let what = format!("feature `{name}`");
    let fields = desk.fields(node, &what, &KEYS, &["default", "max"])?;
    let kinds: Vec<&str> = FOLDS.into_iter().filter(|fold| fields.has(fold)).collect();
    let [kind] = kinds.as_slice() else {
        let message = format!("{what} folds {} instead of one", kinds.len());
        let help = format!("write exactly one of {}", list(&FOLDS));
        desk.advise("bad_value", key.span.clone(), message, help);
        return None;
    };
    let (event, of) = event_and_property(desk, &fields, kind);
    let filter = desk.about(event.as_ref(), |desk| {
        desk.conditions(fields.get("where"), SCOPE)
    });
    let window = window(desk, fields.get("window"));
    let fold = fold(desk, key, kind, of.ok()?);
    let (event, window, fold) = (event?, window?, fold?);
    Some(Feature {
        id: identity(&event, &filter, &fold, window),
        name: Some(name.clone()),
        fold,
        event,
        filter,
        window,
        place: desk.place(key),
    })
}

/// An expression that was reported.
struct Broken;

/// Reads `sum: EVENT` with `of` beside it, or `sum: {event, of}`; the second part is an error if it is broken.
fn event_and_property(
    desk: &mut Desk,
    fields: &Fields<'_>,
    kind: &str,
) -> (Option<Arc<str>>, Result<Option<Expr>, Broken>) {
    let Some(node) = fields.get(kind) else {
        return (None, Ok(None));
    };
    let mut of = fields.get("of");
    let mut event = Some(node);
    if matches!(node.content, Content::Map(_)) {
        let what = format!("`{kind}`");
        let inner = desk.fields(node, &what, &["event", "of"], &[]);
        event = inner.as_ref().and_then(|inner| desk.need(inner, "event"));
        of = inner.as_ref().and_then(|inner| inner.get("of")).or(of);
    }
    let event = event.and_then(|event| desk.event(event));
    let of = match of {
        None => Ok(None),
        Some(of) => desk
            .about(event.as_ref(), |desk| desk.expr(of, SCOPE))
            .map(Some)
            .ok_or(Broken),
    };
    (event, of)
}

fn fold(desk: &mut Desk, key: &Yaml, kind: &str, of: Option<Expr>) -> Option<Fold> {
    match (kind, of) {
        ("sum", Some(of)) => Some(Fold::Sum(of)),
        ("distinct", Some(of)) => Some(Fold::Distinct(of)),
        ("first", of) => Some(Fold::First(of)),
        ("last", of) => Some(Fold::Last(of)),
        ("count", None) => Some(Fold::Count),
        ("dwell", None) => Some(Fold::Dwell),
        (kind, Some(_)) => {
            let message = format!("`{kind}` takes no `of`");
            let help = "remove `of`; `sum`, `first`, `last` and `distinct` take one";
            desk.advise("bad_value", key.span.clone(), message, help);
            None
        }
        (kind, None) => {
            let message = format!("`of` is missing: `{kind}` needs an expression over the event");
            let help = format!("write `{kind}: EVENT` and `of: event.properties.price`");
            desk.advise("missing_key", key.span.clone(), message, help);
            None
        }
    }
}

fn window(desk: &mut Desk, node: Option<&Yaml>) -> Option<Window> {
    let Some(node) = node else {
        return Some(Window::Lifetime);
    };
    let text = desk.text(node, "a window")?;
    read_window(&text)
        .map_err(|message| {
            let help = "write `lifetime`, `session` or a length of time: `7d`";
            desk.advise("bad_duration", node.span.clone(), message, help);
        })
        .ok()
}
