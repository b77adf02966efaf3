//! What does not fit is refused when it is loaded, with a sentence that helps.

use std::num::NonZeroUsize;

use expect_test::{Expect, expect};

use super::graph::{FLOAT, FLOAT16, Graph, INT64, STRING};
use super::{Fixture, fixtures, library, purchase_intent, purchase_intent_spec, read, spec, sum};
use crate::scoring::{Golden, Model, OutputSpec, Source, Spec};

#[test]
fn a_golden_score_that_moved_refuses_the_model() {
    let mut golden: Golden = serde_json::from_str(&read(&purchase_intent("golden.json"))).unwrap();
    golden.rows[1].output = 0.25;
    check(
        [purchase_intent_spec(golden)],
        &expect![[r"
        model `purchase-intent`: golden row 2 should give 0.25 but gives 0.20869606733322144 alone; the tolerance is 0.00001
    "]],
    );
}

#[test]
fn golden_rows_must_fit_the_columns() {
    let golden = |inputs: &str| {
        let text =
            format!(r#"{{"tolerance": 1e-5, "rows": [{{"inputs": {inputs}, "output": 0.5}}]}}"#);
        Spec {
            golden: Some(serde_json::from_str(&text).unwrap()),
            ..sum("a b c")
        }
    };
    let none = Golden {
        tolerance: 1e-5,
        rows: vec![],
    };
    let tolerant = |tolerance: f64| {
        let mut of = golden(r#"{"a": 1, "b": 2, "c": null}"#);
        of.golden.as_mut().unwrap().tolerance = tolerance;
        of
    };
    check(
        [
            golden(r#"{"a": 1, "b": 2, "c": null, "d": 4}"#),
            golden(r#"{"a": 1, "b": 2}"#),
            golden(r#"{"a": 1, "b": 2, "c": "much"}"#),
            golden(r#"{"a": 1, "b": 2, "c": null}"#),
            Spec {
                golden: Some(none),
                ..sum("a b c")
            },
            tolerant(-1.0),
            tolerant(5.0),
        ],
        &expect![[r#"
            model `test`: its golden rows do not fit its manifest: row 1 has `d`, which is no column
            model `test`: its golden rows do not fit its manifest: row 1 has no `c`
            model `test`: its golden rows do not fit its manifest: row 1 has `c`: "much", which is no number
            model `test`: golden row 1 should give 0.5 but gives NaN alone; the tolerance is 0.00001
            model `test`: its golden rows do not fit its manifest: there are none
            model `test`: its golden rows do not fit its manifest: `tolerance` is -1, a number from 0 to less than 1 is expected, such as 1e-5
            model `test`: its golden rows do not fit its manifest: `tolerance` is 5, a number from 0 to less than 1 is expected, such as 1e-5
        "#]],
    );
}

#[test]
fn files_that_are_no_models_are_refused() {
    let files = ["corrupt", "not_onnx", "future_opset", "no_such_file"];
    let files = files.map(|name| Source::File(fixtures().join(format!("{name}.onnx"))));
    let empty = Source::Bytes("empty.onnx".into(), [].into());
    let sources = files.into_iter().chain([empty]);
    check(
        sources.map(|source| Spec {
            source,
            ..sum("a b c")
        }),
        &expect![[r"
            model `test`: `corrupt.onnx` is not a model that ONNX Runtime can load: Failed to load model because protobuf parsing failed.
            model `test`: `not_onnx.onnx` is not a model that ONNX Runtime can load: Failed to load model because protobuf parsing failed.
            model `test`: `future_opset.onnx` is not a model that ONNX Runtime can load: ONNX Runtime only *guarantees* support for models stamped with official released onnx opset versions. Opset 99 is under development and support for this is limited. The operator schemas and or other functionality may change before next ONNX release and in this case ONNX Runtime will not guarantee backward compatibility. Current official support for domain ai.onnx is till opset 28.
            model `test`: cannot read `no_such_file.onnx`: No such file or directory (os error 2)
            model `test`: cannot read `empty.onnx`: the file is empty
        "]],
    );
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    for name in ["lightgbm_classifier", "per_column"] {
        let fixture = Fixture::read(name);
        let bytes = std::fs::read(fixtures().join(format!("{name}.onnx"))).unwrap();
        for part in 1..32 {
            let cut = &bytes[..bytes.len() * part / 32];
            let spec = Spec {
                source: Source::Bytes("cut.onnx".into(), cut.into()),
                ..fixture.spec()
            };
            let error = Model::load(&library(), &spec, NonZeroUsize::new(1)).err();
            assert!(error.is_some(), "{name} cut to {part}/32");
        }
    }
}

#[test]
fn inputs_that_do_not_fit_the_manifest_are_refused() {
    let table = |element, dims: &'static [i64]| {
        Graph::new().input("table", element, dims).identity("table")
    };
    let pair = || {
        let graph = Graph::new().input("a", FLOAT, &[-1, 1]);
        graph
            .input("Page Value", FLOAT, &[-1, 1])
            .add("a", "Page Value")
    };
    check(
        [
            spec(&table(FLOAT, &[-1, 17]), "a b c"),
            spec(&table(FLOAT, &[17]), "a b c"),
            spec(&table(FLOAT, &[-1, 3, 2]), "a b c"),
            spec(&table(FLOAT, &[32, 3]), "a b c"),
            spec(&table(FLOAT16, &[-1, 3]), "a b c"),
            spec(&table(FLOAT, &[-1, 3]), "a b c:text"),
            spec(&table(STRING, &[-1, 3]), "a:text b c:text"),
            spec(&pair(), "a page_value"),
            spec(&pair(), "a b c"),
            spec(&pair(), ""),
        ],
        &expect![[r"
            model `test`: `test.onnx` does not fit its manifest: the file takes 17 columns (`table` float[n, 17]), the manifest has 3
            model `test`: `test.onnx` does not fit its manifest: input `table` float[17] has a fixed number of rows; export it as [n, columns] with a dynamic n
            model `test`: `test.onnx` does not fit its manifest: input `table` float[n, 3, 2] is no table of rows
            model `test`: `test.onnx` does not fit its manifest: input `table` float[32, 3] has a fixed number of rows; export it as [n, columns] with a dynamic n
            model `test`: `test.onnx` does not fit its manifest: input `table` float16[n, 3] has elements of a type that rows cannot fill; use float, double, int32, int64, bool or string
            model `test`: `test.onnx` does not fit its manifest: column `c` holds text, but input `table` float[n, 3] takes numbers
            model `test`: `test.onnx` does not fit its manifest: column `b` holds numbers, but input `table` string[n, 3] takes text
            model `test`: `test.onnx` does not fit its manifest: the file takes `Page Value`, which the manifest has no columns for; its columns `page_value` fit no input (names are case-sensitive)
            model `test`: `test.onnx` does not fit its manifest: the file takes 2 columns (`a` float[n, 1], `Page Value` float[n, 1]), the manifest has 3
            model `test`: `test.onnx` does not fit its manifest: the file takes 2 columns (`a` float[n, 1], `Page Value` float[n, 1]), the manifest has 0
        "]],
    );
}

#[test]
fn outputs_that_are_no_score_are_refused() {
    let base = || Graph::new().input("table", FLOAT, &[-1, 2]);
    let same = || base().identity("table");
    let two = same()
        .node("Neg", &["table"], "minus")
        .output("minus", FLOAT, &[-1, 2]);
    let label = || {
        base()
            .node("ArgMax", &["table"], "label")
            .output("label", INT64, &[-1, 1])
    };
    let total = base()
        .node("ReduceSum", &["table"], "total")
        .output("total", FLOAT, &[1, 1]);
    let cases = [
        (same(), None, None),
        (same(), None, Some(2)),
        (same(), Some("probability"), Some(1)),
        (two, None, Some(1)),
        (label(), None, None),
        (label(), Some("label"), None),
        (total, None, None),
    ];
    let specs = cases.map(|(graph, name, class)| {
        let output = OutputSpec {
            name: name.map(Into::into),
            class,
        };
        Spec {
            output,
            ..spec(&graph, "a b")
        }
    });
    let mut zipmap = Fixture::read("sklearn_zipmap").spec();
    zipmap.output.class = Some(2);
    let mut no_class = Fixture::read("sklearn_zipmap").spec();
    no_class.output.class = None;
    check(
        specs.into_iter().chain([zipmap, no_class]),
        &expect![[r"
            model `test`: `test.onnx` fails on rows of zeros, alone: output `same` has 2 classes; say with `class` which is the score
            model `test`: `test.onnx` fails on rows of zeros, alone: the manifest takes class 2 of output `same`, which has 2 classes, counted from 0
            model `test`: `test.onnx` does not fit its manifest: the file has no output `probability`; it has `same` float[n, 2]
            model `test`: `test.onnx` does not fit its manifest: the file has several float outputs: `same` float[n, 2], `minus` float[n, 2]; name the one that is the score
            model `test`: `test.onnx` does not fit its manifest: the file has no float output; it has `label` int64[n, 1]
            model `test`: `test.onnx` does not fit its manifest: output `label` int64[n, 1] is no score: it must be float or double
            model `test`: `test.onnx` fails on rows of zeros, in a batch: output `total` has shape [1, 1] for 2 rows
            model `sklearn_zipmap`: `sklearn_zipmap.onnx` fails on rows of zeros, alone: the manifest takes class 2 of output `output_probability`, which has 2 classes, counted from 0
            model `sklearn_zipmap`: `sklearn_zipmap.onnx` fails on rows of zeros, alone: output `output_probability` has 2 classes; say with `class` which is the score
        "]],
    );
}

/// Loads specs that must not load, and compares the messages; folders in them are cut off.
#[track_caller]
fn check(specs: impl IntoIterator<Item = Spec>, messages: &Expect) {
    let mut transcript = String::new();
    for spec in specs {
        match Model::load(&library(), &spec, NonZeroUsize::new(1)) {
            Ok(_) => transcript.push_str("loads\n"),
            Err(error) => transcript.push_str(&(error.to_string() + "\n")),
        }
    }
    for folder in [fixtures(), purchase_intent("")] {
        transcript = transcript.replace(&format!("{}/", folder.display()), "");
        transcript = transcript.replace(&folder.display().to_string(), "");
    }
    messages.assert_eq(&transcript);
}
