//! A failed test as its author reads it.

use std::fmt::Write as _;

use crate::cli::test::suite::{Failure, Report};
use crate::cli::test::world::Line;
use crate::cli::test::yaml;
use crate::domain::event::Kind;
use crate::domain::{Event, Timestamp, Trace, Value, What, instance};
use crate::policy::Bundle;
use crate::policy::test::{Test, word};

/// The most lines of what happened before a failure that are shown.
const LINES_MAX: usize = 60;
/// The most letters of what an event brought.
const LETTERS_MAX: usize = 100;

/// Describes what failed: the line in the file, both values, and what happened until then.
pub fn failed(bundle: &Bundle, report: &Report<'_>) -> String {
    let test = report.test;
    let mut out = format!("✗ {}\n", test.name);
    let Some(first) = report.failures.first() else {
        return out;
    };
    let same = |failure: &&Failure<'_>| failure.at == first.at && failure.n_lines == first.n_lines;
    let shown: Vec<_> = report.failures.iter().take_while(same).collect();
    let mut line = 0;
    for failure in &shown {
        if failure.check.place.line != line {
            out.push_str(&excerpt(report.test, failure));
        }
        line = failure.check.place.line;
        out.push_str(&values(report.test, failure));
    }
    let _ = writeln!(out, "\n  what happened until {}:", first.at);
    out.push_str(&history(bundle, test, &report.log[..first.n_lines]));
    let n_more = report.failures.len() - shown.len();
    if n_more > 0 {
        let _ = writeln!(out, "  ... and {n_more} more below it that do not hold");
    }
    out
}

fn excerpt(of: &Test, failure: &Failure<'_>) -> String {
    let place = &failure.check.place;
    let mut lines = of.source.text.lines();
    let line = lines.nth(place.line.saturating_sub(1) as usize);
    format!("\n  {place}\n      {}\n", line.unwrap_or_default().trim())
}

/// Says in one line what was expected and what there is.
pub fn difference(failure: &Failure<'_>) -> String {
    let [expected, got] = [&failure.check.wanted, &failure.got].map(yaml::entry);
    format!("expected {expected}, got {got}")
}

fn values(of: &Test, failure: &Failure<'_>) -> String {
    let about = match &failure.check.journey {
        Some(journey) if of.journey.as_ref() != Some(journey) => format!(" (of {journey})"),
        Some(_) | None => String::new(),
    };
    let [expected, got] = [&failure.check.wanted, &failure.got].map(yaml::entry);
    format!("  expected  {expected}{about}\n  got       {got}\n")
}

/// Writes what came in and what was decided, with the time since the start.
pub fn history(bundle: &Bundle, of: &Test, log: &[Line]) -> String {
    let mut out = String::new();
    if log.is_empty() {
        out.push_str("    nothing\n");
    }
    let n_hidden = log.len().saturating_sub(LINES_MAX);
    if n_hidden > 0 {
        let _ = writeln!(out, "    ... {n_hidden} lines before");
    }
    let mut last = None;
    for line in &log[n_hidden..] {
        let (at, text) = said(bundle, of, line);
        let at = at.since(of.start).to_string();
        let time = if last.as_ref() == Some(&at) { "" } else { &at };
        let _ = writeln!(out, "    {time:>8}  {text}");
        last = Some(at);
    }
    out
}

fn said(bundle: &Bundle, of: &Test, line: &Line) -> (Timestamp, String) {
    match line {
        Line::Event(at, event) => (*at, format!("▸ {}", came(event, *at))),
        Line::Asked(at, placement, context) => {
            (*at, format!("▸ decide {placement}{}", brought(context)))
        }
        Line::Trace(trace) => {
            let step = step(bundle, trace);
            let shadow = if instance::is_shadow(trace.instance) {
                " (shadow)"
            } else {
                ""
            };
            let run = match instance::shown(trace.instance) {
                0 | 1 => shadow.into(),
                number => format!(" #{number}{shadow}"),
            };
            let text = decided(&trace.what, of.start);
            (trace.at, format!("  {}{run}{step} {text}", trace.subject))
        }
    }
}

fn came(event: &Event, at: Timestamp) -> String {
    let data = if event.kind == Kind::Identify {
        &event.traits
    } else {
        &event.properties
    };
    let late = if event.at < at {
        format!(" ({} late)", at.since(event.at))
    } else {
        String::new()
    };
    format!("{}{}{late}", event.name, brought(data))
}

fn brought(data: &Value) -> String {
    if *data == Value::Null {
        return String::new();
    }
    let text = format!(" {data}");
    if text.chars().count() <= LETTERS_MAX {
        return text;
    }
    text.chars().take(LETTERS_MAX).chain(['…']).collect()
}

fn step(bundle: &Bundle, trace: &Trace) -> String {
    if trace.step.is_empty() {
        return String::new();
    }
    let journey = bundle.journey(&trace.subject);
    let mut flow = journey.map_or(&[][..], |it| &it.flow).iter();
    let step = flow.find(|step| step.label == trace.step);
    let word = step.map_or("", |step| word(&step.act));
    format!(" {} {word}:", trace.step)
}

fn decided(what: &What, start: Timestamp) -> String {
    match what {
        What::Entered => "began".into(),
        What::Refused(code, why) => format!("refused {code}: {why}"),
        What::Waits(until) => format!("waits until {}", until.since(start)),
        What::Aimed(until, why) => format!("waits until {}: {why}", until.since(start)),
        What::Missed(then, why) => format!("does not wait, {then}: {why}"),
        What::Woke => "goes on".into(),
        What::Scored(model, Ok(score)) => format!("{model} says {score:.4}"),
        What::Scored(model, Err(why)) => format!("{model} is unknown: {why}"),
        What::Took(arm, why) => format!("took arm {arm}: {why}"),
        What::Met(arm, why) => format!("met arm {arm}: {why}"),
        What::Migrated(from) => format!("taken over from step {from} of an earlier revision"),
        What::Dealt(arm, why) => format!("dealt to {arm}: {why}"),
        What::Told(word, offers) => format!("{word} of {}", offers.join(", ")),
        What::Untold(code, detail) => format!("counts no outcome, {code}: {detail}"),
        What::Unkept(code, detail) => format!("does not keep everything, {code}: {detail}"),
        What::Ranked(chosen, lost) => {
            let lost = if lost.is_empty() {
                String::new()
            } else {
                format!("; not {lost}")
            };
            format!("offers [{}]{lost}", chosen.join(", "))
        }
        What::Sent(_, channel, template) => format!("SENT {template} ({channel})"),
        What::WouldSend(channel, template) => format!("would have sent {template} ({channel})"),
        What::Blocked(code, why) => format!("blocked {code}: {why}"),
        What::Set(names) => format!("wrote {}", names.join(", ")),
        What::WouldSet(names) => format!("would have written {}", names.join(", ")),
        What::Left(reason) => format!("ended: {reason}"),
        What::Crossed(way, why) => format!("{}: {why}", way.as_str()),
    }
}
