//! Rows go in, scores come out, and what goes wrong is a score too.

use std::num::NonZeroUsize;
use std::sync::Arc;

use expect_test::expect;

use super::graph::{BOOL, DOUBLE, FLOAT, Graph, INT32, INT64, STRING};
use super::{Fixture, input, library, load, numbers, spec, sum};
use crate::scoring::{
    Cell, Golden, Kind, Model, Onnx, OutputSpec, Score, Scorer, Scripted, Source, Spec,
};

#[test]
fn threads_get_the_same_scores_from_fewer_sessions() {
    let fixture = Fixture::read("lightgbm_classifier");
    let model = Model::load(&library(), &fixture.spec(), NonZeroUsize::new(2)).unwrap();
    let rows = fixture.cells();
    let expected: Vec<_> = rows.iter().map(|row| model.score(row)).collect();
    let score_all = || {
        for _ in 0..50 {
            let scores: Vec<_> = rows.iter().map(|row| model.score(row)).collect();
            assert_eq!(scores, expected);
        }
    };
    std::thread::scope(|scope| (0..8).for_each(|_| drop(scope.spawn(score_all))));
    let stats = model.stats();
    let asked = 8 * 50 * rows.len() as u64 + rows.len() as u64;
    assert_eq!((stats.runs, stats.rows, stats.failures), (asked, asked, 0));
}

#[test]
fn every_shape_of_inputs_is_fed() {
    let sum_of = |graph: Graph| graph.add("a", "b");
    let each = |element, dims| {
        sum_of(
            Graph::new()
                .input("a", element, dims)
                .input("b", element, dims),
        )
    };
    let cases = [
        ("each [n, 1]", each(FLOAT, &[-1, 1]), "a b"),
        ("each [n]", each(FLOAT, &[-1]), "a b"),
        ("each [n, ?]", each(FLOAT, &[-1, -1]), "a b"),
        ("each for one row", each(FLOAT, &[1, 1]), "a b"),
        ("in another order", each(FLOAT, &[-1, 1]), "b a"),
        ("by position", each(FLOAT, &[-1, 1]), "x y"),
        ("doubles", each(DOUBLE, &[-1, 1]), "a b"),
    ];
    for (case, graph, columns) in cases {
        let model = load(&spec(&graph, columns));
        let rows: [&[Cell]; 3] = [
            &numbers([1.0, 2.0]),
            &numbers([0.5, 0.25]),
            &numbers([-3.0, 7.0]),
        ];
        let expected = [3.0, 0.75, 4.0].map(Score::Value);
        assert_eq!(model.score_batch(&rows), expected, "{case}");
        assert_eq!(rows.map(|row| model.score(row)), expected, "{case}");
    }
}

#[test]
fn columns_find_their_inputs_by_name_before_place() {
    let graph = Graph::new()
        .input("a", FLOAT, &[-1, 1])
        .input("b", FLOAT, &[-1, 1])
        .node("Sub", &["a", "b"], "out");
    let graph = graph.output("out", FLOAT, &[-1, 1]);
    assert_eq!(
        load(&spec(&graph, "a b")).score(&numbers([5.0, 3.0])),
        Score::Value(2.0)
    );
    assert_eq!(
        load(&spec(&graph, "b a")).score(&numbers([5.0, 3.0])),
        Score::Value(-2.0)
    );
    assert_eq!(
        load(&spec(&graph, "x y")).score(&numbers([5.0, 3.0])),
        Score::Value(2.0)
    );
}

#[test]
fn tables_of_several_columns_are_filled_one_after_the_other() {
    let graph = Graph::new()
        .input("left", FLOAT, &[-1, 2])
        .input("right", FLOAT, &[-1, 1]);
    let graph = graph
        .node("Concat", &["left", "right"], "out")
        .output("out", FLOAT, &[-1, 3]);
    for class in 0..3 {
        let output = OutputSpec {
            name: None,
            class: Some(class),
        };
        let model = load(&Spec {
            output,
            ..spec(&graph, "a b c")
        });
        let cells = numbers([1.0, 2.0, 3.0]);
        assert_eq!(
            model.score(&cells),
            Score::Value(f64::from(u8::try_from(class).unwrap()) + 1.0)
        );
    }
}

