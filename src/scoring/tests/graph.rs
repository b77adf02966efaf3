//! Writes small ONNX files, so that a hazard stands next to its test.

/// `TensorProto.DataType`.
pub const FLOAT: u64 = 1;
pub const INT32: u64 = 6;
pub const INT64: u64 = 7;
pub const STRING: u64 = 8;
pub const BOOL: u64 = 9;
pub const FLOAT16: u64 = 10;
pub const DOUBLE: u64 = 11;

/// A graph; -1 is a free dimension.
#[derive(Default)]
pub struct Graph {
    /// Fields of `GraphProto`, encoded.
    fields: Vec<u8>,
    elements: Vec<(String, u64, Vec<i64>)>,
    has_trees: bool,
}

impl Graph {
    pub fn new() -> Self {
        let mut graph = Self::default();
        bytes(&mut graph.fields, 2, b"graph");
        graph
    }

    pub fn input(mut self, name: &str, element: u64, dims: &[i64]) -> Self {
        bytes(&mut self.fields, 11, &value_info(name, element, dims));
        self.elements
            .push((name.to_owned(), element, dims.to_vec()));
        self
    }

    pub fn output(mut self, name: &str, element: u64, dims: &[i64]) -> Self {
        bytes(&mut self.fields, 12, &value_info(name, element, dims));
        self
    }

    pub fn node(mut self, op: &str, inputs: &[&str], output: &str) -> Self {
        let mut node = Vec::new();
        for input in inputs {
            bytes(&mut node, 1, input.as_bytes());
        }
        bytes(&mut node, 2, output.as_bytes());
        bytes(&mut node, 4, op.as_bytes());
        match op {
            "ArgMax" | "Concat" => bytes(&mut node, 5, &attribute("axis", 1)),
            "Cast" => bytes(&mut node, 5, &attribute("to", FLOAT)),
            _ => {}
        }
        bytes(&mut self.fields, 1, &node);
        self
    }

    /// Adds an operator of `ai.onnx.ml` with attributes; its last output is the one that counts.
    pub fn trees(
        mut self,
        op: &str,
        input: &str,
        outputs: &[&str],
        attributes: &[Vec<u8>],
    ) -> Self {
        let mut node = Vec::new();
        bytes(&mut node, 1, input.as_bytes());
        for output in outputs {
            bytes(&mut node, 2, output.as_bytes());
        }
        bytes(&mut node, 4, op.as_bytes());
        for attribute in attributes {
            bytes(&mut node, 5, attribute);
        }
        bytes(&mut node, 7, b"ai.onnx.ml");
        bytes(&mut self.fields, 1, &node);
        self.has_trees = true;
        self
    }

    /// Adds constants of shape `[n]`.
    pub fn weights(mut self, name: &str, weights: &[f32]) -> Self {
        let mut tensor = Vec::new();
        number(&mut tensor, 1, weights.len() as u64);
        number(&mut tensor, 2, FLOAT);
        bytes(&mut tensor, 8, name.as_bytes());
        let raw: Vec<u8> = weights
            .iter()
            .flat_map(|weight| weight.to_le_bytes())
            .collect();
        bytes(&mut tensor, 9, &raw);
        bytes(&mut self.fields, 5, &tensor);
        self
    }

    /// Gives an input back as the output `same`.
    pub fn identity(self, input: &str) -> Self {
        let (element, dims) = self.declared(input);
        self.node("Identity", &[input], "same")
            .output("same", element, &dims)
    }

    /// Adds two inputs up to the output `total`.
    pub fn add(self, left: &str, right: &str) -> Self {
        let (element, dims) = self.declared(left);
        self.node("Add", &[left, right], "total")
            .output("total", element, &dims)
    }

    /// Gives 1 for each text, whatever it is.
    pub fn length(self, input: &str) -> Self {
        let graph = self.node("Equal", &[input, input], "equal");
        graph
            .node("Cast", &["equal"], "one")
            .output("one", FLOAT, &[-1, 1])
    }

