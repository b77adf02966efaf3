//! What a file takes and gives, against what its manifest says.

use std::fmt::Write as _;

use ort::value::{Outlet, TensorElementType, ValueType};

use super::output::{Form, Output};
use super::rows::{Element, Feed};
use super::{InputSpec, Kind, Spec};

/// How rows enter a file and how scores leave it.
#[derive(Debug)]
pub(super) struct Signature {
    /// One for each input of the file, in its order.
    pub feeds: Vec<Feed>,
    /// The output with the score.
    pub output: Output,
    /// Whether the file was exported for exactly one row.
    pub one_row: bool,
}

impl Signature {
    /// Fits a file's inputs and outputs to a manifest, or tells in words why they do not.
    pub(super) fn fit(inputs: &[Outlet], outputs: &[Outlet], spec: &Spec) -> Result<Self, String> {
        let shapes = inputs
            .iter()
            .map(Input::read)
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            one_row: shapes.iter().any(|input| input.one_row),
            feeds: feeds(inputs, &shapes, &spec.inputs)?,
            output: output(outputs, spec)?,
        })
    }
}

/// One input of the file.
struct Input {
    element: Element,
    /// How many columns it takes; `None` when the file does not say.
    width: Option<usize>,
    flat: bool,
    one_row: bool,
}

impl Input {
    fn read(outlet: &Outlet) -> Result<Self, String> {
        let ValueType::Tensor { ty, shape, .. } = outlet.dtype() else {
            return Err(format!("input {} is no tensor", describe(outlet)));
        };
        let Some(element) = Element::of(*ty) else {
            return Err(format!(
                "input {} has elements of a type that rows cannot fill; use float, double, int32, int64, bool or string",
                describe(outlet)
            ));
        };
        let (width, flat) = match **shape {
            // A file that is silent about the shape is taken for one that means a table.
            [] => (None, false),
            [_] => (Some(1), true),
            [_, width] => (usize::try_from(width).ok(), false),
            _ => return Err(format!("input {} is no table of rows", describe(outlet))),
        };
        match shape.first() {
            None | Some(-1 | 1) => {}
            Some(_) => {
                return Err(format!(
                    "input {} has a fixed number of rows; export it as [n, columns] with a dynamic n",
                    describe(outlet)
                ));
            }
        }
        Ok(Self {
            element,
            width,
            flat,
            one_row: shape.first() == Some(&1),
        })
    }
}

/// Gives every input of the file its columns.
fn feeds(outlets: &[Outlet], inputs: &[Input], columns: &[InputSpec]) -> Result<Vec<Feed>, String> {
    let places = places(outlets, inputs, columns)?;
    let mut feeds = Vec::with_capacity(inputs.len());
    for ((outlet, input), place) in outlets.iter().zip(inputs).zip(places) {
        let kind = if input.element == Element::Text {
            Kind::Text
        } else {
            Kind::Number
        };
        if let Some(column) = columns[place.clone()]
            .iter()
            .find(|column| column.kind != kind)
        {
            return Err(format!(
                "column `{}` holds {}, but input {} takes {}",
                column.column,
                word(column.kind),
                describe(outlet),
                word(kind),
            ));
        }
        feeds.push(Feed {
            element: input.element,
            columns: place,
            flat: input.flat,
        });
    }
    Ok(feeds)
}

/// Finds the columns of every input: by name where each takes one, else one after the other.
fn places(
    outlets: &[Outlet],
    inputs: &[Input],
    columns: &[InputSpec],
) -> Result<Vec<std::ops::Range<usize>>, String> {
    let by_name = outlets
        .iter()
        .map(|outlet| place_of(outlet, columns))
        .collect::<Vec<_>>();
    let single = inputs
        .iter()
        .all(|input| input.width.is_none_or(|width| width == 1));
    if outlets.len() > 1 && outlets.len() == columns.len() && single {
        if by_name.iter().all(Option::is_some) {
            return Ok(by_name
                .into_iter()
                .flatten()
                .map(|idx| idx..idx + 1)
                .collect());
        }
        if by_name.iter().any(Option::is_some) {
            return Err(half_named(outlets, &by_name, columns));
        }
    }
    let silent = if let [_] = inputs { columns.len() } else { 1 };
    let mut places = Vec::with_capacity(inputs.len());
    let mut start = 0;
    for input in inputs {
        let end = start + input.width.unwrap_or(silent);
        places.push(start..end);
        start = end;
    }
    if start != columns.len() || columns.is_empty() {
        return Err(format!(
            "the file takes {start} columns ({}), the manifest has {}",
            list(outlets),
            columns.len()
        ));
    }
    Ok(places)
}

fn place_of(outlet: &Outlet, columns: &[InputSpec]) -> Option<usize> {
    columns
        .iter()
        .position(|column| *column.column == *outlet.name())
}

