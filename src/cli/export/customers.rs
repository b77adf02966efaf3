//! Every customer.

use std::sync::Arc;

use anyhow::Context;
use serde_json::Value;

use crate::cli::client::{Server, encode};
use crate::cli::export::Customers;
use crate::cli::interrupt::Interrupt;
use crate::cli::progress::Progress;
use crate::cli::sheet::{Column, Field, Format, Kind};
use crate::domain::Timestamp;

/// So many customers are asked for at once.
const PAGE: usize = 500;

/// Writes all customers; nothing when it is interrupted.
///
/// # Errors
///
/// The server cannot be reached, or the file cannot be written.
pub async fn export(args: &Customers, interrupt: &Interrupt) -> anyhow::Result<Option<u64>> {
    let mut pages = Pages::of(&args.server, None);
    let raw = args.out.format()? == Format::Jsonl;
    let mut sheet = args.out.sheet(columns(raw))?;
    let mut progress = Progress::start("customers");
    while let Some(page) = pages.next().await? {
        if interrupt.is_heard() {
            progress.end();
            return Ok(None);
        }
        for customer in &page.customers {
            sheet.row(&row(customer, raw))?;
            progress.show(sheet.n_rows(), "written");
        }
    }
    progress.end();
    Ok(Some(sheet.end()?))
}

/// The columns: `id`, `last_input_at`, and the rest as JSON.
const PARTS: [&str; 10] = [
    "traits",
    "cart",
    "session",
    "features",
    "journeys",
    "past",
    "offers_given",
    "consent",
    "suppressions",
    "contacts",
];

fn columns(raw: bool) -> Vec<Column> {
    if raw {
        return vec![Column::new("", Kind::Json)];
    }
    let mut columns = vec![
        Column::new("id", Kind::Text),
        Column::new("last_input_at", Kind::Time),
    ];
    columns.extend(PARTS.map(|part| Column::new(part, Kind::Json)));
    columns
}

fn row(customer: &Value, raw: bool) -> Vec<Field> {
    let json = |value: &Value| Field::Text(Arc::from(value.to_string()));
    if raw {
        return vec![json(customer)];
    }
    let text = |key: &str| customer[key].as_str();
    let at = text("last_input_at").and_then(Timestamp::parse);
    let mut row = vec![
        text("id").map_or(Field::Null, |id| Field::Text(id.into())),
        at.map_or(Field::Null, Field::Time),
    ];
    row.extend(PARTS.map(|part| {
        let value = &customer[part];
        if value.is_null() {
            Field::Null
        } else {
            json(value)
        }
    }));
    row
}

/// One page of customers after the other.
pub struct Pages<'a> {
    server: &'a Server,
    at: Option<Timestamp>,
    after: Option<String>,
    is_over: bool,
}

/// A page.
pub struct Page {
    /// Customers, as the API shows them.
    pub customers: Vec<Value>,
    /// The declared features: `name`, and whether it is a `number`.
    pub features: Vec<Value>,
}

impl<'a> Pages<'a> {
    /// Starts before the first one.
    ///
    /// - `at`: when windows end; `None` is now.
    pub fn of(server: &'a Server, at: Option<Timestamp>) -> Self {
        Self {
            server,
            at,
            after: None,
            is_over: false,
        }
    }

    /// Asks for the next page; `None` after the last one.
    ///
    /// # Errors
    ///
    /// The server cannot be reached, or says why not.
    pub async fn next(&mut self) -> anyhow::Result<Option<Page>> {
        if self.is_over {
            return Ok(None);
        }
        let after = self.after.as_deref().map(encode);
        let after = after.map_or_else(String::new, |after| format!("&after={after}"));
        let at = self.at.map(|at| encode(&at.to_string()));
        let at = at.map_or_else(String::new, |at| format!("&at={at}"));
        let path = format!("/v1/customers?limit={PAGE}{after}{at}");
        let mut page = self.server.get(&path).await?;
        let mut list = |key: &str| page[key].as_array_mut().map(std::mem::take);
        let (customers, features) = (list("customers"), list("features"));
        self.after = page["next"].as_str().map(str::to_owned);
        self.is_over = self.after.is_none();
        Ok(Some(Page {
            customers: customers.context("the server sent no customers")?,
            features: features.context("the server sent no features")?,
        }))
    }
}
