//! From what was written to what it means: names, fields and constants.

use std::ops::Range;
use std::sync::Arc;

use crate::domain::Value;
use crate::policy::bundle::Place;
use crate::policy::expr::ast::{Ast, Kind, Word};
use crate::policy::expr::problem::Problem;
use crate::policy::expr::scope::{Around, ROOTS, Scope};
use crate::policy::expr::shape::{Fields, Open, Shape};
use crate::policy::expr::{Node, Root};
use crate::policy::registry::Registry;
use crate::policy::schema::{self, Schemas, Verdict};
use crate::policy::suggest;

/// Compiles one expression; problems collect while it goes on.
pub struct Checker<'a> {
    pub(super) scope: Scope<'a>,
    pub(super) around: Around<'a>,
    pub(super) registry: &'a mut Registry,
    pub(super) place: &'a Place,
    /// Variables of the comprehensions around, with their shapes.
    pub(super) variables: Vec<(Arc<str>, Shape)>,
    /// How many of the comprehensions around go over lists of unknown length.
    pub(super) n_long: usize,
    /// Names, fields and functions that do not exist.
    pub(super) problems: Vec<Problem>,
    /// Types that do not fit, and what is most likely not meant.
    pub(super) findings: Vec<Problem>,
}

/// What came of an expression.
pub struct Checked {
    /// The tree, if every name in it means something.
    pub root: Option<Node>,
    /// What its value is.
    pub shape: Shape,
    /// What does not exist.
    pub problems: Vec<Problem>,
    /// What does not fit.
    pub findings: Vec<Problem>,
}

impl<'a> Checker<'a> {
    /// Begins an expression that stands at `place`.
    pub fn new(
        scope: Scope<'a>,
        around: Around<'a>,
        registry: &'a mut Registry,
        place: &'a Place,
    ) -> Self {
        Self {
            scope,
            around,
            registry,
            place,
            variables: Vec::new(),
            n_long: 0,
            problems: Vec::new(),
            findings: Vec::new(),
        }
    }

    /// Compiles a whole expression.
    pub fn run(mut self, ast: &Ast) -> Checked {
        let (root, shape) = self.node(ast);
        Checked {
            root: Some(root).filter(|_| self.problems.is_empty()),
            shape,
            problems: self.problems,
            findings: self.findings,
        }
    }

    /// Compiles a part; what cannot be compiled is reported and stands as `null`.
    pub(super) fn node(&mut self, ast: &Ast) -> (Node, Shape) {
        match &ast.kind {
            Kind::Literal(value) => (Node::Literal(value.clone()), Shape::of(value)),
            Kind::Name(name) => self.name(name, &ast.span),
            Kind::Member(base, word) => self.member(base, word),
            Kind::Index(base, index) => self.index(base, index),
            Kind::Call(receiver, word, arguments) => {
                self.call(receiver.as_deref(), word, arguments)
            }
            Kind::Not(inner) => (not(self.condition(inner, "`!`")), Shape::Bool),
            Kind::Negate(inner) => (negate(self.number(inner, "`-`")), Shape::Number),
            Kind::Binary(op, left, right) => self.binary(*op, left, right, &ast.span),
            Kind::If(condition, yes, no) => {
                let condition = Box::new(self.condition(condition, "`?`"));
                let (yes, shape) = self.node(yes);
                let (no, other) = self.node(no);
                let node = Node::If(condition, Box::new(yes), Box::new(no));
                (node, shape.or(&other))
            }
            Kind::List(items) => {
                let items = items.iter().map(|item| self.plain(item)).collect();
                (Node::List(items), Shape::list_of(Shape::Any))
            }
            Kind::Map(pairs) => {
                let pairs = pairs.iter().filter_map(|pair| self.pair(pair)).collect();
                (Node::Map(pairs), Shape::Any)
            }
        }
    }

    /// Compiles a part whose fields are of no interest.
    pub(super) fn plain(&mut self, ast: &Ast) -> Node {
        self.node(ast).0
    }

    pub(super) fn fail(&mut self, problem: Problem) -> (Node, Shape) {
        self.problems.push(problem);
        (Node::Literal(Value::Null), Shape::Any)
    }

