//! What budgets have given, counted from what was published.

use std::collections::BTreeMap;

use serde_json::Value;

/// Offers with budgets: a few, some and many for all time, and some a day; every answer has room for all of them.
pub const POLICIES: [(&str, &str); 1] = [(
    "budgets.yaml",
    "
journey: visit
class: transactional
enter: { event: visited, reentry: always }
steps:
  - offer: { placement: hero, as: pick }
---
offers:
  few: { placements: [hero, side], value: 4, budget: 40 }
  some: { placements: [hero, side], value: 3, budget: 400 }
  daily: { placements: [hero, side], value: 2, budget: 900 per day }
  many: { placements: [hero, side], budget: 3000 }
placements:
  hero: { limit: 4 }
  side: { limit: 4, fallback: many }
",
)];

/// The most of each that may be given, the daily one on each day.
pub const LIMITS: [(&str, u64); 4] = [("few", 40), ("some", 400), ("daily", 900), ("many", 3_000)];

/// Returns how many of each were given, by offer and day (of those for all time: no day); each decision counts once.
pub fn given<'a>(decisions: impl Iterator<Item = &'a str>) -> BTreeMap<(String, String), u64> {
    let mut given = BTreeMap::new();
    for decision in decisions {
        let decision: Value = serde_json::from_str(decision).expect("a decision is JSON");
        let day = &decision["decided_at"].as_str().expect("a time")[..10];
        for offer in decision["offers"].as_array().expect("a list") {
            let offer = offer["offer"].as_str().expect("a name").to_owned();
            let day = if offer == "daily" { day } else { "" };
            *given.entry((offer, day.to_owned())).or_default() += 1;
        }
    }
    given
}

/// Fails if more was given than may be.
pub fn must_be_within(given: &BTreeMap<(String, String), u64>) {
    for ((offer, day), n) in given {
        let limit = LIMITS.iter().find(|(name, _)| name == offer);
        let (_, limit) = limit.expect("an offer with a budget");
        assert!(n <= limit, "{n}/{limit} of `{offer}` {day}: {given:#?}");
    }
}

/// Tells if everything was given that may be on a day.
pub fn is_all(given: &BTreeMap<(String, String), u64>, day: &str) -> bool {
    LIMITS.iter().all(|(offer, limit)| {
        let day = if *offer == "daily" { day } else { "" };
        let key = ((*offer).to_owned(), day.to_owned());
        given.get(&key) == Some(limit)
    })
}

/// Fails unless everything was given, and nothing beyond it.
pub fn must_be_all(given: &BTreeMap<(String, String), u64>, day: &str) {
    must_be_within(given);
    assert!(is_all(given, day), "{given:#?}");
}
