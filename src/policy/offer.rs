//! Offers, their groups, and placements: what can be shown and where.

use std::sync::Arc;

use crate::domain::budget::Per;
use crate::domain::outcome::Kind;
use crate::domain::{Duration, Timestamp, Value, Zone};
use crate::policy::bundle::Place;
use crate::policy::eligibility::Index;
use crate::policy::expr::Expr;
use crate::policy::learner::Learning;

/// Something that can be shown.
#[derive(Clone, Debug)]
pub struct Offer {
    /// Unique among offers.
    pub id: Arc<str>,
    /// Where it may be shown.
    pub placements: Vec<Arc<str>>,
    /// The groups that it is in, as the author wrote them.
    pub groups: Vec<Arc<str>>,
    /// Who may have it, and when.
    pub engagement: Engagement,
    /// What it is worth when accepted: V.
    pub value: Expr,
    /// Its lever in percent: part of L.
    pub weight: f64,
    /// The model of its propensity, if not the placement's.
    pub model: Option<Arc<str>>,
    /// At most so many for a customer in any window of that length; exact.
    pub cap: Option<Cap>,
    /// At most so many for everybody together in a period; exact.
    pub budget: Option<Budget>,
    /// What consent it needs where its placement belongs to a channel; `None`: as the placement says.
    pub purpose: Option<Arc<str>>,
    /// What the receiver gets with it.
    pub data: Value,
    /// Where it stands.
    pub place: Place,
}

/// Offers that have something in common.
#[derive(Clone, Debug)]
pub struct Group {
    /// Unique among groups.
    pub name: Arc<str>,
    /// Its lever in percent: part of L of its offers.
    pub weight: f64,
    /// Who may have its offers, and when.
    pub engagement: Engagement,
    /// Where it stands.
    pub place: Place,
}

/// The stages that a candidate must pass, of an offer or of a group; all conditions must be true, unknown counts as false.
#[derive(Clone, Debug, Default)]
pub struct Engagement {
    /// From when on.
    pub from: Option<Date>,
    /// Until when; from that moment on no more.
    pub until: Option<Date>,
    /// Whether the customer may have it at all.
    pub eligible: Vec<Expr>,
    /// Whether it makes sense now.
    pub applicable: Vec<Expr>,
    /// Whether it is in the customer's interest.
    pub suitable: Vec<Expr>,
    /// How much of it is too much.
    pub contact: Vec<ContactPolicy>,
}

impl Engagement {
    /// Returns every condition, stage by stage.
    pub fn conditions(&self) -> impl Iterator<Item = &Expr> {
        let stages = [&self.eligible, &self.applicable, &self.suitable];
        stages.into_iter().flatten()
    }
}

/// A moment, in the customer's zone unless its text has an offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Date {
    /// As the author wrote it.
    pub text: Arc<str>,
    /// What clocks show then: RFC 3339, or a date with or without a time.
    pub shown: Arc<str>,
    /// The moment, if no zone is needed; else the moment in UTC, from which the one of any zone is less than [`Date::ZONES`] away.
    pub utc: Timestamp,
    /// Whether it is the same moment everywhere.
    pub absolute: bool,
}

impl Date {
    /// How far a moment by the clocks of a zone can be from the one by those of UTC.
    pub const ZONES: Duration = Duration::from_secs(27 * 3_600);
}

/// `3 impressions per 7d without click`, then nothing for 14 days.
#[derive(Clone, Debug, PartialEq)]
pub struct ContactPolicy {
    /// How many responses are too many, at least 1.
    pub n: u32,
    /// Of which kind.
    pub kind: Kind,
    /// Within which time.
    pub per: Duration,
    /// Such a response, since the first of those that count, lifts it.
    pub without: Option<Kind>,
    /// For how long nothing is given from the last of them on.
    pub suppress: Duration,
    /// `after` as the author wrote it.
    pub text: Arc<str>,
    /// Where it stands.
    pub place: Place,
}

impl ContactPolicy {
    /// Tells if responses of this kind change anything.
    pub fn counts(&self, kind: Kind) -> bool {
        self.kind == kind || self.without == Some(kind)
    }

    /// Returns how long responses matter.
    pub fn keep(&self) -> Duration {
        Duration::from_millis(
            self.per
                .as_millis()
                .saturating_add(self.suppress.as_millis()),
        )
    }
}

