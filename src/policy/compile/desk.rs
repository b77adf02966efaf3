//! Where documents are read: every reader says what is wrong and goes on.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use crate::domain::Duration;
use crate::policy::bundle::Place;
use crate::policy::diagnostic::{Diagnostic, Severity, Source};
use crate::policy::expr::shape::{Shape, Type};
use crate::policy::expr::{self, Around, Expr, Problem, Scope, types};
use crate::policy::lint;
use crate::policy::registry::Registry;
use crate::policy::schema::Schemas;
use crate::policy::suggest;
use crate::policy::yaml::{self, Content, Style, Yaml};

/// What compilation knows and has found wrong so far.
#[derive(Debug, Default)]
pub struct Desk {
    /// The file that is read.
    pub source: Option<Source>,
    /// Everything that is wrong.
    pub problems: Vec<Diagnostic>,
    /// The features.
    pub registry: Registry,
    /// Whether a file could not be read to its end, so that a missing name proves nothing.
    pub incomplete: bool,
    /// What events and customers look like.
    pub schemas: Schemas,
    /// The name of the event that expressions look at, if it can only be one.
    pub handled: Option<Arc<str>>,
    /// The name of the event that enters the journey that is read.
    pub entry: Option<Arc<str>>,
    /// What is known about the results of the steps before.
    pub locals: BTreeMap<Arc<str>, Shape>,
    declared: BTreeMap<(&'static str, Arc<str>), Declared>,
}

/// Where a name was declared, with its file.
type Declared = (Place, Range<usize>, Option<Source>);

impl Desk {
    /// Reports a problem in the file that is read; words can be added to what it returns.
    pub fn report(
        &mut self,
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        let source = self.source.clone().unwrap_or_else(|| Source::new("", ""));
        self.problems
            .push(Diagnostic::new(&source, code, span, message));
        let last = self.problems.len() - 1;
        &mut self.problems[last]
    }

    /// Reports a problem with its way out.
    pub fn advise(
        &mut self,
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.report(code, span, message).help = Some(help.into());
    }

    /// Reports what is most likely not meant.
    pub fn warn(
        &mut self,
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let warning = self.report(code, span, message);
        warning.severity = Severity::Warning;
        warning.help = Some(help.into());
    }

    /// Counts the errors so far.
    pub fn n_errors(&self) -> usize {
        let is_error = |it: &&Diagnostic| it.severity == Severity::Error;
        self.problems.iter().filter(is_error).count()
    }

    /// Returns where a node stands.
    pub fn place(&self, node: &Yaml) -> Place {
        Place {
            file: self
                .source
                .as_ref()
                .map_or_else(|| "".into(), |source| source.name.clone()),
            line: node.line,
            span: node.span.clone(),
        }
    }

    /// Remembers a name of a kind; a second one is reported.
    pub fn declare(&mut self, kind: &'static str, name: &Arc<str>, node: &Yaml) -> bool {
        let key = (kind, name.clone());
        let place = self.place(node);
        let mut at = (place, node.span.clone(), self.source.clone());
        let Some(first) = self.declared.get_mut(&key) else {
            self.declared.insert(key, at);
            return true;
        };
        // Documents are read in the order of their content: the second one is the one that stands later.
        if (&at.0.file, at.0.line) < (&first.0.file, first.0.line) {
            std::mem::swap(first, &mut at);
        }
        let first = first.0.clone();
        let here = std::mem::replace(&mut self.source, at.2);
        let message = format!("{kind} `{name}` is declared twice");
        let help = format!("the first one stands in {first}: rename or remove one of them");
        self.advise("duplicate_name", at.1, message, help);
        self.source = here;
        false
    }

    /// Reports a node of another kind than expected, unless it was reported already.
    pub fn wrong_type(&mut self, node: &Yaml, expected: &str, help: &str) {
        if !node.is_broken() {
            let message = format!("{expected}, not {}", node.kind());
            self.advise("wrong_type", node.span.clone(), message, help);
        }
    }

    /// Reads a text that is not empty.
    pub fn text(&mut self, node: &Yaml, what: &str) -> Option<Arc<str>> {
        let text = node.text().filter(|_| !node.is_nothing());
        let Some(text) = text else {
            self.wrong_type(node, &format!("{what} is a text"), "write one value here");
            return None;
        };
        if text.trim().is_empty() {
            self.report(
                "missing_value",
                node.span.clone(),
                format!("{what} is empty"),
            );
            return None;
        }
        Some(text.trim().into())
    }

