//! What other tools read.

use expect_test::{Expect, expect};
use serde_json::Value;

use super::{github, sarif};
use crate::policy::{Diagnostics, Source, check};

const WRONG: &str = "journey: a%b,c\nenter:\n  event: Product Added\n  where:\n    - event.properties.price > '5'\n    - 1 == 1\nsteps: [stop]\n";

#[test]
fn annotations_are_one_escaped_line_each() {
    check_github(
        "shop:1,2.yaml",
        &expect![[r#"
        ::error file=shop%3A1%2C2.yaml,line=1,endLine=1,col=10,endColumn=15,title=attune%3A%3Abad_name::`a%25b,c` cannot be the name of a journey%0Aa name has 1 to 64 letters, digits, `-` and `_`
        ::error file=shop%3A1%2C2.yaml,line=5,endLine=5,col=7,endColumn=35,title=attune%3A%3Atype_mismatch::`event.properties.price` (a number) is compared with a text%0Awrite the number without quotes: `5`
        ::warning file=shop%3A1%2C2.yaml,line=6,endLine=6,col=7,endColumn=13,title=attune%3A%3Aconstant_condition::two constants are compared: the answer is always the same%0Acompare with something of `profile` or `event`, or remove it"#]],
    );
}

#[test]
fn a_problem_over_several_lines_is_annotated_without_columns() {
    let text = "journey: j\nenter: { event: A }\nsteps:\n  - wait: 1h\n    stop: x\n";
    let problems = check(&[Source::new("a.yaml", text)]).problems;
    expect!["::error file=a.yaml,line=4,endLine=5,title=attune%3A%3Awrong_type::a step has one key, not 2%0Abegin every step with `- `, and indent what belongs to `wait` deeper than it"].assert_eq(&github::github(&problems));
}

#[test]
fn no_problem_is_a_sarif_run_without_results() {
    let log = read(&Diagnostics::default());
    assert_eq!(log["runs"][0]["results"], Value::Array(Vec::new()));
}

#[test]
fn sarif_has_what_its_schema_requires() {
    let problems = problems("policies/my shop.yaml");
    let log = read(&problems);
    assert_eq!(log["version"], "2.1.0");
    let runs = log["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 1);
    let driver = &runs[0]["tool"]["driver"];
    assert_eq!(driver["name"], "attune");
    let rules: Vec<&str> = driver["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| rule["id"].as_str().unwrap())
        .collect();
    let results = runs[0]["results"].as_array().unwrap();
    assert_eq!(results.len(), problems.0.len());
    for result in results {
        check_result(result, &rules);
    }
}

#[test]
fn a_sarif_result_says_where_and_what() {
    let log = read(&problems("policies/my shop.yaml"));
    expect![[r#"{"level":"error","locations":[{"physicalLocation":{"artifactLocation":{"uri":"policies/my%20shop.yaml"},"region":{"endColumn":35,"endLine":5,"startColumn":7,"startLine":5}}}],"message":{"text":"`event.properties.price` (a number) is compared with a text\nwrite the number without quotes: `5`"},"ruleId":"type_mismatch"}"#]].assert_eq(&log["runs"][0]["results"][1].to_string());
}

/// Checks a result against the required properties of SARIF 2.1.0 §3.27 and §3.30.
fn check_result(result: &Value, rules: &[&str]) {
    assert!(rules.contains(&result["ruleId"].as_str().unwrap()));
    assert!(["error", "warning"].contains(&result["level"].as_str().unwrap()));
    assert!(!result["message"]["text"].as_str().unwrap().is_empty());
    let place = &result["locations"][0]["physicalLocation"];
    let uri = place["artifactLocation"]["uri"].as_str().unwrap();
    assert!(!uri.contains([' ', '\\']), "{uri}");
    let region = &place["region"];
    let number = |key: &str| region[key].as_u64().unwrap();
    let (start, end) = (
        (number("startLine"), number("startColumn")),
        (number("endLine"), number("endColumn")),
    );
    assert!(start.0 >= 1 && start.1 >= 1 && start <= end, "{region}");
}

fn check_github(name: &str, expected: &Expect) {
    expected.assert_eq(&github::github(&problems(name)));
}

fn problems(name: &str) -> Diagnostics {
    check(&[Source::new(name, WRONG)]).problems
}

fn read(problems: &Diagnostics) -> Value {
    serde_json::from_str(&sarif::sarif(problems)).unwrap()
}
