//! A placement, its offers, groups and learners in plain words.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::domain::outcome::Kind as Outcome;
use crate::policy::Bundle;
use crate::policy::explain::text::Page;
use crate::policy::explain::words::{length, list, named, percent, said};
use crate::policy::learner::{Explore, Kind, Learner, Learning};
use crate::policy::offer::{ContactPolicy, Engagement, Factor, Group, Offer, Placement};

/// Explains a placement, and everything that competes for it.
pub fn placement(bundle: &Bundle, of: &Placement) -> String {
    let mut page = Page::default();
    page.line(0, &format!("{}  {}", of.name, of.place));
    page.section("Who asks gets", &answer(of));
    page.section("How they are ranked", &ranking(bundle, of));
    let learning = learning(&of.learning);
    if !learning.is_empty() {
        page.section("For learning and comparison", &learning);
    }
    page.line(0, "");
    page.line(0, "Offers");
    let fallback = of.fallback.iter().filter(|id| of.offer(id).is_none());
    let fallback = fallback.filter_map(|id| bundle.offer(id));
    let own = of.offers.iter().map(AsRef::as_ref);
    let offers: Vec<&Offer> = own.chain(fallback).collect();
    for offer in &offers {
        page.item(&offer.id, &offer.place, &offer_lines(offer));
    }
    let groups: BTreeSet<&Arc<str>> = offers.iter().flat_map(|of| &of.groups).collect();
    if !groups.is_empty() {
        page.line(0, "");
        page.line(0, "Groups");
    }
    for group in groups.into_iter().filter_map(|name| bundle.group(name)) {
        page.item(&group.name, &group.place, &group_lines(group));
    }
    for learner in learners(bundle, of) {
        let title = format!("Learner {}  {}", learner.name, learner.place);
        page.section(&title, &learner_lines(learner));
    }
    page.text()
}

fn answer(of: &Placement) -> Vec<String> {
    let mut lines = vec![match of.limit {
        1 => "the best offer that every rule lets through".to_owned(),
        n => format!("up to {n} offers that every rule lets through, the best first"),
    }];
    if let Some(channel) = &of.channel {
        let purpose = of.purpose.as_deref().unwrap_or("marketing");
        lines.push(format!(
            "nothing without consent to {purpose} by {channel}, nor to anybody on the suppression list"
        ));
    }
    lines.extend(of.contact.iter().map(contact));
    let diversity = of.diversity.iter();
    lines.extend(diversity.map(|it| format!("at most {} with the same {}", it.n, it.key)));
    lines.push(match &of.fallback {
        Some(offer) => format!("{} if nothing qualifies", named(offer)),
        None => "nothing if nothing qualifies".into(),
    });
    lines
}

fn ranking(bundle: &Bundle, of: &Placement) -> Vec<String> {
    let mut lines = Vec::new();
    if !of.groups.is_empty() {
        let groups: Vec<String> = of.groups.iter().map(|name| named(name)).collect();
        lines.push(format!(
            "group by group: {}, then the rest",
            groups.join(", then ")
        ));
    }
    lines.push(match &of.rank {
        Some(rank) => format!("by {}", said(rank)),
        None => product(&of.factors),
    });
    let weights = of.context_weights.iter();
    lines.extend(weights.map(|it| {
        let when = said(&it.when);
        format!("the context adds {:+}% if {when}", it.weight)
    }));
    lines.push(propensity(bundle, of));
    if let Some(start) = of.smoothing {
        lines.push(format!(
            "what is learnt begins at {}, as if {} outcomes had been seen",
            start.propensity, start.evidence
        ));
    }
    lines
}

fn product(factors: &[Factor]) -> String {
    let words = Factor::ALL.iter();
    let words = words.filter(|(_, factor)| factors.contains(factor));
    let words: Vec<&str> = words.map(|(word, _)| *word).collect();
    if words.is_empty() {
        return "by nothing: ties break by the offer's id".into();
    }
    format!("by {}", words.join(" × "))
}

/// Says where the propensity comes from.
fn propensity(bundle: &Bundle, of: &Placement) -> String {
    let name = of.learning.learner.as_ref();
    let learner = name.and_then(|name| bundle.learner(name));
    match (&of.model, learner) {
        (None, None) => "the propensity is 1, unless an offer has a model of its own".into(),
        (Some(model), None) => format!("the propensity is what model {} says", named(model)),
        (_, Some(it)) if matches!(it.kind, Kind::Calibrate) => format!(
            "the propensity is what the model says, corrected by learner {}",
            named(&it.name)
        ),
        (_, Some(it)) => format!(
            "the propensity is what learner {} believes",
            named(&it.name)
        ),
    }
}

