//! What exporters are known to get wrong.

use super::report::Hazard;
use crate::scoring::{About, Cell, Error, Model, Spec};

/// Says what to do when a model cannot be loaded.
pub fn of_load(error: &Error) -> Hazard {
    let message = error.to_string();
    let (code, help) = match error {
        Error::LibraryMissing
        | Error::LibraryMisplaced { .. }
        | Error::LibraryRefused { .. }
        | Error::LibraryStuck { .. } => ("onnxruntime", "run `make setup`"),
        Error::File { .. } => (
            "file",
            "`file:` of the manifest names the ONNX file beside it",
        ),
        Error::Graph { reason, .. } => of_graph(reason),
        Error::Signature { reason, .. } => of_signature(reason),
        Error::Version { .. } => (
            "sha256",
            "the file and the manifest are not of one version: copy both, or write the file's hash into the manifest",
        ),
        Error::Trial { .. } => (
            "trial",
            "the graph takes the rows but fails on them: try the same rows in Python with onnxruntime",
        ),
        Error::GoldenRows { .. } => (
            "golden_rows",
            "every row of golden.json has every column by its name in the manifest; `null` is unknown",
        ),
        Error::Golden { .. } => (
            "golden",
            "the scores of golden.json must come from this very file, run by onnxruntime: order of columns, class and thresholds in single precision are what differs most often",
        ),
    };
    Hazard::error(code, message, help)
}

fn of_graph(reason: &str) -> (&'static str, &'static str) {
    if reason.contains("opset") || reason.contains("Opset") {
        return (
            "opset",
            "export for an older standard: `target_opset=` in skl2onnx and onnxmltools, `opset_version=` in PyTorch; or give ONNX Runtime a newer library",
        );
    }
    if reason.contains("is not a registered function/op") {
        return (
            "operator",
            "the graph uses an operator that ONNX Runtime does not have: leave custom operators out of the export",
        );
    }
    (
        "not_onnx",
        "is it an ONNX file, and all of it? A pickle, a LightGBM text or a file that is still being copied is none",
    )
}

fn of_signature(reason: &str) -> (&'static str, &'static str) {
    let cases = [
        (
            "fixed number of rows",
            "fixed_rows",
            "export a dynamic first dimension",
        ),
        (
            "holds numbers, but",
            "text_columns",
            "say `type: text` for the columns that are text",
        ),
        (
            "holds text, but",
            "text_columns",
            "encode the text inside the model, or leave `type: text` out",
        ),
        (
            "is no score",
            "no_score",
            "name the output with the probability: `output: { name: probabilities, class: 1 }`",
        ),
        (
            "several float outputs",
            "no_score",
            "name the output with the probability: `output: { name: probabilities, class: 1 }`",
        ),
        (
            "no float output",
            "no_score",
            "export the probability too: a label alone cannot be ranked by",
        ),
    ];
    let case = cases.iter().find(|(part, ..)| reason.contains(part));
    case.map_or(
        (
            "signature",
            "the columns of the manifest are those of the training table, in its order",
        ),
        |(_, code, help)| (*code, *help),
    )
}

/// Finds what loads and runs and may be wrong all the same.
///
/// - `rows`: some to look at.
pub fn of_model(
    model: &Model,
    about: &About,
    spec: &Spec,
    rows: &[&[Cell]],
    hazards: &mut Vec<Hazard>,
) {
    hazards.extend(no_golden(spec));
    hazards.extend(zipmap(model));
    shapes(model, rows, hazards);
    hazards.extend(thresholds(about, spec));
    precision(model, hazards);
    hazards.extend(range(model, rows));
}

fn no_golden(spec: &Spec) -> Option<Hazard> {
    spec.golden.is_none().then(|| {
        Hazard::warning(
            "no_golden",
            "nothing proves that it scores here as it did in training: there is no golden.json",
            "write some rows and the scores that onnxruntime gives them in Python, as models/purchase-intent/train.py does",
        )
    })
}

