//! The account of an entry.

use std::sync::Arc;

use crate::decide::admission::{Candidate, Check, Refusal, checks};
use crate::decide::draw;
use crate::decide::entries::Spark;
use crate::decide::explain::every_value;
use crate::decide::journeys::Hearing;
use crate::decide::why::remedy::remedy;
use crate::decide::why::{Condition, Mark};
use crate::domain::instance::shown;
use crate::domain::timer::Timer;
use crate::domain::{Event, Profile, Timestamp};
use crate::policy::explain;
use crate::policy::expr::Root;
use crate::policy::journey::{Journey, On, Reentry};
use crate::policy::{Bundle, Place};

/// What would become of an entry.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// A run begins.
    Enters,
    /// The run with this number begins anew, or gets another entry event.
    Repeats(u32),
    /// Nobody enters, by this reason code, and the detail.
    Refused(&'static str, Arc<str>),
    /// Nothing is in the way but what cannot be told: what enters is not at hand.
    Open,
}

/// Asks everything that an entry asks, also behind what is in the way.
pub fn account(
    bundle: &Bundle,
    profile: &Profile,
    journey: &Journey,
    event: Option<&Event>,
    now: Timestamp,
) -> (Verdict, Vec<Condition>) {
    let hearing = hear(bundle, profile, journey, event, now);
    let mut door = Door {
        candidate: hearing.candidate(journey),
        hearing,
        conditions: Vec::new(),
        refusal: None,
        n_open: 0,
    };
    let first = door.trigger();
    door.add(first);
    let enter = &journey.enter;
    let (mut n_where, mut n_unless) = (0..enter.filter.len(), 0..enter.unless.len());
    for check in checks(enter) {
        let part = match check {
            Check::Where(_) => numbered("where", enter.filter.len(), n_where.next()),
            Check::Unless(_) => numbered("unless", enter.unless.len(), n_unless.next()),
            Check::MaxAge(_) => "max_age".into(),
            Check::Key(_) => "key".into(),
            Check::Repeat => "on_repeat".into(),
            Check::Reentry => "reentry".into(),
            Check::Concurrency => "concurrent".into(),
        };
        door.ask(part, check);
    }
    door.holdout();
    (door.verdict(), door.conditions)
}

fn numbered(word: &str, n: usize, idx: Option<usize>) -> String {
    match idx {
        Some(idx) if n > 1 => format!("{word}[{idx}]"),
        Some(_) | None => word.into(),
    }
}

/// Hears of what enters up to the journey, as the decision does: runs that end by it are in nobody's way.
fn hear<'a>(
    bundle: &'a Bundle,
    profile: &'a Profile,
    journey: &Journey,
    event: Option<&'a Event>,
    now: Timestamp,
) -> Hearing<'a> {
    let Some(event) = event else {
        return Hearing::new(bundle, profile, now, spark(profile, journey));
    };
    let mut hearing = Hearing::new(bundle, profile, now, Spark::event(event));
    hearing.runs(event);
    let before = bundle.listens(&event.name);
    let before = before.map_or(&[][..], |listens| &listens.journeys);
    let before = before.iter().map(|idx| &bundle.journeys[*idx]);
    for other in before.take_while(|other| other.name != journey.name) {
        hearing.enter(other);
    }
    hearing
}

/// Returns what would enter if it were time: the event that an absence counts from, or nothing.
fn spark<'a>(profile: &'a Profile, journey: &Journey) -> Spark<'a> {
    let waits = |timer: &Timer| matches!(timer, Timer::Absence(of, _) if *of == journey.name);
    let mut timers = profile.timers.iter();
    let after = timers.find(|(timer, _)| waits(timer));
    match after.and_then(|(_, armed)| armed.event.as_deref()) {
        Some(after) => Spark::absence(after),
        None => Spark::schedule(&journey.name, profile.now),
    }
}

struct Door<'a> {
    hearing: Hearing<'a>,
    candidate: Candidate<'a>,
    conditions: Vec<Condition>,
    /// The first thing in the way.
    refusal: Option<Refusal>,
    n_open: usize,
}

impl<'a> Door<'a> {
    fn add(&mut self, condition: Condition) {
        self.n_open += usize::from(condition.mark == Mark::Open);
        self.conditions.push(condition);
    }

