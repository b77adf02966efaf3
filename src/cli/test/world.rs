//! One test under way: a customer on a virtual clock, and everything that was decided.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::actors::scorer::answer;
use crate::decide::drive::{self, Moment, Outcome};
use crate::decide::{Ask, Cause, Outside, Request, Scores, Scoring, handle};
use crate::domain::budget::Till;
use crate::domain::learning::Tallies;
use crate::domain::{
    Action, Answer, Duration, Event, Fact, Profile, Score, Timestamp, Trace, Value, consent,
};
use crate::policy::Bundle;
use crate::policy::journey::{Act, Journey};
use crate::policy::test::{Customer, Happening, Script, Test, channels};
use crate::scoring::Scorer;

/// A line of the log: what came in, or what was decided.
#[derive(Clone, Debug)]
pub enum Line {
    /// An event, when it was handled.
    Event(Timestamp, Event),
    /// Somebody asked for offers of a placement.
    Asked(Timestamp, Arc<str>, Value),
    /// A decision.
    Trace(Trace),
}

/// A customer and what was decided so far.
pub struct World<'a> {
    /// The test.
    pub test: &'a Test,
    /// The policies, with the arms that the test fixes.
    pub bundle: Cow<'a, Bundle>,
    /// The customer.
    pub profile: Profile,
    /// What came in and what was decided, in order.
    pub log: Vec<Line>,
    /// What left, in order.
    pub actions: Vec<Action>,
    /// What was ranked, in order.
    pub answers: Vec<Arc<Answer>>,
    /// Up to where in the log the last expectation of a kind has looked, by its key and journey.
    pub looked: BTreeMap<(&'static str, Option<Arc<str>>), usize>,
    /// What the outcomes so far have taught.
    learnt: Tallies,
    /// What budgets have given; the customer of the test is the only one.
    till: Till,
    scorer: &'a dyn Scorer,
}

impl<'a> World<'a> {
    /// Makes the customer of a test known.
    ///
    /// - `bundle`: policies in which nobody is held out.
    /// - `scorer`: the models that tests run for real.
    pub fn new(bundle: &'a Bundle, test: &'a Test, scorer: &'a dyn Scorer) -> Self {
        Self::start(fixed(bundle, test), test, scorer)
    }

    /// Makes the customer of a test known, who is held out and dealt to arms as the id is drawn.
    pub fn as_drawn(bundle: &'a Bundle, test: &'a Test, scorer: &'a dyn Scorer) -> Self {
        Self::start(Cow::Borrowed(bundle), test, scorer)
    }

    fn start(bundle: Cow<'a, Bundle>, test: &'a Test, scorer: &'a dyn Scorer) -> Self {
        let mut profile = customer(&bundle, &test.customer, test.start);
        drive::introduce(&bundle, &mut profile, test.start);
        Self {
            test,
            bundle,
            profile,
            log: Vec::new(),
            actions: Vec::new(),
            answers: Vec::new(),
            looked: BTreeMap::new(),
            learnt: Tallies::default(),
            till: Till::default(),
            scorer,
        }
    }

    /// Lets something happen, after everything that was due before.
    pub fn happen(&mut self, at: Duration, what: &Happening) {
        let now = self.test.start + at;
        self.wake(now - Duration::from_millis(1), now);
        match what {
            Happening::Event(event) => {
                self.log.push(Line::Event(now, (**event).clone()));
                self.handle(&Cause::Event((**event).clone()), now);
            }
            Happening::Ask {
                id,
                placement,
                context,
                limit,
                ..
            } => {
                let line = Line::Asked(now, placement.clone(), context.clone());
                self.log.push(line);
                let ask = Ask {
                    id: id.clone(),
                    placement: placement.clone(),
                    context: context.clone(),
                    limit: *limit,
                    stranger: false,
                };
                self.handle(&Cause::Ask(ask), now);
            }
        }
    }

    /// Lets time go on; what is due up to and including then has fired.
    pub fn pass(&mut self, at: Duration) {
        let now = self.test.start + at;
        self.wake(now, now);
    }

    /// Returns the decisions in the log from a place on.
    pub fn traces(&self, from: usize) -> impl DoubleEndedIterator<Item = &Trace> {
        self.log[from..].iter().filter_map(|line| {
            if let Line::Trace(trace) = line {
                Some(trace)
            } else {
                None
            }
        })
    }

    fn wake(&mut self, upto: Timestamp, now: Timestamp) {
        self.handle(&Cause::Wake(upto), now);
    }