#[test]
fn an_empty_batch_runs_nothing() {
    let model = load(&sum("a b c"));
    assert_eq!(model.score_batch(&[]), []);
    assert_eq!(model.stats().runs, 0);
}

#[test]
fn a_model_in_use_can_outlive_the_scorer_it_came_with() {
    let before = Onnx::load(&library(), [sum("a b c")], None).unwrap();
    let after = Onnx::new([Arc::clone(before.model("test").unwrap())]);
    drop(before);
    assert_eq!(
        after.score("test", &numbers([1.0, 1.0, 1.0])),
        Score::Value(3.0)
    );
}

#[test]
fn a_scripted_scorer_says_what_it_was_told() {
    let first = |row: &[Cell]| match row {
        [Cell::Number(number), ..] => Score::Value(f64::from(*number)),
        _ => Score::unavailable("no number"),
    };
    let scorer = Scripted::default()
        .with("fixed", Score::Value(0.9))
        .with_fn("first", first);
    let row = numbers([0.25]);
    assert_eq!(scorer.score("fixed", &[]), Score::Value(0.9));
    assert_eq!(
        scorer.score_batch("first", &[&row, &[]]),
        [Score::Value(0.25), Score::unavailable("no number")]
    );
    assert_eq!(
        scorer.score("absent", &[]),
        Score::unavailable("there is no model `absent`")
    );
}

#[test]
fn null_in_a_golden_row_is_an_unknown_number_or_an_empty_text() {
    let golden =
        r#"{"tolerance": 0, "rows": [{"inputs": {"a": null, "b": true, "c": null}, "output": 1}]}"#;
    let golden: Golden = serde_json::from_str(golden).unwrap();
    let columns = [
        input("a", Kind::Number),
        input("b", Kind::Number),
        input("c", Kind::Text),
    ];
    let rows = golden.cells(&columns).unwrap();
    assert!(matches!(rows[0][0], Cell::Number(number) if number.is_nan()));
    assert_eq!(rows[0][1..], [Cell::Number(1.0), Cell::Text("".into())]);
}

#[test]
fn all_that_is_wrong_is_reported() {
    let broken = |name: &str| Spec {
        name: name.into(),
        source: Source::Bytes("x.onnx".into(), [1].into()),
        ..sum("a")
    };
    let errors = Onnx::load(
        &library(),
        [broken("one"), sum("a b c"), broken("two")],
        None,
    )
    .err()
    .unwrap();
    assert_eq!(errors.len(), 2);
}