    fn verdict(&self) -> Verdict {
        match (&self.refusal, self.candidate.running) {
            (Some((code, detail)), _) => Verdict::Refused(code, detail.clone()),
            (None, _) if self.n_open > 0 => Verdict::Open,
            (None, Some(run)) => Verdict::Repeats(run.number),
            (None, None) => Verdict::Enters,
        }
    }

    /// Says what enters, and what of it is at hand.
    fn trigger(&mut self) -> Condition {
        let journey = self.candidate.journey;
        let (part, name) = match &journey.enter.on {
            On::Event(event) => ("event", event.to_string()),
            On::Crossing(..) => ("segment", explain::on(&journey.enter)),
            On::Schedule(_) => ("schedule", explain::on(&journey.enter)),
            On::Absence(_) => ("absent", explain::on(&journey.enter)),
        };
        let mut condition = Condition {
            part: format!("enter.{part}"),
            text: name,
            values: self.moment(),
            mark: Mark::Open,
            code: None,
            place: Some(journey.place.clone()),
            remedy: None,
        };
        if let (On::Event(wanted), Some(event)) = (&journey.enter.on, self.hearing.spark.event) {
            let fits = *wanted == event.name;
            condition.mark = if fits { Mark::Met } else { Mark::Missed };
            condition.values = format!("{} {} {}", event.name, event.id.as_str(), event.at);
            if !fits {
                condition.code = Some("EVENT");
                condition.remedy = Some(format!("the event were `{wanted}`"));
                let detail = format!("{} is not {wanted}", event.name);
                self.refusal = Some(("EVENT", detail.into()));
            }
        }
        condition
    }

    /// Says when what enters by itself comes, or how the customer stands to it.
    fn moment(&self) -> String {
        let (profile, journey) = (self.hearing.profile, self.candidate.journey);
        let due = |wanted: &dyn Fn(&Timer) -> bool| {
            let mut timers = profile.timers.iter();
            let found = timers.find(|(timer, _)| wanted(timer));
            found.map(|(_, armed)| armed.due)
        };
        match &journey.enter.on {
            On::Event(_) => "no event is at hand".into(),
            On::Crossing(segment, _) => match profile.segments.get(segment) {
                Some(since) => format!("in `{segment}` since {since}"),
                None => format!("not in `{segment}`"),
            },
            On::Schedule(_) => {
                match due(&|timer| *timer == Timer::Schedule(journey.name.clone())) {
                    Some(due) => format!("the next time is {due}"),
                    None => "the customer is not on the schedule".into(),
                }
            }
            On::Absence(_) => {
                match due(&|timer| matches!(timer, Timer::Absence(of, _) if *of == journey.name)) {
                    Some(due) => format!("enters at {due} if nothing comes"),
                    None => "nothing has come that it could count from".into(),
                }
            }
        }
    }

    fn ask(&mut self, part: String, check: Check<'a>) {
        let enter = &self.candidate.journey.enter;
        if !self.can_tell(check) {
            let (text, place) = said(check, self.candidate.journey);
            let values = "depends on what is not at hand".into();
            return self.add(Condition {
                part,
                text,
                values,
                mark: Mark::Open,
                code: None,
                place,
                remedy: None,
            });
        }
        let judged = self.hearing.ask(check, &mut self.candidate);
        let missed = judged.err();
        // A limit that nobody set and nobody meets is not worth a line.
        if missed.is_none() && matches!(check, Check::Concurrency) && enter.concurrent.is_none() {
            return;
        }
        let (text, place) = said(check, self.candidate.journey);
        let values = self.values(check, missed.as_ref());
        let condition = Condition {
            part,
            text,
            values,
            mark: missed.as_ref().map_or(Mark::Met, |_| Mark::Missed),
            code: missed.as_ref().map(|(code, _)| *code),
            place,
            remedy: missed.as_ref().and_then(|_| self.remedy(check)),
        };
        self.refusal = self.refusal.take().or(missed);
        self.add(condition);
    }

