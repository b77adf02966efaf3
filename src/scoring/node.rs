//! One operator of an ONNX graph: what it takes and gives, and its attributes.

use std::collections::BTreeMap;

use super::proto::{Content, Fields};

/// `NodeProto` and `AttributeProto` of `onnx.proto`.
const NODE_INPUT: u64 = 1;
const NODE_OUTPUT: u64 = 2;
const NODE_OPERATOR: u64 = 4;
const NODE_ATTRIBUTE: u64 = 5;
const NODE_DOMAIN: u64 = 7;
const ATTRIBUTE_NAME: u64 = 1;
const ATTRIBUTE_INT: u64 = 3;
const ATTRIBUTE_TEXT: u64 = 4;
const ATTRIBUTE_TENSOR: u64 = 5;
const ATTRIBUTE_FLOATS: u64 = 7;
const ATTRIBUTE_INTS: u64 = 8;
const ATTRIBUTE_STRINGS: u64 = 9;

/// An operator; what is broken in it is left out.
pub(super) struct Node<'a> {
    message: &'a [u8],
    attributes: BTreeMap<&'a [u8], &'a [u8]>,
}

impl<'a> Node<'a> {
    /// Reads a message.
    pub(super) fn read(message: &'a [u8]) -> Self {
        let attributes = Fields(message).messages(NODE_ATTRIBUTE);
        Self {
            message,
            attributes: attributes
                .map(|attribute| (first(attribute, ATTRIBUTE_NAME), attribute))
                .collect(),
        }
    }

    /// Returns the name of the operator.
    pub(super) fn operator(&self) -> &'a [u8] {
        first(self.message, NODE_OPERATOR)
    }

    /// Returns where the operator is defined; nothing is `ai.onnx`.
    pub(super) fn domain(&self) -> &'a [u8] {
        first(self.message, NODE_DOMAIN)
    }

    /// Returns the names of what it takes.
    pub(super) fn inputs(&self) -> Vec<&'a [u8]> {
        Fields(self.message).messages(NODE_INPUT).collect()
    }

    /// Returns the names of what it gives.
    pub(super) fn outputs(&self) -> Vec<&'a [u8]> {
        Fields(self.message).messages(NODE_OUTPUT).collect()
    }

    /// Tells if it has an attribute.
    pub(super) fn has(&self, name: &str) -> bool {
        self.of(name).is_some()
    }

    /// Returns the floats of an attribute, none if it is not there.
    pub(super) fn floats(&self, name: &str) -> Vec<f32> {
        self.of(name).map(floats).unwrap_or_default()
    }

    /// Returns the whole numbers of an attribute, none if it is not there.
    pub(super) fn wholes(&self, name: &str) -> Vec<u64> {
        self.of(name).map(wholes).unwrap_or_default()
    }

    /// Returns the texts of an attribute, none if it is not there.
    pub(super) fn texts(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        let attribute = self.of(name);
        let texts = attribute.map(|attribute| Fields(attribute).messages(ATTRIBUTE_STRINGS));
        texts.into_iter().flatten()
    }

    /// Returns the one text of an attribute.
    pub(super) fn text(&self, name: &str) -> Option<&'a [u8]> {
        self.of(name)
            .map(|attribute| first(attribute, ATTRIBUTE_TEXT))
    }

    /// Returns the one whole number of an attribute.
    pub(super) fn whole(&self, name: &str) -> Option<u64> {
        Fields(self.of(name)?).find_map(|field| match field {
            (ATTRIBUTE_INT, Content::Number(number)) => Some(number),
            (_, Content::Number(_) | Content::Bytes(_) | Content::Float(_)) => None,
        })
    }

    /// Returns the tensor of an attribute.
    pub(super) fn tensor(&self, name: &str) -> Option<&'a [u8]> {
        let mut tensors = Fields(self.of(name)?).messages(ATTRIBUTE_TENSOR);
        tensors.next()
    }

    fn of(&self, name: &str) -> Option<&'a [u8]> {
        self.attributes.get(name.as_bytes()).copied()
    }
}

/// Returns the first content of a field, nothing if there is none.
fn first(message: &[u8], field: u64) -> &[u8] {
    Fields(message).messages(field).next().unwrap_or_default()
}

/// Reads floats, one a field or packed.
fn floats(attribute: &[u8]) -> Vec<f32> {
    let mut floats = Vec::new();
    for (field, content) in Fields(attribute) {
        match content {
            Content::Float(float) if field == ATTRIBUTE_FLOATS => floats.push(float),
            Content::Bytes(packed) if field == ATTRIBUTE_FLOATS => {
                let (parts, _) = packed.as_chunks::<4>();
                floats.extend(parts.iter().map(|bytes| f32::from_le_bytes(*bytes)));
            }
            Content::Float(_) | Content::Bytes(_) | Content::Number(_) => {}
        }
    }
    floats
}

/// Reads whole numbers, one a field or packed.
fn wholes(attribute: &[u8]) -> Vec<u64> {
    let mut wholes = Vec::new();
    for (field, content) in Fields(attribute) {
        match content {
            Content::Number(number) if field == ATTRIBUTE_INTS => wholes.push(number),
            Content::Bytes(packed) if field == ATTRIBUTE_INTS => {
                let mut packed = Fields(packed);
                wholes.extend(std::iter::from_fn(|| packed.varint()));
            }
            Content::Float(_) | Content::Bytes(_) | Content::Number(_) => {}
        }
    }
    wholes
}
