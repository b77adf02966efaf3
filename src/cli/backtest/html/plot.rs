//! Bars over days, drawn as SVG.

use std::fmt::Write as _;

use super::text::{escape, thousands};
use crate::cli::backtest::summary::Day;

/// How bars are drawn.
#[derive(Clone, Copy)]
pub struct Look {
    width: f64,
    /// Bars of one day stand above each other, not beside each other.
    stacked: bool,
    /// So many dates are written at most.
    dates_max: usize,
}

/// Over the whole page, stacked.
pub const WIDE: Look = Look {
    width: 960.0,
    stacked: true,
    dates_max: 8,
};

/// Over the whole page, side by side.
pub const ALONE: Look = Look {
    stacked: false,
    ..WIDE
};

/// Over half of the page, side by side.
pub const NARROW: Look = Look {
    width: 480.0,
    stacked: false,
    dates_max: 4,
};

const HEIGHT: f64 = 220.0;
/// Room for the numbers at the left, and for the dates below.
const LEFT: f64 = 52.0;
const BELOW: f64 = 26.0;
const ABOVE: f64 = 8.0;
/// The values of one colour, one a day.
pub struct Series<'a> {
    /// Its name.
    pub name: &'a str,
    /// The class of its colour.
    pub class: String,
    /// How many on each day.
    pub values: Vec<u64>,
}

/// Draws bars over days.
pub fn bars(days: &[Day], series: &[Series<'_>], look: Look) -> String {
    let Look {
        width: page,
        stacked,
        ..
    } = look;
    let at = |idx: usize| series.iter().map(move |of| of.values[idx]);
    let tallest = |idx| {
        if stacked {
            at(idx).sum()
        } else {
            at(idx).max().unwrap_or(0)
        }
    };
    let top = nice((0..days.len()).map(tallest).max().unwrap_or(0));
    let mut svg = format!(
        "<svg viewBox=\"0 0 {page} {HEIGHT}\" role=\"img\" aria-label=\"Sends per day\" class=\"plot\">"
    );
    grid(&mut svg, top, page);
    let step = (page - LEFT) / float(days.len());
    let width = (step * 0.72).min(48.0);
    for (idx, day) in days.iter().enumerate() {
        let left = LEFT + step * float(idx) + (step - width) / 2.0;
        let mut base = 0;
        for (nth, of) in series.iter().enumerate() {
            let n = of.values[idx];
            let bar = if stacked {
                Bar {
                    left,
                    width,
                    base,
                    n,
                }
            } else {
                let width = width / float(series.len());
                Bar {
                    left: left + width * float(nth),
                    width,
                    base,
                    n,
                }
            };
            bar.draw(&mut svg, top, of, *day);
            base += if stacked { n } else { 0 };
        }
    }
    dates(&mut svg, days, step, look);
    svg.push_str("</svg>");
    svg
}

struct Bar {
    left: f64,
    width: f64,
    base: u64,
    n: u64,
}

impl Bar {
    fn draw(&self, svg: &mut String, top: u64, of: &Series<'_>, day: Day) {
        if self.n == 0 {
            return;
        }
        let y = height(self.base + self.n, top);
        let length = height(self.base, top) - y;
        // INVARIANT: writing to a string does not fail.
        let _ = write!(
            svg,
            "<rect class=\"{}\" x=\"{:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{length:.1}\"><title>{day} {}: {}</title></rect>",
            of.class,
            self.left,
            // A hair's breadth between neighbours.
            (self.width - 0.6).max(0.6),
            escape(of.name),
            thousands(self.n),
        );
    }
}

fn grid(svg: &mut String, top: u64, page: f64) {
    let n_lines = if top.is_multiple_of(4) { 4 } else { top.min(5) };
    for line in 0..=n_lines {
        let value = top * line / n_lines.max(1);
        let y = height(value, top);
        let _ = write!(
            svg,
            "<line x1=\"{LEFT}\" x2=\"{page}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/><text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 8.0,
            y + 4.0,
            thousands(value),
        );
    }
}

fn dates(svg: &mut String, days: &[Day], step: f64, look: Look) {
    let every = days.len().div_ceil(look.dates_max).max(1);
    for (idx, day) in days.iter().enumerate().step_by(every) {
        let x = LEFT + step * (float(idx) + 0.5);
        let anchor = if days.len() > 1 && x > look.width - 40.0 {
            "end"
        } else {
            "middle"
        };
        let _ = write!(
            svg,
            "<text x=\"{x:.1}\" y=\"{}\" text-anchor=\"{anchor}\">{day}</text>",
            HEIGHT - 6.0
        );
    }
}

/// Returns where a value lies, from the upper edge.
fn height(value: u64, top: u64) -> f64 {
    let room = HEIGHT - BELOW - ABOVE;
    ABOVE + room * (1.0 - float64(value) / float64(top.max(1)))
}

/// Rounds up to 1, 2, 4, 5 or 8 times a power of ten.
fn nice(value: u64) -> u64 {
    let mut power = 1_u64;
    loop {
        let round = [1, 2, 4, 5, 8].into_iter().map(|of| of * power);
        if let Some(found) = round.into_iter().find(|round| *round >= value) {
            return found;
        }
        match power.checked_mul(10) {
            Some(more) if more <= u64::MAX / 8 => power = more,
            Some(_) | None => return value,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "indexes are small")]
fn float(n: usize) -> f64 {
    n as f64
}

#[expect(clippy::cast_precision_loss, reason = "counts are fewer than 2^52")]
fn float64(n: u64) -> f64 {
    n as f64
}
