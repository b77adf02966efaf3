//! What real exporters write gives what Python saw.

use expect_test::expect;

use super::{Fixture, fixtures, library, purchase_intent, purchase_intent_spec, read};
use crate::scoring::{Cell, Golden, Model, Score};

/// Files of real exporters with the scores that Python saw.
const FIXTURES: [&str; 18] = [
    "double_output",
    "gemm_sigmoid",
    "gemm_sigmoid_flat",
    "int64_input",
    "label_shape_wrong",
    "lightgbm_classifier",
    "lightgbm_regressor",
    "lightgbm_zipmap",
    "logistic",
    "mlp",
    "per_column",
    "sklearn_gradient_boosting",
    "sklearn_random_forest_regressor",
    "sklearn_zipmap",
    "sklearn_zipmap_text",
    "string_tensor",
    "tree_ensemble_v5",
    "two_outputs_regressor",
];

#[test]
fn every_exporter_gives_its_scores_alone_and_in_a_batch() {
    for name in FIXTURES {
        let fixture = Fixture::read(name);
        let model = fixture
            .load()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let rows = fixture.cells();
        let rows: Vec<&[Cell]> = rows.iter().map(Vec::as_slice).collect();
        let alone: Vec<_> = rows.iter().map(|row| model.score(row)).collect();
        close(name, &alone, &fixture.expected);
        close(name, &model.score_batch(&rows), &fixture.expected);
        let many: Vec<&[Cell]> = rows.iter().copied().cycle().take(2500).collect();
        let expected: Vec<f64> = fixture
            .expected
            .iter()
            .copied()
            .cycle()
            .take(2500)
            .collect();
        close(name, &model.score_batch(&many), &expected);
        assert_eq!(model.stats().failures, 0, "{name}");
    }
}

#[test]
fn the_list_of_fixtures_is_complete() {
    let mut found: Vec<String> = std::fs::read_dir(fixtures())
        .unwrap()
        .filter_map(|entry| {
            Some(
                entry
                    .unwrap()
                    .file_name()
                    .to_str()?
                    .strip_suffix(".json")?
                    .to_owned(),
            )
        })
        .collect();
    found.sort();
    assert_eq!(found, FIXTURES);
}

#[test]
fn a_batch_gives_the_same_bits_as_its_rows() {
    let mut batched = String::new();
    for name in FIXTURES {
        let fixture = Fixture::read(name);
        let model = fixture.load().unwrap();
        let rows = fixture.cells();
        let rows: Vec<&[Cell]> = rows.iter().map(Vec::as_slice).collect();
        let alone: Vec<_> = rows.iter().map(|row| model.score(row)).collect();
        for n_rows in [1, 2, 3, 5, 8, 16, 31, 64, 65, 200] {
            let places = (n_rows..2 * n_rows).map(|idx| idx % rows.len());
            let (many, expected): (Vec<&[Cell]>, Vec<Score>) =
                places.map(|idx| (rows[idx], alone[idx].clone())).unzip();
            assert_eq!(model.score_batch(&many), expected, "{name}, {n_rows} rows");
        }
        let how = if model.is_batched() {
            "together"
        } else {
            "alone"
        };
        let line = format!(
            "{name}: {how}
"
        );
        batched.push_str(&line);
    }
    expect![[r"
        double_output: alone
        gemm_sigmoid: alone
        gemm_sigmoid_flat: alone
        int64_input: together
        label_shape_wrong: alone
        lightgbm_classifier: together
        lightgbm_regressor: together
        lightgbm_zipmap: together
        logistic: alone
        mlp: alone
        per_column: alone
        sklearn_gradient_boosting: together
        sklearn_random_forest_regressor: together
        sklearn_zipmap: together
        sklearn_zipmap_text: alone
        string_tensor: alone
        tree_ensemble_v5: alone
        two_outputs_regressor: alone
    "]]
    .assert_eq(&batched);
}

#[test]
fn purchase_intent_gives_its_golden_scores() {
    let golden: Golden = serde_json::from_str(&read(&purchase_intent("golden.json"))).unwrap();
    let n_rows = golden.rows.len();
    let model = Model::load(&library(), &purchase_intent_spec(golden), None).unwrap();
    assert!(n_rows > 5);
    assert_eq!(model.stats().rows, 0, "the trial does not count");
}

#[track_caller]
fn close(name: &str, scores: &[Score], expected: &[f64]) {
    assert_eq!(scores.len(), expected.len(), "{name}");
    for (idx, (score, expected)) in scores.iter().zip(expected).enumerate() {
        let value = score
            .known()
            .unwrap_or_else(|| panic!("{name} row {idx}: {score:?}"));
        assert!(
            (value - expected).abs() <= 1e-6,
            "{name} row {idx}: {value} is not {expected}"
        );
    }
}
