//! Says which part of an expression is unknown, and why.

use std::borrow::Cow;

use crate::decide::env::Env;
use crate::decide::eval::eval;
use crate::domain::Value;
use crate::policy::expr::{Node, Op, Root};
use crate::policy::feature::{Feature, Fold, Window};
use crate::policy::question::Question;

/// A part of an expression that is unknown though everything it is made of is known.
#[derive(Clone, Debug, PartialEq)]
pub struct Unknown {
    /// The part, as an author would write it.
    pub part: String,
    /// Why.
    pub why: String,
}

/// Answers a question about a customer.
///
/// # Errors
///
/// What of it is unknown; never empty.
pub fn answer(question: &Question, env: &Env<'_>) -> Result<Value, Vec<Unknown>> {
    let root = &question.expr.root;
    let search = Search {
        env,
        features: &question.features,
    };
    let mut found = search.idle_segments(root);
    if found.is_empty() {
        if let Some(value) = eval(root, env) {
            return Ok(value.into_owned());
        }
        search.node(root, &mut found);
    }
    found.dedup();
    Err(found)
}

struct Search<'a> {
    env: &'a Env<'a>,
    /// Those of the live policies, and behind them those that only the question implies.
    features: &'a [Feature],
}

impl Search<'_> {
    /// Nobody keeps up with a segment that no policy asks for.
    fn idle_segments(&self, node: &Node) -> Vec<Unknown> {
        let own = if let Node::InSegment(name) = node {
            self.env.bundle.segment(name).filter(|(_, it)| !it.used)
        } else {
            None
        };
        let own = own.map(|_| {
            let why =
                "nobody keeps up with this segment: it is not published, and no policy asks for it";
            self.unknown(node, why)
        });
        let parts = node.parts().into_iter();
        own.into_iter()
            .chain(parts.flat_map(|part| self.idle_segments(part)))
            .collect()
    }

    fn unknown(&self, node: &Node, why: impl Into<String>) -> Unknown {
        Unknown {
            part: self.shown(node),
            why: why.into(),
        }
    }

    /// Looks for what makes a node unknown.
    fn node(&self, node: &Node, found: &mut Vec<Unknown>) {
        if let Node::Member(inner, _) = node
            && is_path(inner)
        {
            return found.push(self.unknown(node, self.path(node)));
        }
        let n_before = found.len();
        for part in self.parts(node) {
            if eval(part, self.env).is_none() {
                self.node(part, found);
            }
        }
        if found.len() == n_before {
            found.push(self.unknown(node, self.own(node)));
        }
    }

    /// Returns the parts that a node is made of as long as no variable stands in them.
    fn parts<'n>(&self, node: &'n Node) -> Vec<&'n Node> {
        match node {
            Node::Each(_, list, _, _) => vec![list],
            Node::If(test, yes, no) => match eval(test, self.env).as_deref() {
                Some(Value::Bool(true)) => vec![yes],
                Some(Value::Bool(false)) => vec![no],
                Some(_) | None => vec![test],
            },
            Node::Literal(_)
            | Node::Root(_)
            | Node::Member(..)
            | Node::Index(..)
            | Node::Not(_)
            | Node::Negate(_)
            | Node::Binary(..)
            | Node::List(_)
            | Node::Map(_)
            | Node::Has(_)
            | Node::Matches(..)
            | Node::Call(..)
            | Node::Feature(..)
            | Node::InSegment(_) => node.parts(),
        }
    }

    /// Says why a path leads nowhere.
    fn path(&self, node: &Node) -> String {
        let names = names(node);
        let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
        match names.as_slice() {
            ["event", ..] if self.env.event.is_none() => "there is no event to look at".into(),
            ["event", ..] => "the event has no such value".into(),
            ["entry", ..] if self.env.entry.is_none() => "there is no entry to look at".into(),
            ["context", ..] if self.env.context.is_none() => {
                "there is no context to look at".into()
            }
            ["profile", "traits", ..] => "the customer has no such trait".into(),
            ["profile", "consent", ..] => "the customer has not said".into(),
            ["profile", "cart", "value"] => "the price of an item in the cart is unknown".into(),
            ["profile", "cart", ..] => "nothing is known of it yet".into(),
            ["profile", "session", ..] => "the customer has had no session yet".into(),
            _ => "there is no such value".into(),
        }
    }

    /// Says why a node is unknown whose parts are known.
    fn own(&self, node: &Node) -> String {
        match node {
            Node::Feature(idx, window) => self.feature(*idx, *window),
            Node::InSegment(_) => {
                "the customer has had no input since other policies went live".into()
            }
            Node::Root(Root::Event) => "there is no event to look at".into(),
            Node::Root(Root::Context) => "there is no context to look at".into(),
            Node::Root(_) => "it has no value of its own, only fields".into(),
            Node::Literal(_) => "`null` is unknown".into(),
            Node::Binary(Op::Div | Op::Rem, _, right) if self.is_zero(right) => {
                "a division by zero".into()
            }
            Node::Index(..) => "there is no such item".into(),
            Node::Each(..) => "the condition is unknown for an item".into(),
            Node::Binary(_, left, right) => {
                let (left, right) = (self.value(left), self.value(right));
                format!("{left} and {right} do not fit together")
            }
            Node::Member(..)
            | Node::Not(_)
            | Node::Negate(_)
            | Node::If(..)
            | Node::List(_)
            | Node::Map(_)
            | Node::Has(_)
            | Node::Matches(..)
            | Node::Call(..) => "it cannot be made of what it is given".into(),
        }
    }

    fn is_zero(&self, node: &Node) -> bool {
        eval(node, self.env).and_then(|value| value.as_f64()) == Some(0.0)
    }

    fn value(&self, node: &Node) -> String {
        eval(node, self.env).map_or_else(|| "unknown".into(), |value| value.to_string())
    }

    fn feature(&self, idx: usize, window: Option<crate::domain::Duration>) -> String {
        let Some(kept) = self.env.bundle.features.get(idx) else {
            return "the live policies do not keep it: nobody asked for it while it happened; \
                    once a policy does, it counts from then on"
                .into();
        };
        if let (Some(asked), Window::Sliding(own)) = (window, kept.window)
            && asked > own
        {
            return format!("the live policies keep only the last {own} of it");
        }
        let too_many = format!(
            "more would count than the {} that are remembered",
            kept.n_max
        );
        match kept.fold {
            Fold::Count | Fold::Sum(_) | Fold::Distinct(_) | Fold::Dwell => too_many,
            Fold::First(_)
            | Fold::Last(_)
            | Fold::Recency
            | Fold::Least(_)
            | Fold::Most(_)
            | Fold::Average(_)
            | Fold::Mode(_) => format!("it has not happened, or {too_many}"),
        }
    }

    /// Writes a part as an author would.
    fn shown(&self, node: &Node) -> String {
        node.with_features(self.features)
    }
}

/// Tells if a node is a root, or fields of one.
fn is_path(node: &Node) -> bool {
    if let Node::Member(inner, _) = node {
        return is_path(inner);
    }
    matches!(node, Node::Root(_))
}

/// Returns the words of a path.
fn names(path: &Node) -> Vec<Cow<'_, str>> {
    let mut names = Vec::new();
    let mut node = path;
    while let Node::Member(inner, name) = node {
        names.push(Cow::Borrowed(name.as_ref()));
        node = inner;
    }
    names.push(Cow::Owned(node.to_string()));
    names.reverse();
    names
}
