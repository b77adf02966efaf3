//! What a step does, in one line.

use std::sync::Arc;

use crate::domain::Zone;
use crate::domain::zone::Weekdays;
use crate::policy::explain::tree::any_of;
use crate::policy::explain::words::{length, list, named, said};
use crate::policy::expr::Expr;
use crate::policy::journey::{Act, OnBlock, Past, Send, Until};
use crate::policy::limits::OwnQuiet;

/// Says what a step does; its arms are said apart.
pub fn act(of: &Act) -> String {
    match of {
        Act::Wait(until) => wait(until),
        Act::HoldUntil { quiet, of, max } => {
            let most = max.map(|max| format!(", at most {}", length(max)));
            format!(
                "hold until {} pass without {}{}",
                length(*quiet),
                any_of(of),
                most.unwrap_or_default()
            )
        }
        Act::Score { model, bind } => format!("score with the model {}, as `{bind}`", named(model)),
        Act::Branch { .. } => "take the first way that is true".into(),
        Act::Offer { placement, bind } => {
            format!("pick an offer for {}, as `{bind}`", named(placement))
        }
        Act::Send(what) => send(what),
        Act::WaitFor { within, rank, .. } => {
            let how = if *rank {
                "for all of it; then take the first way that was met"
            } else {
                "for the first of these"
            };
            format!("wait {} {how}", length(*within))
        }
        Act::Split { bind, .. } => {
            format!("deal customers out by chance, each always to the same way, as `{bind}`")
        }
        Act::Set(values) => format!("set {}", assignments(values)),
        Act::Stop { reason } => format!("leave ({reason})"),
    }
}

fn wait(until: &Until) -> String {
    match until {
        Until::Passed(length_of) => format!("wait {}", length(*length_of)),
        Until::Clock { time, days, zone } => {
            let days = match *days {
                Weekdays::ALL => String::new(),
                some => format!(" on {}", list(&weekdays(some), "or")),
            };
            format!("wait until {time}{days}, {}", clocks(zone.as_ref()))
        }
        Until::Date {
            of,
            offset,
            before,
            past,
            zone,
        } => {
            let offset = match (offset.as_millis(), before) {
                (0, _) => String::new(),
                (_, true) => format!("{} before ", length(*offset)),
                (_, false) => format!("{} after ", length(*offset)),
            };
            let past = match past {
                Past::Now => "go on at once",
                Past::Skip => "go on behind the next step",
                Past::Exit => "leave (past_date)",
            };
            let clocks = clocks(zone.as_ref());
            format!(
                "wait until {offset}{}, {clocks}; if that is past or unknown, {past}",
                said(of)
            )
        }
    }
}

fn weekdays(of: Weekdays) -> Vec<String> {
    let days = (1..).zip(Weekdays::NAMES);
    let some = days.filter(|(n, _)| of.has(*n));
    some.map(|(_, name)| name.to_owned()).collect()
}

/// Says whose clocks count.
pub fn clocks(zone: Option<&Zone>) -> String {
    zone.map_or_else(
        || "by the customer's clocks".into(),
        |zone| format!("by the clocks of {}", zone.name()),
    )
}

fn send(what: &Send) -> String {
    let names: Vec<String> = what.with.iter().map(|(name, _)| name.to_string()).collect();
    let with = (!names.is_empty()).then(|| format!(", with {}", list(&names, "and")));
    let class = what.class.map(|class| format!(", as {}", class.as_str()));
    let purpose = what.purpose.as_ref();
    let purpose = purpose.map(|purpose| format!(", for the purpose `{purpose}`"));
    let quiet = what.quiet.as_ref().map(|quiet| match quiet {
        OwnQuiet::None => ", at any time of the day".to_owned(),
        OwnQuiet::Some(quiet) => format!(", quiet hours {}", quiet.text),
    });
    let blocked = match what.on_block {
        OnBlock::Next => "",
        OnBlock::Exit => "; if it is blocked, leave",
        OnBlock::Retry => "; if it is blocked, try again once that is over",
    };
    let parts = [with, class, purpose, quiet].into_iter().flatten();
    let parts: String = parts.collect();
    let template = named(&what.template);
    format!("send {template} by {}{parts}{blocked}", what.channel)
}

fn assignments(values: &[(Arc<str>, Expr)]) -> String {
    let one = |(path, of): &(Arc<str>, Expr)| format!("the trait {} to {}", named(path), said(of));
    let all: Vec<String> = values.iter().map(one).collect();
    list(&all, "and")
}
