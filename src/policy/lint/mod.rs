//! What compiles and is most likely not meant. Every pass warns and goes on.

mod catalogue;
mod consent;
mod demand;
mod journey;
mod logic;

pub use catalogue::catalogue;
pub use consent::consent;
pub use journey::journey;

use crate::policy::compile::Desk;
use crate::policy::expr::{Expr, Node};
use logic::Verdict;

/// Warns of a condition that is always true or always false.
pub fn condition(desk: &mut Desk, expr: &Expr) {
    together(desk, std::slice::from_ref(expr));
}

/// Warns of conditions that cannot be true together, or are always.
fn together(desk: &mut Desk, exprs: &[Expr]) {
    let (Some(first), Some(last)) = (exprs.first(), exprs.last()) else {
        return;
    };
    let nodes: Vec<&Node> = exprs.iter().map(|expr| &expr.root).collect();
    let verdict = logic::verdict(&nodes, &|idx| desk.registry.counts(idx));
    let span = first.place.span.start..last.place.span.end;
    match verdict {
        Verdict::Open => {}
        Verdict::AlwaysTrue => {
            let help = "remove it, or compare with another value";
            let message = "this condition is true for every value";
            desk.warn("always_true", span, message, help);
        }
        Verdict::NeverTrue if exprs.len() > 1 => {
            let help =
                "every condition of a list must be true at once; `||` in one condition says either";
            let message = "these conditions are never true together";
            desk.warn("always_false", span, message, help);
        }
        Verdict::NeverTrue => {
            let help = "no value fits all its parts at once; perhaps `||` is meant";
            let message = "this condition is never true";
            desk.warn("always_false", span, message, help);
        }
    }
}
