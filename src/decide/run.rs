//! Walks a run through its steps until it sleeps, ends, or has changed what later steps see.

use std::borrow::Cow;
use std::sync::Arc;

use crate::decide::draw::draw;
use crate::decide::env::Env;
use crate::decide::eval::{eval, truth};
use crate::decide::explain::detail;
use crate::decide::journeys::{at_step, in_run};
use crate::decide::room::Traits;
use crate::decide::send::Settled;
use crate::decide::step::{Effects, Input, Needs, Request, Step};
use crate::decide::wait::{self, Target};
use crate::decide::{inputs, offers, send};
use crate::domain::action::stable_id;
use crate::domain::instance::{Instance, Wait};
use crate::domain::{Fact, Map, Profile, Score, Timestamp, Trace, Value, What};
use crate::policy::Bundle;
use crate::policy::Expr;
use crate::policy::journey::{Act, Journey, Past, Share, Step as Node, Until};
use crate::policy::mode::Mode;

/// Goes on with a run from the step where it stands, or from the send that was settled.
pub fn run(
    bundle: &Bundle,
    profile: &Profile,
    number: u32,
    settled: Settled<'_>,
    input: &Input<'_>,
    now: Timestamp,
) -> Step {
    let Some(run) = profile.run(number) else {
        return Step::Done(Effects::default());
    };
    let Some(journey) = bundle.journey_of(run) else {
        return Step::Done(Effects::default());
    };
    let effects = Effects::default();
    let mut step = at_step(journey, settled.step().unwrap_or(&run.step));
    let mut walk = Walk {
        bundle,
        profile,
        journey,
        run,
        input,
        now,
        settled,
        effects,
    };
    loop {
        let Some(node) = step else {
            walk.leave(&run.step, "completed");
            break;
        };
        match walk.take(node) {
            Next::Go(next) => step = next.map(|idx| &journey.flow[idx]),
            Next::Pause => break,
            Next::Needs(needs) => return Step::Needs(needs),
        }
    }
    Step::Done(walk.effects)
}

/// One walk of one run.
pub struct Walk<'a> {
    /// The live policies.
    pub bundle: &'a Bundle,
    /// The customer.
    pub profile: &'a Profile,
    /// The run's journey.
    pub journey: &'a Journey,
    /// The run.
    pub run: &'a Instance,
    /// What came in.
    pub input: &'a Input<'a>,
    /// Logical time.
    pub now: Timestamp,
    /// What the contest of the moment says of the first send of the walk.
    pub settled: Settled<'a>,
    /// What follows so far.
    pub effects: Effects,
}

/// Where a walk goes after a step.
pub enum Next {
    /// On to that step; `None` completes the journey.
    Go(Option<usize>),
    /// The walk ends here.
    Pause,
    /// The step needs something.
    Needs(Needs),
}

impl<'a> Walk<'a> {
    fn take(&mut self, node: &'a Node) -> Next {
        match &node.act {
            Act::Wait(until) => self.wait(node, until),
            Act::WaitFor { within, .. } => self.sleep(node, self.now + *within),
            Act::Split { salt, arms, bind } => self.split(node, salt, arms, bind),
            Act::HoldUntil { quiet, max, .. } => {
                let length = max.map_or(*quiet, |max| max.min(*quiet));
                self.sleep(node, self.now + length)
            }
            Act::Score { model, bind } => self.score(node, model, bind),
            Act::Branch { arms, otherwise } => Next::Go(self.branch(node, arms, *otherwise)),
            Act::Offer { placement, bind } => self.offer(node, placement, bind),
            Act::Send(what) => send::send(self, node, what),
            Act::Set(values) => self.set(node, values),
            Act::Stop { reason } => {
                self.leave(&node.label, reason);
                Next::Pause
            }
        }
    }

