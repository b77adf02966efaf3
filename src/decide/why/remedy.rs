//! What would have to be different for a condition to be true, or false.

use crate::decide::env::Env;
use crate::decide::eval::{eval, truth};
use crate::policy::Expr;
use crate::policy::expr::{Node, Op};

/// Says what would have to be different: `profile.cart.value were at least 50`.
///
/// - `wanted`: whether the condition is to be true or false.
pub fn remedy(of: &Expr, wanted: bool, env: &Env<'_>) -> String {
    Wish { env }.node(&of.root, wanted)
}

struct Wish<'a> {
    env: &'a Env<'a>,
}

impl Wish<'_> {
    fn node(&self, node: &Node, wanted: bool) -> String {
        match node {
            Node::Not(inner) => self.node(inner, !wanted),
            Node::Binary(Op::And, ..) => self.parts(node, Op::And, wanted),
            Node::Binary(Op::Or, ..) => self.parts(node, Op::Or, wanted),
            Node::Binary(op, left, right) => self.comparison(*op, left, right, wanted),
            Node::Has(inner) => {
                let word = if wanted { "known" } else { "unknown" };
                format!("{} were {word}", self.shown(inner))
            }
            Node::InSegment(name) => {
                let word = if wanted { "in" } else { "not in" };
                format!("the customer were {word} the segment `{name}`")
            }
            Node::Literal(_)
            | Node::Root(_)
            | Node::Member(..)
            | Node::Index(..)
            | Node::Negate(_)
            | Node::If(..)
            | Node::List(_)
            | Node::Map(_)
            | Node::Each(..)
            | Node::Matches(..)
            | Node::Call(..)
            | Node::Feature(..) => format!("{} were {wanted}", self.shown(node)),
        }
    }

    /// Of what must hold together each part that does not is named; of what need not, any would do.
    fn parts(&self, node: &Node, op: Op, wanted: bool) -> String {
        let together = (op == Op::And) == wanted;
        let mut parts = Vec::new();
        flatten(node, op, &mut parts);
        let misses = |part: &&Node| truth(part, self.env) != Some(wanted);
        let parts = parts.into_iter().filter(misses);
        let said: Vec<String> = parts.map(|part| self.node(part, wanted)).collect();
        match (together, said.len()) {
            (true, _) => said.join(" and "),
            (false, 0 | 1) => said.concat(),
            (false, _) => format!("either {}", said.join(" or ")),
        }
    }

    fn comparison(&self, op: Op, left: &Node, right: &Node, wanted: bool) -> String {
        // What can change is named first.
        let (op, left, right) = match (left, turned(op)) {
            (Node::Literal(_), Some(op)) => (op, right, left),
            (_, _) => (op, left, right),
        };
        let whole = || {
            let node = Node::Binary(op, Box::new(left.clone()), Box::new(right.clone()));
            format!("{} were {wanted}", self.shown(&node))
        };
        let Some(word) = word(op, wanted) else {
            return whole();
        };
        format!("{} were {word}{}", self.shown(left), self.bound(right))
    }

    /// Writes what is compared with, and its value if it is not written there.
    fn bound(&self, node: &Node) -> String {
        if let Node::Literal(value) = node {
            return match value.as_str() {
                Some(text) => format!("'{text}'"),
                None => value.to_string(),
            };
        }
        let value = eval(node, self.env).map(|value| value.to_string());
        let shown = self.shown(node);
        let value = value.filter(|value| *value != shown);
        let value = value.map(|value| format!(" ({value})"));
        format!("{shown}{}", value.unwrap_or_default())
    }

    fn shown(&self, node: &Node) -> String {
        node.with_features(&self.env.bundle.features)
    }
}

fn flatten<'n>(node: &'n Node, op: Op, parts: &mut Vec<&'n Node>) {
    if let Node::Binary(own, left, right) = node
        && *own == op
    {
        flatten(left, op, parts);
        flatten(right, op, parts);
    } else {
        parts.push(node);
    }
}

/// Returns the operator that says the same with its sides exchanged.
fn turned(op: Op) -> Option<Op> {
    match op {
        Op::Eq | Op::Ne => Some(op),
        Op::Lt => Some(Op::Gt),
        Op::Le => Some(Op::Ge),
        Op::Gt => Some(Op::Lt),
        Op::Ge => Some(Op::Le),
        Op::Or | Op::And | Op::In | Op::Add | Op::Sub | Op::Mul | Op::Div | Op::Rem => None,
    }
}

/// Says what the left side would have to be, up to the right side.
fn word(op: Op, wanted: bool) -> Option<&'static str> {
    Some(match (op, wanted) {
        (Op::Eq, true) | (Op::Ne, false) => "",
        (Op::Eq, false) | (Op::Ne, true) => "other than ",
        (Op::Lt, true) | (Op::Ge, false) => "less than ",
        (Op::Le, true) | (Op::Gt, false) => "at most ",
        (Op::Gt, true) | (Op::Le, false) => "more than ",
        (Op::Ge, true) | (Op::Lt, false) => "at least ",
        (Op::In, true) => "in ",
        (Op::In, false) => "not in ",
        (Op::Or | Op::And | Op::Add | Op::Sub | Op::Mul | Op::Div | Op::Rem, _) => return None,
    })
}
