//! What offers, groups and placements say, in words.

use crate::domain::Value;
use crate::policy::diff::learning;
use crate::policy::expr::Expr;
use crate::policy::offer::{ContactPolicy, Engagement, Factor, Group, Offer, Placement};

/// Says conditions, each behind a word.
pub fn conditions<'a>(word: &'a str, all: &'a [Expr]) -> impl Iterator<Item = String> + 'a {
    all.iter().map(move |of| format!("{word} {}", of.text))
}

/// Says an offer.
pub fn offer(offer: &Offer) -> Vec<String> {
    let mut lines = vec![format!("in {}", offer.placements.join(", "))];
    if !offer.groups.is_empty() {
        lines.push(format!("of {}", offer.groups.join(", ")));
    }
    lines.push(format!("value {}", offer.value.text));
    lines.extend(weight(offer.weight));
    lines.extend(engagement(&offer.engagement));
    lines.extend(offer.model.iter().map(|model| format!("model {model}")));
    let cap = offer
        .cap
        .map(|cap| format!("at most {} per {}", cap.n, cap.per));
    lines.extend(cap);
    let budget = offer.budget.iter();
    lines.extend(budget.map(|budget| format!("at most {budget} for everybody")));
    let purpose = offer.purpose.iter();
    lines.extend(purpose.map(|purpose| format!("needs consent to {purpose}")));
    if offer.data != Value::Null {
        lines.push(format!("data {}", offer.data));
    }
    lines
}

/// Says a group.
pub fn group(group: &Group) -> Vec<String> {
    weight(group.weight)
        .into_iter()
        .chain(engagement(&group.engagement))
        .collect()
}

/// Says a placement.
pub fn placement(placement: &Placement) -> Vec<String> {
    let mut lines = vec![format!("up to {}", placement.limit)];
    if !placement.groups.is_empty() {
        lines.push(format!("filled from {}", placement.groups.join(", then ")));
    }
    let rank = placement.rank.as_ref().map(|of| of.text.to_string());
    let rank = rank.unwrap_or_else(|| product(&placement.factors));
    lines.push(format!("ranked by {rank}"));
    let weights = placement.context_weights.iter();
    lines.extend(weights.map(|of| format!("{:+} % if {}", of.weight, of.when.text)));
    lines.extend(placement.model.iter().map(|model| format!("model {model}")));
    let smoothing = placement.smoothing.iter();
    lines.extend(smoothing.map(|of| {
        format!(
            "starts at {} with the evidence of {}",
            of.propensity, of.evidence
        )
    }));
    let diversity = placement.diversity.iter();
    lines.extend(diversity.map(|of| format!("at most {} of a {}", of.n, of.key)));
    lines.extend(placement.contact.iter().map(contact));
    if let Some(channel) = &placement.channel {
        let purpose = placement.purpose.as_deref().unwrap_or("marketing");
        lines.push(format!("asks for consent to {purpose} by {channel}"));
    }
    lines.push(format!("outcomes count for {}", placement.attribution));
    lines.extend(learning::placement(&placement.learning));
    let fallback = placement.fallback.iter();
    lines.extend(fallback.map(|offer| format!("else {offer}")));
    lines
}

fn product(factors: &[Factor]) -> String {
    let on = Factor::ALL
        .iter()
        .filter(|(_, factor)| factors.contains(factor));
    let on: Vec<&str> = on.map(|(word, _)| *word).collect();
    if on.is_empty() {
        "nothing".into()
    } else {
        on.join(" × ")
    }
}

fn weight(weight: f64) -> Option<String> {
    (weight.abs() > 0.0).then(|| format!("lever {weight:+} %"))
}

fn engagement(engagement: &Engagement) -> Vec<String> {
    let date = |word: &str, date: &Option<crate::policy::offer::Date>| {
        date.as_ref().map(|date| format!("{word} {}", date.text))
    };
    let dates = [
        date("from", &engagement.from),
        date("until", &engagement.until),
    ];
    let mut lines: Vec<String> = dates.into_iter().flatten().collect();
    lines.extend(conditions("if", &engagement.eligible));
    lines.extend(conditions("applicable if", &engagement.applicable));
    lines.extend(conditions("suitable if", &engagement.suitable));
    lines.extend(engagement.contact.iter().map(contact));
    lines
}

fn contact(policy: &ContactPolicy) -> String {
    format!("after {} nothing for {}", policy.text, policy.suppress)
}
