//! What placements decided, in the text format of Prometheus.

use crate::api::health::{head, sample};
use crate::domain::learning::Arm;
use crate::telemetry::Meters;

/// The arm of a placement that compares nothing and learns nothing.
const UNDIVIDED: &str = "undivided";

/// Writes the decisions of each placement, by arm, and how often it tried something out.
pub fn placements(out: &mut String, meters: &Meters) {
    let placements = meters.placements.all();
    let name = "attune_placement_decisions_total";
    let help = "Decisions committed, by placement and part of the customers";
    head(out, name, help, "counter");
    for (placement, of) in &placements {
        for (arm, n) in &of.arms {
            let arm = arm.map_or(UNDIVIDED, Arm::word);
            let series = format!("{name}{{placement=\"{placement}\",arm=\"{arm}\"}}");
            sample(out, &series, n);
        }
    }
    let name = "attune_placement_explored_total";
    let help = "Decisions committed in which another offer than the best known was tried";
    head(out, name, help, "counter");
    for (placement, of) in &placements {
        let series = format!("{name}{{placement=\"{placement}\"}}");
        sample(out, &series, of.explored);
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::json;

    use super::placements;
    use crate::telemetry::Meters;

    #[test]
    fn decisions_are_counted_by_placement_arm_and_what_was_tried() {
        let meters = Meters::default();
        for (placement, arm, explored) in [
            ("hero", Some("champion"), [false, true].as_slice()),
            ("hero", Some("champion"), &[true, true]),
            ("hero", Some("control"), &[true]),
            ("hero", Some("holdout"), &[]),
            ("footer", None, &[false]),
        ] {
            let offers = explored.iter().map(|explored| {
                json!({ "offer": "a", "probability": 1.0, "explored": explored, "data": null, "reasons": [] })
            });
            let answer = json!({
                "decision_id": "d", "customer": "ada", "placement": placement, "arm": arm,
                "offers": offers.collect::<Vec<_>>(), "losers": [], "passed_over": [], "shadow": [], "models": [],
                "bundle": "", "degraded": false, "fallback": false, "decided_at": 0,
            });
            meters
                .placements
                .note(&[serde_json::from_value(answer).unwrap()]);
        }
        let mut text = String::new();
        placements(&mut text, &meters);
        expect![[r##"
            # HELP attune_placement_decisions_total Decisions committed, by placement and part of the customers
            # TYPE attune_placement_decisions_total counter
            attune_placement_decisions_total{placement="footer",arm="undivided"} 1
            attune_placement_decisions_total{placement="hero",arm="champion"} 2
            attune_placement_decisions_total{placement="hero",arm="control"} 1
            attune_placement_decisions_total{placement="hero",arm="holdout"} 1
            # HELP attune_placement_explored_total Decisions committed in which another offer than the best known was tried
            # TYPE attune_placement_explored_total counter
            attune_placement_explored_total{placement="footer"} 0
            attune_placement_explored_total{placement="hero"} 3
        "##]].assert_eq(&text);
    }
}
