//! Events in, a training table out: what is known at a moment, and what happens after.

use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use clap::Parser;
use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::label::{Judge, Label};
use super::moments::Moments;
use super::rows::{Row, Rows, model};
use crate::app;
use crate::cli::backtest::feed::Item;
use crate::cli::backtest::replay::{Replay, Side};
use crate::cli::interrupt::Interrupt;
use crate::cli::{Arguments, Command};
use crate::decide::drive::Moment;
use crate::decide::{Request, handle};
use crate::domain::segment::{Depth, Received, decode};
use crate::domain::{Cell, CustomerId, Fact, Profile, Timestamp, What};
use crate::policy::{Source, compile};
use crate::scoring::{Score, Scorer, Scripted};

const MANIFEST: &str = "
model: again
file: model.onnx
features:
  n: { count: Order }
  n_2h: { count: Order, window: 2h }
  since: { recency: Order }
  spent: { sum: { event: Order, of: event.properties.total } }
inputs:
  - { column: n, from: profile.features.n, unknown: 0 }
  - { column: n_2h, from: profile.features.n_2h, unknown: 0 }
  - { column: minutes, from: profile.features.since / 60000, unknown: nan }
  - { column: spent, from: profile.features.spent, unknown: 0 }
output: { name: probabilities, class: 1 }
";

const POLICY: &str = "
journey: scored
enter: { event: Asked, reentry: always }
steps:
  - score: { model: again, as: chance }
  - stop
";

