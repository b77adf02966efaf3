//! A question about a customer: an expression that stands in no policy, checked against those that are live.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::Duration;
use crate::policy::bundle::{Bundle, Place};
use crate::policy::diagnostic::{Diagnostic, Diagnostics, Severity, Source};
use crate::policy::expr::shape::Shape;
use crate::policy::expr::{self, Around, Expr, Problem, Scope, Site};
use crate::policy::feature::Feature;
use crate::policy::registry::Registry;
use crate::policy::schema::Schemas;

/// What the name of a question's text is.
const NAME: &str = "expression";

/// What expressions are checked against.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    /// What events and customers look like.
    pub(super) schemas: Schemas,
    /// Declared features by name, as indexes into [`Bundle::features`], each with its own window if it slides.
    pub(super) features: BTreeMap<Arc<str>, (usize, Option<Duration>)>,
}

/// An expression that somebody asks about a customer.
#[derive(Clone, Debug)]
pub struct Question {
    /// The expression.
    pub expr: Expr,
    /// The features of the live policies, and behind them those that only the question implies.
    pub features: Vec<Feature>,
    /// What is most likely not meant.
    pub warnings: Diagnostics,
}

/// Checks a question.
///
/// - `event`: the name of the event that it may look at, if one is given.
///
/// # Errors
///
/// Everything that is wrong with the text, in a source named `expression`.
pub fn ask(bundle: &Bundle, text: &str, event: Option<&str>) -> Result<Question, Diagnostics> {
    let source = Source::new(NAME, text);
    let mut registry = Registry::of(bundle);
    let place = Place {
        file: source.name.clone(),
        line: 1,
        span: 0..text.len(),
    };
    let scope = Scope {
        site: Site::Question,
        locals: &[],
    };
    let around = Around {
        schemas: &bundle.vocabulary.schemas,
        event,
        entry: None,
        locals: &BTreeMap::<Arc<str>, Shape>::new(),
    };
    let checked = expr::check(&source.text, scope, around, &mut registry, &place);
    let found = checked.problems.iter().chain(&checked.findings);
    let mut found = Diagnostics(found.map(|problem| drawn(&source, problem)).collect());
    found.sort();
    match checked.expr {
        Some(expr) if found.n_errors() == 0 => {
            let implied = registry.take_features().into_iter();
            let implied = implied.skip(bundle.features.len());
            Ok(Question {
                expr,
                features: bundle.features.iter().cloned().chain(implied).collect(),
                warnings: found,
            })
        }
        Some(_) | None => {
            found.0.retain(|it| it.severity == Severity::Error);
            Err(found)
        }
    }
}

fn drawn(source: &Source, problem: &Problem) -> Diagnostic {
    let (span, message) = (problem.span.clone(), problem.message.clone());
    let mut drawn = Diagnostic::new(source, problem.code, span, message);
    drawn.severity = problem.severity;
    drawn.help.clone_from(&problem.help);
    drawn
}
