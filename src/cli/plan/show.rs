//! A plan for people.

use std::fmt::Write as _;

use crate::cli::plan::Plan;
use crate::cli::plan::effect::Effect;
use crate::policy::diff::{Change, How, Line, Way};

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
    text + &format!("  actions: {gained} gained, {lost} lost, {kept} kept\n\n")
}
