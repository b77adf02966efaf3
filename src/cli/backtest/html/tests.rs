//! The page: safe, self-contained, and with every number on it.

use std::sync::Arc;

use expect_test::expect;

use super::plot::{Look, NARROW, Series, WIDE, bars};
use super::text::{delta, percent, thousands};
use super::{Page, Pair};
use crate::cli::backtest::compare::Comparison;
use crate::cli::backtest::summary::{Counts, Day, Summary};
use crate::policy::Bundle;

const BAD: &str = "<script>alert('x')</script>&\"";

#[test]
fn what_comes_from_outside_is_escaped() {
    let summary = summary(BAD, 3);
    let comparison = comparison(&summary, &self::summary(BAD, 5));
    for comparison in [None, Some(&comparison)] {
        let page = Page {
            policies: BAD.into(),
            against: comparison.map(|_| BAD.into()),
            after: &summary,
            comparison,
        };
        let html = page.html();
        assert!(!html.contains("<script"), "{html}");
        assert!(!html.contains("alert('"), "{html}");
        assert!(html.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;&quot;"));
        for outside in ["http:", "https:", "src=", "href=", "url(", "@import"] {
            assert!(!html.contains(outside), "`{outside}`");
        }
    }
}

#[test]
fn every_tag_is_closed_in_its_order() {
    let (before, after) = (summary("email", 1_234), summary("sms", 5));
    let comparison = comparison(&before, &after);
    let page = Page {
        policies: "policies".into(),
        against: Some("others".into()),
        after: &after,
        comparison: Some(&comparison),
    };
    let html = page.html();
    let mut open: Vec<&str> = Vec::new();
    for tag in html
        .split('<')
        .skip(2)
        .map(|rest| rest.split('>').next().unwrap())
    {
        let name = tag.split(' ').next().unwrap();
        if let Some(closed) = name.strip_prefix('/') {
            assert_eq!(open.pop(), Some(closed));
        } else if !tag.ends_with('/') && name != "meta" {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn nothing_sent_is_said() {
    let summary = Summary::new(&Bundle::default());
    let page = Page {
        policies: "policies".into(),
        against: None,
        after: &summary,
        comparison: None,
    };
    assert!(page.html().contains("Nothing was sent."));
}

#[test]
fn bars_stand_above_each_other() {
    expect![[r#"
        <svg viewBox="0 0 960 220" role="img" aria-label="Sends per day" class="plot">
        <line x1="52" x2="960" y1="194.0" y2="194.0"/>
        <text x="44" y="198.0" text-anchor="end">0</text>
        <line x1="52" x2="960" y1="147.5" y2="147.5"/>
        <text x="44" y="151.5" text-anchor="end">1</text>
        <line x1="52" x2="960" y1="101.0" y2="101.0"/>
        <text x="44" y="105.0" text-anchor="end">2</text>
        <line x1="52" x2="960" y1="54.5" y2="54.5"/>
        <text x="44" y="58.5" text-anchor="end">3</text>
        <line x1="52" x2="960" y1="8.0" y2="8.0"/>
        <text x="44" y="12.0" text-anchor="end">4</text>
        <rect class="c0" x="255.0" y="54.5" width="47.4" height="139.5">
        <title>2026-01-01 a: 3</title>
        </rect>
        <rect class="c1" x="255.0" y="8.0" width="47.4" height="46.5">
        <title>2026-01-01 b: 1</title>
        </rect>
        <rect class="c1" x="709.0" y="101.0" width="47.4" height="93.0">
        <title>2026-01-02 b: 2</title>
        </rect>
        <text x="279.0" y="214" text-anchor="middle">2026-01-01</text>
        <text x="733.0" y="214" text-anchor="middle">2026-01-02</text>
        </svg>"#]]
    .assert_eq(&shown(WIDE));
}

#[test]
fn bars_stand_beside_each_other() {
    expect![[r#"
        <svg viewBox="0 0 480 220" role="img" aria-label="Sends per day" class="plot">
        <line x1="52" x2="480" y1="194.0" y2="194.0"/>
        <text x="44" y="198.0" text-anchor="end">0</text>
        <line x1="52" x2="480" y1="147.5" y2="147.5"/>
        <text x="44" y="151.5" text-anchor="end">1</text>
        <line x1="52" x2="480" y1="101.0" y2="101.0"/>
        <text x="44" y="105.0" text-anchor="end">2</text>
        <line x1="52" x2="480" y1="54.5" y2="54.5"/>
        <text x="44" y="58.5" text-anchor="end">3</text>
        <line x1="52" x2="480" y1="8.0" y2="8.0"/>
        <text x="44" y="12.0" text-anchor="end">4</text>
        <rect class="c0" x="135.0" y="54.5" width="23.4" height="139.5">
        <title>2026-01-01 a: 3</title>
        </rect>
        <rect class="c1" x="159.0" y="147.5" width="23.4" height="46.5">
        <title>2026-01-01 b: 1</title>
        </rect>
        <rect class="c1" x="373.0" y="101.0" width="23.4" height="93.0">
        <title>2026-01-02 b: 2</title>
        </rect>
        <text x="159.0" y="214" text-anchor="middle">2026-01-01</text>
        <text x="373.0" y="214" text-anchor="middle">2026-01-02</text>
        </svg>"#]]
    .assert_eq(&shown(NARROW));
}

#[test]
fn numbers_are_written_for_people() {
    assert_eq!(thousands(1_234_567), "1\u{202f}234\u{202f}567");
    assert_eq!(
        (percent(1, 3).as_str(), percent(1, 30).as_str()),
        ("33 %", "3.3 %")
    );
    let of = |before, after| delta(Pair { before, after });
    assert_eq!(of(None, 1), "");
    assert!(of(Some(4), 1).contains("−3 (75 %)"));
    assert!(of(Some(0), 1).contains("+1<"));
}

/// Draws two series over two days, a line an element.
fn shown(look: Look) -> String {
    let series = |name, class: &str, values: &[u64]| Series {
        name,
        class: class.into(),
        values: values.to_vec(),
    };
    let all = [series("a", "c0", &[3, 0]), series("b", "c1", &[1, 2])];
    let days = [Day(20_454), Day(20_455)];
    bars(&days, &all, look).replace("><", ">\n<")
}

fn summary(name: &str, n: u64) -> Summary {
    let mut summary = Summary::new(&Bundle::default());
    let name: Arc<str> = name.into();
    let counts = Counts::from([(name.clone(), n)]);
    let journey = crate::cli::backtest::summary::Journey {
        entries: n,
        open: 1,
        actions: counts.clone(),
        exits: counts.clone(),
        refused: counts.clone(),
        shadow_actions: Counts::new(),
        blocked: counts.clone(),
    };
    summary.journeys.insert(name, journey);
    summary.days.insert(Day(20_454), counts.clone());
    summary.offers = counts;
    summary
}

fn comparison(before: &Summary, after: &Summary) -> Comparison {
    Comparison {
        before: before.clone(),
        after: after.clone(),
        gained: 1,
        lost: 2,
        kept: 3,
        customers_gaining: 4,
        customers_losing: 5,
        customers_shifted: 6,
    }
}