    fn name(&mut self, name: &Arc<str>, span: &Range<usize>) -> (Node, Shape) {
        let variable = self.variables.iter().rev().find(|(known, _)| known == name);
        if let Some((_, shape)) = variable {
            return (Node::Root(Root::Local(name.clone())), shape.clone());
        }
        if self.scope.locals.contains(name) {
            let shape = self.around.locals.get(name).cloned();
            return (
                Node::Root(Root::Local(name.clone())),
                shape.unwrap_or(Shape::Any),
            );
        }
        let Some((_, root)) = ROOTS.iter().find(|(text, _)| *text == name.as_ref()) else {
            let problem = self.unknown_name(name, span);
            return self.fail(problem);
        };
        if !self.scope.site.has(root) {
            let message = format!("`{name}` is not at hand in {}", self.scope.site.name());
            let problem = Problem::new("not_at_hand", span.clone(), message);
            return self.fail(problem.help(self.scope.site.instead_of(root)));
        }
        let schemas = self.around.schemas;
        let shape = match root {
            Root::Profile => schemas.profile(),
            Root::Event => schemas.event(self.around.event),
            Root::Entry => schemas.event(self.around.entry),
            Root::Offer => Schemas::offer(),
            Root::Propensity => Shape::Number,
            Root::Context | Root::Local(_) => Shape::Any,
        };
        (Node::Root(root.clone()), shape)
    }

    fn unknown_name(&self, name: &str, span: &Range<usize>) -> Problem {
        let site = self.scope.site;
        let roots = ROOTS
            .iter()
            .filter(|(_, root)| site.has(root))
            .map(|(text, _)| *text);
        let locals = self.scope.locals.iter().map(AsRef::as_ref);
        let variables = self.variables.iter().map(|(text, _)| text.as_ref());
        let known: Vec<&str> = roots.chain(locals).chain(variables).collect();
        let message = format!(
            "unknown name `{name}`{}",
            suggest::hint(name, known.iter().copied())
        );
        Problem::new("unknown_name", span.clone(), message).help(format!(
            "names here are {}; a text stands in quotes inside the expression: \"'{name}'\"",
            quoted(&known)
        ))
    }

    fn member(&mut self, base: &Ast, word: &Word) -> (Node, Shape) {
        let (node, shape) = self.node(base);
        if matches!(shape, Shape::Features) {
            return self.feature(&word.text, &word.span);
        }
        let shape = self.field(&shape, &word.text, &word.span, base);
        (Node::Member(Box::new(node), word.text.clone()), shape)
    }

    fn index(&mut self, base: &Ast, index: &Ast) -> (Node, Shape) {
        let (node, shape) = self.node(base);
        let index_node = self.plain(index);
        let name = if let Node::Literal(Value::Text(text)) = &index_node {
            Some(text.clone())
        } else {
            None
        };
        let shape = match (shape, name) {
            (Shape::Features, Some(name)) => return self.feature(&name, &index.span),
            (Shape::Features, None) => {
                let problem = Problem::new(
                    "unknown_feature",
                    index.span.clone(),
                    "the name of a feature must be a constant text",
                );
                return self.fail(problem.help("write `profile.features.NAME`"));
            }
            (Shape::ListOf(item), _) => item.as_ref().clone(),
            (shape @ Shape::Fields(_), Some(name)) => self.field(&shape, &name, &index.span, base),
            (
                Shape::Any
                | Shape::Leaf
                | Shape::Number
                | Shape::Text
                | Shape::Bool
                | Shape::Fields(_),
                _,
            ) => Shape::Any,
        };
        (Node::Index(Box::new(node), Box::new(index_node)), shape)
    }

    /// Returns what is known about a field.
    fn field(&mut self, shape: &Shape, name: &str, span: &Range<usize>, base: &Ast) -> Shape {
        let path = path(base);
        let problem = match shape {
            Shape::Any | Shape::Features => return Shape::Any,
            Shape::Fields(fields) => {
                let known = fields.known.iter();
                if let Some((_, shape)) = known.clone().find(|(known, _)| known.as_ref() == name) {
                    return shape.clone();
                }
                match fields.open {
                    Open::Closed => unknown_field(&path, name, span, fields),
                    Open::Standard | Open::Declared => {
                        self.undeclared_field(&path, name, span, fields);
                        return Shape::Any;
                    }
                }
            }
            Shape::Leaf | Shape::Number | Shape::Text | Shape::Bool => {
                let message = format!("`{path}` is a single value and has no field `{name}`");
                Problem::new("unknown_field", span.clone(), message)
            }
            Shape::ListOf(_) => {
                let message = format!("`{path}` is a list and has no field `{name}`");
                Problem::new("unknown_field", span.clone(), message).help(format!(
                    "ask its items: `{path}.exists(x, x.{name} == 'a')`"
                ))
            }
        };
        self.problems.push(problem);
        Shape::Any
    }

