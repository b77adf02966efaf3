//! Expressions: CEL's grammar over one number type, compiled to a small tree.

mod ast;
mod calls;
mod check;
mod functions;
mod lexer;
mod parser;
pub mod pattern;
mod print;
mod problem;
mod quoted;
mod scope;
pub mod shape;
mod tree;
pub mod types;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::{Duration, Value};
use crate::policy::bundle::Place;
use crate::policy::registry::Registry;

pub use functions::read_window;
pub use problem::Problem;
pub use scope::{Around, ROOTS, Scope, Site};

use crate::policy::schema::Schemas;
use pattern::Pattern;
use shape::Shape;

/// Compiles the text of an expression, with nothing known about the types of what it looks at.
///
/// - `scope`: what is at hand where it stands.
/// - `registry`: gives features by name and takes those that the expression implies.
///
/// # Errors
///
/// The first mistake in its grammar, else everything that is wrong with its names and functions.
pub fn compile(
    text: &Arc<str>,
    scope: Scope<'_>,
    registry: &mut Registry,
    place: &Place,
) -> Result<Expr, Vec<Problem>> {
    let schemas = Schemas::default();
    let around = Around {
        schemas: &schemas,
        event: None,
        entry: None,
        locals: &BTreeMap::new(),
    };
    let checked = check(text, scope, around, registry, place);
    checked.expr.ok_or(checked.problems)
}

/// An expression and everything that was found in it.
pub struct Checked {
    /// The expression, if its grammar is right and every name in it means something.
    pub expr: Option<Expr>,
    /// What its value is.
    pub shape: Shape,
    /// Why there is none.
    pub problems: Vec<Problem>,
    /// Types that do not fit, and what is most likely not meant.
    pub findings: Vec<Problem>,
}

/// Compiles the text of an expression and checks the types in it.
pub fn check(
    text: &Arc<str>,
    scope: Scope<'_>,
    around: Around<'_>,
    registry: &mut Registry,
    place: &Place,
) -> Checked {
    let ast = match parser::parse(text) {
        Ok(ast) => ast,
        Err(problem) => {
            return Checked {
                expr: None,
                shape: Shape::Any,
                problems: vec![problem],
                findings: Vec::new(),
            };
        }
    };
    let checked = check::Checker::new(scope, around, registry, place).run(&ast);
    let expr = checked.root.map(|root| Expr {
        root,
        text: text.clone(),
        place: place.clone(),
    });
    Checked {
        expr,
        shape: checked.shape,
        problems: checked.problems,
        findings: checked.findings,
    }
}

/// A compiled expression.
#[derive(Clone, Debug)]
pub struct Expr {
    /// The tree.
    pub root: Node,
    /// The text as the author wrote it.
    pub text: Arc<str>,
    /// Where it stands.
    pub place: Place,
}

/// A node of the tree. A missing value or a wrong type evaluates to *unknown*, never to an error.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// A constant. Integers, unsigned and doubles are all doubles.
    Literal(Value),
    /// `profile`, `event`, ... or a local name.
    Root(Root),
    /// `a.b`
    Member(Box<Node>, Arc<str>),
    /// `a[b]`: a list by whole number from 0, a map by text.
    Index(Box<Node>, Box<Node>),
    /// `!a`
    Not(Box<Node>),
    /// `-a`
    Negate(Box<Node>),
    /// `a op b`
    Binary(Op, Box<Node>, Box<Node>),
    /// `a ? b : c`
    If(Box<Node>, Box<Node>, Box<Node>),
    /// `[a, b]`
    List(Vec<Node>),
    /// `{'a': b}`
    Map(Vec<(Arc<str>, Node)>),
    /// `has(a.b)`: true if known, false if not; never unknown.
    Has(Box<Node>),
    /// `list.all(x, body)` and its kin.
    Each(Each, Box<Node>, Arc<str>, Box<Node>),
    /// `text.matches('a.*')`: whether a constant pattern is found in it.
    Matches(Box<Node>, Pattern),
    /// A call of a pure function.
    Call(Function, Vec<Node>),
    /// `count('Order Completed', '1d')` and its kin: a feature by index in the bundle, over at most this window
    /// (`None`: the feature's own).
    Feature(usize, Option<Duration>),
    /// `in_segment('x')`: true or false; unknown only while nobody keeps up with the segment.
    InSegment(Arc<str>),
}

/// Where a name starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Root {
    /// The customer.
    Profile,
    /// The event being handled.
    Event,
    /// The event that entered this instance.
    Entry,
    /// What a decide call brought.
    Context,
    /// The offer being judged.
    Offer,
    /// `p`: the propensity of the offer being judged.
    Propensity,
    /// The result of an earlier step, or the variable of a comprehension.
    Local(Arc<str>),
}

/// A binary operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// `||`: true if either is true, also beside an unknown.
    Or,
    /// `&&`: false if either is false, also beside an unknown.
    And,
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `in`: in a list, or a key of a map.
    In,
    /// `+`: numbers, texts, lists.
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`: by zero is unknown.
    Div,
    /// `%`: by zero is unknown.
    Rem,
}

/// What a comprehension asks of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Each {
    /// `all`
    All,
    /// `exists`
    Exists,
    /// `exists_one`
    ExistsOne,
    /// `filter`
    Filter,
    /// `map`
    Map,
}

/// A pure function. Times and durations are numbers of milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// `size(x)` or `x.size()`: of a text (characters), a list or a map.
    Size,
    /// `text.startsWith(prefix)`
    StartsWith,
    /// `text.endsWith(suffix)`
    EndsWith,
    /// `text.contains(part)`
    Contains,
    /// `lower(text)`
    Lower,
    /// `duration('1h')`: milliseconds.
    Duration,
    /// `timestamp('2026-01-31T10:00:00Z')`: milliseconds since the epoch.
    Timestamp,
    /// `now()`: milliseconds since the epoch.
    Now,
    /// `ago('1d')`: now minus the duration.
    Ago,
    /// `local_hour()`: 0-23 in the customer's zone.
    LocalHour,
    /// `local_weekday()`: 1 (Monday) to 7 (Sunday) in the customer's zone.
    LocalWeekday,
    /// `local_month()`: 1-12 in the customer's zone.
    LocalMonth,
    /// `min(a, b)`
    Min,
    /// `max(a, b)`
    Max,
    /// `abs(a)`
    Abs,
    /// `int(a)`: towards zero.
    Int,
    /// `double(a)`: of a number or a text.
    Double,
    /// `string(a)`: of a number, a bool or a text.
    Text,
}
