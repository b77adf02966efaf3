//! Policies as texts, diagnostics and flows as texts.

#![expect(
    clippy::needless_raw_string_hashes,
    clippy::too_many_lines,
    reason = "the expected texts are drawn by the code under test"
)]

mod compiles;
mod expressions;
mod laws;
mod limits;
mod wrong_documents;
mod wrong_expressions;
mod wrong_limits;
mod wrong_yaml;

use expect_test::Expect;

use super::{Bundle, Source, compile};

/// Compiles one file.
fn bundle(text: &str) -> Result<Bundle, super::Diagnostics> {
    compile(&[Source::new("shop.yaml", text)])
}

/// Checks what the author of a wrong policy reads.
fn check_wrong(text: &str, expected: &Expect) {
    let shown = match bundle(text) {
        Ok(_) => "it compiles".to_owned(),
        Err(diagnostics) => diagnostics.render(false),
    };
    let trimmed: Vec<&str> = shown.lines().map(str::trim_end).collect();
    expected.assert_eq(trimmed.join("\n").trim_matches('\n'));
}
