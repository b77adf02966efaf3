//! A log as the engine writes it: one decision a line of JSON, and the outcomes that came back.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Deserialize;

use crate::cli::backtest::lines::{Line, Lines};
use crate::cli::evaluate::Outcome;
use crate::cli::evaluate::source::{Each, Logged};
use crate::domain::{Duration, Timestamp};

/// The longest line of a decision, in bytes: no longer than what NATS takes.
const LINE_BYTES_MAX: usize = 8 << 20;

/// So many outcomes are kept.
const OUTCOMES_MAX: usize = 5_000_000;

/// Decisions with their outcomes.
pub struct Decisions {
    path: PathBuf,
    placement: Option<String>,
    within: Duration,
    outcomes: BTreeMap<Box<str>, Vec<Came>>,
}

/// An outcome that came back.
struct Came {
    offer: Option<Box<str>>,
    at: Timestamp,
}

/// A line: a decision, or an event in Segment's form.
#[derive(Deserialize)]
struct Record {
    decision_id: Option<String>,
    placement: Option<String>,
    #[serde(default)]
    offers: Vec<Chosen>,
    #[serde(default)]
    losers: Vec<Lost>,
    decided_at: Option<String>,
    event: Option<String>,
    timestamp: Option<String>,
    properties: Option<Told>,
}

#[derive(Deserialize)]
struct Chosen {
    offer: String,
    probability: Option<f64>,
    reward: Option<f64>,
}

#[derive(Deserialize)]
struct Lost {
    offer: String,
    reason: String,
}

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
    /// A file cannot be read, or there are too many outcomes.
    pub fn open(path: &Path, outcome: &Outcome) -> anyhow::Result<Self> {
        let mut decisions = Self {
            path: path.to_owned(),
            placement: outcome.placement.clone(),
            within: outcome.within,
            outcomes: BTreeMap::new(),
        };
        for path in [Some(path), outcome.outcomes.as_deref()]
            .into_iter()
            .flatten()
        {
            decisions.learn(path, &outcome.event)?;
        }
        Ok(decisions)
    }

    /// Keeps the outcomes of a file; what else there is, and what is wrong, is for the second pass.
    fn learn(&mut self, path: &Path, event: &str) -> anyhow::Result<()> {
        let mut n = 0;
        lines(path, &mut |_, record| {
            let Ok(Record {
                event: Some(name),
                timestamp: Some(at),
                properties:
                    Some(Told {
                        decision_id: Some(decision),
                        offer,
                    }),
                ..
            }) = record
            else {
                return Ok(());
            };
            let Some(at) = Timestamp::parse(&at) else {
                return Ok(());
            };
            if name != event {
                return Ok(());
            }
            n += 1;
            anyhow::ensure!(
                n <= OUTCOMES_MAX,
                "more than {OUTCOMES_MAX} outcomes in `{}`: value a shorter time",
                path.display()
            );
            let offer = offer.map(Into::into);
            let came = self.outcomes.entry(decision.into()).or_default();
            came.push(Came { offer, at });
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

    fn decision(&self, number: u64, of: &Record, each: &mut Each<'_>) -> anyhow::Result<()> {
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
    fn reward(&self, came: &[Came], of: &Record, offer: &str, at: Timestamp) -> f64 {
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
    of: &'a Record,
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
    })
}

/// Hands out the lines of a file, one at a time.
fn lines(
    path: &Path,
    each: &mut dyn FnMut(u64, Result<Record, String>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut lines = Lines::open_with(path, LINE_BYTES_MAX)?;
    while let Some(line) = lines
        .take_next()
        .with_context(|| format!("cannot read `{}`", path.display()))?
    {
        each(line.number, record(&line))?;
    }
    Ok(())
}

fn record(line: &Line<'_>) -> Result<Record, String> {
    if line.bytes.len() > LINE_BYTES_MAX {
        return Err(format!("more than {LINE_BYTES_MAX} bytes"));
    }
    serde_json::from_slice(line.bytes).map_err(|error| format!("not a decision in JSON: {error}"))
}
