//! The fields that profiles, events and offers are known to have.

/// What is known about a value.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Nothing: every field may exist.
    Any,
    /// A single value without fields.
    Leaf,
    /// These fields and no others.
    Fields(&'static [(&'static str, Shape)]),
    /// A list of such items.
    ListOf(&'static Shape),
    /// `profile.features`: the declared features.
    Features,
}

use Shape::{Any, Features, Fields, Leaf, ListOf};

/// An item of a cart.
const ITEM: Shape = Fields(&[
    ("product_id", Leaf),
    ("sku", Leaf),
    ("name", Leaf),
    ("category", Leaf),
    ("price", Leaf),
    ("quantity", Leaf),
]);

/// The customer.
pub const PROFILE: Shape = Fields(&[
    ("id", Leaf),
    ("traits", Any),
    ("features", Features),
    (
        "cart",
        Fields(&[
            ("value", Leaf),
            ("currency", Leaf),
            ("items", ListOf(&ITEM)),
            ("item_count", Leaf),
            ("updated_at", Leaf),
        ]),
    ),
    (
        "session",
        Fields(&[
            ("index", Leaf),
            ("started_at", Leaf),
            ("last_at", Leaf),
            ("n_events", Leaf),
        ]),
    ),
    ("consent", Any),
]);

/// An event.
pub const EVENT: Shape = Fields(&[
    ("name", Leaf),
    ("type", Leaf),
    ("id", Leaf),
    ("timestamp", Leaf),
    ("properties", Any),
    ("traits", Any),
    ("context", Any),
]);

/// An offer.
pub const OFFER: Shape = Fields(&[("id", Leaf), ("value", Leaf), ("data", Any)]);
