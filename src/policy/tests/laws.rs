//! What holds for every text.

use std::sync::Arc;

use proptest::prelude::*;

use super::{Source, compile};
use crate::policy::Place;
use crate::policy::expr::{self, Expr, Problem, Scope, Site};
use crate::policy::registry::Registry;

const GOOD: &str = concat!(
    include_str!("../../../policies/abandoned-cart.yaml"),
    "\n---\n",
    include_str!("../../../policies/offers.yaml"),
);

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused_with_a_span_inside_of_it(text in "\\PC{0,200}") {
        spans_fit(&text)?;
    }

    #[test]
    fn any_soup_of_tokens_is_read_or_refused(parts in prop::collection::vec(token(), 0..40), gap in " ?") {
        spans_fit(&parts.join(&gap))?;
    }

    #[test]
    fn any_file_compiles_or_is_refused_and_can_be_drawn(text in "[ -~\n\té😀]{0,300}") {
        survives(&text)?;
    }

    #[test]
    fn any_mutation_of_a_good_policy_compiles_or_is_refused(
        at in 0.0..1.0_f64,
        n_cut in 0_usize..40,
        insert in "[ -~\n]{0,6}",
    ) {
        survives(&mutated(at, n_cut, &insert))?;
    }

    #[test]
    fn an_expression_printed_with_all_parentheses_reads_back_equal(text in expression()) {
        let first = read(&text).map_err(|problems| TestCaseError::fail(format!("{text}: {problems:?}")))?;
        let printed = first.root.to_string();
        let second = read(&printed).map_err(|problems| TestCaseError::fail(format!("{printed}: {problems:?}")))?;
        prop_assert_eq!(first.root, second.root, "{} printed as {}", text, printed);
    }
}

#[test]
fn every_prefix_of_a_good_policy_compiles_or_is_refused() {
    for end in (0..GOOD.len())
        .step_by(7)
        .filter(|end| GOOD.is_char_boundary(*end))
    {
        let _ = compile(&[Source::new("a.yaml", &GOOD[..end])]);
    }
}

fn read(text: &str) -> Result<Expr, Vec<Problem>> {
    let scope = Scope {
        site: Site::Rank,
        locals: &[Arc::from("buy")],
    };
    expr::compile(
        &text.into(),
        scope,
        &mut Registry::default(),
        &Place::default(),
    )
}

fn spans_fit(text: &str) -> Result<(), TestCaseError> {
    for problem in read(text).err().unwrap_or_default() {
        prop_assert!(problem.span.start <= problem.span.end && problem.span.end <= text.len());
        prop_assert!(
            text.is_char_boundary(problem.span.start) && text.is_char_boundary(problem.span.end)
        );
    }
    Ok(())
}

fn survives(text: &str) -> Result<(), TestCaseError> {
    let Err(problems) = compile(&[Source::new("a.yaml", text)]) else {
        return Ok(());
    };
    prop_assert!(!problems.0.is_empty());
    for problem in &problems.0 {
        prop_assert!(problem.source.text.get(problem.span.clone()).is_some());
    }
    prop_assert!(problems.render(false).contains("attune::"));
    Ok(())
}

fn mutated(at: f64, n_cut: usize, insert: &str) -> String {
    let letters: Vec<char> = GOOD.chars().collect();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a place in a short text"
    )]
    let at = (at * letters.len() as f64) as usize;
    let before = letters.iter().take(at);
    let after = letters.iter().skip(at + n_cut);
    before
        .copied()
        .chain(insert.chars())
        .chain(after.copied())
        .collect()
}

fn token() -> impl Strategy<Value = String> {
    let words = [
        "profile", ".", "cart", "traits", "value", "(", ")", "[", "]", "{", "}", "1", "'a'", "\"",
        "'", "+", "-", "*", "/", "%", "==", "!", "<", ">=", "&&", "||", "?", ":", ",", "in", "has",
        "count", "size", "all", "map", "x", "offer", "p", "null", "//", "\n", "r'", "0x", "1.",
        "e", "é", "=", "and", "'''", "\\",
    ];
    prop::sample::select(words.to_vec()).prop_map(str::to_owned)
}

/// Writes expressions that are right.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("profile.cart.value".to_owned()),
        Just("profile.traits['a b'].c".to_owned()),
        Just("offer.data.x".to_owned()),
        Just("buy".to_owned()),
        Just("p".to_owned()),
        Just("now()".to_owned()),
        Just("ago('1d')".to_owned()),
        Just("r'a\\b'".to_owned()),
        any::<u32>().prop_map(|number| number.to_string()),
        (0.0..1e9_f64).prop_map(|number| number.to_string()),
        "[a-z é😀]{0,5}".prop_map(|text| format!("'{text}'")),
        Just("null".to_owned()),
        Just("true".to_owned()),
    ];
    leaf.prop_recursive(4, 40, 3, |inner| {
        let ops = prop::sample::select(vec!["+", "-", "*", "/", "%", "&&", "||"]);
        let compare = prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">=", "in"]);
        let each = prop::sample::select(vec!["all", "exists", "exists_one", "filter", "map"]);
        prop_oneof![
            (inner.clone(), ops, inner.clone()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
            (inner.clone(), compare, inner.clone())
                .prop_map(|(a, op, b)| format!("(({a}) {op} ({b}))")),
            inner.clone().prop_map(|a| format!("!({a})")),
            inner.clone().prop_map(|a| format!("-({a})")),
            inner.clone().prop_map(|a| format!("({a}).size()")),
            inner.clone().prop_map(|a| format!("({a}).contains('x')")),
            inner.clone().prop_map(|a| format!("-[{a}][0].field[0]")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("max({a}, {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("[{a}, {b}]")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{{'k': {a}, \"l\": {b}}}")),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
            each.prop_map(|each| format!(
                "profile.cart.items.{each}(x, has(x.price) && x.price > 1)"
            )),
        ]
    })
    .prop_filter("within the cap on size", |text| text.len() < 600)
}
