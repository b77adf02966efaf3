//! Which types operators and functions take, and what comes of them.

use std::ops::Range;

use crate::domain::Value;
use crate::policy::expr::ast::{Ast, Kind};
use crate::policy::expr::check::{Checker, path};
use crate::policy::expr::problem::Problem;
use crate::policy::expr::shape::{Shape, Type};
use crate::policy::expr::{Function, Node, Op};
use crate::policy::schema::Verdict;

/// What a function takes, the receiver first.
fn takes(function: Function) -> &'static [&'static [Type]] {
    use Type::{Bool, List, Map, Number, Text};
    match function {
        Function::Size => &[&[Text, List, Map]],
        Function::StartsWith | Function::EndsWith | Function::Contains => &[&[Text], &[Text]],
        Function::Lower | Function::Timestamp => &[&[Text]],
        Function::Duration | Function::Ago => &[&[Text, Number]],
        Function::Now | Function::LocalHour | Function::LocalWeekday | Function::LocalMonth => &[],
        Function::Min | Function::Max => &[&[Number], &[Number]],
        Function::Abs | Function::Int => &[&[Number]],
        Function::Double => &[&[Number, Text, Bool]],
        Function::Text => &[&[Number, Text, Bool, List, Map]],
    }
}

/// Returns what comes of a function.
pub(super) fn result(function: Function) -> Shape {
    match function {
        Function::StartsWith | Function::EndsWith | Function::Contains => Shape::Bool,
        Function::Lower | Function::Text => Shape::Text,
        Function::Size
        | Function::Duration
        | Function::Timestamp
        | Function::Now
        | Function::Ago
        | Function::LocalHour
        | Function::LocalWeekday
        | Function::LocalMonth
        | Function::Min
        | Function::Max
        | Function::Abs
        | Function::Int
        | Function::Double => Shape::Number,
    }
}

/// Says that an event is not known, if that is worth saying.
pub fn unknown_event(event: &str, verdict: Verdict, span: &Range<usize>) -> Option<Problem> {
    let (mut problem, near) = match verdict {
        Verdict::Fine => return None,
        Verdict::Slip(near) => (Problem::new("unknown_event", span.clone(), ""), Some(near)),
        Verdict::Undeclared(near) => (Problem::warning("unknown_event", span.clone(), ""), near),
    };
    let hint = near.map(|near| format!(", did you mean `{near}`?"));
    problem.message = format!("unknown event `{event}`{}", hint.unwrap_or_default());
    Some(problem.help(format!(
        "if senders do write it, declare it: `schemas: {{ events: {{ {event}: {{}} }} }}`"
    )))
}

