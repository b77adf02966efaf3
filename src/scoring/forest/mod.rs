//! Trees that are walked here: a library takes longer to be called than a forest of small trees to be walked.
//!
//! ONNX Runtime stays the judge. A forest is walked only if it gives, to the bit, what ONNX Runtime gives for the golden
//! rows and for rows around its own thresholds; every other file is run as it always was.

mod read;
mod trial;
mod walk;

#[cfg(test)]
mod tests;

pub(super) use read::read;
pub(super) use trial::rows;

/// An ensemble of regression trees over one table of single-precision columns.
#[derive(Debug, PartialEq)]
pub(super) struct Forest {
    trees: Vec<Tree>,
    /// The questions of all trees.
    nodes: Vec<Node>,
    /// Which leaves of its tree are left, a bit each, when a question is answered with no.
    masks: Vec<u32>,
    /// What the leaves of all trees add; in a tree those behind a yes come first.
    leaves: Vec<f32>,
    /// What is added after all trees.
    base: f32,
    link: Link,
    /// How many columns a row has.
    width: usize,
}

/// Where a tree has its questions and its leaves.
#[derive(Clone, Debug, PartialEq)]
struct Tree {
    nodes: std::ops::Range<usize>,
    leaves: std::ops::Range<usize>,
}

/// A place in a tree: its n-th question, or the bitwise complement of n, which is its n-th leaf.
type Place = i16;

/// A question about a cell. Small: what a row touches on its way should stay at hand for the next row.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Node {
    /// The answer is yes up to here; it is finite.
    most: f32,
    /// The place of the cell in a row that is written twice: as it is, and with what is unknown below everything. An unknown
    /// cell is a no here and a yes there.
    cell: u16,
    /// Where to go on: no, yes.
    next: [Place; 2],
}

/// What becomes of a sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    /// The sum itself.
    Identity,
    /// Its opposite.
    Negative,
    /// The probability that it is the logit of.
    Logistic,
    /// The probability of the other class.
    Other,
}

impl Link {
    /// Returns the score of a sum, in the steps of ONNX Runtime's `ml_common.h`.
    fn score(self, sum: f32) -> f32 {
        match self {
            Self::Identity => sum,
            Self::Negative => -sum,
            Self::Logistic => logistic(sum),
            Self::Other => logistic(-sum),
        }
    }
}

fn logistic(logit: f32) -> f32 {
    let of_size = 1.0 / (1.0 + (-logit.abs()).exp());
    if logit < 0.0 { 1.0 - of_size } else { of_size }
}
