//! `steps:`: a tree as it is written, laid flat.

use std::sync::Arc;

use crate::policy::compile::desk::{Desk, list};
use crate::policy::compile::{Names, act, arms, split, wait};
use crate::policy::expr::shape::Shape;
use crate::policy::journey::{Act, Past, Step, Until};
use crate::policy::suggest;
use crate::policy::yaml::{Content, Yaml};

/// The most steps of a journey.
const STEPS_MAX: usize = 500;
/// The deepest nesting of arms.
const DEPTH_MAX: usize = 16;

/// Steps that exist.
pub const KNOWN: [&str; 11] = [
    "wait",
    "wait_for",
    "hold_until",
    "score",
    "branch",
    "split",
    "offer",
    "send",
    "set",
    "stop",
    "exit",
];
/// Steps that are known and not there yet.
const LATER: [&str; 2] = ["enroll", "webhook"];

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
pub struct Laid {
    /// Its first step.
    pub first: Option<usize>,
    /// Whether nobody comes out at its end.
    pub ends: bool,
}

/// Where a step stands while it is compiled.
#[derive(Clone, Copy)]
pub struct Spot<'a> {
    /// Its label.
    pub label: &'a str,
    /// The step after it.
    pub next: Option<usize>,
    /// Whether the step after it stands in the same list.
    pub followed: bool,
    /// How deep it is nested.
    pub depth: usize,
}

impl Flow<'_> {
    /// Makes the result of a step known to the steps behind it.
    pub fn bind(&mut self, name: Option<&Arc<str>>, shape: Shape) {
        if let Some(name) = name {
            self.locals.push(name.clone());
            self.desk.bind(name, shape);
        }
    }

    /// Lays a list in one piece, then the arms of its steps behind it.
    pub fn lay(
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
        let mut skips = false;
        for (k, item) in items.iter().enumerate() {
            if ends {
                self.unreachable(item);
                break;
            }
            let label = format!("{prefix}{k}");
            let followed = k + 1 < items.len();
            let next = if followed { Some(start + k + 1) } else { after };
            let spot = Spot {
                label: &label,
                next,
                followed,
                depth,
            };
            let (act, stops) = self.step(item, spot);
            ends = stops && !skips;
            skips = act.as_ref().is_some_and(may_skip);
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
            format!("steps are nested deeper than {DEPTH_MAX} levels")
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
    fn step(&mut self, item: &Yaml, spot: Spot<'_>) -> (Option<Act>, bool) {
        match &item.content {
            Content::Scalar(scalar) if scalar.text.as_ref() == "stop" => {
                let reason = "stopped".into();
                (Some(Act::Stop { reason }), true)
            }
            Content::Map(entries) => {
                if let [(key, value)] = entries.as_slice() {
                    return self.keyed(key, value, spot);
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

    fn keyed(&mut self, key: &Yaml, value: &Yaml, spot: Spot<'_>) -> (Option<Act>, bool) {
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
        match name.as_ref() {
            "branch" => arms::branch(self, value, spot),
            "wait_for" => arms::wait_for(self, value, spot),
            "split" => split::split(self, value, spot),
            "wait" => (wait::wait(self, value, spot), false),
            name => (
                act::compile(self, name, value),
                matches!(name, "stop" | "exit"),
            ),
        }
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

/// Tells if a step may leave out the one that follows.
fn may_skip(act: &Act) -> bool {
    matches!(
        act,
        Act::Wait(Until::Date {
            past: Past::Skip,
            ..
        })
    )
}