    /// Tells if everything that a check looks at is at hand.
    fn can_tell(&self, check: Check<'_>) -> bool {
        let by_clock = matches!(self.candidate.journey.enter.on, On::Schedule(_));
        let event = self.hearing.spark.event.is_some() || by_clock;
        let is_open = |code: &str| {
            let mut before = self.conditions.iter();
            before.any(|of| of.part == "key" && (of.mark == Mark::Open || of.code == Some(code)))
        };
        match check {
            Check::Where(of) | Check::Unless(of) | Check::Key(of) => {
                event || !of.root.uses(&Root::Event)
            }
            Check::MaxAge(_) => event,
            Check::Repeat | Check::Reentry => !is_open("KEY_UNKNOWN"),
            Check::Concurrency => true,
        }
    }

    fn values(&self, check: Check<'_>, missed: Option<&Refusal>) -> String {
        let env = &self.candidate.env;
        let why = missed.map(|(_, detail)| detail.to_string());
        let (journey, key) = (self.candidate.journey, &self.candidate.key);
        match check {
            Check::Where(of) | Check::Unless(of) | Check::Key(of) => every_value(&of.root, env),
            Check::MaxAge(_) => {
                let event = self.hearing.spark.event;
                event.map_or_else(String::new, |event| format!("happened at {}", event.at))
            }
            Check::Repeat => why.unwrap_or_else(|| match self.candidate.running {
                Some(run) => format!("run {} is in progress", shown(run.number)),
                None => "no run is in progress".into(),
            }),
            Check::Reentry => why.unwrap_or_else(|| {
                let left_at = self.hearing.left_at(journey, key);
                left_at.map_or_else(
                    || "no run has ended that is remembered".into(),
                    |at| format!("the last run ended at {at}"),
                )
            }),
            Check::Concurrency => why.unwrap_or_else(|| "there is room".into()),
        }
    }

    fn remedy(&self, check: Check<'_>) -> Option<String> {
        let env = &self.candidate.env;
        let enter = &self.candidate.journey.enter;
        match check {
            Check::Where(of) => Some(remedy(of, true, env)),
            Check::Unless(of) => Some(remedy(of, false, env)),
            Check::MaxAge(max) => Some(format!("the event were at most {max} old")),
            Check::Key(of) => Some(format!("{} were known", explain::said(of))),
            Check::Repeat => {
                let run = self.candidate.running?;
                Some(format!("run {} had ended", shown(run.number)))
            }
            Check::Reentry => {
                let Reentry::AfterExit(gap) = enter.reentry else {
                    return None;
                };
                let left_at = self
                    .hearing
                    .left_at(self.candidate.journey, &self.candidate.key)?;
                Some(format!("it were {} or later", left_at + gap))
            }
            Check::Concurrency => Some("another run had ended".into()),
        }
    }

    /// Who is held out enters, walks along, and gets nothing.
    fn holdout(&mut self) {
        let (profile, journey) = (self.hearing.profile, self.candidate.journey);
        if journey.holdout <= 0.0 {
            return;
        }
        let drawn = draw::shown(draw::holdout(profile, journey));
        let values = if draw::is_held_out(profile, journey) {
            format!("held out at {drawn}: walks along and gets nothing")
        } else {
            format!("not held out: stands at {drawn}")
        };
        self.conditions.push(Condition {
            part: "holdout".into(),
            text: explain::percent(journey.holdout),
            values,
            mark: if draw::is_held_out(profile, journey) {
                Mark::Open
            } else {
                Mark::Met
            },
            code: None,
            place: Some(journey.place.clone()),
            remedy: None,
        });
    }
}

/// Writes what a check asks, and where it stands; what has no place of its own stands with its journey.
fn said(check: Check<'_>, journey: &Journey) -> (String, Option<Place>) {
    let enter = &journey.enter;
    let (text, place) = match check {
        Check::Where(of) | Check::Unless(of) | Check::Key(of) => (explain::said(of), &of.place),
        Check::MaxAge(max) => (max.to_string(), &journey.place),
        Check::Repeat => (explain::repeat(enter).into(), &journey.place),
        Check::Reentry => (explain::reentry(enter), &journey.place),
        Check::Concurrency => {
            let n = enter.concurrent;
            let n = n.map(|n| format!("at most {n} runs at a time"));
            let text = n.unwrap_or_else(|| "room for a run".into());
            (text, &journey.place)
        }
    };
    (text, Some(place.clone()))
}
