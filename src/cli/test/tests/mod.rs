//! Policies and tests in, what the author reads out.

mod reports;
mod runs;

use expect_test::Expect;

use super::{shown, suite, summary};
use crate::policy::test::Test;
use crate::policy::{Bundle, Source, check};
use crate::scoring::Scripted;

/// A shop with a cart journey, a capped channel and two offers.
pub const SHOP: &str = r"journey: cart
enter: { event: Product Added, reentry: { after_exit: 1d } }
goal: { event: Order Completed, within: 3d }
holdout: 10%
steps:
  - hold_until: { quiet: 30m, of: [Product Added], max: 6h }
  - split: { loud: 50%, still: 50% }
  - score: { model: intent, as: buy }
  - branch:
      - when: buy < 0.5
        then:
          - offer: { placement: mail, as: pick }
          - send: { channel: email, template: come-back, with: { offer: pick.id } }
      - otherwise: stop
  - set: { reminded: true }
---
offers:
  ten-off: { placements: [mail], value: 10, cap: 1 per 30d }
  free-shipping: { placements: [mail], value: 5 }
placements:
  mail: { model: accept }
segments:
  gold: profile.traits.tier == 'gold'
---
model: intent
file: model.onnx
inputs: [{ column: n, from: size(profile.cart.items) }]
---
model: accept
file: model.onnx
inputs: [{ column: id, from: offer.id, type: text }]
---
";

/// Compiles a shop and its tests.
pub fn compiled(text: &str) -> (Bundle, Vec<Test>) {
    let checked = check(&[Source::new("shop.yaml", text)]);
    let shown = checked.problems.errors().render(false);
    (
        checked.bundle.unwrap_or_else(|| panic!("{shown}")),
        checked.tests,
    )
}

/// Runs tests beside the shop and checks what is printed.
pub fn check_run(tests: &str, expected: &Expect) {
    let (bundle, tests) = compiled(&format!("{SHOP}{tests}"));
    let scorer = Scripted::default().with("intent", crate::domain::Score::Value(0.1));
    let reports = suite::run(&bundle, &tests, &scorer);
    let failed = reports.iter().filter(|report| !report.failures.is_empty());
    let mut out: String = failed
        .map(|report| shown::failed(&bundle, report))
        .collect();
    out.push_str(&summary(&reports));
    expected.assert_eq(&out);
}
