//! Policies as texts, diagnostics and flows as texts.

#![expect(
    clippy::needless_raw_string_hashes,
    clippy::too_many_lines,
    reason = "the expected texts are drawn by the code under test"
)]

mod compiles;
mod cron;
mod diffs;
mod explains;
mod expressions;
mod format;
mod fuzz;
pub mod json_schema;
mod laws;
mod limits;
mod mermaid;
mod steps;
mod validator;
mod wanted;
mod wrong_consent;
mod wrong_documents;
mod wrong_expressions;
mod wrong_learning;
mod wrong_limits;
mod wrong_logic;
mod wrong_migrate;
mod wrong_offers;
mod wrong_segments;
mod wrong_steps;
mod wrong_tests;
mod wrong_types;
mod wrong_yaml;

use expect_test::Expect;

use super::{Bundle, Source, check, compile};

/// Compiles one file.
fn bundle(text: &str) -> Result<Bundle, super::Diagnostics> {
    json_schema::agrees(text, &check(&[Source::new("shop.yaml", text)]));
    compile(&[Source::new("shop.yaml", text)])
}

/// Checks what the author of a wrong or an odd policy reads.
fn check_wrong(text: &str, expected: &Expect) {
    let checked = check(&[Source::new("shop.yaml", text)]);
    json_schema::agrees(text, &checked);
    let shown = if checked.problems.0.is_empty() {
        "nothing is wrong".to_owned()
    } else {
        checked.problems.render(false)
    };
    let trimmed: Vec<&str> = shown.lines().map(str::trim_end).collect();
    expected.assert_eq(trimmed.join("\n").trim_matches('\n'));
}

/// Checks what the author of a wrong or an odd condition of an entry reads.
fn check_condition(condition: &str, expected: &Expect) {
    let text = format!(
        "journey: j\nenter:\n  event: Product Added\n  where: >-\n    {condition}\nsteps: [stop]\n"
    );
    check_wrong(&text, expected);
}
