//! What an ONNX file says of itself: who wrote it, for which standard, and with which thresholds.

use std::collections::BTreeMap;

use super::exact::is_exact_operator;
use super::proto::{Content, Fields};

/// `ModelProto`, `GraphProto`, `NodeProto`, `AttributeProto`, `OperatorSetIdProto`, `TensorProto` of `onnx.proto`.
const MODEL_PRODUCER: u64 = 2;
const MODEL_PRODUCER_VERSION: u64 = 3;
const MODEL_GRAPH: u64 = 7;
const MODEL_OPSET: u64 = 8;
const GRAPH_NODE: u64 = 1;
pub(super) const NODE_OPERATOR: u64 = 4;
const NODE_ATTRIBUTE: u64 = 5;
pub(super) const NODE_DOMAIN: u64 = 7;
const ATTRIBUTE_NAME: u64 = 1;
const ATTRIBUTE_TENSOR: u64 = 5;
const ATTRIBUTE_FLOATS: u64 = 7;
const ATTRIBUTE_INTS: u64 = 8;
const ATTRIBUTE_STRINGS: u64 = 9;
const OPSET_DOMAIN: u64 = 1;
const OPSET_VERSION: u64 = 2;
const TENSOR_TYPE: u64 = 2;
/// `TensorProto.DataType.DOUBLE`.
const DOUBLE: u64 = 11;

/// What a file says of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct About {
    /// Who wrote it, with version, such as `OnnxMLTools 1.16.0`.
    pub producer: String,
    /// The versions of the standard by domain, such as `ai.onnx 21`.
    pub opsets: Vec<(String, u64)>,
    /// How often each operator is used.
    pub operators: BTreeMap<String, usize>,
    /// Operators whose result for a row may depend, in the last bit, on the rows beside it.
    pub inexact: Vec<String>,
    /// The thresholds of its trees.
    pub thresholds: Thresholds,
}

/// The thresholds of a file's trees.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Thresholds {
    /// How many there are.
    pub n: usize,
    /// Whether they are kept in double precision.
    pub double: bool,
    /// The single-precision ones, by the column of the tree's input; each once, in order.
    pub by_column: BTreeMap<usize, Vec<f32>>,
}

impl About {
    /// Reads a file; what is broken in it is left out.
    pub fn read(model: &[u8]) -> Self {
        let text = |number| {
            let bytes = Fields(model).messages(number).next().unwrap_or_default();
            String::from_utf8_lossy(bytes).into_owned()
        };
        let (name, version) = (text(MODEL_PRODUCER), text(MODEL_PRODUCER_VERSION));
        let mut about = Self {
            producer: format!("{name} {version}").trim().to_owned(),
            opsets: Fields(model).messages(MODEL_OPSET).map(opset).collect(),
            ..Self::default()
        };
        for node in nodes(model) {
            let operator = Fields(node).messages(NODE_OPERATOR).next();
            let operator = String::from_utf8_lossy(operator.unwrap_or_default()).into_owned();
            if operator.starts_with("TreeEnsemble") {
                about.thresholds.add(node);
            }
            *about.operators.entry(operator).or_default() += 1;
        }
        for known in about.thresholds.by_column.values_mut() {
            known.sort_by(f32::total_cmp);
            known.dedup();
        }
        let names = about.operators.keys();
        let inexact = names.filter(|name| !is_exact_operator(name.as_bytes()));
        about.inexact = inexact.cloned().collect();
        about
    }
}

/// Returns the nodes of a file's graph.
pub(super) fn nodes(model: &[u8]) -> impl Iterator<Item = &[u8]> {
    let graphs = Fields(model).messages(MODEL_GRAPH);
    graphs.flat_map(|graph| Fields(graph).messages(GRAPH_NODE))
}

fn opset(message: &[u8]) -> (String, u64) {
    let (mut domain, mut version) = (String::new(), 0);
    for (field, content) in Fields(message) {
        match (field, content) {
            (OPSET_DOMAIN, Content::Bytes(text)) => {
                domain = String::from_utf8_lossy(text).into_owned();
            }
            (OPSET_VERSION, Content::Number(number)) => version = number,
            (_, Content::Bytes(_) | Content::Number(_) | Content::Float(_)) => {}
        }
    }
    if domain.is_empty() {
        "ai.onnx".clone_into(&mut domain);
    }
    (domain, version)
}

impl Thresholds {
    /// Adds those of one ensemble, as `ai.onnx.ml` 1 to 3 and 5 lay them out.
    fn add(&mut self, node: &[u8]) {
        let attributes: BTreeMap<_, _> = Fields(node)
            .messages(NODE_ATTRIBUTE)
            .map(|attribute| (name(attribute), attribute))
            .collect();
        let of = |name: &str| attributes.get(name.as_bytes()).copied();
        let is_double = |attribute: &[u8]| {
            let mut tensors = Fields(attribute).messages(ATTRIBUTE_TENSOR);
            tensors.any(|tensor| {
                Fields(tensor).any(|field| field == (TENSOR_TYPE, Content::Number(DOUBLE)))
            })
        };
        let tensors = ["nodes_values_as_tensor", "nodes_splits"];
        self.double |= tensors.into_iter().filter_map(of).any(is_double);
        let values = of("nodes_values").map(floats).unwrap_or_default();
        let columns = of("nodes_featureids").map(wholes).unwrap_or_default();
        let modes =
            of("nodes_modes").map(|attribute| Fields(attribute).messages(ATTRIBUTE_STRINGS));
        let mut modes = modes.into_iter().flatten();
        for (value, column) in values.into_iter().zip(columns) {
            if modes.next() == Some(b"LEAF".as_slice()) {
                continue;
            }
            self.n += 1;
            let column = usize::try_from(column).unwrap_or(usize::MAX);
            self.by_column.entry(column).or_default().push(value);
        }
    }
}

fn name(attribute: &[u8]) -> &[u8] {
    let mut names = Fields(attribute).messages(ATTRIBUTE_NAME);
    names.next().unwrap_or_default()
}

/// Reads floats, one a field or packed.
fn floats(attribute: &[u8]) -> Vec<f32> {
    let mut floats = Vec::new();
    for (field, content) in Fields(attribute) {
        match content {
            Content::Float(float) if field == ATTRIBUTE_FLOATS => floats.push(float),
            Content::Bytes(packed) if field == ATTRIBUTE_FLOATS => {
                let (parts, _) = packed.as_chunks::<4>();
                floats.extend(parts.iter().map(|bytes| f32::from_le_bytes(*bytes)));
            }
            Content::Float(_) | Content::Bytes(_) | Content::Number(_) => {}
        }
    }
    floats
}

/// Reads whole numbers, one a field or packed.
fn wholes(attribute: &[u8]) -> Vec<u64> {
    let mut wholes = Vec::new();
    for (field, content) in Fields(attribute) {
        match content {
            Content::Number(number) if field == ATTRIBUTE_INTS => wholes.push(number),
            Content::Bytes(packed) if field == ATTRIBUTE_INTS => {
                let mut packed = Fields(packed);
                wholes.extend(std::iter::from_fn(|| packed.varint()));
            }
            Content::Float(_) | Content::Bytes(_) | Content::Number(_) => {}
        }
    }
    wholes
}