    /// Returns the file.
    pub fn bytes(&self) -> Vec<u8> {
        let mut model = Vec::new();
        number(&mut model, 1, 8); // ir_version
        bytes(&mut model, 7, &self.fields);
        let mut opset = Vec::new();
        number(&mut opset, 2, 19);
        bytes(&mut model, 8, &opset);
        if self.has_trees {
            let mut trees = Vec::new();
            bytes(&mut trees, 1, b"ai.onnx.ml");
            number(&mut trees, 2, 3);
            bytes(&mut model, 8, &trees);
        }
        model
    }

    fn declared(&self, name: &str) -> (u64, Vec<i64>) {
        let (_, element, dims) = self
            .elements
            .iter()
            .find(|(known, ..)| known == name)
            .unwrap();
        (*element, dims.clone())
    }
}

fn value_info(name: &str, element: u64, dims: &[i64]) -> Vec<u8> {
    let mut shape = Vec::new();
    for dim in dims {
        let mut dimension = Vec::new();
        match u64::try_from(*dim) {
            Ok(dim) => number(&mut dimension, 1, dim),
            Err(_) => bytes(&mut dimension, 2, b""),
        }
        bytes(&mut shape, 1, &dimension);
    }
    let mut tensor = Vec::new();
    number(&mut tensor, 1, element);
    bytes(&mut tensor, 2, &shape);
    let mut dtype = Vec::new();
    bytes(&mut dtype, 1, &tensor);
    let mut info = Vec::new();
    bytes(&mut info, 1, name.as_bytes());
    bytes(&mut info, 2, &dtype);
    info
}

/// Returns an attribute of whole numbers.
pub fn ints(name: &str, of: impl IntoIterator<Item = u64>) -> Vec<u8> {
    let mut packed = Vec::new();
    of.into_iter().for_each(|of| varint(&mut packed, of));
    listed(name, 7, 8, &[&packed])
}

/// Returns an attribute of floats.
pub fn floats(name: &str, of: impl IntoIterator<Item = f32>) -> Vec<u8> {
    let packed: Vec<u8> = of.into_iter().flat_map(f32::to_le_bytes).collect();
    listed(name, 6, 7, &[&packed])
}

/// Returns an attribute of texts.
pub fn texts<'a>(name: &str, of: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
    let of: Vec<&[u8]> = of.into_iter().map(str::as_bytes).collect();
    listed(name, 8, 9, &of)
}

/// Returns an attribute that is a text.
pub fn text(name: &str, of: &str) -> Vec<u8> {
    listed(name, 3, 4, &[of.as_bytes()])
}

fn listed(name: &str, kind: u64, field: u64, values: &[&[u8]]) -> Vec<u8> {
    let mut attribute = Vec::new();
    bytes(&mut attribute, 1, name.as_bytes());
    for value in values {
        bytes(&mut attribute, field, value);
    }
    number(&mut attribute, 20, kind);
    attribute
}

fn attribute(name: &str, value: u64) -> Vec<u8> {
    const INT: u64 = 2;
    let mut attribute = Vec::new();
    bytes(&mut attribute, 1, name.as_bytes());
    number(&mut attribute, 3, value);
    number(&mut attribute, 20, INT);
    attribute
}

/// Writes a field of bytes, or of a message.
fn bytes(to: &mut Vec<u8>, field: u64, value: &[u8]) {
    varint(to, field << 3 | 2);
    varint(to, value.len() as u64);
    to.extend_from_slice(value);
}

/// Writes a field of a whole number.
fn number(to: &mut Vec<u8>, field: u64, value: u64) {
    varint(to, field << 3);
    varint(to, value);
}

fn varint(to: &mut Vec<u8>, mut value: u64) {
    while value > 127 {
        to.push(value.to_le_bytes()[0] | 128);
        value >>= 7;
    }
    to.push(value.to_le_bytes()[0]);
}
