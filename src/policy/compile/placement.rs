//! One placement.

use std::sync::Arc;

use crate::domain::outcome::ATTRIBUTION;
use crate::policy::compile::Names;
use crate::policy::compile::desk::Desk;
use crate::policy::compile::engagement::{self, contacts};
use crate::policy::compile::fields::Fields;
use crate::policy::compile::group;
use crate::policy::compile::learning;
use crate::policy::compile::offer::model;
use crate::policy::expr::{Scope, Site};
use crate::policy::offer::{ContextWeight, Diversity, Factor, Key, Placement, Smoothing};
use crate::policy::yaml::Yaml;

const KEYS: [&str; 20] = [
    "about",
    "model",
    "score",
    "rank",
    "factors",
    "context_weights",
    "smoothing",
    "groups",
    "diversity",
    "contact",
    "channel",
    "purpose",
    "limit",
    "fallback",
    "attribution",
    "learner",
    "explore",
    "control",
    "holdout",
    "challenger",
];
/// The most offers of an answer.
const LIMIT_MAX: u32 = 100;
/// The least weight of a context: C cannot be less than nothing.
const CONTEXT_MIN: f64 = -100.0;

/// Compiles a placement.
pub fn placement(desk: &mut Desk, names: &Names, key: &Yaml, node: &Yaml) -> Option<Placement> {
    let name = desk.name(key, "a placement")?;
    let first = desk.declare("placement", &name, key);
    let fields = desk.fields(node, &format!("placement `{name}`"), &KEYS, &[])?;
    if let Some(about) = fields.get("about") {
        desk.text(about, "`about`");
    }
    one_of(desk, &fields, key);
    let model_node = fields.get("model").or_else(|| fields.get("score"));
    let model = model_node.and_then(|node| model(desk, names, node));
    let scope = Scope {
        site: Site::Rank,
        locals: &[],
    };
    let rank = fields.get("rank").map(|node| desk.number(node, scope));
    let factors = fields.get("factors").map(|node| factors(desk, node));
    let context_weights = fields.get("context_weights");
    let context_weights = context_weights.map(|node| context_weights_of(desk, node));
    let smoothing = fields.get("smoothing").map(|node| smoothing(desk, node));
    let groups = fields.get("groups");
    let groups = groups.map(|node| group::names(desk, &names.groups, node));
    let diversity = fields.get("diversity").map(|node| diversity(desk, node));
    let contact = contacts(desk, fields.get("contact"));
    let receiver = receiver(desk, names, &fields);
    let limit = fields
        .get("limit")
        .map_or(Some(1), |node| count(desk, node, "limit"));
    let attribution = match fields.get("attribution") {
        Some(node) => desk.duration(node, "`attribution`", true),
        None => Some(ATTRIBUTION),
    };
    let learning = learning::learning(desk, names, &fields);
    let Receiver { channel, purpose } = receiver?;
    let mut placement = Placement {
        name,
        model,
        rank: rank.map_or(Some(None), |rank| rank.map(Some))?,
        factors: factors.unwrap_or_else(|| Some(Factor::ALL.map(|(_, factor)| factor).to_vec()))?,
        context_weights: context_weights.unwrap_or_default(),
        smoothing: smoothing.map_or(Some(None), |smoothing| smoothing.map(Some))?,
        groups: groups.unwrap_or_default(),
        diversity: diversity.unwrap_or_default(),
        contact,
        channel,
        purpose,
        limit: limit?,
        attribution: attribution?,
        fallback: fallback(desk, names, &fields),
        learning: learning?,
        offers: Vec::new(),
        index: None,
        place: desk.place(key),
    };
    if !learning::challenge(desk, names, &fields, &mut placement) {
        return None;
    }
    first.then_some(placement)
}

/// Reports words of which one says what the other would.
fn one_of(desk: &mut Desk, fields: &Fields<'_>, key: &Yaml) {
    if fields.has("model") && fields.has("score") {
        let help = "keep `model`; `score` is another word for it";
        let message = "both `model` and `score` are given";
        desk.advise("duplicate_key", key.span.clone(), message, help);
    }
    for word in ["factors", "context_weights"] {
        if let (Some(node), true) = (fields.get(word), fields.has("rank")) {
            let message = format!("`{word}` says nothing beside `rank`");
            let help = "`rank` is the priority; leave it out for P × C × V × L, or write the factors into it";
            desk.advise("bad_value", node.span.clone(), message, help);
        }
    }
}

fn fallback(desk: &mut Desk, names: &Names, fields: &Fields<'_>) -> Option<Arc<str>> {
    let node = fields.get("fallback")?;
    let id = desk.text(node, "the id of an offer")?;
    let known = names.offers.iter().map(AsRef::as_ref);
    desk.refer(node, "offer", &id, known).then_some(id)
}

/// Whom an answer is for.
struct Receiver {
    channel: Option<Arc<str>>,
    purpose: Option<Arc<str>>,
}

