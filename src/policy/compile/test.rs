//! `test:`: who is given, what the models say, and what happens.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::consent::{self, Status};
use crate::domain::zone::Zone;
use crate::domain::{CustomerId, Map, Timestamp, Value};
use crate::policy::bundle::Bundle;
use crate::policy::compile::Names;
use crate::policy::compile::brought;
use crate::policy::compile::desk::Desk;
use crate::policy::compile::fields::Fields;
use crate::policy::compile::timeline;
use crate::policy::compile::value::{number, value};
use crate::policy::journey::{Act, Journey};
use crate::policy::test::{self, Customer, Script, Test};
use crate::policy::yaml::Yaml;

const KEYS: [&str; 9] = [
    "test", "about", "journey", "start", "customer", "holdout", "split", "models", "timeline",
];
const CUSTOMER_KEYS: [&str; 5] = ["id", "traits", "consent", "timezone", "reachable"];
/// Monday, 10 o'clock: not in anybody's quiet hours near UTC.
const START: &str = "2026-01-05T10:00:00Z";

/// What tests refer to.
pub struct Known<'a> {
    /// The names in all documents, broken ones too.
    pub names: &'a Names,
    /// What was compiled.
    pub bundle: &'a Bundle,
    /// The names of journeys, broken ones too.
    pub journeys: BTreeSet<Arc<str>>,
    /// The names of segments, broken ones too.
    pub segments: BTreeSet<Arc<str>>,
    /// Whether everything was compiled, so that a name that is missing in `bundle` does not exist.
    pub complete: bool,
}

impl<'a> Known<'a> {
    /// Returns a journey, if the test names one that was compiled; else all of them.
    pub fn journeys_of(&self, name: Option<&Arc<str>>) -> &'a [Journey] {
        let one = name.and_then(|name| self.bundle.journey(name));
        one.map_or(&self.bundle.journeys, std::slice::from_ref)
    }
}

/// Compiles a test.
pub fn compile(desk: &mut Desk, known: &Known<'_>, root: &Yaml) -> Option<Test> {
    let fields = desk.fields(root, "a test", &KEYS, &[])?;
    let name_node = desk.need(&fields, "test");
    let name = name_node.and_then(|node| desk.text(node, "the name of a test"));
    if let Some(about) = fields.get("about") {
        desk.text(about, "`about`");
    }
    let journey = fields
        .get("journey")
        .and_then(|node| refer_journey(desk, known, node));
    let start = match fields.get("start") {
        Some(node) => start(desk, node),
        None => Timestamp::parse(START),
    };
    let customer = customer(desk, known, &fields);
    let held_out = fields.get("holdout").map(|node| {
        let choices = [("in", true), ("out", false)];
        desk.choice(node, "`holdout`", &choices)
    });
    let dealt = fields
        .get("split")
        .map(|node| dealt(desk, known, journey.as_ref(), node));
    let models = fields.get("models").map(|node| models(desk, known, node));
    let begins = start.unwrap_or_default();
    let around = timeline::Around {
        known,
        journey: journey.as_ref(),
        start: begins,
        customer: customer.as_ref().map(|customer| &customer.id),
    };
    let timeline = desk
        .need(&fields, "timeline")
        .map(|node| timeline::compile(desk, &around, node));
    let (name, name_node) = (name?, name_node?);
    if !desk.declare("test", &name, name_node) {
        return None;
    }
    Some(Test {
        name,
        journey,
        start: start?,
        customer: customer?,
        held_out: held_out.map_or(Some(false), |held_out| held_out)?,
        dealt: dealt.unwrap_or_default(),
        models: models.unwrap_or_default(),
        timeline: timeline?,
        source: desk.source.clone()?,
        place: desk.place(name_node),
    })
}

/// Reads the name of a journey.
pub fn refer_journey(desk: &mut Desk, known: &Known<'_>, node: &Yaml) -> Option<Arc<str>> {
    let name = desk.text(node, "the name of a journey")?;
    let journeys = known.journeys.iter().map(AsRef::as_ref);
    // What is about an unknown journey is not without one: that is reported once.
    desk.refer(node, "journey", &name, journeys);
    Some(name)
}

