//! What is known about a value before it is there: its type and its fields.

use std::sync::Arc;

use crate::domain::Value;

/// What is known about a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// Nothing: every field may exist.
    Any,
    /// A single value of an unknown type, without fields.
    Leaf,
    /// A number; times and lengths of time are numbers of milliseconds.
    Number,
    /// A text.
    Text,
    /// True or false.
    Bool,
    /// A map with these fields.
    Fields(Arc<Fields>),
    /// A list of such items.
    ListOf(Arc<Shape>),
    /// `profile.features`: the declared features.
    Features,
}

/// The fields of a map.
#[derive(Clone, Debug, PartialEq)]
pub struct Fields {
    /// Name and shape, in the order of their declaration.
    pub known: Vec<(Arc<str>, Shape)>,
    /// Whether others may exist.
    pub open: Open,
}

/// Whether a map may have other fields than those that are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Open {
    /// It has no others.
    Closed,
    /// A standard names the known ones; senders add their own.
    Standard,
    /// The author declared the known ones.
    Declared,
}

impl Shape {
    /// Describes a map.
    pub fn map(open: Open, known: Vec<(Arc<str>, Self)>) -> Self {
        Self::Fields(Arc::new(Fields { known, open }))
    }

    /// Describes a list.
    pub fn list_of(item: Self) -> Self {
        Self::ListOf(Arc::new(item))
    }

    /// Returns the shape of a constant.
    pub fn of(value: &Value) -> Self {
        match value {
            Value::Null | Value::Map(_) => Self::Any,
            Value::Bool(_) => Self::Bool,
            Value::Number(_) => Self::Number,
            Value::Text(_) => Self::Text,
            Value::List(_) => Self::list_of(Self::Any),
        }
    }

    /// Returns what is known about a value that is one or the other.
    #[must_use]
    pub fn or(self, other: &Self) -> Self {
        if self == *other { self } else { Self::Any }
    }

    /// Returns the type; `None` when it is not known.
    pub fn kind(&self) -> Option<Type> {
        match self {
            Self::Any | Self::Leaf => None,
            Self::Number => Some(Type::Number),
            Self::Text => Some(Type::Text),
            Self::Bool => Some(Type::Bool),
            Self::Fields(_) | Self::Features => Some(Type::Map),
            Self::ListOf(_) => Some(Type::List),
        }
    }
}

/// A type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// A double.
    Number,
    /// A text.
    Text,
    /// True or false.
    Bool,
    /// A list.
    List,
    /// A map.
    Map,
}

impl Type {
    /// Names it in a message.
    pub fn name(self) -> &'static str {
        match self {
            Self::Number => "a number",
            Self::Text => "a text",
            Self::Bool => "true or false",
            Self::List => "a list",
            Self::Map => "a map",
        }
    }

    /// Tells if it is one value.
    pub fn is_single(self) -> bool {
        matches!(self, Self::Number | Self::Text | Self::Bool)
    }
}
