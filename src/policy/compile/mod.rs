//! From files to a bundle: sort the documents, learn the names, then compile everything and report everything.

mod act;
mod archive;
mod arms;
mod brought;
mod budget;
mod catalogue;
mod decisions;
mod desk;
mod engagement;
mod enter;
mod expect;
mod feature;
mod fields;
mod group;
mod hash;
mod journey;
mod learner;
mod learning;
mod limits;
mod listeners;
mod migrate;
mod model;
mod offer;
mod placement;
mod quiet;
mod schema;
mod segment;
mod split;
mod steps;
mod test;
mod timeline;
mod value;
mod wait;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::policy::bundle::Bundle;
use crate::policy::diagnostic::{Diagnostics, Source};
use crate::policy::lint;
use crate::policy::question::Vocabulary;
use crate::policy::suggest;
use crate::policy::test::Test;
use crate::policy::yaml::{self, Yaml};
pub use archive::Kept;
pub use desk::Desk;

/// What came of policy files.
#[derive(Debug)]
pub struct Checked {
    /// The bundle, if there is no error.
    pub bundle: Option<Bundle>,
    /// The tests, sorted by file and position; none if there is an error.
    pub tests: Vec<Test>,
    /// Errors and warnings, sorted by file and position.
    pub problems: Diagnostics,
}

/// Checks policy files and compiles them to a bundle.
///
/// The order of the files and the comments in them change nothing, the bundle's id included.
pub fn check(sources: &[Source]) -> Checked {
    check_with(sources, &[])
}

/// Checks policy files as [`check`] does, and compiles journeys of earlier sets beside them: for who is in them, nobody
/// enters them. Those that cannot be compiled are left out.
///
/// - `kept`: the newest first.
pub fn check_with(sources: &[Source], kept: &[Kept]) -> Checked {
    let mut desk = Desk::default();
    let documents = read_all(sources, &mut desk);
    let n_policies = documents.partition_point(|document| document.kind != Kind::Test);
    let (documents, tests) = documents.split_at(n_policies);
    let (bundle, tests) = Build::new(documents).run(&mut desk, tests, kept);
    let is_right = desk.n_errors() == 0;
    let mut problems = Diagnostics(desk.problems);
    problems.sort();
    Checked {
        bundle: Some(bundle).filter(|_| is_right),
        tests: if is_right { tests } else { Vec::new() },
        problems,
    }
}

/// Compiles policy files to a bundle; warnings are not looked at.
///
/// # Errors
///
/// Every error in all files, sorted by file and position.
pub fn compile(sources: &[Source]) -> Result<Bundle, Diagnostics> {
    let Checked {
        bundle, problems, ..
    } = check(sources);
    bundle.ok_or_else(|| problems.errors())
}

/// A document and what it is.
struct Document {
    kind: Kind,
    source: Source,
    root: Yaml,
    /// Its content without comments and layout.
    canonical: String,
}

/// What a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// Any of `schemas`, `templates`: what the rest is checked against.
    Schema,
    /// Any of `features`, `segments`, `offers`, `groups`, `placements`, `limits`, `channels`.
    Catalogue,
    /// A model manifest.
    Model,
    /// A journey.
    Journey,
    /// A test.
    Test,
}

fn read_all(sources: &[Source], desk: &mut Desk) -> Vec<Document> {
    let mut documents = Vec::new();
    for source in sources {
        let (roots, finished) = yaml::read(source, &mut desk.problems);
        desk.incomplete |= !finished;
        desk.source = Some(source.clone());
        for root in roots {
            let Some(kind) = kind(&root, desk) else {
                continue;
            };
            let mut canonical = String::new();
            root.canonical(&mut canonical);
            let source = source.clone();
            documents.push(Document {
                kind,
                source,
                root,
                canonical,
            });
        }
    }
    documents.sort_by(|a, b| (a.kind, &a.canonical).cmp(&(b.kind, &b.canonical)));
    documents
}

