//! Which files give a row the same bits in a batch as alone.
//!
//! A journal is replayed row by row, so a score must not depend on who was scored with it. Trees do not; products
//! of matrices and the vectorized exponential do, in the last bit: their kernels treat a single row, and the rest
//! of a block, in another way. No trial run shows it reliably, so the operators decide.

/// Operators that compute every row for itself, in one order, with exactly rounded steps.
const EXACT: [&str; 41] = [
    "Abs",
    "Add",
    "And",
    "ArgMax",
    "ArrayFeatureExtractor",
    "Binarizer",
    "Cast",
    "CategoryMapper",
    "Concat",
    "Constant",
    "Div",
    "Equal",
    "FeatureVectorizer",
    "Flatten",
    "Gather",
    "Greater",
    "GreaterOrEqual",
    "Identity",
    "Imputer",
    "IsNaN",
    "LabelEncoder",
    "Less",
    "LessOrEqual",
    "Max",
    "Min",
    "Mul",
    "Neg",
    "Not",
    "OneHotEncoder",
    "Or",
    "Relu",
    "Reshape",
    "Scaler",
    "Squeeze",
    "Sub",
    "TreeEnsemble",
    "TreeEnsembleClassifier",
    "TreeEnsembleRegressor",
    "Unsqueeze",
    "Where",
    "ZipMap",
];

/// Where those operators are defined.
const DOMAINS: [&[u8]; 3] = [b"", b"ai.onnx", b"ai.onnx.ml"];

/// `ModelProto.graph`, `GraphProto.node`, `NodeProto.op_type` and `NodeProto.domain` of `onnx.proto`.
const MODEL_GRAPH: u64 = 7;
const GRAPH_NODE: u64 = 1;
const NODE_OPERATOR: u64 = 4;
const NODE_DOMAIN: u64 = 7;

/// Tells if all operators of a file are exact. The file is one that ONNX Runtime has loaded.
pub(super) fn is_exact(model: &[u8]) -> bool {
    let mut graphs = Fields(model).filter(|(field, _)| *field == MODEL_GRAPH);
    graphs.all(|(_, graph)| {
        let mut nodes = Fields(graph).filter(|(field, _)| *field == GRAPH_NODE);
        nodes.all(|(_, node)| is_exact_node(node))
    })
}

fn is_exact_node(node: &[u8]) -> bool {
    Fields(node).all(|(field, value)| match field {
        NODE_OPERATOR => EXACT.iter().any(|known| known.as_bytes() == value),
        NODE_DOMAIN => DOMAINS.contains(&value),
        _ => true,
    })
}

/// The fields of a protobuf message that have bytes: their numbers and contents, up to the first that is broken.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = (u64, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let key = self.varint()?;
            match key & 7 {
                0 => drop(self.varint()?),
                1 => drop(self.take(8)?),
                2 => {
                    let n_bytes = usize::try_from(self.varint()?).ok()?;
                    return Some((key >> 3, self.take(n_bytes)?));
                }
                5 => drop(self.take(4)?),
                _ => return None,
            }
        }
    }
}

impl<'a> Fields<'a> {
    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 127) << shift;
            if byte & 128 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, n_bytes: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(n_bytes)?;
        self.0 = rest;
        Some(taken)
    }
}
