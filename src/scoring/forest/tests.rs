//! Forests are walked as ONNX Runtime walks them, or not at all.

use std::fmt::Write;

use expect_test::expect;
use proptest::prelude::*;

use super::{Forest, read, rows};
use crate::scoring::tests::graph::{FLOAT, Graph, floats, ints, text, texts};
use crate::scoring::tests::{Fixture, load, purchase_intent_spec, spec};
use crate::scoring::{About, Cell, Golden, Model, OutputSpec, Source, Spec};

/// How many columns the tables of these tests have.
const WIDTH: u64 = 3;

#[test]
fn what_exporters_write_is_walked_if_it_can_be() {
    let fixtures = [
        "lightgbm_classifier",
        "lightgbm_regressor",
        "lightgbm_zipmap",
        "sklearn_gradient_boosting",
        "sklearn_random_forest_regressor",
        "tree_ensemble_v5",
        "double_output",
        "per_column",
        "mlp",
    ];
    let mut walked = String::new();
    for name in fixtures {
        let model = Fixture::read(name).load().unwrap();
        writeln!(walked, "{name} {:?}", model.card().walked).unwrap();
    }
    expect![[r#"
        lightgbm_classifier Some(512)
        lightgbm_regressor Some(512)
        lightgbm_zipmap None
        sklearn_gradient_boosting Some(512)
        sklearn_random_forest_regressor Some(512)
        tree_ensemble_v5 None
        double_output None
        per_column None
        mlp None
    "#]]
    .assert_eq(&walked);
}

#[test]
fn both_classes_are_walked() {
    let golden = Golden {
        tolerance: 0.5,
        rows: Vec::new(),
    };
    for class in [0, 1] {
        let spec = Spec {
            output: OutputSpec {
                name: Some("probabilities".into()),
                class: Some(class),
            },
            golden: None,
            ..purchase_intent_spec(golden.clone())
        };
        assert_eq!(load(&spec).card().walked, Some(512), "{class}");
    }
}

#[test]
fn a_forest_that_says_something_else_is_not_believed() {
    let (model, forest, rows) = small();
    let rows: Vec<&[Cell]> = rows.iter().map(Vec::as_slice).collect();
    assert!(model.agrees(&forest, &rows));
    let mut other = small().1;
    other.leaves[0] += 0.125;
    assert!(!model.agrees(&other, &rows));
    let mut other = small().1;
    other.nodes[0].next.reverse();
    assert!(!model.agrees(&other, &rows));
    let mut other = small().1;
    other.masks[0] = !other.masks[0];
    assert!(!model.agrees(&other, &rows));
}

#[test]
fn a_row_is_scored_the_same_in_whatever_company() {
    let (_, forest, rows) = small();
    let rows: Vec<&[Cell]> = rows.iter().map(Vec::as_slice).collect();
    let mut alone = vec![0.0; rows.len()];
    for (row, score) in rows.iter().zip(&mut alone) {
        forest.score(&[row], std::slice::from_mut(score));
    }
    for n in [1, 2, 3, 31, 32, 33, 64, 65, rows.len()] {
        let mut together = vec![0.0; n];
        forest.score(&rows[..n], &mut together);
        assert_eq!(together, alone[..n], "{n}");
    }
}

#[test]
fn what_is_no_forest_is_left_to_onnx_runtime() {
    let sound = || {
        vec![
            Raw::ask(0, "BRANCH_LEQ", [1, 2]),
            Raw::leaf(1, -1.0),
            Raw::leaf(2, 2.0),
        ]
    };
    let with = |at: usize, change: fn(&mut Raw)| {
        let mut nodes = sound();
        change(&mut nodes[at]);
        nodes
    };
    let cases = [
        ("sound", sound()),
        ("a circle", with(0, |node| node.next = [0, 2])),
        ("no such node", with(0, |node| node.next = [1, 7])),
        ("no such column", with(0, |node| node.column = WIDTH)),
        ("endless", with(0, |node| node.most = f32::INFINITY)),
        ("equality", with(0, |node| node.mode = "BRANCH_EQ")),
        ("a leaf of another tree", with(2, |node| node.tree = 1)),
        (
            "a leaf that is none",
            with(1, |node| node.mode = "BRANCH_LEQ"),
        ),
        ("no logits", with(1, |node| node.add = 1.0)),
        ("nothing", Vec::new()),
        ("too deep", chain(40)),
    ];
    let signature_of = load(&file(&sound(), "LOGISTIC"));
    let mut read_as = String::new();
    for (case, nodes) in cases {
        let spec = file(&nodes, "LOGISTIC");
        let forest = read(&bytes_of(&spec), "table", &signature_of.signature);
        writeln!(read_as, "{case}: {}", forest.is_some()).unwrap();
    }
    expect![[r#"
        sound: true
        a circle: false
        no such node: false
        no such column: false
        endless: false
        equality: false
        a leaf of another tree: false
        a leaf that is none: false
        no logits: false
        nothing: false
        too deep: false
    "#]]
    .assert_eq(&read_as);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_forest_is_walked_as_onnx_runtime_does(trees in trees(), logistic: bool) {
        let nodes: Vec<Raw> = trees.iter().zip(0..).flat_map(|(of, tree)| of.nodes(tree)).collect();
        let model = load(&file(&nodes, if logistic { "LOGISTIC" } else { "NONE" }));
        let is_logit = nodes.iter().any(|node| node.mode == "LEAF" && node.add < 0.0);
        let walked = model.card().walked.is_some();
        prop_assert_eq!(walked, is_logit);
    }
}

/// A tree to be written.
#[derive(Clone, Debug)]
enum Grown {
    Leaf(f32),
    Ask(u64, f32, &'static str, bool, Box<[Grown; 2]>),
}

fn trees() -> impl Strategy<Value = Vec<Grown>> {
    let leaf = (-8.0_f32..8.0).prop_map(Grown::Leaf);
    let tree = leaf.prop_recursive(5, 32, 2, |inner| {
        let mode = prop::sample::select(vec!["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GT", "BRANCH_GTE"]);
        let most = prop_oneof![Just(0.0), Just(-0.0), -4.0_f32..4.0];
        let asks = (0..WIDTH, most, mode, any::<bool>(), [inner.clone(), inner]);
        asks.prop_map(|(column, most, mode, unknown, next)| {
            Grown::Ask(column, most, mode, unknown, Box::new(next))
        })
    });
    prop::collection::vec(tree, 1..20)
}

impl Grown {
    /// Returns the nodes of the tree, the root first.
    fn nodes(&self, tree: u64) -> Vec<Raw> {
        let mut nodes = Vec::new();
        self.add(&mut nodes);
        for node in &mut nodes {
            node.tree = tree;
        }
        nodes
    }

    fn add(&self, nodes: &mut Vec<Raw>) -> u64 {
        let id = nodes.len() as u64;
        match self {
            Self::Leaf(add) => nodes.push(Raw::leaf(id, *add)),
            Self::Ask(column, most, mode, unknown, next) => {
                nodes.push(Raw::ask(id, mode, [0; 2]));
                let next = [next[0].add(nodes), next[1].add(nodes)];
                let own = usize::try_from(id).unwrap();
                (nodes[own].column, nodes[own].most) = (*column, *most);
                (nodes[own].unknown, nodes[own].next) = (*unknown, next);
            }
        }
        id
    }
}

/// A node as a file has it.
#[derive(Clone, Debug)]
struct Raw {
    tree: u64,
    id: u64,
    mode: &'static str,
    column: u64,
    most: f32,
    unknown: bool,
    next: [u64; 2],
    add: f32,
}

impl Raw {
    fn ask(id: u64, mode: &'static str, next: [u64; 2]) -> Self {
        Self {
            mode,
            most: 0.5,
            next,
            ..Self::leaf(id, 0.0)
        }
    }

    fn leaf(id: u64, add: f32) -> Self {
        Self {
            tree: 0,
            id,
            mode: "LEAF",
            column: 0,
            most: 0.0,
            unknown: false,
            next: [0; 2],
            add,
        }
    }
}

/// Returns a tree that asks so often in a row.
fn chain(n: u64) -> Vec<Raw> {
    let asks = (0..n).flat_map(|at| {
        let (leaf, next) = (2 * at + 1, 2 * at + 2);
        [
            Raw::ask(2 * at, "BRANCH_LEQ", [leaf, next]),
            Raw::leaf(leaf, -1.0),
        ]
    });
    asks.chain([Raw::leaf(2 * n, 1.0)]).collect()
}

/// Describes a classifier of two classes.
fn file(nodes: &[Raw], link: &str) -> Spec {
    let of = |what: fn(&Raw) -> u64| nodes.iter().map(what);
    let leaves: Vec<&Raw> = nodes.iter().filter(|node| node.mode == "LEAF").collect();
    let attributes = [
        ints("nodes_treeids", of(|node| node.tree)),
        ints("nodes_nodeids", of(|node| node.id)),
        ints("nodes_featureids", of(|node| node.column)),
        ints("nodes_truenodeids", of(|node| node.next[0])),
        ints("nodes_falsenodeids", of(|node| node.next[1])),
        ints(
            "nodes_missing_value_tracks_true",
            of(|node| node.unknown.into()),
        ),
        floats("nodes_values", nodes.iter().map(|node| node.most)),
        texts("nodes_modes", nodes.iter().map(|node| node.mode)),
        ints("class_treeids", leaves.iter().map(|node| node.tree)),
        ints("class_nodeids", leaves.iter().map(|node| node.id)),
        ints("class_ids", leaves.iter().map(|_| 0)),
        floats("class_weights", leaves.iter().map(|node| node.add)),
        ints("classlabels_int64s", [0, 1]),
        text("post_transform", link),
    ];
    let width = i64::try_from(WIDTH).unwrap();
    let graph = Graph::new()
        .input("table", FLOAT, &[-1, width])
        .trees(
            "TreeEnsembleClassifier",
            "table",
            &["label", "scores"],
            &attributes,
        )
        .output("scores", FLOAT, &[-1, 2]);
    Spec {
        output: OutputSpec {
            name: Some("scores".into()),
            class: Some(1),
        },
        ..spec(&graph, "a b c")
    }
}

fn bytes_of(spec: &Spec) -> Vec<u8> {
    match &spec.source {
        Source::Bytes(_, bytes) => bytes.to_vec(),
        Source::File(path) => std::fs::read(path).unwrap(),
    }
}

/// Returns a model that ONNX Runtime runs, its forest, and rows.
fn small() -> (Model, Forest, Vec<Vec<Cell>>) {
    let nodes: Vec<Raw> = (0..19)
        .flat_map(|tree| {
            let mut nodes = chain(tree % 5);
            for node in &mut nodes {
                node.tree = tree;
                node.most += f32::from(u8::try_from(tree).unwrap()) / 8.0;
                node.column = (node.id + tree) % WIDTH;
            }
            nodes
        })
        .collect();
    let spec = file(&nodes, "LOGISTIC");
    let model = load(&spec);
    let bytes = bytes_of(&spec);
    let forest = read(&bytes, "table", &model.signature).unwrap();
    let rows = rows(&About::read(&bytes).thresholds.by_column, forest.width);
    (model, forest, rows)
}
