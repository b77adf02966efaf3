//! `attune backtest --features`: the training table of a model, written by the code that serves it.

mod label;
mod moments;
mod rows;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::process::ExitCode;

use anyhow::ensure;

use crate::app;
use crate::cli::backtest::Args;
use crate::cli::backtest::feed::Feed;
use crate::cli::backtest::problems::Problems;
use crate::cli::backtest::progress::Progress;
use crate::cli::backtest::replay::{Replay, Side};
use crate::cli::interrupt::{INTERRUPTED, Interrupt};
use crate::cli::sheet::{Column, Field, Format, Kind, Sheet};
use crate::domain::Cell;
use crate::policy::model::{self, Model};
use crate::policy::wanted::Wanted;
use label::Judge;
pub use label::Label;
pub use moments::Moments;
use rows::{Counts, Row, Rows, model};

/// Writes the table. Exit codes: 1 there is no row, 130 it was interrupted and nothing is written.
///
/// # Errors
///
/// Policies, models or events cannot be read, the label is wrong or never true, or the table cannot be written.
pub fn run(args: &Args, name: &str, label: &Label, path: &Path) -> anyhow::Result<ExitCode> {
    let interrupt = Interrupt::listen()?;
    let counts = write(args, name, label, path, &interrupt)?;
    let Some(counts) = counts else {
        super::super::say_error("interrupted; nothing is written");
        return Ok(ExitCode::from(INTERRUPTED));
    };
    super::super::say(&format!(
        "{} rows, {} with the label; left out: {} whose time is not over, {} with an unknown input",
        counts.rows, counts.positive, counts.open, counts.unknown
    ));
    Ok(if counts.rows > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn write(
    args: &Args,
    name: &str,
    label: &Label,
    path: &Path,
    interrupt: &Interrupt,
) -> anyhow::Result<Option<Counts>> {
    let side = side(args, name)?;
    let model = model(&side, name)?;
    let judge = Judge::of(label, &side.bundle)?;
    let format = Format::of(path)?;
    let sheet = Sheet::create(Some(path), format, columns(model)?)?;
    let feed = Feed::open(args, wanted(&side, label), None)?;
    let replay = Replay::new(&side, args.customers_max);
    let rows = Rows::new(replay, &side, model, &judge, &args.at);
    fill(rows, feed, sheet, interrupt)
}

/// Compiles the policies and loads the models that they name, but for the one whose table is written.
fn side(args: &Args, name: &str) -> anyhow::Result<Side> {
    let sources = app::sources(&args.policies, &args.models)?;
    let bundle = app::compile(&sources, super::super::color(&std::io::stderr()))?;
    let named = app::named(&bundle).into_iter();
    let scorer = app::scorer(named.filter(|model| *model.name != *name), None)?;
    Ok(Side { bundle, scorer })
}

/// What the label looks into must be read, too.
fn wanted(side: &Side, label: &Label) -> Wanted {
    Wanted::of(&side.bundle).with(label.event.as_deref())
}

/// Runs from the first event to the last; nothing comes of it when it is interrupted.
fn fill(
    mut rows: Rows<'_>,
    mut feed: Feed,
    mut sheet: Sheet,
    interrupt: &Interrupt,
) -> anyhow::Result<Option<Counts>> {
    let mut progress = Progress::start();
    let mut problems = std::io::stderr();
    let mut problems = Problems::new(&mut problems, feed.unit);
    let mut positive = 0;
    let mut write = |row: &Row, sheet: &mut Sheet| {
        positive += u64::from(row.label);
        sheet.row(&fields(row))
    };
    while let Some(items) = feed.batch()? {
        problems.show(&items)?;
        for item in &items {
            rows.take(item)?;
        }
        while let Some(row) = rows.ready() {
            write(&row, &mut sheet)?;
        }
        progress.show(&feed, &rows.replay.summary);
        if interrupt.is_heard() {
            progress.end();
            return Ok(None);
        }
    }
    for row in rows.end(feed.until)? {
        write(&row, &mut sheet)?;
    }
    progress.end();
    let counts = Counts {
        rows: sheet.n_rows(),
        positive,
        ..rows.counts
    };
    counts.check(rows.moments)?;
    // A table without rows, or with a label that cannot come true, does not take the place of an earlier one.
    if counts.rows > 0 {
        sheet.end()?;
    }
    Ok(Some(counts))
}

/// `customer`, `at`, the columns of the model, `label`.
fn columns(model: &Model) -> anyhow::Result<Vec<Column>> {
    let mut columns = vec![
        Column::new("customer", Kind::Text),
        Column::new("at", Kind::Time),
    ];
    for input in &model.inputs {
        ensure!(
            !["customer", "at", "label"].contains(&&*input.column),
            "column `{}` of the model has the name of a column of the table",
            input.column
        );
        let kind = match input.kind {
            model::Kind::Number => Kind::Single,
            model::Kind::Text => Kind::Text,
        };
        columns.push(Column::new(&*input.column, kind));
    }
    columns.push(Column::new("label", Kind::Whole));
    Ok(columns)
}

fn fields(row: &Row) -> Vec<Field> {
    let mut fields = vec![
        Field::Text(row.customer.as_str().into()),
        Field::Time(row.at),
    ];
    fields.extend(row.cells.iter().map(|cell| match cell {
        Cell::Number(number) => Field::Single(*number),
        Cell::Text(text) => Field::Text(text.clone()),
    }));
    fields.push(Field::Whole(i64::from(row.label)));
    fields
}
