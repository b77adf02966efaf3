//! Features: behavioural state, declared once for expressions and models alike.

use std::sync::Arc;

use crate::domain::Duration;
use crate::policy::bundle::Place;
use crate::policy::expr::Expr;

/// One feature. Its state in a profile is kept under [`Feature::id`], so it survives a change of everything else.
#[derive(Clone, Debug)]
pub struct Feature {
    /// Hash of what the feature folds (event, filter, fold, property; for `Session` also the window), stable by definition.
    pub id: u64,
    /// The declared name; `None` for a feature that an expression implies.
    pub name: Option<Arc<str>>,
    /// What is folded.
    pub fold: Fold,
    /// The event: the name of a track event, or `page`, `screen`, `identify`, `group`, `alias`.
    pub event: Arc<str>,
    /// Only events for which all of these are true.
    pub filter: Vec<Expr>,
    /// Over what.
    pub window: Window,
    /// The most events, or different values, that are remembered; where more would count, the feature is unknown.
    pub n_max: u32,
    /// Where it stands.
    pub place: Place,
}

impl Feature {
    /// How many events, or different values, a feature remembers unless it says otherwise.
    pub const N_MAX: u32 = 512;
    /// The most that a feature may ask for: 16 bytes each.
    pub const N_MAX_MAX: u32 = 16_384;

    /// Writes how an expression asks for the feature.
    ///
    /// - `window`: the window that the expression asks for, if it is not the feature's own.
    pub fn asked(&self, window: Option<Duration>) -> String {
        let is_own = |window| self.window == Window::Sliding(window);
        if let Some(name) = &self.name
            && window.is_none_or(is_own)
        {
            return format!("profile.features.{name}");
        }
        let own = match self.window {
            Window::Lifetime => None,
            Window::Session => Some("session".to_owned()),
            Window::Sliding(length) => Some(window.unwrap_or(length).to_string()),
        };
        let function = self.fold.as_str();
        let property = self
            .fold
            .of()
            .map(|of| of.text.trim_start_matches("event.properties.").to_owned());
        let arguments = [Some(self.event.to_string()), property, own];
        let quoted = arguments.into_iter().flatten();
        let quoted: Vec<String> = quoted.map(|word| format!("'{word}'")).collect();
        format!("{function}({})", quoted.join(", "))
    }
}

/// What a feature folds its events to.
#[derive(Clone, Debug)]
pub enum Fold {
    /// How many.
    Count,
    /// The sum of an expression over the event; an unknown one adds nothing.
    Sum(Expr),
    /// The first value of an expression; without one the time of the event.
    First(Option<Expr>),
    /// The last value of an expression; without one the time of the event.
    Last(Option<Expr>),
    /// How many different values of an expression.
    Distinct(Expr),
    /// Seconds from the event to the customer's next event in the session.
    Dwell,
    /// Milliseconds since the last one.
    Recency,
    /// The least value of an expression.
    Least(Expr),
    /// The greatest value of an expression.
    Most(Expr),
    /// The mean of an expression.
    Average(Expr),
    /// The most frequent value of an expression, of equally frequent ones the one seen last.
    Mode(Expr),
}

impl Fold {
    /// Returns the word of the policy.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Sum(_) => "sum",
            Self::First(_) => "first",
            Self::Last(_) => "last",
            Self::Distinct(_) => "distinct",
            Self::Dwell => "dwell",
            Self::Recency => "recency",
            Self::Least(_) => "min",
            Self::Most(_) => "max",
            Self::Average(_) => "average",
            Self::Mode(_) => "mode",
        }
    }

    /// Returns the expression whose values are folded, if there is one.
    pub const fn of(&self) -> Option<&Expr> {
        match self {
            Self::Sum(of)
            | Self::Distinct(of)
            | Self::Least(of)
            | Self::Most(of)
            | Self::Average(of)
            | Self::Mode(of) => Some(of),
            Self::First(of) | Self::Last(of) => of.as_ref(),
            Self::Count | Self::Dwell | Self::Recency => None,
        }
    }
}

/// Over what a feature is folded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// Since the customer is known.
    Lifetime,
    /// The current session: until 30 minutes of silence.
    Session,
    /// The last so long, exact to the event. The longest that anything asks of the feature.
    Sliding(Duration),
}
