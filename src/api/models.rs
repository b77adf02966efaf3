//! `GET /v1/models`: the card of every model.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;

use crate::actors::live::Policies;
use crate::api::Api;
use crate::api::auth::Caller;
use crate::api::customer::{At, Json, json};
use crate::api::problem::Problem;
use crate::policy::hint;
use crate::policy::model::{Input, Kind, Model, Unknown};
use crate::scoring::{Card, Port, Watch};

/// Every model of the live policies.
#[utoipa::path(
    get,
    path = "/v1/models",
    security(("token" = [])),
    responses(
        (status = 200, description = "The models, by name", body = Models),
        (status = 401, description = "The token is missing or wrong", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn list(_: Caller, State(api): State<Arc<Api>>) -> Json {
    let live = api.releases.live();
    let models = live.bundle.models.values();
    let models = models.map(|model| ModelLine::of(model, &live)).collect();
    json(&Models { models })
}

/// The card of one model.
#[utoipa::path(
    get,
    path = "/v1/models/{name}",
    params(("name" = String, Path, description = "The name of the model")),
    security(("token" = [])),
    responses(
        (status = 200, description = "The card", body = ModelCard),
        (status = 401, description = "The token is missing or wrong", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such model", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn one(
    _: Caller,
    State(api): State<Arc<Api>>,
    path: Result<Path<String>, PathRejection>,
) -> Result<Json, Problem> {
    let Path(name) = path?;
    let live = api.releases.live();
    let Some(model) = live.bundle.models.get(name.as_str()) else {
        let known = live.bundle.models.keys().map(AsRef::as_ref);
        return Err(Problem::unknown_model(&name, &hint(&name, known)));
    };
    Ok(json(&ModelCard::of(model, &live)))
}

/// The models of the live policies.
#[derive(Serialize, ToSchema)]
pub struct Models<'a> {
    /// By name.
    models: Vec<ModelLine<'a>>,
}

/// A model in short.
#[derive(Serialize, ToSchema)]
struct ModelLine<'a> {
    /// Its name.
    model: &'a str,
    /// What it predicts.
    about: &'a str,
    /// SHA-256 of the file that is loaded: its version; absent if no journey, placement or offer names the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    /// How many columns it takes.
    n_inputs: usize,
    /// Whether it is asked once for every offer instead of once for a customer.
    per_offer: bool,
    /// What its author measured, by name.
    #[schema(value_type = BTreeMap<String, f64>)]
    metrics: &'a BTreeMap<Arc<str>, f64>,
}

impl<'a> ModelLine<'a> {
    fn of(model: &'a Model, live: &'a Policies) -> Self {
        let card = live.scorer.card(&model.name);
        Self {
            model: &model.name,
            about: &model.about,
            version: card.map(|card| card.sha256.as_ref()),
            n_inputs: model.inputs.len(),
            per_offer: model.per_offer,
            metrics: &model.metrics,
        }
    }
}

/// A model with everything that is known of it.
#[derive(Serialize, ToSchema)]
pub struct ModelCard<'a> {
    #[serde(flatten)]
    line: ModelLine<'a>,
    /// The ONNX file, beside the manifest.
    file: &'a str,
    /// The columns, in order.
    inputs: Vec<ModelColumn<'a>>,
    /// Which output is the score.
    output: ModelOutput<'a>,
    /// What is loaded; absent if no journey, placement or offer names the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    loaded: Option<ModelLoaded<'a>>,
    /// How far it has moved away from its training since it was loaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    drift: Option<ModelDrift>,
}

impl<'a> ModelCard<'a> {
    fn of(model: &'a Model, live: &'a Policies) -> Self {
        let output = &model.output;
        Self {
            line: ModelLine::of(model, live),
            file: &model.file,
            inputs: model.inputs.iter().map(ModelColumn::of).collect(),
            output: ModelOutput {
                name: output.name.as_deref(),
                class: output.class,
            },
            loaded: live.scorer.card(&model.name).map(ModelLoaded::of),
            drift: live.scorer.watch(&model.name).map(ModelDrift::of),
        }
    }
}

/// An input column.
#[derive(Serialize, ToSchema)]
struct ModelColumn<'a> {
    /// Its name.
    column: &'a str,
    /// The expression that gives its value.
    from: &'a str,
    /// `number` or `text`.
    r#type: &'static str,
    /// What an unknown value becomes: `fail` leaves the score unknown, `nan`, or a value.
    unknown: String,
}

impl<'a> ModelColumn<'a> {
    fn of(input: &'a Input) -> Self {
        Self {
            column: &input.column,
            from: &input.from.text,
            r#type: match input.kind {
                Kind::Number => "number",
                Kind::Text => "text",
            },
            unknown: match &input.unknown {
                Unknown::Fail => "fail".to_owned(),
                Unknown::Nan => "nan".to_owned(),
                Unknown::Number(number) => number.to_string(),
                Unknown::Text(text) => text.to_string(),
            },
        }
    }
}

