//! Who of earlier revisions goes on in a later one, and where.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::instance::Instance;
use crate::policy::bundle::Bundle;
use crate::policy::journey::{Journey, Step};
use crate::policy::mode::Mode;

/// What becomes of runs of earlier revisions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    /// Only of these revisions; of all, if empty.
    pub from: Vec<u64>,
    /// Where they go.
    pub to: Target,
}

/// Where runs go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// They leave.
    Exit,
    /// To the step of the same label, if there is one.
    Same,
    /// From the step of a label to the step of this index; `None`: they leave. Who is at another step stays.
    Steps(BTreeMap<Arc<str>, Option<usize>>),
}

/// What becomes of one run.
#[derive(Clone, Copy, Debug)]
pub enum Landing<'a> {
    /// It goes on at a step of the live revision.
    At(&'a Journey, &'a Step),
    /// It leaves.
    Exit,
}

/// Where a run is.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// The name of its journey.
    pub journey: &'a str,
    /// Its revision.
    pub revision: u64,
    /// The label of the step.
    pub step: &'a str,
    /// Whether it only says what it would do.
    pub is_shadow: bool,
}

impl Bundle {
    /// Returns what becomes of a run; `None`: it stays where it is.
    pub fn landing(&self, run: &Instance) -> Option<Landing<'_>> {
        self.lands(&Origin {
            journey: &run.journey,
            revision: run.revision,
            step: &run.step,
            is_shadow: run.is_shadow(),
        })
    }

    /// Returns what becomes of any run at a place; `None`: it stays there.
    pub fn lands(&self, run: &Origin<'_>) -> Option<Landing<'_>> {
        let Some(live) = self.journey(run.journey) else {
            let is_ended = self.ended.contains(run.journey);
            return is_ended.then_some(Landing::Exit);
        };
        // A shadow stays one, and nothing else becomes one.
        let is_shadow = live.mode == Mode::Shadow;
        if live.revision == run.revision || is_shadow != run.is_shadow {
            return None;
        }
        let concerns = |it: &&Migration| it.from.is_empty() || it.from.contains(&run.revision);
        let migration = live.migrate.iter().find(concerns)?;
        let at = |idx: usize| Landing::At(live, &live.flow[idx]);
        match &migration.to {
            Target::Exit => Some(Landing::Exit),
            Target::Same => {
                let mut steps = live.flow.iter();
                steps.position(|step| *step.label == *run.step).map(at)
            }
            Target::Steps(steps) => {
                let target = steps.get(run.step)?;
                Some(target.map_or(Landing::Exit, at))
            }
        }
    }
}
