//! What tools get of tests: files that are updated, `JUnit`, and coverage.

use std::path::{Path, PathBuf};

use expect_test::{Expect, expect};

use super::{SHOP, compiled};
use crate::cli::test::coverage::Coverage;
use crate::cli::test::{junit, shown, suite, update};
use crate::scoring::Scripted;
use crate::{app, policy};

#[test]
fn an_update_changes_values_alone() {
    let tests = r"# Comments stay.
test: a reminder
journey: cart
customer: { consent: granted }
models: { intent: 0.2 }
split: { '1': still }
timeline:
  - { at: 0m, event: Product Added, properties: { product_id: a } }   # so does this
  - at: 45m
    expect:
      sent:
      - come-back      # this goes with its value
      - come-back
      state:   running
      next: 3h
      traits: { reminded: false, email: u1@example.org }
  - { at: 46m, expect: { blocked: NO_CONSENT, segments: { in: [gold] } } }
  - { at: 47m, decide: mail, expect: { offers: none, lost: { ten-off: INELIGIBLE } } }
";
    check_update(
        tests,
        &expect![[r#"
            # Comments stay.
            test: a reminder
            journey: cart
            customer: { consent: granted }
            models: { intent: 0.2 }
            split: { '1': still }
            timeline:
              - { at: 0m, event: Product Added, properties: { product_id: a } }   # so does this
              - at: 45m
                expect:
                  sent: come-back
                  state:   completed
                  next: none
                  traits: { reminded: true, email: u1@example.org }
              - { at: 46m, expect: { blocked: none, segments: { out: [gold] } } }
              - { at: 47m, decide: mail, expect: { offers: [free-shipping], lost: { ten-off: CAP } } }
        "#]],
    );
}

#[test]
fn what_holds_is_not_touched() {
    let (bundle, tests) = compiled(&format!("{SHOP}{TWO}"));
    let reports = suite::run(&bundle, &tests[..1], &Scripted::default());
    assert!(update::updated(&reports).is_empty());
}

const TWO: &str = r"test: an order converts
journey: cart
customer: { consent: granted }
timeline:
  - { at: 0m, event: Product Added, properties: { product_id: a } }
  - { at: 5m, event: Order Completed, expect: { state: converted } }
---
test: what does not hold & <why>
timeline:
  - { at: 5m, expect: { sent: come-back } }
";

#[test]
fn a_report_for_build_servers_has_a_case_a_test() {
    let (bundle, tests) = compiled(&format!("{SHOP}{TWO}"));
    let mut reports = suite::run(&bundle, &tests, &Scripted::default());
    for report in &mut reports {
        report.took = std::time::Duration::from_micros(1_500);
    }
    expect![[r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites>
          <testsuite name="shop.yaml" tests="2" failures="1" time="0.003000">
            <testcase classname="cart" name="an order converts" file="shop.yaml" line="33" time="0.001500"/>
            <testcase classname="policies" name="what does not hold &amp; &lt;why&gt;" file="shop.yaml" line="40" time="0.001500">
              <failure message="shop.yaml:42: expected sent: come-back, got sent: none">✗ what does not hold &amp; &lt;why&gt;

          shop.yaml:42
              - { at: 5m, expect: { sent: come-back } }
          expected  sent: come-back
          got       sent: none

          what happened until 5m:
            nothing
        </failure>
            </testcase>
          </testsuite>
        </testsuites>
    "#]].assert_eq(&junit::junit(&bundle, &reports));
}

#[test]
fn coverage_names_what_no_test_reaches() {
    let (bundle, tests) = compiled(&format!("{SHOP}{TWO}"));
    let reports = suite::run(&bundle, &tests, &Scripted::default());
    let coverage = Coverage::of(&bundle, &reports);
    expect![[r#"
        coverage: steps, arms, exits and goals of journeys, offers
          15.4%  cart (2 of 13)
                   not reached: step 1 split  shop.yaml:7
                   not reached: arm loud of step 1 split  shop.yaml:7
                   not reached: arm still of step 1 split  shop.yaml:7
                   not reached: step 2 score  shop.yaml:8
                   not reached: step 3 branch  shop.yaml:9
                   not reached: arm 0 of step 3 branch  shop.yaml:10
                   not reached: arm otherwise of step 3 branch  shop.yaml:9
                   not reached: step 4 set  shop.yaml:15
                   not reached: step 3.branch.0.0 offer  shop.yaml:12
                   not reached: step 3.branch.0.1 send  shop.yaml:13
                   not reached: step 3.branch.1.0 stop  shop.yaml:14
           0.0%  offers (0 of 2)
                   not reached: offer `free-shipping`  shop.yaml:19
                   not reached: offer `ten-off`  shop.yaml:18
          13.3%  in all"#]]
    .assert_eq(&coverage.table());
}

#[test]
fn the_policies_of_the_repository_do_what_their_tests_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let paths: [PathBuf; 1] = [root.join("policies")];
    let checked = policy::check(&app::sources(&paths, &root.join("models")).unwrap());
    let bundle = checked.bundle.unwrap();
    let reports = suite::run(&bundle, &checked.tests, &Scripted::default());
    let failed = reports.iter().filter(|report| !report.holds());
    let failed: String = failed
        .map(|report| shown::failed(&bundle, report))
        .collect();
    assert_eq!(failed, "");
    let coverage = Coverage::of(&bundle, &reports);
    assert!(coverage.percent() >= 100.0, "{}", coverage.table());
}

/// Updates tests beside the shop, checks what is written, and that it holds.
fn check_update(tests: &str, expected: &Expect) {
    let (bundle, compiled_tests) = compiled(&format!("{SHOP}{tests}"));
    let reports = suite::run(&bundle, &compiled_tests, &Scripted::default());
    let updated = update::updated(&reports);
    let text = &updated[0].text;
    expected.assert_eq(text.strip_prefix(SHOP).unwrap());
    let (bundle, tests) = compiled(text);
    let reports = suite::run(&bundle, &tests, &Scripted::default());
    assert!(reports.iter().all(suite::Report::holds));
}
