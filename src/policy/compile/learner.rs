//! `learners:`, and what a placement says of learning.

use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use crate::domain::outcome::Kind as Outcome;
use crate::policy::bundle::Bundle;
use crate::policy::compile::Names;
use crate::policy::compile::desk::Desk;
use crate::policy::compile::fields::Fields;
use crate::policy::expr::{Scope, Site};
use crate::policy::learner::{Feature, Kind, Learner, Prior};
use crate::policy::yaml::Yaml;

const KEYS: [&str; 7] = [
    "about",
    "kind",
    "prior",
    "half_life",
    "features",
    "reward",
    "within",
];
/// The most evidence that a prior may count for.
const EVIDENCE_MAX: f64 = 1e6;
/// What outcomes are worth unless the author says it.
const REWARDS: [Option<f64>; 4] = [Some(0.0), Some(1.0), None, None];

/// A kind before its features are read.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Beta,
    Linear,
    Calibrate,
}

const WAYS: [(&str, Way); 3] = [
    ("beta", Way::Beta),
    ("linear", Way::Linear),
    ("calibrate", Way::Calibrate),
];

/// Compiles the learners of a document into the bundle.
pub fn compile_all(desk: &mut Desk, entries: &[(Yaml, Yaml)], bundle: &mut Bundle) {
    for (key, node) in entries {
        let learner = compile(desk, key, node);
        let named = learner.map(|learner| (learner.name.clone(), learner));
        bundle.learners.extend(named);
    }
}

fn compile(desk: &mut Desk, key: &Yaml, node: &Yaml) -> Option<Learner> {
    let name = desk.name(key, "a learner")?;
    let first = desk.declare("learner", &name, key);
    let fields = desk.fields(node, &format!("learner `{name}`"), &KEYS, &[])?;
    if let Some(about) = fields.get("about") {
        desk.text(about, "`about`");
    }
    let way = match fields.get("kind") {
        Some(node) => desk.choice(node, "kind of learner", &WAYS),
        None => Some(Way::Beta),
    };
    let kind = way.and_then(|way| kind(desk, &fields, key, way));
    let prior = match (fields.get("prior"), way) {
        (Some(node), Some(Way::Calibrate)) => {
            let message = "a learner that calibrates begins at what the model says";
            let help = "remove `prior`, or write `kind: beta`";
            desk.advise("bad_value", node.span.clone(), message, help);
            None
        }
        (Some(node), _) => prior(desk, node),
        (None, _) => Some(Prior::default()),
    };
    let rewards = match fields.get("reward") {
        Some(node) => rewards(desk, node),
        None => Some(REWARDS),
    };
    let mut length = |word: &str| match fields.get(word) {
        Some(node) => desk.duration(node, &format!("`{word}`"), true).map(Some),
        None => Some(None),
    };
    let (half_life, within) = (length("half_life"), length("within"));
    let learner = Learner {
        version: 0,
        name,
        kind: kind?,
        prior: prior?,
        half_life: half_life?,
        rewards: rewards?,
        within: within?,
        place: desk.place(key),
    };
    let version = version(&learner);
    first.then_some(Learner { version, ..learner })
}

fn kind(desk: &mut Desk, fields: &Fields<'_>, key: &Yaml, way: Way) -> Option<Kind> {
    match (way, fields.get("features")) {
        (Way::Linear, Some(node)) => features(desk, node).map(Kind::Linear),
        (Way::Linear, None) => {
            let message = "a linear learner needs `features`";
            let help = "write `features: { NAME: EXPRESSION }`, or `kind: beta`";
            desk.advise("bad_value", key.span.clone(), message, help);
            None
        }
        (Way::Beta | Way::Calibrate, Some(node)) => {
            let message = "only a linear learner looks at `features`";
            let help = "write `kind: linear`, or remove them";
            desk.advise("bad_value", node.span.clone(), message, help);
            None
        }
        (Way::Beta, None) => Some(Kind::Beta),
        (Way::Calibrate, None) => Some(Kind::Calibrate),
    }
}

