//! A learner in a world whose rates are known: it finds the best offer, regrets little, and its log can be trusted.

use std::sync::Arc;

use crate::decide::learn::{Chance, Contender, Explore, Posterior, choose};
use crate::domain::learning::{Lesson, Sample, Tallies, Update};
use crate::domain::{Duration, Timestamp};
use crate::policy::bundle::Place;
use crate::policy::learner::{Kind, Learner, Prior};

const OFFERS: [(&str, f64); 5] = [
    ("a", 0.04),
    ("b", 0.05),
    ("c", 0.10),
    ("d", 0.06),
    ("e", 0.02),
];

/// One decision and its reward.
struct Line {
    offer: usize,
    probability: f64,
    reward: f64,
}

fn run(explore: Explore, n: u64, seed: &str) -> Vec<Line> {
    let learner = Learner {
        name: "l".into(),
        version: 1,
        kind: Kind::Beta,
        prior: Prior::default(),
        half_life: None,
        rewards: [Some(0.0), Some(1.0), None, None],
        within: None,
        place: Place::default(),
    };
    let hero: Arc<str> = "hero".into();
    let mut world = Chance::of(&["world", seed]);
    let mut tallies = Tallies::default();
    let mut log = Vec::new();
    for round in 0..n {
        let at = Timestamp::from_millis(0) + Duration::from_secs(round);
        let members = OFFERS.iter().map(|(id, _)| (*id, None));
        let posterior = Posterior::new(&learner, &hero, &tallies, members, at);
        let contenders = OFFERS.map(|(id, _)| Contender {
            id,
            belief: posterior.belief(id, None, &Sample::Plain),
            base: 0.0,
            slope: 1.0,
        });
        let chance = Chance::of(&["customer", seed, &round.to_string()]);
        let pick = choose(&contenders, explore, &chance).unwrap();
        let (offer, rate) = OFFERS[pick.idx];
        let reward = f64::from(u8::from(world.uniform() < rate));
        tallies.apply(&Update::Learnt(Box::new(Lesson {
            version: 1,
            placement: hero.clone(),
            offer: offer.into(),
            at,
            half_life: None,
            trial: true,
            reward,
            sample: Sample::Plain,
        })));
        log.push(Line {
            offer: pick.idx,
            probability: pick.probability,
            reward,
        });
    }
    log
}

fn regret(log: &[Line]) -> f64 {
    log.iter().map(|line| 0.10 - OFFERS[line.offer].1).sum()
}

#[test]
fn thompson_sampling_finds_the_best_offer_and_regrets_little() {
    for seed in ["1", "2"] {
        let log = run(Explore::Thompson, 6_000, seed);
        let late = log.iter().skip(4_500);
        let best = late.filter(|line| line.offer == 2).count();
        assert!(best > 1_200, "seed {seed}: {best} of 1,500");
        // The bound of Lai and Robbins (1985) is 46 for these rates at 6,000; chance alone regrets 276.
        let total = regret(&log);
        assert!(total < 110.0, "seed {seed}: {total}");
        let early = total - regret(&log[3_000..]);
        assert!(early > total / 2.0, "seed {seed}: it regrets less and less");
    }
}

#[test]
fn its_own_log_values_a_fixed_policy_rightly() {
    // Always `c`, from the log of a learner that mostly does: the mean over seeds is within four standard errors.
    for explore in [Explore::Thompson, Explore::Epsilon(0.3)] {
        let estimates: Vec<f64> = (0..20)
            .map(|seed: u32| {
                let log = run(explore, 400, &format!("ips{seed}"));
                let weigh = |line: &Line| match OFFERS[line.offer].0 {
                    "b" => line.reward / line.probability,
                    _ => 0.0,
                };
                #[expect(clippy::cast_precision_loss, reason = "a test")]
                let n = log.len() as f64;
                log.iter().map(weigh).sum::<f64>() / n
            })
            .collect();
        let mean = estimates.iter().sum::<f64>() / 20.0;
        let variance = estimates.iter().map(|e| (e - mean).powi(2)).sum::<f64>() / 19.0;
        let error = (variance / 20.0).sqrt();
        assert!(
            (mean - 0.05).abs() < 4.0 * error && error < 0.02,
            "{explore:?}: {mean} ± {error}"
        );
    }
}

#[test]
fn weights_of_the_log_have_a_mean_of_one() {
    // E[1{b} / probability] = 1 for every offer: a wrong probability shows at once.
    for (idx, (offer, _)) in OFFERS.iter().enumerate() {
        let mut weights = Vec::new();
        for seed in 0..20 {
            let log = run(Explore::Thompson, 250, &format!("w{seed}"));
            let own = log.iter().filter(|line| line.offer == idx);
            weights.push(own.map(|line| 1.0 / line.probability).sum::<f64>() / 250.0);
        }
        let mean = weights.iter().sum::<f64>() / 20.0;
        let variance = weights.iter().map(|w| (w - mean).powi(2)).sum::<f64>() / 19.0;
        let error = (variance / 20.0).sqrt();
        assert!(
            (mean - 1.0).abs() < 4.0 * error,
            "{offer}: {mean} ± {error}"
        );
    }
}
