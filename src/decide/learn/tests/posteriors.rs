//! From evidence to beliefs.

use std::sync::Arc;

use proptest::prelude::*;

use super::near;
use crate::decide::learn::{Belief, Posterior};
use crate::domain::learning::{Lesson, Row, Sample, Tallies, Update};
use crate::domain::{Duration, Timestamp};
use crate::policy::bundle::Place;
use crate::policy::learner::{Kind, Learner, Prior};

fn learner(kind: Kind, propensity: f64, evidence: f64) -> Learner {
    Learner {
        name: "l".into(),
        version: 7,
        kind,
        prior: Prior {
            propensity,
            evidence,
        },
        half_life: None,
        rewards: [Some(0.0), Some(1.0), None, None],
        within: None,
        place: Place::default(),
    }
}

fn lesson(offer: &str, day: u64, reward: f64, sample: Sample) -> Lesson {
    Lesson {
        version: 7,
        placement: "hero".into(),
        offer: offer.into(),
        at: Timestamp::from_millis(0) + Duration::from_secs(86_400 * day),
        half_life: None,
        trial: true,
        reward,
        sample,
    }
}

fn taught(lessons: impl IntoIterator<Item = Lesson>) -> Tallies {
    let mut tallies = Tallies::default();
    for lesson in lessons {
        tallies.apply(&Update::Learnt(lesson.into()));
    }
    tallies
}

fn guess(learner: &Learner, tallies: &Tallies, offer: &str, day: u64, sample: &Sample) -> f64 {
    believed(learner, tallies, offer, day, sample).guess()
}

fn believed(
    learner: &Learner,
    tallies: &Tallies,
    offer: &str,
    day: u64,
    sample: &Sample,
) -> Belief {
    let hero: Arc<str> = "hero".into();
    let members = [("a", Some("g")), ("b", Some("g")), ("c", None)];
    let now = Timestamp::from_millis(0) + Duration::from_secs(86_400 * day);
    let posterior = Posterior::new(learner, &hero, tallies, members.into_iter(), now);
    let group = (offer != "c").then_some("g");
    posterior.belief(offer, group, sample)
}

fn times(n: u32, positives: u32, offer: &str) -> Vec<Lesson> {
    let reward = |idx| f64::from(u8::from(idx < positives));
    let lesson = |idx| lesson(offer, 0, reward(idx), Sample::Plain);
    (0..n).map(lesson).collect()
}

#[test]
fn young_propensities_are_smoothed_as_the_worked_numbers_say() {
    let learner = learner(Kind::Beta, 0.30, 50.0);
    let young = guess(&learner, &Tallies::default(), "c", 0, &Sample::Plain);
    assert!(near(young, 0.294, 1e-3), "{young}");
    // ME 50 at P 0.10.
    let grown = guess(&learner, &taught(times(50, 5, "c")), "c", 0, &Sample::Plain);
    assert!(near(grown, 0.198, 1e-3), "{grown}");
}

#[test]
fn an_offer_begins_where_the_others_of_its_group_are() {
    let learner = learner(Kind::Beta, 0.30, 50.0);
    let tallies = taught(times(1_000, 50, "a"));
    let b = guess(&learner, &tallies, "b", 0, &Sample::Plain);
    // G = (15 + 50) / (50 + 1,000), smoothed: 50 G / 51.
    assert!(near(b, 50.0 * (65.0 / 1_050.0) / 51.0, 1e-9), "{b}");
    // Its own evidence does not come back to it through the group.
    let a = guess(&learner, &tallies, "a", 0, &Sample::Plain);
    assert!(near(a, (15.0 + 50.0) / 1_051.0, 1e-9), "{a}");
    let c = guess(&learner, &tallies, "c", 0, &Sample::Plain);
    assert!(near(c, 15.0 / 51.0, 1e-9), "{c}");
}

#[test]
fn evidence_counts_for_half_after_its_half_life() {
    let aging = |lesson| Lesson {
        half_life: Some(Duration::from_secs(86_400 * 10)),
        ..lesson
    };
    let tallies = taught(times(80, 8, "c").into_iter().map(aging));
    let learner = learner(Kind::Beta, 0.30, 50.0);
    let at = |day| guess(&learner, &tallies, "c", day, &Sample::Plain);
    let expected = |n: f64| (15.0 + n * 0.1) / (51.0 + n);
    for (day, n) in [(0, 80.0), (10, 40.0), (20, 20.0), (1_000, 0.0)] {
        assert!(near(at(day), expected(n), 1e-9), "day {day}: {}", at(day));
    }
}

#[test]
fn an_outcome_after_a_better_one_is_no_second_trial() {
    let first = lesson("c", 0, 0.0, Sample::Plain);
    let better = Lesson {
        trial: false,
        reward: 1.0,
        ..first.clone()
    };
    let tallies = taught([first, better]);
    let row = tallies.row(7, &"hero".into(), "c").unwrap();
    assert_eq!((row.n, row.rewards, row.n_ever), (1.0, 1.0, 1));
}

