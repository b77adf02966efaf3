//! `steps:`: a tree as it is written, laid flat.

use std::sync::Arc;

use crate::policy::compile::desk::{Desk, list};
use crate::policy::compile::{Names, act};
use crate::policy::expr::shape::Shape;
use crate::policy::expr::{Expr, Scope, Site};
use crate::policy::journey::{Act, Step};
use crate::policy::suggest;
use crate::policy::yaml::{Content, Yaml};

/// The most steps of a journey.
const STEPS_MAX: usize = 500;
/// The deepest nesting of branches.
const DEPTH_MAX: usize = 16;

/// Steps that exist.
pub const KNOWN: [&str; 9] = [
    "wait",
    "hold_until",
    "score",
    "branch",
    "offer",
    "send",
    "set",
    "stop",
    "exit",
];
/// Steps that are known and not there yet.
const LATER: [&str; 4] = ["wait_for", "split", "enroll", "webhook"];

/// Compiles the steps of a journey; the first one has index 0.
///
/// - `event`: the event that enters, if it is known.
pub fn compile(desk: &mut Desk, names: &Names, event: Option<&Arc<str>>, node: &Yaml) -> Vec<Step> {
    let mut flow = Flow {
        desk,
        names,
        event,
        steps: Vec::new(),
        locals: Vec::new(),
    };
    if let Content::List(items) = &node.content {
        flow.lay(items, node, "", None, 0);
    } else {
        let help = "write every step behind a `- `";
        flow.desk.wrong_type(node, "`steps` is a list", help);
    }
    flow.steps.into_iter().flatten().collect()
}

/// A journey's steps while they are laid flat.
pub struct Flow<'a> {
    /// Takes problems.
    pub desk: &'a mut Desk,
    /// What steps refer to.
    pub names: &'a Names,
    /// The event that enters.
    pub event: Option<&'a Arc<str>>,
    steps: Vec<Option<Step>>,
    /// Results of the steps before.
    pub locals: Vec<Arc<str>>,
}

/// A list of steps that was laid.
struct Laid {
    first: Option<usize>,
    /// Whether nobody comes out at its end.
    ends: bool,
}

