//! Drift raises an alarm, and a world that stays as it is does not.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::Read;
use std::path::Path;

use expect_test::expect;
use proptest::prelude::*;

use super::{Baseline, Promise, Watch, stability};
use crate::domain::{Cell, Dice as Seeded, Score, Timestamp};
use crate::policy::model::Drift;
use crate::scoring::{InputSpec, Kind};

/// How many rows the model is trained on.
const TRAINED: usize = 16_000;

/// A row, and whether the customer said yes.
type Call = (Vec<Cell>, bool);

#[test]
fn calls_in_date_order_raise_every_alarm() {
    let Some((inputs, calls)) = bank() else {
        return;
    };
    let alarms = watched(&inputs, &calls);
    // The rows that raise them first: the economy is another one in the first window, and of the next 3,000 calls one
    // and a half times as many are answered yes as in the training; later it is seven times as many.
    let said = format!("{alarms:?}");
    expect!["Alarms { inputs: Some(16999), scores: Some(16999), outcomes: Some(19193) }"]
        .assert_eq(&said);
}

#[test]
fn the_same_calls_shuffled_raise_none() {
    let Some((inputs, mut calls)) = bank() else {
        return;
    };
    shuffle(&mut calls);
    assert_eq!(watched(&inputs, &calls), Alarms::default());
}

#[test]
fn a_made_up_series_raises_the_alarm_where_it_turns_and_not_before() {
    let inputs = [input("a", Kind::Number), input("b", Kind::Text)];
    let mut dice = Dice(Seeded::new(7));
    let mut calls: Vec<Call> = (0..32_000)
        .map(|idx| {
            let late = idx >= 26_000;
            let rate = if late { 0.31 } else { 0.06 };
            let a = dice.next() + if late { 0.5 } else { 0.0 };
            let b = if dice.next() < 0.3 { "x" } else { "y" };
            let cells = vec![Cell::Number(single(a)), Cell::Text(b.into())];
            (cells, dice.next() < rate)
        })
        .collect();
    let alarms = watched(&inputs, &calls);
    for at in [alarms.inputs, alarms.outcomes] {
        let at = at.expect("no alarm");
        assert!((26_000..27_500).contains(&at), "{alarms:?}");
    }
    shuffle(&mut calls);
    assert_eq!(watched(&inputs, &calls), Alarms::default());
}

#[test]
fn a_promise_that_holds_again_ends_its_alarm() {
    let mut promise = Promise::new(0.25, 1_000.0);
    let mut dice = Dice(Seeded::new(3));
    let mut run = |rate: f64, n: usize| {
        for _ in 0..n {
            promise.outcome(0.1, dice.next() < rate);
        }
        promise.standing().broken
    };
    assert!(!run(0.1, 20_000));
    assert!(run(0.3, 500), "three times as many");
    assert!(!run(0.1, 5_000), "as promised again");
    assert!(run(0.02, 3_000), "a fifth of it");
}

