//! Two sets of policies side by side: who gains an action, who loses one, and why.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use attune::cli::backtest::{Args, compared};
use clap::Parser;
use expect_test::{Expect, expect};
use tempfile::TempDir;

const BEFORE: &str = "
journey: cart
enter: { event: Product Added, key: event.properties.product_id }
goal: { event: Order Completed, within: 1d }
steps:
  - hold_until: { quiet: 1h, of: [Product Added] }
  - send: { channel: email, template: nudge }
---
channels: { email: { address: none, consent: not_required } }
";

const GIFTS: &str = "
journey: gift
class: transactional
enter: { event: Order Completed, reentry: always }
steps:
  - offer: { placement: thanks, as: pick }
  - branch: [ { when: pick.id == 'gift', then: [ { send: { channel: email, template: gift } } ] } ]
---
offers: { gift: { placements: [thanks] } }
placements: { thanks: {} }
channels: { email: { address: none, consent: not_required } }
";

#[test]
fn a_budget_is_one_for_all_customers_and_every_day_has_its_own() {
    check(
        GIFTS,
        &GIFTS.replace(
            "[thanks] }",
            "[thanks], budget: { limit: 2, per: day, zone: Asia/Tokyo } }",
        ),
        "
        10:00 a Order Completed 1
        10:10 b Order Completed 2
        10:20 c Order Completed 3
        14:59 d Order Completed 4
        15:00 e Order Completed 5
        15:01 a Order Completed 6
        15:02 f Order Completed 7",
        &expect![[r#"
            10:20 lost c gift email gift -
            14:59 lost d gift email gift -
            15:02 lost f gift email gift -

            2026-01-31T10:00:00.000Z to 2026-01-31T15:02:00.000Z
            7 events of 6 customers in 0.00 s: 0 events/s
                     0 actions gained
                     3 actions lost
                     4 actions kept
                     0 customers get more
                     3 customers get fewer
                     0 customers get as many others, or at other times

            all journeys
                                           before      after     change
              entered                           7          7          ·
              sent email                        7          4         -3
              left completed                    7          7          ·
              offer gift                        7          4         -3
              open                              0          0          ·

            gift
                                           before      after     change
              entered                           7          7          ·
              sent email                        7          4         -3
              left completed                    7          7          ·
              open                              0          0          ·

            sends by day
                                           before      after     change
              2026-01-31 email                  7          4         -3
        "#]],
    );
}

#[test]
fn equal_policies_differ_in_nothing() {
    check(
        BEFORE,
        BEFORE,
        "
        10:00 a Product Added 1
        10:10 b Product Added 2
        10:20 b Order Completed 2
        12:00 c Product Viewed 3",
        &expect![[r#"

            2026-01-31T10:00:00.000Z to 2026-01-31T12:00:00.000Z
            4 events of 3 customers in 0.00 s: 0 events/s
                     0 actions gained
                     0 actions lost
                     1 actions kept
                     0 customers get more
                     0 customers get fewer
                     0 customers get as many others, or at other times

            all journeys
                                           before      after     change
              entered                           2          2          ·
              sent email                        1          1          ·
              left completed                    1          1          ·
              left converted                    1          1          ·
              open                              0          0          ·

            cart
                                           before      after     change
              entered                           2          2          ·
              sent email                        1          1          ·
              left completed                    1          1          ·
              left converted                    1          1          ·
              open                              0          0          ·

            sends by day
                                           before      after     change
              2026-01-31 email                  1          1          ·
        "#]],
    );
}

#[test]
fn a_cap_takes_actions_away_and_says_why() {
    let capped = format!("{BEFORE}---\nlimits: {{ email: 1 per 1d }}\n");
    check(
        BEFORE,
        &capped,
        "
        10:00 a Product Added 1
        10:30 a Product Added 2
        10:40 b Product Added 1
        10:50 a Product Added 3
        13:00 c Product Viewed 3",
        &expect![[r#"
            11:50 lost a cart email nudge CONTACT_LIMIT
            11:50 lost a cart email nudge CONTACT_LIMIT

            2026-01-31T10:00:00.000Z to 2026-01-31T13:00:00.000Z
            5 events of 3 customers in 0.00 s: 0 events/s
                     0 actions gained
                     2 actions lost
                     2 actions kept
                     0 customers get more
                     1 customers get fewer
                     0 customers get as many others, or at other times

            all journeys
                                           before      after     change
              entered                           4          4          ·
              sent email                        4          2         -2
              held CONTACT_LIMIT                0          2         +2
              left completed                    4          4          ·
              open                              0          0          ·

            cart
                                           before      after     change
              entered                           4          4          ·
              sent email                        4          2         -2
              held CONTACT_LIMIT                0          2         +2
              left completed                    4          4          ·
              open                              0          0          ·

            sends by day
                                           before      after     change
              2026-01-31 email                  4          2         -2
        "#]],
    );
}

#[test]
fn another_delay_moves_actions_and_another_journey_adds_some() {
    let after = BEFORE.replace("1h", "2h")
        + "---\njourney: thanks\nenter: { event: Order Completed }\nsteps:\n  - send: { channel: email, template: thanks }\n";
    check(
        BEFORE,
        &after,
        "
        10:00 a Product Added 1
        11:30 a Order Completed 1
        11:40 b Product Added 2
        23:00 c Product Viewed 3",
        &expect![[r#"
            11:00 lost a cart email nudge -
            11:30 gained a thanks email thanks -
            12:40 lost b cart email nudge -
            13:40 gained b cart email nudge -

            2026-01-31T10:00:00.000Z to 2026-01-31T23:00:00.000Z
            4 events of 3 customers in 0.00 s: 0 events/s
                     2 actions gained
                     2 actions lost
                     0 actions kept
                     0 customers get more
                     0 customers get fewer
                     2 customers get as many others, or at other times

            all journeys
                                           before      after     change
              entered                           2          3         +1
              sent email                        2          2          ·
              left completed                    2          2          ·
              left converted                    0          1         +1
              open                              0          0          ·

            cart
                                           before      after     change
              entered                           2          2          ·
              sent email                        2          1         -1
              left completed                    2          1         -1
              left converted                    0          1         +1
              open                              0          0          ·

            thanks
                                           before      after     change
              entered                           0          1         +1
              sent email                        0          1         +1
              left completed                    0          1         +1
              open                              0          0          ·

            sends by day
                                           before      after     change
              2026-01-31 email                  2          2          ·
        "#]],
    );
}

#[test]
fn a_report_is_written_beside_the_lines_and_the_summary() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("before.yaml"), BEFORE).unwrap();
    fs::write(path("after.yaml"), BEFORE.replace("1h", "2h")).unwrap();
    let script = "10:00 a Product Added 1\n23:00 c Product Viewed 3";
    fs::write(path("events.jsonl"), events(script)).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_attune"));
    command.current_dir(folder.path());
    command.args([
        "backtest",
        "--policies",
        "after.yaml",
        "--against",
        "before.yaml",
    ]);
    command.args([
        "--events",
        "events.jsonl",
        "--out",
        "out.jsonl",
        "--html",
        "report.html",
    ]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&summary["gained"], &summary["lost"]),
        (&1.into(), &1.into())
    );
    assert_eq!(summary["before"]["days"]["2026-01-31"]["email"], 1);
    let lines = fs::read_to_string(path("out.jsonl")).unwrap();
    assert_eq!(lines.lines().count(), 2);
    let html = fs::read_to_string(path("report.html")).unwrap();
    assert!(html.starts_with("<!doctype html>") && html.ends_with("</html>\n"));
    assert!(html.contains("after.yaml <span class=\"versus\">against</span> before.yaml"));
}

/// Runs both over events, `TIME CUSTOMER EVENT PRODUCT` a line; shows the differing actions and the table.
fn check(before: &str, after: &str, script: &str, expected: &Expect) {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    for (name, text) in [("before.yaml", before), ("after.yaml", after)] {
        fs::write(path(name), text).unwrap();
    }
    fs::write(path("events.jsonl"), events(script)).unwrap();
    let (before, after) = (path("before.yaml"), path("after.yaml"));
    let (events, models) = (path("events.jsonl"), path("models"));
    let arguments = [
        "backtest",
        "--against",
        &before,
        "--policies",
        &after,
        "--events",
        &events,
        "--models",
        &models,
    ];
    let args = Arguments::try_parse_from(arguments).unwrap().args;
    let (mut out, mut problems) = (Vec::new(), Vec::new());
    let mut comparison = compared(&args, &mut out, &mut problems).unwrap();
    comparison.after.seconds = 0.0;
    comparison.after.events_per_second = 0.0;
    let mut text = String::new();
    for line in String::from_utf8(out).unwrap().lines() {
        text += &short(&serde_json::from_str(line).unwrap());
    }
    expected.assert_eq(&format!("{text}\n{comparison}"));
}

/// Says what changed, for whom, when, what, and why.
fn short(line: &serde_json::Value) -> String {
    let of = |key: &str| line[key].as_str().unwrap_or("-").to_owned();
    let names = [
        "change", "customer", "journey", "channel", "template", "because",
    ];
    let words = names.map(of).join(" ");
    format!("{} {words}\n", &of("at")[11..16])
}

fn events(script: &str) -> String {
    let mut text = String::new();
    for line in script.trim().lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (time, customer) = (words[0], words[1]);
        let product = words[words.len() - 1];
        let event = serde_json::json!({
            "type": "track", "userId": customer, "timestamp": format!("2026-01-31T{time}:00Z"),
            "event": words[2..words.len() - 1].join(" "),
            "properties": { "product_id": product, "products": [{ "product_id": product }] },
        });
        writeln!(text, "{event}").unwrap();
    }
    text
}

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    args: Args,
}
