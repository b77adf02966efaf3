//! `attune models baseline`.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};

use super::BaselineArgs;
use super::find::{Fault, find};
use crate::app;
use crate::cli::backtest::lines::Lines;
use crate::cli::{self, csv};
use crate::scoring::{Baseline, Cell, InputSpec, Kind, Library, Model};

/// Rows that are read, at most: more say nothing new of a distribution.
const ROWS_MAX: usize = 1_000_000;
/// Cells that are kept, at most.
const CELLS_MAX: usize = 20_000_000;

/// Counts a training table and writes `baseline.json` beside the manifest.
///
/// # Errors
///
/// The model or the table cannot be read, or do not belong together.
pub fn run(args: &BaselineArgs) -> anyhow::Result<ExitCode> {
    let found = find(std::slice::from_ref(&args.model), &args.policies)?;
    let [found] = found.as_slice() else {
        bail!("`{}` holds several models: name one", args.model.display());
    };
    let model = match &found.model {
        Ok(model) => model,
        Err(Fault::NoManifest) => {
            bail!("there is no `model.yaml` beside `{}`", found.path.display())
        }
        Err(Fault::Manifest(shown)) => bail!("{shown}"),
    };
    // What is written here is not read before: an earlier one may be damaged, or of other inputs.
    let spec = app::spec_without_baseline(model)?;
    let rows = rows(&args.rows, &spec.inputs)?;
    let loaded = Model::load(&Library::load(None)?, &spec, NonZeroUsize::new(1))?;
    let views: Vec<&[Cell]> = rows.iter().map(Vec::as_slice).collect();
    let scores = loaded.score_batch(&views);
    let scores: Vec<_> = scores.iter().map(crate::scoring::Score::known).collect();
    let baseline = Baseline::of(&spec.inputs, &rows, &scores);
    let path = found.path.with_file_name("baseline.json");
    write(&path, &baseline)?;
    let n = rows.len();
    cli::say(&format!("{n} rows are counted in `{}`", path.display()));
    Ok(ExitCode::SUCCESS)
}

/// Writes it beside its place and moves it there: a server that watches never sees half of it.
fn write(path: &Path, baseline: &Baseline) -> anyhow::Result<()> {
    let text = serde_json::to_string(baseline)? + "\n";
    let scratch: PathBuf = path.with_extension("json.tmp");
    std::fs::write(&scratch, text)
        .and_then(|()| std::fs::rename(&scratch, path))
        .with_context(|| format!("cannot write `{}`", path.display()))
}

/// Reads the columns of a model from a table of CSV, packed or not; other columns are passed over.
///
/// # Errors
///
/// The table cannot be read, has no such columns or no rows, or a line of it is wrong.
pub(super) fn rows(path: &Path, inputs: &[InputSpec]) -> anyhow::Result<Vec<Vec<Cell>>> {
    let shown = path.display();
    let failed = || format!("cannot read `{shown}`");
    let wrong = |n: u64, why: String| anyhow::anyhow!("`{shown}` line {n}: {why}");
    let mut lines = Lines::open(path)?;
    let head = lines.take_next().with_context(failed)?;
    let head = head.with_context(|| format!("`{shown}` is empty"))?;
    let names = head.text().and_then(csv::split);
    let names = names.map_err(|why| wrong(head.number, why))?;
    let mut places = Vec::with_capacity(inputs.len());
    for input in inputs {
        let place = names.iter().position(|name| **name == *input.column);
        let column = &input.column;
        places.push(place.with_context(|| format!("`{shown}` has no column `{column}`"))?);
    }
    let n_columns = names.len();
    let mut rows = Vec::new();
    while let Some(line) = lines.take_next().with_context(failed)? {
        let row = line
            .text()
            .and_then(|text| row(text, n_columns, &places, inputs));
        rows.push(row.map_err(|why| wrong(line.number, why))?);
        if rows.len() > ROWS_MAX || rows.len() * inputs.len() > CELLS_MAX {
            bail!("`{shown}` has too many rows: a sample of 100,000 is plenty");
        }
    }
    if rows.is_empty() {
        bail!("`{shown}` has no rows");
    }
    Ok(rows)
}

fn row(
    line: &str,
    n_columns: usize,
    places: &[usize],
    inputs: &[InputSpec],
) -> Result<Vec<Cell>, String> {
    let fields = csv::record(line, n_columns)?;
    let cells = places.iter().zip(inputs).map(|(place, input)| {
        let field = fields.get(*place).ok_or("there are too few fields")?;
        match input.kind {
            Kind::Text => Ok(Cell::Text(field.as_ref().into())),
            Kind::Number => number(field)
                .map(Cell::Number)
                .ok_or_else(|| format!("column `{}`: `{field}` is no number", input.column)),
        }
    });
    cells.collect()
}

/// Reads a number; nothing, `nan`, `NaN` and `null` are unknown.
fn number(field: &str) -> Option<f32> {
    match field.trim() {
        "" | "nan" | "NaN" | "null" => Some(f32::NAN),
        "true" | "True" => Some(1.0),
        "false" | "False" => Some(0.0),
        text => text.parse().ok().filter(|number: &f32| number.is_finite()),
    }
}
