//! Bins: where a value is counted.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::Cell;

/// The most bins of numbers: ten, as the index is commonly computed. Source: N. Siddiqi, Credit Risk Scorecards (2006).
const NUMBER_BINS: usize = 10;
/// The most texts that have a bin of their own.
const TEXTS_MAX: usize = 32;

/// Where the values of a column are counted. The last bin is that of unknown values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Bins {
    /// Numbers, by edges in rising order: a bin holds what is at most its edge, the last but one what is above all.
    Edges(Vec<f32>),
    /// Texts, sorted: one bin each, then one for all others.
    Texts(Vec<Arc<str>>),
}

impl Bins {
    /// Chooses bins so that the values of the training fill them evenly.
    pub fn of<'a>(cells: impl Iterator<Item = &'a Cell>) -> Self {
        let (mut numbers, mut texts) = (Vec::new(), BTreeMap::<Arc<str>, usize>::new());
        for cell in cells {
            match cell {
                Cell::Number(number) if number.is_finite() => numbers.push(*number),
                Cell::Number(_) => {}
                Cell::Text(text) if text.is_empty() => {}
                Cell::Text(text) => *texts.entry(text.clone()).or_default() += 1,
            }
        }
        if texts.is_empty() {
            return Self::Edges(edges(numbers));
        }
        let mut by_count: Vec<_> = texts.into_iter().collect();
        by_count.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        by_count.truncate(TEXTS_MAX);
        let mut kept: Vec<_> = by_count.into_iter().map(|(text, _)| text).collect();
        kept.sort();
        Self::Texts(kept)
    }

    /// Returns how many there are, that of unknown values included.
    pub fn n(&self) -> usize {
        match self {
            Self::Edges(edges) => edges.len() + 2,
            Self::Texts(texts) => texts.len() + 2,
        }
    }

    /// Returns the bin of a cell; a cell of the other kind is unknown.
    pub fn place(&self, cell: &Cell) -> usize {
        match (self, cell) {
            (Self::Edges(edges), Cell::Number(number)) if !number.is_nan() => {
                edges.partition_point(|edge| edge < number)
            }
            (Self::Texts(texts), Cell::Text(text)) if !text.is_empty() => {
                texts.binary_search(text).unwrap_or(texts.len())
            }
            (Self::Edges(_) | Self::Texts(_), Cell::Number(_) | Cell::Text(_)) => self.n() - 1,
        }
    }

    /// Says what is wrong with bins that were read from a file.
    pub(super) fn fault(&self) -> Option<&'static str> {
        match self {
            Self::Edges(edges) if edges.iter().any(|edge| !edge.is_finite()) => {
                Some("has an edge that is no number")
            }
            Self::Edges(edges) if !edges.is_sorted() => Some("has edges out of order"),
            Self::Texts(texts) if !texts.is_sorted() => Some("has texts out of order"),
            Self::Edges(_) | Self::Texts(_) if self.n() > TEXTS_MAX + 2 => {
                Some("has too many bins")
            }
            Self::Edges(_) | Self::Texts(_) => None,
        }
    }
}

/// Returns the tenths of the numbers, each once.
fn edges(mut numbers: Vec<f32>) -> Vec<f32> {
    numbers.sort_by(f32::total_cmp);
    let (Some(last), n) = (numbers.last().copied(), numbers.len()) else {
        return Vec::new();
    };
    let tenths = (1..NUMBER_BINS).map(|k| numbers[(n * k / NUMBER_BINS).min(n - 1)]);
    let mut edges: Vec<f32> = tenths.collect();
    edges.dedup();
    // Nothing was above the largest: a bin there would be empty in training.
    edges.retain(|edge| *edge < last);
    edges
}
