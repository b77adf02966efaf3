//! A learner on a real trial: Hillstrom's e-mails, one arm an offer, replayed through the core.
//!
//! The trial dealt every customer to one of three arms by chance. Each row is a decision of the learner; where it chooses
//! the arm of the row, the row is kept and its outcome is told, else it is passed over and nothing is told. Because arms
//! were dealt evenly, what is kept is what a live run would have seen (Li, Chu, Langford and Wang 2011). The data are not
//! ours to pass on: the test needs them in `../shared/data` (the challenge of `MineThatData`, 2008).

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use attune::decide::drive::Moment;
use attune::decide::{Ask, Cause, Outside, Scores, handle};
use attune::domain::event::Kind;
use attune::domain::learning::Tallies;
use attune::domain::{CustomerId, Duration, Event, EventId, Profile, Timestamp, Value};
use attune::policy::{Source, compile};
use expect_test::expect_file;
use flate2::read::GzDecoder;

const POLICIES: &str = "
learners: { visits: {} }
placements: { letter: { learner: visits } }
offers:
  mens: { placements: [letter] }
  nobody: { placements: [letter] }
  womens: { placements: [letter] }
";

/// So many points the curves have.
const POINTS: usize = 40;

/// One customer of the trial.
struct Row {
    arm: &'static str,
    visited: bool,
}

/// A row where the learner chose the arm of the trial.
struct Kept {
    row: usize,
    visited: bool,
}

#[test]
fn a_learner_from_nothing_comes_to_the_best_letter_of_the_trial() {
    let Some(rows) = read() else {
        return;
    };
    let kept = replay(&rows);
    let n = rows.len();
    // Each arm is a third of the rows, so about a third of them is kept.
    assert!(
        (n / 4..n / 2).contains(&kept.len()),
        "{} of {n}",
        kept.len()
    );
    let mens = |from: usize, to: usize| {
        rate(
            rows[from..to]
                .iter()
                .filter(|row| row.arm == "mens")
                .map(|row| row.visited),
        )
    };
    let random = |from: usize, to: usize| rate(rows[from..to].iter().map(|row| row.visited));
    let learner = |from: usize, to: usize| {
        let own = kept.iter().filter(|kept| (from..to).contains(&kept.row));
        rate(own.map(|kept| kept.visited))
    };
    let share = learner(n / 2, n) / mens(n / 2, n);
    assert!(share >= 0.97, "the last half: {share} of mens to all");
    for quarter in 0..4 {
        let (from, to) = (quarter * n / 4, (quarter + 1) * n / 4);
        let (own, any) = (learner(from, to), random(from, to));
        assert!(own >= any, "quarter {quarter}: {own} against {any}");
    }
    let curves = [
        ("learner", curve(n, &learner)),
        ("mens to all", curve(n, &mens)),
        ("random", curve(n, &random)),
    ];
    expect_file!["hillstrom.svg"].assert_eq(&svg(&curves, n));
}

fn rate(visits: impl Iterator<Item = bool>) -> f64 {
    let (mut n, mut k) = (0_u32, 0_u32);
    for visited in visits {
        n += 1;
        k += u32::from(visited);
    }
    f64::from(k) / f64::from(n.max(1))
}

/// Returns the rate up to each of so many rows.
fn curve(n: usize, of: &dyn Fn(usize, usize) -> f64) -> Vec<f64> {
    (1..=POINTS)
        .map(|point| of(0, point * n / POINTS))
        .collect()
}

fn read() -> Option<Vec<Row>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let near = |path: &Path| path.join("../shared/data/hillstrom_email.csv.gz");
    let places: [PathBuf; 2] = [near(root), near(&root.join(".."))];
    let file = places.iter().find_map(|path| File::open(path).ok())?;
    let lines = BufReader::new(GzDecoder::new(file)).lines().skip(1);
    let row = |line: String| {
        // A history segment may have a comma; what is needed stands at the end.
        let mut columns = line.rsplit(',').skip(2);
        let visited = columns.next().expect("a visit") == "1";
        let arm = match columns.next().expect("a segment") {
            "Mens E-Mail" => "mens",
            "Womens E-Mail" => "womens",
            "No E-Mail" => "nobody",
            other => panic!("unknown arm {other}"),
        };
        Row { arm, visited }
    };
    Some(lines.map(|line| row(line.expect("a line"))).collect())
}

