//! Every exporter's file gives its scores; every hazard is refused with a sentence that helps.

mod exporters;
pub(crate) mod graph;
mod places;
mod refusals;
mod runs;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use self::graph::{FLOAT, Graph};
use crate::policy::model::Drift;

use super::{Cell, Error, Golden, InputSpec, Kind, Library, Model, OutputSpec, Source, Spec};

/// Loads ONNX Runtime; without it these tests fail, they do not skip.
fn library() -> Library {
    Library::load(None).unwrap_or_else(|error| panic!("{error}"))
}

pub(super) fn load(spec: &Spec) -> Model {
    Model::load(&library(), spec, NonZeroUsize::new(1)).unwrap_or_else(|error| panic!("{error}"))
}

fn numbers<const N: usize>(numbers: [f32; N]) -> Vec<Cell> {
    numbers.map(Cell::Number).to_vec()
}

fn input(column: &str, kind: Kind) -> InputSpec {
    InputSpec {
        column: column.into(),
        kind,
    }
}

/// Describes a graph whose columns are words, those of text marked `:text`.
pub(super) fn spec(graph: &Graph, columns: &str) -> Spec {
    let columns = columns
        .split_whitespace()
        .map(|word| match word.strip_suffix(":text") {
            Some(column) => input(column, Kind::Text),
            None => input(word, Kind::Number),
        });
    Spec {
        name: "test".into(),
        source: Source::Bytes("test.onnx".into(), graph.bytes().into()),
        inputs: columns.collect(),
        output: OutputSpec::default(),
        golden: None,
        sha256: None,
        baseline: None,
        drift: Drift::default(),
    }
}

/// Describes a model that adds three columns.
fn sum(columns: &str) -> Spec {
    let inputs = ["a", "b", "c"].into_iter();
    let graph = inputs.fold(Graph::new(), |graph, name| {
        graph.input(name, FLOAT, &[-1, 1])
    });
    let graph = graph
        .node("Add", &["a", "b"], "ab")
        .node("Add", &["ab", "c"], "abc");
    spec(&graph.output("abc", FLOAT, &[-1, 1]), columns)
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/onnx")
}

fn purchase_intent(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("models/purchase-intent")
        .join(file)
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(super) fn purchase_intent_spec(golden: Golden) -> Spec {
    let columns = "Administrative Administrative_Duration Informational Informational_Duration ProductRelated \
        ProductRelated_Duration Month Weekend ReturningVisitor BounceRates ExitRates PageValues SpecialDay \
        OperatingSystems Browser Region TrafficType";
    Spec {
        name: "purchase-intent".into(),
        source: Source::File(purchase_intent("model.onnx")),
        inputs: columns
            .split_whitespace()
            .map(|column| input(column, Kind::Number))
            .collect(),
        output: OutputSpec {
            name: Some("probabilities".into()),
            class: Some(1),
        },
        golden: Some(golden),
        sha256: None,
        baseline: None,
        drift: Drift::default(),
    }
}

/// A file of an exporter and what it should do.
#[derive(Deserialize)]
pub(super) struct Fixture {
    #[serde(skip)]
    name: String,
    inputs: Vec<FixtureInput>,
    rows: Vec<Vec<Option<serde_json::Value>>>,
    expected: Vec<f64>,
    output: FixtureOutput,
}

#[derive(Deserialize)]
struct FixtureInput {
    name: String,
    #[serde(rename = "type")]
    element: String,
    shape: Vec<Option<usize>>,
}

#[derive(Deserialize)]
struct FixtureOutput {
    name: String,
    class: Option<FixtureClass>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum FixtureClass {
    Place(usize),
    /// The label of a class; `no` comes before `yes`.
    Label(String),
}

impl Fixture {
    pub(super) fn read(name: &str) -> Self {
        let text = read(&fixtures().join(format!("{name}.json")));
        Self {
            name: name.to_owned(),
            ..serde_json::from_str(&text).unwrap()
        }
    }

    pub(super) fn load(&self) -> Result<Model, Error> {
        Model::load(&library(), &self.spec(), NonZeroUsize::new(1))
    }

    fn spec(&self) -> Spec {
        let class = self.output.class.as_ref().map(|class| match class {
            FixtureClass::Place(place) => *place,
            FixtureClass::Label(label) => ["no", "yes"]
                .iter()
                .position(|known| known == label)
                .unwrap(),
        });
        Spec {
            name: self.name.as_str().into(),
            source: Source::File(fixtures().join(format!("{}.onnx", self.name))),
            inputs: self.inputs.iter().flat_map(FixtureInput::columns).collect(),
            output: OutputSpec {
                name: Some(self.output.name.as_str().into()),
                class,
            },
            golden: None,
            sha256: None,
            baseline: None,
            drift: Drift::default(),
        }
    }

    fn cells(&self) -> Vec<Vec<Cell>> {
        let cell = |value: &Option<serde_json::Value>| match value {
            None => Cell::Number(f32::NAN),
            Some(serde_json::Value::String(text)) => Cell::Text(text.as_str().into()),
            #[expect(clippy::cast_possible_truncation, reason = "columns are 32-bit floats")]
            Some(number) => Cell::Number(number.as_f64().unwrap() as f32),
        };
        self.rows
            .iter()
            .map(|row| row.iter().map(cell).collect())
            .collect()
    }
}

impl FixtureInput {
    fn columns(&self) -> Vec<InputSpec> {
        let kind = if self.element == "string" {
            Kind::Text
        } else {
            Kind::Number
        };
        let width = self.shape.get(1).copied().flatten().unwrap_or(1);
        if width == 1 {
            return vec![input(&self.name, kind)];
        }
        (0..width)
            .map(|idx| input(&format!("{}_{idx}", self.name), kind))
            .collect()
    }
}
