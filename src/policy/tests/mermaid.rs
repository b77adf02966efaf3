//! Charts that Mermaid draws, whatever authors write.
//!
//! The grammar is the part of Mermaid's flow charts that we use, stricter than it: no label has a letter that means
//! anything to Mermaid or to HTML. Mermaid 11 parses the charts of this test.

use std::collections::BTreeSet;
use std::path::Path;

use regex::Regex;

use super::bundle;
use crate::app;
use crate::policy::{Bundle, explain};

/// Names and texts made of what means something to Mermaid.
const ODD: &str = r#"journey: end
enter:
  event: "Product \"Added\" [x] --> {y} | z; end"
  where: "event.properties.x == 'a\"b\\'c' && event.properties.z.matches('^[a-z]+$')"
exit: { when: "profile.traits.x == '%%{init: {}}%%'", reason: 'end; "x"' }
goal: { event: 'A --> B["x"]', within: 3d }
steps:
  - wait: 1h
  - branch:
      - when: "profile.traits.n > 3 && profile.traits.m < 4"
        then: { send: { channel: email, template: "a`b" } }
      - otherwise: { exit: "subgraph end \\ / # ;" }
  - split: { graph: 50%, end: 50% }
  - wait_for:
      arms:
        - { event: '"]|', then: { send: { channel: email, template: end } } }
        - { event: "line1\nline2", then: stop }
      within: 1d
      otherwise: { exit: class default style }
  - set: { x: "'|]&amp;<b>'" }
"#;

#[test]
fn odd_names_draw_a_chart() {
    let bundle = bundle(ODD).unwrap_or_else(|wrong| panic!("{}", wrong.render(false)));
    check(&bundle);
}

#[test]
fn every_word_of_the_language_draws_a_chart() {
    let everything = bundle(include_str!("everything.yaml"));
    check(&everything.unwrap_or_else(|wrong| panic!("{}", wrong.render(false))));
}

#[test]
fn the_library_draws_a_chart() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sources = app::sources(&[root.join("policies")], &root.join("models"));
    check(&app::compile(&sources.unwrap(), false).unwrap());
}

/// Checks every line of the chart of all journeys, and that an arrow goes only to what is drawn.
fn check(bundle: &Bundle) {
    let journeys: Vec<_> = bundle.journeys.iter().collect();
    assert!(!journeys.is_empty());
    let chart = explain::mermaid(&journeys);
    let label = r##""(?:[\p{L}\p{N} .,()'/=+?_-]|[^\x00-\x7f]|#[0-9]+;|<br/>)*""##;
    let id = r"j[0-9]+(?:enter|completed|s[0-9]+|out[0-9]+)?";
    let shapes = ["{L}", "[/L/]", "(L)", "([L])", "[L]"];
    let shapes = shapes.map(|shape| regex::escape(shape).replace('L', label));
    let node = format!("({id})(?:{})", shapes.join("|"));
    let only = |pattern: &str| Regex::new(&format!("^{pattern}$")).unwrap();
    let (node, group) = (only(&node), only(&format!("subgraph ({id})\\[{label}\\]")));
    let end = format!("({id})(?:{})?", shapes.join("|"));
    let edge = only(&format!("({id}) (?:-->|-\\.->)(?:\\|{label}\\|)? {end}"));
    let (mut drawn, mut meant) = (BTreeSet::new(), BTreeSet::new());
    let mut depth = 0;
    let mut lines = chart.lines();
    assert_eq!(lines.next(), Some("flowchart TD"));
    for line in lines.map(str::trim) {
        if let Some(of) = group.captures(line).or_else(|| node.captures(line)) {
            depth += i32::from(line.starts_with("subgraph"));
            assert!(drawn.insert(of[1].to_owned()), "twice: {line}");
        } else if let Some(of) = edge.captures(line) {
            meant.extend([of[1].to_owned(), of[2].to_owned()]);
            if !line.ends_with(&of[2]) {
                drawn.insert(of[2].to_owned());
            }
        } else {
            assert_eq!(line, "end");
            depth -= 1;
        }
        assert!((0..=1).contains(&depth), "{line}");
    }
    assert_eq!(depth, 0);
    let missing: Vec<_> = meant.difference(&drawn).collect();
    assert!(missing.is_empty(), "{missing:?} is not drawn:\n{chart}");
}