    fn handle(&mut self, cause: &Cause, now: Timestamp) {
        let (models, scorer) = (&self.test.models, self.scorer);
        let scoring: Scoring<'_> = &|requests| scores(models, scorer, requests);
        let moment = Moment { now, at_due: true };
        let outside = Outside {
            scoring,
            learnt: &self.learnt,
            purse: &self.till,
        };
        let outcome = handle(
            &self.bundle,
            &mut self.profile,
            cause,
            moment,
            None,
            outside,
        );
        self.learn(outcome);
    }

    fn learn(&mut self, outcome: Outcome) {
        let traces = outcome.facts.iter().filter_map(Fact::as_trace);
        self.log.extend(traces.cloned().map(Line::Trace));
        self.till.settle(&outcome.spent);
        for update in &outcome.updates {
            self.learnt.apply(update);
        }
        self.actions.extend(outcome.actions);
        self.answers.extend(outcome.answers);
    }
}

/// Returns policies in which nobody is held out, which is what tests expect unless they say otherwise.
pub fn without_holdouts(mut bundle: Bundle) -> Bundle {
    for journey in &mut bundle.journeys {
        journey.holdout = 0.0;
    }
    for placement in bundle.placements.values_mut() {
        placement.learning.undivided();
    }
    bundle
}

/// Fixes what a test does not leave to the draw: an arm that is certain has the whole share.
fn fixed<'a>(bundle: &'a Bundle, test: &Test) -> Cow<'a, Bundle> {
    if !test.held_out && test.dealt.is_empty() {
        return Cow::Borrowed(bundle);
    }
    let mut bundle = bundle.clone();
    let concerns = |name: &Arc<str>| test.journey.as_ref().is_none_or(|own| own == name);
    let concerned = bundle.journeys.iter_mut();
    for journey in concerned.filter(|journey| concerns(&journey.name)) {
        journey.holdout = if test.held_out { 1.0 } else { 0.0 };
        for (label, arm) in &test.dealt {
            deal(journey, label, arm);
        }
    }
    Cow::Owned(bundle)
}

fn deal(journey: &mut Journey, label: &str, arm: &str) {
    let mut flow = journey.flow.iter_mut();
    let step = flow.find(|step| step.label.as_ref() == label);
    if let Some(Act::Split { arms, .. }) = step.map(|step| &mut step.act) {
        arms.retain(|share| share.name.as_ref() == arm);
        for share in arms {
            share.end = 1.0;
        }
    }
}

fn customer(bundle: &Bundle, given: &Customer, start: Timestamp) -> Profile {
    let mut profile = Profile::new(given.id.clone());
    for (name, value) in given.traits.iter() {
        profile.apply(&Fact::Trait(name.into(), value.clone()));
    }
    let declared = bundle.limits.channels.keys();
    for channel in channels(&bundle.journeys).into_iter().chain(declared) {
        let listed = given.reachable.as_ref();
        if listed.is_none_or(|listed| listed.contains(channel)) {
            address(bundle, given, channel, &mut profile);
        }
    }
    let before = start - Duration::from_millis(1);
    let said = (given.consent != Value::Null).then(|| consent::of_trait(&given.consent, before));
    for said in said.into_iter().flatten() {
        profile.apply(&Fact::Consented(said));
    }
    profile
}

/// Gives the customer an address on a channel, unless the test says something of it.
fn address(bundle: &Bundle, given: &Customer, channel: &str, profile: &mut Profile) {
    let path = bundle.limits.channel(channel).address;
    let Some(first) = path
        .first()
        .filter(|first| given.traits.get(first).is_none())
    else {
        return;
    };
    let id = given.id.as_str();
    let address = match first.as_ref() {
        "email" => format!("{id}@example.org"),
        _ => format!("{channel} of {id}"),
    };
    let fact = Fact::Trait(path.join(".").into(), Value::text(&address));
    profile.apply(&fact);
}

fn scores(
    models: &BTreeMap<Arc<str>, Script>,
    scorer: &dyn Scorer,
    requests: &[Request],
) -> Scores {
    let of = |request: &Request| {
        let script = models.get(&request.model);
        (request.model.clone(), score(script, scorer, request))
    };
    requests.iter().map(of).collect()
}

fn score(script: Option<&Script>, scorer: &dyn Scorer, request: &Request) -> Vec<Score> {
    let same = |score: Score| vec![score; request.rows.len()];
    match script {
        Some(Script::Score(score)) => same(Score::Value(*score)),
        Some(Script::Unknown) => same(Score::unavailable("the test says so")),
        Some(Script::Offers(by_offer)) => {
            let none = || Score::unavailable("the test says nothing of this offer");
            let of = |offer| {
                by_offer
                    .get(offer)
                    .map_or_else(none, |it| Score::Value(*it))
            };
            request.offers.iter().map(of).collect()
        }
        Some(Script::Real) => answer(scorer, request),
        None => same(Score::unavailable("the test says nothing of this model")),
    }
}
