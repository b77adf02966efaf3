//! What is too large is refused at once, with a reason.

use std::fmt::Write;

use expect_test::expect;

use super::{Source, check, compile};

#[test]
fn an_alias_bomb_is_refused_at_its_first_alias() {
    let mut text = String::from("journey: j\na: &a [x, x, x, x, x, x, x, x, x]\n");
    for (this, last) in ('b'..='z').zip('a'..) {
        let nine = vec![format!("*{last}"); 9].join(", ");
        let _ = writeln!(text, "{this}: &{this} [{nine}]");
    }
    check_refused(&text, &["yaml_anchor", "yaml_alias"]);
}

#[test]
fn a_huge_file_is_refused_unread() {
    check_refused(&"# comment\n".repeat(200_000), &["yaml_too_large"]);
}

#[test]
fn a_file_of_too_many_nodes_is_refused() {
    check_refused(
        &format!("journey: [{}]", "a,".repeat(30_000)),
        &["yaml_too_large"],
    );
}

#[test]
fn deep_brackets_are_refused() {
    check_refused(
        &format!("journey: {}{}", "[".repeat(5_000), "]".repeat(5_000)),
        &["yaml_too_large"],
    );
}

#[test]
fn deep_indents_are_refused() {
    let mut text = String::new();
    for depth in 0..300 {
        let _ = writeln!(text, "{}a:", " ".repeat(depth));
    }
    check_refused(&text, &["yaml_too_large"]);
}

#[test]
fn a_long_expression_is_refused() {
    check_expression(
        &format!("profile.id == '{}'", "x".repeat(3_000)),
        "2048 are allowed",
    );
}

#[test]
fn an_expression_of_many_parts_is_refused() {
    check_expression(&vec!["true"; 200].join("||"), "more than 300 parts");
}

#[test]
fn an_expression_nested_deep_is_refused() {
    check_expression(
        &format!("{}true{}", "(".repeat(100), ")".repeat(100)),
        "deeper than 64",
    );
    check_expression(&format!("{}true", "!".repeat(1_000)), "deeper than 64");
    check_expression(&format!("{}1", "1?1:".repeat(100)), "deeper than 64");
    check_expression(&"[".repeat(1_000), "deeper than 64");
}

#[test]
fn a_journey_has_at_most_500_steps() {
    let steps = "  - wait: 1h\n".repeat(501);
    check_refused(
        &format!("journey: j\nenter: {{ event: A }}\nsteps:\n{steps}"),
        &["too_large"],
    );
}

#[test]
fn branches_nest_16_levels_at_most() {
    let text = format!(
        "journey: j\nenter: {{ event: A }}\nsteps: {}stop{}",
        "[branch: [{when: true, then: ".repeat(17),
        "}]]".repeat(17),
    );
    check_refused(&text, &["too_large"]);
}

#[test]
fn only_the_first_hundred_problems_are_drawn() {
    let mut text = String::from("journey: j\n");
    for n in 0..150 {
        let _ = writeln!(text, "k{n}: 1");
    }
    let shown = compile(&[Source::new("a.yaml", &text)])
        .unwrap_err()
        .render(false);
    assert_eq!(shown.matches("attune::").count(), 100);
    assert!(
        shown.ends_with("... and 52 more\n"),
        "{}",
        &shown[shown.len() - 100..]
    );
}

#[test]
fn problems_are_json_for_tools() {
    let text = "journey: j\nenter: { evnt: A, event: B }\nsteps: [stop]\n";
    let json = compile(&[Source::new("a.yaml", text)])
        .unwrap_err()
        .to_json();
    let expected = expect_test::expect![[
        r#"[{"code":"unknown_key","column":10,"file":"a.yaml","help":"keys of `enter` are `event`, `segment`, `schedule`, `absent`, `where`, `unless`, `key`, `reentry`, `on_repeat`, `max_age`","line":2,"message":"unknown key `evnt` in `enter`, did you mean `event`?","severity":"error"}]"#
    ]];
    expected.assert_eq(&json);
}

#[test]
fn problems_of_several_files_are_sorted_by_file() {
    let wrong = "journey: j\nenter: { event: A }\nsteps: [fly: 1]\n";
    let sources = [
        Source::new("b.yaml", wrong),
        Source::new("a.yaml", "tests: 1\n"),
    ];
    let problems = compile(&sources).unwrap_err();
    let at: Vec<(&str, &str)> = problems
        .0
        .iter()
        .map(|it| (it.source.name.as_ref(), it.code))
        .collect();
    assert_eq!(
        at,
        [("a.yaml", "unknown_document"), ("b.yaml", "unknown_step")]
    );
}

#[test]
fn a_file_that_cannot_be_read_hides_no_problem_of_the_others_and_blames_no_reference() {
    let journey =
        "journey: j\nenter: { event: A }\nsteps:\n  - score: { model: m, as: x }\n  - fly: 1\n";
    let sources = [
        Source::new("a.yaml", journey),
        Source::new("b.yaml", "model: [m\n"),
    ];
    let problems = compile(&sources).unwrap_err();
    let codes: Vec<&str> = problems.0.iter().map(|it| it.code).collect();
    assert_eq!(codes, ["unknown_step", "yaml_syntax"]);
}

/// Checks that a text is refused for these reasons.
fn check_refused(text: &str, codes: &[&str]) {
    let problems = compile(&[Source::new("large.yaml", text)]).unwrap_err();
    for code in codes {
        let found = problems.0.iter().any(|problem| problem.code == *code);
        assert!(found, "{problems}");
    }
}

fn check_expression(expression: &str, reason: &str) {
    let text =
        format!("journey: j\nenter:\n  event: A\n  where: >-\n    {expression}\nsteps: [stop]\n");
    let problems = compile(&[Source::new("large.yaml", &text)]).unwrap_err();
    assert_eq!(problems.0.len(), 1);
    assert_eq!(problems.0[0].code, "expression_too_large");
    assert!(
        problems.0[0].message.contains(reason),
        "{}",
        problems.0[0].message
    );
}

#[test]
fn a_line_that_is_too_long_to_be_drawn_is_named() {
    let text = format!("journey: {}", "j".repeat(5_000));
    let shown = check(&[Source::new("a.yaml", &text)])
        .problems
        .render(false);
    let shown: Vec<&str> = shown
        .lines()
        .filter(|line| !line.contains(&"j".repeat(90)))
        .collect();
    expect![[r#"
        attune::missing_key

          × `enter` is missing in a journey
          help: add `enter: ..`
          in a.yaml:1:1

        attune::missing_key

          × `steps` is missing in a journey
          help: add `steps: ..`
          in a.yaml:1:1

        attune::bad_name

          │ jjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjj…
          help: a name has 1 to 64 letters, digits, `-` and `_`
          in a.yaml:1:10"#]]
    .assert_eq(&shown.join("\n"));
}