    /// What the run's expressions can see.
    pub fn env(&self) -> Env<'a> {
        in_run(Env::new(self.bundle, self.profile, self.now), self.run)
    }

    /// Tells if the run only says what it would do: it began so, or its journey was told to since.
    pub fn is_shadow(&self) -> bool {
        self.run.is_shadow() || self.journey.mode == Mode::Shadow
    }

    /// Writes a line of the timeline.
    pub fn trace(&mut self, step: &Arc<str>, what: What) {
        let (subject, instance) = (self.run.journey.clone(), self.run.number);
        let step = step.clone();
        let trace = Trace {
            at: self.now,
            event: None,
            subject,
            instance,
            step,
            what,
            times: 1,
        };
        self.effects.facts.push(Fact::Traced(trace));
    }

    fn wait(&mut self, node: &Node, until: &Until) -> Next {
        let (past, why) = match wait::target(until, &self.env()) {
            Target::Passed(length) => return self.sleep(node, self.now + length),
            Target::At(due, why) => return self.sleep_as(node, due, What::Aimed(due, why)),
            Target::Missed(past, why) => (past, why),
        };
        let skipped = node.next.and_then(|next| self.journey.flow[next].next);
        let (word, next) = match past {
            Past::Now => ("now", node.next),
            Past::Skip => ("skip", skipped),
            Past::Exit => ("exit", None),
        };
        self.trace(&node.label, What::Missed(word.into(), why));
        if past == Past::Exit {
            self.leave(&node.label, "past_date");
            return Next::Pause;
        }
        Next::Go(next)
    }

    fn sleep(&mut self, node: &Node, due: Timestamp) -> Next {
        self.sleep_as(node, due, What::Waits(due))
    }

    fn sleep_as(&mut self, node: &Node, due: Timestamp, what: What) -> Next {
        let wait = Wait {
            since: self.now,
            due,
            met: None,
        };
        let moved = Fact::Moved(self.run.number, node.label.clone(), Some(wait));
        self.effects.facts.push(moved);
        self.trace(&node.label, what);
        Next::Pause
    }

    /// The draw depends on who, where and the salt alone: whoever comes again gets the same arm.
    fn split(&mut self, node: &Node, salt: &Arc<str>, arms: &[Share], bind: &Arc<str>) -> Next {
        let words = [
            self.profile.id.as_str(),
            &self.journey.name,
            &node.label,
            salt,
        ];
        let draw = draw(&words);
        let Some(arm) = arms.iter().find(|arm| draw < arm.end) else {
            return Next::Go(node.next);
        };
        let name = Value::Text(arm.name.clone());
        let bound = Fact::Bound(self.run.number, bind.clone(), name);
        self.effects.facts.push(bound);
        let why = format!("draw {draw:.6} < {}", arm.end);
        self.trace(&node.label, What::Dealt(arm.name.clone(), why.into()));
        self.resume(node, arm.first.or(node.next))
    }

    /// Ends the run.
    pub fn leave(&mut self, step: &Arc<str>, reason: &str) {
        let reason: Arc<str> = reason.into();
        let remember = self.journey.remembers();
        let left = Fact::Left(self.run.number, self.now, reason.clone(), remember);
        self.effects.facts.push(left);
        self.trace(step, What::Left(reason));
    }

    /// Ends this walk and goes on at a step once the facts so far are applied.
    fn resume(&mut self, node: &Node, next: Option<usize>) -> Next {
        let Some(next) = next else {
            self.leave(&node.label, "completed");
            return Next::Pause;
        };
        let label = self.journey.flow[next].label.clone();
        self.effects
            .facts
            .push(Fact::Moved(self.run.number, label, None));
        self.effects.runs.push(self.run.number);
        Next::Pause
    }

    fn branch(
        &mut self,
        node: &'a Node,
        arms: &'a [(Expr, Option<usize>)],
        otherwise: Option<usize>,
    ) -> Option<usize> {
        let env = self.env();
        let taken = arms
            .iter()
            .enumerate()
            .find(|(_, (of, _))| truth(&of.root, &env) == Some(true));
        let (name, why, first) = if let Some((idx, (of, first))) = taken {
            (idx.to_string(), detail(of, &env), *first)
        } else {
            let why: Vec<_> = arms.iter().map(|(of, _)| detail(of, &env)).collect();
            ("otherwise".to_owned(), why.join("; ").into(), otherwise)
        };
        self.trace(&node.label, What::Took(name.into(), why));
        first.or(node.next)
    }

    fn score(&mut self, node: &Node, model: &Arc<str>, bind: &Arc<str>) -> Next {
        let score = match self.ask_model(model) {
            Ok(score) => score,
            Err(requests) => return Next::Needs(Needs::Scores(requests)),
        };
        let (value, traced) = match score {
            Score::Value(value) => (Value::Number(value), Ok(value)),
            Score::Unavailable(why) => (Value::Null, Err(why)),
        };
        self.effects
            .facts
            .push(Fact::Bound(self.run.number, bind.clone(), value));
        self.trace(&node.label, What::Scored(model.clone(), traced));
        self.resume(node, node.next)
    }

    fn ask_model(&self, model: &Arc<str>) -> Result<Score, Vec<Request>> {
        let said = self.input.said.get(model).map(|of| of.scores.as_slice());
        if let Some([score]) = said {
            return Ok(score.clone());
        }
        let Some(manifest) = self.bundle.model(model) else {
            return Ok(Score::Unavailable("there is no such model".into()));
        };
        match inputs::row(manifest, &self.env()) {
            Ok(row) => Err(vec![Request {
                model: model.clone(),
                rows: vec![row],
                offers: Vec::new(),
            }]),
            Err(why) => Ok(Score::Unavailable(why)),
        }
    }

    fn offer(&mut self, node: &Node, placement: &Arc<str>, bind: &Arc<str>) -> Next {
        let number = self.run.number.to_string();
        let id = stable_id(&[
            self.profile.id.as_str(),
            &self.run.journey,
            &number,
            &node.label,
        ]);
        let question = offers::Question {
            id: &id,
            placement,
            limit: Some(1),
            env: self.env(),
            said: self.input.said,
            budgets: self.input.budgets,
            learnt: self.input.learnt,
        };
        let ranked = match offers::rank(&question) {
            Ok(ranked) => ranked,
            Err(needs) => return Next::Needs(needs),
        };
        let best = ranked.answer.offers.first();
        let best = best.map_or(Value::Null, |best| as_local(best, &id));
        self.effects
            .facts
            .push(Fact::Bound(self.run.number, bind.clone(), best));
        self.trace(&node.label, ranked.what());
        if !self.is_shadow() {
            self.effects.facts.extend(ranked.given);
            self.effects.updates.extend(ranked.updates);
            self.effects.claims.extend(ranked.claims);
            self.effects.answers.push(ranked.answer.into());
        }
        self.resume(node, node.next)
    }

    fn set(&mut self, node: &Node, values: &'a [(Arc<str>, Expr)]) -> Next {
        let env = self.env();
        // An unknown value leaves the trait as it is.
        let known = values.iter().filter_map(|(path, of)| {
            let value = eval(&of.root, &env)?;
            Some((path.clone(), Cow::into_owned(value)))
        });
        let traits = Traits::of(self.profile, known);
        let unkept = traits.said();
        if self.is_shadow() {
            self.trace(&node.label, What::WouldSet(traits.kept));
        } else {
            self.effects.facts.extend(traits.facts);
            self.trace(&node.label, What::Set(traits.kept));
        }
        if let Some(unkept) = unkept {
            self.trace(&node.label, unkept);
        }
        self.resume(node, node.next)
    }
}

/// A chosen offer as later steps see it.
fn as_local(choice: &crate::domain::Choice, decision: &Arc<str>) -> Value {
    let number = |number: Option<f64>| number.map_or(Value::Null, Value::Number);
    let mut map = Map::default();
    map.set("id", Value::Text(choice.offer.clone()));
    map.set("propensity", number(choice.propensity));
    map.set("priority", number(choice.priority));
    map.set("data", choice.data.clone());
    map.set("decision_id", Value::Text(decision.clone()));
    Value::Map(map)
}