/// Reads whom an answer is for: a channel, and the purpose that the customer must have agreed to.
fn receiver(desk: &mut Desk, names: &Names, fields: &Fields<'_>) -> Option<Receiver> {
    let channel = fields.get("channel").map(|node| {
        let name = desk.text(node, "the name of a channel")?;
        let own = crate::policy::limits::Limits::ADDRESSES.iter();
        let own = own.map(|(channel, _)| *channel);
        let known = names.channels.iter().map(AsRef::as_ref).chain(own);
        desk.refer(node, "channel", &name, known).then_some(name)
    });
    let purpose = fields.get("purpose");
    if let (Some(node), false) = (purpose, fields.has("channel")) {
        let help =
            "name the `channel` of the placement, too: consent is given by channel and purpose";
        let message = "`purpose` without `channel` asks for nothing";
        desk.advise("bad_value", node.span.clone(), message, help);
    }
    let purpose = purpose.map(|node| desk.name(node, "a purpose"));
    Some(Receiver {
        channel: channel.map_or(Some(None), |channel| channel.map(Some))?,
        purpose: purpose.map_or(Some(None), |purpose| purpose.map(Some))?,
    })
}

/// Reads the factors that count.
fn factors(desk: &mut Desk, node: &Yaml) -> Option<Vec<Factor>> {
    let items = node.items().iter();
    items
        .map(|item| desk.choice(item, "factor", &Factor::ALL))
        .collect()
}

fn context_weights_of(desk: &mut Desk, node: &Yaml) -> Vec<ContextWeight> {
    let read = node
        .items()
        .iter()
        .filter_map(|item| context_weight(desk, item));
    read.collect()
}

fn context_weight(desk: &mut Desk, node: &Yaml) -> Option<ContextWeight> {
    let fields = desk.fields(node, "a context weight", &["when", "weight"], &[])?;
    let scope = Scope {
        site: Site::Offer,
        locals: &[],
    };
    let when = desk.need(&fields, "when");
    let when = when.and_then(|node| desk.condition(node, scope));
    let weight = desk.need(&fields, "weight")?;
    let weight = engagement::weight(desk, weight, "`weight`", CONTEXT_MIN)?;
    Some(ContextWeight {
        when: when?,
        weight,
    })
}

fn smoothing(desk: &mut Desk, node: &Yaml) -> Option<Smoothing> {
    let fields = desk.fields(node, "`smoothing`", &["evidence", "propensity"], &[])?;
    let evidence = desk.need(&fields, "evidence");
    let evidence = evidence.and_then(|node| within(desk, node, "evidence", 1_000_000.0));
    let propensity = desk.need(&fields, "propensity")?;
    let propensity = within(desk, propensity, "propensity", 1.0)?;
    Some(Smoothing {
        evidence: evidence?,
        propensity,
    })
}

/// Reads a number from 0 to a greatest.
fn within(desk: &mut Desk, node: &Yaml, what: &str, most: f64) -> Option<f64> {
    let text = desk.text(node, &format!("`{what}`"))?;
    let number = text.parse::<f64>().ok();
    let number = number.filter(|number| (0.0..=most).contains(number));
    if number.is_none() {
        let message = format!("`{what}` cannot be `{text}`");
        let help = format!("write a number from 0 to {most}");
        desk.advise("bad_value", node.span.clone(), message, help);
    }
    number
}

fn diversity(desk: &mut Desk, node: &Yaml) -> Vec<Diversity> {
    let help = "write how many offers of an answer may be alike: `{ group: 1, data.category: 2 }`";
    let Some(entries) = node.entries() else {
        desk.wrong_type(node, "`diversity` is a map", help);
        return Vec::new();
    };
    let mut all = Vec::new();
    for (key, node) in entries {
        let n = count(desk, node, "diversity");
        let Some(text) = desk.text(key, "what offers may share") else {
            continue;
        };
        let path = text.strip_prefix("data.").filter(|path| !path.is_empty());
        let key = match (text.as_ref(), path) {
            ("group", _) => Key::Group,
            (_, Some(path)) => Key::Data(path.split('.').map(Arc::from).collect()),
            (_, None) => {
                let message = format!("`{text}` is nothing that offers share");
                desk.advise("bad_value", key.span.clone(), message, help);
                continue;
            }
        };
        all.extend(n.map(|n| Diversity { key, n }));
    }
    all
}

/// Reads how many offers.
fn count(desk: &mut Desk, node: &Yaml, what: &str) -> Option<u32> {
    let text = desk.text(node, &format!("`{what}`"))?;
    let count = text
        .parse()
        .ok()
        .filter(|count| (1..=LIMIT_MAX).contains(count));
    if count.is_none() {
        let message = format!("`{text}` is not a number of offers");
        let help = format!("write a whole number from 1 to {LIMIT_MAX}");
        desk.advise("bad_value", node.span.clone(), message, help);
    }
    count
}