#[test]
fn a_line_is_found_and_is_surer_where_more_was_seen() {
    let learner = learner(Kind::Linear(Vec::new()), 0.5, 1.0);
    let mut chance = crate::decide::learn::Chance::of(&["line"]);
    let lessons = (0..4_000).map(|_| {
        #[expect(clippy::cast_possible_truncation, reason = "a test")]
        let x = chance.uniform() as f32;
        let reward = f64::from(u8::from(chance.uniform() < 0.1 + 0.6 * f64::from(x)));
        lesson("c", 0, reward, Sample::Point(vec![1.0, x]))
    });
    let tallies = taught(lessons.collect::<Vec<_>>());
    let at = |x: f32| believed(&learner, &tallies, "c", 0, &Sample::Point(vec![1.0, x]));
    for (x, rate) in [(0.0, 0.1), (0.5, 0.4), (1.0, 0.7)] {
        assert!((at(x).guess() - rate).abs() < 0.03, "{x}: {:?}", at(x));
    }
    let width = |of: Belief| {
        let (low, high) = of.interval(0.95);
        high - low
    };
    assert!(width(at(0.5)) < width(at(3.0)));
    // With one dimension it is the mean of what was seen and of the prior.
    let flat = taught((0..3).map(|_| lesson("c", 0, 1.0, Sample::Point(vec![1.0]))));
    let mean = guess(&learner, &flat, "c", 0, &Sample::Point(vec![1.0]));
    assert!(near(mean, (0.5 + 3.0) / 4.0, 1e-12), "{mean}");
}

#[test]
fn a_model_that_is_off_by_a_shift_is_put_right() {
    let learner = learner(Kind::Calibrate, 1.0, 1.0);
    let mut chance = crate::decide::learn::Chance::of(&["shift"]);
    // The truth is a log-odd below what the model says.
    let truth = |score: f64| 1.0 / (1.0 + (1.0 - score) / score * 1.0_f64.exp());
    let lessons = (0..20_000).map(|n: u32| {
        let score = 0.02 + 0.9 * chance.uniform();
        let reward = f64::from(u8::from(chance.uniform() < truth(score)));
        #[expect(clippy::cast_possible_truncation, reason = "a test")]
        let sample = Sample::Scored(score as f32);
        lesson(
            if n.is_multiple_of(2) { "a" } else { "c" },
            0,
            reward,
            sample,
        )
    });
    let tallies = taught(lessons.collect::<Vec<_>>());
    for offer in ["a", "b", "c"] {
        for score in [0.05, 0.3, 0.8] {
            #[expect(clippy::cast_possible_truncation, reason = "a test")]
            let found = guess(&learner, &tallies, offer, 0, &Sample::Scored(score as f32));
            assert!(
                (found - truth(score)).abs() < 0.02,
                "{offer} {score}: {found}"
            );
        }
    }
    // Nothing seen: the model's word.
    let first = guess(&learner, &Tallies::default(), "c", 0, &Sample::Scored(0.3));
    assert!(near(first, 0.3, 1e-6), "{first}");
}

fn any_lesson() -> impl Strategy<Value = Lesson> {
    (0_u64..40, prop::bool::ANY, 0_u8..=4).prop_map(|(day, trial, quarter)| Lesson {
        trial,
        half_life: Some(Duration::from_secs(86_400 * 7)),
        ..lesson("c", day, f64::from(quarter) / 4.0, Sample::Scored(0.2))
    })
}

proptest! {
    #[test]
    fn evidence_is_the_same_in_any_order_and_however_it_is_split(lessons in prop::collection::vec(any_lesson(), 1..30), cut in 0_usize..30, turn in 0_usize..30) {
        let row = |lessons: &[Lesson]| {
            lessons.split_first().map(|(first, _)| {
                let mut row = Row::new(first);
                for lesson in lessons {
                    row.learn(lesson);
                }
                row
            })
        };
        let whole = row(&lessons).unwrap();
        let mut turned = lessons.clone();
        turned.rotate_left(turn % lessons.len());
        let (left, right) = turned.split_at(cut % turned.len());
        let mut sum = row(right).unwrap();
        if let Some(left) = row(left) {
            sum.add(&left);
        }
        let now = Timestamp::from_millis(0) + Duration::from_secs(86_400 * 60);
        let seen = |row: &Row| [row.n * row.left(now), row.rewards * row.left(now), row.rewards_ever];
        for (a, b) in seen(&whole).into_iter().zip(seen(&sum)) {
            prop_assert!((a - b).abs() < 1e-9, "{a} {b}");
        }
        prop_assert_eq!(whole.n_ever, sum.n_ever);
    }
}
