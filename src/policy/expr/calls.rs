//! Functions, macros and the functions of behavioural state.

use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

use crate::domain::Value;
use crate::policy::expr::ast::{Ast, Kind, Word};
use crate::policy::expr::check::{Checker, quoted};
use crate::policy::expr::functions::{FUNCTIONS, LATER, MACROS, STATES, Style, fold, read_window};
use crate::policy::expr::problem::Problem;
use crate::policy::expr::scope::{ROOTS, Site};
use crate::policy::expr::shape::Shape;
use crate::policy::expr::types;
use crate::policy::expr::{Each, Node};
use crate::policy::feature::Window;
use crate::policy::registry::Ask;
use crate::policy::suggest;

/// The deepest nesting of comprehensions.
const COMPREHENSIONS_MAX: usize = 2;

impl Checker<'_> {
    pub(super) fn call(
        &mut self,
        receiver: Option<&Ast>,
        word: &Word,
        arguments: &[Ast],
    ) -> (Node, Shape) {
        let name = word.text.as_ref();
        if let Some((_, instead)) = LATER.iter().find(|(later, _)| *later == name) {
            let message = format!("`{name}` is not supported yet");
            return self
                .fail(Problem::new("not_supported", word.span.clone(), message).help(*instead));
        }
        if name == "has" && receiver.is_none() {
            return self.has(word, arguments);
        }
        if name == "in_segment" && receiver.is_none() {
            return self.in_segment(word, arguments);
        }
        if name == "matches" {
            return self.matches(receiver, word, arguments);
        }
        let each = MACROS.iter().find(|(text, _)| *text == name);
        if let (Some(list), Some((_, each))) = (receiver, each) {
            return self.comprehension(*each, list, word, arguments);
        }
        let state = STATES.iter().find(|(text, ..)| *text == name);
        if let (None, Some((_, ask, n_arguments, example))) = (receiver, state) {
            return self.state(*ask, n_arguments, example, word, arguments);
        }
        self.function(receiver, word, arguments)
    }

    fn function(
        &mut self,
        receiver: Option<&Ast>,
        word: &Word,
        arguments: &[Ast],
    ) -> (Node, Shape) {
        let name = word.text.as_ref();
        let found = FUNCTIONS.iter().find(|(text, ..)| *text == name);
        let Some((_, style, n_arguments, function)) = found else {
            let problem = unknown_function(name, &word.span);
            return self.fail(problem);
        };
        let all: Vec<&Ast> = receiver.into_iter().chain(arguments).collect();
        let fits = match style {
            Style::Both => true,
            Style::Free => receiver.is_none(),
            Style::Method => receiver.is_some(),
        };
        if !fits || all.len() != *n_arguments {
            let problem = wrong_call(name, *style, *n_arguments, all.len(), &word.span);
            return self.fail(problem);
        }
        let spans: Vec<Range<usize>> = all.iter().map(|ast| ast.span.clone()).collect();
        let nodes = self.arguments(*function, name, &all);
        match fold(*function, &nodes) {
            Some(Ok(node)) => (node, types::result(*function)),
            Some(Err(message)) => {
                let span = spans.first().cloned().unwrap_or(word.span.clone());
                self.fail(Problem::new("bad_constant", span, message))
            }
            None => (Node::Call(*function, nodes), types::result(*function)),
        }
    }

    fn has(&mut self, word: &Word, arguments: &[Ast]) -> (Node, Shape) {
        let [path] = arguments else {
            let problem = wrong_call("has", Style::Free, 1, arguments.len(), &word.span);
            return self.fail(problem);
        };
        if !matches!(
            path.kind,
            Kind::Member(..) | Kind::Index(..) | Kind::Name(_) | Kind::Call(..)
        ) {
            let message = "`has` asks for a field";
            let problem = Problem::new("wrong_arguments", path.span.clone(), message);
            return self.fail(problem.help("write `has(profile.traits.name)`"));
        }
        (Node::Has(Box::new(self.plain(path))), Shape::Bool)
    }

    fn in_segment(&mut self, word: &Word, arguments: &[Ast]) -> (Node, Shape) {
        if self.scope.site == Site::Feature {
            let message = "`in_segment` is not at hand in the definition of a feature";
            let problem = Problem::new("not_at_hand", word.span.clone(), message);
            return self.fail(problem.help("a feature looks at its event only"));
        }
        let [argument] = arguments else {
            let problem = wrong_call("in_segment", Style::Free, 1, arguments.len(), &word.span);
            return self.fail(problem.help("write `in_segment('big-spenders')`"));
        };
        let Kind::Literal(Value::Text(name)) = &argument.kind else {
            let message = "the name of a segment must be a constant text";
            let problem = Problem::new("wrong_arguments", argument.span.clone(), message);
            return self.fail(problem.help("write `in_segment('big-spenders')`"));
        };
        // A segment that asks for another one is no reason to keep up with it: it may be of no use itself.
        if self
            .registry
            .segments
            .ask(name, self.scope.site != Site::Segment)
        {
            return (Node::InSegment(name.clone()), Shape::Bool);
        }
        let problem = self.registry.segments.unknown(name, &argument.span);
        self.fail(problem)
    }

    /// Compiles `text.matches('a.*')`: a pattern is compiled once, with the policy.
    fn matches(&mut self, receiver: Option<&Ast>, word: &Word, arguments: &[Ast]) -> (Node, Shape) {
        let example = "write `text.matches('^a.*b$')`";
        let (Some(text), [pattern]) = (receiver, arguments) else {
            let message = "`matches` is asked of a text and takes one pattern";
            let problem = Problem::new("wrong_arguments", word.span.clone(), message);
            return self.fail(problem.help(example));
        };
        let Kind::Literal(Value::Text(written)) = &pattern.kind else {
            let message = "the pattern of `matches` must be a constant text";
            let problem = Problem::new("not_constant", pattern.span.clone(), message);
            return self.fail(problem.help(
                "a pattern is compiled with the policy; a text that varies is found by `contains`",
            ));
        };
        let node = self.text(text, "`matches`");
        match self.registry.pattern(written) {
            Ok(pattern) => (Node::Matches(Box::new(node), pattern), Shape::Bool),
            Err(reason) => {
                let message = format!("this pattern cannot be used: {reason}");
                let problem = Problem::new("bad_pattern", pattern.span.clone(), message);
                self.fail(problem.help(
                    "a backslash stays as it is in a raw text: `r'\\d+'`; look-around and back-references do not exist",
                ))
            }
        }
    }

    fn comprehension(
        &mut self,
        each: Each,
        list: &Ast,
        word: &Word,
        arguments: &[Ast],
    ) -> (Node, Shape) {
        let example = format!("write `list.{}(x, x.price > 10)`", word.text);
        let [variable, body] = arguments else {
            let message = format!("`{}` takes a variable and an expression", word.text);
            return self
                .fail(Problem::new("wrong_arguments", word.span.clone(), message).help(example));
        };
        let Kind::Name(name) = &variable.kind else {
            let message = format!("`{}` needs the name of a variable first", word.text);
            return self.fail(
                Problem::new("wrong_arguments", variable.span.clone(), message).help(example),
            );
        };
        if ROOTS.iter().any(|(root, _)| *root == name.as_ref()) {
            let message = format!("`{name}` already means something and cannot be a variable");
            return self.fail(
                Problem::new("wrong_arguments", variable.span.clone(), message).help(example),
            );
        }
        if self.variables.len() == COMPREHENSIONS_MAX {
            let message =
                format!("more than {COMPREHENSIONS_MAX} comprehensions inside of each other");
            return self.fail(Problem::new(
                "expression_too_large",
                word.span.clone(),
                message,
            ));
        }
        let is_short = matches!(list.kind, Kind::List(_));
        let (list, shape) = self.list(list, &word.text);
        let item = match &shape {
            Shape::ListOf(item) => item.as_ref().clone(),
            Shape::Any
            | Shape::Leaf
            | Shape::Number
            | Shape::Text
            | Shape::Bool
            | Shape::Fields(_)
            | Shape::Features => Shape::Any,
        };
        self.variables.push((name.clone(), item));
        self.n_long += usize::from(!is_short);
        self.judge_cost(&word.span);
        let (body, inner) = if each == Each::Map {
            self.node(body)
        } else {
            (self.condition(body, &format!("`{}`", word.text)), shape)
        };
        self.n_long -= usize::from(!is_short);
        self.variables.pop();
        let shape = match each {
            Each::All | Each::Exists | Each::ExistsOne => Shape::Bool,
            Each::Filter => inner,
            Each::Map => Shape::list_of(inner),
        };
        (
            Node::Each(each, Box::new(list), name.clone(), Box::new(body)),
            shape,
        )
    }

    /// Warns of a comprehension over a list inside of one over another.
    fn judge_cost(&mut self, span: &Range<usize>) {
        if self.n_long < 2 {
            return;
        }
        let message = "this looks at every item of one list for every item of another";
        let problem = Problem::warning("costly", span.clone(), message);
        self.findings.push(
            problem.help(
                "use `in` with a list of constants, or a feature that counts what you look for",
            ),
        );
    }

    fn state(
        &mut self,
        ask: Ask,
        n_arguments: &RangeInclusive<usize>,
        example: &str,
        word: &Word,
        arguments: &[Ast],
    ) -> (Node, Shape) {
        if self.scope.site == Site::Feature {
            let message = format!(
                "`{}` is not at hand in the definition of a feature",
                word.text
            );
            let problem = Problem::new("not_at_hand", word.span.clone(), message);
            return self.fail(problem.help("a feature looks at its event only"));
        }
        if !n_arguments.contains(&arguments.len()) {
            let (least, most) = (n_arguments.start(), n_arguments.end());
            let message = format!(
                "`{}` takes {least} to {most} arguments, not {}",
                word.text,
                arguments.len()
            );
            let problem = Problem::new("wrong_arguments", word.span.clone(), message);
            return self.fail(problem.help(format!("write `{example}`")));
        }
        let mut texts = Vec::new();
        for argument in arguments {
            let Kind::Literal(Value::Text(text)) = &argument.kind else {
                let message = format!("the arguments of `{}` must be constant texts", word.text);
                let problem = Problem::new("wrong_arguments", argument.span.clone(), message);
                return self.fail(problem.help(format!("write `{example}`")));
            };
            texts.push((text.clone(), argument.span.clone()));
        }
        self.imply(ask, &texts)
    }

    fn imply(&mut self, ask: Ask, texts: &[(Arc<str>, Range<usize>)]) -> (Node, Shape) {
        let (property, window) = match ask {
            Ask::Count => (None, texts.get(1)),
            Ask::Sum | Ask::Distinct => (texts.get(1), texts.get(2)),
            Ask::First | Ask::Last => (texts.get(1), None),
        };
        let problem = texts
            .first()
            .and_then(|(event, span)| bad_event(event, span));
        let problem = problem.or_else(|| property.and_then(|(path, span)| bad_path(path, span)));
        if let Some(problem) = problem {
            return self.fail(problem);
        }
        let window = match window.map(|(text, span)| (read_window(text), span)) {
            None => Window::Lifetime,
            Some((Ok(window), _)) => window,
            Some((Err(message), span)) => {
                return self.fail(Problem::new("bad_duration", span.clone(), message));
            }
        };
        let event = texts
            .first()
            .map_or_else(|| Arc::from(""), |(text, _)| text.clone());
        self.judge_event(texts);
        let property = property.map(|(path, _)| path.as_ref());
        let idx = self
            .registry
            .imply(ask, &event, property, window, self.place);
        let asked = if let Window::Sliding(length) = window {
            Some(length)
        } else {
            None
        };
        (Node::Feature(idx, asked), self.registry.shape(idx))
    }

    /// Judges the names of the event and of its property that a function of behavioural state asks for.
    fn judge_event(&mut self, texts: &[(Arc<str>, Range<usize>)]) {
        let Some((event, span)) = texts.first() else {
            return;
        };
        let verdict = self.around.schemas.judge_event(event);
        self.findings
            .extend(types::unknown_event(event, verdict, span));
    }
}

