//! The core: one pure function from what is known and what comes in to what follows.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::decide::contest::{Parked, Winner};
use crate::decide::send::Settled;
use crate::decide::{absences, journeys, migrate, observe, offers, run, segments};
use crate::domain::answer::Inputs;
use crate::domain::budget::{Claim, Refusal};
use crate::domain::learning::{Tallies, Update};
use crate::domain::{
    Action, Answer, Cell, Crossing, Event, Fact, Profile, Score, Timer, Timestamp, Value,
};
use crate::policy::Bundle;

/// What one step is about.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// What is to be decided.
    pub stage: Stage<'a>,
    /// What models were asked before, and what they said.
    pub said: &'a Said,
    /// What the step asked of budgets before.
    pub budgets: &'a Budgets,
    /// What all outcomes have taught so far.
    pub learnt: &'a Tallies,
    /// W3C trace context of what came in.
    pub traceparent: Option<&'a Arc<str>>,
}

/// The stages that an input goes through; each sees the customer after the one before.
#[derive(Clone, Copy)]
pub enum Stage<'a> {
    /// An event is learnt.
    Observe(&'a Event),
    /// The journeys hear of an event that was learnt.
    React(&'a Event),
    /// The sleep of a run is over.
    Wake(u32),
    /// A run goes on from where it stands.
    Run(u32),
    /// A parked send goes, or the one that won its channel goes in its place.
    Settle(&'a Parked, Option<&'a Winner>),
    /// Somebody asks for offers.
    Ask(&'a Ask),
    /// Other policies are in force than those that segments and timers follow.
    Renew(Spur<'a>),
    /// Who is in the segment of this index may have changed.
    Look(usize, Spur<'a>),
    /// The journeys hear that the edge of a segment was crossed.
    Crossed(Crossed<'a>),
    /// The live policies may take over runs of earlier revisions.
    Migrate,
    /// An absence was long enough, or the time of a schedule has come.
    Fire(&'a Timer),
}

/// What led to something: an event, a timer, or (none of both) a decide call or a step of a journey.
#[derive(Clone, Copy, Default)]
pub struct Spur<'a> {
    /// The event that is handled.
    pub event: Option<&'a Event>,
    /// When the timer was due.
    pub due: Option<Timestamp>,
}

/// A crossing that the journeys hear of.
#[derive(Clone, Copy)]
pub struct Crossed<'a> {
    /// What was crossed.
    pub crossing: &'a Crossing,
    /// The event that is handled.
    pub event: Option<&'a Event>,
    /// Whether it may enter anybody.
    pub enters: bool,
}

/// A decide call.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// What makes the decision's id: equal calls get equal ids.
    pub id: Arc<str>,
    /// The placement to fill.
    pub placement: Arc<str>,
    /// What the caller knows.
    pub context: Value,
    /// At most so many offers, if fewer than the placement allows.
    pub limit: Option<u32>,
    /// Nothing is known of the customer, and nothing will be of this call: an answer by context and placement alone.
    pub stranger: bool,
}

/// Scores by model, one a row of the request.
pub type Scores = BTreeMap<Arc<str>, Vec<Score>>;

/// What models were asked, and what they said, by model.
pub type Said = BTreeMap<Arc<str>, Scored>;

/// What a model was asked, and what it said.
#[derive(Clone, Debug, PartialEq)]
pub struct Scored {
    /// What it was asked.
    pub request: Request,
    /// One score a row.
    pub scores: Vec<Score>,
}

/// What is known of the budgets of offers, by offer.
pub type Budgets = BTreeMap<Arc<str>, Found>;

/// What is known of the budget of an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// There is something left.
    Open,
    /// There is nothing left: it is out before anything is asked of it.
    Closed(Refusal),
    /// There was something left until it was to be given: others were faster.
    Missed(Refusal),
}

/// Rows that a model is to score.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The model's name.
    pub model: Arc<str>,
    /// Rows in the order of the manifest's inputs.
    pub rows: Vec<Arc<Inputs>>,
    /// The offer that each row is about; empty for a model that does not look at offers.
    pub offers: Vec<Arc<str>>,
}

impl Request {
    /// Returns the rows as a model takes them.
    pub fn cells(&self) -> Vec<&[Cell]> {
        self.rows.iter().map(|inputs| &inputs.row[..]).collect()
    }
}

/// What a step returns.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Something is missing: call again with it.
    Needs(Needs),
    /// It is decided, if the budgets give what is claimed.
    Done(Effects),
}

/// What a step asks of the outside.
#[derive(Clone, Debug, PartialEq)]
pub enum Needs {
    /// Scores: run the models.
    Scores(Vec<Request>),
    /// Whether budgets have something left.
    Budgets(Vec<Claim>),
}

/// What follows from a step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Effects {
    /// What the profile learns.
    pub facts: Vec<Fact>,
    /// What leaves for channels.
    pub actions: Vec<Action>,
    /// What was ranked.
    pub answers: Vec<Arc<Answer>>,
    /// The edges of segments that were crossed.
    pub crossings: Vec<Crossing>,
    /// Runs that are to go on, once the facts are applied.
    pub runs: Vec<u32>,
    /// What is added to tallies.
    pub updates: Vec<Update>,
    /// What must be given by budgets, all of it, or the step is called again with what was refused.
    pub claims: Vec<Claim>,
    /// Sends that wait until all runs of the moment have walked.
    pub parked: Vec<Parked>,
}

/// Decides what one stage of one input means for one customer.
///
/// Equal arguments give equal effects, so a log can be replayed and compared.
///
/// - `profile`: the customer after the stage before.
/// - `now`: logical time at which the input is handled.
pub fn step(bundle: &Bundle, profile: &Profile, input: Input<'_>, now: Timestamp) -> Step {
    match input.stage {
        Stage::Observe(event) => Step::Done(observe::observe(bundle, profile, event, now)),
        Stage::React(event) => Step::Done(journeys::react(bundle, profile, event, now)),
        Stage::Wake(number) => Step::Done(journeys::wake(bundle, profile, number, now)),
        Stage::Run(number) => run::run(bundle, profile, number, Settled::No, &input, now),
        Stage::Settle(parked, winner) => {
            let lost = |winner| Settled::Outranked(parked, winner);
            let settled = winner.map_or(Settled::Goes(parked), lost);
            run::run(bundle, profile, parked.run, settled, &input, now)
        }
        Stage::Renew(spur) => Step::Done(segments::renew(bundle, profile, spur, now)),
        Stage::Look(idx, spur) => Step::Done(segments::look(bundle, profile, idx, spur, now)),
        Stage::Migrate => Step::Done(migrate::migrate(bundle, profile, now)),
        Stage::Crossed(of) => Step::Done(journeys::crossed(bundle, profile, of, now)),
        Stage::Fire(timer) => Step::Done(absences::fire(bundle, profile, timer, now)),
        Stage::Ask(ask) => offers::ask(bundle, profile, ask, &input, now),
    }
}