#[test]
fn wrong_files_are_refused_in_words() {
    let inputs = [input("a", Kind::Number)];
    let rows = vec![vec![Cell::Number(1.0)], vec![Cell::Number(2.0)]];
    let good = serde_json::to_string(&Baseline::of(&inputs, &rows, &[Some(0.5), None])).unwrap();
    let mut said = format!("{good}\n");
    for (from, to) in [
        ("", ""),
        ("\"version\":1", "\"version\":2"),
        ("\"column\":\"a\"", "\"column\":\"b\""),
        ("[1.0]", "[2.0,1.0]"),
        ("{", "["),
    ] {
        let read = Baseline::read(good.replacen(from, to, 1).as_bytes(), &inputs);
        writeln!(said, "{:?}", read.map(|baseline| baseline.rows)).unwrap();
    }
    expect![[r#"
        {"version":1,"rows":2,"columns":[{"column":"a","histogram":{"bins":{"edges":[1.0]},"counts":[1,1,0]}}],"scores":{"bins":{"edges":[]},"counts":[1,1]}}
        Ok(2)
        Err("its version is 2, this build reads 1")
        Err("its columns are not those of the manifest")
        Err("column `a` has another number of counts than of bins")
        Err("invalid type: string \"version\", expected u32 at line 1 column 10")
    "#]].assert_eq(&said);
}

proptest! {
    #[test]
    fn equal_counts_are_at_no_distance_and_others_at_some(counts in prop::collection::vec(0_u64..1_000, 2..12)) {
        prop_assert!(stability::index(&counts, &counts).abs() < 1e-12);
        let mut other = counts.clone();
        other.rotate_left(1);
        prop_assert!(stability::index(&counts, &other) >= 0.0);
    }
}

/// The rows after the training that raised the alarms first.
#[derive(Debug, Default, PartialEq)]
struct Alarms {
    inputs: Option<usize>,
    scores: Option<usize>,
    outcomes: Option<usize>,
}

/// Trains on the first rows, and watches the others: each is scored, and its answer is known at once.
fn watched(inputs: &[InputSpec], calls: &[Call]) -> Alarms {
    let (training, live) = calls.split_at(TRAINED);
    let model = Rates::of(training);
    let rows: Vec<_> = training.iter().map(|(row, _)| row.clone()).collect();
    let scores: Vec<_> = rows.iter().map(|row| Some(model.score(row))).collect();
    let baseline = Baseline::of(inputs, &rows, &scores);
    let read = serde_json::to_vec(&baseline).unwrap();
    let baseline = Baseline::read(&read, inputs).unwrap();
    let watch = Watch::new("test".into(), Some(baseline), Drift::default());
    let mut alarms = Alarms::default();
    for (idx, (row, yes)) in live.iter().enumerate() {
        let score = model.score(row);
        let at = Timestamp::from_millis(1_000 * i64::try_from(idx).unwrap());
        watch.seen(&[row], &[Score::Value(score)]);
        watch.given(idx as u64, "offer", score, at, at);
        if *yes {
            watch.came(idx as u64, "offer", at);
        }
        let drifted = watch.drifted();
        let place = TRAINED + idx;
        let note = |alarm: &mut Option<usize>, is: bool| {
            if is {
                alarm.get_or_insert(place);
            }
        };
        note(&mut alarms.inputs, drifted.inputs_alarm());
        note(&mut alarms.scores, drifted.scores_alarm());
        note(&mut alarms.outcomes, drifted.outcomes.broken);
    }
    alarms
}

/// A model: the rate of yes among the training rows with the same texts.
struct Rates(BTreeMap<String, (f64, f64)>, f64);

impl Rates {
    fn of(training: &[Call]) -> Self {
        let mut rates = BTreeMap::<String, (f64, f64)>::new();
        let mut all = (0.0, 0.0);
        for (row, yes) in training {
            let yes = f64::from(u8::from(*yes));
            let of = rates.entry(texts(row)).or_default();
            *of = (of.0 + yes, of.1 + 1.0);
            all = (all.0 + yes, all.1 + 1.0);
        }
        Self(rates, all.0 / all.1)
    }

    fn score(&self, row: &[Cell]) -> f64 {
        let (yes, n) = self.0.get(&texts(row)).copied().unwrap_or_default();
        (yes + 50.0 * self.1) / (n + 50.0)
    }
}

fn texts(row: &[Cell]) -> String {
    let texts = row.iter().map(|cell| match cell {
        Cell::Text(text) => text.as_ref(),
        Cell::Number(_) => "",
    });
    texts.collect::<Vec<_>>().join(" ")
}

/// Reads the telephone calls of a bank, in date order, if they are there; the others tests have a made-up series.
fn bank() -> Option<(Vec<InputSpec>, Vec<Call>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let packed = std::fs::File::open(folder.join("bank_additional.csv.gz")).ok()?;
    let mut text = String::new();
    let mut unpacked = flate2::read::GzDecoder::new(packed);
    unpacked.read_to_string(&mut text).unwrap();
    let mut lines = text.lines();
    let names: Vec<_> = lines.next().unwrap().split(',').collect();
    let of = |name: &str| names.iter().position(|it| *it == name).unwrap();
    let numbers = ["age", "campaign", "previous", "euribor3m", "nr.employed"];
    let words = ["contact", "poutcome"];
    let inputs = numbers.map(|name| input(name, Kind::Number)).into_iter();
    let inputs = inputs.chain(words.map(|name| input(name, Kind::Text)));
    let calls = lines.map(|line| {
        let fields: Vec<_> = line.split(',').collect();
        let number = |name: &&str| Cell::Number(fields[of(name)].parse().unwrap());
        let word = |name: &&str| Cell::Text(fields[of(name)].into());
        let cells = numbers.iter().map(number).chain(words.iter().map(word));
        (cells.collect(), fields[of("y")] == "1")
    });
    Some((inputs.collect(), calls.collect()))
}

fn input(column: &str, kind: Kind) -> InputSpec {
    InputSpec {
        column: column.into(),
        kind,
    }
}

fn shuffle(calls: &mut [Call]) {
    let mut dice = Dice(Seeded::new(11));
    for idx in (1..calls.len()).rev() {
        calls.swap(idx, dice.below(idx + 1));
    }
}

/// Draws that are the same every time.
struct Dice(Seeded);

impl Dice {
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    fn next(&mut self) -> f64 {
        (self.0.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.0.bits() % n as u64).unwrap()
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "columns are single precision"
)]
fn single(number: f64) -> f32 {
    number as f32
}