    /// Reads a name: letters, digits, `-` and `_`, at most 64.
    pub fn name(&mut self, node: &Yaml, what: &str) -> Option<Arc<str>> {
        let text = self.text(node, what)?;
        let letters = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if text.len() <= 64 && text.chars().all(letters) {
            return Some(text);
        }
        let message = format!("`{text}` cannot be the name of {what}");
        let help = "a name has 1 to 64 letters, digits, `-` and `_`";
        self.advise("bad_name", node.span.clone(), message, help);
        None
    }

    /// Reads the name of an event.
    pub fn event(&mut self, node: &Yaml) -> Option<Arc<str>> {
        let name = self.text(node, "the name of an event")?;
        let verdict = self.schemas.judge_event(&name);
        let whole = 0..node.text().map_or(0, |text| text.len());
        if let Some(problem) = types::unknown_event(&name, verdict, &whole) {
            self.expression_problem(node, problem);
        }
        Some(name)
    }

    /// Runs something while expressions look at this event.
    pub fn about<T>(&mut self, event: Option<&Arc<str>>, run: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.handled, event.cloned());
        let result = run(self);
        self.handled = before;
        result
    }

    /// Remembers what the result of a step is.
    pub fn bind(&mut self, name: &Arc<str>, shape: Shape) {
        let known = self.locals.get(name);
        let shape = known.map_or(shape.clone(), |known| shape.or(known));
        self.locals.insert(name.clone(), shape);
    }

    /// Reads a word that expressions can use.
    pub fn local(&mut self, node: &Yaml) -> Option<Arc<str>> {
        let text = self.text(node, "the name of a result")?;
        let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let letters = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let words = ["true", "false", "null", "in"];
        let taken = expr::ROOTS.iter().any(|(root, _)| *root == text.as_ref())
            || words.contains(&text.as_ref());
        if starts && letters && !taken && text.len() <= 64 {
            return Some(text);
        }
        let help = "a result has a name of letters, digits and `_` that means nothing else, for example `buy`";
        let message = format!("`{text}` cannot be the name of a result");
        self.advise("bad_name", node.span.clone(), message, help);
        None
    }

    /// Reads a length of time; with `positive` more than nothing.
    pub fn duration(&mut self, node: &Yaml, what: &str, positive: bool) -> Option<Duration> {
        let text = self.text(node, what)?;
        let problem = match Duration::parse(&text) {
            Ok(length) if positive && length.as_millis() == 0 => {
                format!("{what} is longer than nothing")
            }
            Ok(length) => return Some(length),
            Err(message) => message,
        };
        let help = "units are `ms`, `s`, `m`, `h`, `d`, `w`: `45m`, `1h30m`, `3d`";
        self.advise("bad_duration", node.span.clone(), problem, help);
        None
    }

    /// Reads one word of a few.
    pub fn choice<T: Copy>(&mut self, node: &Yaml, what: &str, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text(node, what)?;
        if let Some((_, value)) = choices.iter().find(|(word, _)| *word == text.as_ref()) {
            return Some(*value);
        }
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        let hint = suggest::hint(&text, words.iter().copied());
        let message = format!("unknown {what} `{text}`{hint}");
        self.advise(
            "bad_value",
            node.span.clone(),
            message,
            format!("write one of {}", list(&words)),
        );
        None
    }

