//! What a single step does.

use std::sync::Arc;

use crate::policy::compile::desk::Desk;
use crate::policy::compile::journey::{CLASSES, trigger};
use crate::policy::compile::quiet;
use crate::policy::compile::steps::Flow;
use crate::policy::expr::shape::Shape;
use crate::policy::expr::{Expr, Scope, Site};
use crate::policy::journey::{Act, OnBlock, Send, Trigger};
use crate::policy::limits;
use crate::policy::yaml::{Content, Yaml};

const SEND_KEYS: [&str; 7] = [
    "channel",
    "template",
    "with",
    "class",
    "purpose",
    "quiet_hours",
    "on_block",
];
const SEND_LATER: [&str; 3] = ["to", "limit", "zone"];
const ON_BLOCK: [(&str, OnBlock); 3] = [
    ("next", OnBlock::Next),
    ("exit", OnBlock::Exit),
    ("retry_at_release", OnBlock::Retry),
];

/// Compiles a step by its name; those that wait or have arms have files of their own.
pub fn compile(flow: &mut Flow<'_>, name: &str, node: &Yaml) -> Option<Act> {
    match name {
        "hold_until" => hold_until(flow, node),
        "score" => score(flow, node),
        "offer" => offer(flow, node),
        "send" => send(flow, node),
        "set" => set(flow, node),
        _ => stop(flow.desk, name, node),
    }
}

fn hold_until(flow: &mut Flow<'_>, node: &Yaml) -> Option<Act> {
    let fields = flow.desk.fields(
        node,
        "`hold_until`",
        &["quiet", "of", "max"],
        &["until", "zone"],
    )?;
    let quiet = flow.desk.need(&fields, "quiet");
    let quiet = quiet.and_then(|node| flow.desk.duration(node, "`quiet`", true));
    let max = fields
        .get("max")
        .map(|node| flow.desk.duration(node, "`max`", true));
    let max = max.map_or(Some(None), |max| max.map(Some));
    let of = match fields.get("of") {
        Some(node) => triggers(flow, node),
        None => flow.event.iter().map(|event| entry_event(event)).collect(),
    };
    let (quiet, max) = (quiet?, max?);
    if let (Some(longest), Some(node)) = (max, fields.get("max"))
        && longest < quiet
    {
        let message = format!(
            "`max` {longest} is shorter than `quiet` {quiet}: nobody is ever quiet long enough"
        );
        flow.desk.advise(
            "bad_value",
            node.span.clone(),
            message,
            "let `max` be the longer one",
        );
    }
    Some(Act::HoldUntil { quiet, of, max })
}

fn entry_event(event: &Arc<str>) -> Trigger {
    Trigger {
        event: event.clone(),
        filter: Vec::new(),
    }
}

fn triggers(flow: &mut Flow<'_>, node: &Yaml) -> Vec<Trigger> {
    let items = match &node.content {
        Content::List(items) => items.as_slice(),
        Content::Scalar(_) | Content::Map(_) | Content::Broken => std::slice::from_ref(node),
    };
    if items.is_empty() {
        flow.desk.report(
            "missing_value",
            node.span.clone(),
            "the list of events is empty",
        );
    }
    let scope = Scope {
        site: Site::Watch,
        locals: &flow.locals,
    };
    let desk = &mut *flow.desk;
    items
        .iter()
        .filter_map(|item| trigger(desk, item, scope))
        .collect()
}

fn score(flow: &mut Flow<'_>, node: &Yaml) -> Option<Act> {
    let fields = flow
        .desk
        .fields(node, "`score`", &["model", "as"], &["timeout"])?;
    let model_node = flow.desk.need(&fields, "model");
    let model = model_node.and_then(|node| flow.desk.text(node, "the name of a model"));
    let bind = flow
        .desk
        .need(&fields, "as")
        .and_then(|node| flow.desk.local(node));
    flow.bind(bind.as_ref(), Shape::Number);
    let (model, model_node) = (model?, model_node?);
    let models = &flow.names.models;
    let known = models.keys().map(AsRef::as_ref);
    if flow.desk.refer(model_node, "model", &model, known) && models.get(&model) == Some(&true) {
        let message =
            format!("model `{model}` looks at `offer`, and there is none at a `score` step");
        let help = "use it as the `model` of a placement or an offer";
        flow.desk
            .advise("not_at_hand", model_node.span.clone(), message, help);
    }
    Some(Act::Score { model, bind: bind? })
}

fn offer(flow: &mut Flow<'_>, node: &Yaml) -> Option<Act> {
    let fields = flow
        .desk
        .fields(node, "`offer`", &["placement", "as"], &["context", "limit"])?;
    let placement_node = flow.desk.need(&fields, "placement");
    let placement = placement_node.and_then(|node| flow.desk.text(node, "the name of a placement"));
    let bind = flow
        .desk
        .need(&fields, "as")
        .and_then(|node| flow.desk.local(node));
    flow.bind(bind.as_ref(), Shape::Any);
    let (placement, placement_node) = (placement?, placement_node?);
    let known = flow.names.placements.iter().map(AsRef::as_ref);
    flow.desk
        .refer(placement_node, "placement", &placement, known);
    Some(Act::Offer {
        placement,
        bind: bind?,
    })
}