impl Flow<'_> {
    /// Makes the result of a step known to the steps behind it.
    pub fn bind(&mut self, name: Option<&Arc<str>>, shape: Shape) {
        if let Some(name) = name {
            self.locals.push(name.clone());
            self.desk.bind(name, shape);
        }
    }

    /// Lays a list in one piece, then the arms of its branches behind it.
    fn lay(
        &mut self,
        items: &[Yaml],
        around: &Yaml,
        prefix: &str,
        after: Option<usize>,
        depth: usize,
    ) -> Laid {
        if items.is_empty() {
            let message = "there are no steps here";
            self.desk.advise(
                "missing_value",
                around.span.clone(),
                message,
                "write at least one, for example `- stop`",
            );
        }
        if !self.fits(items, around, depth) {
            return Laid {
                first: after,
                ends: false,
            };
        }
        let start = self.steps.len();
        self.steps.resize_with(start + items.len(), || None);
        let mut ends = false;
        for (k, item) in items.iter().enumerate() {
            if ends {
                self.unreachable(item);
                break;
            }
            let label = format!("{prefix}{k}");
            let next = if k + 1 < items.len() {
                Some(start + k + 1)
            } else {
                after
            };
            let (act, stops) = self.step(item, &label, next, depth);
            ends = stops;
            let place = self.desk.place(item);
            self.steps[start + k] = act.map(|act| Step {
                label: label.into(),
                act,
                next,
                place,
            });
        }
        Laid {
            first: Some(start),
            ends,
        }
    }

    fn fits(&mut self, items: &[Yaml], around: &Yaml, depth: usize) -> bool {
        let message = if depth > DEPTH_MAX {
            format!("branches are nested deeper than {DEPTH_MAX} levels")
        } else if self.steps.len() + items.len() > STEPS_MAX {
            format!("the journey has more than {STEPS_MAX} steps")
        } else {
            return !items.is_empty();
        };
        let span = around.span.start..around.span.start + 1;
        self.desk
            .advise("too_large", span, message, "split the journey");
        false
    }

    fn unreachable(&mut self, item: &Yaml) {
        let help = "remove it, or let the step before it go on";
        let message = "this step can never be reached: everybody has left before it";
        self.desk
            .advise("unreachable", item.span.clone(), message, help);
    }

    /// Compiles one step; returns it and whether nobody goes on behind it.
    fn step(
        &mut self,
        item: &Yaml,
        label: &str,
        next: Option<usize>,
        depth: usize,
    ) -> (Option<Act>, bool) {
        match &item.content {
            Content::Scalar(scalar) if scalar.text.as_ref() == "stop" => {
                let reason = "stopped".into();
                (Some(Act::Stop { reason }), true)
            }
            Content::Map(entries) => {
                if let [(key, value)] = entries.as_slice() {
                    return self.keyed(key, value, label, next, depth);
                }
                self.odd_map(item, entries);
                (None, false)
            }
            Content::Scalar(scalar) => {
                self.unknown_step(item, &scalar.text);
                (None, false)
            }
            Content::List(_) | Content::Broken => {
                self.desk
                    .wrong_type(item, "a step is a map with one key", "write `- wait: 20h`");
                (None, false)
            }
        }
    }

    fn keyed(
        &mut self,
        key: &Yaml,
        value: &Yaml,
        label: &str,
        next: Option<usize>,
        depth: usize,
    ) -> (Option<Act>, bool) {
        let Some(name) = key.text() else {
            return (None, false);
        };
        if !KNOWN.contains(&name.as_ref()) {
            self.unknown_step(key, name);
            return (None, false);
        }
        if value.is_nothing() && name.as_ref() != "stop" {
            let help = "write a value, or its fields indented deeper than the name of the step";
            self.desk.advise(
                "missing_value",
                key.span.clone(),
                format!("`{name}` has no value"),
                help,
            );
            return (None, false);
        }
        if name.as_ref() == "branch" {
            return self.branch(value, label, next, depth);
        }
        let act = act::compile(self, name, value);
        let stops = matches!(name.as_ref(), "stop" | "exit");
        (act, stops)
    }

    fn branch(
        &mut self,
        node: &Yaml,
        label: &str,
        next: Option<usize>,
        depth: usize,
    ) -> (Option<Act>, bool) {
        let Content::List(items) = &node.content else {
            let help = "write `- when: ..` with `then: ..`, and `- otherwise: ..` at its end";
            self.desk
                .wrong_type(node, "`branch` is a list of arms", help);
            return (None, false);
        };
        let before = self.locals.clone();
        let mut after = before.clone();
        let mut arms = Vec::new();
        let mut otherwise = next;
        let mut ends = !items.is_empty();
        let mut closed = false;
        for (k, item) in items.iter().enumerate() {
            if closed {
                let message = "this arm can never be reached: `otherwise` stands before it";
                self.desk.advise(
                    "unreachable",
                    item.span.clone(),
                    message,
                    "let `otherwise` be the last arm",
                );
            }
            self.locals.clone_from(&before);
            let prefix = format!("{label}.branch.{k}.");
            let (when, laid) = self.arm(item, &prefix, next, depth);
            closed |= item.entry("otherwise").is_some();
            if closed {
                otherwise = laid.first;
            }
            arms.extend(when.map(|when| (when, laid.first)));
            ends &= laid.ends;
            let new = self.locals.iter().filter(|local| !after.contains(local));
            let new: Vec<Arc<str>> = new.cloned().collect();
            after.extend(new);
        }
        if arms.is_empty() && !items.iter().any(|item| item.entry("when").is_some()) {
            let help = "write at least one arm: `- when: ..` with `then: ..`";
            self.desk.advise(
                "missing_value",
                node.span.clone(),
                "the branch has no condition",
                help,
            );
        }
        if !closed && let Some(last) = items.last() {
            self.no_otherwise(last);
        }
        self.locals = after;
        (Some(Act::Branch { arms, otherwise }), ends && closed)
    }

    fn no_otherwise(&mut self, last: &Yaml) {
        let key = last.entries().and_then(<[_]>::first);
        let span = key.map_or_else(|| last.span.clone(), |(key, _)| key.span.clone());
        let help = "add `- otherwise: next` if that is meant, or `- otherwise: stop`";
        let message =
            "the branch has no `otherwise`: who fits no arm, or is unknown, goes on behind it";
        self.desk.warn("missing_otherwise", span, message, help);
    }

    /// Compiles an arm: its condition, unless it is `otherwise`, and its steps.
    fn arm(
        &mut self,
        item: &Yaml,
        prefix: &str,
        next: Option<usize>,
        depth: usize,
    ) -> (Option<Expr>, Laid) {
        let goes_on = Laid {
            first: next,
            ends: false,
        };
        if item.entry("otherwise").is_some() {
            let fields = self.desk.fields(item, "the last arm", &["otherwise"], &[]);
            let steps = fields.and_then(|fields| fields.get("otherwise"));
            return (
                None,
                steps.map_or(goes_on, |steps| self.then(steps, prefix, next, depth)),
            );
        }
        let Some(fields) = self
            .desk
            .fields(item, "an arm", &["when", "then"], &["probability"])
        else {
            return (None, goes_on);
        };
        let when = self.desk.need(&fields, "when");
        let locals = self.locals.clone();
        let scope = Scope {
            site: Site::Step,
            locals: &locals,
        };
        let when = when.and_then(|when| self.desk.condition(when, scope));
        let steps = self.desk.need(&fields, "then");
        (
            when,
            steps.map_or(goes_on, |steps| self.then(steps, prefix, next, depth)),
        )
    }

    fn then(&mut self, node: &Yaml, prefix: &str, next: Option<usize>, depth: usize) -> Laid {
        let items = match &node.content {
            Content::List(items) => items.as_slice(),
            Content::Scalar(scalar) if scalar.text.as_ref() == "next" => {
                return Laid {
                    first: next,
                    ends: false,
                };
            }
            Content::Scalar(_) | Content::Map(_) | Content::Broken => std::slice::from_ref(node),
        };
        self.lay(items, node, prefix, next, depth + 1)
    }

    fn unknown_step(&mut self, node: &Yaml, name: &str) {
        if LATER.contains(&name) {
            let help = format!("steps are {}", list(&KNOWN));
            self.desk.advise(
                "not_supported",
                node.span.clone(),
                format!("`{name}` is not supported yet"),
                help,
            );
            return;
        }
        let hint = suggest::hint(name, KNOWN);
        let help = format!("steps are {}", list(&KNOWN));
        self.desk.advise(
            "unknown_step",
            node.span.clone(),
            format!("unknown step `{name}`{hint}"),
            help,
        );
    }

    fn odd_map(&mut self, item: &Yaml, entries: &[(Yaml, Yaml)]) {
        let n = entries.len();
        let message = format!("a step has one key, not {n}");
        let first = entries.first().and_then(|(key, _)| key.text());
        let help = match first {
            Some(first) => format!(
                "begin every step with `- `, and indent what belongs to `{first}` deeper than it"
            ),
            None => "write `- wait: 20h`".into(),
        };
        self.desk
            .advise("wrong_type", item.span.clone(), message, help);
    }
}
