//! A tree as text with all its parentheses: equal trees give equal text, and the text reads back as the tree.

use std::fmt;
use std::sync::Arc;

use crate::domain::Value;
use crate::policy::expr::{Each, Function, Node, Op, Root};
use crate::policy::feature::Feature;

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(Value::Number(number)) if number.is_sign_negative() => {
                write!(f, "({})", Value::Number(*number))
            }
            Self::Literal(value) => write!(f, "{value}"),
            Self::Root(root) => root.fmt(f),
            Self::Member(base, name) => write!(f, "{base}.{name}"),
            Self::Index(base, index) => write!(f, "{base}[{index}]"),
            Self::Not(inner) => write!(f, "(!{inner})"),
            Self::Negate(inner) => write!(f, "(-{inner})"),
            Self::Binary(op, left, right) => write!(f, "({left} {op} {right})"),
            Self::If(condition, yes, no) => write!(f, "({condition} ? {yes} : {no})"),
            Self::List(items) => {
                f.write_str("[")?;
                join(f, items)?;
                f.write_str("]")
            }
            Self::Map(pairs) => {
                let pair = |(key, value): &(Arc<str>, Self)| {
                    format!("{}: {value}", Value::Text(key.clone()))
                };
                let pairs: Vec<String> = pairs.iter().map(pair).collect();
                write!(f, "{{{}}}", pairs.join(", "))
            }
            Self::Has(path) => write!(f, "has({path})"),
            Self::Matches(text, pattern) => {
                let pattern = Value::text(&pattern.to_string());
                write!(f, "{text}.matches({pattern})")
            }
            Self::Each(each, list, variable, body) => {
                write!(f, "{list}.{each}({variable}, {body})")
            }
            Self::Call(function, arguments) => call(f, *function, arguments),
            Self::InSegment(name) => write!(f, "in_segment('{name}')"),
            Self::Feature(idx, None) => write!(f, "feature({idx})"),
            Self::Feature(idx, Some(window)) => write!(f, "feature({idx}, {window})"),
        }
    }
}

impl Node {
    /// Writes the node as an author would, who names features and not their numbers.
    ///
    /// - `features`: those that the node's numbers mean.
    pub fn with_features(&self, features: &[Feature]) -> String {
        let text = self.replace_features(self.to_string(), features);
        let inner = text
            .strip_prefix('(')
            .and_then(|text| text.strip_suffix(')'));
        match (self, inner) {
            (Self::Binary(..) | Self::If(..), Some(inner)) => inner.to_owned(),
            (_, _) => text,
        }
    }

    fn replace_features(&self, text: String, features: &[Feature]) -> String {
        let mut text = text;
        if let Self::Feature(idx, window) = self
            && let Some(feature) = features.get(*idx)
        {
            text = text.replace(&self.to_string(), &feature.asked(*window));
        }
        let parts = self.parts().into_iter();
        parts.fold(text, |text, part| part.replace_features(text, features))
    }
}

fn call(f: &mut fmt::Formatter<'_>, function: Function, arguments: &[Node]) -> fmt::Result {
    let method = matches!(
        function,
        Function::StartsWith | Function::EndsWith | Function::Contains
    );
    let rest = match arguments {
        [receiver, rest @ ..] if method => {
            write!(f, "{receiver}.")?;
            rest
        }
        all => all,
    };
    write!(f, "{}(", name(function))?;
    join(f, rest)?;
    f.write_str(")")
}

fn join(f: &mut fmt::Formatter<'_>, nodes: &[Node]) -> fmt::Result {
    for (idx, node) in nodes.iter().enumerate() {
        let comma = if idx == 0 { "" } else { ", " };
        write!(f, "{comma}{node}")?;
    }
    Ok(())
}

fn name(function: Function) -> &'static str {
    match function {
        Function::Size => "size",
        Function::StartsWith => "startsWith",
        Function::EndsWith => "endsWith",
        Function::Contains => "contains",
        Function::Lower => "lower",
        Function::Duration => "duration",
        Function::Timestamp => "timestamp",
        Function::Now => "now",
        Function::Ago => "ago",
        Function::LocalHour => "local_hour",
        Function::LocalWeekday => "local_weekday",
        Function::LocalMonth => "local_month",
        Function::Min => "min",
        Function::Max => "max",
        Function::Abs => "abs",
        Function::Int => "int",
        Function::Double => "double",
        Function::Text => "string",
    }
}

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Profile => "profile",
            Self::Event => "event",
            Self::Entry => "entry",
            Self::Context => "context",
            Self::Offer => "offer",
            Self::Propensity => "p",
            Self::Local(name) => name,
        })
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Or => "||",
            Self::And => "&&",
            Self::Eq => "==",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
            Self::In => "in",
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Rem => "%",
        })
    }
}

impl fmt::Display for Each {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::All => "all",
            Self::Exists => "exists",
            Self::ExistsOne => "exists_one",
            Self::Filter => "filter",
            Self::Map => "map",
        })
    }
}