/// Tells what a document is by its keys.
fn kind(root: &Yaml, desk: &mut Desk) -> Option<Kind> {
    let known = [
        "journey",
        "offers",
        "groups",
        "placements",
        "learners",
        "features",
        "segments",
        "limits",
        "channels",
        "model",
        "schemas",
        "templates",
        "test",
    ];
    let help = format!("a document has one of the keys {}", desk::list(&known));
    let Some(entries) = root.entries() else {
        desk.wrong_type(root, "a policy document is a map", &help);
        return None;
    };
    let has = |key: &str| root.entry(key).is_some();
    // A test names its journey.
    if has("test") {
        return Some(Kind::Test);
    }
    if has("journey") {
        return Some(Kind::Journey);
    }
    if has("model") {
        return Some(Kind::Model);
    }
    if catalogue::KEYS.into_iter().any(has) {
        return Some(Kind::Catalogue);
    }
    if has("schemas") || has("templates") {
        return Some(Kind::Schema);
    }
    desk.incomplete = true;
    let (first, _) = entries.first()?;
    let written = first.text().map_or("", AsRef::as_ref);
    let hint = suggest::hint(written, known);
    let message = format!("unknown kind of document `{written}`{hint}");
    desk.advise("unknown_document", first.span.clone(), message, help);
    None
}

/// The names that documents refer to each other by.
#[derive(Default)]
struct Names {
    /// Model and whether it looks at `offer`.
    models: BTreeMap<Arc<str>, bool>,
    placements: BTreeSet<Arc<str>>,
    offers: BTreeSet<Arc<str>>,
    learners: BTreeSet<Arc<str>>,
    groups: BTreeSet<Arc<str>>,
    /// Channels that a send names or that are declared.
    channels: BTreeSet<Arc<str>>,
    /// The templates that channels have, if they are declared.
    templates: Option<BTreeSet<Arc<str>>>,
}

struct Build<'d> {
    documents: &'d [Document],
    names: Names,
    bundle: Bundle,
}

impl<'d> Build<'d> {
    fn new(documents: &'d [Document]) -> Self {
        let mut names = Names::default();
        for document in documents {
            let root = &document.root;
            names.placements.extend(keys(root, "placements"));
            names.offers.extend(keys(root, "offers"));
            names.learners.extend(keys(root, "learners"));
            names.groups.extend(keys(root, "groups"));
            limits::channels(root, &mut names.channels);
        }
        Self {
            documents,
            names,
            bundle: Bundle::default(),
        }
    }

    fn run(mut self, desk: &mut Desk, tests: &[Document], kept: &[Kept]) -> (Bundle, Vec<Test>) {
        let mut drafts = self.gather(desk);
        let n_live = desk.registry.n_features();
        let bundle = &mut self.bundle;
        let idle = archive::compile(desk, kept, bundle, &mut drafts);
        bundle.features = desk.registry.take_features();
        // A name is the live set's.
        for feature in bundle.features.iter_mut().skip(n_live) {
            feature.name = None;
        }
        bundle.vocabulary = Vocabulary {
            schemas: desk.schemas.clone(),
            features: desk.registry.take_names(),
        };
        segment::link(desk, drafts, bundle);
        bundle.listeners = listeners::listeners(bundle, &idle);
        bundle.standing = hash::standing(bundle, self.documents);
        bundle.id = hash::id(self.documents);
        let tests = self.tests(desk, tests);
        (self.bundle, tests)
    }

