//! From what was written to what it means: names, fields and constants.

use std::ops::Range;
use std::sync::Arc;

use crate::domain::Value;
use crate::policy::bundle::Place;
use crate::policy::expr::ast::{Ast, Kind, Word};
use crate::policy::expr::problem::Problem;
use crate::policy::expr::scope::{ROOTS, Scope};
use crate::policy::expr::shape::{EVENT, OFFER, PROFILE, Shape};
use crate::policy::expr::{Node, Root};
use crate::policy::registry::Registry;
use crate::policy::suggest;

/// Compiles one expression; problems collect while it goes on.
pub struct Checker<'a> {
    pub(super) scope: Scope<'a>,
    pub(super) registry: &'a mut Registry,
    pub(super) place: &'a Place,
    /// Variables of the comprehensions around, with their shapes.
    pub(super) variables: Vec<(Arc<str>, Shape)>,
    pub(super) problems: Vec<Problem>,
}

impl<'a> Checker<'a> {
    /// Begins an expression that stands at `place`.
    pub fn new(scope: Scope<'a>, registry: &'a mut Registry, place: &'a Place) -> Self {
        Self {
            scope,
            registry,
            place,
            variables: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// Compiles a whole expression.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with its names, fields and functions.
    pub fn run(mut self, ast: &Ast) -> Result<Node, Vec<Problem>> {
        let (root, _) = self.node(ast);
        if self.problems.is_empty() {
            Ok(root)
        } else {
            Err(self.problems)
        }
    }

    /// Compiles a part; what cannot be compiled is reported and stands as `null`.
    pub(super) fn node(&mut self, ast: &Ast) -> (Node, Shape) {
        match &ast.kind {
            Kind::Literal(value) => (Node::Literal(value.clone()), Shape::Any),
            Kind::Name(name) => self.name(name, &ast.span),
            Kind::Member(base, word) => self.member(base, word),
            Kind::Index(base, index) => self.index(base, index),
            Kind::Call(receiver, word, arguments) => {
                self.call(receiver.as_deref(), word, arguments)
            }
            Kind::Not(inner) => (not(self.plain(inner)), Shape::Leaf),
            Kind::Negate(inner) => (negate(self.plain(inner)), Shape::Leaf),
            Kind::Binary(op, left, right) => {
                let left = Box::new(self.plain(left));
                (
                    Node::Binary(*op, left, Box::new(self.plain(right))),
                    Shape::Any,
                )
            }
            Kind::If(condition, yes, no) => {
                let condition = Box::new(self.plain(condition));
                let yes = Box::new(self.plain(yes));
                (
                    Node::If(condition, yes, Box::new(self.plain(no))),
                    Shape::Any,
                )
            }
            Kind::List(items) => {
                let items = items.iter().map(|item| self.plain(item)).collect();
                (Node::List(items), Shape::Any)
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
            return (Node::Root(Root::Local(name.clone())), *shape);
        }
        if self.scope.locals.contains(name) {
            return (Node::Root(Root::Local(name.clone())), Shape::Any);
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
        let shape = match root {
            Root::Profile => PROFILE,
            Root::Event | Root::Entry => EVENT,
            Root::Offer => OFFER,
            Root::Propensity => Shape::Leaf,
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
        let shape = self.field(shape, &word.text, &word.span, base);
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
            (Shape::ListOf(item), _) => *item,
            (shape @ Shape::Fields(_), Some(name)) => self.field(shape, &name, &index.span, base),
            (Shape::Any | Shape::Leaf | Shape::Fields(_), _) => Shape::Any,
        };
        (Node::Index(Box::new(node), Box::new(index_node)), shape)
    }

    /// Returns what is known about a field.
    fn field(&mut self, shape: Shape, name: &str, span: &Range<usize>, base: &Ast) -> Shape {
        let path = path(base);
        let problem = match shape {
            Shape::Any | Shape::Features => return Shape::Any,
            Shape::Fields(fields) => {
                if let Some((_, shape)) = fields.iter().find(|(known, _)| *known == name) {
                    return *shape;
                }
                let known: Vec<&str> = fields.iter().map(|(known, _)| *known).collect();
                let near = suggest::nearest(name, known.iter().copied());
                let near = near.map(|near| format!(", did you mean `{path}.{near}`?"));
                let message = format!("unknown field `{path}.{name}`{}", near.unwrap_or_default());
                Problem::new("unknown_field", span.clone(), message)
                    .help(format!("`{path}` has {}", quoted(&known)))
            }
            Shape::Leaf => {
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

    fn feature(&mut self, name: &str, span: &Range<usize>) -> (Node, Shape) {
        if let Some((idx, window)) = self.registry.named(name) {
            return (Node::Feature(idx, window), Shape::Leaf);
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

/// Writes a path for a message.
fn path(ast: &Ast) -> String {
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
