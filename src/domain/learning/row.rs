//! The evidence of a learner about one offer in one placement. It does not grow with the number of outcomes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::learning::{Lesson, Sample};
use crate::domain::{Duration, Timestamp};

/// Evidence that ages. Sums of outcomes in any order are equal but for rounding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The sums are as of this time.
    pub at: Timestamp,
    /// How long until evidence counts for half.
    pub half_life: Option<Duration>,
    /// How many decisions with outcomes, each as much as its age leaves of it.
    pub n: f64,
    /// The sum of their rewards, aged likewise.
    pub rewards: f64,
    /// How many decisions with outcomes, ever.
    pub n_ever: u64,
    /// The sum of their rewards, ever.
    pub rewards_ever: f64,
    /// What the learner needs beside.
    pub seen: Seen,
}

/// What a kind of learner keeps beside the counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Seen {
    /// Nothing.
    Plain,
    /// Sums over points.
    Points(Sums),
    /// Outcomes by what a model said: by the half log-odd, at most [`Seen::BINS_MAX`].
    Scores(BTreeMap<i8, Bin>),
}

impl Seen {
    /// The most bins: log-odds are cut at ±14.
    pub const BINS_MAX: usize = 57;
}

/// `Σ x x'` (the lower half, row by row) and `Σ x y`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sums {
    /// `d (d + 1) / 2` numbers.
    pub xx: Vec<f64>,
    /// `d` numbers.
    pub xy: Vec<f64>,
}

/// Outcomes of decisions with nearly the same score.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    /// How many.
    pub n: f64,
    /// The sum of the scores.
    pub scores: f64,
    /// The sum of the rewards.
    pub rewards: f64,
}

impl Row {
    /// Returns a row without evidence for lessons like this.
    pub fn new(lesson: &Lesson) -> Self {
        let seen = match &lesson.sample {
            Sample::Plain => Seen::Plain,
            Sample::Point(x) => Seen::Points(Sums::new(x.len())),
            Sample::Scored(_) => Seen::Scores(BTreeMap::new()),
        };
        Self {
            at: lesson.at,
            half_life: lesson.half_life,
            n: 0.0,
            rewards: 0.0,
            n_ever: 0,
            rewards_ever: 0.0,
            seen,
        }
    }

    /// Learns a lesson. One about another kind of sample than the row's teaches nothing but the counts.
    pub fn learn(&mut self, lesson: &Lesson) {
        self.half_life = lesson.half_life;
        self.age(lesson.at);
        let weight = self.left_of(lesson.at);
        let trial = if lesson.trial { weight } else { 0.0 };
        let reward = weight * lesson.reward;
        self.n += trial;
        self.rewards += reward;
        self.n_ever += u64::from(lesson.trial);
        self.rewards_ever += lesson.reward;
        match (&mut self.seen, &lesson.sample) {
            (Seen::Points(sums), Sample::Point(x)) => sums.learn(x, trial, reward),
            (Seen::Scores(bins), Sample::Scored(score)) => {
                let bin = bins.entry(bin(*score)).or_default();
                bin.n += trial;
                bin.scores += trial * f64::from(*score);
                bin.rewards += reward;
            }
            (Seen::Plain | Seen::Points(_) | Seen::Scores(_), _) => {}
        }
    }

    /// Adds the evidence of another row of the same learner.
    pub fn add(&mut self, other: &Self) {
        self.age(other.at);
        let weight = self.left_of(other.at);
        self.n += weight * other.n;
        self.rewards += weight * other.rewards;
        self.n_ever += other.n_ever;
        self.rewards_ever += other.rewards_ever;
        match (&mut self.seen, &other.seen) {
            (Seen::Points(own), Seen::Points(sums)) => own.add(sums, weight),
            (Seen::Scores(own), Seen::Scores(bins)) => {
                for (at, bin) in bins {
                    own.entry(*at).or_default().add(bin, weight);
                }
            }
            (Seen::Plain | Seen::Points(_) | Seen::Scores(_), _) => {}
        }
    }

    /// Returns what is left, at a time, of a unit of evidence of the row's time.
    pub fn left(&self, now: Timestamp) -> f64 {
        left(self.half_life, now.since(self.at))
    }

    /// Returns what is left, at the row's time, of a unit of evidence of an earlier time.
    fn left_of(&self, at: Timestamp) -> f64 {
        left(self.half_life, self.at.since(at))
    }

    /// Brings the sums to a later time.
    fn age(&mut self, at: Timestamp) {
        if at <= self.at {
            return;
        }
        let left = self.left(at);
        self.at = at;
        if self.half_life.is_none() {
            return;
        }
        self.n *= left;
        self.rewards *= left;
        match &mut self.seen {
            Seen::Plain => {}
            Seen::Points(sums) => sums.scale(left),
            Seen::Scores(bins) => bins.values_mut().for_each(|bin| bin.scale(left)),
        }
    }
}

impl Sums {
    /// Returns sums over no points of so many dimensions.
    pub fn new(d: usize) -> Self {
        Self {
            xx: vec![0.0; d * (d + 1) / 2],
            xy: vec![0.0; d],
        }
    }

    fn learn(&mut self, x: &[f32], trial: f64, reward: f64) {
        if x.len() != self.xy.len() {
            return;
        }
        for (own, value) in self.xy.iter_mut().zip(x) {
            *own += reward * f64::from(*value);
        }
        let pairs = x.iter().enumerate().flat_map(|(idx, row)| {
            let row = f64::from(*row);
            x[..=idx].iter().map(move |column| row * f64::from(*column))
        });
        for (own, product) in self.xx.iter_mut().zip(pairs) {
            *own += trial * product;
        }
    }

    /// Adds other sums, each number times a weight.
    pub fn add(&mut self, other: &Self, weight: f64) {
        let add = |own: &mut [f64], other: &[f64]| {
            for (own, other) in own.iter_mut().zip(other) {
                *own += weight * other;
            }
        };
        add(&mut self.xx, &other.xx);
        add(&mut self.xy, &other.xy);
    }

    fn scale(&mut self, by: f64) {
        self.xx.iter_mut().for_each(|sum| *sum *= by);
        self.xy.iter_mut().for_each(|sum| *sum *= by);
    }
}

impl Bin {
    /// Adds another bin, each number times a weight.
    pub fn add(&mut self, other: &Self, weight: f64) {
        self.n += weight * other.n;
        self.scores += weight * other.scores;
        self.rewards += weight * other.rewards;
    }

    fn scale(&mut self, by: f64) {
        self.n *= by;
        self.scores *= by;
        self.rewards *= by;
    }
}

/// Returns what a length of time leaves of a unit of evidence.
fn left(half_life: Option<Duration>, age: Duration) -> f64 {
    match half_life {
        Some(half_life) if age.as_millis() > 0 => {
            (-age.as_secs_f64() / half_life.as_secs_f64()).exp2()
        }
        Some(_) | None => 1.0,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the log-odds are cut at 14, so twice of them fit"
)]
fn bin(score: f32) -> i8 {
    let p = f64::from(score).clamp(1e-6, 1.0 - 1e-6);
    let halves = 2.0 * (p / (1.0 - p)).ln();
    halves.clamp(-28.0, 28.0).floor() as i8
}
