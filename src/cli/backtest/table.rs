//! A comparison as a table: before, after, and the difference.

use std::collections::BTreeSet;
use std::fmt::{self, Write};
use std::sync::Arc;

use crate::cli::backtest::compare::Comparison;
use crate::cli::backtest::summary::{Counts, Day, Journey};

/// So many rows of days are shown; more are for the report.
const DAYS_MAX: usize = 31;

/// One row: what, before, after.
pub type Row = (String, u64, u64);

impl Comparison {
    /// Returns what is counted of everything.
    pub fn totals(&self) -> Vec<Row> {
        let (before, after) = (self.before.total(), self.after.total());
        let mut rows = vec![row("entered", before.entries, after.entries)];
        rows.extend(rows_of("sent", &before.actions, &after.actions));
        rows.extend(rows_of(
            "shadow",
            &before.shadow_actions,
            &after.shadow_actions,
        ));
        rows.extend(rows_of("held", &before.blocked, &after.blocked));
        rows.extend(rows_of("left", &before.exits, &after.exits));
        rows.extend(rows_of("refused", &before.refused, &after.refused));
        rows.extend(rows_of("offer", &self.before.offers, &self.after.offers));
        rows.push(row("open", before.open, after.open));
        rows
    }

    /// Returns what is counted of each journey of either side.
    pub fn journeys(&self) -> Vec<(Arc<str>, Vec<Row>)> {
        let (before, after) = (&self.before.journeys, &self.after.journeys);
        let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
        let none = Journey::default();
        let of = |name: &Arc<str>| {
            let (before, after) = (before.get(name), after.get(name));
            let rows = rows(before.unwrap_or(&none), after.unwrap_or(&none));
            (name.clone(), rows)
        };
        names.into_iter().map(of).collect()
    }

    /// Returns the sends of each day and channel of either side.
    pub fn days(&self) -> Vec<Row> {
        let (before, after) = (&self.before.days, &self.after.days);
        let days: BTreeSet<Day> = before.keys().chain(after.keys()).copied().collect();
        let none = Counts::new();
        let of = |day: Day| {
            let (before, after) = (before.get(&day), after.get(&day));
            rows_of(
                &day.to_string(),
                before.unwrap_or(&none),
                after.unwrap_or(&none),
            )
        };
        days.into_iter().flat_map(of).collect()
    }
}

fn rows(before: &Journey, after: &Journey) -> Vec<Row> {
    let mut rows = vec![row("entered", before.entries, after.entries)];
    let groups = [
        ("sent", &before.actions, &after.actions),
        ("shadow", &before.shadow_actions, &after.shadow_actions),
        ("held", &before.blocked, &after.blocked),
        ("left", &before.exits, &after.exits),
        ("refused", &before.refused, &after.refused),
    ];
    for (what, before, after) in groups {
        rows.extend(rows_of(what, before, after));
    }
    rows.push(row("open", before.open, after.open));
    rows
}

fn rows_of(what: &str, before: &Counts, after: &Counts) -> Vec<Row> {
    let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let n = |counts: &Counts, name: &Arc<str>| counts.get(name).copied().unwrap_or(0);
    let of = |name| (format!("{what} {name}"), n(before, name), n(after, name));
    names.into_iter().map(of).collect()
}

fn row(what: &str, before: u64, after: u64) -> Row {
    (what.into(), before, after)
}

/// Writes a difference with its sign.
pub fn difference(before: u64, after: u64) -> String {
    match after.cmp(&before) {
        std::cmp::Ordering::Less => format!("-{}", before - after),
        std::cmp::Ordering::Equal => "·".into(),
        std::cmp::Ordering::Greater => format!("+{}", after - before),
    }
}

/// The table.
impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.after.head())?;
        let rows = [
            (self.gained, "actions gained"),
            (self.lost, "actions lost"),
            (self.kept, "actions kept"),
            (self.customers_gaining, "customers get more"),
            (self.customers_losing, "customers get fewer"),
            (
                self.customers_shifted,
                "customers get as many others, or at other times",
            ),
        ];
        for (n, what) in rows {
            writeln!(f, "{n:>10} {what}")?;
        }
        let mut tables = vec![("all journeys".to_owned(), self.totals())];
        let journeys = self.journeys().into_iter();
        tables.extend(journeys.map(|(name, rows)| (name.to_string(), rows)));
        let days = self.days();
        let n_days = days.len();
        if n_days > DAYS_MAX {
            tables.push((
                format!("sends by day: {n_days} rows, see `--html`"),
                Vec::new(),
            ));
        } else if n_days > 0 {
            tables.push(("sends by day".into(), days));
        }
        let names = tables.iter().flat_map(|(_, rows)| rows);
        let width = names.map(|(what, ..)| what.chars().count()).max();
        let width = width.unwrap_or(0).max(24);
        for (name, rows) in tables {
            f.write_str(&table(&name, &rows, width))?;
        }
        Ok(())
    }
}

fn table(name: &str, rows: &[Row], width: usize) -> String {
    let mut text = format!("\n{name}\n");
    let heads = ["before", "after", "change"];
    let [before, after, change] = heads;
    // INVARIANT: writing to a string does not fail.
    if !rows.is_empty() {
        let _ = writeln!(
            text,
            "  {:width$} {before:>10} {after:>10} {change:>10}",
            ""
        );
    }
    for (what, before, after) in rows {
        let change = difference(*before, *after);
        let _ = writeln!(
            text,
            "  {what:width$} {before:>10} {after:>10} {change:>10}"
        );
    }
    text
}
