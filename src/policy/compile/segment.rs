//! `segments:`: who is in, by conditions about the customer.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use crate::policy::bundle::Bundle;
use crate::policy::compile::desk::Desk;
use crate::policy::depends::Depends;
use crate::policy::diagnostic::Source;
use crate::policy::expr::{Expr, Function, Node, Op, Scope, Site};
use crate::policy::feature::{Feature, Fold};
use crate::policy::registry::Asker;
use crate::policy::segment::Segment;
use crate::policy::yaml::{Content, Yaml};

const KEYS: [&str; 3] = ["about", "when", "publish"];
const SCOPE: Scope<'static> = Scope {
    site: Site::Segment,
    locals: &[],
};

/// Segments that were read, in the order of their names, and where their names stand.
#[derive(Default)]
pub struct Drafts(BTreeMap<Arc<str>, Draft>);

/// A segment and where its name stands.
pub type Draft = (Segment, Range<usize>, Option<Source>);

impl Drafts {
    /// Takes a segment out.
    pub fn take(&mut self, name: &str) -> Option<Draft> {
        self.0.remove(name)
    }

    /// Puts a segment in.
    pub fn put(&mut self, draft: Draft) {
        self.0.insert(draft.0.name.clone(), draft);
    }
}

/// Reads a map of segments.
pub fn compile_all(desk: &mut Desk, node: &Yaml, drafts: &mut Drafts) {
    let Some(entries) = node.entries() else {
        let help = "write `segments: {NAME: CONDITION}`";
        desk.wrong_type(node, "`segments` is a map of conditions by name", help);
        return;
    };
    for (key, definition) in entries {
        let Some(name) = desk.name(key, "a segment") else {
            continue;
        };
        let first = desk.declare("segment", &name, key);
        let segment = compile(desk, &name, key, definition);
        if let Some(segment) = segment.filter(|_| first) {
            let draft = (segment, key.span.clone(), desk.source.clone());
            drafts.0.insert(name, draft);
        }
    }
}

fn compile(desk: &mut Desk, name: &Arc<str>, key: &Yaml, node: &Yaml) -> Option<Segment> {
    let (mut when, mut publish) = (Some(node), Some(true));
    if let Content::Map(_) = node.content {
        let fields = desk.fields(node, &format!("segment `{name}`"), &KEYS, &[])?;
        if let Some(about) = fields.get("about") {
            desk.text(about, "`about`");
        }
        when = desk.need(&fields, "when");
        if let Some(node) = fields.get("publish") {
            publish = desk.choice(node, "`publish`", &[("true", true), ("false", false)]);
        }
    }
    let when = desk.conditions(Some(when?), SCOPE);
    Some(Segment {
        name: name.clone(),
        when,
        publish: publish?,
        used: false,
        for_shadows: false,
        depends: Depends::default(),
        dependents: Vec::new(),
        place: desk.place(key),
    })
}

/// Puts the segments into the bundle, each after those that it asks; the features are complete by now.
pub fn link(desk: &mut Desk, drafts: Drafts, bundle: &mut Bundle) {
    for (segment, span, source) in drafts.0.values() {
        desk.source.clone_from(source);
        check_clock(desk, segment, span, &bundle.features);
    }
    let mut left = drafts.0;
    for (segment, ..) in left.values_mut() {
        segment.depends = Depends::of(&segment.when, &bundle.features);
    }
    loop {
        let waits = |segment: &Segment| {
            segment
                .depends
                .segments
                .iter()
                .any(|on| left.contains_key(on))
        };
        let Some(name) = left
            .values()
            .find(|(it, ..)| !waits(it))
            .map(|(it, ..)| it.name.clone())
        else {
            break;
        };
        let segment = left.remove(&name).map(|(segment, ..)| segment);
        bundle.segments.extend(segment);
    }
    report_cycle(desk, &left);
    spread(desk, &mut bundle.segments);
}

/// Tells every segment what those that it asks depend on, who asks it, and whether it is of use.
fn spread(desk: &Desk, segments: &mut [Segment]) {
    for idx in 0..segments.len() {
        let (before, rest) = segments.split_at_mut(idx);
        let Some(segment) = rest.first_mut() else {
            continue;
        };
        let asker = desk.registry.segments.asker(&segment.name);
        segment.used = segment.publish || asker.is_some();
        segment.for_shadows = !segment.publish && asker == Some(Asker::Shadows);
        let asks = segment.depends.segments.clone();
        for asked in before.iter_mut().filter(|it| asks.contains(&it.name)) {
            segment.depends.add(&asked.depends);
            asked.dependents.push(idx);
        }
    }
    for idx in (0..segments.len()).rev() {
        let direct = segments[idx].dependents.clone();
        let mut all = direct.clone();
        for dependent in direct {
            all.extend(segments[dependent].dependents.iter().copied());
            let (own, other) = (&segments[idx], &segments[dependent]);
            let live = |of: &Segment| of.used && !of.for_shadows;
            let is_live = live(own) || live(other);
            let used = own.used || other.used;
            segments[idx].used = used;
            segments[idx].for_shadows = used && !is_live;
        }
        all.sort_unstable();
        all.dedup();
        segments[idx].dependents = all;
    }
}