fn learning(of: &Learning) -> Vec<String> {
    let mut lines = Vec::new();
    match of.explore {
        Explore::Never => {}
        Explore::Epsilon(share) => {
            lines.push(format!("{} of the choices are any offer", percent(share)));
        }
        Explore::Thompson => lines.push(
            "every propensity is drawn from what is believed of it: the less is known, the more is tried"
                .into(),
        ),
        Explore::Uniform => lines.push("every choice is any offer".into()),
    }
    if of.control > 0.0 {
        lines.push(format!(
            "control: {} of the customers, others each month, get any offer that they may have",
            percent(of.control)
        ));
    }
    if of.holdout > 0.0 {
        lines.push(format!(
            "holdout: {} of the customers, always the same, get nothing but the fallback",
            percent(of.holdout)
        ));
    }
    if let Some(challenger) = &of.challenger {
        let whom = if challenger.shadow {
            "decides beside it for everybody, and is only logged".to_owned()
        } else {
            format!(
                "decides for {} of the customers, always the same",
                percent(challenger.share)
            )
        };
        lines.push(format!("a challenger with {} {whom}", challenger.text));
    }
    lines
}

fn offer_lines(of: &Offer) -> Vec<String> {
    let mut lines = vec![format!("worth {}", said(&of.value))];
    if !of.groups.is_empty() {
        let groups: Vec<String> = of.groups.iter().map(|name| named(name)).collect();
        lines.push(format!("in {}", list(&groups, "and")));
    }
    lines.extend(lever(of.weight));
    lines.extend(engagement(&of.engagement));
    lines.extend(
        of.model
            .iter()
            .map(|model| format!("by a model of its own, {}", named(model))),
    );
    let cap = of.cap.iter();
    lines.extend(cap.map(|cap| {
        let per = length(cap.per);
        format!("at most {} in any {per} for each customer", cap.n)
    }));
    let budget = of.budget.iter();
    lines.extend(budget.map(|budget| format!("at most {budget} for everybody together")));
    let purpose = of.purpose.iter();
    lines.extend(
        purpose.map(|purpose| format!("where a channel is asked for: consent to {purpose}")),
    );
    lines
}

fn group_lines(of: &Group) -> Vec<String> {
    let mut lines: Vec<String> = lever(of.weight).into_iter().collect();
    lines.extend(engagement(&of.engagement));
    if lines.is_empty() {
        lines.push("holds nothing back".into());
    }
    lines
}

fn lever(weight: f64) -> Option<String> {
    (weight.abs() > 0.0).then(|| format!("its lever is {weight:+}%"))
}

fn engagement(of: &Engagement) -> Vec<String> {
    let date = |word: &str, date: &Option<crate::policy::offer::Date>| {
        date.as_ref().map(|date| format!("{word} {}", date.text))
    };
    let dates = [date("from", &of.from), date("until", &of.until)];
    let mut lines: Vec<String> = dates.into_iter().flatten().collect();
    let stages = [
        ("only who may have it", &of.eligible),
        ("only where it makes sense", &of.applicable),
        ("only in the customer's interest", &of.suitable),
    ];
    for (word, conditions) in stages {
        lines.extend(conditions.iter().map(|it| format!("{word}: {}", said(it))));
    }
    lines.extend(of.contact.iter().map(contact));
    lines
}

fn contact(of: &ContactPolicy) -> String {
    format!("after {} not for {}", of.text, length(of.suppress))
}

/// The learners of the placement and of its challenger.
fn learners<'b>(bundle: &'b Bundle, of: &Placement) -> Vec<&'b Learner> {
    let challenger = of.learning.challenger.as_ref();
    let challenger = challenger.map(|of| &of.placement.learning);
    let all = std::iter::once(&of.learning).chain(challenger);
    let names: BTreeSet<&Arc<str>> = all.filter_map(|of| of.learner.as_ref()).collect();
    let learners = names.into_iter();
    learners.filter_map(|name| bundle.learner(name)).collect()
}

fn learner_lines(of: &Learner) -> Vec<String> {
    let mut lines = vec![match &of.kind {
        Kind::Beta => "learns one rate for each offer".to_owned(),
        Kind::Linear(_) => "learns for each offer a line over what it looks at".to_owned(),
        Kind::Calibrate => "learns for each offer by how much the model is off".to_owned(),
    }];
    if let Kind::Linear(features) = &of.kind {
        let features = features.iter();
        lines.extend(features.map(|it| format!("looks at {}: {}", it.name, said(&it.of))));
    }
    if !matches!(of.kind, Kind::Calibrate) {
        lines.push(format!(
            "begins at {}, as if {} outcomes had been seen, unless the placement says otherwise",
            of.prior.propensity, of.prior.evidence
        ));
    }
    let rewards = Outcome::ALL.into_iter().zip(of.rewards);
    let rewards = rewards.filter_map(|(of, reward)| Some((of, reward?)));
    lines.extend(rewards.map(|(of, reward)| format!("{} is worth {reward}", of.word())));
    let half_life = of.half_life.iter();
    lines
        .extend(half_life.map(|it| format!("what was seen counts for half after {}", length(*it))));
    let within = of.within.iter();
    lines.extend(within.map(|it| format!("outcomes later than {} teach nothing", length(*it))));
    lines
}
