//! The features of every customer, one row each.

use std::sync::Arc;

use anyhow::ensure;
use serde_json::Value;

use crate::cli::export::Features;
use crate::cli::export::customers::Pages;
use crate::cli::interrupt::Interrupt;
use crate::cli::progress::Progress;
use crate::cli::sheet::{Column, Field, Kind, Sheet};
use crate::clock;

/// Writes the features of all customers; nothing when it is interrupted.
///
/// # Errors
///
/// The server cannot be reached, its policies change meanwhile, or the file cannot be written.
pub async fn export(args: &Features, interrupt: &Interrupt) -> anyhow::Result<Option<u64>> {
    let at = args.at.unwrap_or_else(clock::now);
    let mut pages = Pages::of(&args.server, Some(at));
    let mut progress = Progress::start("customers");
    let mut open: Option<(Sheet, Vec<Value>)> = None;
    while let Some(page) = pages.next().await? {
        if interrupt.is_heard() {
            progress.end();
            return Ok(None);
        }
        let (sheet, features) = match &mut open {
            Some(open) => open,
            none => none.insert((
                args.out.sheet(columns(&page.features)?)?,
                page.features.clone(),
            )),
        };
        ensure!(
            *features == page.features,
            "the policies of the server have changed meanwhile, and with them the features: start again"
        );
        for customer in &page.customers {
            sheet.row(&row(customer, at, features))?;
            progress.show(sheet.n_rows(), "written");
        }
    }
    progress.end();
    open.map(|(sheet, _)| sheet.end()).transpose()
}

/// `customer`, `at`, and a column a feature: a number, or whatever it is as JSON.
///
/// # Errors
///
/// A feature has the name of a column of the table.
pub fn columns(features: &[Value]) -> anyhow::Result<Vec<Column>> {
    let mut columns = vec![
        Column::new("customer", Kind::Text),
        Column::new("at", Kind::Time),
    ];
    for feature in features {
        let name = feature["name"].as_str().unwrap_or_default();
        ensure!(
            !["customer", "at"].contains(&name),
            "feature `{name}` has the name of a column of the table"
        );
        let kind = if feature["number"] == Value::Bool(true) {
            Kind::Double
        } else {
            Kind::Json
        };
        columns.push(Column::new(name, kind));
    }
    Ok(columns)
}

/// - `at`: when windows end; the row says the customer's last input if that is later.
pub fn row(customer: &Value, at: crate::domain::Timestamp, features: &[Value]) -> Vec<Field> {
    let text = |key: &str| customer[key].as_str();
    let last = text("last_input_at").and_then(crate::domain::Timestamp::parse);
    let mut row = vec![
        text("id").map_or(Field::Null, |id| Field::Text(id.into())),
        Field::Time(last.map_or(at, |last| last.max(at))),
    ];
    row.extend(features.iter().map(|feature| {
        let name = feature["name"].as_str().unwrap_or_default();
        let value = &customer["features"][name];
        if value.is_null() {
            return Field::Null;
        }
        if feature["number"] == Value::Bool(true) {
            return value.as_f64().map_or(Field::Null, Field::Double);
        }
        Field::Text(Arc::from(value.to_string()))
    }));
    row
}