fn bad_event(event: &str, span: &Range<usize>) -> Option<Problem> {
    let message = "the name of an event is missing";
    event
        .trim()
        .is_empty()
        .then(|| Problem::new("wrong_arguments", span.clone(), message))
}

fn bad_path(path: &str, span: &Range<usize>) -> Option<Problem> {
    if !path.split('.').any(|part| part.trim().is_empty()) {
        return None;
    }
    let message = format!("`{path}` is not a path of properties");
    let problem = Problem::new("wrong_arguments", span.clone(), message);
    Some(problem.help("write names joined by dots, below `event.properties`: `'cart.total'`"))
}

fn unknown_function(name: &str, span: &Range<usize>) -> Problem {
    let known: Vec<&str> = FUNCTIONS
        .iter()
        .map(|(text, ..)| *text)
        .chain(MACROS.iter().map(|(text, _)| *text))
        .chain(STATES.iter().map(|(text, ..)| *text))
        .chain(["has", "in_segment", "matches"])
        .collect();
    let message = format!(
        "unknown function `{name}`{}",
        suggest::hint(name, known.iter().copied())
    );
    Problem::new("unknown_function", span.clone(), message)
        .help(format!("functions are {}", quoted(&known)))
}

fn wrong_call(
    name: &str,
    style: Style,
    n_arguments: usize,
    n_given: usize,
    span: &Range<usize>,
) -> Problem {
    let example = match (style, n_arguments) {
        (Style::Method, 1) => format!("x.{name}()"),
        (Style::Method, _) => format!("x.{name}('text')"),
        (Style::Free | Style::Both, 0) => format!("{name}()"),
        (Style::Free | Style::Both, 1) => format!("{name}(x)"),
        (Style::Free | Style::Both, _) => format!("{name}(a, b)"),
    };
    let message = if n_given == n_arguments {
        format!("`{name}` is not called like this")
    } else {
        let n_own = n_arguments - usize::from(style == Style::Method);
        let n_given = n_given.saturating_sub(usize::from(style == Style::Method));
        format!("`{name}` takes {n_own} {}, not {n_given}", plural(n_own))
    };
    Problem::new("wrong_arguments", span.clone(), message).help(format!("write `{example}`"))
}

fn plural(n: usize) -> &'static str {
    if n == 1 { "argument" } else { "arguments" }
}