/// `3 per 7d`: at most `n` within any `per`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cap {
    /// How many; 0 means none.
    pub n: u32,
    /// The length of the sliding window.
    pub per: Duration,
}

/// `500 per day`: at most so many for everybody together.
#[derive(Clone, Debug, PartialEq)]
pub struct Budget {
    /// How many; 0 means none.
    pub limit: u64,
    /// In which period.
    pub per: Per,
    /// Whose calendar counts; `None`: the workspace's.
    pub zone: Option<Zone>,
}

/// `500 per day in Europe/Berlin`.
impl std::fmt::Display for Budget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.limit, self.per)?;
        match &self.zone {
            Some(zone) => write!(f, " in {}", zone.name()),
            None => Ok(()),
        }
    }
}

/// Where offers compete.
#[derive(Clone, Debug)]
pub struct Placement {
    /// Unique among placements; a token of NATS subjects.
    pub name: Arc<str>,
    /// The model of the propensity; without one P is 1.
    pub model: Option<Arc<str>>,
    /// The priority of an offer, over `p`, `offer`, `profile`, `context`; default P × C × V × L.
    pub rank: Option<Expr>,
    /// Which factors count where there is no `rank`.
    pub factors: Vec<Factor>,
    /// What raises offers in a situation: C.
    pub context_weights: Vec<ContextWeight>,
    /// How young propensities are smoothed; `None`: they are taken as they are.
    pub smoothing: Option<Smoothing>,
    /// Groups in the order in which places are filled; what is in none of them comes last. Empty: all offers compete.
    pub groups: Vec<Arc<str>>,
    /// How many offers of an answer may be alike.
    pub diversity: Vec<Diversity>,
    /// How much of what is shown here is too much.
    pub contact: Vec<ContactPolicy>,
    /// The channel that the answer is for: consent and suppression are asked; `None`: nobody is written to.
    pub channel: Option<Arc<str>>,
    /// What consent is needed; marketing unless it says so.
    pub purpose: Option<Arc<str>>,
    /// At most so many offers in an answer; default 1.
    pub limit: u32,
    /// How long after a decision its outcomes count.
    pub attribution: Duration,
    /// The offer to give when nothing qualifies.
    pub fallback: Option<Arc<str>>,
    /// How it learns, and what is compared.
    pub learning: Learning,
    /// The offers that name this placement, by id.
    pub offers: Vec<Arc<Offer>>,
    /// Which of them wait for which value; `None`: each one is asked.
    pub index: Option<Index>,
    /// Where it stands.
    pub place: Place,
}

/// A factor of a priority; one that does not count is 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Factor {
    /// P.
    Propensity,
    /// C.
    Context,
    /// V.
    Value,
    /// L.
    Levers,
}

impl Factor {
    /// All of them by name.
    pub const ALL: [(&'static str, Self); 4] = [
        ("propensity", Self::Propensity),
        ("context", Self::Context),
        ("value", Self::Value),
        ("levers", Self::Levers),
    ];
}

/// `+100% if context.page == 'cards'`.
#[derive(Clone, Debug)]
pub struct ContextWeight {
    /// When; unknown counts as false.
    pub when: Expr,
    /// Percent.
    pub weight: f64,
}

/// What a propensity starts from before there is evidence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Smoothing {
    /// As much evidence the start is worth: SE, in outcomes.
    pub evidence: f64,
    /// Where it starts: SP, in `[0, 1]`.
    pub propensity: f64,
}

/// At most `n` offers of an answer share what is behind `key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diversity {
    /// What they share.
    pub key: Key,
    /// How many may.
    pub n: u32,
}

/// What offers may share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// A group.
    Group,
    /// The value at a path of their data.
    Data(Vec<Arc<str>>),
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Group => f.write_str("group"),
            Self::Data(path) => write!(f, "data.{}", path.join(".")),
        }
    }
}

impl Placement {
    /// Returns an offer of the placement by its id.
    pub fn offer(&self, id: &str) -> Option<&Offer> {
        let idx = self.offers.binary_search_by(|offer| (*offer.id).cmp(id));
        idx.ok().map(|idx| self.offers[idx].as_ref())
    }

    /// Returns the offers of the placement, each with the group whose evidence it begins with: its first.
    pub fn members(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let offers = self.offers.iter();
        offers.map(|offer| (offer.id.as_ref(), offer.groups.first().map(AsRef::as_ref)))
    }
}
