//! All features of a bundle while it is compiled: declared ones by name, implied ones by definition.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use crate::domain::{Duration, Value};
use crate::policy::bundle::{Bundle, Place};
use crate::policy::expr::pattern::Pattern;
use crate::policy::expr::shape::Shape;
use crate::policy::expr::{Expr, Node, Problem, Root};
use crate::policy::feature::{Feature, Fold, Window};
use crate::policy::suggest;

/// What an expression asks of the history of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// `count`
    Count,
    /// `sum`
    Sum,
    /// `last`
    Last,
    /// `first`
    First,
    /// `distinct`
    Distinct,
}

/// The features so far; unique by id.
#[derive(Debug, Default)]
pub struct Registry {
    features: Vec<Feature>,
    by_id: BTreeMap<u64, usize>,
    by_name: BTreeMap<Arc<str>, (usize, Option<Duration>)>,
    patterns: BTreeMap<Arc<str>, Pattern>,
    /// The segments that expressions may ask for.
    pub segments: Segments,
}

/// What asks for a segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Asker {
    /// Nothing.
    Nothing,
    /// Shadows alone.
    Shadows,
    /// Something that others can see.
    #[default]
    Others,
}

/// The declared segments.
#[derive(Debug, Default)]
pub struct Segments {
    /// By name: what beside other segments asks for it.
    asked: BTreeMap<Arc<str>, Asker>,
    /// What asks as long as this is not changed.
    pub asker: Asker,
    /// Whether a file could not be read to its end, so that a missing name proves nothing.
    pub incomplete: bool,
}

impl Segments {
    /// Makes a name known.
    pub fn declare(&mut self, name: Arc<str>) {
        self.asked.entry(name).or_insert(Asker::Nothing);
    }

    /// Notes that a segment is asked for; returns whether it may exist.
    ///
    /// - `counts`: whether the segment is of use because of it.
    pub fn ask(&mut self, name: &str, counts: bool) -> bool {
        let Some(asked) = self.asked.get_mut(name) else {
            return self.incomplete;
        };
        if counts {
            *asked = (*asked).max(self.asker);
        }
        true
    }

    /// Returns what beside other segments asks for this one; `None`: nothing.
    pub fn asker(&self, name: &str) -> Option<Asker> {
        let asker = self.asked.get(name).copied();
        asker.filter(|asker| *asker != Asker::Nothing)
    }

    /// Tells if there is a segment of this name.
    pub fn is_declared(&self, name: &str) -> bool {
        self.asked.contains_key(name)
    }

    /// Returns the declared names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.asked.keys().map(AsRef::as_ref)
    }

    /// Says that there is no such segment.
    pub fn unknown(&self, name: &str, span: &Range<usize>) -> Problem {
        let hint = suggest::hint(name, self.names());
        let message = format!("unknown segment `{name}`{hint}");
        let known: Vec<String> = self
            .names()
            .take(20)
            .map(|name| format!("`{name}`"))
            .collect();
        let help = if known.is_empty() {
            format!("declare it: `segments: {{{name}: \"profile.traits.vip == true\"}}`")
        } else {
            format!("declared segments are {}", known.join(", "))
        };
        Problem::new("unknown_segment", span.clone(), message).help(help)
    }
}

/// The most different patterns of a bundle: each may take a quarter of a megabyte.
const PATTERNS_MAX: usize = 500;

impl Registry {
    /// Goes on where the compilation of a bundle ended.
    pub fn of(bundle: &Bundle) -> Self {
        let ids = bundle.features.iter().map(|feature| feature.id);
        let mut segments = Segments::default();
        for segment in &bundle.segments {
            segments.declare(segment.name.clone());
        }
        Self {
            features: bundle.features.clone(),
            by_id: ids.zip(0..).collect(),
            by_name: bundle.vocabulary.features.clone(),
            patterns: BTreeMap::new(),
            segments,
        }
    }

    /// Returns a declared feature and the length of its own window, if it slides.
    pub fn named(&self, name: &str) -> Option<(usize, Option<Duration>)> {
        self.by_name.get(name).copied()
    }