#[test]
fn a_row_knows_what_was_before_it_and_is_labelled_by_what_comes_after() {
    // The order at 01:00 is known at 01:00, the one at 03:00 is what is foreseen at 02:00 and no more at 03:00.
    check(
        "every 1h",
        "Order within 1h",
        "
        00:30 a View
        01:00 a Order 10
        01:30 b Order 5
        03:00 a Order 20
        05:30 b View",
        &expect![[r#"
            01:00 a: 1 1 0 10 | no
            02:00 a: 1 1 60 10 | yes
            02:00 b: 1 1 30 5 | no
            03:00 a: 2 1 0 30 | no
            03:00 b: 1 1 90 5 | no
            04:00 a: 2 1 60 30 | no
            04:00 b: 1 0 150 5 | no
        "#]],
    );
}

#[test]
fn rows_after_an_event_do_not_count_the_event_itself() {
    check(
        "Order",
        "Order within 2h",
        "
        01:00 a Order 10
        01:00 a Order 11
        03:00 a Order 12
        05:01 a Order 13
        09:00 b View",
        &expect![[r#"
            01:00 a: 1 1 0 10 | yes
            01:00 a: 2 2 0 21 | yes
            03:00 a: 3 1 0 33 | no
            05:01 a: 4 1 0 46 | no
        "#]],
    );
}

#[test]
fn a_condition_looks_at_the_event_and_at_the_customer_after_it() {
    check(
        "View",
        "Order where event.properties.total > 10 && profile.features.n > 1 within 1d",
        "
        01:00 a View
        02:00 a Order 50
        03:00 a View
        04:00 a Order 5
        05:00 a View
        06:00 a Order 50
        31:00 b View",
        &expect![[r#"
            01:00 a: 0 0 NaN 0 | yes
            03:00 a: 1 1 60 50 | yes
            05:00 a: 2 1 60 55 | yes
        "#]],
    );
}

#[test]
fn rows_whose_time_is_not_over_are_left_out() {
    check(
        "View",
        "Order within 1h",
        "
        01:00 a View
        02:00 a View
        02:30 a View
        03:00 b View",
        &expect![[r#"
            01:00 a: 0 0 NaN 0 | no
            02:00 a: 0 0 NaN 0 | no
        "#]],
    );
}

#[test]
fn labels_and_moments_that_are_wrong_are_refused() {
    let label = |text: &str| text.parse::<Label>().unwrap_err() + "\n";
    expect![[r#"
        `Order` does not say within which time: write `Order Completed within 28d`, `Order Completed where event.properties.total > 50 within 28d` or `event.properties.total > 50 within 28d`
        `Order within` does not say within which time: write `Order Completed within 28d`, `Order Completed where event.properties.total > 50 within 28d` or `event.properties.total > 50 within 28d`
        `soon` is not a duration, write for example `45m`, `1h30m` or `3d`
        ` within 7d` names no event: write `Order Completed within 28d`, `Order Completed where event.properties.total > 50 within 28d` or `event.properties.total > 50 within 28d`
        nothing happens within no time
    "#]].assert_eq(
        &[
            "Order",
            "Order within",
            "Order within soon",
            " within 7d",
            "Order within 0s",
        ]
        .map(label)
        .concat(),
    );
    let moments = |text: &str| text.parse::<Moments>().unwrap_err() + "\n";
    expect![[r#"
        write the name of an event, or `every 1d`
        `day` is not a duration, write for example `45m`, `1h30m` or `3d`
        `every 1s`: at least `every 1m`
    "#]]
    .assert_eq(&["", "every day", "every 1s"].map(moments).concat());
}

#[test]
fn conditions_and_models_that_are_wrong_are_refused() {
    let side = side(Scripted::default());
    let judge = |text: &str| {
        let label: Label = text.parse().unwrap();
        Judge::of(&label, &side.bundle).err().unwrap().to_string() + "\n"
    };
    expect![[r#"
        `--label` is wrong
        attune::unknown_feature

          × unknown feature `m`
           ╭─[expression:1:18]
         1 │ profile.features.m > 1
           ·                  ┬
           ·                  ╰── here
           ╰────
          help: declared features are `n`, `n_2h`, `since`, `spent`

        `--label` asks for what no policy keeps: declare it under `features:`
        `--label` is wrong
        attune::expression_syntax

          × the expression ends where a value is missing
           ╭─[expression:1:25]
         1 │ event.properties.total >
           ╰────
          help: an operator needs a value on both sides

    "#]]
    .assert_eq(
        &[
            "profile.features.m > 1 within 1d",
            "count('View', '3h') > 1 within 1d",
            "Order where event.properties.total > within 1d",
        ]
        .map(judge)
        .concat(),
    );
    let name = |name| model(&side, name).err().unwrap().to_string() + "\n";
    expect![[r#"
        there is no model `agin`, did you mean `again`? (there are: again)
        there is no model `` (there are: again)
    "#]]
    .assert_eq(&["agin", ""].map(name).concat());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Columns do not change when what comes after their moment is cut off, and labels are what counting says.
    #[test]
    fn nothing_leaks_from_the_future(
        events in prop::collection::vec((0_u32..360, 0_u8..3, prop::bool::ANY), 1..40),
        every in 20_u32..90,
        within in 10_u32..120,
        on_grid in prop::bool::ANY,
    ) {
        let mut events = events;
        events.sort_by_key(|(minute, ..)| *minute);
        let script = |upto: u32| {
            let mut text = String::new();
            for (minute, who, order) in events.iter().filter(|(minute, ..)| *minute <= upto) {
                let what = if *order { "Order 3" } else { "View" };
                let who = char::from(b'a' + who);
                let _ = writeln!(text, "{:02}:{:02} {who} {what}", minute / 60, minute % 60);
            }
            text
        };
        let moments = if on_grid { format!("every {every}m") } else { "View".to_owned() };
        let label = format!("Order within {within}m");
        let whole = rows(&moments, &label, &(script(u32::MAX) + "24:00 z Nothing"));
        let minute = |at: Timestamp| u32::try_from(at.since(start()).as_millis() / 60_000).unwrap();
        let orders = |who: &str, (after, upto): (u32, u32)| {
            events.iter().any(|(minute, is, order)| {
                *order && char::from(b'a' + is).to_string() == who && *minute > after && *minute <= upto
            })
        };
        let mut cut = u32::MAX;
        let mut past = Vec::new();
        for row in &whole {
            let at = minute(row.at);
            prop_assert_eq!(row.label, orders(row.customer.as_str(), (at, at + within)));
            if cut != at {
                // The same moment, with nothing after it; the last event only moves the clock on.
                past = rows(&moments, &label, &(script(at) + "24:00 z Nothing"));
                cut = at;
            }
            let same = past.iter().find(|of| of.at == row.at && of.customer == row.customer);
            let same = same.map(|of| format!("{:?}", of.cells));
            prop_assert_eq!(same, Some(format!("{:?}", row.cells)));
        }
    }

    /// What a decision asks a model at a moment is what the table says of it, bit by bit.
    #[test]
    fn the_table_holds_what_the_model_is_asked(
        events in prop::collection::vec((0_u32..360, prop::bool::ANY), 1..25),
    ) {
        let mut events = events;
        events.sort_by_key(|(minute, _)| *minute);
        let mut text = String::new();
        for (minute, asks) in &events {
            let what = if *asks { "Asked" } else { "Order 7.25" };
            let _ = writeln!(text, "{:02}:{:02} a {what}", minute / 60, minute % 60);
        }
        let table = rows("Asked", "Order within 1h", &(text.clone() + "24:00 z Nothing"));
        let asked = asked(&text);
        let table: Vec<_> = table.iter().map(|row| format!("{:?}", row.cells)).collect();
        prop_assert_eq!(table, asked);
    }
}

#[test]
fn scores_served_are_those_of_the_table_in_any_batch() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/repeat-purchase");
    let manifest = folder.join("model.yaml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    let policy = POLICY.replace("model: again", "model: repeat-purchase");
    let sources = [
        Source::new("policies/p.yaml", &policy),
        Source::new(&manifest.display().to_string(), &text),
    ];
    let bundle = compile(&sources).unwrap();
    let scorer = app::scorer(app::named(&bundle), None).unwrap();
    let side = Side { bundle, scorer };
    // An order or a refund every few days, and now and then somebody asks.
    let mut script = String::new();
    for n in 0..120 {
        let what = [
            "Order Completed",
            "Asked",
            "Order Completed",
            "Asked",
            "Order Refunded",
        ][n % 5];
        let total = 10 + n * 7 % 90;
        let (hour, minute) = (n * 31 + n * n % 17, n * 7 % 60);
        let _ = writeln!(
            script,
            "{hour:02}:{minute:02} a {} {total}",
            what.replace(' ', "_")
        );
    }
    let served = served(&side, &script);
    let label = "Order Completed within 1d".parse().unwrap();
    let table = rows_of(
        &side,
        "repeat-purchase",
        "Asked",
        &label,
        &(script + "9999:00 z View"),
    );
    assert!(served.len() > 40, "{}", served.len());
    assert_eq!(served.len(), table.len());
    for n_rows in [1, 2, 7, table.len()] {
        let batches = table.chunks(n_rows);
        let again = batches.flat_map(|batch| {
            let cells: Vec<&[Cell]> = batch.iter().map(|row| &row.cells[..]).collect();
            side.scorer.score_batch("repeat-purchase", &cells)
        });
        for (served, scored) in served.iter().zip(again) {
            let off = (served - scored.known().unwrap()).abs();
            assert!(off <= 1e-6, "batches of {n_rows}: {served} {scored:?}");
        }
    }
}

/// The scores that journeys got while the events were handled.
fn served(side: &Side, script: &str) -> Vec<f64> {
    let mut profile = Profile::new(CustomerId::parse("a").unwrap());
    let mut served = Vec::new();
    for (place, line) in lines(script).enumerate() {
        let item = item(place, line);
        let Ok((_, cause)) = &item.event else {
            continue;
        };
        let moment = Moment {
            now: item.now,
            at_due: true,
        };
        let scoring = |requests: &[Request]| {
            let one = |of: &Request| {
                let scores = side.scorer.score_batch(&of.model, &of.cells());
                (of.model.clone(), scores)
            };
            requests.iter().map(one).collect()
        };
        let outside = crate::decide::Outside::of(&scoring);
        let outcome = handle(&side.bundle, &mut profile, cause, moment, None, outside);
        served.extend(outcome.facts.iter().filter_map(|fact| {
            let Fact::Traced(trace) = fact else {
                return None;
            };
            let What::Scored(_, score) = &trace.what else {
                return None;
            };
            Some(score.clone().unwrap())
        }));
    }
    served
}

/// The rows that the core asks a model to score while it handles the events, as when it serves.
fn asked(script: &str) -> Vec<String> {
    let side = side(Scripted::default().with("again", Score::Value(0.5)));
    let mut profile = Profile::new(CustomerId::parse("a").unwrap());
    let rows = std::cell::RefCell::new(Vec::new());
    for (place, line) in lines(script).enumerate() {
        let item = item(place, line);
        let Ok((_, cause)) = &item.event else {
            continue;
        };
        let moment = Moment {
            now: item.now,
            at_due: true,
        };
        let scoring = |requests: &[Request]| {
            let score = |row: &[Cell]| {
                rows.borrow_mut().push(format!("{row:?}"));
                side.scorer.score("again", row)
            };
            let scored = |of: &Request| {
                let scores = of.cells().into_iter().map(score);
                (of.model.clone(), scores.collect())
            };
            requests.iter().map(scored).collect()
        };
        let outside = crate::decide::Outside::of(&scoring);
        handle(&side.bundle, &mut profile, cause, moment, None, outside);
    }
    rows.into_inner()
}

#[test]
fn a_table_that_says_nothing_does_not_take_the_place_of_an_earlier_one() {
    let script = "
        01:00 a View
        02:00 a Order 5
        30:00 a View";
    expect![[r#"
        no label: nothing that happened is what `--label` looks for: is the event's name right?
        earlier
        no moment: no moment came: is the event of `--at` right? `Veiw` never happened
        earlier
        no event: no moment came: the events end before the first one
        earlier
        no end: 0 rows, 2 open
        earlier
        a table: 1 rows, 1 open
        customer,at,n,n_2h,minutes,spent,label
        a,2026-01-05T01:00:00.000Z,0,0,,0,1
    "#]]
    .assert_eq(
        &[
            ("no label", "View", "Ordr within 2h", script),
            ("no moment", "Veiw", "Order within 2h", script),
            ("no event", "every 1d", "Order within 2h", ""),
            ("no end", "View", "Order within 60d", script),
            ("a table", "View", "Order within 2h", script),
        ]
        .map(|(name, at, label, script)| written(name, at, label, script))
        .concat(),
    );
}

/// Writes a table where another one lies, and shows what was said and what lies there then.
fn written(name: &str, at: &str, label: &str, script: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let lines = lines(script).enumerate();
    let events: String = lines.map(|(n, line)| json(n, line) + "\n").collect();
    std::fs::create_dir_all(path("models/again")).unwrap();
    std::fs::create_dir_all(path("policies")).unwrap();
    std::fs::write(path("policies/p.yaml"), POLICY).unwrap();
    std::fs::write(path("models/again/model.yaml"), MANIFEST).unwrap();
    std::fs::write(path("events"), events).unwrap();
    std::fs::write(path("table.csv"), "earlier\n").unwrap();
    let (policies, models) = (path("policies"), path("models"));
    let (events, table) = (path("events"), path("table.csv"));
    let words = [
        "attune",
        "backtest",
        "--policies",
        &policies,
        "--models",
        &models,
        "--events",
        &events,
        "--features",
        "again",
        "--label",
        label,
        "--at",
        at,
        "--out",
        &table,
    ];
    let Command::Backtest(args) = Arguments::parse_from(words).command else {
        panic!("another command");
    };
    let label = label.parse().unwrap();
    let counts = super::write(
        &args,
        "again",
        &label,
        Path::new(&table),
        &Interrupt::default(),
    );
    let said = match counts {
        Ok(counts) => counts.map_or("interrupted".into(), |of| {
            format!("{} rows, {} open", of.rows, of.open)
        }),
        Err(error) => format!("{error:#}"),
    };
    let left = std::fs::read_to_string(&table).unwrap();
    assert!(!Path::new(&path("table.csv.part")).exists());
    format!("{name}: {said}\n{left}")
}

fn check(moments: &str, label: &str, script: &str, expected: &Expect) {
    let mut shown = String::new();
    for row in rows(moments, label, script) {
        let minutes = row.at.since(start()).as_millis() / 60_000;
        let cell = |cell: &Cell| match cell {
            Cell::Number(number) => number.to_string(),
            Cell::Text(text) => text.to_string(),
        };
        let cells: Vec<String> = row.cells.iter().map(cell).collect();
        let (hour, minute) = (minutes / 60, minutes % 60);
        let label = if row.label { "yes" } else { "no" };
        let (who, cells) = (row.customer.as_str(), cells.join(" "));
        let _ = writeln!(shown, "{hour:02}:{minute:02} {who}: {cells} | {label}");
    }
    expected.assert_eq(&shown);
}

fn rows(moments: &str, label: &str, script: &str) -> Vec<Row> {
    let label: Label = label.parse().unwrap();
    rows_of(&side(Scripted::default()), "again", moments, &label, script)
}

fn rows_of(side: &Side, name: &str, moments: &str, label: &Label, script: &str) -> Vec<Row> {
    let moments: Moments = moments.parse().unwrap();
    let judge = Judge::of(label, &side.bundle).unwrap();
    let model = model(side, name).unwrap();
    let replay = Replay::new(side, NonZeroUsize::MAX);
    let mut table = Rows::new(replay, side, model, &judge, &moments);
    let mut found = Vec::new();
    for (place, line) in lines(script).enumerate() {
        table.take(&item(place, line)).unwrap();
        while let Some(row) = table.ready() {
            found.push(row);
        }
    }
    found.extend(table.end(None).unwrap());
    found
}

fn lines(script: &str) -> impl Iterator<Item = &str> {
    script
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
}

/// `01:30 customer Event total`.
fn item(place: usize, line: &str) -> Item {
    let at = time(line);
    let received = Received {
        at,
        real: false,
        fallback_id: &|| "none".into(),
    };
    let decoded = decode(json(place, line).as_bytes(), &received, |_| Depth::Whole);
    Item::new(place as u64, at, decoded)
}

fn time(line: &str) -> Timestamp {
    let (hour, minute) = line.split(' ').next().unwrap().split_once(':').unwrap();
    let minutes = hour.parse::<u64>().unwrap() * 60 + minute.parse::<u64>().unwrap();
    start() + crate::domain::Duration::from_secs(minutes * 60)
}

fn json(place: usize, line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let json = serde_json::json!({
        "type": "track",
        "messageId": format!("m{place}"),
        "userId": words[1],
        "event": words[2].replace('_', " "),
        "timestamp": time(line).to_string(),
        "properties": { "total": words.get(3).and_then(|total| total.parse::<f64>().ok()) },
    });
    json.to_string()
}

fn start() -> Timestamp {
    Timestamp::parse("2026-01-05T00:00:00Z").unwrap()
}

fn side(scorer: Scripted) -> Side {
    let sources = [
        Source::new("policies/p.yaml", POLICY),
        Source::new("models/again/model.yaml", MANIFEST),
    ];
    let bundle = compile(&sources)
        .map_err(|wrong| wrong.render(false))
        .unwrap();
    let scorer: Arc<dyn Scorer> = Arc::new(scorer);
    Side { bundle, scorer }
}