fn half_named(outlets: &[Outlet], by_name: &[Option<usize>], columns: &[InputSpec]) -> String {
    let strangers = outlets
        .iter()
        .zip(by_name)
        .filter(|(_, place)| place.is_none());
    let strangers: Vec<_> = strangers
        .map(|(outlet, _)| format!("`{}`", outlet.name()))
        .collect();
    let idle = (0..columns.len()).filter(|idx| !by_name.contains(&Some(*idx)));
    let idle: Vec<_> = idle
        .map(|idx| format!("`{}`", columns[idx].column))
        .collect();
    format!(
        "the file takes {}, which the manifest has no columns for; its columns {} fit no input (names are case-sensitive)",
        strangers.join(", "),
        idle.join(", ")
    )
}

/// Finds the output with the score.
fn output(outlets: &[Outlet], spec: &Spec) -> Result<Output, String> {
    let outlet = match &spec.output.name {
        Some(name) => outlets
            .iter()
            .find(|outlet| outlet.name() == &**name)
            .ok_or_else(|| format!("the file has no output `{name}`; it has {}", list(outlets)))?,
        None => only_float(outlets)?,
    };
    let Some(form) = form(outlet.dtype()) else {
        return Err(not_a_score(outlet));
    };
    Ok(Output {
        name: outlet.name().to_owned(),
        form,
        class: spec.output.class,
    })
}

fn not_a_score(outlet: &Outlet) -> String {
    let hint = match outlet.dtype() {
        ValueType::Tensor { .. } => "",
        ValueType::Sequence(_) | ValueType::Map { .. } | ValueType::Optional(_) => {
            "; export it without ZipMap: `zipmap: False` among the options of skl2onnx, `zipmap=False` in onnxmltools"
        }
    };
    format!(
        "output {} is no score: it must be float or double{hint}",
        describe(outlet)
    )
}

fn only_float(outlets: &[Outlet]) -> Result<&Outlet, String> {
    let mut floats = outlets
        .iter()
        .filter(|outlet| form(outlet.dtype()).is_some());
    match (floats.next(), floats.next()) {
        (Some(outlet), None) => Ok(outlet),
        (None, _) => Err(format!(
            "the file has no float output; it has {}",
            list(outlets)
        )),
        (Some(_), Some(_)) => Err(format!(
            "the file has several float outputs: {}; name the one that is the score",
            list(outlets)
        )),
    }
}

fn form(dtype: &ValueType) -> Option<Form> {
    match dtype {
        ValueType::Tensor {
            ty: TensorElementType::Float32,
            ..
        } => Some(Form::Float),
        ValueType::Tensor {
            ty: TensorElementType::Float64,
            ..
        } => Some(Form::Double),
        ValueType::Sequence(inner) => match **inner {
            ValueType::Map {
                key: TensorElementType::Int64,
                value: TensorElementType::Float32,
            } => Some(Form::NumberedMaps),
            ValueType::Map {
                key: TensorElementType::String,
                value: TensorElementType::Float32,
            } => Some(Form::NamedMaps),
            ValueType::Map { .. }
            | ValueType::Tensor { .. }
            | ValueType::Sequence(_)
            | ValueType::Optional(_) => None,
        },
        ValueType::Tensor { .. } | ValueType::Map { .. } | ValueType::Optional(_) => None,
    }
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Number => "numbers",
        Kind::Text => "text",
    }
}

fn list(outlets: &[Outlet]) -> String {
    let all: Vec<_> = outlets.iter().map(describe).collect();
    all.join(", ")
}

/// Returns a name, type and shape as ONNX writes them, such as `` `features` float[n, 17] ``.
fn describe(outlet: &Outlet) -> String {
    format!("`{}` {}", outlet.name(), type_name(outlet.dtype()))
}

/// Returns a type and shape as ONNX writes them, such as `float[n, 17]`.
pub(super) fn type_name(dtype: &ValueType) -> String {
    match dtype {
        ValueType::Tensor { ty, shape, .. } => {
            let mut text = element_name(*ty);
            let dims: Vec<_> = shape.iter().map(|dim| dim_name(*dim)).collect();
            let _ = write!(text, "[{}]", dims.join(", "));
            text
        }
        ValueType::Sequence(inner) => format!("sequence of {}", type_name(inner)),
        ValueType::Map { key, value } => {
            format!("map of {} to {}", element_name(*key), element_name(*value))
        }
        ValueType::Optional(inner) => format!("optional {}", type_name(inner)),
    }
}

fn element_name(element: TensorElementType) -> String {
    const NAMES: [(TensorElementType, &str); 6] = [
        (TensorElementType::Float32, "float"),
        (TensorElementType::Float64, "double"),
        (TensorElementType::Int32, "int32"),
        (TensorElementType::Int64, "int64"),
        (TensorElementType::Float16, "float16"),
        (TensorElementType::String, "string"),
    ];
    let known = NAMES.iter().find(|(known, _)| *known == element);
    known.map_or_else(|| element.to_string(), |(_, name)| (*name).to_owned())
}

fn dim_name(dim: i64) -> String {
    if dim < 0 {
        "n".to_owned()
    } else {
        dim.to_string()
    }
}
