//! Two lists of lines, laid side by side.

use serde::{Deserialize, Serialize};

/// One line of either side, or of both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// On which side it is.
    pub way: Way,
    /// How deep it stands.
    pub depth: usize,
    /// The label of the step before the change, or of an added one after it; `None` if it is no step.
    pub step: Option<String>,
    /// What it says.
    pub text: String,
}

/// On which side a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// On both.
    Kept,
    /// After the change only.
    Added,
    /// Before the change only.
    Removed,
}

/// The most pairs of lines that are compared; of longer texts everything counts as changed.
const PAIRS_MAX: usize = 4_000_000;

/// Returns the lines of both sides, those that are alike once; labels of steps may differ in lines that are alike.
pub fn diff(before: &[Line], after: &[Line]) -> Vec<Line> {
    let table = common(before, after);
    let mut lines = Vec::with_capacity(before.len().max(after.len()));
    let width = after.len() + 1;
    let (mut n_before, mut n_after) = (0, 0);
    let at = |k: usize, n: usize| table.get(k * width + n).copied().unwrap_or(0);
    while n_before < before.len() || n_after < after.len() {
        let (old, new) = (before.get(n_before), after.get(n_after));
        let (line, way) = match (old, new) {
            (Some(old), Some(new)) if alike(old, new) && !table.is_empty() => (old, Way::Kept),
            (Some(old), None) => (old, Way::Removed),
            (Some(old), Some(_)) if at(n_before + 1, n_after) >= at(n_before, n_after + 1) => {
                (old, Way::Removed)
            }
            (_, Some(new)) => (new, Way::Added),
            (None, None) => break,
        };
        lines.push(Line {
            way,
            ..line.clone()
        });
        n_before += usize::from(way != Way::Added);
        n_after += usize::from(way != Way::Removed);
    }
    lines
}

fn alike(a: &Line, b: &Line) -> bool {
    (a.depth, &a.text) == (b.depth, &b.text)
}

/// Returns, for every pair of tails, how many lines they have in common, in order; row by row of the first.
fn common(before: &[Line], after: &[Line]) -> Vec<u32> {
    let (height, width) = (before.len() + 1, after.len() + 1);
    if height.saturating_mul(width) > PAIRS_MAX {
        return Vec::new();
    }
    let mut table = vec![0_u32; height * width];
    for k in (0..before.len()).rev() {
        for n in (0..after.len()).rev() {
            let (below, right) = (table[(k + 1) * width + n], table[k * width + n + 1]);
            table[k * width + n] = if alike(&before[k], &after[n]) {
                table[(k + 1) * width + n + 1] + 1
            } else {
                below.max(right)
            };
        }
    }
    table
}
