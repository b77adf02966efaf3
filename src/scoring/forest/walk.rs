//! The walk. One row goes through several trees at a time, so that the processor need not wait for one of them to find
//! its next node. Many rows answer all questions of a tree side by side, whether they come to them or not: the leaf of a
//! row is the first that no answer rules out.
//!
//! Source of the latter: Lucchese et al., "`QuickScorer`: a fast algorithm to rank documents with additive ensembles of
//! regression trees" (2015).

use super::{Forest, Node, Place, Tree};
use crate::scoring::Cell;
use crate::scoring::rows::number;

/// How many walks go on at a time.
const LANES: usize = 8;

/// How many rows answer side by side.
const BESIDE: usize = 32;

/// So many rows are sooner walked one by one.
const FEW: usize = 2;

/// The most leaves of a tree whose questions are answered side by side.
pub(super) const MASKED: usize = 32;

/// The cells of a column, of rows that are scored side by side.
type Column = [f32; BESIDE];

impl Forest {
    /// Scores rows; each the same to the bit in whatever company.
    ///
    /// - `rows`: numbers, as many as the forest has columns.
    /// - `scores`: as many as rows.
    pub(in crate::scoring) fn score(&self, rows: &[&[Cell]], scores: &mut [f64]) {
        if rows.len() <= FEW {
            for (row, score) in rows.iter().zip(scores) {
                self.end(&[self.sum(&twice(row))], std::slice::from_mut(score));
            }
            return;
        }
        let groups = rows.chunks(BESIDE);
        let columns: Vec<Column> = groups.flat_map(|rows| self.columns(rows)).collect();
        let mut sums = vec![[0.0; BESIDE]; rows.len().div_ceil(BESIDE)];
        for tree in &self.trees {
            for (columns, sums) in columns.chunks(2 * self.width).zip(&mut sums) {
                self.add(tree, columns, sums);
            }
        }
        for (sums, scores) in sums.iter().zip(scores.chunks_mut(BESIDE)) {
            self.end(sums, scores);
        }
    }

    fn end(&self, sums: &[f32], scores: &mut [f64]) {
        for (score, sum) in scores.iter_mut().zip(sums) {
            *score = f64::from(self.link.score(*sum + self.base));
        }
    }

    /// Turns rows into columns; where there are too few rows, zeros are scored in vain.
    fn columns(&self, rows: &[&[Cell]]) -> Vec<Column> {
        let mut columns = vec![[0.0; BESIDE]; 2 * self.width];
        for (at, row) in rows.iter().enumerate() {
            for (column, cell) in columns.iter_mut().zip(twice(row)) {
                column[at] = cell;
            }
        }
        columns
    }

    /// Adds what a tree says of rows side by side.
    fn add(&self, tree: &Tree, columns: &[Column], sums: &mut [f32; BESIDE]) {
        let leaves = &self.leaves[tree.leaves.clone()];
        if leaves.len() > MASKED {
            for (at, sum) in sums.iter_mut().enumerate() {
                *sum += self.walk(tree, |cell| columns[cell][at]);
            }
            return;
        }
        let mut left = [u32::MAX; BESIDE];
        let masks = &self.masks[tree.nodes.clone()];
        for (node, mask) in self.nodes[tree.nodes.clone()].iter().zip(masks) {
            let cells = &columns[usize::from(node.cell)];
            left = std::array::from_fn(|at| {
                let yes = u32::from(cells[at] <= node.most).wrapping_neg();
                left[at] & (yes | mask)
            });
        }
        for (sum, left) in sums.iter_mut().zip(left) {
            *sum += leaves[left.trailing_zeros() as usize];
        }
    }

    /// Returns the sum for one row: several trees are walked at a time.
    fn sum(&self, row: &[f32]) -> f32 {
        let mut sum = 0.0;
        let (groups, rest) = self.trees.as_chunks::<LANES>();
        for group in groups {
            let at = self.ends(group, row);
            for (at, tree) in at.into_iter().zip(group) {
                sum += self.leaf(tree, at);
            }
        }
        let walk = |tree| self.walk(tree, |cell| row[cell]);
        rest.iter().fold(sum, |sum, tree| sum + walk(tree))
    }

    /// Walks a row through several trees, a question of each in turn, to its leaves.
    fn ends(&self, trees: &[Tree; LANES], row: &[f32]) -> [Place; LANES] {
        let mut at = trees.each_ref().map(Tree::root);
        while at.iter().any(|at| *at >= 0) {
            for (at, tree) in at.iter_mut().zip(trees) {
                let next = self.node(tree, (*at).max(0)).next(|cell| row[cell]);
                *at = further(*at, next);
            }
        }
        at
    }

    fn walk(&self, tree: &Tree, cell: impl Fn(usize) -> f32) -> f32 {
        let mut at = tree.root();
        while at >= 0 {
            at = self.node(tree, at).next(&cell);
        }
        self.leaf(tree, at)
    }

    /// Returns a question of a tree; a tree without any has one that nobody comes to.
    fn node(&self, tree: &Tree, at: Place) -> &Node {
        const NONE: &Node = &Node {
            most: 0.0,
            cell: 0,
            next: [!0; 2],
        };
        let at = tree.nodes.start + usize::from(at.unsigned_abs());
        self.nodes.get(at).unwrap_or(NONE)
    }

    fn leaf(&self, tree: &Tree, at: Place) -> f32 {
        self.leaves[tree.leaves.start + usize::from((!at).unsigned_abs())]
    }
}

impl Tree {
    fn root(&self) -> Place {
        if self.nodes.is_empty() { !0 } else { 0 }
    }
}

impl Node {
    fn next(&self, cell: impl Fn(usize) -> f32) -> Place {
        self.next[usize::from(cell(self.cell.into()) <= self.most)]
    }
}

/// Goes on to the next place; who is at a leaf stays there.
fn further(at: Place, next: Place) -> Place {
    if at < 0 { at } else { next }
}

/// Returns the cells of a row as they are, and once more with what is unknown below everything.
fn twice(row: &[Cell]) -> Vec<f32> {
    let cells = || row.iter().map(number);
    let below = |cell: f32| {
        if cell.is_nan() {
            f32::NEG_INFINITY
        } else {
            cell
        }
    };
    cells().chain(cells().map(below)).collect()
}
