//! A folder of policies as the policy that is valued: what each placement would have done in each logged decision.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail, ensure};

use crate::actors::live::Policies;
use crate::app;
use crate::cli::evaluate::asked::Asked;
use crate::cli::evaluate::names::Names;
use crate::cli::evaluate::read::Known;
use crate::cli::evaluate::record::Record;
use crate::cli::evaluate::source::Logged;
use crate::decide::Env;
use crate::decide::offers::{Past, Rival, chances, looks_at_customer};
use crate::domain::{CustomerId, Profile, Timestamp};
use crate::policy::Bundle;
use crate::policy::offer::{Offer, Placement};
use crate::scoring::Scorer;

/// Who is decided for: somebody of whom nothing is known.
const NOBODY: &str = "nobody";

/// Policies and their models.
pub struct Folder {
    pub(super) bundle: Arc<Bundle>,
    pub(super) scorer: Arc<dyn Scorer>,
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
        let asked = Asked {
            folder: self,
            record,
            env,
            scored: RefCell::new(BTreeMap::new()),
        };
        let propensity = |means: &Placement, offer: &Offer, rival: &Rival<'_>| {
            asked.propensity(means, offer, rival)
        };
        chances(placement, &past, &env, &propensity)
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
            let offers = placement.offers.iter().map(AsRef::as_ref);
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
