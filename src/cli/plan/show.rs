//! A plan for people.

use std::fmt::Write as _;

use crate::cli::plan::Plan;
use crate::cli::plan::effect::Effect;
use crate::cli::plan::people::{Fate, Lot, Standing};
use crate::policy::diff::{Change, How, Line, Way};

/// What the table rests on.
const EMPTY: &str = "  \
Both begin with empty profiles: what customers did, were told and consented to before the first of these events, and
  which journeys they were in, neither side knows. Compare the columns with each other, not with what really left.
";

/// Writes a plan.
pub fn plan(plan: &Plan) -> String {
    let mut page = String::new();
    for change in &plan.changes {
        page += &told(change);
        page.push('\n');
    }
    let n = |way| {
        plan.changes
            .iter()
            .filter(|change| change.way == way)
            .count()
    };
    let count = match (n(How::Added), n(How::Changed), n(How::Removed)) {
        (0, 0, 0) if plan.before != plan.after => {
            "Nothing that has a name changes; the files differ in details.\n".to_owned()
        }
        (0, 0, 0) => "Nothing changes.\n".to_owned(),
        (added, changed, removed) => {
            format!("{added} to add, {changed} to change, {removed} to remove.\n")
        }
    };
    page += &count;
    if let Some(people) = &plan.people {
        page += &in_flight(people);
    }
    if let Some(effect) = &plan.effect {
        page += &table(effect);
    }
    if let Some(why) = &plan.effect_unknown {
        page.extend(["What it means for past events is unknown: ", why, "\n"]);
    }
    if let (Some(server), Some(live)) = (&plan.server, plan.live) {
        // INVARIANT: writing to a string does not fail.
        let _ = writeln!(page, "Revision {live} is live at {server}.");
    }
    page
}

fn told(change: &Change) -> String {
    let sign = match change.way {
        How::Added => '+',
        How::Changed => '~',
        How::Removed => '-',
    };
    let mut text = format!("{sign} {} {}\n", change.kind.as_str(), change.name);
    let differs = |line: &Line| line.way != Way::Kept;
    if change.way == How::Removed {
        return text;
    }
    if !change.lines.iter().any(differs) {
        return text + "      in details that words leave out\n";
    }
    let mut gap = false;
    for (k, line) in change.lines.iter().enumerate() {
        // A line that stays is shown beside one that does not.
        let near = change.lines[k.saturating_sub(1)..]
            .iter()
            .take(3)
            .any(differs);
        if near {
            if gap {
                text += "        ...\n";
            }
            text += &shown(line);
        }
        gap = !near;
    }
    text
}

fn shown(line: &Line) -> String {
    let sign = match line.way {
        Way::Kept => ' ',
        Way::Added => '+',
        Way::Removed => '-',
    };
    let step = line.step.as_ref().map(|step| format!("{step}  "));
    let (indent, step) = (line.depth * 2, step.unwrap_or_default());
    format!("    {sign} {:indent$}{step}{}\n", "", line.text)
}

/// Says how many stand where, and what becomes of them.
fn in_flight(people: &[Standing]) -> String {
    if people.is_empty() {
        return "Nobody is on the way through what changes.\n".into();
    }
    let mut text = "\nPeople in flight in what changes (a journey with a `key` may have somebody several times):\n".to_owned();
    let mut last = ("", "");
    for of in people {
        let revision = (of.journey.as_str(), of.revision.as_str());
        if revision != last {
            let live = if of.live { ", live" } else { "" };
            // INVARIANT: writing to a string does not fail.
            let _ = writeln!(text, "  {}, revision {}{live}", of.journey, of.revision);
            last = revision;
        }
        let does = of.does.as_ref().map(|does| format!(" ({does})"));
        let (does, n, step) = (does.unwrap_or_default(), of.people, &of.step);
        let _ = writeln!(
            text,
            "{n:>8} at step {step}{does}, {}: {}",
            fate(of.fate),
            lot(&of.lot)
        );
    }
    text + "\n"
}

fn fate(fate: Fate) -> &'static str {
    match fate {
        Fate::Kept => "which stays",
        Fate::Changed => "which changes",
        Fate::Removed => "which is removed",
    }
}

fn lot(lot: &Lot) -> String {
    match lot {
        Lot::Stay => "stay on their revision to its end".into(),
        Lot::Go(step, does) => {
            format!("go on at step {step} ({does}) at their next event or wake-up")
        }
        Lot::Leave => "leave (migrated) at their next event or wake-up".into(),
    }
}

fn table(effect: &Effect) -> String {
    let mut text = format!(
        "\nOver {} past events:{:>16}before  after\n",
        effect.events, ""
    );
    for (what, before, after) in &effect.counts {
        // INVARIANT: writing to a string does not fail.
        let _ = writeln!(text, "  {what:<32}{before:>10} {after:>6}");
    }
    let Effect {
        gained, lost, kept, ..
    } = effect;
    let actions = format!("  actions: {gained} gained, {lost} lost, {kept} kept\n");
    text + &actions + EMPTY + "\n"
}
