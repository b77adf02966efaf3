//! Who is on the way through what changes, and what becomes of them.

use anyhow::Context;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::policy::Bundle;
use crate::policy::explain;
use crate::policy::migration::{Landing, Origin};

/// Runs at one step of a journey that changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The journey.
    pub journey: String,
    /// Its revision that they are in, 16 hex digits.
    pub revision: String,
    /// Whether that is the live one.
    pub live: bool,
    /// The label of the step.
    pub step: String,
    /// What it does, if the text is kept.
    pub does: Option<String>,
    /// What becomes of the step.
    pub fate: Fate,
    /// How many they were when the plan was made.
    pub people: u64,
    /// What becomes of them.
    pub lot: Lot,
}

/// What becomes of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    /// A step of this label does the same in words.
    Kept,
    /// A step of this label does something else.
    Changed,
    /// There is no step of this label.
    Removed,
}

/// What becomes of those who stand there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lot {
    /// They go on as they began, on their revision, to its end.
    Stay,
    /// `migrate:` takes them to the step of this label, which does this.
    Go(String, String),
    /// `migrate:` lets them leave.
    Leave,
}

/// Finds everybody who is in a journey that changes, or whom `migrate:` takes over.
///
/// - `page`: what `GET /v1/journeys` says.
///
/// # Errors
///
/// The page is not what it should be.
pub fn of(page: &Value, before: &Bundle, after: &Bundle) -> anyhow::Result<Vec<Standing>> {
    let journeys = page["journeys"].as_array();
    let journeys = journeys.context("the server does not say where people are")?;
    let mut all = Vec::new();
    for journey in journeys {
        let name = text(&journey["journey"]);
        let revision = |bundle: &Bundle| bundle.journey(&name).map(|it| it.revision);
        let changes = revision(before) != revision(after) || after.ended.contains(name.as_str());
        let revisions = journey["revisions"].as_array().into_iter().flatten();
        for of in revisions {
            let steps = of["steps"].as_array().into_iter().flatten();
            let standing = steps.map(|step| standing(&name, of, step, after));
            let mut standing = standing.collect::<anyhow::Result<Vec<_>>>()?;
            standing.retain(|of| changes || of.lot != Lot::Stay);
            all.extend(standing);
        }
    }
    Ok(all)
}

fn standing(name: &str, of: &Value, step: &Value, after: &Bundle) -> anyhow::Result<Standing> {
    let (revision, label) = (text(&of["revision"]), text(&step["step"]));
    let number = u64::from_str_radix(&revision, 16).context("the server names no revision")?;
    let does = step["does"].as_str().map(str::to_owned);
    let origin = Origin {
        journey: name,
        revision: number,
        step: &label,
        is_shadow: of["mode"] == "shadow",
    };
    let lot = match after.lands(&origin) {
        None => Lot::Stay,
        Some(Landing::Exit) => Lot::Leave,
        Some(Landing::At(_, step)) => Lot::Go(step.label.to_string(), explain::act(&step.act)),
    };
    let mut steps = after.journey(name).into_iter().flat_map(|it| &it.flow);
    let same = steps.find(|step| *step.label == *label);
    let fate = match same.map(|step| explain::act(&step.act)) {
        None => Fate::Removed,
        Some(act) if does.as_ref() == Some(&act) => Fate::Kept,
        Some(_) => Fate::Changed,
    };
    Ok(Standing {
        journey: name.to_owned(),
        revision,
        live: of["live"] == true,
        step: label,
        does,
        fate,
        people: step["people"].as_u64().unwrap_or(0),
        lot,
    })
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