fn zipmap(model: &Model) -> Option<Hazard> {
    model.is_zipped().then(|| {
        Hazard::warning(
            "zipmap",
            format!("output `{}` is a list of maps, one a row: it is slower to read, and classes are found by their order", model.output()),
            "export without it: `options={'zipmap': False}` in skl2onnx, `zipmap=False` in onnxmltools",
        )
    })
}

/// Holds the shapes that come out against those that are declared.
fn shapes(model: &Model, rows: &[&[Cell]], hazards: &mut Vec<Hazard>) {
    if model.is_for_one_row() || rows.len() < 2 {
        return;
    }
    let shapes = model.shapes(&rows[..2]).unwrap_or_default();
    for shape in shapes {
        let n_dims = shape.declared.len() == shape.real.len();
        let pairs = shape.declared.iter().zip(&shape.real);
        let fits = n_dims && pairs.clone().all(|(said, real)| *said < 0 || said == real);
        if fits || shape.declared.is_empty() {
            continue;
        }
        hazards.push(Hazard::note(
            "declared_shape",
            format!(
                "output `{}` is declared as {:?} and comes out as {:?} for two rows: what comes out counts, other programs may refuse it",
                shape.output, shape.declared, shape.real
            ),
            "clear the wrong dimension after the export: `output.type.tensor_type.shape.dim[0].Clear()`",
        ));
    }
}

/// Says when thresholds were rounded and no golden row stands on one.
fn thresholds(about: &About, spec: &Spec) -> Option<Hazard> {
    let thresholds = &about.thresholds;
    if thresholds.double {
        return Some(Hazard::note(
            "double_thresholds",
            "its trees keep thresholds in double precision; columns are single precision here, so a value that training saw as a double may fall on the other side",
            "train on columns that were rounded to float32 first",
        ));
    }
    if thresholds.n == 0 || on_threshold(about, spec) {
        return None;
    }
    Some(Hazard::note(
        "rounded_thresholds",
        format!(
            "its {} thresholds were rounded to single precision, and no golden row stands on one: rows that do may score differently than in training",
            thresholds.n
        ),
        "round thresholds down before the export (`round_thresholds_down` in models/purchase-intent/train.py) and add golden rows that stand on them",
    ))
}

/// Tells if a golden row has a value that is a threshold of its column; whole numbers prove nothing.
fn on_threshold(about: &About, spec: &Spec) -> bool {
    let golden = spec.golden.as_ref();
    let rows = golden.and_then(|golden| golden.cells(&spec.inputs).ok());
    rows.unwrap_or_default().iter().any(|row| {
        row.iter().enumerate().any(|(column, cell)| {
            let known = about.thresholds.by_column.get(&column);
            match (cell, known) {
                (Cell::Number(value), Some(known)) => known
                    .binary_search_by(|known| known.total_cmp(value))
                    .is_ok(),
                (Cell::Number(_) | Cell::Text(_), _) => false,
            }
        })
    })
}

fn precision(model: &Model, hazards: &mut Vec<Hazard>) {
    let card = model.card();
    let is_double = |port: &&crate::scoring::Port| port.shape.starts_with("double");
    if let Some(port) = card.inputs.iter().find(is_double) {
        hazards.push(Hazard::note(
            "double_input",
            format!(
                "input `{}` is double: columns are single precision before they get there",
                port.name
            ),
            "export it as float; it is faster, and trained as served",
        ));
    }
    let score = card.outputs.iter().find(|port| port.name == model.output());
    if score.is_some_and(|port| port.shape.starts_with("double")) {
        hazards.push(Hazard::note(
            "double_output",
            format!("output `{}` is double: it is read as it is", model.output()),
            "nothing to do",
        ));
    }
}

fn range(model: &Model, rows: &[&[Cell]]) -> Option<Hazard> {
    let scores = model.score_batch(rows);
    let scores = scores.iter().filter_map(crate::scoring::Score::known);
    let (least, most) = scores.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), it| {
        (least.min(it), most.max(it))
    });
    (least < 0.0 || most > 1.0).then(|| {
        Hazard::warning(
            "not_probabilities",
            format!("its scores go from {least:.4} to {most:.4}: as a propensity they must be between 0 and 1"),
            "end the graph in a sigmoid or a softmax; a regressor may rank, but not by `p`",
        )
    })
}
