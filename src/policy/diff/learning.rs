//! What learners, and placements about learning, say in words.

use crate::domain::outcome::Kind as Outcome;
use crate::policy::learner::{Explore, Kind, Learner, Learning};

/// Returns what a learner says.
pub fn learner(learner: &Learner) -> Vec<String> {
    let mut lines = vec![match &learner.kind {
        Kind::Beta => "learns one rate for each offer".to_owned(),
        Kind::Linear(_) => "learns a line over features".to_owned(),
        Kind::Calibrate => "learns by how much a model is off".to_owned(),
    }];
    if let Kind::Linear(features) = &learner.kind {
        let features = features.iter();
        lines.extend(features.map(|it| format!("{} is {}", it.name, it.of.text)));
    }
    let prior = learner.prior;
    lines.push(format!(
        "begins at {} as if seen {} times",
        prior.propensity, prior.evidence
    ));
    let rewards = Outcome::ALL.into_iter().zip(learner.rewards);
    let rewards = rewards.filter_map(|(of, reward)| Some((of, reward?)));
    lines.extend(rewards.map(|(of, reward)| format!("{} is worth {reward}", of.word())));
    let half_life = learner.half_life.iter();
    lines.extend(half_life.map(|it| format!("evidence counts for half after {it}")));
    let within = learner.within.iter();
    lines.extend(within.map(|it| format!("looks at outcomes within {it}")));
    lines
}

/// Returns what a placement says about learning.
pub fn placement(learning: &Learning) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    lines.extend(learning.learner.iter().map(|it| format!("learner {it}")));
    match learning.explore {
        Explore::Never => {}
        Explore::Epsilon(share) => lines.push(format!("tries any offer {}", percent(share))),
        Explore::Thompson => lines.push("explores by Thompson sampling".into()),
        Explore::Uniform => lines.push("gives any offer".into()),
    }
    if learning.control > 0.0 {
        lines.push(format!("control {}", percent(learning.control)));
    }
    if learning.holdout > 0.0 {
        lines.push(format!("holdout {}", percent(learning.holdout)));
    }
    if let Some(challenger) = &learning.challenger {
        let part = if challenger.shadow {
            "in the shadow".to_owned()
        } else {
            format!("for {}", percent(challenger.share))
        };
        lines.push(format!("challenged {part}: {}", challenger.text));
    }
    lines
}

fn percent(share: f64) -> String {
    let percent = (share * 1e8).round() / 1e6;
    format!("{percent}%")
}
