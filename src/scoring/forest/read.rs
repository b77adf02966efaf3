//! Reads a forest out of an ONNX file, if its score comes from one and nothing else.

use std::collections::BTreeMap;

use super::walk::MASKED;
use super::{Forest, Link, Node, Place, Tree};
use crate::scoring::file;
use crate::scoring::node::Node as Operator;
use crate::scoring::output::{Form, Output};
use crate::scoring::rows::Element;
use crate::scoring::signature::Signature;

/// How many operators a score may pass unchanged on its way out.
const WAY_MAX: usize = 8;

/// The deepest tree.
const DEPTH_MAX: usize = 32;

/// Reads the forest of a file; `None` if there is none, or one that says more than this code understands.
///
/// - `input`: the name of the file's only input.
///
/// Source: `TreeEnsembleClassifier` and `TreeEnsembleRegressor` of `ai.onnx.ml`, versions 1 and 3.
pub(in crate::scoring) fn read(model: &[u8], input: &str, signature: &Signature) -> Option<Forest> {
    let [feed] = signature.feeds.as_slice() else {
        return None;
    };
    if feed.element != Element::Float || signature.output.form != Form::Float {
        return None;
    }
    let nodes: Vec<Operator<'_>> = file::nodes(model).collect();
    let (trees, place) = source(model, &nodes, signature.output.name.as_bytes())?;
    if trees.inputs() != [input.as_bytes()] {
        return None;
    }
    let leaves = match (trees.operator(), place) {
        (b"TreeEnsembleClassifier", 1) => classifier(trees, &signature.output)?,
        (b"TreeEnsembleRegressor", 0) => regressor(trees, &signature.output)?,
        _ => return None,
    };
    grow(trees, leaves, feed.columns.len())
}

/// Finds the operator that a score comes from, and which of its outputs that is.
fn source<'n, 'a>(
    model: &[u8],
    nodes: &'n [Operator<'a>],
    output: &'a [u8],
) -> Option<(&'n Operator<'a>, usize)> {
    let mut name = output;
    for _ in 0..WAY_MAX {
        let (node, place) = nodes.iter().find_map(|node| {
            let place = node.outputs().iter().position(|of| *of == name)?;
            Some((node, place))
        })?;
        name = match (node.operator(), node.inputs().as_slice()) {
            (b"Identity", [from]) => from,
            (b"Mul", [from, one]) if file::is_one(model, one) => from,
            (b"Mul", [one, from]) if file::is_one(model, one) => from,
            _ => return Some((node, place)),
        };
    }
    None
}

/// What the leaves add, and what becomes of the sum.
struct Leaves {
    /// By tree and node.
    adds: BTreeMap<(u64, u64), f32>,
    base: f32,
    link: Link,
}

impl Leaves {
    /// Reads what attributes of a kind say: one target or class, one number a leaf.
    fn read(trees: &Operator<'_>, kind: &str, link: Link) -> Option<Self> {
        let of = |what: &str| trees.wholes(&format!("{kind}_{what}"));
        let (ids, weights) = (of("ids"), trees.floats(&format!("{kind}_weights")));
        let places: Vec<_> = of("treeids").into_iter().zip(of("nodeids")).collect();
        let n = places.len();
        let adds: BTreeMap<_, _> = places.into_iter().zip(weights.iter().copied()).collect();
        // Several classes, a leaf with several numbers, or lists of different lengths.
        if ids.iter().any(|id| *id != ids[0]) || [adds.len(), ids.len(), weights.len()] != [n; 3] {
            return None;
        }
        let base = match trees.floats("base_values").as_slice() {
            [] => 0.0,
            [base] => *base,
            _ => return None,
        };
        Some(Self { adds, base, link })
    }
}

fn classifier(trees: &Operator<'_>, output: &Output) -> Option<Leaves> {
    let n_classes = trees.wholes("classlabels_int64s").len();
    let n_classes = n_classes.max(trees.texts("classlabels_strings").count());
    let link = match (trees.text("post_transform"), output.class) {
        (Some(b"LOGISTIC"), Some(1)) => Link::Logistic,
        (Some(b"LOGISTIC"), Some(0)) => Link::Other,
        (None | Some(b"NONE"), Some(1)) => Link::Identity,
        (None | Some(b"NONE"), Some(0)) => Link::Negative,
        _ => return None,
    };
    let leaves = Leaves::read(trees, "class", link)?;
    // Numbers that are all positive are taken for probabilities, to which other rules apply.
    let is_logit = leaves.adds.values().any(|add| *add < 0.0);
    (n_classes == 2 && is_logit).then_some(leaves)
}

fn regressor(trees: &Operator<'_>, output: &Output) -> Option<Leaves> {
    let is_sum = matches!(trees.text("aggregate_function"), None | Some(b"SUM"));
    let is_plain = matches!(trees.text("post_transform"), None | Some(b"NONE"));
    let is_one =
        trees.whole("n_targets").unwrap_or(1) == 1 && matches!(output.class, None | Some(0));
    (is_sum && is_plain && is_one).then_some(())?;
    Leaves::read(trees, "target", Link::Identity)
}

/// A node as the file has it.
#[derive(Clone, Copy)]
struct Raw {
    id: u64,
    is_leaf: bool,
    /// The answer is yes up to here.
    most: f32,
    column: usize,
    /// The answer if the cell is unknown.
    unknown: bool,
    /// No, yes, as the file numbers them.
    next: [u64; 2],
}

