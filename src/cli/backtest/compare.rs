//! Two sets of policies over the same events: what leaves under one of them only.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read, Write};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::Context;
use foldhash::fast::RandomState;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::cli::backtest::course::Course;
use crate::cli::backtest::feed::{Feed, Item};
use crate::cli::backtest::line::{self, Change};
use crate::cli::backtest::replay::{Held, Replay, Side};
use crate::cli::backtest::run::{Output, run};
use crate::cli::backtest::saved;
use crate::cli::backtest::summary::Summary;
use crate::domain::{Action, CustomerId, Timestamp};

/// What was counted on both sides, and what differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Under the policies that are compared with.
    pub before: Summary,
    /// Under the policies on trial.
    pub after: Summary,
    /// Actions that leave after and not before.
    pub gained: u64,
    /// Actions that leave before and not after.
    pub lost: u64,
    /// Actions that leave on both sides at the same time.
    pub kept: u64,
    /// Customers who get more actions than before.
    pub customers_gaining: u64,
    /// Customers who get fewer.
    pub customers_losing: u64,
    /// Customers who get as many, but others or at other times.
    pub customers_shifted: u64,
}

/// A backtest of two sets of policies.
///
/// Writes what differs: one line of JSON an action, in the order of time. Two actions are the same when customer,
/// journey, channel, template and time are.
pub struct Two<'a> {
    before: Replay<'a>,
    after: Replay<'a>,
    diff: Diff,
}

/// Runs both over the events and writes what differs; see [`Two`].
///
/// - `problems`: gets one line for each of the first events that are none.
///
/// # Errors
///
/// The events cannot be read, the lines cannot be written, or the disk fails.
pub fn compare(
    before: &Side,
    after: &Side,
    feed: Feed,
    customers_max: NonZeroUsize,
    out: &mut dyn Write,
    problems: &mut dyn Write,
) -> anyhow::Result<Comparison> {
    let mut two = Two::start(before, after, customers_max, None)?;
    let took = run(&mut two, feed, &mut Output::new(out), problems, None)?;
    Ok(two.end(took.unwrap_or_default()))
}

impl<'a> Two<'a> {
    /// Starts, or goes on from what was saved.
    ///
    /// # Errors
    ///
    /// What was saved is damaged.
    pub fn start(
        before: &'a Side,
        after: &'a Side,
        customers_max: NonZeroUsize,
        saved: Option<&mut dyn Read>,
    ) -> anyhow::Result<Self> {
        let mut two = Self {
            before: Replay::new(before, customers_max),
            after: Replay::new(after, customers_max),
            diff: Diff::default(),
        };
        if let Some(saved) = saved {
            two.before.load(saved)?;
            two.after.load(saved)?;
            two.diff = saved::get(saved)?;
        }
        Ok(two)
    }

    /// Returns what was counted.
    ///
    /// - `took`: how long the run took.
    pub fn end(mut self, took: Duration) -> Comparison {
        self.before.summary.took(took);
        self.after.summary.took(took);
        let diff = self.diff;
        Comparison {
            before: self.before.summary,
            after: self.after.summary,
            customers_gaining: diff.customers(Ordering::Greater),
            customers_losing: diff.customers(Ordering::Less),
            customers_shifted: diff.customers(Ordering::Equal),
            gained: diff.gained,
            lost: diff.lost,
            kept: diff.kept,
        }
    }
}

impl Course for Two<'_> {
    fn take(&mut self, items: &[Item]) -> anyhow::Result<()> {
        both(&mut self.before, &mut self.after, |side| side.take(items))
    }

    fn advance(&mut self, to: Timestamp) -> anyhow::Result<()> {
        both(&mut self.before, &mut self.after, |side| side.advance(to))
    }

    fn write(&mut self, out: &mut dyn Write, is_over: bool) -> anyhow::Result<()> {
        self.diff.take(&mut self.before, &mut self.after);
        let upto = if is_over {
            Timestamp::MAX
        } else {
            self.summary().clock
        };
        let written = self.diff.write(upto, out);
        written.context("cannot write an action")
    }

    fn summary(&self) -> &Summary {
        &self.after.summary
    }

    fn save(&self, to: &mut dyn Write) -> anyhow::Result<()> {
        self.before.save(to)?;
        self.after.save(to)?;
        saved::put(to, &self.diff)
    }
}

