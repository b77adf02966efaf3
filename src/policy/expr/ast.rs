//! An expression as it was written, before names and functions mean anything.

use std::ops::Range;
use std::sync::Arc;

use crate::domain::Value;
use crate::policy::expr::Op;

/// A part of an expression.
#[derive(Clone, Debug)]
pub struct Ast {
    /// What it is.
    pub kind: Kind,
    /// Bytes of the expression.
    pub span: Range<usize>,
}

/// A word and where it stands.
#[derive(Clone, Debug)]
pub struct Word {
    /// The word.
    pub text: Arc<str>,
    /// Bytes of the expression.
    pub span: Range<usize>,
}

/// What a part is.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A constant.
    Literal(Value),
    /// A name.
    Name(Arc<str>),
    /// `a.b`
    Member(Box<Ast>, Word),
    /// `a[b]`
    Index(Box<Ast>, Box<Ast>),
    /// `f(a)`, or `x.f(a)` with a receiver.
    Call(Option<Box<Ast>>, Word, Vec<Ast>),
    /// `!a`
    Not(Box<Ast>),
    /// `-a`
    Negate(Box<Ast>),
    /// `a op b`
    Binary(Op, Box<Ast>, Box<Ast>),
    /// `a ? b : c`
    If(Box<Ast>, Box<Ast>, Box<Ast>),
    /// `[a, b]`
    List(Vec<Ast>),
    /// `{a: b}`
    Map(Vec<(Ast, Ast)>),
}