fn send(flow: &mut Flow<'_>, node: &Yaml) -> Option<Act> {
    let fields = flow.desk.fields(node, "`send`", &SEND_KEYS, &SEND_LATER)?;
    let channel = flow.desk.need(&fields, "channel");
    let channel = channel.and_then(|node| channel_of(flow.desk, node));
    let template = flow.desk.need(&fields, "template");
    let template = template.and_then(|node| template_of(flow, node));
    let with = fields
        .get("with")
        .map(|node| pairs(flow, node, "`with`"))
        .unwrap_or_default();
    let desk = &mut *flow.desk;
    let class = fields
        .get("class")
        .map(|node| desk.choice(node, "class", &CLASSES));
    let purpose = fields
        .get("purpose")
        .map(|node| desk.name(node, "a purpose"));
    let quiet = fields.get(quiet::KEY).map(|node| quiet::own(desk, node));
    let on_block = match fields.get("on_block") {
        Some(node) => desk.choice(node, "`on_block`", &ON_BLOCK),
        None => Some(OnBlock::Next),
    };
    Some(Act::Send(Box::new(Send {
        channel: channel?,
        template: template?,
        with,
        class: class.map_or(Some(None), |class| class.map(Some))?,
        purpose: purpose.map_or(Some(None), |purpose| purpose.map(Some))?,
        quiet: quiet.map_or(Some(None), |quiet| quiet.map(Some))?,
        on_block: on_block?,
    })))
}

fn channel_of(desk: &mut Desk, node: &Yaml) -> Option<Arc<str>> {
    let name = desk.name(node, "a channel")?;
    if name.as_ref() != limits::ALL && name.as_ref() != quiet::KEY {
        return Some(name);
    }
    let message = format!("`{name}` cannot be the name of a channel");
    let help = "it has a meaning of its own under `limits:`";
    desk.advise("bad_name", node.span.clone(), message, help);
    None
}

fn template_of(flow: &mut Flow<'_>, node: &Yaml) -> Option<Arc<str>> {
    let name = flow.desk.text(node, "`template`")?;
    if let Some(templates) = &flow.names.templates {
        let known = templates.iter().map(AsRef::as_ref);
        flow.desk.refer(node, "template", &name, known);
    }
    Some(name)
}

fn set(flow: &mut Flow<'_>, node: &Yaml) -> Option<Act> {
    let mut traits = Vec::new();
    for (path, expr) in pairs(flow, node, "`set`") {
        let below = path
            .strip_prefix("profile.traits.")
            .or_else(|| path.strip_prefix("traits."));
        traits.push((below.map_or_else(|| path.clone(), Arc::from), expr));
    }
    let is_path = |path: &str| {
        let word = |part: &str| {
            part.chars()
                .all(|c| c.is_alphanumeric() || c == '_' || c == '-')
        };
        path.split('.').all(|part| !part.is_empty() && word(part)) && !path.starts_with("profile.")
    };
    let span = |path: &str| {
        let entry = node.entry(path);
        entry.map_or_else(|| node.span.clone(), |(key, _)| key.span.clone())
    };
    let is_consent = |path: &str| path == "consent" || path.starts_with("consent.");
    for (path, _) in traits.iter().filter(|(path, _)| is_consent(path)) {
        let help = "consent comes from the customer: by the event `Consent Changed` or by an identify call";
        let message = format!("`{path}` cannot be set by a journey");
        flow.desk.advise("bad_name", span(path), message, help);
    }
    for (path, _) in traits.iter().filter(|(path, _)| !is_path(path)) {
        let span = span(path);
        let help = "write a path below `profile.traits`: `cart.last_nudge: now()`";
        flow.desk.advise(
            "bad_name",
            span,
            format!("`{path}` is not the path of a trait"),
            help,
        );
    }
    (!traits.is_empty()).then_some(Act::Set(traits))
}

/// Reads a map from names to expressions.
fn pairs(flow: &mut Flow<'_>, node: &Yaml, what: &str) -> Vec<(Arc<str>, Expr)> {
    let Some(entries) = node.entries() else {
        let help = "write `name: expression`; a text has its own quotes: `title: \"'Hello'\"`";
        flow.desk
            .wrong_type(node, &format!("{what} is a map of expressions"), help);
        return Vec::new();
    };
    if entries.is_empty() {
        flow.desk.report(
            "missing_value",
            node.span.clone(),
            format!("{what} is empty"),
        );
    }
    let scope = Scope {
        site: Site::Step,
        locals: &flow.locals,
    };
    let desk = &mut *flow.desk;
    let pair = |(key, value): &(Yaml, Yaml)| Some((key.text()?.clone(), desk.expr(value, scope)?));
    entries.iter().filter_map(pair).collect()
}

fn stop(desk: &mut Desk, name: &str, node: &Yaml) -> Option<Act> {
    let reason = if node.is_nothing() {
        "stopped".into()
    } else {
        desk.text(node, &format!("the reason of `{name}`"))?
    };
    Some(Act::Stop { reason })
}
