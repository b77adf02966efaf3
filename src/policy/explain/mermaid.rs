//! A journey as a flow chart of Mermaid, which GitHub, GitLab and many editors draw.

use std::fmt::Write as _;

use crate::policy::explain::act::act;
use crate::policy::explain::enter;
use crate::policy::explain::tree::{arms, ways_out};
use crate::policy::journey::{Act, Journey, Step};

/// Draws journeys in one chart.
pub fn mermaid(journeys: &[&Journey]) -> String {
    let mut text = String::from("flowchart TD\n");
    for (n, journey) in journeys.iter().enumerate() {
        let text = &mut text;
        Chart { text, n }.journey(journey);
    }
    text
}

/// One journey's part of a chart.
struct Chart<'a> {
    text: &'a mut String,
    /// Sets its nodes apart from those of other journeys.
    n: usize,
}

impl Chart<'_> {
    fn journey(&mut self, journey: &Journey) {
        let conditions = enter::conditions(&journey.enter).join("\n");
        let (n, name) = (self.n, quoted(&journey.name));
        self.node("enter", ("([", "])"), &conditions);
        self.line(&format!("subgraph j{n}[{name}]"));
        for (idx, step) in journey.flow.iter().enumerate() {
            self.node(&format!("s{idx}"), shape(&step.act), &act(&step.act));
        }
        self.line("end");
        self.edge("enter", "", Some(0));
        for (idx, step) in journey.flow.iter().enumerate() {
            self.step(&format!("s{idx}"), step);
        }
        for (k, (when, reason)) in ways_out(journey).iter().enumerate() {
            let out = format!("out{k}");
            self.node(&out, ("([", "])"), reason);
            let when = quoted(when);
            self.line(&format!("j{n} -.->|{when}| j{n}{out}"));
        }
    }

    fn line(&mut self, text: &str) {
        // INVARIANT: writing to a string does not fail.
        let _ = writeln!(self.text, "  {text}");
    }

    fn node(&mut self, id: &str, (open, close): (&str, &str), text: &str) {
        let n = self.n;
        self.line(&format!("j{n}{id}{open}{}{close}", quoted(text)));
    }

    fn step(&mut self, from: &str, step: &Step) {
        if let Act::Stop { .. } = step.act {
            return;
        }
        let arms = arms(step);
        for arm in &arms {
            self.edge(from, &arm.when, arm.first);
        }
        if arms.is_empty() {
            self.edge(from, "", step.next);
        }
    }

    fn edge(&mut self, from: &str, when: &str, to: Option<usize>) {
        let n = self.n;
        let completed = || format!("j{n}completed([\"completed\"])");
        let to = to.map_or_else(completed, |idx| format!("j{n}s{idx}"));
        let when = match when {
            "" => String::new(),
            when => format!("|{}|", quoted(when)),
        };
        self.line(&format!("j{n}{from} -->{when} {to}"));
    }
}

/// What is decided has corners, what leaves leans, what sleeps is round.
fn shape(act: &Act) -> (&'static str, &'static str) {
    match act {
        Act::Branch { .. } | Act::Split { .. } => ("{", "}"),
        Act::Send(_) => ("[/", "/]"),
        Act::Wait(_) | Act::HoldUntil { .. } | Act::WaitFor { .. } => ("(", ")"),
        Act::Stop { .. } => ("([", "])"),
        Act::Score { .. } | Act::Offer { .. } | Act::Set(_) => ("[", "]"),
    }
}

/// Quotes a label. What could mean something to Mermaid or to HTML is written as its number.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '\n' => out.push_str("<br/>"),
            letter if letter.is_control() => out.push(' '),
            letter if is_plain(letter) => out.push(letter),
            // INVARIANT: writing to a string does not fail.
            letter => drop(write!(out, "#{};", u32::from(letter))),
        }
    }
    out.push('"');
    out
}

fn is_plain(letter: char) -> bool {
    letter.is_alphanumeric() || " .,()'/=+?_-".contains(letter) || !letter.is_ascii()
}
