//! What a single step does.

use std::sync::Arc;

use crate::policy::compile::desk::Desk;
use crate::policy::compile::journey::trigger;
use crate::policy::compile::steps::Flow;
use crate::policy::expr::shape::Shape;
use crate::policy::expr::{Expr, Scope, Site};
use crate::policy::journey::{Act, Trigger};
use crate::policy::yaml::{Content, Yaml};

const SEND_LATER: [&str; 6] = ["quiet_hours", "on_block", "purpose", "to", "limit", "zone"];

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
    let fields = flow.desk.fields(
        node,
        "`send`",
        &["channel", "template", "with"],
        &SEND_LATER,
    )?;
    let channel = flow.desk.need(&fields, "channel");
    let channel = channel.and_then(|node| flow.desk.name(node, "a channel"));
    let template = flow.desk.need(&fields, "template");
    let template = template.and_then(|node| template_of(flow, node));
    let with = fields
        .get("with")
        .map(|node| pairs(flow, node, "`with`"))
        .unwrap_or_default();
    Some(Act::Send {
        channel: channel?,
        template: template?,
        with,
    })
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
    for (path, _) in traits.iter().filter(|(path, _)| !is_path(path)) {
        let span = node
            .entry(path)
            .map_or_else(|| node.span.clone(), |(key, _)| key.span.clone());
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
