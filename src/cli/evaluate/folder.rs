//! A folder of policies as the policy that is valued: what each placement would have done in each logged decision.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail, ensure};

use crate::actors::live::Policies;
use crate::app;
use crate::cli::evaluate::names::Names;
use crate::cli::evaluate::read::Known;
use crate::cli::evaluate::record::{Inputs, Record};
use crate::cli::evaluate::source::Logged;
use crate::decide::Env;
use crate::decide::offers::{Past, Rival, chances, looks_at_customer};
use crate::domain::{Cell, CustomerId, Profile, Timestamp};
use crate::policy::Bundle;
use crate::policy::model::{Kind, Model};
use crate::policy::offer::{Offer, Placement};
use crate::scoring::{Score, Scorer};

/// Who is decided for: somebody of whom nothing is known.
const NOBODY: &str = "nobody";

/// Policies and their models.
pub struct Folder {
    bundle: Arc<Bundle>,
    scorer: Arc<dyn Scorer>,
    nobody: Profile,
}

impl Folder {
    /// Compiles policies and loads the models that they name.
    ///
    /// # Errors
    ///
    /// Policies or models cannot be read, or are wrong.
    pub fn read(policies: &Path, models: &Path) -> anyhow::Result<Self> {
        let color = crate::cli::color(&std::io::stderr());
        let sources = app::sources(&[policies.to_owned()], models)?;
        let bundle = Arc::new(app::compile(&sources, color)?);
        let scorer = app::scorer(app::named(&bundle), None)?;
        let nobody = CustomerId::parse(NOBODY).map_err(anyhow::Error::msg)?;
        Ok(Self {
            // The bundle learns which files its models are.
            bundle: Policies::new(0, bundle, scorer.clone()).bundle.clone(),
            scorer,
            nobody: Profile::new(nobody),
        })
    }

    /// Returns what the policy does at one place of a decision.
    ///
    /// # Errors
    ///
    /// The log does not say what is needed for it.
    pub fn choices(
        &self,
        logged: &Logged<'_>,
        actions: &mut Names,
    ) -> anyhow::Result<Vec<(u32, f64)>> {
        let Some((record, slot)) = logged.decision else {
            bail!(
                "a folder of policies is valued on a log of decisions: a table does not say what offers were ranked by"
            );
        };
        let name = record.placement.as_deref().unwrap_or_default();
        let placement = self.placement(name)?;
        if record.fallback {
            // Nothing qualified, and so it would be again.
            let fallback = placement.fallback.as_deref();
            let fallback = fallback.map(|offer| actions.take(offer)).transpose()?;
            return Ok(fallback.map(|offer| (offer, 1.0)).into_iter().collect());
        }
        let found = self.found(record, slot, placement, &logged.candidates);
        let found = found.map_err(anyhow::Error::msg)?;
        let likely = found.into_iter().zip(&logged.candidates);
        let likely = likely.filter(|(chance, _)| *chance > 0.0);
        likely
            .map(|(chance, offer)| Ok((actions.take(offer)?, chance)))
            .collect()
    }

    fn placement(&self, name: &str) -> anyhow::Result<&Placement> {
        let names = || self.bundle.placements.keys().map(AsRef::as_ref);
        self.bundle.placement(name).with_context(|| {
            let hint = crate::policy::hint(name, names());
            format!(
                "`{name}` is no placement of the policies{hint}; `--placement` picks one of the log"
            )
        })
    }

    fn found(
        &self,
        record: &Record<'_>,
        slot: usize,
        placement: &Placement,
        candidates: &[&str],
    ) -> Result<Vec<f64>, String> {
        let at = record.decided_at.as_deref().and_then(Timestamp::parse);
        let before: Vec<&str> = record.offers[..slot].iter().map(|of| &*of.offer).collect();
        let rivals = candidates.iter().map(|offer| Rival {
            offer,
            value: record.rated(offer).and_then(|rated| rated.value),
        });
        let rivals: Vec<Rival<'_>> = rivals.collect();
        let factors = record.offers.iter().find_map(|of| of.factors.as_ref());
        let past = Past {
            place: slot,
            context: factors.map(|factors| factors.c),
            before: &before,
            candidates: &rivals,
        };
        let env = Env::new(&self.bundle, &self.nobody, at.unwrap_or(Timestamp::MIN));
        let scored = RefCell::new(BTreeMap::new());
        let propensity =
            |means: &Placement, offer: &Offer| self.propensity(record, means, offer, &scored);
        chances(placement, &past, &env, &propensity)
    }