fn start(desk: &mut Desk, node: &Yaml) -> Option<Timestamp> {
    let text = desk.text(node, "`start`")?;
    let start = Timestamp::parse(&text);
    if start.is_none() {
        let message = format!("`{text}` is not a time");
        let help = "write RFC 3339, with the offset: `2026-01-05T10:00:00+01:00`";
        desk.advise("bad_value", node.span.clone(), message, help);
    }
    start
}

fn customer(desk: &mut Desk, known: &Known<'_>, test: &Fields<'_>) -> Option<Customer> {
    let node = test.get("customer");
    let fields = node.map(|node| desk.fields(node, "`customer`", &CUSTOMER_KEYS, &[]));
    let fields = match fields {
        Some(fields) => Some(fields?),
        None => None,
    };
    let get = |key| fields.as_ref().and_then(|fields| fields.get(key));
    let id = match get("id") {
        Some(node) => id(desk, node),
        None => CustomerId::parse("u1").ok(),
    };
    let mut traits = get("traits").map_or_else(Map::default, |node| map(desk, node, "`traits`"));
    if let Some(node) = get("traits") {
        brought::check(desk, node, &desk.schemas.traits(), "profile.traits");
    }
    if let Some(zone) = get("timezone").and_then(|node| timezone(desk, node)) {
        traits.set("timezone", Value::Text(zone));
    }
    let consent = get("consent").map_or(Value::Null, |node| consent(desk, node));
    let reachable = get("reachable").and_then(|node| reachable(desk, known, node));
    Some(Customer {
        id: id?,
        traits,
        consent,
        reachable,
    })
}

fn id(desk: &mut Desk, node: &Yaml) -> Option<CustomerId> {
    let text = desk.text(node, "`id`")?;
    match CustomerId::parse(&text) {
        Ok(id) => Some(id),
        Err(message) => {
            desk.report("bad_value", node.span.clone(), message);
            None
        }
    }
}

fn timezone(desk: &mut Desk, node: &Yaml) -> Option<Arc<str>> {
    let name = desk.text(node, "`timezone`")?;
    if Zone::parse(&name).is_none() {
        let message = format!("unknown time zone `{name}`");
        let help = "write a name of tzdata such as `Europe/Berlin`; for a customer with a wrong one put it under `traits`";
        desk.advise("bad_value", node.span.clone(), message, help);
        return None;
    }
    Some(name)
}

/// Reads a map of plain values.
pub fn map(desk: &mut Desk, node: &Yaml, what: &str) -> Map {
    let read = value(node);
    if node.entries().is_none() {
        desk.wrong_type(node, &format!("{what} is a map"), "write `{ name: value }`");
    }
    read.as_map().cloned().unwrap_or_default()
}

fn consent(desk: &mut Desk, node: &Yaml) -> Value {
    let said = value(node);
    let all = consent::of_trait(&said, Timestamp::MIN);
    if all.iter().any(|said| said.status == Status::Unclear) {
        let message = "nobody can read this as a consent";
        let help = "write `granted`, `denied` or `withdrawn`, for all channels or by channel: `{ email: granted }`";
        desk.advise("bad_value", node.span.clone(), message, help);
    }
    said
}

/// Reads `all`, `none`, or a list of channels; `None`: all.
fn reachable(desk: &mut Desk, known: &Known<'_>, node: &Yaml) -> Option<Vec<Arc<str>>> {
    match node.text().map(AsRef::as_ref) {
        Some("all") => return None,
        Some("none") => return Some(Vec::new()),
        Some(_) | None => {}
    }
    let mut channels = Vec::new();
    for item in node.items() {
        let Some(name) = desk.text(item, "the name of a channel") else {
            continue;
        };
        let names = known.names.channels.iter().map(AsRef::as_ref);
        if desk.refer(item, "channel", &name, names) {
            channels.push(name);
        }
    }
    Some(channels)
}

