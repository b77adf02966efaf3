//! Logs and policies as text in, values and complaints out; and the public data, where it is.

mod folder;

use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser;
use expect_test::{Expect, expect};
use serde_json::Value;

use super::{Args, Shown, value};
use crate::cli::{Arguments, Command};

const LOG: &str = "action,reward,probability
red,1,0.5
blue,0,0.5
red,0,0.8
blue,1,0.2
";

const OWN: &str = r#"{"decision_id":"d1","customer":"a","placement":"hero","offers":[{"offer":"x","probability":0.5}],"losers":[{"offer":"y","reason":"OUTRANKED"},{"offer":"z","reason":"CAP"}],"decided_at":"2026-01-01T00:00:00Z"}
{"decision_id":"d2","customer":"b","placement":"hero","offers":[{"offer":"y","probability":0.25}],"losers":[{"offer":"x","reason":"OUTRANKED"}],"decided_at":"2026-01-01T00:00:00Z"}
{"decision_id":"d3","customer":"b","placement":"side","offers":[{"offer":"y","probability":1}],"losers":[],"decided_at":"2026-01-01T00:00:00Z"}
{"decision_id":"d4","customer":"c","placement":"hero","offers":[{"offer":"x","probability":0.5}],"losers":[{"offer":"y","reason":"OUTRANKED"}],"decided_at":"2026-01-01T00:00:00Z"}
{"type":"track","event":"Offer Clicked","userId":"a","timestamp":"2026-01-02T00:00:00Z","properties":{"decision_id":"d1"}}
{"type":"track","event":"Offer Clicked","userId":"b","timestamp":"2026-01-09T00:00:00Z","properties":{"decision_id":"d2","offer":"y"}}
{"type":"track","event":"Offer Clicked","userId":"c","timestamp":"2026-01-02T00:00:00Z","properties":{"decision_id":"d4","offer":"other"}}
"#;

