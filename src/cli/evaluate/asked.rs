//! What the models and learners of a folder say of the offers of one logged decision.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::cli::evaluate::folder::Folder;
use crate::cli::evaluate::record::{Inputs, Rated, Record};
use crate::decide::Env;
use crate::decide::inputs::cell;
use crate::decide::learn::Belief;
use crate::decide::offers::{Known, Rival, looks_at_customer, worth};
use crate::domain::answer::Spread;
use crate::domain::{Cell, Score};
use crate::policy::model::{Kind, Model};
use crate::policy::offer::{Offer, Placement};

/// A model, and the offer that it is asked about; `None`: about all of them.
type About = (Arc<str>, Option<Arc<str>>);

/// A logged decision, and what was asked about it so far.
pub struct Asked<'a> {
    /// The policies and their models.
    pub folder: &'a Folder,
    /// The decision.
    pub record: &'a Record<'a>,
    /// The policies and the time, with a customer of whom nothing is known.
    pub env: Env<'a>,
    /// What models said: of an offer, or of all.
    pub scored: RefCell<BTreeMap<About, f64>>,
}

impl Asked<'_> {
    /// Returns P of an offer: as logged, where the same learner or the same file of a model said it; else from the logged row.
    ///
    /// # Errors
    ///
    /// The log does not say what is needed for it.
    pub fn propensity(
        &self,
        placement: &Placement,
        offer: &Offer,
        rival: &Rival<'_>,
    ) -> Result<Known, String> {
        let record = self.record;
        let logged = record.rated(&offer.id);
        // Where a model is broken all are ranked without a propensity.
        let p = logged.and_then(|rated| rated.propensity).unwrap_or(1.0);
        if let Some(name) = &placement.learning.learner {
            if self.is_by(name) {
                let belief = believed(logged, p);
                return Ok(Known { p, belief });
            }
            return Err(format!(
                "learner `{name}`, as it is in the policies, did not decide: what it would have learnt by then is not in the log"
            ));
        }
        let Some(name) = offer.model.as_ref().or(placement.model.as_ref()) else {
            return Ok(Known::sure(1.0));
        };
        let Some(model) = self.folder.bundle.model(name) else {
            return Err(format!("there is no model `{name}`"));
        };
        if record.learner.is_none() && is_of_log(record, model)? {
            return Ok(Known::sure(p));
        }
        let key = (name.clone(), model.per_offer.then(|| offer.id.clone()));
        if let Some(score) = self.scored.borrow().get(&key) {
            return Ok(Known::sure(*score));
        }
        let score = self.score(model, offer, rival)?;
        self.scored.borrow_mut().insert(key, score);
        Ok(Known::sure(score))
    }

    /// Tells if the learner of the policies, with the same evidence, decided.
    fn is_by(&self, name: &str) -> bool {
        let learner = self.folder.bundle.learner(name);
        let version = learner.map(|learner| format!("{:016x}", learner.version));
        let by = self.record.learner.as_ref();
        by.is_some_and(|by| *by.name == *name && Some(&by.version) == version.as_ref())
    }

    /// Scores what was asked of a model then, with the model as it is now.
    fn score(&self, model: &Model, offer: &Offer, rival: &Rival<'_>) -> Result<f64, String> {
        let name = &model.name;
        let mut inputs = self
            .record
            .offers
            .iter()
            .filter_map(|of| of.inputs.as_ref());
        let inputs = inputs.find(|inputs| *inputs.model == **name);
        let row = inputs.and_then(|inputs| cells(inputs, model));
        let mut row = row.ok_or_else(|| {
            format!("model `{name}` did not decide, and no row with its columns is in the log")
        })?;
        if model.per_offer {
            self.about(model, offer, rival, &mut row)?;
        }
        let score = self.folder.scorer.score_batch(name, &[&row]);
        match score.into_iter().next() {
            Some(Score::Value(score)) => Ok(score),
            // What is asked about no offer is broken for all of them.
            Some(Score::Unavailable(_)) | None if !model.per_offer => Ok(1.0),
            Some(Score::Unavailable(why)) => Err(format!(
                "model `{name}` gives no score for `{}`: {why}",
                offer.id
            )),
            None => Err(format!("model `{name}` gives no score for `{}`", offer.id)),
        }
    }

    /// Makes a row that was logged about one offer the row about another: the columns that look at the offer are computed anew.
    fn about(
        &self,
        model: &Model,
        offer: &Offer,
        rival: &Rival<'_>,
        row: &mut [Cell],
    ) -> Result<(), String> {
        let worth = worth(offer, rival, &self.env)?;
        let env = Env {
            offer: Some((offer, Some(worth))),
            ..self.env
        };
        let columns = row.iter_mut().zip(&model.inputs);
        for (of, input) in columns.filter(|(_, input)| input.per_offer) {
            let (column, name) = (&input.column, &model.name);
            if looks_at_customer(&input.from) {
                return Err(format!(
                    "`{column}` of model `{name}` looks at the customer and at the offer, and the log has the rows of the offers \
                     that were given alone"
                ));
            }
            *of = cell(input, &env).map_err(|why| format!("model `{name}`: {why}"))?;
        }
        Ok(())
    }
}

/// Returns what a learner believed.
fn believed(logged: Option<&Rated>, p: f64) -> Result<Belief, &'static str> {
    let is_finite = |spread: &Spread| {
        let parts = match *spread {
            Spread::Point(p) => [p, 0.0],
            Spread::Beta(a, b) => [a, b],
            Spread::Normal(mean, sd) | Spread::Logit(mean, sd) => [mean, sd],
        };
        parts.iter().all(|part| part.is_finite())
    };
    match logged.map(|rated| (rated.belief, rated.propensity)) {
        Some((Some(spread), _)) if is_finite(&spread) => Ok(Belief::of(spread)),
        Some((Some(_), _)) => Err("the log has a belief that is not finite"),
        Some((None, Some(_))) => Err("an earlier build logged the means alone"),
        Some((None, None)) | None => Ok(Belief::Point(p)),
    }
}

/// Tells if a decision was made by the very file of a model.
fn is_of_log(record: &Record<'_>, model: &Model) -> Result<bool, String> {
    let Some(models) = &record.models else {
        return Err(
            "the decision does not name the versions of its models: an earlier build logged it"
                .into(),
        );
    };
    let version = Some(&*model.version).filter(|version| !version.is_empty());
    let asked = models.iter().find(|asked| asked.name == *model.name);
    Ok(asked.is_some_and(|asked| version.is_some() && asked.version.as_deref() == version))
}

/// Reads a logged row as the columns of a model; nothing if it is of other ones.
fn cells(inputs: &Inputs, model: &Model) -> Option<Vec<Cell>> {
    if inputs.row.len() != model.inputs.len() {
        return None;
    }
    let cells = inputs.row.iter().zip(&model.inputs);
    let cells = cells.map(|(value, input)| match input.kind {
        Kind::Number if value.is_null() => Some(Cell::Number(f32::NAN)),
        Kind::Number => Some(Cell::Number(single(value.as_f64()?))),
        Kind::Text => Some(Cell::Text(value.as_str()?.into())),
    });
    cells.collect()
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "it was written in single precision"
)]
fn single(number: f64) -> f32 {
    number as f32
}
