//! What people see of models: one line for each hazard, with what to do.
#![expect(clippy::too_many_lines, reason = "a table of cases is one list")]

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use expect_test::{Expect, expect};
use tempfile::TempDir;

use super::BaselineArgs;
use super::baseline;
use super::check::examine;
use super::find::find;
use super::report::Report;
use crate::scoring::tests::graph::{DOUBLE, FLOAT, Graph, INT64, STRING};
use crate::scoring::{FILE_BYTES_MAX, Library};

/// A manifest of two columns.
const MANIFEST: &str = "model: test\nfile: model.onnx\ninputs:\n  - { column: a, from: profile.traits.a, unknown: nan }\n  - { column: b, from: profile.traits.b }\n";

#[test]
fn a_sound_model_has_nothing_to_say() {
    check(
        &[Case::shipped()],
        &expect![[r#"
        0: ok
           Note rounded_thresholds: its 3080 thresholds were rounded to single precision, and no golden row stands on one: rows that do may score differently than in training
             round thresholds down before the export (`round_thresholds_down` in models/purchase-intent/train.py) and add golden rows that stand on them
    "#]],
    );
}

#[test]
fn files_that_are_no_models_are_told_apart() {
    let cut = || {
        let bytes = table(FLOAT, &[-1, 2]).bytes();
        bytes[..bytes.len() / 2].to_vec()
    };
    let future = fs::read(fixtures().join("future_opset.onnx")).unwrap();
    check(
        &[
            Case::of(b"this is text, not a model\n".to_vec()),
            Case::of(cut()),
            Case::of(Vec::new()),
            Case::of(future),
            Case {
                model: None,
                ..Case::of(Vec::new())
            },
            Case {
                n_bytes: FILE_BYTES_MAX + 1,
                ..Case::of(Vec::new())
            },
            Case {
                manifest: None,
                ..Case::of(table(FLOAT, &[-1, 2]).bytes())
            },
            Case {
                manifest: None,
                ..Case::of(b"no model".to_vec())
            },
            Case {
                manifest: Some("model: test\nfile: model.onnx\ninptus: []\n".into()),
                ..Case::of(table(FLOAT, &[-1, 2]).bytes())
            },
        ],
        &expect![[r#"
            0: wrong
               Error not_onnx: model `test`: `0/model.onnx` is not a model that ONNX Runtime can load: Failed to load model because protobuf parsing failed.
                 is it an ONNX file, and all of it? A pickle, a LightGBM text or a file that is still being copied is none
            1: wrong
               Error not_onnx: model `test`: `1/model.onnx` is not a model that ONNX Runtime can load: Failed to load model because protobuf parsing failed.
                 is it an ONNX file, and all of it? A pickle, a LightGBM text or a file that is still being copied is none
            2: wrong
               Error file: model `test`: cannot read `2/model.onnx`: the file is empty
                 `file:` of the manifest names the ONNX file beside it
            3: wrong
               Error opset: model `test`: `3/model.onnx` is not a model that ONNX Runtime can load: ONNX Runtime only *guarantees* support for models stamped with official released onnx opset versions. Opset 99 is under development and support for this is limited. The operator schemas and or other functionality may change before next ONNX release and in this case ONNX Runtime will not guarantee backward compatibility. Current official support for domain ai.onnx is till opset 28.
                 export for an older standard: `target_opset=` in skl2onnx and onnxmltools, `opset_version=` in PyTorch; or give ONNX Runtime a newer library
            4: wrong
               Error file: model `test`: cannot read `4/model.onnx`: No such file or directory (os error 2)
                 `file:` of the manifest names the ONNX file beside it
            5: wrong
               Error file: model `test`: cannot read `5/model.onnx`: the file has 1073741825 bytes, at most 1073741824 are read
                 `file:` of the manifest names the ONNX file beside it
            6: wrong
               Error no_manifest: there is no `model.yaml` beside the file
                 write one: `model: NAME`, `file: model.onnx` and `inputs: [ { column: age, from: profile.traits.age, unknown: nan } ]`, one for each column, in the order of the training table
               Note takes: the file takes 2 columns (`table` float[n, 2])
                 these are the columns that the manifest gives it
            7: wrong
               Error not_onnx: model `model`: `7/model.onnx` is not a model that ONNX Runtime can load: Failed to load model because protobuf parsing failed.
                 is it an ONNX file, and all of it? A pickle, a LightGBM text or a file that is still being copied is none
               Error no_manifest: there is no `model.yaml` beside the file
                 write one: `model: NAME`, `file: model.onnx` and `inputs: [ { column: age, from: profile.traits.age, unknown: nan } ]`, one for each column, in the order of the training table
            8: wrong
               Error manifest: the manifest is not right:
                 `attune schema model` prints what an editor checks it with
        "#]],
    );
}

#[test]
fn what_exporters_get_wrong_has_a_line_each() {
    let wide = |dims: &'static [i64]| Graph::new().input("table", FLOAT, dims);
    let label =
        wide(&[-1, 2])
            .node("Identity", &["table"], "score")
            .output("score", FLOAT, &[1, 2]);
    let mean = wide(&[-1, 2])
        .node("ReduceMean", &["table"], "mean")
        .node("Add", &["table", "mean"], "score")
        .output("score", FLOAT, &[-1, 2]);
    let text = Graph::new()
        .input("table", STRING, &[-1, 2])
        .length("table");
    let whole = Graph::new()
        .input("table", INT64, &[-1, 2])
        .node("Cast", &["table"], "score")
        .output("score", FLOAT, &[-1, 2]);
    let class = format!("{MANIFEST}output: {{ name: score, class: 1 }}\n");
    let graph = |graph: &Graph| Case {
        manifest: Some(class.clone()),
        ..Case::of(graph.bytes())
    };
    check(
        &[
            graph(&label),
            graph(&mean),
            graph(&wide(&[1, 2]).node("Identity", &["table"], "score").output(
                "score",
                FLOAT,
                &[1, 2],
            )),
            graph(
                &wide(&[32, 2]).node("Identity", &["table"], "score").output(
                    "score",
                    FLOAT,
                    &[32, 2],
                ),
            ),
            graph(&whole),
            Case::of(text.bytes()),
            Case {
                manifest: Some(format!("{MANIFEST}output: {{ class: 1 }}\n")),
                ..Case::of(table(DOUBLE, &[-1, 2]).bytes())
            },
            Case::fixture("sklearn_zipmap", "output_probability", 1),
            Case::fixture("lightgbm_classifier", "probabilities", 1),
        ],
        &expect![[r#"
            0: ok
               Warning no_golden: nothing proves that it scores here as it did in training: there is no golden.json
                 write some rows and the scores that onnxruntime gives them in Python, as models/purchase-intent/train.py does
               Note declared_shape: output `score` is declared as [1, 2] and comes out as [2, 2] for two rows: what comes out counts, other programs may refuse it
                 clear the wrong dimension after the export: `output.type.tensor_type.shape.dim[0].Clear()`
            1: wrong
               Error rows_mix: a row scores differently beside others: by 5.0e-1, 1e-6 is allowed
                 a step of the model works across rows (a batch norm in training mode, a softmax or a mean over the first dimension): export it for inference
               Error unknown_unusable: column `a` promises `unknown: nan`, but leaves 32 of 32 rows without a score: the model returned NaN
                 write `unknown: fail`, which says so, or a value that the model was trained with
               Warning no_golden: nothing proves that it scores here as it did in training: there is no golden.json
                 write some rows and the scores that onnxruntime gives them in Python, as models/purchase-intent/train.py does
               Warning not_probabilities: its scores go from 0.0000 to 2.0000: as a propensity they must be between 0 and 1
                 end the graph in a sigmoid or a softmax; a regressor may rank, but not by `p`
            2: ok
               Warning one_row: the file takes exactly one row: every row of a batch is a run of its own
                 export a dynamic first dimension: `[None, n]` in skl2onnx and onnxmltools, `dynamic_axes` or `dynamic_shapes` in PyTorch
               Warning no_golden: nothing proves that it scores here as it did in training: there is no golden.json
                 write some rows and the scores that onnxruntime gives them in Python, as models/purchase-intent/train.py does
            3: wrong
               Error fixed_rows: model `test`: `3/model.onnx` does not fit its manifest: input `table` float[32, 2] has a fixed number of rows; export it as [n, columns] with a dynamic n
                 export a dynamic first dimension
            4: wrong
               Error unknown_unusable: column `a` promises `unknown: nan`, but leaves 32 of 32 rows without a score: column `a` is unknown, and the model takes whole numbers only
                 write `unknown: fail`, which says so, or a value that the model was trained with
               Warning no_golden: nothing proves that it scores here as it did in training: there is no golden.json
                 write some rows and the scores that onnxruntime gives them in Python, as models/purchase-intent/train.py does
            5: wrong
               Error text_columns: model `test`: `5/model.onnx` does not fit its manifest: column `a` holds numbers, but input `table` string[n, 2] takes text
                 say `type: text` for the columns that are text
            6: ok
               Warning no_golden: nothing proves that it scores here as it did in training: there is no golden.json
                 write some rows and the scores that onnxruntime gives them in Python, as models/purchase-intent/train.py does
               Note double_input: input `table` is double: columns are single precision before they get there
                 export it as float; it is faster, and trained as served
               Note double_output: output `same` is double: it is read as it is
                 nothing to do
            7: ok
               Warning no_golden: nothing proves that it scores here as it did in training: there is no golden.json
                 write some rows and the scores that onnxruntime gives them in Python, as models/purchase-intent/train.py does
               Warning zipmap: output `output_probability` is a list of maps, one a row: it is slower to read, and classes are found by their order
                 export without it: `options={'zipmap': False}` in skl2onnx, `zipmap=False` in onnxmltools
               Note rounded_thresholds: its 84 thresholds were rounded to single precision, and no golden row stands on one: rows that do may score differently than in training
                 round thresholds down before the export (`round_thresholds_down` in models/purchase-intent/train.py) and add golden rows that stand on them
            8: ok
               Warning no_golden: nothing proves that it scores here as it did in training: there is no golden.json
                 write some rows and the scores that onnxruntime gives them in Python, as models/purchase-intent/train.py does
               Note declared_shape: output `label` is declared as [1] and comes out as [2] for two rows: what comes out counts, other programs may refuse it
                 clear the wrong dimension after the export: `output.type.tensor_type.shape.dim[0].Clear()`
               Note rounded_thresholds: its 84 thresholds were rounded to single precision, and no golden row stands on one: rows that do may score differently than in training
                 round thresholds down before the export (`round_thresholds_down` in models/purchase-intent/train.py) and add golden rows that stand on them
        "#]],
    );
}

#[test]
fn golden_rows_and_hashes_that_do_not_fit_are_shown_and_the_rest_is_tried_all_the_same() {
    let sum = || {
        let graph = Graph::new().input("a", FLOAT, &[-1, 1]);
        let graph = graph.input("b", FLOAT, &[-1, 1]).add("a", "b");
        Case::of(graph.bytes())
    };
    let golden = |text: &str| Case {
        golden: Some(text.to_owned()),
        ..sum()
    };
    check(
        &[
            golden(
                r#"{"tolerance": 1e-6, "rows": [{"inputs": {"a": 0.25, "b": 0.5}, "output": 0.75}]}"#,
            ),
            golden(
                r#"{"tolerance": 1e-6, "rows": [{"inputs": {"a": 0.25, "b": 0.5}, "output": 0.5}]}"#,
            ),
            golden(r#"{"tolerance": 1e-6, "rows": [{"inputs": {"a": 0.25}, "output": 0.5}]}"#),
            golden("{"),
            Case {
                manifest: Some(format!("{MANIFEST}sha256: {}\n", "0".repeat(64))),
                ..sum()
            },
        ],
        &expect![[r#"
            0: wrong
               Error unknown_unusable: column `a` promises `unknown: nan`, but leaves 32 of 32 rows without a score: the model returned NaN
                 write `unknown: fail`, which says so, or a value that the model was trained with
            1: wrong
               Error golden: model `test`: golden row 1 should give 0.5 but gives 0.75 alone; the tolerance is 0.000001
                 the scores of golden.json must come from this very file, run by onnxruntime: order of columns, class and thresholds in single precision are what differs most often
               Error unknown_unusable: column `a` promises `unknown: nan`, but leaves 32 of 32 rows without a score: the model returned NaN
                 write `unknown: fail`, which says so, or a value that the model was trained with
            2: wrong
               Error golden_rows: model `test`: its golden rows do not fit its manifest: row 1 has no `b`
                 every row of golden.json has every column by its name in the manifest; `null` is unknown
               Error unknown_unusable: column `a` promises `unknown: nan`, but leaves 32 of 32 rows without a score: the model returned NaN
                 write `unknown: fail`, which says so, or a value that the model was trained with
               Warning not_probabilities: its scores go from 0.0000 to 2.0000: as a propensity they must be between 0 and 1
                 end the graph in a sigmoid or a softmax; a regressor may rank, but not by `p`
            3: wrong
               Error unreadable: cannot read `3/golden.json`: EOF while parsing an object at line 1 column 1
                 golden.json is `{"tolerance": 1e-5, "rows": [{"inputs": {"age": 41}, "output": 0.25}]}`
            4: wrong
               Error sha256: model `test`: `4/model.onnx` is not the file that its manifest means: its sha256 is ad87cd48e5e909edd81c77a81d48d30b8d675808dff1096db314fd1ba310cd78, not 0000000000000000000000000000000000000000000000000000000000000000
                 the file and the manifest are not of one version: copy both, or write the file's hash into the manifest
               Error unknown_unusable: column `a` promises `unknown: nan`, but leaves 32 of 32 rows without a score: the model returned NaN
                 write `unknown: fail`, which says so, or a value that the model was trained with
               Warning no_golden: nothing proves that it scores here as it did in training: there is no golden.json
                 write some rows and the scores that onnxruntime gives them in Python, as models/purchase-intent/train.py does
               Warning not_probabilities: its scores go from 0.0000 to 2.0000: as a propensity they must be between 0 and 1
                 end the graph in a sigmoid or a softmax; a regressor may rank, but not by `p`
        "#]],
    );
}

#[test]
fn a_model_that_draws_lots_is_wrong() {
    let dice = Graph::new()
        .input("table", FLOAT, &[-1, 2])
        .node("RandomUniformLike", &["table"], "noise")
        .node("Add", &["table", "noise"], "score")
        .output("score", FLOAT, &[-1, 2]);
    let case = Case {
        manifest: Some(format!("{MANIFEST}output: {{ class: 1 }}\n")),
        ..Case::of(dice.bytes())
    };
    let dir = TempDir::new().unwrap();
    let found = find(&[case.write(dir.path())], &[]).unwrap();
    let library = Library::load(None).unwrap_or_else(|error| panic!("{error}"));
    let report = examine(&library, &found[0], false);
    let codes: Vec<_> = report.hazards.iter().map(|hazard| hazard.code).collect();
    assert!(codes.contains(&"not_deterministic"), "{codes:?}");
    assert!(!codes.contains(&"rows_mix"), "{codes:?}");
}

#[test]
fn a_baseline_takes_the_place_of_one_that_is_of_no_use() {
    let dir = TempDir::new().unwrap();
    let folder = of_two().write(dir.path());
    let baseline = folder.join("baseline.json");
    let counted = |rows: &[u8]| {
        let table = folder.join("train.csv");
        fs::write(&table, rows).unwrap();
        let args = BaselineArgs {
            model: folder.clone(),
            rows: table,
            policies: Vec::new(),
        };
        let told = baseline::run(&args);
        told.map(|_| fs::read_to_string(&baseline).unwrap())
            .map_err(|error| format!("{error:#}").replace(&format!("{}/", folder.display()), ""))
    };
    let first = counted(b"a,b\n1,2\n2,3\n").unwrap();
    for old in ["{", "{\"inputs\": {\"other\": {}}}"] {
        fs::write(&baseline, old).unwrap();
        let report = || {
            let found = find(std::slice::from_ref(&folder), &[]).unwrap();
            examine(&Library::load(None).unwrap(), &found[0], false)
        };
        let codes = |report: &Report| -> Vec<_> {
            report.hazards.iter().map(|hazard| hazard.code).collect()
        };
        // What else there is to say of the model is said, too.
        assert_eq!(
            codes(&report()),
            ["unreadable", "no_golden", "row_by_row"],
            "{old}"
        );
        assert_eq!(counted(b"a,b\n1,2\n2,3\n").unwrap(), first, "{old}");
        assert_eq!(codes(&report()), ["no_golden", "row_by_row"], "{old}");
    }
}

#[test]
fn the_shipped_baseline_is_of_the_shipped_model() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/purchase-intent");
    let found = find(&[folder], &[]).unwrap();
    let spec = crate::app::spec(found[0].model.as_ref().ok().unwrap()).unwrap();
    assert!(spec.baseline.is_some());
}

#[test]
fn a_table_to_count_is_read_by_what_is_in_it() {
    let dir = TempDir::new().unwrap();
    let folder = of_two().write(dir.path());
    let manifest = find(std::slice::from_ref(&folder), &[]).unwrap();
    let inputs = crate::app::spec(manifest[0].model.as_ref().ok().unwrap())
        .unwrap()
        .inputs;
    let read = |bytes: &[u8]| {
        let table = folder.join("train.csv");
        fs::write(&table, bytes).unwrap();
        baseline::rows(&table, &inputs)
            .map_or_else(|error| format!("{error:#}"), |rows| format!("{rows:?}"))
            .replace(&format!("{}/", folder.display()), "")
            + "\n"
    };
    let packed = {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut packed, b"a,b\n1,2\n").unwrap();
        packed.finish().unwrap()
    };
    let long = [b"a,b\n1,".as_slice(), &vec![b'2'; 300 << 10]].concat();
    expect![[r#"
        [[Number(1.0), Number(2.0)]]
        [[Number(1.0), Number(2.0)]]
        `train.csv` line 2: fields: 2 instead of 3
        `train.csv` line 2: not UTF-8
        `train.csv` has no rows
        `train.csv` is empty
        `train.csv` line 2: a line that is too long
    "#]]
    .assert_eq(
        &[
            &packed[..],
            b"\xef\xbb\xbfa,b\r\n1,2\r\n\r\n",
            b"a,c,b\n1,2\n",
            b"a,b\n1,\xff\n",
            b"a,b\n",
            b"",
            &long,
        ]
        .map(read)
        .concat(),
    );
}

/// A model of two columns: the second one is the score.
fn of_two() -> Case {
    let graph = Graph::new()
        .input("table", FLOAT, &[-1, 2])
        .node("Sigmoid", &["table"], "score")
        .output("score", FLOAT, &[-1, 2]);
    Case {
        manifest: Some(format!("{MANIFEST}output: {{ name: score, class: 1 }}\n")),
        ..Case::of(graph.bytes())
    }
}

fn table(element: u64, dims: &[i64]) -> Graph {
    Graph::new().input("table", element, dims).identity("table")
}

/// A folder of a model.
#[derive(Default)]
struct Case {
    model: Option<Vec<u8>>,
    /// The file is made as long as this.
    n_bytes: u64,
    manifest: Option<String>,
    golden: Option<String>,
}

impl Case {
    fn of(model: Vec<u8>) -> Self {
        Self {
            model: Some(model),
            manifest: Some(MANIFEST.to_owned()),
            ..Self::default()
        }
    }

    fn shipped() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/purchase-intent");
        let text = |name: &str| Some(fs::read_to_string(root.join(name)).unwrap());
        Self {
            model: Some(fs::read(root.join("model.onnx")).unwrap()),
            n_bytes: 0,
            manifest: text("model.yaml"),
            golden: text("golden.json"),
        }
    }

    /// What an exporter wrote, with five columns.
    fn fixture(name: &str, output: &str, class: usize) -> Self {
        let file = fixtures().join(format!("{name}.onnx"));
        let columns = ["a", "b", "c", "d", "e"].map(|name| {
            format!("  - {{ column: {name}, from: profile.traits.{name}, unknown: nan }}\n")
        });
        let columns = columns.concat();
        let output = format!("output: {{ name: {output}, class: {class} }}\n");
        Self {
            manifest: Some(format!(
                "model: {name}\nfile: model.onnx\ninputs:\n{columns}{output}"
            )),
            ..Self::of(fs::read(file).unwrap())
        }
    }

    fn write(&self, folder: &Path) -> PathBuf {
        fs::create_dir_all(folder).unwrap();
        let file = folder.join("model.onnx");
        if let Some(model) = &self.model {
            fs::write(&file, model).unwrap();
        }
        if self.n_bytes > 0 {
            // A file with a hole takes no space.
            let long = fs::File::options().write(true).open(&file).unwrap();
            long.set_len(self.n_bytes).unwrap();
        }
        for (name, text) in [
            ("model.yaml", &self.manifest),
            ("golden.json", &self.golden),
        ] {
            if let Some(text) = text {
                fs::write(folder.join(name), text).unwrap();
            }
        }
        if self.manifest.is_some() {
            folder.to_owned()
        } else {
            file
        }
    }
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/onnx")
}

/// Tries models out, and compares what there is to say of each.
#[track_caller]
fn check(cases: &[Case], said: &Expect) {
    let dir = TempDir::new().unwrap();
    let library = Library::load(None).unwrap_or_else(|error| panic!("{error}"));
    let mut text = String::new();
    for (n, case) in cases.iter().enumerate() {
        let path = case.write(&dir.path().join(n.to_string()));
        let found = find(&[path], &[]).unwrap();
        let report = examine(&library, &found[0], false);
        let word = if report.ok { "ok" } else { "wrong" };
        writeln!(text, "{n}: {word}").unwrap();
        for hazard in &report.hazards {
            let (severity, code) = (hazard.severity, hazard.code);
            let message = hazard.message.lines().next().unwrap_or_default();
            writeln!(text, "   {severity:?} {code}: {message}").unwrap();
            writeln!(text, "     {}", hazard.help).unwrap();
        }
    }
    let folder = format!("{}/", dir.path().display());
    said.assert_eq(&text.replace(&folder, ""));
}
