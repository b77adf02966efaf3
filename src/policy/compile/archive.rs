//! Journeys of earlier sets that somebody may be in: compiled with what they refer to, beside the live ones.
//!
//! They share the features with the live journeys, so that one state of a customer serves all of them. What they name
//! and the live set has, too, is the live one: offers, segments and models are for everybody, and so are the limits.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::segment::Drafts;
use super::{Build, Document, Kind, journey, read_all};
use crate::policy::asked;
use crate::policy::bundle::{Archive, Bundle};
use crate::policy::compile::desk::Desk;
use crate::policy::diagnostic::Source;
use crate::policy::expr::{Expr, Node};
use crate::policy::journey::{Act, Journey};
use crate::policy::learner;
use crate::policy::mode::Mode;
use crate::policy::offer::Group;
use crate::policy::registry::Asker;

/// An earlier policy set and what of it is needed.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// Its files.
    pub sources: Vec<Source>,
    /// The revisions of the journeys that somebody may be in.
    pub journeys: BTreeSet<u64>,
}

/// Compiles what is needed of earlier sets, the newest first; the features of `desk` grow by what it needs.
///
/// Returns the features that nobody needs any more.
pub(super) fn compile(
    desk: &mut Desk,
    kept: &[Kept],
    bundle: &mut Bundle,
    drafts: &mut Drafts,
) -> BTreeSet<usize> {
    let n_live = desk.registry.n_features();
    let mut needed = BTreeSet::new();
    for set in kept {
        let live = bundle.journeys.iter().chain(&bundle.archive.journeys);
        let there: BTreeSet<u64> = live.map(|journey| journey.revision).collect();
        let missing: BTreeSet<u64> = set.journeys.difference(&there).copied().collect();
        if missing.is_empty() {
            continue;
        }
        let mut aside = Desk::default();
        aside.registry = desk.registry.lend();
        let mut documents = read_all(&set.sources, &mut aside);
        let is_needed = |of: &Document| match of.kind {
            Kind::Journey => missing.contains(&journey::revision(&of.root)),
            Kind::Schema | Kind::Catalogue | Kind::Model => true,
            Kind::Test => false,
        };
        documents.retain(is_needed);
        let mut build = Build::new(&documents);
        let old_drafts = build.gather(&mut aside);
        desk.registry.take_back(aside.registry);
        let mut graft = Graft {
            desk,
            bundle,
            needed: &mut needed,
        };
        graft.all(build.bundle, old_drafts, drafts);
    }
    let journeys = &mut bundle.archive.journeys;
    journeys.sort_by(|a, b| (&a.name, a.revision).cmp(&(&b.name, b.revision)));
    (n_live..desk.registry.n_features())
        .filter(|idx| !needed.contains(idx))
        .collect()
}

/// Moves what is needed of an earlier set to the live one.
struct Graft<'a> {
    desk: &'a mut Desk,
    bundle: &'a mut Bundle,
    needed: &'a mut BTreeSet<usize>,
}