fn dealt(
    desk: &mut Desk,
    known: &Known<'_>,
    journey: Option<&Arc<str>>,
    node: &Yaml,
) -> Vec<(Arc<str>, Arc<str>)> {
    let Some(journey) = journey else {
        let help = "add `journey: ..`, the one whose splits are meant";
        let message = "`split` needs a `journey`";
        desk.advise("which_journey", node.span.clone(), message, help);
        return Vec::new();
    };
    let Some(entries) = node.entries() else {
        desk.wrong_type(node, "`split` is a map", "write `{ STEP: ARM }`");
        return Vec::new();
    };
    let Some(journey) = known.bundle.journey(journey) else {
        return Vec::new();
    };
    let mut dealt = Vec::new();
    for (key, arm) in entries {
        dealt.extend(dealt_one(desk, journey, key, arm));
    }
    dealt
}

/// Reads a split by the label of its step or the name of its result, and the arm.
fn dealt_one(
    desk: &mut Desk,
    journey: &Journey,
    key: &Yaml,
    arm: &Yaml,
) -> Option<(Arc<str>, Arc<str>)> {
    let name = desk.text(key, "a split")?;
    let splits = journey.flow.iter().filter_map(|step| {
        if let Act::Split { arms, bind, .. } = &step.act {
            Some((&step.label, bind, arms))
        } else {
            None
        }
    });
    let found = splits
        .clone()
        .find(|(label, bind, _)| **label == name || **bind == name);
    let Some((label, _, arms)) = found else {
        let names = splits.flat_map(|(label, bind, _)| [label.as_ref(), bind.as_ref()]);
        desk.refer(key, "split", &name, names);
        return None;
    };
    let arm_name = desk.text(arm, "the name of an arm")?;
    let names = arms.iter().map(|arm| arm.name.as_ref());
    let is_right = desk.refer(arm, "arm", &arm_name, names);
    is_right.then(|| (label.clone(), arm_name))
}

fn models(desk: &mut Desk, known: &Known<'_>, node: &Yaml) -> BTreeMap<Arc<str>, Script> {
    let Some(entries) = node.entries() else {
        desk.wrong_type(node, "`models` is a map", "write `{ MODEL: 0.21 }`");
        return BTreeMap::new();
    };
    let mut models = BTreeMap::new();
    for (key, node) in entries {
        let Some(name) = desk.text(key, "the name of a model") else {
            continue;
        };
        let names = known.names.models.keys().map(AsRef::as_ref);
        if !desk.refer(key, "model", &name, names) {
            continue;
        }
        if let Some(script) = script(desk, known, &name, node) {
            models.insert(name, script);
        }
    }
    models
}

fn script(desk: &mut Desk, known: &Known<'_>, model: &str, node: &Yaml) -> Option<Script> {
    if let Some(entries) = node.entries() {
        if known.names.models.get(model) == Some(&false) && known.complete {
            let message = format!("model `{model}` does not look at offers");
            let help = "it says the same of all of them: write one number";
            desk.advise("bad_value", node.span.clone(), message, help);
            return None;
        }
        let mut scores = BTreeMap::new();
        for (key, node) in entries {
            let offer = desk.text(key, "the id of an offer")?;
            let names = known.names.offers.iter().map(AsRef::as_ref);
            if desk.refer(key, "offer", &offer, names)
                && let Some(score) = score(desk, node)
            {
                scores.insert(offer, score);
            }
        }
        return Some(Script::Offers(scores));
    }
    match node.text().map(AsRef::as_ref) {
        Some("unknown") => Some(Script::Unknown),
        Some("real") => Some(Script::Real),
        Some(_) | None => score(desk, node).map(Script::Score),
    }
}

fn score(desk: &mut Desk, node: &Yaml) -> Option<f64> {
    let text = desk.text(node, "a score")?;
    let score = number(&text);
    if score.is_none() {
        let message = format!("`{text}` is not a score");
        let help = "write a number, `unknown`, `real` (runs the model), or numbers by offer: `{ ten-off: 0.4 }`";
        desk.advise("bad_value", node.span.clone(), message, help);
    }
    score
}

/// Returns the templates that journeys send, sorted, each once.
pub fn templates(journeys: &[Journey]) -> BTreeSet<&str> {
    test::sends(journeys)
        .map(|send| send.template.as_ref())
        .collect()
}
