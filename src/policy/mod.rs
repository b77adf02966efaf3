//! Text in, a checked bundle and diagnostics out.

pub mod asked;
pub mod bundle;
mod commerce;
mod compile;
pub mod cron;
pub mod depends;
pub mod diagnostic;
pub mod diff;
pub mod eligibility;
pub mod explain;
pub mod expr;
pub mod feature;
mod format;
pub mod journey;
pub mod json_schema;
pub mod learner;
pub mod limits;
mod lint;
pub mod migration;
pub mod mode;
pub mod model;
pub mod offer;
pub mod question;
mod registry;
mod schema;
pub mod segment;
mod suggest;
pub mod test;
pub mod wanted;
mod yaml;

pub use bundle::{Bundle, Place};
pub use compile::{Checked, Kept, check, check_with, compile};
pub use diagnostic::{Diagnostic, Diagnostics, Severity, Source};
pub use expr::Expr;
pub use format::format;
pub use suggest::hint;
pub use test::Test;
pub use yaml::BYTES_MAX as FILE_BYTES_MAX;

#[cfg(test)]
pub(crate) mod tests;