impl Checker<'_> {
    /// Compiles a part that must be true or false.
    pub(super) fn condition(&mut self, ast: &Ast, whose: &str) -> Node {
        let help = "compare it with something, or ask `has(x)` whether it is known";
        self.typed(ast, &[Type::Bool], whose, help).0
    }

    /// Compiles a part that must be a number.
    pub(super) fn number(&mut self, ast: &Ast, whose: &str) -> Node {
        self.typed(ast, &[Type::Number], whose, to_number(ast)).0
    }

    /// Compiles a part that must be a text.
    pub(super) fn text(&mut self, ast: &Ast, whose: &str) -> Node {
        let help = "`string(x)` makes a text of a number";
        self.typed(ast, &[Type::Text], whose, help).0
    }

    /// Compiles the list of a comprehension.
    pub(super) fn list(&mut self, ast: &Ast, name: &str) -> (Node, Shape) {
        let help = "a comprehension asks the items of a list, for example `profile.cart.items`";
        self.typed(ast, &[Type::List], &format!("`{name}`"), help)
    }

    /// Compiles the arguments of a function.
    pub(super) fn arguments(&mut self, function: Function, name: &str, all: &[&Ast]) -> Vec<Node> {
        let takes = takes(function);
        let argument = |(idx, ast): (usize, &&Ast)| {
            let wanted = takes.get(idx).copied().unwrap_or_default();
            let help = match function {
                Function::Contains if idx == 0 => "an item of a list is found by `x in list`",
                Function::Size => "a number has no size",
                Function::StartsWith
                | Function::EndsWith
                | Function::Contains
                | Function::Lower => "`string(x)` makes a text of a number",
                Function::Duration
                | Function::Timestamp
                | Function::Now
                | Function::Ago
                | Function::LocalHour
                | Function::LocalWeekday
                | Function::LocalMonth
                | Function::Min
                | Function::Max
                | Function::Abs
                | Function::Int
                | Function::Double
                | Function::Text => to_number(ast),
            };
            self.typed(ast, wanted, &format!("`{name}`"), help).0
        };
        all.iter().enumerate().map(argument).collect()
    }

    /// Compiles a part that must be of one of these types; an unknown type fits.
    fn typed(&mut self, ast: &Ast, wanted: &[Type], whose: &str, help: &str) -> (Node, Shape) {
        let (node, shape) = self.node(ast);
        let Some(found) = shape.kind().filter(|found| !wanted.contains(found)) else {
            return (node, shape);
        };
        let names: Vec<&str> = wanted.iter().map(|wanted| wanted.name()).collect();
        let message = format!(
            "{whose} takes {}, not {}",
            names.join(" or "),
            describe(ast, found)
        );
        let problem = Problem::new("wrong_operand", ast.span.clone(), message).help(help);
        self.findings.push(problem);
        (node, shape)
    }

    /// Compiles an operator.
    pub(super) fn binary(
        &mut self,
        op: Op,
        left: &Ast,
        right: &Ast,
        span: &Range<usize>,
    ) -> (Node, Shape) {
        let sign = format!("`{op}`");
        let (nodes, shape) = match op {
            Op::And | Op::Or => {
                let left = self.condition(left, &sign);
                ((left, self.condition(right, &sign)), Shape::Bool)
            }
            Op::Sub | Op::Mul | Op::Div | Op::Rem => {
                let left = self.number(left, &sign);
                ((left, self.number(right, &sign)), Shape::Number)
            }
            Op::Add => self.addition(left, right, span),
            Op::In => (self.membership(left, right, span), Shape::Bool),
            Op::Eq | Op::Ne | Op::Lt | Op::Le | Op::Gt | Op::Ge => {
                (self.comparison(op, left, right, span), Shape::Bool)
            }
        };
        let (left, right) = nodes;
        (Node::Binary(op, Box::new(left), Box::new(right)), shape)
    }

    fn addition(&mut self, left: &Ast, right: &Ast, span: &Range<usize>) -> ((Node, Node), Shape) {
        let (left_node, left_shape) = self.node(left);
        let (right_node, right_shape) = self.node(right);
        let nodes = (left_node, right_node);
        let (Some(a), Some(b)) = (left_shape.kind(), right_shape.kind()) else {
            return (nodes, Shape::Any);
        };
        if a != b || matches!(a, Type::Bool | Type::Map) {
            let message = format!("{} and {} are added", describe(left, a), describe(right, b));
            let problem = Problem::new("type_mismatch", span.clone(), message);
            self.findings.push(problem.help(
                "`string(x)` makes a text of a number, `double(x)` reads a number from a text",
            ));
            return (nodes, Shape::Any);
        }
        (nodes, left_shape.or(&right_shape))
    }

    fn membership(&mut self, left: &Ast, right: &Ast, span: &Range<usize>) -> (Node, Node) {
        let (left_node, left_shape) = self.node(left);
        let help =
            "`in` looks in a list or a map; a part of a text is found by `text.contains(part)`";
        let (right_node, list) = self.typed(right, &[Type::List, Type::Map], "`in`", help);
        if let (Some(wanted), Shape::ListOf(item)) = (left_shape.kind(), &list) {
            self.judge_items(left, wanted, right, item, span);
        }
        (left_node, right_node)
    }

    /// Compares the type of a value with the items of the list it is looked for in.
    fn judge_items(
        &mut self,
        left: &Ast,
        wanted: Type,
        right: &Ast,
        item: &Shape,
        span: &Range<usize>,
    ) {
        let mut others: Vec<Type> = item.kind().into_iter().collect();
        if let Kind::List(items) = &right.kind {
            let constants = items.iter().filter_map(constant);
            others.extend(constants.filter_map(|value| Shape::of(value).kind()));
        }
        let Some(other) = others.into_iter().find(|other| *other != wanted) else {
            return;
        };
        let message = format!(
            "{} is looked for in a list with {}",
            describe(left, wanted),
            other.name()
        );
        let problem = Problem::new("type_mismatch", span.clone(), message);
        self.findings
            .push(problem.help("let both be of one type; a text has quotes, a number has none"));
    }

    fn comparison(&mut self, op: Op, left: &Ast, right: &Ast, span: &Range<usize>) -> (Node, Node) {
        let (left_node, left_shape) = self.node(left);
        let (right_node, right_shape) = self.node(right);
        let is_null = |ast: &Ast| matches!(constant(ast), Some(Value::Null));
        let found = if is_null(left) || is_null(right) {
            Some(compares_null(op, span))
        } else if let (Some(a), Some(b)) = (left_shape.kind(), right_shape.kind())
            && !fits(op, a, b)
        {
            Some(mismatch((left, a), (right, b), span))
        } else if constant(left).is_some() && constant(right).is_some() {
            let message = "two constants are compared: the answer is always the same";
            let problem = Problem::warning("constant_condition", span.clone(), message);
            Some(problem.help("compare with something of `profile` or `event`, or remove it"))
        } else if left_node == right_node && !matches!(left.kind, Kind::Call(..)) {
            let message = "both sides are the same: the answer is always the same";
            let problem = Problem::warning("constant_condition", span.clone(), message);
            Some(problem.help("`has(x)` asks whether a value is known"))
        } else {
            None
        };
        self.findings.extend(found);
        (left_node, right_node)
    }
}