impl Graft<'_> {
    fn all(&mut self, mut old: Bundle, mut old_drafts: Drafts, drafts: &mut Drafts) {
        for journey in std::mem::take(&mut old.journeys) {
            let asked = self.journey(&old, &journey);
            self.desk.registry.segments.asker = match journey.mode {
                Mode::Live => Asker::Others,
                Mode::Shadow => Asker::Shadows,
            };
            for name in asked {
                self.segment(&name, &mut old_drafts, drafts);
            }
            self.bundle.archive.journeys.push(journey);
        }
    }

    /// Takes what the steps of a journey name; returns the segments that it asks for.
    fn journey(&mut self, old: &Bundle, journey: &Journey) -> BTreeSet<Arc<str>> {
        let mut asked = BTreeSet::new();
        for expr in asked::of_run(journey) {
            self.expr(&expr.root, &mut asked);
        }
        for step in &journey.flow {
            if let Act::Score { model, .. } = &step.act {
                self.model(old, model, &mut asked);
            }
            if let Act::Offer { placement, .. } = &step.act {
                self.placement(old, placement, &mut asked);
            }
        }
        asked
    }

    fn placement(&mut self, old: &Bundle, name: &Arc<str>, asked: &mut BTreeSet<Arc<str>>) {
        let Some(placement) = old.placements.get(name) else {
            return;
        };
        if self.bundle.placement(name).is_some() {
            return;
        }
        let own = placement.offers.iter().map(|offer| &offer.id);
        let offers = own.chain(&placement.fallback);
        for offer in offers.filter_map(|id| old.offers.get(id)) {
            if self.bundle.offer(&offer.id).is_some() {
                continue;
            }
            self.exprs(offer.engagement.conditions().chain([&offer.value]), asked);
            for group in offer.groups.iter().filter_map(|name| old.groups.get(name)) {
                self.group(group, asked);
            }
            if let Some(model) = &offer.model {
                self.model(old, model, asked);
            }
            let archive = &mut self.bundle.archive;
            archive.offers.insert(offer.id.clone(), offer.clone());
        }
        let weights = placement.context_weights.iter().map(|of| &of.when);
        self.exprs(weights.chain(&placement.rank), asked);
        if let Some(model) = &placement.model {
            self.model(old, model, asked);
        }
        if let Some(learner) = &placement.learning.learner {
            self.learner(old, learner, asked);
        }
        let archive = &mut self.bundle.archive;
        let mut kept = placement.clone();
        // Nobody is compared any more.
        kept.learning.challenger = None;
        // An offer may be the live one, or that of a newer set, which waits for something else.
        kept.index = None;
        for offer in &mut kept.offers {
            let live = self.bundle.offers.get(&offer.id);
            let known = live.or_else(|| archive.offers.get(&offer.id));
            *offer = known.unwrap_or(offer).clone();
        }
        archive.placements.insert(name.clone(), kept);
    }

    fn learner(&mut self, old: &Bundle, name: &Arc<str>, asked: &mut BTreeSet<Arc<str>>) {
        let Some(learner) = old.learners.get(name) else {
            return;
        };
        if self.bundle.learner(name).is_some() {
            return;
        }
        if let learner::Kind::Linear(features) = &learner.kind {
            self.exprs(features.iter().map(|feature| &feature.of), asked);
        }
        let Archive { learners, .. } = &mut self.bundle.archive;
        learners.insert(name.clone(), learner.clone());
    }

    fn group(&mut self, group: &Group, asked: &mut BTreeSet<Arc<str>>) {
        if self.bundle.group(&group.name).is_some() {
            return;
        }
        self.exprs(group.engagement.conditions(), asked);
        let Archive { groups, .. } = &mut self.bundle.archive;
        groups.insert(group.name.clone(), group.clone());
    }

    fn model(&mut self, old: &Bundle, name: &Arc<str>, asked: &mut BTreeSet<Arc<str>>) {
        let Some(model) = old.models.get(name) else {
            return;
        };
        if self.bundle.model(name).is_some() {
            return;
        }
        self.exprs(model.inputs.iter().map(|input| &input.from), asked);
        let Archive { models, .. } = &mut self.bundle.archive;
        models.insert(name.clone(), model.clone());
    }

    /// A segment that the live set has not goes on with those that it asks for.
    fn segment(&mut self, name: &Arc<str>, old_drafts: &mut Drafts, drafts: &mut Drafts) {
        if self.desk.registry.segments.is_declared(name) {
            self.desk.registry.segments.ask(name, true);
            return;
        }
        let Some(segment) = old_drafts.take(name) else {
            return;
        };
        self.desk.registry.segments.declare(name.clone());
        self.desk.registry.segments.ask(name, true);
        let mut asked = BTreeSet::new();
        self.exprs(&segment.0.when, &mut asked);
        drafts.put(segment);
        for name in asked {
            self.segment(&name, old_drafts, drafts);
        }
    }

    fn exprs<'e>(
        &mut self,
        exprs: impl IntoIterator<Item = &'e Expr>,
        asked: &mut BTreeSet<Arc<str>>,
    ) {
        for expr in exprs {
            self.expr(&expr.root, asked);
        }
    }

    fn expr(&mut self, node: &Node, asked: &mut BTreeSet<Arc<str>>) {
        if let Node::Feature(idx, _) = node {
            self.needed.insert(*idx);
        }
        if let Node::InSegment(name) = node {
            asked.insert(name.clone());
        }
        for part in node.parts() {
            self.expr(part, asked);
        }
    }
}