/// What is left when everything was taken that waits for nothing waits in a circle, or for one.
fn report_cycle(desk: &mut Desk, left: &BTreeMap<Arc<str>, Draft>) {
    let Some(mut name) = left.keys().next() else {
        return;
    };
    let mut path: Vec<&Arc<str>> = Vec::new();
    while !path.contains(&name) {
        path.push(name);
        let next = left.get(name).and_then(|(segment, ..)| {
            let mut asked = segment.depends.segments.iter();
            asked.find(|asked| left.contains_key(*asked))
        });
        let Some(next) = next else { return };
        name = next;
    }
    let start = path.iter().position(|on| *on == name).unwrap_or(0);
    let circle: Vec<String> = path[start..]
        .iter()
        .chain([&name])
        .map(|it| format!("`{it}`"))
        .collect();
    let Some((_, span, source)) = left.get(name) else {
        return;
    };
    desk.source.clone_from(source);
    let message = format!(
        "segments ask each other in a circle: {}",
        circle.join(" → ")
    );
    let help = "one of them must say who is in without asking the others";
    desk.advise("segment_cycle", span.clone(), message, help);
}

/// Demands that it can be told in advance when the clock changes a condition.
fn check_clock(desk: &mut Desk, segment: &Segment, span: &Range<usize>, features: &[Feature]) {
    let clock = Clock { features };
    let Some(wrong) = segment.when.iter().find(|of| !clock.is_told(&of.root)) else {
        return;
    };
    let message = format!(
        "it cannot be told in advance when the clock changes `{}`, so leaving the segment would be missed",
        shorten(wrong)
    );
    let help = "compare the clock with something that stands still: `profile.traits.renewal < ago('7d')`; ask the \
                calendar by `local_hour()`, `local_weekday()` and `local_month()`";
    desk.advise("segment_clock", span.clone(), message, help);
}

fn shorten(of: &Expr) -> String {
    of.text.chars().take(60).collect()
}

/// Finds out how the clock moves a value.
struct Clock<'a> {
    features: &'a [Feature],
}

impl Clock<'_> {
    /// Tells if the clock moves a value only by comparisons of what runs at a steady rate.
    fn is_told(&self, node: &Node) -> bool {
        if let Node::Binary(Op::Eq | Op::Ne | Op::Lt | Op::Le | Op::Gt | Op::Ge, left, right) = node
        {
            return self.is_steady(left) && self.is_steady(right);
        }
        if let Node::Each(_, list, _, body) = node {
            return self.is_told(list) && !self.moves(body);
        }
        if let Node::Has(inner) = node {
            return self.is_steady(inner);
        }
        !self.is_clock(node) && node.parts().into_iter().all(|part| self.is_told(part))
    }

    /// Tells if a value runs with the clock at a steady rate, or stands still.
    fn is_steady(&self, node: &Node) -> bool {
        if let Node::Binary(op @ (Op::Add | Op::Sub | Op::Mul | Op::Div), left, right) = node {
            let divides = *op == Op::Div && self.moves(right);
            let bends = divides || *op == Op::Mul && self.moves(left) && self.moves(right);
            return !bends && self.is_steady(left) && self.is_steady(right);
        }
        if let Node::Negate(inner) = node {
            return self.is_steady(inner);
        }
        if let Node::Call(Function::Ago, arguments) = node {
            return !arguments.iter().any(|of| self.moves(of));
        }
        self.is_clock(node) || self.is_told(node)
    }

    fn moves(&self, node: &Node) -> bool {
        node.any(&|part| self.is_clock(part))
    }

    /// Tells if a value is the clock itself.
    fn is_clock(&self, node: &Node) -> bool {
        if let Node::Feature(idx, _) = node {
            let feature = self.features.get(*idx);
            return feature.is_some_and(|feature| matches!(feature.fold, Fold::Recency));
        }
        matches!(node, Node::Call(Function::Now | Function::Ago, _))
    }
}
