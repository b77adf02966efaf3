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
    show(FEATURES, SCRIPT, time, expected);
}

fn show(policies: &str, script: &str, time: &str, expected: &Expect) {
    let mut world = World::new(policies);
    for line in script.lines().filter(|line| !line.trim().is_empty()) {
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

const KINDS: &str = "
features:
  least: { min: V, of: event.properties.x, window: 1h }
  most: { max: V, of: event.properties.x }
  mean: { average: V, of: event.properties.x, window: session }
  often: { mode: V, of: event.properties.y, window: 1h }
  since: { recency: V, window: 2h }
  early: { first: V, of: event.properties.y, window: 30m }
  begun: { first: V, of: event.properties.y, window: session }
";

#[test]
fn every_kind_is_unknown_before_anything_happened_and_never_zero() {
    check_kinds(
        "",
        "0m",
        &expect![
            "begun=unknown early=unknown least=unknown mean=unknown most=unknown often=unknown since=unknown"
        ],
    );
    check_kinds(
        "0m V {}",
        "1m",
        &expect![
            "begun=unknown early=unknown least=unknown mean=unknown most=unknown often=unknown since=60000"
        ],
    );
}

#[test]
fn every_kind_counts_what_is_in_its_window() {
    let script = r#"
        0m V {"x":5,"y":"a"}
        10m V {"x":1,"y":"b"}
        20m V {"x":9,"y":"b"}
        25m V {"x":3,"y":"a"}
    "#;
    check_kinds(
        script,
        "25m",
        &expect![[r#"begun="a" early="a" least=1 mean=4.5 most=9 often="a" since=0"#]],
    );
    check_kinds(
        script,
        "56m",
        &expect![[
            r#"begun=unknown early=unknown least=1 mean=unknown most=9 often="a" since=1860000"#
        ]],
    );
    check_kinds(
        script,
        "1h15m",
        &expect![[
            r#"begun=unknown early=unknown least=3 mean=unknown most=9 often="a" since=3000000"#
        ]],
    );
    check_kinds(
        script,
        "2h25m",
        &expect![
            "begun=unknown early=unknown least=unknown mean=unknown most=9 often=unknown since=unknown"
        ],
    );
    let again = format!("{script}\n3h V {{\"x\":2,\"y\":\"c\"}}");
    check_kinds(
        &again,
        "3h",
        &expect![[r#"begun="c" early="c" least=2 mean=2 most=9 often="c" since=0"#]],
    );
}

#[test]
fn what_more_counts_for_than_is_remembered_is_unknown_until_it_has_left() {
    let policy = "
features:
  n: { count: V, window: 1h, remember: 2 }
  kinds: { distinct: V, of: event.properties.y, window: 1h, remember: 2 }
";
    let script = r#"
        0m V {"y":1}
        1m V {"y":2}
        2m V {"y":3}
    "#;
    show(policy, script, "2m", &expect!["kinds=unknown n=unknown"]);
    show(policy, script, "59m", &expect!["kinds=unknown n=unknown"]);
    show(policy, script, "60m", &expect!["kinds=2 n=2"]);
    show(policy, script, "61m", &expect!["kinds=1 n=1"]);
}

fn check_kinds(script: &str, time: &str, expected: &Expect) {
    show(KINDS, script, time, expected);
}