    /// Returns P of an offer: as logged, where the same learner or the same file of a model said it; else from the logged row.
    fn propensity(
        &self,
        record: &Record<'_>,
        placement: &Placement,
        offer: &Offer,
        scored: &RefCell<BTreeMap<Arc<str>, f64>>,
    ) -> Result<f64, String> {
        let logged = || record.rated(&offer.id).and_then(|rated| rated.propensity);
        if let Some(name) = &placement.learning.learner {
            let learner = self.bundle.learner(name);
            let version = learner.map(|learner| format!("{:016x}", learner.version));
            let by = record.learner.as_ref();
            let is_same =
                by.is_some_and(|by| *by.name == **name && Some(&by.version) == version.as_ref());
            if is_same {
                // Where a model is broken all are ranked without a propensity.
                return Ok(logged().unwrap_or(1.0));
            }
            return Err(format!(
                "learner `{name}`, as it is in the policies, did not decide: what it would have learnt by then is not in the log"
            ));
        }
        let Some(name) = offer.model.as_ref().or(placement.model.as_ref()) else {
            return Ok(1.0);
        };
        let Some(model) = self.bundle.model(name) else {
            return Err(format!("there is no model `{name}`"));
        };
        if record.learner.is_none() && is_of_log(record, model)? {
            return Ok(logged().unwrap_or(1.0));
        }
        if let Some(score) = scored.borrow().get(name) {
            return Ok(*score);
        }
        let score = self.score(record, model)?;
        scored.borrow_mut().insert(name.clone(), score);
        Ok(score)
    }

    /// Scores what was asked of a model then, with the model as it is now.
    fn score(&self, record: &Record<'_>, model: &Model) -> Result<f64, String> {
        let name = &model.name;
        if model.per_offer {
            return Err(format!(
                "model `{name}` is another one than that which decided, and looks at the offer: the log has the rows of the \
                 offers that were given alone"
            ));
        }
        let mut inputs = record.offers.iter().filter_map(|of| of.inputs.as_ref());
        let inputs = inputs.find(|inputs| *inputs.model == **name);
        let row = inputs
            .and_then(|inputs| cells(inputs, model))
            .ok_or_else(|| {
                format!("model `{name}` did not decide, and no row with its columns is in the log")
            })?;
        let score = self.scorer.score_batch(name, &[&row]).into_iter().next();
        Ok(score.as_ref().and_then(Score::known).unwrap_or(1.0))
    }

    /// Says what is taken from the log although it might be another with these policies, and what the log does not have.
    ///
    /// # Errors
    ///
    /// A placement of the log is not in the policies.
    pub fn notes(&self, known: &Known) -> anyhow::Result<Vec<String>> {
        let positions =
            (0..u32::try_from(known.positions.len())?).map(|at| known.positions.name(at));
        let names = positions.filter_map(|at| at.rsplit_once('/'));
        let names: BTreeSet<&str> = names.map(|(placement, _)| placement).collect();
        ensure!(!names.is_empty(), "the log has no decisions");
        let mut notes = Vec::new();
        for name in names {
            let placement = self.placement(name)?;
            if placement
                .context_weights
                .iter()
                .any(|of| looks_at_customer(&of.when))
            {
                notes.push(format!(
                    "context weights of `{name}` look at the customer: C is as logged"
                ));
            }
            let offers = placement
                .offers
                .iter()
                .filter_map(|id| self.bundle.offer(id));
            let (seen, unseen): (Vec<&Offer>, Vec<&Offer>) =
                offers.partition(|offer| known.actions.find(&offer.id).is_some());
            let told = seen.iter().filter(|offer| looks_at_customer(&offer.value));
            let told = named(told).map(|offers| {
                format!("the value of {offers} looks at the customer: V is as logged")
            });
            let new = named(unseen.iter());
            let new =
                new.map(|offers| format!("no decision of the log has {offers}: nobody gets it"));
            notes.extend(told.into_iter().chain(new));
        }
        Ok(notes)
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

/// So many offers are named in a note.
const NAMED_MAX: usize = 5;

fn named<'a>(offers: impl Iterator<Item = &'a &'a Offer>) -> Option<String> {
    let ids: Vec<String> = offers.map(|offer| format!("`{}`", offer.id)).collect();
    let first = ids.iter().take(NAMED_MAX).cloned().collect::<Vec<_>>();
    let first = first.join(", ");
    match ids.len() {
        0 => None,
        n if n > NAMED_MAX => Some(format!("{first} and {} more", n - NAMED_MAX)),
        _ => Some(first),
    }
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
