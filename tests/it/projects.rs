//! What `attune init` writes works from the first command on.

use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Output};

use expect_test::{Expect, expect};

#[test]
fn a_shop_works_from_the_first_command_on() {
    check_project(
        "shop",
        &expect![[r#"
        2026-01-05 anna email cart-nudge
        2026-01-06 cleo email cart-nudge
        2026-01-06 anna email cart-last-call
        2026-01-07 cleo email cart-last-call
        2026-01-07 fina email cart-nudge
        2026-01-08 fina email cart-last-call
        2026-01-17 dora email review-request
        2026-01-17 emil email review-request
    "#]],
    );
}

#[test]
fn a_software_product_works_from_the_first_command_on() {
    check_project(
        "saas",
        &expect![[r#"
        2026-01-07 emil email first-project
        2026-01-07 cleo email trial-offer
        2026-01-08 fina email trial-help
        2026-01-09 emil email trial-help
        2026-01-09 hana email trial-offer
        2026-01-15 cleo email trial-ends
        2026-01-15 dora email trial-ends
        2026-01-17 emil email trial-ends
        2026-01-17 hana email trial-ends
        2026-01-21 anna email what-is-missing
        2026-01-22 fina email what-is-missing
        2026-02-08 fina email payment-failed
        2026-02-10 anna email payment-failed
        2026-02-11 fina email payment-reminder
    "#]],
    );
}

#[test]
fn a_bank_works_from_the_first_command_on() {
    check_project(
        "bank",
        &expect![[r#"
        2026-01-09 cleo email deposit-offer
        2026-01-09 bert sms card-declined
        2026-01-12 cleo sms card-declined
        2026-01-19 anna inbox rate-reminder
        2026-01-19 cleo inbox rate-reminder
        2026-01-22 fina inbox rate-reminder
        2026-03-06 dora inbox deposit-matures
    "#]],
    );
}

/// Runs the commands of a template's README, and compares what a backtest of its events sends.
fn check_project(template: &str, sent: &Expect) {
    let dir = tempfile::tempdir().unwrap();
    attune(dir.path(), &["init", "--template", template]);
    let refused = run(dir.path(), &["init", "--template", template]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");

    attune(dir.path(), &["check", "--deny-warnings"]);
    attune(dir.path(), &["test"]);
    attune(dir.path(), &["fmt", "--check"]);
    attune(dir.path(), &["fmt", "--check", "attune.yaml"]);
    let events = [
        "--events",
        "events.jsonl",
        "--until",
        "2026-04-01T00:00:00Z",
    ];
    let output = attune(dir.path(), &[&["backtest"], events.as_slice()].concat());
    sent.assert_eq(&actions(&output.stdout));
}

/// Returns when what was sent to whom, an action a line.
fn actions(lines: &[u8]) -> String {
    let mut actions = String::new();
    for line in String::from_utf8_lossy(lines).lines() {
        let action: serde_json::Value = serde_json::from_str(line).unwrap();
        let word = |key: &str| action[key].as_str().unwrap().to_owned();
        let day = word("at").chars().take(10).collect::<String>();
        let (customer, channel) = (word("customer"), word("channel"));
        let _ = writeln!(actions, "{day} {customer} {channel} {}", word("template"));
    }
    actions
}

fn attune(dir: &Path, arguments: &[&str]) -> Output {
    let output = run(dir, arguments);
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    output
}

fn run(dir: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_attune"));
    command.args(arguments).current_dir(dir);
    command.output().unwrap()
}
