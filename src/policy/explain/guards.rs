//! What may hold the sends of a journey back, in words.

use crate::policy::Bundle;
use crate::policy::explain::words::said;
use crate::policy::journey::{Act, Class, Journey, Send};
use crate::policy::limits::{Clocks, OwnQuiet, Quiet, Then};

/// Sends that the same guards judge, and what these ask.
#[derive(PartialEq)]
pub struct Guarded {
    /// Which sends.
    pub what: String,
    /// One line a guard, in the order in which they are asked.
    pub asks: Vec<String>,
}

/// Returns what is asked of the sends of a journey; those of which the same is asked are one.
pub fn guarded(bundle: &Bundle, journey: &Journey) -> Vec<Guarded> {
    let mut all = Vec::new();
    for step in &journey.flow {
        if let Act::Send(send) = &step.act {
            let guarded = Guarded::of(bundle, journey, send);
            if !all.contains(&guarded) {
                all.push(guarded);
            }
        }
    }
    all
}

impl Guarded {
    fn of(bundle: &Bundle, journey: &Journey, send: &Send) -> Self {
        let class = send.class.unwrap_or(journey.class);
        let asks = asks(bundle, journey, send).into_iter();
        Self {
            what: format!("{} by {}", class.as_str(), send.channel),
            asks: asks.map(|(_, text)| text).collect(),
        }
    }
}

/// Returns what is asked of a send, in order: each with the word of the guard that asks.
pub fn asks(bundle: &Bundle, journey: &Journey, send: &Send) -> Vec<(&'static str, String)> {
    let class = send.class.unwrap_or(journey.class);
    let on_list =
        "neither the address, nor the channel, nor the customer is on the suppression list";
    let address = address(bundle, send).map(|text| ("address", text));
    let first = [
        ("consent", consent(bundle, send, class)),
        ("suppression", on_list.into()),
    ];
    let rest = [
        ("quiet_hours", quiet(bundle, journey, send)),
        ("limits", caps(bundle, send, class)),
        ("priority", rank(journey, class)),
    ];
    first.into_iter().chain(address).chain(rest).collect()
}

fn consent(bundle: &Bundle, send: &Send, class: Class) -> String {
    let purpose = send.purpose.as_deref().unwrap_or(class.as_str());
    let needs = class == Class::Marketing && bundle.limits.channel(&send.channel).asks_consent;
    let channel = &send.channel;
    if needs {
        return format!("the customer has said yes to {purpose} by {channel}");
    }
    format!("the customer has not said no to {purpose} by {channel}")
}

fn address(bundle: &Bundle, send: &Send) -> Option<String> {
    let path = bundle.limits.channel(&send.channel).address;
    (!path.is_empty()).then(|| format!("there is an address: profile.traits.{}", path.join(".")))
}

fn quiet(bundle: &Bundle, journey: &Journey, send: &Send) -> String {
    let hours = |quiet: &Quiet| {
        let whose = match &quiet.clocks {
            Clocks::Customer => "the customer's clocks".to_owned(),
            Clocks::Of(zone) => format!("the clocks of {}", zone.name()),
        };
        let then = match quiet.then {
            Then::Hold => "it waits until they are over",
            Then::Drop => "it is dropped",
        };
        let (from, to) = (quiet.from, quiet.to);
        format!("{whose} are not between {from} and {to}; else {then}")
    };
    match send.quiet.as_ref().or(journey.quiet.as_ref()) {
        Some(OwnQuiet::None) => "at any time of the day: there are no quiet hours".into(),
        Some(OwnQuiet::Some(quiet)) => hours(quiet),
        None => match &bundle.limits.quiet {
            Some(quiet) => hours(quiet),
            None => "at any time of the day: there are no quiet hours".into(),
        },
    }
}

fn caps(bundle: &Bundle, send: &Send, class: Class) -> String {
    if class != Class::Marketing {
        return "as often as it comes: caps count marketing only".into();
    }
    let limits = bundle.limits.of(&send.channel);
    let caps: Vec<String> = limits
        .map(|(name, limit)| format!("{} ({name})", limit.text))
        .collect();
    if caps.is_empty() {
        return "as often as it comes: there is no frequency cap".into();
    }
    format!("at most {}", caps.join(", "))
}

fn rank(journey: &Journey, class: Class) -> String {
    if class == Class::Mandatory {
        return "whatever other journeys send at that moment".into();
    }
    let weight = journey.priority.as_ref().map_or_else(|| "0".into(), said);
    format!("no journey of a higher priority sends there at that moment; this one has {weight}")
}