    /// Checks a reference to something by name.
    pub fn refer<'k>(
        &mut self,
        node: &Yaml,
        kind: &str,
        name: &str,
        known: impl Iterator<Item = &'k str> + Clone,
    ) -> bool {
        if self.incomplete || known.clone().any(|it| it == name) {
            return true;
        }
        let hint = suggest::hint(name, known.clone());
        let known: Vec<&str> = known.take(20).collect();
        let help = match (known.is_empty(), kind) {
            (true, "model") => "no model is declared: a model is a folder with `model.yaml` in the folder that `--models` names (`models` without it)".to_owned(),
            (true, _) => format!("no {kind} is declared in these files"),
            (false, _) => format!("declared are {}", list(&known)),
        };
        self.advise(
            "unknown_reference",
            node.span.clone(),
            format!("unknown {kind} `{name}`{hint}"),
            help,
        );
        false
    }

    /// Compiles an expression.
    pub fn expr(&mut self, node: &Yaml, scope: Scope<'_>) -> Option<Expr> {
        self.shaped(node, scope).map(|(expr, _)| expr)
    }

    /// Compiles an expression that should be a number.
    pub fn number(&mut self, node: &Yaml, scope: Scope<'_>) -> Option<Expr> {
        let (expr, shape) = self.shaped(node, scope)?;
        if let Some(found) = shape.kind().filter(|found| *found != Type::Number) {
            let message = format!("a number is expected, not {}", found.name());
            let help = "write a number, or an expression that gives one: `offer.value * 2`";
            self.warn("not_a_number", node.span.clone(), message, help);
        }
        Some(expr)
    }

    /// Compiles an expression that must be true or false.
    pub fn condition(&mut self, node: &Yaml, scope: Scope<'_>) -> Option<Expr> {
        let n_before = self.problems.len();
        let (expr, shape) = self.shaped(node, scope)?;
        if let Some(found) = shape.kind().filter(|found| *found != Type::Bool) {
            let message = format!("a condition is true or false, not {}", found.name());
            let help = "compare it with something: `profile.cart.value >= 50`; `has(x)` asks whether it is known";
            self.advise("not_a_condition", node.span.clone(), message, help);
        }
        if self.problems.len() == n_before {
            lint::condition(self, &expr);
        }
        Some(expr)
    }

    /// Compiles an expression; returns what its value is.
    fn shaped(&mut self, node: &Yaml, scope: Scope<'_>) -> Option<(Expr, Shape)> {
        let Content::Scalar(scalar) = &node.content else {
            let help =
                "an expression is one text; put it in double quotes if it begins with `[` or `{`";
            self.wrong_type(node, "an expression is expected", help);
            return None;
        };
        if node.is_nothing() && scalar.text.is_empty() {
            self.report(
                "missing_value",
                node.span.clone(),
                "an expression is missing",
            );
            return None;
        }
        let text: Arc<str> = scalar.text.trim_end().into();
        let place = self.place(node);
        let around = Around {
            schemas: &self.schemas,
            event: self.handled.as_deref(),
            entry: self.entry.as_deref(),
            locals: &self.locals,
        };
        let checked = expr::check(&text, scope, around, &mut self.registry, &place);
        for problem in checked.problems.into_iter().chain(checked.findings) {
            self.expression_problem(node, problem);
        }
        checked.expr.map(|expr| (expr, checked.shape))
    }

    /// Compiles one condition or a list of them; all must be true.
    pub fn conditions(&mut self, node: Option<&Yaml>, scope: Scope<'_>) -> Vec<Expr> {
        let Some(node) = node else {
            return Vec::new();
        };
        let items = node.items();
        if items.is_empty() {
            self.report(
                "missing_value",
                node.span.clone(),
                "the list of conditions is empty",
            );
        }
        let compiled = items.iter().filter_map(|item| self.condition(item, scope));
        compiled.collect()
    }

    /// Moves a problem of an expression into its file.
    fn expression_problem(&mut self, node: &Yaml, problem: Problem) {
        let Some(source) = self.source.clone() else {
            return;
        };
        let start = node.locate(&source.text, problem.span.start);
        let end = match problem.span.end.checked_sub(1) {
            Some(last) if problem.span.end > problem.span.start => {
                let last = node.locate(&source.text, last);
                last + source.text[last..].chars().next().map_or(0, char::len_utf8)
            }
            Some(_) | None => start,
        };
        let cut = problem.code == "expression_syntax" && yaml::is_cut_by_comment(&source, node);
        if cut {
            let message = format!("{}: YAML ends the text at ` #`", problem.message);
            let help =
                "if the `#` belongs to the expression, put the whole expression in double quotes";
            self.advise("yaml_comment", start..end, message, help);
            return;
        }
        let reported = self.report(problem.code, start..end.max(start), problem.message);
        reported.severity = problem.severity;
        reported.help = problem.help;
    }
}

/// Tells if a scalar was written without quotes.
pub fn is_plain(node: &Yaml) -> bool {
    matches!(&node.content, Content::Scalar(scalar) if scalar.style == Style::Plain)
}

/// Joins words for a help line.
pub fn list(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    words.join(", ")
}
