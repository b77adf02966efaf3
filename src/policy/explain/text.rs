//! A journey as an indented list.

use std::fmt::Write as _;

use crate::policy::explain::act::act;
use crate::policy::explain::tree::{Arm, arms, steps, ways_out};
use crate::policy::explain::words::percent;
use crate::policy::explain::{enter, guards, migrate};
use crate::policy::journey::Journey;
use crate::policy::mode::Mode;
use crate::policy::{Bundle, Place};

/// Explains a journey in plain words.
pub fn text(bundle: &Bundle, journey: &Journey) -> String {
    let mut page = Page::default();
    page.line(0, &format!("{}  {}", journey.name, journey.place));
    if !journey.about.is_empty() {
        page.line(0, &journey.about);
    }
    if journey.mode == Mode::Shadow {
        page.line(
            0,
            "It is a shadow: it runs and says what it would do, and nothing leaves.",
        );
    }
    page.section("A customer enters", &enter::conditions(&journey.enter));
    if journey.holdout > 0.0 {
        let share = percent(journey.holdout);
        let held = format!("{share} of them walk along and get nothing, for comparison");
        page.line(1, &format!("- {held}"));
    }
    page.line(0, "");
    page.line(0, "Then");
    page.steps(journey, "", 1);
    let out = ways_out(journey).into_iter();
    let mut out: Vec<String> = out
        .map(|(when, reason)| format!("at any step, {when} ({reason})"))
        .collect();
    out.push("behind the last step (completed)".into());
    page.section("It ends", &out);
    let migrations = migrate::migrations(journey);
    if !migrations.is_empty() {
        page.section("Of earlier revisions", &migrations);
    }
    for guarded in guards::guarded(bundle, journey) {
        let title = format!("A send ({}) leaves if, at that moment,", guarded.what);
        page.section(&title, &guarded.asks);
    }
    page.text()
}

/// A page that is written line by line.
#[derive(Default)]
pub struct Page(String);

impl Page {
    /// Returns what was written.
    pub fn text(self) -> String {
        self.0
    }

    /// Writes something with a name and a place, and what there is to say of it.
    pub fn item(&mut self, name: &str, place: &Place, lines: &[String]) {
        self.line(1, &format!("{name}  {place}"));
        for line in lines {
            self.line(2, &format!("- {line}"));
        }
    }

    /// Writes a line, so deep.
    pub fn line(&mut self, depth: usize, text: &str) {
        // INVARIANT: writing to a string does not fail.
        let _ = writeln!(self.0, "{:indent$}{text}", "", indent = depth * 2);
    }

    /// Writes a list behind a title.
    pub fn section(&mut self, title: &str, lines: &[String]) {
        self.line(0, "");
        self.line(0, title);
        for line in lines {
            self.line(1, &format!("- {line}"));
        }
    }

    /// Writes a list of steps, each arm deeper than its step.
    fn steps(&mut self, journey: &Journey, prefix: &str, depth: usize) {
        for (_, step) in steps(journey, prefix) {
            self.line(depth, &format!("{}  {}", step.label, act(&step.act)));
            for arm in arms(step) {
                self.arm(journey, &arm, depth + 2);
            }
        }
    }

    fn arm(&mut self, journey: &Journey, arm: &Arm, depth: usize) {
        let goes_on = steps(journey, &arm.prefix).is_empty();
        let end = if goes_on { ": go on" } else { "" };
        self.line(depth, &format!("{}{end}", arm.when));
        self.steps(journey, &arm.prefix, depth + 1);
    }
}
