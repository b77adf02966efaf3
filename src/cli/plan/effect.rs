//! What past events lead to under both sets of policies.

use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};

use crate::cli::backtest::compare;
use crate::cli::backtest::feed::Feed;
use crate::cli::backtest::replay::Side;
use crate::cli::history::Range;
use crate::cli::plan::Args;
use crate::clock;
use crate::domain::Duration;
use crate::policy::Bundle;
use crate::policy::wanted::Wanted;
use crate::release::models;

/// What a plan looks back on unless it is told.
const PAST: Duration = Duration::from_secs(86_400);
/// So many customers stay in memory.
const CUSTOMERS_MAX: usize = 1_000_000;

/// What was counted on both sides.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// Events that were read.
    pub events: u64,
    /// What of them: before, and after.
    pub counts: Vec<(String, u64, u64)>,
    /// Actions that leave after and not before.
    pub gained: u64,
    /// Actions that leave before and not after.
    pub lost: u64,
    /// Actions that leave on both sides.
    pub kept: u64,
}

/// Tries both on past events, if any are named or there is a server.
///
/// # Errors
///
/// Models cannot be loaded, or the events cannot be read.
pub fn of(
    args: &Args,
    by_server: bool,
    before: Bundle,
    after: Bundle,
) -> anyhow::Result<Option<Effect>> {
    let is_named = args.events.is_some() || args.since.is_some();
    if args.no_effect || !(is_named || by_server) || before.id == after.id {
        return Ok(None);
    }
    let (before, after) = (side(before)?, side(after)?);
    let wanted = Wanted::of(&before.bundle).and(Wanted::of(&after.bundle));
    let feed = match &args.events {
        Some(path) => Feed::of_file(path, None, None, wanted, None)?,
        None => {
            let range = Range {
                since: args.since.unwrap_or_else(|| clock::now() - PAST),
                until: None,
                customer: None,
            };
            Feed::of_stream(&args.source.config()?, range, wanted, None)?
        }
    };
    let most = NonZeroUsize::new(CUSTOMERS_MAX).unwrap_or(NonZeroUsize::MIN);
    let (mut actions, mut problems) = (std::io::sink(), std::io::stderr());
    let compared = compare::compare(&before, &after, feed, most, &mut actions, &mut problems)?;
    Ok(Some(Effect {
        events: compared.after.events,
        counts: compared.totals(),
        gained: compared.gained,
        lost: compared.lost,
        kept: compared.kept,
    }))
}

fn side(bundle: Bundle) -> anyhow::Result<Side> {
    let scorer = models::scorer(models::named(&bundle), None)?;
    Ok(Side { bundle, scorer })
}
