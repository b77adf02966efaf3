//! What events, customers and offers are known to look like: the standards, and what authors declare.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::policy::commerce;
use crate::policy::expr::shape::{Open, Shape};
use crate::policy::suggest;

/// The shapes of everything that expressions look at.
#[derive(Clone, Debug)]
pub struct Schemas {
    /// Whether an author declared any: then what is not declared is worth a warning.
    pub declared: bool,
    /// The properties of events by their name.
    events: BTreeMap<Arc<str>, Shape>,
    /// `profile.traits`
    traits: Vec<(Arc<str>, Shape)>,
}

/// What is known about a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is wrong with it.
    Fine,
    /// A known name is so near that this one must be a slip.
    Slip(Arc<str>),
    /// Schemas are declared and it is in none; the nearest known name.
    Undeclared(Option<Arc<str>>),
}

impl Default for Schemas {
    fn default() -> Self {
        Self {
            declared: false,
            events: commerce::events(),
            traits: commerce::traits(),
        }
    }
}

impl Schemas {
    /// Adds an event that an author declares; its properties go before those of the standard.
    pub fn declare_event(&mut self, name: &Arc<str>, properties: Vec<(Arc<str>, Shape)>) {
        self.declared = true;
        let mut known = properties;
        if let Some(Shape::Fields(standard)) = self.events.get(name) {
            extend(&mut known, &standard.known);
        }
        let shape = if known.is_empty() {
            Shape::Any
        } else {
            Shape::map(Open::Declared, known)
        };
        self.events.insert(name.clone(), shape);
    }

    /// Adds traits that an author declares.
    pub fn declare_traits(&mut self, declared: Vec<(Arc<str>, Shape)>) {
        self.declared = true;
        let standard = std::mem::replace(&mut self.traits, declared);
        extend(&mut self.traits, &standard);
    }

    /// Judges the name of an event.
    pub fn judge_event(&self, name: &str) -> Verdict {
        judge(name, self.declared, self.events.keys())
    }

    /// Returns the shape of the event of this name; without one, of any event.
    pub fn event(&self, name: Option<&str>) -> Shape {
        let properties = name.map(|name| self.properties(name));
        fields(&[
            ("name", Shape::Text),
            ("type", Shape::Text),
            ("id", Shape::Text),
            ("timestamp", Shape::Number),
            ("properties", properties.unwrap_or(Shape::Any)),
            ("traits", Shape::Any),
            ("context", Shape::Any),
        ])
    }

    /// Returns the shape of the properties of the event of this name.
    pub fn properties(&self, name: &str) -> Shape {
        self.events.get(name).cloned().unwrap_or(Shape::Any)
    }

    /// Returns the shape of what is told of a customer.
    pub fn traits(&self) -> Shape {
        let open = if self.declared {
            Open::Declared
        } else {
            Open::Standard
        };
        Shape::map(open, self.traits.clone())
    }

    /// Returns the shape of the customer.
    pub fn profile(&self) -> Shape {
        fields(&[
            ("id", Shape::Text),
            ("traits", self.traits()),
            ("features", Shape::Features),
            ("cart", cart()),
            (
                "session",
                fields(&[
                    ("index", Shape::Number),
                    ("started_at", Shape::Number),
                    ("last_at", Shape::Number),
                    ("n_events", Shape::Number),
                ]),
            ),
            ("consent", Shape::Any),
        ])
    }

    /// Returns the shape of the offer being judged.
    pub fn offer() -> Shape {
        fields(&[
            ("id", Shape::Text),
            ("value", Shape::Number),
            ("group", Shape::Text),
            ("data", Shape::Any),
        ])
    }
}

/// Judges a name that was written where these are known.
pub fn judge<'k>(
    written: &str,
    declared: bool,
    known: impl Iterator<Item = &'k Arc<str>> + Clone,
) -> Verdict {
    if known.clone().any(|known| known.as_ref() == written) {
        return Verdict::Fine;
    }
    let slip = known.clone().find(|known| suggest::is_slip(written, known));
    if let Some(slip) = slip {
        return Verdict::Slip(slip.clone());
    }
    if declared {
        let near = suggest::nearest(written, known.map(AsRef::as_ref));
        return Verdict::Undeclared(near.map(Arc::from));
    }
    Verdict::Fine
}

fn extend(known: &mut Vec<(Arc<str>, Shape)>, standard: &[(Arc<str>, Shape)]) {
    for (name, shape) in standard {
        if !known.iter().any(|(declared, _)| declared == name) {
            known.push((name.clone(), shape.clone()));
        }
    }
}

fn cart() -> Shape {
    let item = fields(&[
        ("product_id", Shape::Text),
        ("sku", Shape::Text),
        ("name", Shape::Text),
        ("category", Shape::Text),
        ("price", Shape::Number),
        ("quantity", Shape::Number),
    ]);
    fields(&[
        ("value", Shape::Number),
        ("currency", Shape::Text),
        ("items", Shape::list_of(item)),
        ("item_count", Shape::Number),
        ("updated_at", Shape::Number),
    ])
}

fn fields(known: &[(&str, Shape)]) -> Shape {
    let known = known
        .iter()
        .map(|(name, shape)| (Arc::from(*name), shape.clone()));
    Shape::map(Open::Closed, known.collect())
}
