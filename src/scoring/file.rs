//! What an ONNX file says of itself: who wrote it, for which standard, and with which thresholds.

use std::collections::BTreeMap;

use super::exact::is_exact_operator;
use super::node::Node;
use super::proto::{Content, Fields};

/// `ModelProto`, `GraphProto`, `OperatorSetIdProto`, `TensorProto` of `onnx.proto`.
const MODEL_PRODUCER: u64 = 2;
const MODEL_PRODUCER_VERSION: u64 = 3;
const MODEL_GRAPH: u64 = 7;
const MODEL_OPSET: u64 = 8;
const GRAPH_NODE: u64 = 1;
const GRAPH_CONSTANT: u64 = 5;
const OPSET_DOMAIN: u64 = 1;
const OPSET_VERSION: u64 = 2;
const TENSOR_TYPE: u64 = 2;
const TENSOR_FLOATS: u64 = 4;
const TENSOR_NAME: u64 = 8;
const TENSOR_RAW: u64 = 9;
/// `TensorProto.DataType`.
const FLOAT: u64 = 1;
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
            let operator = String::from_utf8_lossy(node.operator()).into_owned();
            if operator.starts_with("TreeEnsemble") {
                about.thresholds.add(&node);
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
pub(super) fn nodes(model: &[u8]) -> impl Iterator<Item = Node<'_>> {
    let nodes = graphs(model).flat_map(|graph| Fields(graph).messages(GRAPH_NODE));
    nodes.map(Node::read)
}

/// Tells if a constant of a file is there, in single precision, and nothing but ones.
pub(super) fn is_one(model: &[u8], name: &[u8]) -> bool {
    let mut constants = graphs(model).flat_map(|graph| Fields(graph).messages(GRAPH_CONSTANT));
    let is_named = |tensor: &&[u8]| Fields(tensor).messages(TENSOR_NAME).next() == Some(name);
    let Some(tensor) = constants.find(is_named) else {
        return false;
    };
    let is_single = Fields(tensor).any(|field| field == (TENSOR_TYPE, Content::Number(FLOAT)));
    let packed = [TENSOR_FLOATS, TENSOR_RAW].map(|field| Fields(tensor).messages(field));
    let mut bytes = packed.into_iter().flatten().peekable();
    let one = 1.0_f32.to_le_bytes();
    is_single && bytes.peek().is_some() && bytes.all(|bytes| bytes.chunks(4).all(|of| *of == one))
}

fn graphs(model: &[u8]) -> impl Iterator<Item = &[u8]> {
    Fields(model).messages(MODEL_GRAPH)
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
    fn add(&mut self, node: &Node<'_>) {
        let is_double = |tensor: &[u8]| {
            Fields(tensor).any(|field| field == (TENSOR_TYPE, Content::Number(DOUBLE)))
        };
        let tensors = ["nodes_values_as_tensor", "nodes_splits"];
        let mut tensors = tensors.into_iter().filter_map(|name| node.tensor(name));
        self.double |= tensors.any(is_double);
        let values = node.floats("nodes_values");
        let columns = node.wholes("nodes_featureids");
        let mut modes = node.texts("nodes_modes");
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
