//! How far models have moved away from their training, as numbers.

use std::sync::Arc;

use super::{head, sample};
use crate::actors::live::Policies;
use crate::scoring::Drifted;

/// Writes the numbers of every model that is watched.
pub fn drift(out: &mut String, live: &Policies) {
    let names = live.bundle.models.keys();
    let models: Vec<_> = names
        .filter_map(|name| Some((name, live.scorer.watch(name)?.drifted())))
        .collect();
    if models.is_empty() {
        return;
    }
    let name = "attune_model_drift";
    let help = "Stability index of a column against the training, of the last full window";
    head(out, name, help, "gauge");
    for (model, drifted) in &models {
        for (column, index, _) in &drifted.columns {
            let column = escaped(column);
            let series = format!("{name}{{model=\"{model}\",column=\"{column}\"}}");
            sample(out, &series, index);
        }
    }
    let scores = |of: &Drifted| of.scores.map(|(index, _)| index);
    let help = "Stability index of the scores against the training, of the last full window";
    each(out, "attune_model_score_drift", help, &models, scores);
    let help = "Outcomes that the scores promised, older ones fade";
    let promised = |of: &Drifted| Some(of.outcomes.promised);
    each(
        out,
        "attune_model_outcomes_promised",
        help,
        &models,
        promised,
    );
    let help = "Outcomes that came, older ones fade";
    let came = |of: &Drifted| Some(of.outcomes.came);
    each(out, "attune_model_outcomes_came", help, &models, came);
    let help = "Evidence against the promise of the scores; an alarm at `run_length`";
    let evidence = |of: &Drifted| Some(of.outcomes.evidence);
    each(
        out,
        "attune_model_outcomes_evidence",
        help,
        &models,
        evidence,
    );
    alarms(out, &models);
}

type Models<'a> = [(&'a Arc<str>, Drifted)];

fn each(
    out: &mut String,
    name: &str,
    help: &str,
    models: &Models<'_>,
    of: impl Fn(&Drifted) -> Option<f64>,
) {
    head(out, name, help, "gauge");
    for (model, drifted) in models {
        if let Some(number) = of(drifted) {
            sample(out, &format!("{name}{{model=\"{model}\"}}"), number);
        }
    }
}

fn alarms(out: &mut String, models: &Models<'_>) {
    let name = "attune_model_alarm";
    let help = "Whether a model has moved away from its training: its inputs, scores or outcomes";
    head(out, name, help, "gauge");
    for (model, drifted) in models {
        let kinds = [
            ("inputs", drifted.inputs_alarm()),
            ("scores", drifted.scores_alarm()),
            ("outcomes", drifted.outcomes.broken),
        ];
        for (kind, alarm) in kinds {
            let series = format!("{name}{{model=\"{model}\",kind=\"{kind}\"}}");
            sample(out, &series, u8::from(alarm));
        }
    }
}

/// Writes a label's value as Prometheus reads it.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}
