//! A log as the engine writes it: one decision a line of JSON, and the outcomes that came back.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use serde::Deserialize;

use crate::cli::backtest::lines::{Line, Lines};
use crate::cli::evaluate::Outcome;
use crate::cli::evaluate::record::Record;
use crate::cli::evaluate::source::{Each, Logged};
use crate::domain::{Duration, Timestamp};

/// The longest line of a decision, in bytes: no longer than what NATS takes.
const LINE_BYTES_MAX: usize = 8 << 20;

/// The event that is worth 1 when nothing is said.
const EVENT: &str = "Offer Clicked";

/// How long after a decision it counts when nothing is said: 7 days.
const WITHIN: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// So many outcomes are kept.
const OUTCOMES_MAX: usize = 5_000_000;

/// Decisions with their outcomes.
pub struct Decisions {
    path: PathBuf,
    placement: Option<String>,
    within: Duration,
    outcomes: BTreeMap<Box<str>, Vec<Came>>,
    n_outcomes: usize,
    /// Whether a decision says itself what came of it.
    has_rewards: bool,
    /// Whether a line of the log cannot be read: the second pass says which.
    is_damaged: bool,
}

/// An outcome that came back.
struct Came {
    offer: Option<Box<str>>,
    at: Timestamp,
}

/// What an outcome says of its decision.
#[derive(Deserialize)]
struct Told {
    decision_id: Option<String>,
    offer: Option<String>,
}

impl Decisions {
    /// Reads all outcomes, of the log itself and of a file of events.
    ///
    /// # Errors
    ///
    /// A file cannot be read, an outcome is damaged, there are too many, or there is none at all.
    pub fn open(path: &Path, outcome: &Outcome) -> anyhow::Result<Self> {
        let event = outcome.event.as_deref().unwrap_or(EVENT);
        let mut decisions = Self {
            path: path.to_owned(),
            placement: outcome.placement.clone(),
            within: outcome.within.unwrap_or(WITHIN),
            outcomes: BTreeMap::new(),
            n_outcomes: 0,
            has_rewards: false,
            is_damaged: false,
        };
        decisions.learn(path, event, true)?;
        if let Some(path) = &outcome.outcomes {
            decisions.learn(path, event, false)?;
        }
        ensure!(
            decisions.n_outcomes > 0 || decisions.has_rewards || decisions.is_damaged,
            "no event `{event}` names a decision: is `--event` right, or is `--outcomes` missing?"
        );
        Ok(decisions)
    }

    /// Keeps the outcomes of a file.
    ///
    /// - `is_log`: the file is the log, of which a second pass says which lines cannot be used.
    fn learn(&mut self, path: &Path, event: &str, is_log: bool) -> anyhow::Result<()> {
        let shown = path.display();
        lines(path, &mut |number, record| {
            let wrong = |why: String| anyhow::anyhow!("`{shown}` line {number}: {why}");
            let record = match record {
                Ok(record) => record,
                Err(_) if is_log => {
                    self.is_damaged = true;
                    return Ok(());
                }
                Err(why) => return Err(wrong(why)),
            };
            self.has_rewards |= record.offers.iter().any(|of| of.reward.is_some());
            if record.event.as_deref() != Some(event) {
                return Ok(());
            }
            if let Some((decision, came)) = outcome(&record).map_err(wrong)? {
                self.n_outcomes += 1;
                self.outcomes.entry(decision).or_default().push(came);
            }
            ensure!(
                self.n_outcomes <= OUTCOMES_MAX,
                "more than {OUTCOMES_MAX} outcomes in `{shown}`: value a shorter time"
            );
            Ok(())
        })
    }

    /// Hands out every offer of every decision.
    ///
    /// # Errors
    ///
    /// The file cannot be read further, or `each` fails.
    pub fn each(&self, each: &mut Each<'_>) -> anyhow::Result<()> {
        lines(&self.path, &mut |number, record| match record {
            Ok(record) if record.event.is_some() => Ok(()),
            Ok(record) => self.decision(number, &record, each),
            Err(why) => each(number, Err(why)),
        })
    }

