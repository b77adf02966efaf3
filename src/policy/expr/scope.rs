//! What is at hand where an expression stands.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::policy::expr::Root;
use crate::policy::expr::shape::Shape;
use crate::policy::schema::Schemas;

/// The surroundings of an expression.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// Where it stands.
    pub site: Site,
    /// Results of earlier steps.
    pub locals: &'a [Arc<str>],
}

/// What is known about the values that an expression looks at.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// The shapes of events and customers.
    pub schemas: &'a Schemas,
    /// The name of the event being handled, if it can only be one.
    pub event: Option<&'a str>,
    /// The name of the event that entered, if it can only be one.
    pub entry: Option<&'a str>,
    /// Results of earlier steps.
    pub locals: &'a BTreeMap<Arc<str>, Shape>,
}

/// Where an expression stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Site {
    /// In the definition of a feature: nothing but the event.
    Feature,
    /// In the conditions of a segment: nothing but the customer.
    Segment,
    /// In `enter`.
    Enter,
    /// In `goal`, `exit` and the triggers of `hold_until`.
    Watch,
    /// In a step.
    Step,
    /// In a group of offers.
    Group,
    /// In an offer.
    Offer,
    /// In the `rank` of a placement.
    Rank,
    /// In a model manifest.
    Model,
    /// In no policy: somebody asks.
    Question,
}

/// Every root by name.
pub const ROOTS: [(&str, Root); 6] = [
    ("profile", Root::Profile),
    ("event", Root::Event),
    ("entry", Root::Entry),
    ("context", Root::Context),
    ("offer", Root::Offer),
    ("p", Root::Propensity),
];

impl Site {
    /// Describes the place in a message.
    pub fn name(self) -> &'static str {
        match self {
            Self::Feature => "the definition of a feature",
            Self::Segment => "a segment",
            Self::Enter => "`enter`",
            Self::Watch => "a goal, an exit or a trigger",
            Self::Step => "a step",
            Self::Group => "a group",
            Self::Offer => "an offer",
            Self::Rank => "`rank`",
            Self::Model => "a model manifest",
            Self::Question => "a question about a customer",
        }
    }

    /// Tells if a root is at hand.
    pub fn has(self, root: &Root) -> bool {
        let decides = matches!(self, Self::Offer | Self::Rank | Self::Model);
        match root {
            Root::Profile => self != Self::Feature,
            Root::Event => matches!(
                self,
                Self::Feature | Self::Enter | Self::Watch | Self::Question
            ),
            Root::Entry => matches!(self, Self::Watch | Self::Step),
            Root::Context => decides || matches!(self, Self::Group | Self::Question),
            Root::Offer => decides,
            Root::Propensity => self == Self::Rank,
            Root::Local(_) => true,
        }
    }

    /// Says what to write instead of a root that is not at hand.
    pub fn instead_of(self, root: &Root) -> &'static str {
        match (root, self) {
            (Root::Profile, _) => {
                "a feature looks at its event only, so that histories can be merged: put the condition where the \
                 feature is used"
            }
            (Root::Event | Root::Context, Self::Segment) => {
                "who is in a segment depends on the customer alone: declare a feature over the event"
            }
            (Root::Event, Self::Step) => "use `entry`, the event that entered",
            (Root::Event, _) => "use `profile`, or `context` for what the request brings",
            (Root::Entry, Self::Enter) => "use `event`: it is about to enter",
            (Root::Entry, _) => "`entry` belongs to journeys",
            (Root::Context, Self::Enter | Self::Watch) => {
                "`context` comes with a request for a decision; the event's own is `event.context`"
            }
            (Root::Context, _) => {
                "`context` comes with a request for a decision; the entry's own is `entry.context`"
            }
            (Root::Offer, Self::Group) => {
                "a group is asked once for all its offers: put the condition into the offers"
            }
            (Root::Offer, _) => {
                "`offer` belongs to offers, placements and model manifests; a journey reads the result of its \
                 `offer` step by the name after `as`"
            }
            (Root::Propensity, _) => "`p` belongs to the `rank` of a placement",
            (Root::Local(_), _) => "it is the result of a step",
        }
    }
}
