//! Features: windows exact to the event, also when they are left with no new one.

use expect_test::{Expect, expect};

use super::World;
use crate::decide::{Env, eval};
use crate::domain::Duration;

const FEATURES: &str = "
features:
  views: { count: Product Viewed }
  spent: { sum: Order Completed, of: event.properties.total, window: 7d }
  kinds: { distinct: Product Viewed, of: event.properties.category, window: 1h }
  first: { first: Product Viewed, of: event.properties.category }
  last: { last: Product Viewed, of: event.properties.category, window: session }
  visit: { count: Product Viewed, window: session }
  seconds: { dwell: Product Viewed, where: event.properties.category == 'shoes', window: session }
";

const SCRIPT: &str = r#"
    0m Product Viewed {"category":"shoes"}
    2m Product Viewed {"category":"hats"}
    3m Order Completed {"total":40}
    4m Order Completed {}
    20m Product Viewed {"category":"shoes"}
    25m page {}
"#;

#[test]
fn features_are_worth_what_happened_in_their_window() {
    at(
        "25m",
        &expect![[r#"first="shoes" kinds=2 last="shoes" seconds=420 spent=40 views=3 visit=3"#]],
    );
    at(
        "55m",
        &expect![[r#"first="shoes" kinds=2 last="shoes" seconds=420 spent=40 views=3 visit=3"#]],
    );
    at(
        "55m1s",
        &expect![[r#"first="shoes" kinds=2 last=unknown seconds=0 spent=40 views=3 visit=0"#]],
    );
    at(
        "1h2m",
        &expect![[r#"first="shoes" kinds=1 last=unknown seconds=0 spent=40 views=3 visit=0"#]],
    );
    at(
        "1h20m",
        &expect![[r#"first="shoes" kinds=0 last=unknown seconds=0 spent=40 views=3 visit=0"#]],
    );
    at(
        "7d3m",
        &expect![[r#"first="shoes" kinds=0 last=unknown seconds=0 spent=0 views=3 visit=0"#]],
    );
}

fn at(time: &str, expected: &Expect) {
    let mut world = World::new(FEATURES);
    for line in SCRIPT.lines().filter(|line| !line.trim().is_empty()) {
        world.line(line);
    }
    let now = super::start() + Duration::parse(time).unwrap();
    let env = Env::new(&world.bundle, &world.profile, now);
    let shown = world
        .bundle
        .features
        .iter()
        .enumerate()
        .map(|(idx, feature)| {
            let node = crate::policy::expr::Node::Feature(idx, None);
            let value =
                eval(&node, &env).map_or_else(|| "unknown".into(), |value| value.to_string());
            format!("{}={value}", feature.name.as_deref().unwrap_or("?"))
        });
    let mut shown: Vec<_> = shown.collect();
    shown.sort();
    expected.assert_eq(&shown.join(" "));
}
