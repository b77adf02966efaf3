//! Steps with arms: `branch` and `wait_for`.

use std::sync::Arc;

use crate::policy::compile::journey::trigger_of;
use crate::policy::compile::steps::{Flow, Laid, Spot};
use crate::policy::expr::{Expr, Scope, Site};
use crate::policy::journey::{Act, Awaited};
use crate::policy::yaml::{Content, Yaml};

/// The arms of one step while they are laid: each sees the results of the steps before, and all of theirs are seen behind.
pub struct Fork<'a> {
    spot: Spot<'a>,
    before: Vec<Arc<str>>,
    after: Vec<Arc<str>>,
    /// Whether nobody comes out of any arm so far.
    pub ends: bool,
}

impl<'a> Fork<'a> {
    /// Begins before the first arm.
    pub fn new(flow: &Flow<'_>, spot: Spot<'a>) -> Self {
        let (before, after) = (flow.locals.clone(), flow.locals.clone());
        Self {
            spot,
            before,
            after,
            ends: true,
        }
    }

    /// Lays the steps of an arm and returns the first one; without any, people go on behind.
    ///
    /// - `name`: the arm's part of the labels, `branch.0`.
    pub fn lay(&mut self, flow: &mut Flow<'_>, steps: Option<&Yaml>, name: &str) -> Option<usize> {
        let prefix = format!("{}.{name}.", self.spot.label);
        let goes_on = Laid {
            first: self.spot.next,
            ends: false,
        };
        let laid = steps.map_or(goes_on, |steps| then(flow, steps, &prefix, self.spot));
        self.ends &= laid.ends;
        let new = flow.locals.iter().filter(|it| !self.after.contains(it));
        let new: Vec<Arc<str>> = new.cloned().collect();
        self.after.extend(new);
        flow.locals.clone_from(&self.before);
        laid.first
    }

    /// Ends behind the last arm; tells if nobody comes out.
    pub fn close(self, flow: &mut Flow<'_>) -> bool {
        flow.locals = self.after;
        self.ends
    }
}

fn then(flow: &mut Flow<'_>, node: &Yaml, prefix: &str, spot: Spot<'_>) -> Laid {
    let items = match &node.content {
        Content::List(items) => items.as_slice(),
        Content::Scalar(scalar) if scalar.text.as_ref() == "next" => {
            return Laid {
                first: spot.next,
                ends: false,
            };
        }
        Content::Scalar(_) | Content::Map(_) | Content::Broken => std::slice::from_ref(node),
    };
    flow.lay(items, node, prefix, spot.next, spot.depth + 1)
}

/// Compiles a branch; returns it and whether nobody goes on behind it.
pub fn branch(flow: &mut Flow<'_>, node: &Yaml, spot: Spot<'_>) -> (Option<Act>, bool) {
    let Content::List(items) = &node.content else {
        let help = "write `- when: ..` with `then: ..`, and `- otherwise: ..` at its end";
        flow.desk
            .wrong_type(node, "`branch` is a list of arms", help);
        return (None, false);
    };
    let mut fork = Fork::new(flow, spot);
    let mut arms = Vec::new();
    let mut otherwise = spot.next;
    let mut closed = false;
    for (k, item) in items.iter().enumerate() {
        if closed {
            let message = "this arm can never be reached: `otherwise` stands before it";
            let help = "let `otherwise` be the last arm";
            flow.desk
                .advise("unreachable", item.span.clone(), message, help);
        }
        let (when, steps) = arm(flow, item);
        let first = fork.lay(flow, steps, &format!("branch.{k}"));
        closed |= item.entry("otherwise").is_some();
        if closed {
            otherwise = first;
        }
        arms.extend(when.map(|when| (when, first)));
    }
    if arms.is_empty() && !items.iter().any(|item| item.entry("when").is_some()) {
        let help = "write at least one arm: `- when: ..` with `then: ..`";
        let message = "the branch has no condition";
        flow.desk
            .advise("missing_value", node.span.clone(), message, help);
    }
    if !closed && let Some(last) = items.last() {
        no_otherwise(flow, last);
    }
    let ends = fork.close(flow) && closed;
    (Some(Act::Branch { arms, otherwise }), ends)
}