fn grow(trees: &Operator<'_>, leaves: Leaves, width: usize) -> Option<Forest> {
    let mut grower = Grower {
        forest: Forest {
            trees: Vec::new(),
            nodes: Vec::new(),
            masks: Vec::new(),
            leaves: Vec::new(),
            base: leaves.base,
            link: leaves.link,
            width,
        },
        left: BTreeMap::new(),
        adds: leaves.adds,
    };
    for (tree, raw) in by_tree(trees, width)? {
        grower.tree(tree, raw)?;
    }
    // A number of no leaf is one too many.
    let is_whole = grower.adds.is_empty() && !grower.forest.trees.is_empty();
    is_whole.then_some(grower.forest)
}

/// A forest that grows, tree by tree.
struct Grower {
    forest: Forest,
    /// The nodes of the tree that are yet to be planted.
    left: BTreeMap<u64, Raw>,
    /// What leaves add that are yet to be planted, by tree and node.
    adds: BTreeMap<(u64, u64), f32>,
}

impl Grower {
    fn tree(&mut self, tree: u64, raw: Vec<Raw>) -> Option<()> {
        let (nodes, leaves) = (self.forest.nodes.len(), self.forest.leaves.len());
        let (root, n) = (raw.first()?.id, raw.len());
        self.left = raw.into_iter().map(|of| (of.id, of)).collect();
        let is_whole = self.left.len() == n;
        let grown = Tree {
            nodes: nodes..nodes,
            leaves: leaves..leaves,
        };
        self.plant(tree, &grown, root, DEPTH_MAX)?;
        self.forest.trees.push(Tree {
            nodes: nodes..self.forest.nodes.len(),
            leaves: leaves..self.forest.leaves.len(),
        });
        (is_whole && self.left.is_empty()).then_some(())
    }

    /// Plants a node and all behind it; none is there twice.
    fn plant(&mut self, id: u64, tree: &Tree, node: u64, depth: usize) -> Option<Place> {
        let raw = self.left.remove(&node)?;
        let leaf = |forest: &Forest| forest.leaves.len() - tree.leaves.start;
        if raw.is_leaf {
            let place = Place::try_from(leaf(&self.forest)).ok()?;
            let add = self.adds.remove(&(id, node)).unwrap_or(0.0);
            self.forest.leaves.push(add);
            return Some(!place);
        }
        let deeper = depth.checked_sub(1)?;
        let at = self.forest.nodes.len();
        let twice = if raw.unknown { self.forest.width } else { 0 };
        self.forest.nodes.push(Node {
            most: raw.most,
            cell: u16::try_from(raw.column + twice).ok()?,
            next: [0; 2],
        });
        self.forest.masks.push(0);
        let before = leaf(&self.forest);
        let yes = self.plant(id, tree, raw.next[1], deeper)?;
        self.forest.masks[at] = !bits(before..leaf(&self.forest));
        let no = self.plant(id, tree, raw.next[0], deeper)?;
        self.forest.nodes[at].next = [no, yes];
        Place::try_from(at - tree.nodes.start).ok()
    }
}

/// Returns a mask with a range of bits; those beyond its size are not in it.
fn bits(range: std::ops::Range<usize>) -> u32 {
    range
        .filter(|bit| *bit < MASKED)
        .fold(0, |mask, bit| mask | 1 << bit)
}

/// Reads the nodes, tree by tree as the file has them, the root of each first.
fn by_tree(trees: &Operator<'_>, width: usize) -> Option<Vec<(u64, Vec<Raw>)>> {
    let doubles = ["nodes_values_as_tensor", "base_values_as_tensor"];
    if doubles.into_iter().any(|name| trees.has(name)) {
        return None;
    }
    let wholes = |what: &str| trees.wholes(&format!("nodes_{what}"));
    let (of, ids, columns) = (wholes("treeids"), wholes("nodeids"), wholes("featureids"));
    let (yes, no) = (wholes("truenodeids"), wholes("falsenodeids"));
    let (most, modes) = (trees.floats("nodes_values"), trees.texts("nodes_modes"));
    let modes: Vec<&[u8]> = modes.collect();
    let mut unknown = wholes("missing_value_tracks_true");
    if unknown.is_empty() {
        unknown = vec![0; of.len()];
    }
    let n = of.len();
    let lengths = [ids.len(), columns.len(), yes.len(), no.len(), unknown.len()];
    if lengths != [n; 5] || [most.len(), modes.len()] != [n; 2] {
        return None;
    }
    let mut all: Vec<(u64, Vec<Raw>)> = Vec::new();
    for at in 0..n {
        if all.last().is_none_or(|(tree, _)| *tree != of[at]) {
            all.push((of[at], Vec::new()));
        }
        let column = usize::try_from(columns[at]).ok()?;
        if column >= width {
            return None;
        }
        let raw = Raw {
            id: ids[at],
            is_leaf: modes[at] == b"LEAF",
            most: most[at],
            column,
            unknown: unknown[at] != 0,
            next: [no[at], yes[at]],
        };
        all.last_mut()?.1.push(question(modes[at], raw)?);
    }
    Some(all)
}

/// Turns a question into one of "up to here".
fn question(mode: &[u8], raw: Raw) -> Option<Raw> {
    let below = raw.most.next_down();
    let (most, turned) = match mode {
        b"LEAF" | b"BRANCH_LEQ" => (raw.most, false),
        b"BRANCH_LT" => (below, false),
        b"BRANCH_GT" => (raw.most, true),
        b"BRANCH_GTE" => (below, true),
        _ => return None,
    };
    let [no, yes] = raw.next;
    let is_finite = raw.most.is_finite() && most.is_finite();
    (raw.is_leaf || is_finite).then_some(Raw {
        most,
        // Whatever is unknown is neither up to here nor above.
        unknown: raw.unknown ^ turned,
        next: if turned { [yes, no] } else { [no, yes] },
        ..raw
    })
}