/// The output that is the score.
#[derive(Serialize, ToSchema)]
struct ModelOutput<'a> {
    /// Its name; absent: the only one that is float.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    /// Its column, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<usize>,
}

/// What was found out when the model was loaded.
#[derive(Serialize, ToSchema)]
struct ModelLoaded<'a> {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: At,
    /// The size of its file, in bytes.
    n_bytes: u64,
    /// What the file takes.
    takes: Vec<ModelPort<'a>>,
    /// What the file gives.
    gives: Vec<ModelPort<'a>>,
    /// Whether the rows of a batch are run together.
    batched: bool,
    /// On how many rows its trees, walked by Attune, gave to the bit what ONNX Runtime gives; absent where ONNX Runtime runs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    walked: Option<usize>,
    /// How its golden rows came out; absent without any.
    #[serde(skip_serializing_if = "Option::is_none")]
    golden: Option<ModelGolden>,
    /// The text of its `README.md`, up to 64 KB; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    readme: Option<&'a str>,
}

impl<'a> ModelLoaded<'a> {
    fn of(card: &'a Card) -> Self {
        Self {
            at: At(card.loaded_at),
            n_bytes: card.n_bytes,
            takes: card.inputs.iter().map(ModelPort::of).collect(),
            gives: card.outputs.iter().map(ModelPort::of).collect(),
            batched: card.batched,
            walked: card.walked,
            golden: card.golden.as_ref().map(|proof| ModelGolden {
                n_rows: proof.n_rows,
                worst: proof.worst,
                tolerance: proof.tolerance,
            }),
            readme: card.readme.as_deref(),
        }
    }
}

/// An input or output of the file.
#[derive(Serialize, ToSchema)]
struct ModelPort<'a> {
    /// Its name.
    name: &'a str,
    /// Its type and shape, such as `float[n, 17]`.
    shape: &'a str,
}

impl<'a> ModelPort<'a> {
    fn of(port: &'a Port) -> Self {
        Self {
            name: &port.name,
            shape: &port.shape,
        }
    }
}

/// How golden rows came out: all right, or the model would not be loaded.
#[derive(Serialize, ToSchema)]
struct ModelGolden {
    /// How many there are.
    n_rows: usize,
    /// The largest difference to what was expected.
    worst: f64,
    /// What is allowed.
    tolerance: f64,
}

/// How far a model has moved away from its training.
#[derive(Serialize, ToSchema)]
struct ModelDrift {
    /// Whether there is a `baseline.json`: without one only outcomes are watched.
    baseline: bool,
    /// Whether any of it is an alarm.
    alarm: bool,
    /// The columns of the last full window, in order.
    columns: Vec<ModelMoved>,
    /// The scores of the last full window.
    #[serde(skip_serializing_if = "Option::is_none")]
    scores: Option<ModelMoved>,
    /// What came of the offers that were given with its scores.
    outcomes: ModelOutcomes,
}

/// How far a column or the scores have moved.
#[derive(Serialize, ToSchema)]
struct ModelMoved {
    /// The column; absent for the scores.
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<String>,
    /// The population stability index against the training.
    index: f64,
    /// Whether it is above the bound.
    alarm: bool,
}

/// What came of offers, against what was promised.
#[derive(Serialize, ToSchema)]
struct ModelOutcomes {
    /// Outcomes that are known.
    n: u64,
    /// How many of them the scores promised; older ones fade.
    promised: f64,
    /// How many came; older ones fade.
    came: f64,
    /// The evidence against the promise; an alarm at `run_length` of the manifest.
    evidence: f64,
    /// Whether the promise is broken.
    alarm: bool,
}

impl ModelDrift {
    fn of(watch: &Watch) -> Self {
        let drifted = watch.drifted();
        let outcomes = &drifted.outcomes;
        let columns = drifted.columns.iter();
        Self {
            baseline: watch.has_baseline(),
            alarm: drifted.inputs_alarm() || drifted.scores_alarm() || outcomes.broken,
            columns: columns
                .map(|(column, index, alarm)| ModelMoved {
                    column: Some(column.to_string()),
                    index: *index,
                    alarm: *alarm,
                })
                .collect(),
            scores: drifted.scores.map(|(index, alarm)| ModelMoved {
                column: None,
                index,
                alarm,
            }),
            outcomes: ModelOutcomes {
                n: outcomes.n,
                promised: outcomes.promised,
                came: outcomes.came,
                evidence: outcomes.evidence,
                alarm: outcomes.broken,
            },
        }
    }
}