    fn decision(&self, number: u64, of: &Record<'_>, each: &mut Each<'_>) -> anyhow::Result<()> {
        let (Some(id), Some(placement)) = (&of.decision_id, &of.placement) else {
            return each(number, Err("neither a decision nor an event".into()));
        };
        if self
            .placement
            .as_ref()
            .is_some_and(|only| only != placement)
        {
            return Ok(());
        }
        let Some(at) = of.decided_at.as_deref().and_then(Timestamp::parse) else {
            return each(number, Err("no `decided_at`".into()));
        };
        for (slot, chosen) in of.offers.iter().enumerate() {
            let position = format!("{placement}/{}", slot + 1);
            let came = self.outcomes.get(id.as_str());
            let came = came.map_or(&[][..], Vec::as_slice);
            let reward = || self.reward(came, of, &chosen.offer, at);
            let reward = chosen.reward.unwrap_or_else(reward);
            each(number, logged(of, slot, &position, reward))?;
        }
        Ok(())
    }

    /// 1 if the outcome came in time, else 0.
    fn reward(&self, came: &[Came], of: &Record<'_>, offer: &str, at: Timestamp) -> f64 {
        let is_it = |came: &&Came| match &came.offer {
            Some(named) => **named == *offer,
            // A decision with one offer needs no name.
            None => of.offers.len() == 1,
        };
        let in_time = |came: &Came| came.at >= at && came.at <= at + self.within;
        let counts = came.iter().filter(is_it).any(in_time);
        f64::from(u8::from(counts))
    }
}

fn logged<'a>(
    of: &'a Record<'_>,
    slot: usize,
    position: &'a str,
    reward: f64,
) -> Result<Logged<'a>, String> {
    let chosen = &of.offers[slot];
    let Some(probability) = chosen.probability else {
        return Err(format!("`{}` has no probability", chosen.offer));
    };
    if !(probability > 0.0 && probability <= 1.0) {
        return Err(format!("probability {probability} is not in (0, 1]"));
    }
    if !reward.is_finite() {
        return Err(format!("reward {reward} is not a number"));
    }
    // What is in an earlier slot cannot be chosen again.
    let free = of.offers[slot..].iter().map(|chosen| &*chosen.offer);
    let outranked = of.losers.iter().filter(|lost| lost.reason == "OUTRANKED");
    Ok(Logged {
        position,
        context: "",
        action: &chosen.offer,
        reward,
        probability: Some(probability),
        candidates: free.chain(outranked.map(|lost| &*lost.offer)).collect(),
        decision: Some((of, slot)),
    })
}

/// Reads an event that may be the outcome of a decision.
fn outcome(of: &Record<'_>) -> Result<Option<(Box<str>, Came)>, String> {
    let told = of.properties.map(|told| serde_json::from_str(told.get()));
    let told: Option<Told> = told
        .transpose()
        .map_err(|error| format!("not an outcome: {error}"))?;
    let Some((decision, offer)) = told.and_then(|told| Some((told.decision_id?, told.offer)))
    else {
        return Ok(None);
    };
    let at = of.timestamp.as_deref().ok_or("no `timestamp`")?;
    let at =
        Timestamp::parse(at).ok_or_else(|| format!("`timestamp` is `{at}`, which is no time"))?;
    let offer = offer.map(Into::into);
    Ok(Some((decision.into(), Came { offer, at })))
}

/// Takes a line of a file, or what is wrong with it, with its number.
type Take<'a> = dyn for<'b> FnMut(u64, Result<Record<'b>, String>) -> anyhow::Result<()> + 'a;

/// Hands out the lines of a file, one at a time.
fn lines(path: &Path, each: &mut Take<'_>) -> anyhow::Result<()> {
    let mut lines = Lines::open_with(path, LINE_BYTES_MAX)?;
    while let Some(line) = lines
        .take_next()
        .with_context(|| format!("cannot read `{}`", path.display()))?
    {
        each(line.number, record(&line))?;
    }
    Ok(())
}

fn record<'a>(line: &Line<'a>) -> Result<Record<'a>, String> {
    if line.bytes.len() > LINE_BYTES_MAX {
        return Err(format!("more than {LINE_BYTES_MAX} bytes"));
    }
    serde_json::from_slice(line.bytes)
        .map_err(|error| format!("neither a decision nor an event in JSON: {error}"))
}