/// Does the same on both sides at the same time.
fn both(
    before: &mut Replay<'_>,
    after: &mut Replay<'_>,
    act: impl Fn(&mut Replay<'_>) -> anyhow::Result<()> + Sync,
) -> anyhow::Result<()> {
    let act = &act;
    thread::scope(|scope| {
        let before = scope.spawn(move || act(before));
        let after = act(after);
        // A panic of the one is a panic of the whole.
        let before = before
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        before.and(after)
    })
}

/// What makes two actions the same, in the order in which they are written.
type Name = (Timestamp, CustomerId, Arc<str>, Arc<str>, Arc<str>);

/// Where and when an action was held back.
type Spot = (Timestamp, CustomerId, Arc<str>);

/// Actions that may still find their like on the other side.
#[derive(Default, Serialize, Deserialize)]
struct Diff {
    open: BTreeMap<Name, Pair>,
    /// Reason codes on either side.
    held: [HashMap<Spot, Arc<str>, RandomState>; 2],
    gained: u64,
    lost: u64,
    kept: u64,
    /// Of customers for whom something differs: how many more actions they get.
    net: HashMap<u64, i64, RandomState>,
}

/// Actions of one name.
#[derive(Default, Serialize, Deserialize)]
struct Pair {
    before: Vec<Action>,
    after: Vec<Action>,
}

impl Diff {
    fn take(&mut self, before: &mut Replay<'_>, after: &mut Replay<'_>) {
        for action in before.left.drain(..) {
            self.open
                .entry(name_of(&action))
                .or_default()
                .before
                .push(action);
        }
        for action in after.left.drain(..) {
            self.open
                .entry(name_of(&action))
                .or_default()
                .after
                .push(action);
        }
        let spot = |of: Held| ((of.at, of.customer, of.journey), of.code);
        let [held_before, held_after] = &mut self.held;
        held_before.extend(before.held.drain(..).map(spot));
        held_after.extend(after.held.drain(..).map(spot));
    }

    /// Writes what differs before a time, to which both sides have come.
    fn write(&mut self, upto: Timestamp, out: &mut dyn Write) -> io::Result<()> {
        while let Some(entry) = self.open.first_entry() {
            if entry.key().0 >= upto {
                break;
            }
            let (name, pair) = entry.remove_entry();
            self.settle(&name, &pair, out)?;
        }
        for held in &mut self.held {
            held.retain(|(at, ..), _| *at >= upto);
        }
        Ok(())
    }

    /// Writes the actions of one name that are on one side only.
    fn settle(&mut self, name: &Name, pair: &Pair, out: &mut dyn Write) -> io::Result<()> {
        let (at, customer, journey, ..) = name;
        let Pair { before, after } = pair;
        let n_kept = before.len().min(after.len());
        self.kept += n_kept as u64;
        let spot = (*at, customer.clone(), journey.clone());
        let [held_before, held_after] = &self.held;
        let lost = Change {
            what: "lost",
            because: held_after.get(&spot).map(AsRef::as_ref),
        };
        let gained = Change {
            what: "gained",
            because: held_before.get(&spot).map(AsRef::as_ref),
        };
        for action in &before[n_kept..] {
            self.lost += 1;
            *self.net.entry(hash_of(customer)).or_default() -= 1;
            line::write(out, action, Some(lost))?;
        }
        for action in &after[n_kept..] {
            self.gained += 1;
            *self.net.entry(hash_of(customer)).or_default() += 1;
            line::write(out, action, Some(gained))?;
        }
        Ok(())
    }

    /// Returns how many customers get more, fewer, or as many other actions.
    fn customers(&self, than_before: Ordering) -> u64 {
        let nets = self.net.values();
        nets.filter(|net| net.cmp(&&0) == than_before).count() as u64
    }
}

fn hash_of(customer: &CustomerId) -> u64 {
    xxh3_64(customer.as_str().as_bytes())
}

fn name_of(action: &Action) -> Name {
    (
        action.decided_at,
        action.customer.clone(),
        action.journey.clone(),
        action.channel.clone(),
        action.template.clone(),
    )
}