/// Tells if values of two types can be compared so.
fn fits(op: Op, a: Type, b: Type) -> bool {
    let equality = matches!(op, Op::Eq | Op::Ne);
    if equality && !a.is_single() && !b.is_single() {
        return true;
    }
    a == b && a.is_single()
}

fn compares_null(op: Op, span: &Range<usize>) -> Problem {
    let message = "a comparison with `null` is never true: a missing value is unknown";
    let help = if op == Op::Ne {
        "write `has(x)` instead of `x != null`"
    } else {
        "write `!has(x)` instead of `x == null`"
    };
    Problem::new("null_comparison", span.clone(), message).help(help)
}

fn mismatch(left: (&Ast, Type), right: (&Ast, Type), span: &Range<usize>) -> Problem {
    let message = format!(
        "{} is compared with {}",
        describe(left.0, left.1),
        describe(right.0, right.1)
    );
    let types = (left.1, right.1);
    let mut constants = [left.0, right.0].into_iter().filter_map(constant);
    let help = match types {
        (Type::Number, Type::Text) | (Type::Text, Type::Number) => number_or_text(constants.next()),
        (Type::Bool, _) | (_, Type::Bool) => {
            "what is true or false is a condition by itself: write `x` or `!x`".into()
        }
        (Type::List | Type::Map, _) | (_, Type::List | Type::Map) => {
            "ask `size(x)`, `'a' in x` or `x.exists(y, ..)`".into()
        }
        (Type::Number, Type::Number) | (Type::Text, Type::Text) => {
            "compare values of one type".into()
        }
    };
    Problem::new("type_mismatch", span.clone(), message).help(help)
}

/// Says how to compare a number with a text, of which one may be a constant.
fn number_or_text(constant: Option<&Value>) -> String {
    let text = constant.and_then(Value::as_str).map(str::trim);
    match (constant, text.map(str::parse::<f64>)) {
        (_, Some(Ok(_))) => format!(
            "write the number without quotes: `{}`",
            text.unwrap_or_default()
        ),
        (_, Some(Err(_))) => {
            "a number has no quotes; a time is read by `timestamp('2026-01-31T10:00:00Z')`".into()
        }
        (Some(value), None) => format!("write a text in quotes: `'{value}'`"),
        (None, None) => {
            "`double(x)` reads a number from a text; if senders write another type, declare it under `schemas:`"
                .into()
        }
    }
}

/// Says how to make a number.
fn to_number(ast: &Ast) -> &'static str {
    if constant(ast).is_some() {
        "a number is written without quotes"
    } else {
        "`double(x)` reads a number from a text"
    }
}

fn constant(ast: &Ast) -> Option<&Value> {
    if let Kind::Literal(value) = &ast.kind {
        Some(value)
    } else {
        None
    }
}

/// Names a part and its type in a message.
fn describe(ast: &Ast, of: Type) -> String {
    match &ast.kind {
        Kind::Name(_) | Kind::Member(..) => format!("`{}` ({})", path(ast), of.name()),
        Kind::Literal(_)
        | Kind::Index(..)
        | Kind::Call(..)
        | Kind::Not(_)
        | Kind::Negate(_)
        | Kind::Binary(..)
        | Kind::If(..)
        | Kind::List(_)
        | Kind::Map(_) => of.name().into(),
    }
}