    /// Judges a field of a map that may have others than those that are known.
    fn undeclared_field(&mut self, path: &str, name: &str, span: &Range<usize>, fields: &Fields) {
        let declared = fields.open == Open::Declared;
        let known = fields.known.iter().map(|(known, _)| known);
        let (mut problem, near) = match schema::judge(name, declared, known) {
            Verdict::Fine => return,
            Verdict::Slip(near) => (
                Problem::new("unknown_property", span.clone(), ""),
                Some(near),
            ),
            Verdict::Undeclared(near) => {
                (Problem::warning("unknown_property", span.clone(), ""), near)
            }
        };
        let hint = near.map(|near| format!(", did you mean `{path}.{near}`?"));
        problem.message = format!(
            "unknown property `{path}.{name}`{}",
            hint.unwrap_or_default()
        );
        self.findings.push(problem.help(format!(
            "if senders do write `{name}`, declare it under `schemas:`"
        )));
    }

    fn feature(&mut self, name: &str, span: &Range<usize>) -> (Node, Shape) {
        if let Some((idx, window)) = self.registry.named(name) {
            return (Node::Feature(idx, window), self.registry.shape(idx));
        }
        let known: Vec<&str> = self.registry.names().collect();
        let hint = suggest::hint(name, known.iter().copied());
        let message = format!("unknown feature `{name}`{hint}");
        let help = if known.is_empty() {
            format!("declare it: `features: {{{name}: {{count: EVENT}}}}`")
        } else {
            format!("declared features are {}", quoted(&known))
        };
        self.fail(Problem::new("unknown_feature", span.clone(), message).help(help))
    }

    fn pair(&mut self, (key, value): &(Ast, Ast)) -> Option<(Arc<str>, Node)> {
        let node = self.plain(value);
        if let Kind::Literal(Value::Text(text)) = &key.kind {
            return Some((text.clone(), node));
        }
        let message = "a key of a map must be a constant text";
        let problem = Problem::new("expression_syntax", key.span.clone(), message);
        self.problems.push(problem.help("write `{'key': value}`"));
        None
    }
}

/// Joins words for a help line.
pub(super) fn quoted(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    words.join(", ")
}

fn unknown_field(path: &str, name: &str, span: &Range<usize>, fields: &Fields) -> Problem {
    let known: Vec<&str> = fields
        .known
        .iter()
        .map(|(known, _)| known.as_ref())
        .collect();
    let near = suggest::nearest(name, known.iter().copied());
    let near = near.map(|near| format!(", did you mean `{path}.{near}`?"));
    let message = format!("unknown field `{path}.{name}`{}", near.unwrap_or_default());
    Problem::new("unknown_field", span.clone(), message)
        .help(format!("`{path}` has {}", quoted(&known)))
}

/// Writes a path for a message.
pub(super) fn path(ast: &Ast) -> String {
    match &ast.kind {
        Kind::Name(name) => name.to_string(),
        Kind::Member(base, word) => format!("{}.{}", path(base), word.text),
        Kind::Index(base, _) => format!("{}[..]", path(base)),
        Kind::Literal(_)
        | Kind::Call(..)
        | Kind::Not(_)
        | Kind::Negate(_)
        | Kind::Binary(..)
        | Kind::If(..)
        | Kind::List(_)
        | Kind::Map(_) => "..".into(),
    }
}

fn not(inner: Node) -> Node {
    if let Node::Literal(Value::Bool(value)) = inner {
        return Node::Literal(Value::Bool(!value));
    }
    Node::Not(Box::new(inner))
}

fn negate(inner: Node) -> Node {
    if let Node::Literal(Value::Number(number)) = inner {
        return Node::Literal(Value::Number(-number));
    }
    Node::Negate(Box::new(inner))
}