    /// Returns the declared names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(AsRef::as_ref)
    }

    /// Compiles a pattern, or finds it.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in a few words.
    pub fn pattern(&mut self, text: &Arc<str>) -> Result<Pattern, String> {
        if let Some(known) = self.patterns.get(text) {
            return Ok(known.clone());
        }
        if self.patterns.len() == PATTERNS_MAX {
            return Err(format!("there are more than {PATTERNS_MAX} of them"));
        }
        let pattern = Pattern::new(text)?;
        self.patterns.insert(text.clone(), pattern.clone());
        Ok(pattern)
    }

    /// Returns what a feature's value is.
    pub fn shape(&self, idx: usize) -> Shape {
        match self.features.get(idx).map(|feature| &feature.fold) {
            Some(
                Fold::Count
                | Fold::Sum(_)
                | Fold::Distinct(_)
                | Fold::Dwell
                | Fold::Recency
                | Fold::Least(_)
                | Fold::Most(_)
                | Fold::Average(_)
                | Fold::First(None)
                | Fold::Last(None),
            ) => Shape::Number,
            Some(Fold::First(Some(_)) | Fold::Last(Some(_)) | Fold::Mode(_)) | None => Shape::Any,
        }
    }

    /// Tells if a feature counts, so that its value is never below 0.
    pub fn counts(&self, idx: usize) -> bool {
        let fold = self.features.get(idx).map(|feature| &feature.fold);
        matches!(
            fold,
            Some(Fold::Count | Fold::Distinct(_) | Fold::Dwell | Fold::Recency)
        )
    }

    /// Adds a feature, or finds the one of the same definition and widens its window; returns its index.
    pub fn add(&mut self, feature: Feature) -> usize {
        let own = sliding(feature.window);
        let name = feature.name.clone();
        let idx = match self.by_id.get(&feature.id) {
            Some(idx) => *idx,
            None => self.features.len(),
        };
        if let Some(known) = self.features.get_mut(idx) {
            known.n_max = known.n_max.max(feature.n_max);
            if let (Window::Sliding(longest), Some(own)) = (known.window, own) {
                known.window = Window::Sliding(longest.max(own));
            }
        } else {
            self.by_id.insert(feature.id, idx);
            self.features.push(feature);
        }
        if let Some(name) = name {
            self.by_name.insert(name, (idx, own));
        }
        idx
    }

    /// Adds what an expression asks for; returns its index.
    pub fn imply(
        &mut self,
        ask: Ask,
        event: &Arc<str>,
        property: Option<&str>,
        window: Window,
        place: &Place,
    ) -> usize {
        let of = property.map(|path| property_of_event(path, place));
        let fold = match (ask, of) {
            (Ask::Sum, Some(of)) => Fold::Sum(of),
            (Ask::Distinct, Some(of)) => Fold::Distinct(of),
            (Ask::Last, of) => Fold::Last(of),
            (Ask::First, of) => Fold::First(of),
            (Ask::Count | Ask::Sum | Ask::Distinct, _) => Fold::Count,
        };
        let id = identity(event, &[], &fold, window);
        self.add(Feature {
            id,
            name: None,
            fold,
            event: event.clone(),
            filter: Vec::new(),
            window,
            n_max: Feature::N_MAX,
            place: place.clone(),
        })
    }

    /// Keeps the name of a feature whose definition is broken; no bundle comes of it.
    pub fn declare_broken(&mut self, name: &Arc<str>) {
        self.by_name.entry(name.clone()).or_insert((0, None));
    }

    /// Returns the declared names, each with what it stands for.
    pub fn take_names(&mut self) -> BTreeMap<Arc<str>, (usize, Option<Duration>)> {
        std::mem::take(&mut self.by_name)
    }

    /// Returns how many there are.
    pub fn n_features(&self) -> usize {
        self.features.len()
    }

    /// Lends the features, without their names, to the policies of an earlier set, which adds its own.
    pub fn lend(&mut self) -> Self {
        Self {
            features: std::mem::take(&mut self.features),
            by_id: std::mem::take(&mut self.by_id),
            patterns: std::mem::take(&mut self.patterns),
            ..Self::default()
        }
    }

    /// Takes back what was lent.
    pub fn take_back(&mut self, lent: Self) {
        self.features = lent.features;
        self.by_id = lent.by_id;
        self.patterns = lent.patterns;
    }

    /// Returns the features in the order of their indexes.
    pub fn take_features(&mut self) -> Vec<Feature> {
        std::mem::take(&mut self.features)
    }
}

/// Hashes what a feature folds: neither its name nor the length of its window, so state outlives a change of both.
pub fn identity(event: &str, filter: &[Expr], fold: &Fold, window: Window) -> u64 {
    let kind = fold.as_str();
    let of = fold
        .of()
        .map(|expr| expr.root.to_string())
        .unwrap_or_default();
    let window = match window {
        Window::Lifetime => "lifetime",
        Window::Session => "session",
        Window::Sliding(_) => "sliding",
    };
    let event = Value::text(event).to_string();
    let filter: Vec<String> = filter.iter().map(|expr| expr.root.to_string()).collect();
    let text = [kind, &event, &of, window, &filter.join("\n")].join("\n");
    xxh3_64(text.as_bytes())
}

fn sliding(window: Window) -> Option<Duration> {
    match window {
        Window::Sliding(length) => Some(length),
        Window::Lifetime | Window::Session => None,
    }
}

/// Makes `event.properties.a.b` of `a.b`.
fn property_of_event(path: &str, place: &Place) -> Expr {
    let properties = Node::Member(Box::new(Node::Root(Root::Event)), "properties".into());
    let root = path.split('.').fold(properties, |base, part| {
        Node::Member(Box::new(base), part.trim().into())
    });
    Expr {
        root,
        text: format!("event.properties.{path}").into(),
        place: place.clone(),
    }
}