/// Runs every row through the core: a decision, and its outcome where the arm is the row's.
fn replay(rows: &[Row]) -> Vec<Kept> {
    let bundle = compile(&[Source::new("letters.yaml", POLICIES)]).expect("good policies");
    let mut learnt = Tallies::default();
    let mut kept = Vec::new();
    let start = Timestamp::parse("2008-03-01T00:00:00Z").expect("a time");
    for (idx, row) in rows.iter().enumerate() {
        let id = CustomerId::parse(&format!("row-{idx}")).expect("an id");
        let mut profile = Profile::new(id);
        let now = start + Duration::from_secs(60 * idx as u64);
        let mut handle = |cause: &Cause, learnt: &mut Tallies| {
            let moment = Moment { now, at_due: true };
            let scoring = &|_: &[_]| Scores::new();
            let outside = Outside {
                learnt,
                ..Outside::of(scoring)
            };
            let outcome = handle(&bundle, &mut profile, cause, moment, None, outside);
            for update in &outcome.updates {
                learnt.apply(update);
            }
            outcome.answers.last().cloned()
        };
        let ask = Cause::Ask(Ask {
            id: "letter".into(),
            placement: "letter".into(),
            context: Value::Null,
            limit: None,
            stranger: false,
        });
        let answer = handle(&ask, &mut learnt).expect("an answer");
        if answer.offers[0].offer.as_ref() != row.arm {
            continue;
        }
        let told = if row.visited {
            &["Offer Impression", "Offer Clicked"][..]
        } else {
            &["Offer Impression"]
        };
        for name in told {
            let properties = format!(r#"{{"decision_id":"{}"}}"#, answer.decision_id);
            let event = Event {
                id: EventId::new(name),
                kind: Kind::Track,
                name: (*name).into(),
                at: now,
                properties: serde_json::from_str(&properties).expect("JSON"),
                traits: Value::Null,
                context: Value::Null,
            };
            handle(&Cause::Event(event), &mut learnt);
        }
        kept.push(Kept {
            row: idx,
            visited: row.visited,
        });
    }
    kept
}

/// Draws the curves: visits per decision, from the first row on.
fn svg(curves: &[(&str, Vec<f64>)], n: usize) -> String {
    const COLORS: [&str; 3] = ["#0a7", "#36c", "#999"];
    let (left, top, width, height) = (60.0, 30.0, 520.0, 240.0);
    let y = |rate: f64| top + height * (1.0 - (rate - 0.10) / 0.12);
    let mut out = String::from(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 720 320\" font-family=\"sans-serif\" font-size=\"13\">\n",
    );
    let mut add = |line: std::fmt::Arguments<'_>| writeln!(out, "{line}").expect("memory");
    add(format_args!(
        "<text x=\"60\" y=\"18\">Visits per letter, from the first row on: a learner that starts from nothing</text>"
    ));
    for percent in [10, 12, 14, 16, 18, 20, 22] {
        let at = y(f64::from(percent) / 100.0);
        add(format_args!(
            "<path d=\"M{left} {at:.1}h{width}\" stroke=\"#ddd\"/><text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{percent}%</text>",
            left - 8.0,
            at + 4.0
        ));
    }
    for ((name, rates), color) in curves.iter().zip(COLORS) {
        let points = rates.iter().zip(1_u32..).map(|(rate, at)| {
            let x = left + width * f64::from(at) / 40.0;
            format!("{x:.1},{:.1}", y(*rate))
        });
        let points = points.collect::<Vec<_>>().join(" ");
        let last = rates.last().copied().unwrap_or_default();
        add(format_args!(
            "<polyline points=\"{points}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/>"
        ));
        add(format_args!(
            "<text x=\"{:.0}\" y=\"{:.1}\" fill=\"{color}\">{name} {:.1}%</text>",
            left + width + 6.0,
            y(last) + 4.0,
            100.0 * last
        ));
    }
    add(format_args!(
        "<text x=\"{left}\" y=\"300\">{n} customers of Hillstrom's e-mail trial (MineThatData, 2008), replayed</text>"
    ));
    out.push_str("</svg>\n");
    out
}
