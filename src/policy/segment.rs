//! Segments: who is in is a state of the customer, looked at again only when something it depends on changed.

use std::sync::Arc;

use crate::policy::bundle::Place;
use crate::policy::depends::Depends;
use crate::policy::expr::Expr;

/// One segment.
#[derive(Clone, Debug)]
pub struct Segment {
    /// Unique among segments; letters, digits, `-` and `_` (it is a token of NATS subjects).
    pub name: Arc<str>,
    /// Who is in: all must be true; unknown counts as false.
    pub when: Vec<Expr>,
    /// Whether entering and leaving are published.
    pub publish: bool,
    /// Whether anybody asks: it is published, or an expression, a trigger or another such segment names it. Nobody
    /// keeps up with a segment that is of no use.
    pub used: bool,
    /// Whether only shadows ask: then crossings of it are counted apart, so that they change nothing for others.
    pub for_shadows: bool,
    /// What can change who is in, beside the passing of time; of the segments it asks, too.
    pub depends: Depends,
    /// Segments to look at again when this one has changed: indexes into [`crate::policy::Bundle::segments`], sorted.
    pub dependents: Vec<usize>,
    /// Where it stands.
    pub place: Place,
}
