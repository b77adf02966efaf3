//! What of the policies no test reaches.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use crate::cli::test::suite::Report;
use crate::cli::test::world::Line;
use crate::domain::{Trace, What};
use crate::policy::journey::{Act, Journey, Step};
use crate::policy::test::word;
use crate::policy::{Bundle, Place};

/// Everything that a test can reach, and whether one does.
pub struct Coverage {
    /// By journey; offers stand behind all journeys.
    parts: Vec<(Arc<str>, Vec<Point>)>,
}

/// One thing that a test can reach.
struct Point {
    what: String,
    place: Place,
    is_reached: bool,
}

/// What tests have reached.
#[derive(Default)]
struct Reached {
    /// Steps by journey and label.
    steps: BTreeSet<(Arc<str>, Arc<str>)>,
    /// Arms by journey, label and name.
    arms: BTreeSet<(Arc<str>, Arc<str>, Arc<str>)>,
    /// Reasons by journey.
    reasons: BTreeSet<(Arc<str>, Arc<str>)>,
    offers: BTreeSet<Arc<str>>,
}

impl Coverage {
    /// Counts what reports have reached of policies.
    pub fn of(bundle: &Bundle, reports: &[Report<'_>]) -> Self {
        let reached = Reached::by(reports);
        let journeys = bundle.journeys.iter();
        let mut parts: Vec<_> = journeys
            .map(|journey| (journey.name.clone(), reached.journey(journey)))
            .collect();
        let offers = bundle.offers.values().map(|offer| Point {
            what: format!("offer `{}`", offer.id),
            place: offer.place.clone(),
            is_reached: reached.offers.contains(&offer.id),
        });
        let offers: Vec<Point> = offers.collect();
        if !offers.is_empty() {
            parts.push(("offers".into(), offers));
        }
        Self { parts }
    }

    /// Returns how much is reached, in percent; all of nothing.
    pub fn percent(&self) -> f64 {
        let points = self.parts.iter().flat_map(|(_, points)| points);
        percent(
            points.clone().filter(|it| it.is_reached).count(),
            points.count(),
        )
    }

    /// Writes a line for each journey, and what is not reached.
    pub fn table(&self) -> String {
        let mut out = String::from("coverage: steps, arms, exits and goals of journeys, offers\n");
        for (name, points) in &self.parts {
            let n_reached = points.iter().filter(|it| it.is_reached).count();
            let share = percent(n_reached, points.len());
            // INVARIANT: writing to a string does not fail.
            let _ = writeln!(
                out,
                "{share:>6.1}%  {name} ({n_reached} of {})",
                points.len()
            );
            for point in points.iter().filter(|it| !it.is_reached) {
                let _ = writeln!(
                    out,
                    "           not reached: {}  {}",
                    point.what, point.place
                );
            }
        }
        let _ = write!(out, "{:>6.1}%  in all", self.percent());
        out
    }
}

#[expect(clippy::cast_precision_loss, reason = "there are fewer than 2^52")]
fn percent(n: usize, of: usize) -> f64 {
    if of == 0 {
        return 100.0;
    }
    n as f64 / of as f64 * 100.0
}

impl Reached {
    fn by(reports: &[Report<'_>]) -> Self {
        let mut reached = Self::default();
        for line in reports.iter().flat_map(|report| &report.log) {
            if let Line::Trace(trace) = line {
                reached.learn(trace);
            }
        }
        reached
    }

    fn learn(&mut self, trace: &Trace) {
        let journey = &trace.subject;
        let step = (journey.clone(), trace.step.clone());
        match &trace.what {
            What::Took(arm, _) | What::Dealt(arm, _) => {
                self.arms
                    .insert((journey.clone(), trace.step.clone(), arm.clone()));
            }
            What::Left(reason) => {
                self.reasons.insert((journey.clone(), reason.clone()));
            }
            What::Ranked(chosen, _) => self.offers.extend(chosen.iter().cloned()),
            What::Entered
            | What::Refused(..)
            | What::Waits(_)
            | What::Woke
            | What::Scored(..)
            | What::Sent(..)
            | What::Blocked(..)
            | What::Set(_)
            | What::Crossed(..)
            | What::Aimed(..)
            | What::Missed(..)
            | What::Met(..)
            | What::WouldSend(..)
            | What::WouldSet(_)
            | What::Migrated(_)
            | What::Told(..)
            | What::Untold(..)
            | What::Unkept(..) => {}
        }
        self.steps.insert(step);
    }

    fn journey(&self, journey: &Journey) -> Vec<Point> {
        let mut points = Vec::new();
        let ends = |reason: &Arc<str>| {
            let end = (journey.name.clone(), reason.clone());
            self.reasons.contains(&end)
        };
        if let Some(goal) = &journey.goal {
            points.push(Point {
                what: format!("goal `{}`", goal.event),
                place: journey.place.clone(),
                is_reached: ends(&"converted".into()),
            });
        }
        for exit in &journey.exits {
            let place = exit.when.first().map(|when| &when.place);
            points.push(Point {
                what: format!("exit `{}`", exit.reason),
                place: place.unwrap_or(&journey.place).clone(),
                is_reached: ends(&exit.reason),
            });
        }
        for step in &journey.flow {
            self.step(journey, step, &mut points);
        }
        points
    }

    fn step(&self, journey: &Journey, step: &Step, points: &mut Vec<Point>) {
        let key = (journey.name.clone(), step.label.clone());
        points.push(Point {
            what: format!("step {} {}", step.label, word(&step.act)),
            place: step.place.clone(),
            is_reached: self.steps.contains(&key),
        });
        for (arm, place) in arms(step) {
            let key = (journey.name.clone(), step.label.clone(), arm.clone());
            points.push(Point {
                what: format!("arm {arm} of step {} {}", step.label, word(&step.act)),
                place,
                is_reached: self.arms.contains(&key),
            });
        }
    }
}

/// Returns the arms of a step, each with its place.
fn arms(step: &Step) -> Vec<(Arc<str>, Place)> {
    let own = |name: &str| (Arc::from(name), step.place.clone());
    match &step.act {
        Act::Branch { arms, .. } => {
            let named = arms.iter().enumerate();
            let named = named.map(|(idx, (when, _))| (idx.to_string().into(), when.place.clone()));
            named.chain([own("otherwise")]).collect()
        }
        Act::WaitFor { arms, .. } => {
            let numbers = (0..arms.len()).map(|idx| own(&idx.to_string()));
            numbers.chain([own("otherwise")]).collect()
        }
        Act::Split { arms, .. } => arms.iter().map(|share| own(&share.name)).collect(),
        Act::Wait(_)
        | Act::HoldUntil { .. }
        | Act::Score { .. }
        | Act::Offer { .. }
        | Act::Send(_)
        | Act::Set(_)
        | Act::Stop { .. } => Vec::new(),
    }
}
