//! Rule R, "a cart that went quiet", on real shop sessions: a backtest against plain Python without Attune.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use attune::cli::backtest::summary::Summary;
use attune::cli::backtest::{Args, backtest};
use clap::Parser;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use serde::Deserialize;
use tempfile::TempDir;

/// When, who, and which product, if the product is a key.
pub type Fire = (String, String, String);

#[test]
fn otto_carts_that_stay_quiet_for_30_minutes_fire() {
    check_otto("30m", "user");
    check_otto("30m", "item");
}

#[test]
fn otto_carts_that_stay_quiet_for_1_hour_fire() {
    check_otto("1h", "user");
    check_otto("1h", "item");
}

#[test]
fn otto_carts_that_stay_quiet_for_24_hours_fire() {
    check_otto("24h", "user");
    check_otto("24h", "item");
}

#[test]
fn events_that_are_delivered_twice_change_nothing() {
    for (quiet, key) in [("30m", "user"), ("1h", "item"), ("24h", "item")] {
        let once = Backtest::of_otto(quiet, key).run();
        let twice = Backtest::of_otto(quiet, key);
        twice.write(&doubled(&otto()));
        let twice = twice.run();
        assert_eq!(twice.out, once.out, "{quiet} {key}");
        assert_eq!(
            twice.summary.journeys, once.summary.journeys,
            "{quiet} {key}"
        );
        assert_eq!(
            (twice.summary.events, twice.summary.duplicates),
            (1_724, 862)
        );
    }
}

#[test]
fn customers_on_disk_decide_as_those_in_memory() {
    for key in ["user", "item"] {
        let unlimited = Backtest::of_otto("1h", key).run();
        for customers_max in ["1", "2", "7"] {
            let mut spilled = Backtest::of_otto("1h", key);
            spilled.more.extend(["--customers-max", customers_max]);
            let spilled = spilled.run();
            assert_eq!(spilled.out, unlimited.out, "{key} {customers_max}");
            assert_eq!(counted(spilled.summary), counted(unlimited.summary.clone()));
        }
    }
}

#[test]
fn packed_and_plain_events_read_the_same() {
    let plain = Backtest::of_otto("1h", "item").run();
    let packed = Backtest::of_otto("1h", "item");
    // Two members, as `cat a.gz b.gz` makes them.
    let text = otto();
    let middle = text[..text.len() / 2].rfind('\n').unwrap() + 1;
    let (first, second) = text.split_at(middle);
    packed.write_bytes(&[pack(first), pack(second)].concat());
    assert_eq!(packed.run().out, plain.out);
}

