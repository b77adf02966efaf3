//! Rows into tensors.

use std::borrow::Cow;
use std::sync::Arc;

use ort::memory::Allocator;
use ort::value::{DynTensor, PrimitiveTensorElementType, Tensor, TensorElementType};

use super::Cell;

/// One input of the file and the columns that fill it.
#[derive(Debug)]
pub(super) struct Feed {
    /// The type of its elements.
    pub element: Element,
    /// The columns, by place in a row.
    pub columns: std::ops::Range<usize>,
    /// Whether its shape is `[n]`, without a second dimension.
    pub flat: bool,
}

/// The types of elements that a row can be written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    Float,
    Double,
    Int32,
    Int64,
    Bool,
    Text,
}

impl Element {
    /// Returns the element type, if rows can be written to it.
    pub(super) fn of(element: TensorElementType) -> Option<Self> {
        let all = [
            Self::Float,
            Self::Double,
            Self::Int32,
            Self::Int64,
            Self::Bool,
            Self::Text,
        ];
        all.into_iter().find(|known| known.tensor() == element)
    }

    fn tensor(self) -> TensorElementType {
        match self {
            Self::Float => TensorElementType::Float32,
            Self::Double => TensorElementType::Float64,
            Self::Int32 => TensorElementType::Int32,
            Self::Int64 => TensorElementType::Int64,
            Self::Bool => TensorElementType::Bool,
            Self::Text => TensorElementType::String,
        }
    }

    /// Tells why a cell cannot be written, if so.
    pub(super) fn fault(self, cell: &Cell) -> Option<Cow<'static, str>> {
        match (self, cell) {
            (Self::Float | Self::Double, Cell::Number(_)) => None,
            (Self::Int32 | Self::Int64 | Self::Bool, Cell::Number(number)) if number.is_nan() => {
                Some("is unknown, and the model takes whole numbers only".into())
            }
            (Self::Int32 | Self::Int64, Cell::Number(number)) => (number.fract() != 0.0
                || number.abs() > self.whole_max())
            .then(|| format!("is {number}, and the model takes whole numbers only").into()),
            (Self::Bool, Cell::Number(number)) => (![0.0, 1.0].contains(number))
                .then(|| format!("is {number}, and the model takes 0 and 1 only").into()),
            (Self::Text, Cell::Text(text)) => text
                .contains('\0')
                .then_some("has a zero character in its text".into()),
            (Self::Text, Cell::Number(_)) => Some("is a number, and the model takes text".into()),
            (_, Cell::Text(_)) => Some("is text, and the model takes numbers".into()),
        }
    }

    /// The largest float below the end of the integer's range.
    fn whole_max(self) -> f32 {
        if self == Self::Int32 {
            2_147_483_500.0
        } else {
            9.223_371e18
        }
    }
}

impl Feed {
    /// Makes a tensor for a number of rows; text is made when it is filled.
    ///
    /// # Errors
    ///
    /// ONNX Runtime has no memory.
    pub(super) fn tensor(&self, n_rows: usize) -> ort::Result<DynTensor> {
        DynTensor::new(
            &Allocator::default(),
            self.element.tensor(),
            self.shape(n_rows),
        )
    }

    /// Writes rows into a tensor that was made for as many.
    ///
    /// # Errors
    ///
    /// ONNX Runtime has no memory. Cells must be without [`Element::fault`].
    pub(super) fn fill(&self, tensor: &mut DynTensor, rows: &[&[Cell]]) -> ort::Result<()> {
        match self.element {
            Element::Float => self.write(tensor, rows, |number| number),
            Element::Double => self.write(tensor, rows, f64::from),
            Element::Int32 => self.write(tensor, rows, whole_32),
            Element::Int64 => self.write(tensor, rows, whole_64),
            Element::Bool => self.write(tensor, rows, |number| number != 0.0),
            Element::Text => {
                let texts: Vec<Arc<str>> = self.cells(rows).map(text).collect();
                let filled = Tensor::from_string_array((self.shape(rows.len()), texts.as_slice()))?;
                *tensor = filled.upcast();
                Ok(())
            }
        }
    }

    fn write<T: PrimitiveTensorElementType>(
        &self,
        tensor: &mut DynTensor,
        rows: &[&[Cell]],
        convert: impl Fn(f32) -> T,
    ) -> ort::Result<()> {
        let (_, places) = tensor.try_extract_tensor_mut::<T>()?;
        for (place, cell) in places.iter_mut().zip(self.cells(rows)) {
            *place = convert(number(cell));
        }
        Ok(())
    }

    fn cells<'a>(&self, rows: &[&'a [Cell]]) -> impl Iterator<Item = &'a Cell> {
        let columns = self.columns.clone();
        rows.iter().flat_map(move |row| &row[columns.clone()])
    }

    fn shape(&self, n_rows: usize) -> Vec<usize> {
        if self.flat {
            vec![n_rows]
        } else {
            vec![n_rows, self.columns.len()]
        }
    }
}

/// Tells why a row cannot be fed, if so.
pub(super) fn fault(feeds: &[Feed], columns: &[Arc<str>], row: &[Cell]) -> Option<Arc<str>> {
    if row.len() != columns.len() {
        return Some(
            format!(
                "the row has {} cells, the model {} columns",
                row.len(),
                columns.len()
            )
            .into(),
        );
    }
    feeds.iter().find_map(|feed| {
        feed.columns.clone().find_map(|idx| {
            let why = feed.element.fault(&row[idx])?;
            Some(format!("column `{}` {why}", columns[idx]).into())
        })
    })
}

pub(super) fn number(cell: &Cell) -> f32 {
    match cell {
        Cell::Number(number) => *number,
        Cell::Text(_) => f32::NAN,
    }
}

fn text(cell: &Cell) -> Arc<str> {
    match cell {
        Cell::Number(_) => "".into(),
        Cell::Text(text) => text.clone(),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "`fault` let only whole numbers in range through"
)]
fn whole_32(number: f32) -> i32 {
    number as i32
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "`fault` let only whole numbers in range through"
)]
fn whole_64(number: f32) -> i64 {
    number as i64
}