    /// Compiles every document; what is left is to put features and segments in their places.
    fn gather(&mut self, desk: &mut Desk) -> segment::Drafts {
        for document in self.of(Kind::Schema) {
            desk.source = Some(document.source.clone());
            schema::compile(desk, &document.root, &mut self.names.templates);
        }
        for document in self.documents {
            desk.source = Some(document.source.clone());
            if let Some((_, node)) = document.root.entry("features") {
                feature::compile_all(desk, node);
            }
        }
        let mut drafts = segment::Drafts::default();
        desk.registry.segments.incomplete = desk.incomplete;
        for document in self.documents {
            for name in keys(&document.root, "segments") {
                desk.registry.segments.declare(name);
            }
        }
        for document in self.documents {
            desk.source = Some(document.source.clone());
            if let Some((_, node)) = document.root.entry("segments") {
                segment::compile_all(desk, node, &mut drafts);
            }
        }
        for kind in [Kind::Model, Kind::Catalogue, Kind::Journey] {
            for document in self.of(kind) {
                desk.source = Some(document.source.clone());
                self.document(desk, document);
            }
        }
        self.bundle.journeys.sort_by(|a, b| a.name.cmp(&b.name));
        catalogue::link(&mut self.bundle);
        // An offer that did not compile is missing where it is named.
        if !desk.incomplete && self.names.offers.len() == self.bundle.offers.len() {
            lint::catalogue(desk, &self.bundle, &sources(self.documents));
        }
        if !desk.incomplete && self.names.learners.len() == self.bundle.learners.len() {
            learning::check(desk, &self.bundle, &sources(self.documents));
        }
        // A channel or a segment that did not compile may be what asks.
        if !desk.incomplete && desk.n_errors() == 0 {
            lint::consent(desk, &self.bundle, &sources(self.documents));
        }
        drafts
    }

    fn tests(&self, desk: &mut Desk, documents: &[Document]) -> Vec<Test> {
        let journeys = self.of(Kind::Journey);
        let journeys = journeys.filter_map(|document| document.root.entry("journey"));
        let known = test::Known {
            names: &self.names,
            bundle: &self.bundle,
            journeys: journeys
                .filter_map(|(_, name)| name.text().cloned())
                .collect(),
            segments: desk.registry.segments.names().map(Arc::from).collect(),
            complete: desk.n_errors() == 0 && !desk.incomplete,
        };
        let mut tests = Vec::new();
        for document in documents {
            desk.source = Some(document.source.clone());
            tests.extend(test::compile(desk, &known, &document.root));
        }
        tests.sort_by(|a, b| (&a.place.file, a.place.line).cmp(&(&b.place.file, b.place.line)));
        tests
    }

    fn of(&self, kind: Kind) -> impl Iterator<Item = &'d Document> + use<'d> {
        let documents = self.documents.iter();
        documents.filter(move |document| document.kind == kind)
    }

    fn document(&mut self, desk: &mut Desk, document: &Document) {
        match document.kind {
            Kind::Schema | Kind::Test => {}
            Kind::Model => {
                let name = document
                    .root
                    .entry("model")
                    .and_then(|(_, name)| name.text());
                // A broken model keeps its name, so that nobody is told that it does not exist.
                self.names
                    .models
                    .extend(name.map(|name| (name.clone(), false)));
                if let Some(model) = model::compile(desk, &document.root) {
                    self.names
                        .models
                        .insert(model.name.clone(), model.per_offer);
                    self.bundle.models.insert(model.name.clone(), model);
                }
            }
            Kind::Catalogue => {
                catalogue::compile(desk, &self.names, &document.root, &mut self.bundle);
            }
            Kind::Journey => {
                if let Some(name) = migrate::ended(desk, &document.root) {
                    self.bundle.ended.insert(name);
                    return;
                }
                let n_before = desk.n_errors();
                let journey = journey::compile(desk, &self.names, &document.root);
                if let Some(journey) = journey.as_ref().filter(|_| desk.n_errors() == n_before) {
                    lint::journey(desk, journey);
                }
                self.bundle.journeys.extend(journey);
            }
        }
    }
}

fn keys<'y>(root: &'y Yaml, key: &str) -> impl Iterator<Item = Arc<str>> + use<'y> {
    let entries = root
        .entry(key)
        .and_then(|(_, node)| node.entries())
        .unwrap_or_default();
    entries.iter().filter_map(|(key, _)| key.text().cloned())
}

fn sources(documents: &[Document]) -> BTreeMap<&str, &Source> {
    let sources = documents.iter().map(|document| &document.source);
    sources
        .map(|source| (source.name.as_ref(), source))
        .collect()
}
