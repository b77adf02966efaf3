//! JSON values with one number type.

use std::fmt;
use std::sync::Arc;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::name::{self, Name};

/// A JSON value. Every number is a finite double; keys of a map are sorted and unique, the last one given wins.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// JSON `null`: the same as absent for every expression.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A finite number.
    Number(f64),
    /// Text.
    Text(Arc<str>),
    /// A list.
    List(Vec<Value>),
    /// A map, sorted by key.
    Map(Map),
}

/// A map from text to values, sorted by key; exactly as large as it must be, for every customer holds some.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Map(Box<[(Arc<str>, Value)]>);

impl Map {
    /// Returns the value under a key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        let idx = self.0.binary_search_by(|(k, _)| k.as_ref().cmp(key)).ok()?;
        Some(&self.0[idx].1)
    }

    /// Sets a key; `Null` removes it.
    pub fn set(&mut self, key: &str, value: Value) {
        match (self.0.binary_search_by(|(k, _)| k.as_ref().cmp(key)), value) {
            (Ok(idx), Value::Null) => self.resize(|entries| drop(entries.remove(idx))),
            (Ok(idx), value) => self.0[idx].1 = value,
            (Err(_), Value::Null) => {}
            (Err(idx), value) => self.resize(|entries| {
                entries.reserve_exact(1);
                entries.insert(idx, (name::shared(key), value));
            }),
        }
    }

    fn resize(&mut self, change: impl FnOnce(&mut Vec<(Arc<str>, Value)>)) {
        let mut entries = std::mem::take(&mut self.0).into_vec();
        change(&mut entries);
        self.0 = entries.into();
    }

    /// Returns the entries in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(k, v)| (k.as_ref(), v))
    }

    /// Returns the number of entries.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Tells if there is no entry.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns about how many bytes it takes where it is kept.
    pub fn n_bytes(&self) -> usize {
        let entries = self.iter();
        entries.map(|(key, value)| entry_bytes(key, value)).sum()
    }
}

impl FromIterator<(Arc<str>, Value)> for Map {
    fn from_iter<I: IntoIterator<Item = (Arc<str>, Value)>>(entries: I) -> Self {
        let mut entries: Vec<_> = entries.into_iter().collect();
        // A stable sort keeps the order of equal keys, so the last one given survives.
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        entries.reverse();
        entries.dedup_by(|a, b| a.0 == b.0);
        entries.reverse();
        Self(entries.into())
    }
}

/// Returns about how many bytes a key and its value take where they are kept.
pub fn entry_bytes(key: &str, value: &Value) -> usize {
    key.len() + 2 + value.n_bytes()
}

impl Value {
    /// Returns about how many bytes it takes where it is kept.
    pub fn n_bytes(&self) -> usize {
        match self {
            Self::Null | Self::Bool(_) => 1,
            Self::Number(_) => 9,
            Self::Text(text) => text.len() + 2,
            Self::List(list) => list.iter().map(Self::n_bytes).sum::<usize>() + 2,
            Self::Map(map) => map.n_bytes() + 2,
        }
    }

    /// Returns text as a value.
    pub fn text(text: &str) -> Self {
        Self::Text(text.into())
    }

    /// Returns the text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::Text(text) = self {
            Some(text)
        } else {
            None
        }
    }

    /// Returns the number, if it is one.
    pub fn as_f64(&self) -> Option<f64> {
        if let Self::Number(number) = self {
            Some(*number)
        } else {
            None
        }
    }

    /// Returns the map, if it is one.
    pub fn as_map(&self) -> Option<&Map> {
        if let Self::Map(map) = self {
            Some(map)
        } else {
            None
        }
    }

    /// Returns the list, if it is one.
    pub fn as_list(&self) -> Option<&[Value]> {
        if let Self::List(list) = self {
            Some(list)
        } else {
            None
        }
    }

    /// Returns the value under a key of a map; `None` also for `Null`.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_map()?
            .get(key)
            .filter(|value| !matches!(value, Self::Null))
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match serde_json::to_string(self) {
            Ok(text) => f.write_str(&text),
            Err(_) => f.write_str("?"),
        }
    }
}

/// A value in a format that does not describe itself (postcard): the variant is written first.
#[derive(Deserialize)]
enum Wire {
    Null,
    Bool(bool),
    Number(f64),
    Text(Name),
    List(Vec<Value>),
    Map(Map),
}

/// Writes what [`Wire`] reads.
fn serialize_wire<S: Serializer>(value: &Value, serializer: S) -> Result<S::Ok, S::Error> {
    const NAME: &str = "Wire";
    match value {
        Value::Null => serializer.serialize_unit_variant(NAME, 0, "Null"),
        Value::Bool(value) => serializer.serialize_newtype_variant(NAME, 1, "Bool", value),
        Value::Number(number) => serializer.serialize_newtype_variant(NAME, 2, "Number", number),
        Value::Text(text) => serializer.serialize_newtype_variant(NAME, 3, "Text", text),
        Value::List(list) => serializer.serialize_newtype_variant(NAME, 4, "List", list),
        Value::Map(map) => serializer.serialize_newtype_variant(NAME, 5, "Map", &map.0),
    }
}

impl From<Wire> for Value {
    fn from(wire: Wire) -> Self {
        match wire {
            Wire::Null => Self::Null,
            Wire::Bool(value) => Self::Bool(value),
            Wire::Number(number) => Self::Number(number),
            Wire::Text(text) => Self::Text(text.0),
            Wire::List(list) => Self::List(list),
            Wire::Map(map) => Self::Map(map),
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return serialize_wire(self, serializer);
        }
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(number) => serialize_number(*number, serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(list) => {
                let mut seq = serializer.serialize_seq(Some(list.len()))?;
                for item in list {
                    seq.serialize_element(item)?;
                }
                seq.end()
            }
            Self::Map(map) => map.serialize(serializer),
        }
    }
}

impl Serialize for Map {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return self.0.serialize(serializer);
        }
        let mut out = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &*self.0 {
            out.serialize_entry(key.as_ref(), value)?;
        }
        out.end()
    }
}

/// Writes a whole number without a fraction, as the sender most likely wrote it.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the range is checked to fit"
)]
fn serialize_number<S: Serializer>(number: f64, serializer: S) -> Result<S::Ok, S::Error> {
    if number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0 {
        return serializer.serialize_i64(number as i64);
    }
    serializer.serialize_f64(number)
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return Wire::deserialize(deserializer).map(Self::from);
        }
        deserializer.deserialize_any(ValueVisitor)
    }
}

impl<'de> Deserialize<'de> for Map {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            let entries = Vec::<(Name, Value)>::deserialize(deserializer)?;
            return Ok(entries
                .into_iter()
                .map(|(key, value)| (key.0, value))
                .collect());
        }
        match Value::deserialize(deserializer)? {
            Value::Map(map) => Ok(map),
            Value::Null => Ok(Self::default()),
            Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) => {
                Err(serde::de::Error::custom("a JSON object is expected"))
            }
        }
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    #[expect(clippy::cast_precision_loss, reason = "one number type: double")]
    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "one number type: double")]
    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        // NaN and infinity are not JSON; a source that can say them means "no number".
        Ok(if number.is_finite() {
            Value::Number(number)
        } else {
            Value::Null
        })
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(name::shared(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = seq.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, value)) = map.next_entry::<Name, Value>()? {
            entries.push((key.0, value));
        }
        Ok(Value::Map(entries.into_iter().collect()))
    }
}
