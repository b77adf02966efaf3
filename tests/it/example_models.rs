//! The models of `examples/models` train, load, and score as they did in Python.

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::Command;

use attune::app;
use attune::policy::Source;
use attune::scoring::{Cell, Library, Model};
use tempfile::TempDir;

/// Offers of one decision, as many as are run together.
const N_OFFERS: u8 = 60;

#[test]
fn lightgbm_scores_all_pairs_of_a_customer_and_offers_in_one_call() {
    let dir = trained("pairs-lightgbm");
    let manifest = dir.path().join("model.yaml");
    let text = fs::read_to_string(&manifest).unwrap();
    let source = Source::new(&manifest.display().to_string(), &text);
    let bundle = app::compile(&[source], false).unwrap();
    let model = bundle.model("pairs-lightgbm").unwrap();
    assert!(model.per_offer);
    let spec = app::spec(model).unwrap();
    let loaded = Model::load(&Library::load(None).unwrap(), &spec, NonZeroUsize::new(1)).unwrap();
    let rows: Vec<_> = (0..N_OFFERS)
        .map(|price| [120.0, 3.0, f32::from(price), 0.1].map(Cell::Number))
        .collect();
    let rows: Vec<&[Cell]> = rows.iter().map(<[Cell; 4]>::as_slice).collect();
    let together = loaded.score_batch(&rows);
    assert_eq!(loaded.stats().runs, 1);
    let alone: Vec<_> = rows.iter().map(|row| loaded.score(row)).collect();
    assert_eq!(together, alone);
}

#[test]
fn scikit_learn_takes_string_columns() {
    let dir = trained("text-sklearn");
    let golden = fs::read_to_string(dir.path().join("golden.json")).unwrap();
    assert!(golden.contains("\"job\": \"student\""), "{golden}");
}

#[test]
fn pytorch_keeps_its_scaling_and_its_sigmoid_in_the_file() {
    trained("mlp-pytorch");
}

/// Trains an example into a folder of its own, counts its training rows, and tries it out.
fn trained(name: &str) -> TempDir {
    let dir = TempDir::new().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let example = root.join("examples/models").join(name);
    fs::copy(example.join("model.yaml"), dir.path().join("model.yaml")).unwrap();
    let python = root.join(".tools/examples/bin/python");
    assert!(python.exists(), "`python3 .ci/setup --examples` is missing");
    let mut train = Command::new(python);
    // Nothing is written beside the script.
    train.env("PYTHONDONTWRITEBYTECODE", "1");
    let said = ends_well(train.arg(example.join("train.py")).arg(dir.path()));
    assert!(said.starts_with("AUC 0.7"), "{said}");

    let folder = dir.path().display().to_string();
    let table = dir.path().join("train.csv").display().to_string();
    let counted = ends_well(attune(&["models", "baseline", &folder, "--rows", &table]));
    assert!(counted.starts_with("8000 rows"), "{counted}");
    let check = [
        "models",
        "check",
        "--deny-warnings",
        "--no-latency",
        &folder,
    ];
    ends_well(attune(&check));
    dir
}

fn attune(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_attune"));
    command.args(arguments);
    if std::env::var_os("ORT_DYLIB_PATH").is_none() {
        let library: PathBuf =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools/lib/libonnxruntime.so");
        command.env("ORT_DYLIB_PATH", library);
    }
    command
}

/// Runs a command; returns what it says.
fn ends_well(mut command: impl std::borrow::BorrowMut<Command>) -> String {
    let output = command.borrow_mut().output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}