fn no_otherwise(flow: &mut Flow<'_>, last: &Yaml) {
    let key = last.entries().and_then(<[_]>::first);
    let span = key.map_or_else(|| last.span.clone(), |(key, _)| key.span.clone());
    let help = "add `- otherwise: next` if that is meant, or `- otherwise: stop`";
    let message =
        "the branch has no `otherwise`: who fits no arm, or is unknown, goes on behind it";
    flow.desk.warn("missing_otherwise", span, message, help);
}

/// Reads an arm of a branch: its condition, unless it is `otherwise`, and its steps.
fn arm<'y>(flow: &mut Flow<'_>, item: &'y Yaml) -> (Option<Expr>, Option<&'y Yaml>) {
    if item.entry("otherwise").is_some() {
        let fields = flow.desk.fields(item, "the last arm", &["otherwise"], &[]);
        return (None, fields.and_then(|fields| fields.get("otherwise")));
    }
    let known = ["when", "then"];
    let Some(fields) = flow.desk.fields(item, "an arm", &known, &["probability"]) else {
        return (None, None);
    };
    let scope = Scope {
        site: Site::Step,
        locals: &flow.locals.clone(),
    };
    let when = flow.desk.need(&fields, "when");
    let when = when.and_then(|when| flow.desk.condition(when, scope));
    (when, flow.desk.need(&fields, "then"))
}

/// Compiles a `wait_for`; returns it and whether nobody goes on behind it.
pub fn wait_for(flow: &mut Flow<'_>, node: &Yaml, spot: Spot<'_>) -> (Option<Act>, bool) {
    let known = ["arms", "within", "rank", "otherwise"];
    let Some(fields) = flow.desk.fields(node, "`wait_for`", &known, &[]) else {
        return (None, false);
    };
    let within = flow.desk.need(&fields, "within");
    let within = within.and_then(|node| flow.desk.duration(node, "`within`", true));
    let choices = [("true", true), ("false", false)];
    let rank = match fields.get("rank") {
        Some(node) => flow.desk.choice(node, "`rank`", &choices),
        None => Some(false),
    };
    let arms_node = flow.desk.need(&fields, "arms");
    let mut fork = Fork::new(flow, spot);
    let arms = arms_node.and_then(|node| awaited(flow, &mut fork, node));
    let otherwise = fields.get("otherwise");
    let otherwise = fork.lay(flow, otherwise, "wait_for.otherwise");
    let ends = fork.close(flow);
    let act = || {
        Some(Act::WaitFor {
            arms: arms?,
            within: within?,
            rank: rank?,
            otherwise,
        })
    };
    (act(), ends)
}

fn awaited(flow: &mut Flow<'_>, fork: &mut Fork<'_>, node: &Yaml) -> Option<Vec<Awaited>> {
    let help = "write `- event: ..` with `where: ..` and `then: ..`";
    let Content::List(items) = &node.content else {
        flow.desk
            .wrong_type(node, "`arms` is a list of events to wait for", help);
        return None;
    };
    if items.is_empty() {
        let message = "there is nothing to wait for";
        flow.desk
            .advise("missing_value", node.span.clone(), message, help);
    }
    let mut arms = Vec::new();
    for (k, item) in items.iter().enumerate() {
        let known = ["event", "where", "then"];
        let fields = flow.desk.fields(item, "an arm", &known, &[])?;
        let scope = Scope {
            site: Site::Watch,
            locals: &flow.locals,
        };
        let trigger = trigger_of(flow.desk, &fields, scope);
        let first = fork.lay(flow, fields.get("then"), &format!("wait_for.{k}"));
        arms.extend(trigger.map(|trigger| Awaited { trigger, first }));
    }
    Some(arms)
}