#[test]
fn a_table_of_four_rows_is_shown() {
    shows(
        LOG,
        &["--policy", "uniform"],
        &expect![[r#"
        log     log: 4 rows, 2 actions; mean reward 0.500000 ± 0.288675
        policy  uniform

                       value  std. error   95% interval              of the log
        IPS         0.875000    0.590727   -0.282825 to 2.032825        +75.0 %
        SNIPS       0.682927    0.229005   0.234077 to 1.131776         +36.6 %
        DR          0.734375    0.402122   -0.053785 to 1.522535        +46.9 %

        effective sample size  3 of 4 rows (76.0 %)
        weights                mean 1.281, largest 2.5
        support                the log made 100.00 % of the policy's choices
        reward model of DR     means drawn to the mean of the position with the weight of 2 rows
        warning: the 4 rows tell as much as 3 of the policy itself would: it does other things than the log
    "#]],
    );
}

#[test]
fn a_log_of_one_row_has_no_errors() {
    shows(
        "action,reward,probability\nred,1,0.5\n",
        &["--policy", "POLICY:action,prob\nred,0.9\nblue,0.1\n"],
        &expect![[r#"
            log     log: 1 row, 2 actions; mean reward 1.000000 ± -
            policy  policy.csv

                           value  std. error   95% interval              of the log
            IPS         1.800000           -   -                            +80.0 %
            SNIPS       1.000000           -   -                             +0.0 %
            DR          1.000000           -   -                             +0.0 %

            effective sample size  1 of 1 row (100.0 %)
            weights                mean 1.800, largest 1.8
            support                the log made 90.00 % of the policy's choices
            reward model of DR     means drawn to the mean of the position with the weight of 1 row
            warning: 10.0% of the policy's choices were never made in this log, which says nothing about them
        "#]],
    );
}

#[test]
fn a_policy_that_the_log_never_followed_is_refused() {
    shows(
        "action,reward,probability\nred,1,1\nred,0,1\n",
        &["--policy", "POLICY:action,prob\nred,0.1\nblue,0.9\n"],
        &expect![[r#"
            log     log: 2 rows, 2 actions; mean reward 0.500000 ± 0.500000
            policy  policy.csv

            effective sample size  2 of 2 rows (100.0 %)
            weights                mean 0.100, largest 0.1
            support                the log made 10.00 % of the policy's choices
            reward model of DR     means drawn to the mean of the position with the weight of 2 rows
            refused: 90.0% of the policy's choices were never made in this log, which says nothing about them
        "#]],
    );
}

#[test]
fn decisions_of_the_engine_are_joined_with_their_outcomes() {
    // d1 was clicked, d2 too late, d4 for another offer: one reward in three, at the placement asked for.
    shows(
        OWN,
        &["--policy", "always:x", "--placement", "hero"],
        &expect![[r#"
            log     log: 3 rows, 2 actions; mean reward 0.333333 ± 0.333333
            policy  always:x

                           value  std. error   95% interval              of the log
            IPS         0.666667    0.666667   -0.640000 to 1.973333       +100.0 %
            SNIPS       0.500000    0.353553   -0.192965 to 1.192965        +50.0 %
            DR          0.533333    0.581187   -0.605792 to 1.672459        +60.0 %

            effective sample size  2 of 3 rows (66.7 %)
            weights                mean 1.333, largest 2.0
            support                the log made 100.00 % of the policy's choices
            reward model of DR     means drawn to the mean of the position with the weight of 3 rows
            warning: the 3 rows tell as much as 2 of the policy itself would: it does other things than the log
        "#]],
    );
}

#[test]
fn what_cannot_be_used_is_said_by_line_and_nothing_is_left_out() {
    let bad = "action,reward,probability
red,1,0
red,x,0.5
,1,0.5
red,NaN,0.5
red,1
red,1,NaN
red,1,1.5
red,\"1,0.5
red,1,0.5
";
    // All that is wrong is said, not the first.
    fails(
        "action,reward\nred,1\n",
        &["--policy", "/nope", "--truth", "/neither"],
        &expect![[r#"
            `log` is not a log of choices: name the column with `--probability`: there is no column `probability` (there are action, reward)
            error: `/nope` is no policy: neither `uniform` nor `always:ACTION`, and there is no such folder of policies, nor a CSV file with action and probability
            error: cannot read `/neither`: No such file or directory (os error 2)
        "#]],
    );
    fails(
        bad,
        &["--policy", "uniform"],
        &expect![[r#"
            `log`: the log has lines that cannot be used:
              line 2: probability 0, and yet it was chosen
              line 3: reward `x` is not a number
              line 4: no action
              line 5: reward `NaN` is not a number
              line 6: fields: 2 instead of 3
              and 3 more
        "#]],
    );
}

#[test]
fn files_that_are_no_logs_are_refused() {
    fails(
        "",
        &["--policy", "uniform"],
        &expect![[r#"
        `log` is empty
    "#]],
    );
    fails(
        "action,reward,probability\n",
        &["--policy", "uniform"],
        &expect![[r#"
            `log`: the log has no choices
        "#]],
    );
    fails(
        "acton,reward,probability\na,1,1\n",
        &["--policy", "uniform"],
        &expect![[r#"
            `log` is not a log of choices: name the column with `--action`: there is no column `action`, did you mean `acton`? (there are acton, reward, probability)
        "#]],
    );
    fails(
        LOG,
        &["--policy", "uniform", "--reward", "rewrd"],
        &expect![[r#"
            `log` is not a log of choices: there is no column `rewrd`, did you mean `reward`? (there are action, reward, probability)
        "#]],
    );
    fails(
        LOG,
        &["--policy", "uniform", "--probability", "0"],
        &expect![[r#"
            `log` is not a log of choices: probability 0, and yet it was chosen
        "#]],
    );
    fails(
        LOG,
        &["--policy", "uniform", "--context", "age,red"],
        &expect![[r#"
            `log` is not a log of choices: there is no column `age` (there are action, reward, probability)
        "#]],
    );
    fails(
        "{\"decision_id\":\"d\"\n{\"a\":1}\n",
        &["--policy", "uniform"],
        &expect![[r#"
            `log`: the log has lines that cannot be used:
              line 1: neither a decision nor an event in JSON: EOF while parsing an object at line 1 column 18
              line 2: neither a decision nor an event
        "#]],
    );
    fails(
        "{\"decision_id\":\"d\",\"placement\":\"p\",\"offers\":[{\"offer\":\"x\",\"reward\":1}],\"decided_at\":\"2026-01-01T00:00:00Z\"}\n",
        &["--policy", "uniform"],
        &expect![[r#"
            `log`: the log has lines that cannot be used:
              line 1: `x` has no probability
        "#]],
    );
}

#[test]
fn a_log_without_outcomes_is_not_one_in_which_nobody_clicked() {
    let hint = &expect![[r#"
        no event `Offer Clickd` names a decision: is `--event` right, or is `--outcomes` missing?
    "#]];
    let uniform = ["--policy", "uniform", "--placement", "hero", "--event"];
    fails(OWN, &[&uniform[..], &["Offer Clickd"]].concat(), hint);
    // What came of a decision may stand in itself.
    let rewarded = OWN.replace("\"probability\"", "\"reward\":0,\"probability\"");
    shows(
        &rewarded,
        &[&uniform[..], &["Offer Clickd"]].concat(),
        &expect![[r#"
            log     log: 3 rows, 2 actions; mean reward 0.000000 ± 0.000000
            policy  uniform

                           value  std. error   95% interval              of the log
            IPS         0.000000    0.000000   0.000000 to 0.000000               -
            SNIPS       0.000000    0.000000   0.000000 to 0.000000               -
            DR          0.000000    0.000000   0.000000 to 0.000000               -

            effective sample size  3 of 3 rows (88.9 %)
            weights                mean 1.333, largest 2.0
            support                the log made 100.00 % of the policy's choices
            reward model of DR     means drawn to the mean of the position with the weight of 3 rows
            warning: the 3 rows tell as much as 3 of the policy itself would: it does other things than the log
        "#]],
    );
}

#[test]
fn a_damaged_file_of_outcomes_is_refused() {
    let with = |line: &str, expected: &Expect| {
        let good = OWN.lines().last().unwrap();
        let outcomes = format!("OUTCOMES:{good}\n{line}\n");
        fails(
            OWN,
            &["--policy", "uniform", "--outcomes", &outcomes],
            expected,
        );
    };
    with(
        "{\"event\":",
        &expect![[r#"
        `outcomes` line 2: neither a decision nor an event in JSON: EOF while parsing a value at line 1 column 9
    "#]],
    );
    with(
        r#"{"event":"Offer Clicked","timestamp":"soon","properties":{"decision_id":"d1"}}"#,
        &expect![[r#"
            `outcomes` line 2: `timestamp` is `soon`, which is no time
        "#]],
    );
    with(
        r#"{"event":"Offer Clicked","properties":{"decision_id":"d1"}}"#,
        &expect![[r#"
            `outcomes` line 2: no `timestamp`
        "#]],
    );
    with(
        r#"{"event":"Offer Clicked","timestamp":"2026-01-02T00:00:00Z","properties":{"decision_id":1}}"#,
        &expect![[r#"
            `outcomes` line 2: not an outcome: invalid type: integer `1`, expected a string at line 1 column 16
        "#]],
    );
    // What other events say is nobody's business here, nor is a click that names no decision.
    let others = r#"{"event":"Viewed","timestamp":"soon","properties":{"decision_id":1,"offer":{}}}
{"event":"Offer Clicked","properties":{}}
{"type":"identify","traits":{}}"#;
    let asked = ["--policy", "uniform", "--outcomes"];
    json(
        OWN,
        &[&asked[..], &[&format!("OUTCOMES:{others}")]].concat(),
    );
}

#[test]
fn flags_that_do_not_apply_are_refused() {
    for flag in ["--placement", "--event", "--within", "--outcomes"] {
        let value = if flag == "--within" { "1d" } else { "x" };
        let why = why(LOG, &["--policy", "uniform", flag, value]);
        let start = format!("`{flag}` is for a log of decisions, and `log` is a table");
        assert!(why.starts_with(&start), "{why}");
    }
    for flag in [
        "--action",
        "--reward",
        "--probability",
        "--position",
        "--context",
    ] {
        let why = why(OWN, &["--policy", "uniform", flag, "x"]);
        let start = format!("`{flag}` names a column of a table, and `log` is a log of decisions");
        assert!(why.starts_with(&start), "{why}");
    }
    for policy in ["uniform", "always:red"] {
        let why = why(LOG, &["--policy", policy, "--policy-where", "a=b"]);
        let all = format!("`--policy-where` picks lines of a table, and `{policy}` is none\n");
        assert_eq!(why, all);
    }
}

#[test]
fn policies_that_do_not_fit_the_log_are_refused() {
    fails(
        LOG,
        &["--policy", "always:rid"],
        &expect![[r#"
        the log has no action `rid`, did you mean `red`?
    "#]],
    );
    fails(
        OWN,
        &["--policy", "uniform", "--placement", "heor"],
        &expect![[r#"
            `log`, placement `heor`: the log has no choices
        "#]],
    );
    fails(
        LOG,
        &["--policy", "policies/limits.yaml"],
        &expect![[r#"
        `policies/limits.yaml` is one file of policies: name the folder that it lies in, with all that it refers to
    "#]],
    );
    fails(
        LOG,
        &["--policy", "nothing.csv"],
        &expect![[r#"
            `nothing.csv` is no policy: neither `uniform` nor `always:ACTION`, and there is no such folder of policies, nor a CSV file with action and probability
        "#]],
    );
    fails(
        LOG,
        &["--policy", "POLICY:action,prob\nred,0.5\nblue,0.4\n"],
        &expect![[r#"
            `policy.csv` is not a policy for this log: its probabilities sum to 0.9000, not 1
        "#]],
    );
    fails(
        LOG,
        &["--policy", "POLICY:action,prob\nred,1\nred,1\n"],
        &expect![[r#"
            `policy.csv` is not a policy for this log: action `red` stands there twice: pick its lines with `--policy-where COLUMN=VALUE`
        "#]],
    );
}

#[test]
fn tables_of_probabilities_that_are_wrong_are_refused() {
    fails(
        LOG,
        &["--policy", "POLICY:action,prob\nred,-1\n"],
        &expect![[r#"
            `policy.csv` line 2: probability -1 is not in [0, 1]
        "#]],
    );
    fails(
        LOG,
        &["--policy", "POLICY:action,prob\nred\n"],
        &expect![[r#"
            `policy.csv` line 2: fields: 1 instead of 2
        "#]],
    );
    fails(
        LOG,
        &["--policy", "POLICY:action\nred\n"],
        &expect![[r#"
        `policy.csv` has no column `probability` or `prob` or `pscore`
    "#]],
    );
    fails(
        LOG,
        &[
            "--policy",
            "POLICY:action,prob\nred,1\n",
            "--policy-where",
            "campain=all",
        ],
        &expect![[r#"
            `policy.csv` has no column `campain`
        "#]],
    );
    fails(
        "action,reward,probability,position\nred,1,1,left\n",
        &["--policy", "POLICY:action,prob,position\nred,1,right\n"],
        &expect![[r#"
            `policy.csv` is not a policy for this log: it says nothing at position `left`, where the log has choices
        "#]],
    );
}

#[test]
fn a_share_is_the_probability_in_a_randomised_trial() {
    let arm = |idx: usize| ["mens", "womens", "none"][idx % 3];
    let row = |idx| format!("{},{}\n", arm(idx), u8::from(idx % 7 == 0));
    let log = "segment,visit\n".to_owned() + &(0..300).map(row).collect::<String>();
    let columns = ["--action", "segment", "--reward", "visit", "--probability"];
    for probability in ["share", "1/3"] {
        let json = json(
            &log,
            &[&columns[..], &[probability, "--policy", "always:mens"]].concat(),
        );
        // The rows of the arm are those with an index of 0, 3, 6, …; every 21st was rewarded.
        near(&json["ips"]["value"], 0.15);
        near(&json["snips"]["value"], 0.15);
        near(&json["effective_sample_size"], 100.0);
    }
}

#[test]
fn open_bandit_is_valued_as_published() {
    let Some(data) = shared() else { return };
    let of = |file: &str| data.join(file).display().to_string();
    let (policy, truth) = (of("obd_bts_policy.csv"), of("obd_bts_all.csv.gz"));
    let only = ["--policy-where", "campaign=all"];
    let random = json_of(
        &of("obd_random_all.csv.gz"),
        &[&["--policy", &policy, "--truth", &truth], &only[..]].concat(),
    );
    near_to(&random["ips"]["value"], 0.004_552_64, 1e-6);
    near_to(&random["snips"]["value"], 0.004_776_04, 1e-6);
    near_to(&random["dr"]["value"], 0.004_716, 1e-6);
    near_to(&random["ips"]["relative_error"], 0.084, 5e-4);
    near_to(&random["truth"]["mean_reward"], 0.004_2, 1e-9);

    let bts = json_of(&truth, &["--policy", "uniform"]);
    near_to(&bts["effective_sample_size"], 340.0, 0.5);
    near_to(&bts["weight_max"], 277.8, 0.05);
    assert_eq!(bts["concerns"][0]["code"], "few_effective_rows");
}

#[test]
fn the_fixed_policies_of_hillstroms_trial_are_worth_their_arms() {
    let Some(data) = shared() else { return };
    let log = data.join("hillstrom_email.csv.gz").display().to_string();
    let arms = ["No E-Mail", "Mens E-Mail", "Womens E-Mail"];
    for reward in ["visit", "conversion", "spend"] {
        let asked = |policy: &str| {
            let columns = ["--action", "segment", "--probability", "share"];
            json_of(
                &log,
                &[&columns[..], &["--reward", reward, "--policy", policy]].concat(),
            )
        };
        let means = arms.map(|arm| mean(&log, arm, reward));
        for (arm, mean) in arms.iter().zip(means) {
            let of = asked(&format!("always:{arm}"));
            near_to(&of["ips"]["value"], mean, 1e-9);
            near_to(&of["snips"]["value"], mean, 1e-9);
        }
        near_to(
            &asked("uniform")["ips"]["value"],
            means.iter().sum::<f64>() / 3.0,
            1e-9,
        );
    }
}

/// The mean of a column over the rows of an arm, counted here.
fn mean(log: &str, arm: &str, reward: &str) -> f64 {
    let mut lines = crate::cli::backtest::lines::Lines::open(Path::new(log)).unwrap();
    let mut fields = || {
        let line = lines.take_next().unwrap()?;
        let text = std::str::from_utf8(line.bytes).unwrap();
        let fields = crate::cli::csv::split(text).unwrap();
        Some(fields.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    let header = fields().unwrap();
    let place = |name: &str| header.iter().position(|column| column == name).unwrap();
    let (segment, reward) = (place("segment"), place(reward));
    let (mut n, mut sum) = (0.0, 0.0);
    while let Some(fields) = fields() {
        if fields[segment] == arm {
            n += 1.0;
            sum += fields[reward].parse::<f64>().unwrap();
        }
    }
    sum / n
}

/// The folder of public data, if it lies beside the project.
fn shared() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    folder.is_dir().then_some(folder)
}

fn shows(log: &str, arguments: &[&str], expected: &Expect) {
    let page = on(log, arguments, |args| {
        let valued = value(args).unwrap();
        Shown { args, of: &valued }.human()
    });
    expected.assert_eq(&page);
}

fn fails(log: &str, arguments: &[&str], expected: &Expect) {
    expected.assert_eq(&why(log, arguments));
}

fn why(log: &str, arguments: &[&str]) -> String {
    on(log, arguments, |args| {
        format!("{:#}\n", value(args).err().expect("an error"))
    })
}

fn json(log: &str, arguments: &[&str]) -> Value {
    on(log, arguments, shown)
}

fn json_of(log: &str, arguments: &[&str]) -> Value {
    let words = ["attune", "evaluate", log].into_iter();
    shown(&parse(words.chain(arguments.iter().copied())))
}

fn shown(args: &Args) -> Value {
    let valued = value(args).unwrap();
    Shown { args, of: &valued }.json()
}

/// Writes the log, and a policy that stands among the arguments, to a folder that does not show.
fn on<T>(log: &str, arguments: &[&str], run: impl FnOnce(&Args) -> T) -> T
where
    T: Hide,
{
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    fs::write(path("log"), log).unwrap();
    let mut words = vec!["attune".to_owned(), "evaluate".to_owned(), path("log")];
    for argument in arguments {
        match argument.split_once(':') {
            Some(("FOLDER", text)) => {
                fs::create_dir_all(path("next")).unwrap();
                fs::write(path("next/p.yaml"), text).unwrap();
                words.extend([path("next"), "--models".into(), path("models")]);
            }
            Some((what @ ("POLICY" | "OUTCOMES"), text)) => {
                let name = if what == "POLICY" {
                    "policy.csv"
                } else {
                    "outcomes"
                };
                fs::write(path(name), text).unwrap();
                words.push(path(name));
            }
            Some(_) | None => words.push((*argument).to_owned()),
        }
    }
    run(&parse(words)).hide(&format!("{}/", folder.path().display()))
}

fn parse(words: impl IntoIterator<Item = impl Into<std::ffi::OsString> + Clone>) -> Args {
    let Command::Evaluate(args) = Arguments::parse_from(words).command else {
        panic!("another command");
    };
    args
}

trait Hide {
    fn hide(self, folder: &str) -> Self;
}

impl Hide for String {
    fn hide(self, folder: &str) -> Self {
        self.replace(folder, "")
    }
}

impl Hide for Value {
    fn hide(self, _: &str) -> Self {
        self
    }
}

fn near(is: &Value, should_be: f64) {
    near_to(is, should_be, 1e-9);
}

fn near_to(is: &Value, should_be: f64, by: f64) {
    let is = is.as_f64().unwrap();
    assert!((is - should_be).abs() <= by, "{is} is not {should_be}");
}