#[test]
fn rows_that_cannot_be_fed_are_unavailable_and_counted() {
    let whole = |element| {
        let graph = Graph::new()
            .input("n", element, &[-1, 1])
            .node("Cast", &["n"], "out");
        load(&spec(&graph.output("out", FLOAT, &[-1, 1]), "n"))
    };
    let text = || {
        load(&spec(
            &Graph::new().input("t", STRING, &[-1, 1]).length("t"),
            "t:text",
        ))
    };
    let cases = [
        (whole(INT64), vec![Cell::Number(f32::NAN)]),
        (whole(INT64), vec![Cell::Number(1.5)]),
        (whole(INT64), vec![Cell::Number(f32::INFINITY)]),
        (whole(INT64), vec![Cell::Text("5".into())]),
        (whole(INT32), vec![Cell::Number(3e9)]),
        (whole(BOOL), vec![Cell::Number(2.0)]),
        (whole(INT64), vec![]),
        (text(), vec![Cell::Text("a\0b".into())]),
        (text(), vec![Cell::Number(1.0)]),
    ];
    let mut transcript = String::new();
    for (model, row) in cases {
        let line = format!("{row:?}: {}\n", reason(&model.score(&row)));
        transcript.push_str(&line);
        let stats = model.stats();
        assert_eq!(
            (stats.rows, stats.failures, stats.runs),
            (1, 1, 0),
            "{row:?}"
        );
    }
    expect![[r#"
        [Number(NaN)]: column `n` is unknown, and the model takes whole numbers only
        [Number(1.5)]: column `n` is 1.5, and the model takes whole numbers only
        [Number(inf)]: column `n` is inf, and the model takes whole numbers only
        [Text("5")]: column `n` is text, and the model takes numbers
        [Number(3000000000.0)]: column `n` is 3000000000, and the model takes whole numbers only
        [Number(2.0)]: column `n` is 2, and the model takes 0 and 1 only
        []: the row has 0 cells, the model 1 columns
        [Text("a\0b")]: column `t` has a zero character in its text
        [Number(1.0)]: column `t` is a number, and the model takes text
    "#]]
    .assert_eq(&transcript);
}

#[test]
fn whole_numbers_and_flags_are_fed_as_they_are() {
    for (element, number) in [
        (INT32, -7.0),
        (INT64, 16_777_216.0),
        (BOOL, 1.0),
        (BOOL, 0.0),
    ] {
        let graph = Graph::new()
            .input("n", element, &[-1, 1])
            .node("Cast", &["n"], "out");
        let model = load(&spec(&graph.output("out", FLOAT, &[-1, 1]), "n"));
        assert_eq!(
            model.score(&numbers([number])),
            Score::Value(f64::from(number))
        );
    }
}

#[test]
fn one_bad_row_leaves_the_others_of_its_batch_alone() {
    let model = load(&sum("a b c"));
    let (good, short) = (numbers([1.0, 2.0, 3.0]), numbers([1.0]));
    let endless = numbers([f32::MAX, f32::MAX, 0.0]);
    let scores = model.score_batch(&[&good, &short, &endless, &good]);
    assert_eq!(scores[0], Score::Value(6.0));
    assert_eq!(scores[3], Score::Value(6.0));
    let reasons = format!("{}\n{}\n", reason(&scores[1]), reason(&scores[2]));
    expect![[r"
        the row has 1 cells, the model 3 columns
        the model returned inf
    "]]
    .assert_eq(&reasons);
    let stats = model.stats();
    assert_eq!((stats.runs, stats.rows, stats.failures), (1, 4, 2));
    assert!(stats.nanoseconds > 0);
}

#[test]
fn a_row_that_makes_the_run_fail_does_not_take_its_batch_along() {
    // Gather fails on an index beyond its data, and then for the whole batch.
    let graph = Graph::new()
        .input("n", INT64, &[-1, 1])
        .weights("data", &[10.0, 20.0]);
    let graph = graph
        .node("Gather", &["data", "n"], "out")
        .output("out", FLOAT, &[-1, 1]);
    let model = load(&spec(&graph, "n"));
    let (first, second, beyond) = (numbers([0.0]), numbers([1.0]), numbers([7.0]));
    let scores = model.score_batch(&[&first, &beyond, &second]);
    assert_eq!(
        (scores[0].known(), scores[2].known()),
        (Some(10.0), Some(20.0))
    );
    expect!["Non-zero status code returned while running Gather node. Name:'' Status Message: indices element out of data bounds, idx=7 must be within the inclusive range [-2,1]"].assert_eq(reason(&scores[1]));
    assert_eq!(model.stats().failures, 1);
}

#[test]
fn a_scorer_knows_its_models_by_name() {
    let onnx = Onnx::load(&library(), [sum("a b c")], None).unwrap();
    let scorer: &dyn Scorer = &onnx;
    let row = numbers([1.0, 2.0, 3.0]);
    assert_eq!(scorer.score("test", &row), Score::Value(6.0));
    assert_eq!(
        scorer.score_batch("test", &[&row, &row]),
        [Score::Value(6.0), Score::Value(6.0)]
    );
    assert_eq!(
        scorer.score("tset", &row),
        Score::unavailable("there is no model `tset`")
    );
    assert_eq!(
        scorer.score_batch("tset", &[&row]),
        [scorer.score("tset", &row)]
    );
    assert_eq!(onnx.stats()[0].1.rows, 3);
}

fn reason(score: &Score) -> &str {
    match score {
        Score::Value(value) => panic!("it has a score: {value}"),
        Score::Unavailable(reason) => reason,
    }
}
