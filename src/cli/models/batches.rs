//! Whether a row scores in a run of several as it does alone, and twice as it does once.

use super::report::{Batch, Hazard};
use crate::scoring::{Cell, Model};

/// Runs of so many rows.
pub const SIZES: [usize; 3] = [16, 64, 256];

/// How much a score may differ between a row alone and in a batch.
const TOLERANCE: f64 = 1e-6;

/// Compares scores alone with scores in batches.
///
/// - `rows`: at least as many as the largest batch.
pub fn batches(model: &Model, rows: &[&[Cell]], hazards: &mut Vec<Hazard>) -> Vec<Batch> {
    let alone = |_| -> Result<Vec<f64>, String> {
        let scores: Result<Vec<_>, _> = rows.iter().map(|row| model.together(&[row])).collect();
        Ok(scores?.concat())
    };
    let (first, second) = match (alone(1), alone(2)) {
        (Ok(first), Ok(second)) => (first, second),
        (Err(why), _) | (_, Err(why)) => {
            hazards.push(fails("alone", &why));
            return Vec::new();
        }
    };
    let again = difference(&first, &second);
    if again > 0.0 {
        hazards.push(Hazard::error(
            "not_deterministic",
            format!("the same row scores differently when it is asked for again: by {again:.1e}"),
            "switch off what draws random numbers before the export: `model.eval()` in PyTorch, no dropout, no random operator",
        ));
    }
    if model.is_for_one_row() {
        hazards.push(Hazard::warning(
            "one_row",
            "the file takes exactly one row: every row of a batch is a run of its own",
            "export a dynamic first dimension: `[None, n]` in skl2onnx and onnxmltools, `dynamic_axes` or `dynamic_shapes` in PyTorch",
        ));
        return Vec::new();
    }
    let mut batches = Vec::new();
    for n_rows in SIZES {
        match batch(model, rows, &first, n_rows) {
            Ok(batch) => batches.push(batch),
            Err(why) => hazards.push(fails(&format!("in runs of {n_rows} rows"), &why)),
        }
    }
    let worst = batches.iter().map(|it| it.worst).fold(0.0, f64::max);
    if again > 0.0 {
        return batches;
    }
    if worst > TOLERANCE {
        hazards.push(Hazard::error(
            "rows_mix",
            format!("a row scores differently beside others: by {worst:.1e}, {TOLERANCE:e} is allowed"),
            "a step of the model works across rows (a batch norm in training mode, a softmax or a mean over the first dimension): export it for inference",
        ));
    } else if !model.is_batched() {
        hazards.push(Hazard::note(
            "row_by_row",
            format!("its operators do not promise equal bits in every batch (here: off by {worst:.1e}), so its rows are run one by one"),
            "nothing to do; trees are run together",
        ));
    }
    batches
}

fn batch(model: &Model, rows: &[&[Cell]], alone: &[f64], n_rows: usize) -> Result<Batch, String> {
    let (mut worst, mut worst_served) = (0.0, 0.0);
    for (rows, alone) in rows.chunks(n_rows).zip(alone.chunks(n_rows)) {
        worst = difference(&model.together(rows)?, alone).max(worst);
        let served = model.score_batch(rows);
        let served: Vec<f64> = served
            .iter()
            .map(|it| it.known().unwrap_or(f64::NAN))
            .collect();
        worst_served = difference(&served, alone).max(worst_served);
    }
    Ok(Batch {
        n_rows,
        worst,
        worst_served,
    })
}

/// Returns the largest difference; what is no number on both sides is equal, on one side it is not.
fn difference(left: &[f64], right: &[f64]) -> f64 {
    let pairs = left.iter().zip(right);
    let off = pairs.map(
        |(left, right)| match (left.is_finite(), right.is_finite()) {
            (true, true) => (left - right).abs(),
            (false, false) => 0.0,
            (true, false) | (false, true) => f64::INFINITY,
        },
    );
    off.fold(0.0, f64::max)
}

fn fails(how: &str, why: &str) -> Hazard {
    Hazard::error(
        "run_fails",
        format!("a run fails {how}: {why}"),
        "check the shapes of the exported graph",
    )
}
