//! The functions of the language and what is constant about them.

use std::ops::RangeInclusive;

use crate::domain::{Duration, Timestamp, Value};
use crate::policy::expr::{Each, Function, Node, Op};
use crate::policy::feature::Window;
use crate::policy::registry::Ask;

/// How a function is called.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// `f(a)`
    Free,
    /// `a.f(b)`
    Method,
    /// Either.
    Both,
}

/// Name, style, number of arguments with the receiver, function.
pub const FUNCTIONS: [(&str, Style, usize, Function); 18] = [
    ("size", Style::Both, 1, Function::Size),
    ("startsWith", Style::Method, 2, Function::StartsWith),
    ("endsWith", Style::Method, 2, Function::EndsWith),
    ("contains", Style::Method, 2, Function::Contains),
    ("lower", Style::Both, 1, Function::Lower),
    ("duration", Style::Free, 1, Function::Duration),
    ("timestamp", Style::Free, 1, Function::Timestamp),
    ("now", Style::Free, 0, Function::Now),
    ("ago", Style::Free, 1, Function::Ago),
    ("local_hour", Style::Free, 0, Function::LocalHour),
    ("local_weekday", Style::Free, 0, Function::LocalWeekday),
    ("local_month", Style::Free, 0, Function::LocalMonth),
    ("min", Style::Free, 2, Function::Min),
    ("max", Style::Free, 2, Function::Max),
    ("abs", Style::Free, 1, Function::Abs),
    ("int", Style::Free, 1, Function::Int),
    ("double", Style::Free, 1, Function::Double),
    ("string", Style::Free, 1, Function::Text),
];

/// Comprehensions.
pub const MACROS: [(&str, Each); 5] = [
    ("all", Each::All),
    ("exists", Each::Exists),
    ("exists_one", Each::ExistsOne),
    ("filter", Each::Filter),
    ("map", Each::Map),
];

/// Name, what it asks for, number of arguments, how it is written.
pub const STATES: [(&str, Ask, RangeInclusive<usize>, &str); 5] = [
    ("count", Ask::Count, 1..=2, "count('Order Completed', '1d')"),
    (
        "sum",
        Ask::Sum,
        2..=3,
        "sum('Order Completed', 'total', '30d')",
    ),
    (
        "last",
        Ask::Last,
        1..=2,
        "last('Product Viewed', 'product_id')",
    ),
    ("first", Ask::First, 1..=2, "first('Order Completed')"),
    (
        "distinct",
        Ask::Distinct,
        2..=3,
        "distinct('Product Viewed', 'category', '7d')",
    ),
];

/// Functions that are known and not there, with what to write instead.
pub const LATER: [(&str, &str); 1] = [("type", "use `has(x)` to ask whether a value is known")];

/// Reads `lifetime`, `session` or a length of time.
///
/// # Errors
///
/// A sentence that says what is wrong with the text.
pub fn read_window(text: &str) -> Result<Window, String> {
    match text.trim() {
        "lifetime" => Ok(Window::Lifetime),
        "session" => Ok(Window::Session),
        length => match Duration::parse(length)? {
            length if length.as_millis() == 0 => Err("a window is longer than nothing".into()),
            length => Ok(Window::Sliding(length)),
        },
    }
}

/// Answers what is constant already: `duration('1h')`, `timestamp('..')`; `ago('1d')` becomes `now() - 1d`.
pub fn fold(function: Function, arguments: &[Node]) -> Option<Result<Node, String>> {
    let [Node::Literal(Value::Text(text))] = arguments else {
        return None;
    };
    let length = || Duration::parse(text).map(|length| literal_millis(length.as_millis()));
    match function {
        Function::Duration => Some(length()),
        Function::Ago => Some(length().map(|length| {
            let now = Node::Call(Function::Now, Vec::new());
            Node::Binary(Op::Sub, Box::new(now), Box::new(length))
        })),
        Function::Timestamp => Some(read_timestamp(text)),
        Function::Size
        | Function::StartsWith
        | Function::EndsWith
        | Function::Contains
        | Function::Lower
        | Function::Now
        | Function::LocalHour
        | Function::LocalWeekday
        | Function::LocalMonth
        | Function::Min
        | Function::Max
        | Function::Abs
        | Function::Int
        | Function::Double
        | Function::Text => None,
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "100 years of milliseconds fit in 52 bits"
)]
fn literal_millis(millis: u64) -> Node {
    Node::Literal(Value::Number(millis as f64))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "20000 years of milliseconds fit in 52 bits"
)]
fn read_timestamp(text: &str) -> Result<Node, String> {
    let at = Timestamp::parse(text).ok_or_else(|| {
        format!("`{text}` is not a time, write for example `2026-01-31T10:00:00Z`")
    })?;
    Ok(Node::Literal(Value::Number(at.as_millis() as f64)))
}
