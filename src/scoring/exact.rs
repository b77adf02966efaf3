//! Which files give a row the same bits in a batch as alone.
//!
//! A journal is replayed row by row, so a score must not depend on who was scored with it. Trees do not; products
//! of matrices and the vectorized exponential do, in the last bit: their kernels treat a single row, and the rest
//! of a block, in another way. No trial run shows it reliably, so the operators decide.

use super::file;

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

/// Tells if all operators of a file are exact. The file is one that ONNX Runtime has loaded.
pub(super) fn is_exact(model: &[u8]) -> bool {
    file::nodes(model)
        .all(|node| is_exact_operator(node.operator()) && DOMAINS.contains(&node.domain()))
}

/// Tells if an operator computes every row for itself.
pub(super) fn is_exact_operator(name: &[u8]) -> bool {
    EXACT.iter().any(|known| known.as_bytes() == name)
}