fn features(desk: &mut Desk, node: &Yaml) -> Option<Vec<Feature>> {
    let Some(entries) = node.entries().filter(|entries| !entries.is_empty()) else {
        let help = "write `features: { NAME: EXPRESSION }`";
        desk.wrong_type(node, "`features` is a map of expressions by name", help);
        return None;
    };
    if entries.len() > Learner::FEATURES_MAX {
        let (n, n_max) = (entries.len(), Learner::FEATURES_MAX);
        let message = format!("{n} features are too many for a learner");
        let help = format!("keep at most {n_max}; a model can look at more");
        desk.advise("bad_value", node.span.clone(), message, help);
    }
    let scope = Scope {
        site: Site::Offer,
        locals: &[],
    };
    let features = entries.iter().map(|(key, node)| {
        let name = desk.name(key, "a feature of a learner");
        let of = desk.number(node, scope);
        Some(Feature {
            name: name?,
            of: of?,
        })
    });
    let features: Vec<_> = features.collect();
    let fits = features.len() <= Learner::FEATURES_MAX;
    features.into_iter().collect::<Option<_>>().filter(|_| fits)
}

/// Reads `{ propensity: 0.05, evidence: 50 }`.
fn prior(desk: &mut Desk, node: &Yaml) -> Option<Prior> {
    let fields = desk.fields(node, "`prior`", &["propensity", "evidence"], &[])?;
    let propensity = desk.need(&fields, "propensity").and_then(|node| {
        let help = "write a number above 0, up to 1: `0.05`";
        let fits = |number: f64| number > 0.0 && number <= 1.0;
        within(desk, node, "`propensity`", help, fits)
    });
    let evidence = desk.need(&fields, "evidence").and_then(|node| {
        let help = "write how many decisions the prior counts for: `50`";
        let fits = |number: f64| number > 0.0 && number <= EVIDENCE_MAX;
        within(desk, node, "`evidence`", help, fits)
    });
    Some(Prior {
        propensity: propensity?,
        evidence: evidence?,
    })
}

/// Reads `{ impression: 0, click: 1 }`.
fn rewards(desk: &mut Desk, node: &Yaml) -> Option<[Option<f64>; 4]> {
    let words = Outcome::ALL.map(Outcome::word);
    let fields = desk.fields(node, "`reward`", &words, &[])?;
    let mut rewards = [None; 4];
    for (word, reward) in words.into_iter().zip(&mut rewards) {
        let Some(node) = fields.get(word) else {
            continue;
        };
        let help = "write a number from 0 to 1";
        let fits = |number: f64| (0.0..=1.0).contains(&number);
        *reward = Some(within(desk, node, "a reward", help, fits)?);
    }
    if rewards.iter().all(Option::is_none) {
        // Every key is unknown, which was reported.
        return None;
    }
    let given = || rewards.iter().flatten();
    if given().any(|reward| *reward > 0.0) && given().any(|reward| *reward < 1.0) {
        return Some(rewards);
    }
    let message = "every outcome is worth the same: nothing can be learnt";
    let help = "say also what it is worth when nothing more comes: `{ impression: 0, click: 1 }`";
    desk.advise("bad_value", node.span.clone(), message, help);
    None
}

fn within(
    desk: &mut Desk,
    node: &Yaml,
    what: &str,
    help: &str,
    fits: impl Fn(f64) -> bool,
) -> Option<f64> {
    let text = desk.text(node, what)?;
    let number = text.parse::<f64>().ok().filter(|number| fits(*number));
    if number.is_none() {
        let message = format!("`{text}` cannot be {what}");
        desk.advise("bad_value", node.span.clone(), message, help);
    }
    number
}

/// Hashes what gives evidence its meaning; prior, half-life and windows may change with it kept.
fn version(learner: &Learner) -> u64 {
    let kind = match &learner.kind {
        Kind::Beta => "beta".to_owned(),
        Kind::Calibrate => "calibrate".to_owned(),
        Kind::Linear(features) => {
            let texts = features.iter().map(|feature| feature.of.text.as_ref());
            texts.collect::<Vec<&str>>().join("\n")
        }
    };
    let rewards = learner.rewards.map(|reward| format!("{reward:?}"));
    let words = [learner.name.as_ref(), &kind, &rewards.join(" ")];
    xxh3_64(words.join("\u{0}").as_bytes())
}

/// Tells if there is a learner of this name.
pub fn refer(desk: &mut Desk, names: &Names, node: &Yaml) -> Option<Arc<str>> {
    let name = desk.text(node, "the name of a learner")?;
    let known = names.learners.iter().map(AsRef::as_ref);
    desk.refer(node, "learner", &name, known).then_some(name)
}
