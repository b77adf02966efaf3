//! Says of a condition what it compared, so that a refusal can be understood.

use std::sync::Arc;

use crate::decide::env::Env;
use crate::decide::eval::{eval, truth};
use crate::policy::Expr;
use crate::policy::expr::{Node, Op};

/// Returns the first condition that is not true, and why.
pub fn first_not_true(conditions: &[Expr], env: &Env<'_>) -> Option<Arc<str>> {
    conditions
        .iter()
        .find(|of| truth(&of.root, env) != Some(true))
        .map(|of| detail(of, env))
}

/// Tells if all conditions are true.
pub fn all_true(conditions: &[Expr], env: &Env<'_>) -> bool {
    conditions
        .iter()
        .all(|of| truth(&of.root, env) == Some(true))
}

/// Returns the text of a condition, the values of what it compares, and where it stands.
pub fn detail(of: &Expr, env: &Env<'_>) -> Arc<str> {
    format!("{} [{}] {}", of.text, values(&of.root, env), of.place).into()
}

/// Writes the values of a condition, part by part: `29 >= 50 && 3 < 9`.
pub fn every_value(node: &Node, env: &Env<'_>) -> String {
    let Node::Binary(op @ (Op::And | Op::Or), left, right) = node else {
        return values(node, env);
    };
    let part = |part: &Node| {
        let loose = *op == Op::And && matches!(part, Node::Binary(Op::Or, ..));
        let values = every_value(part, env);
        if loose { format!("({values})") } else { values }
    };
    format!("{} {op} {}", part(left), part(right))
}

/// Writes a comparison with both values; of a conjunction only the part that decided.
fn values(node: &Node, env: &Env<'_>) -> String {
    match node {
        Node::Binary(Op::And, left, right) => values(
            if truth(left, env) == Some(true) {
                right
            } else {
                left
            },
            env,
        ),
        Node::Binary(op, left, right) if sign(*op).is_some() => {
            format!(
                "{} {} {}",
                one(left, env),
                sign(*op).unwrap_or_default(),
                one(right, env)
            )
        }
        Node::Literal(_)
        | Node::Root(_)
        | Node::Member(..)
        | Node::Index(..)
        | Node::Not(_)
        | Node::Negate(_)
        | Node::Binary(..)
        | Node::If(..)
        | Node::List(_)
        | Node::Map(_)
        | Node::Has(_)
        | Node::Matches(..)
        | Node::Each(..)
        | Node::Call(..)
        | Node::Feature(..)
        | Node::InSegment(_) => one(node, env),
    }
}

fn one(node: &Node, env: &Env<'_>) -> String {
    eval(node, env).map_or_else(|| "unknown".into(), |value| shorten(&value.to_string()))
}

fn shorten(text: &str) -> String {
    if text.chars().count() <= 80 {
        return text.into();
    }
    text.chars().take(80).chain(['…']).collect()
}

const fn sign(op: Op) -> Option<&'static str> {
    Some(match op {
        Op::Eq => "==",
        Op::Ne => "!=",
        Op::Lt => "<",
        Op::Le => "<=",
        Op::Gt => ">",
        Op::Ge => ">=",
        Op::In => "in",
        Op::Or | Op::And | Op::Add | Op::Sub | Op::Mul | Op::Div | Op::Rem => return None,
    })
}
