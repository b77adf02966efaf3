//! What each thing of a bundle says, in words.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::policy::Bundle;
use crate::policy::diff::catalogue::{conditions, group, offer, placement};
use crate::policy::diff::lines::{Line, Way};
use crate::policy::diff::{Kind, learning};
use crate::policy::explain;
use crate::policy::feature::{Feature, Window};
use crate::policy::journey::Journey;
use crate::policy::limits::{Channel, Limit};
use crate::policy::mode::Mode;
use crate::policy::model::{Drift, Model};
use crate::policy::segment::Segment;

/// What one thing says.
#[derive(Debug, PartialEq)]
pub struct Told {
    /// In words; they may leave details out.
    pub lines: Vec<Line>,
    /// Stands for every detail.
    mark: u64,
}

/// Returns everything of a kind by name.
pub fn all(bundle: &Bundle, kind: Kind) -> BTreeMap<Arc<str>, Told> {
    match kind {
        Kind::Journey => {
            let journeys = bundle.journeys.iter();
            let told = |it: &Journey| (it.name.clone(), journey(bundle, it));
            journeys.map(told).collect()
        }
        Kind::Offer => each(&bundle.offers, |it| offer(it)),
        Kind::Group => each(&bundle.groups, group),
        Kind::Placement => each(&bundle.placements, placement),
        Kind::Segment => {
            let told = |it: &Segment| (it.name.clone(), plain(segment(it)));
            bundle.segments.iter().map(told).collect()
        }
        Kind::Feature => {
            let told = |it: &Feature| Some((it.name.clone()?, plain(feature(it))));
            bundle.features.iter().filter_map(told).collect()
        }
        Kind::Limit => {
            let mut told = each(&bundle.limits.caps, |caps| caps.iter().map(cap).collect());
            if let Some(quiet) = &bundle.limits.quiet {
                told.insert("quiet_hours".into(), plain(vec![quiet.text.to_string()]));
            }
            told
        }
        Kind::Channel => each(&bundle.limits.channels, channel),
        Kind::Model => each(&bundle.models, model),
        Kind::Learner => each(&bundle.learners, learning::learner),
    }
}

fn each<T>(
    all: &BTreeMap<Arc<str>, T>,
    say: impl Fn(&T) -> Vec<String>,
) -> BTreeMap<Arc<str>, Told> {
    let told = all.iter();
    told.map(|(name, it)| (name.clone(), plain(say(it))))
        .collect()
}

fn plain(lines: Vec<String>) -> Told {
    let line = |text| Line {
        way: Way::Kept,
        depth: 0,
        step: None,
        text,
    };
    Told {
        lines: lines.into_iter().map(line).collect(),
        mark: 0,
    }
}

/// Takes the plain words of a journey up to its guards, which limits and channels say.
fn journey(bundle: &Bundle, journey: &Journey) -> Told {
    let mut head = vec![format!("class {}", journey.class.as_str())];
    if journey.mode == Mode::Shadow {
        head.push("mode shadow".into());
    }
    head.extend(
        journey
            .priority
            .iter()
            .map(|of| format!("priority {}", of.text)),
    );
    let mut lines = plain(head).lines;
    let text = explain::text(bundle, journey);
    // The first line says where it stands.
    let text = text.lines().skip(1);
    let own = text.take_while(|line| !line.starts_with("A send ("));
    lines.extend(own.filter(|line| !line.is_empty()).map(line));
    Told {
        lines,
        mark: journey.revision,
    }
}

fn line(text: &str) -> Line {
    let said = text.trim_start();
    let depth = (text.len() - said.len()) / 2;
    let labelled = said.split_once("  ").filter(|(label, _)| {
        let is_first = |c: char| c.is_ascii_digit();
        label.starts_with(is_first) && !label.contains(' ')
    });
    let (step, said) = labelled.map_or((None, said), |(label, said)| (Some(label), said));
    Line {
        way: Way::Kept,
        depth,
        step: step.map(str::to_owned),
        text: said.to_owned(),
    }
}

fn segment(segment: &Segment) -> Vec<String> {
    let mut lines: Vec<String> = conditions("if", &segment.when).collect();
    if !segment.publish {
        lines.push("not published".into());
    }
    lines
}

fn feature(feature: &Feature) -> Vec<String> {
    let (word, of) = (feature.fold.as_str(), feature.fold.of());
    let of = of.map_or_else(String::new, |of| format!(" of {}", of.text));
    let mut lines = vec![format!("{word} of `{}`{of}", feature.event)];
    lines.extend(conditions("where", &feature.filter));
    lines.push(match feature.window {
        Window::Lifetime => "over the lifetime".into(),
        Window::Session => "over the session".into(),
        Window::Sliding(length) => format!("over the last {length}"),
    });
    lines.push(format!("remembers {}", feature.n_max));
    lines
}

fn cap(limit: &Limit) -> String {
    limit.text.to_string()
}

fn channel(channel: &Channel) -> Vec<String> {
    let address = channel.address.join(".");
    let address = match address.as_str() {
        "" => "no address".into(),
        path => format!("address in profile.traits.{path}"),
    };
    let consent = if channel.asks_consent {
        "marketing needs a yes"
    } else {
        "marketing needs no yes"
    };
    vec![address, consent.into()]
}

fn model(model: &Model) -> Vec<String> {
    let mut lines = vec![format!("file {}", model.file)];
    let inputs = model.inputs.iter();
    lines.extend(inputs.map(|input| {
        let (column, from) = (&input.column, &input.from.text);
        format!("{column} from {from}, unknown: {:?}", input.unknown)
    }));
    lines.push(format!("output {:?}", model.output));
    lines.extend(model.sha256.iter().map(|it| format!("sha256 {it}")));
    if model.drift != Drift::default() {
        lines.push(format!("drift {:?}", model.drift));
    }
    lines
}
