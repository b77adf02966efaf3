//! Who enters a journey, in words.

use crate::domain::crossing::Way;
use crate::policy::explain::act::clocks;
use crate::policy::explain::words::{all, length, named, said, trigger};
use crate::policy::expr::Expr;
use crate::policy::journey::{Enter, On, OnRepeat, Reentry};

/// Says what enters, in one line.
pub fn on(enter: &Enter) -> String {
    match &enter.on {
        On::Event(event) => format!("on {}", named(event)),
        On::Crossing(segment, Way::Entered) => {
            format!("on coming into the segment {}", named(segment))
        }
        On::Crossing(segment, Way::Exited) => {
            format!("on dropping out of the segment {}", named(segment))
        }
        On::Schedule(schedule) => {
            let members = schedule.members.as_ref();
            let members =
                members.map(|segment| format!(", while in the segment {}", named(segment)));
            format!(
                "at the times of the schedule `{}`, {}{}",
                schedule.cron,
                clocks(schedule.zone.as_ref()),
                members.unwrap_or_default()
            )
        }
        On::Absence(absence) => format!(
            "when {} after {} no {} has come",
            length(absence.length),
            trigger(&absence.after),
            trigger(&absence.event)
        ),
    }
}

/// Says everything that an entry asks, one line each.
pub fn conditions(enter: &Enter) -> Vec<String> {
    let mut lines = vec![on(enter)];
    lines.extend(filters(enter));
    if let Some(max) = enter.max_age {
        lines.push(format!("unless the event is older than {}", length(max)));
    }
    lines.push(match &enter.key {
        None => "one run at a time".into(),
        Some(key) => format!("one run at a time for each {}", said(key)),
    });
    if let Some(n) = enter.concurrent {
        lines.push(format!("at most {n} runs at a time"));
    }
    lines.push(repeat(enter).into());
    lines.push(reentry(enter));
    lines
}

/// Says what another entry does while a run is in progress.
pub fn repeat(enter: &Enter) -> &'static str {
    match enter.on_repeat {
        OnRepeat::Ignore => "while a run is in progress, another entry changes nothing",
        OnRepeat::Restart => "while a run is in progress, another entry begins it anew",
        OnRepeat::Refresh => {
            "while a run is in progress, another entry takes the place of what it knows of its own"
        }
    }
}

/// Says when another run may follow one that has ended.
pub fn reentry(enter: &Enter) -> String {
    match enter.reentry {
        Reentry::Never => "once in a life".into(),
        Reentry::Always => "again as soon as a run has ended".into(),
        Reentry::AfterExit(gap) => format!("again {} after a run has ended", length(gap)),
    }
}

fn filters(enter: &Enter) -> Vec<String> {
    let one = |word: &str, of: &Expr| format!("{word} {}", all(std::slice::from_ref(of)));
    let filters = enter.filter.iter().map(|of| one("if", of));
    let unless = enter.unless.iter().map(|of| one("unless", of));
    filters.chain(unless).collect()
}
