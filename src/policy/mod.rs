//! Text in, a checked bundle and diagnostics out.

pub mod bundle;
mod commerce;
mod compile;
pub mod cron;
pub mod depends;
pub mod diagnostic;
pub mod expr;
pub mod feature;
pub mod journey;
pub mod limits;
mod lint;
pub mod model;
pub mod offer;
mod registry;
mod schema;
pub mod segment;
mod suggest;
pub mod test;
pub mod wanted;
mod yaml;

pub use bundle::{Bundle, Place};
pub use compile::{Checked, check, compile};
pub use diagnostic::{Diagnostic, Diagnostics, Severity, Source};
pub use expr::Expr;
pub use suggest::hint;
pub use test::Test;

#[cfg(test)]
mod tests;
