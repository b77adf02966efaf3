//! Mutated policies: whatever stands in a file, it is read or refused, soon, in bounded memory.
//!
//! `ATTUNE_FUZZ_CASES` (default 3000) and `ATTUNE_FUZZ_SEED` (default 0) choose how many cases run, and which.

use std::time::{Duration, Instant};

use super::{Source, check};
use crate::domain::Dice;
use crate::policy::Diagnostics;

/// Texts that are right, and together use everything that can be written.
pub const SEEDS: [&str; 6] = [
    include_str!("../../../policies/abandoned-cart.yaml"),
    include_str!("../../../policies/offers.yaml"),
    "
limits:
  email: [ 3 per 7d, { cap: 1 per day, window: calendar } ]
  all: 9 per calendar month
  quiet_hours: { between: 21:00-08:00, zone: customer, days: [mon..fri], then: hold, jitter: 5m }
channels: { fax: { address: traits.fax, consent: not_required } }
",
    include_str!("../../../models/purchase-intent/model.yaml"),
    include_str!("../../../tests/data/policies/rule-r-item.yaml"),
    "schemas:\n  events:\n    Seat Reserved: { properties: { price: number, tags: [text], hall: { rows: number } } }\n  \
     traits: { tier: text }\n---\ntemplates: [a, b]\n",
];

/// Pieces that mean something to YAML, to expressions or to the compiler.
const PIECES: [&str; 49] = [
    "\n",
    "  ",
    "\t",
    ": ",
    "- ",
    "[",
    "]",
    "{",
    "}",
    ",",
    "'",
    "\"",
    "#",
    " #",
    "!",
    "&a ",
    "*a",
    "|",
    ">-\n",
    "? ",
    "---\n",
    "...\n",
    "%YAML 1.2\n",
    "\u{feff}",
    "\u{0}",
    "\r",
    "é",
    "😀",
    "\u{2028}",
    "null",
    "~",
    "true",
    "1e309",
    "-0",
    "0x",
    "99999999999999999999",
    "10%",
    "100y",
    "1 per 0s",
    "profile.cart.items.all(x, x.price > 1)",
    "count('Order Completed', '1d')",
    "x ? y : z",
    "!(a && b) || c",
    "profile.id.matches(r'(\\w{500}){9}')",
    "in",
    "'a' + 1",
    "schemas:",
    "branch:",
    "otherwise: stop",
];

/// The longest mutated text; a file may have 16 times as much.
const BYTES_MAX: usize = 1 << 16;

/// Far more than the slowest case takes on a busy machine: a hang, not a delay.
const TIME_MAX: Duration = Duration::from_secs(20);

#[test]
pub fn mutated_policies_are_read_or_refused() {
    let n_cases: u64 = number("ATTUNE_FUZZ_CASES", 3_000);
    let seed: u64 = number("ATTUNE_FUZZ_SEED", 0);
    for case in 0..n_cases {
        let text = mutated(&mut Dice::new(
            seed.wrapping_mul(0x9e37_79b9).wrapping_add(case),
        ));
        let start = Instant::now();
        let problems = check(&[Source::new("fuzz.yaml", &text)]).problems;
        let fault = fault(&problems, start.elapsed());
        assert!(
            fault.is_none(),
            "seed {seed}, case {case}: {fault:?}\n{text}"
        );
    }
}

/// Says what is wrong with the answer itself.
fn fault(problems: &Diagnostics, took: Duration) -> Option<String> {
    if took > TIME_MAX {
        return Some(format!("it took {took:?}"));
    }
    let odd = problems.0.iter().find(|problem| {
        problem.source.text.get(problem.span.clone()).is_none() || problem.message.is_empty()
    });
    if let Some(odd) = odd {
        return Some(format!("{odd:?}"));
    }
    let shown = problems.render(false);
    let n_drawn = problems.0.len().min(Diagnostics::SHOWN_MAX);
    (shown.matches("attune::").count() < n_drawn).then_some(shown)
}

/// Makes up to eight changes to a text that is right.
pub fn mutated(dice: &mut Dice) -> String {
    let mut text = SEEDS[below(dice, SEEDS.len())].to_owned();
    for _ in 0..=below(dice, 8) {
        text = match below(dice, 8) {
            0 => lines(&text, dice, |lines, k, _| drop(lines.remove(k))),
            1 => lines(&text, dice, |lines, k, _| lines.insert(k, lines[k].clone())),
            2 => lines(&text, dice, |lines, k, other| lines.swap(k, other)),
            3 => lines(&text, dice, |lines, k, other| {
                lines[k] = format!("{}{}", " ".repeat(other % 12), lines[k].trim_start());
            }),
            4 => spliced(&text, PIECES[below(dice, PIECES.len())], dice),
            5 => bytes(&text, dice),
            6 => spliced(&text, SEEDS[below(dice, SEEDS.len())], dice),
            _ => repeated(&text, dice),
        };
    }
    let end = text.floor_char_boundary(BYTES_MAX);
    text.truncate(end);
    text
}

/// Changes the lines of a text; the change gets two of their indexes.
fn lines(text: &str, dice: &mut Dice, change: fn(&mut Vec<String>, usize, usize)) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if lines.is_empty() {
        return String::new();
    }
    let (k, other) = (below(dice, lines.len()), below(dice, lines.len()));
    change(&mut lines, k, other);
    lines.join("\n")
}

/// Puts a piece into a text, in place of up to 20 bytes.
fn spliced(text: &str, piece: &str, dice: &mut Dice) -> String {
    let at = text.floor_char_boundary(below(dice, text.len() + 1));
    let end = text.floor_char_boundary(at + below(dice, 21));
    [&text[..at], piece, &text[end.max(at)..]].concat()
}

/// Overwrites some bytes; what is no text any more is marked as such.
fn bytes(text: &str, dice: &mut Dice) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..below(dice, 6) {
        let at = below(dice, bytes.len().max(1));
        if let Some(byte) = bytes.get_mut(at) {
            *byte = u8::try_from(below(dice, 256)).unwrap();
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Writes a part of a text many times.
fn repeated(text: &str, dice: &mut Dice) -> String {
    let at = text.floor_char_boundary(below(dice, text.len() + 1));
    let end = text.floor_char_boundary(at + below(dice, 60)).max(at);
    let n_times = below(dice, 400);
    [&text[..end], &text[at..end].repeat(n_times), &text[end..]].concat()
}

pub fn number(name: &str, default: u64) -> u64 {
    let written = std::env::var(name).ok();
    written.map_or(default, |text| text.parse().expect("a whole number"))
}

fn below(dice: &mut Dice, n: usize) -> usize {
    usize::try_from(dice.bits() >> 1).unwrap() % n.max(1)
}