#[test]
fn lines_that_are_no_events_are_named_counted_and_stepped_over() {
    let good = Backtest::of_otto("1h", "user").run();
    let mut lines: Vec<String> = otto().lines().map(str::to_owned).collect();
    lines.insert(0, String::new());
    lines.insert(
        1,
        r#"{"type":"track","userId":"u","event":"Seen before time began"}"#.into(),
    );
    lines.insert(3, "not JSON".into());
    lines.insert(
        4,
        format!(r#"{{"type":"track","userId":"{}"}}"#, "u".repeat(1 << 20)),
    );
    lines.extend((0..20).map(|_| r#"{"type":"track"}"#.to_owned()));
    let bad = Backtest::of_otto("1h", "user");
    bad.write(&lines.join("\r\n"));
    let bad = bad.run();
    assert_eq!(bad.out, good.out);
    assert_eq!((bad.summary.events, bad.summary.undecodable), (862, 23));
    let shown: Vec<&str> = bad.problems.lines().collect();
    assert_eq!(shown.len(), 10, "{}", bad.problems);
    assert_eq!(
        shown[0],
        "line 2: no `timestamp`, and no event before that has one"
    );
    assert!(
        shown[1].starts_with("line 4: not an event: "),
        "{}",
        shown[1]
    );
    assert_eq!(shown[2], "line 5: more than 262144 bytes");
    assert_eq!(shown[3], "line 867: a track event has no `event`");
}

#[test]
fn an_event_that_comes_late_is_handled_at_the_time_of_the_clock() {
    let events = [
        ("a", "Product Added", "10:00"),
        ("b", "Product Viewed", "10:30"),
        ("b", "Product Added", "09:00"),
        ("b", "Product Viewed", "11:31"),
    ];
    let late = Backtest::new("1h", "user");
    late.write(&script(&events));
    let late = late.run();
    assert_eq!(late.summary.out_of_order, 1);
    assert_eq!(fired(&late.out), [fire("11:00", "a"), fire("11:30", "b")]);
}

#[test]
fn timers_of_one_time_fire_by_customer_and_after_the_events_of_that_time() {
    let events = [
        ("b", "Product Added", "10:00"),
        ("c", "Product Added", "10:00"),
        ("a", "Product Added", "10:00"),
        ("c", "Order Completed", "11:00"),
        ("d", "Product Viewed", "11:00"),
    ];
    let mut open = Backtest::new("1h", "user");
    open.write(&script(&events));
    let ended = open.run();
    assert_eq!(ended.out, "");
    assert_eq!(ended.summary.journeys["rule-r"].open, 2);
    open.more.extend(["--until", "2026-01-31T11:00:00.001Z"]);
    let ended = open.run();
    assert_eq!(fired(&ended.out), [fire("11:00", "a"), fire("11:00", "b")]);
    assert_eq!(ended.summary.journeys["rule-r"].open, 0);
}

/// The nine days of Taobao may not be passed on, so they are not in the repository (`tests/data/README.md`).
#[test]
fn taobao_carts_that_stay_quiet_fire() {
    let Some(events) = taobao() else { return };
    let expected = [
        ("30m", "user", [2_653, 177, 9]),
        ("1h", "user", [2_483, 206, 19]),
        ("24h", "user", [906, 499, 243]),
        ("30m", "item", [4_400, 52, 14]),
        ("1h", "item", [4_362, 61, 40]),
        ("24h", "item", [3_664, 179, 589]),
    ];
    for (quiet, key, counts) in expected {
        let once = Backtest::new(quiet, key);
        once.write(&events);
        let oracle = oracle(&once.events(), quiet, key);
        let once = once.run();
        assert_eq!(once.summary.events, 84_252);
        assert_eq!(counts_of(&once.summary), counts, "{quiet} {key}");
        oracle.agrees(&once);
        if quiet == "1h" {
            let mut twice = Backtest::new(quiet, key);
            twice.write(&doubled(&events));
            twice.more.extend(["--customers-max", "100"]);
            assert_eq!(twice.run().out, once.out, "{key}, delivered twice");
        }
    }
}

/// Compares the counts and every firing with what `tests/data/rule_r.py` found.
fn check_otto(quiet: &str, key: &str) {
    of_file(quiet, key).agrees(&Backtest::of_otto(quiet, key).run());
}

fn of_file(quiet: &str, key: &str) -> Expected {
    let path = data().join(format!("otto_rule_r_{quiet}_{key}.json"));
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// What the sessions of OTTO must lead to.
pub fn expected_of_otto(quiet: &str, key: &str) -> BTreeSet<Fire> {
    let fires = of_file(quiet, key).fires.into_iter();
    fires
        .map(|fire| (fire.at, fire.customer, fire.key.unwrap_or_default()))
        .collect()
}

#[derive(Deserialize)]
struct Expected {
    fire: u64,
    cancelled: u64,
    open: u64,
    fires: Vec<ExpectedFire>,
}

#[derive(Deserialize)]
struct ExpectedFire {
    at: String,
    customer: String,
    key: Option<String>,
}

impl Expected {
    fn agrees(self, ended: &Ended) {
        let counts = [self.fire, self.cancelled, self.open];
        assert_eq!(counts_of(&ended.summary), counts, "fire, cancelled, open");
        let expected: Vec<Fire> = self
            .fires
            .into_iter()
            .map(|fire| (fire.at, fire.customer, fire.key.unwrap_or_default()))
            .collect();
        // Products of one customer that are due together leave in the order in which their timers began.
        let mut found = fired(&ended.out);
        assert!(found.is_sorted_by_key(|(at, customer, _)| (at.clone(), customer.clone())));
        found.sort();
        assert_eq!(found, expected);
        let ids: BTreeSet<String> = ended
            .out
            .lines()
            .map(|line| text(&parse(line), "action_id"))
            .collect();
        assert_eq!(ids.len(), expected.len(), "no action id twice");
    }
}

/// A backtest and what it needs, in a folder of its own.
struct Backtest {
    folder: TempDir,
    more: Vec<&'static str>,
}

/// How a backtest ended.
struct Ended {
    out: String,
    problems: String,
    summary: Summary,
}

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    args: Args,
}

impl Backtest {
    fn new(quiet: &str, key: &str) -> Self {
        let policy = policy(quiet, key);
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("policies")).unwrap();
        fs::write(folder.path().join("policies/rule-r.yaml"), policy).unwrap();
        Self {
            folder,
            more: Vec::new(),
        }
    }

    fn of_otto(quiet: &str, key: &str) -> Self {
        let backtest = Self::new(quiet, key);
        backtest.write(&otto());
        backtest
    }

    fn events(&self) -> PathBuf {
        self.folder.path().join("events.jsonl")
    }

    fn write(&self, events: &str) {
        self.write_bytes(events.as_bytes());
    }

    fn write_bytes(&self, events: &[u8]) {
        fs::write(self.events(), events).unwrap();
    }

    fn run(&self) -> Ended {
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        let (policies, models) = (path("policies"), path("models"));
        let events = path("events.jsonl");
        let own = [
            "backtest",
            "--policies",
            &policies,
            "--models",
            &models,
            "--events",
            &events,
        ];
        let arguments = own.into_iter().chain(self.more.iter().copied());
        let args = Arguments::try_parse_from(arguments).unwrap().args;
        let (mut out, mut problems) = (Vec::new(), Vec::new());
        let summary = backtest(&args, &mut out, &mut problems).unwrap();
        Ended {
            out: String::from_utf8(out).unwrap(),
            problems: String::from_utf8(problems).unwrap(),
            summary,
        }
    }
}

fn counts_of(summary: &Summary) -> [u64; 3] {
    let rule = &summary.journeys["rule-r"];
    let fire = rule.exits.get("completed").copied().unwrap_or(0);
    assert_eq!(fire, rule.actions.get("email").copied().unwrap_or(0));
    let cancelled = rule.exits.get("converted").copied().unwrap_or(0);
    assert_eq!(fire + cancelled + rule.open, rule.entries, "{rule:?}");
    [fire, cancelled, rule.open]
}

/// What does not depend on the speed of the machine.
fn counted(summary: Summary) -> Summary {
    Summary {
        seconds: 0.0,
        events_per_second: 0.0,
        ..summary
    }
}

fn fired(out: &str) -> Vec<Fire> {
    let read = |line| {
        let action = parse(line);
        (
            text(&action, "at"),
            text(&action, "customer"),
            text(&action, "key"),
        )
    };
    out.lines().map(read).collect()
}

fn fire(at: &str, customer: &str) -> Fire {
    (
        format!("2026-01-31T{at}:00.000Z"),
        customer.into(),
        String::new(),
    )
}

fn script(events: &[(&str, &str, &str)]) -> String {
    let mut text = String::new();
    for (customer, name, at) in events {
        let at = format!("2026-01-31T{at}:00Z");
        let event = serde_json::json!({
            "type": "track", "userId": customer, "event": name, "timestamp": at,
            "properties": { "product_id": "1", "products": [{ "product_id": "1" }] },
        });
        writeln!(text, "{event}").unwrap();
    }
    text
}

fn parse(line: &str) -> serde_json::Value {
    serde_json::from_str(line).unwrap()
}

fn text(action: &serde_json::Value, name: &str) -> String {
    action[name].as_str().unwrap().to_owned()
}

/// Every line twice, one behind the other.
fn doubled(events: &str) -> String {
    events
        .lines()
        .fold(String::new(), |all, line| all + line + "\n" + line + "\n")
}

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

/// Real sessions of the OTTO shop, as JSON lines.
pub fn otto() -> String {
    let packed = fs::File::open(data().join("otto.jsonl.gz")).unwrap();
    std::io::read_to_string(MultiGzDecoder::new(packed)).unwrap()
}

/// Rule R as a policy.
pub fn policy(quiet: &str, key: &str) -> String {
    let policy = data().join(format!("policies/rule-r-{key}.yaml"));
    let policy = fs::read_to_string(policy).unwrap();
    assert!(policy.contains("quiet: 1h"));
    policy.replace("quiet: 1h", &format!("quiet: {quiet}"))
}

fn pack(text: &str) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap()
}

/// The events of Taobao, if the table is beside the repository.
pub fn taobao() -> Option<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let table = folder.join("taobao_users_9days.csv.gz");
    if !table.is_file() {
        return None;
    }
    let folder = TempDir::new().unwrap();
    let events = folder.path().join("taobao.jsonl");
    let mut convert = python("convert.py");
    run(convert.arg("taobao").arg(table).arg(&events));
    Some(fs::read_to_string(events).unwrap())
}

fn oracle(events: &Path, quiet: &str, key: &str) -> Expected {
    let mut oracle = python("rule_r.py");
    let oracle = oracle
        .arg(events)
        .args(["--quiet", quiet, "--key", key, "--fires"]);
    serde_json::from_slice(&run(oracle)).unwrap()
}

fn python(script: &str) -> Command {
    let mut command = Command::new("python3");
    command.arg(data().join(script));
    command
}

fn run(command: &mut Command) -> Vec<u8> {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}
