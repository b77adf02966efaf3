//! Walks over the tree of an expression.

use crate::policy::expr::{Node, Root};

impl Node {
    /// Returns the parts of a node, in the order in which they are written.
    pub fn parts(&self) -> Vec<&Self> {
        match self {
            Self::Literal(_) | Self::Root(_) | Self::Feature(..) | Self::InSegment(_) => Vec::new(),
            Self::Member(inner, _)
            | Self::Matches(inner, _)
            | Self::Not(inner)
            | Self::Negate(inner)
            | Self::Has(inner) => vec![inner],
            Self::Index(a, b) | Self::Binary(_, a, b) | Self::Each(_, a, _, b) => vec![a, b],
            Self::If(a, b, c) => vec![a, b, c],
            Self::List(items) | Self::Call(_, items) => items.iter().collect(),
            Self::Map(pairs) => pairs.iter().map(|(_, value)| value).collect(),
        }
    }

    /// Tells if this is true of the node or of any part of it, however deep.
    pub fn any(&self, fits: &dyn Fn(&Self) -> bool) -> bool {
        fits(self) || self.parts().into_iter().any(|part| part.any(fits))
    }

    /// Tells if an expression looks at a root.
    pub fn uses(&self, root: &Root) -> bool {
        self.any(&|node| matches!(node, Self::Root(used) if used == root))
    }
}
