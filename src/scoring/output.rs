//! Tensors into scores.

use ort::value::{DynMapValueType, DynSequenceValueType, DynValue};

use super::error::said;

/// The output of a file that has the score.
#[derive(Debug)]
pub(super) struct Output {
    /// Its name in the file.
    pub name: String,
    /// How the scores lie in it.
    pub form: Form,
    /// The column, when there are several.
    pub class: Option<usize>,
}

/// How scores lie in an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A tensor of floats: `[n]`, `[n, 1]` or `[n, n_classes]`.
    Float,
    /// The same of doubles.
    Double,
    /// `ZipMap`: a map from class number to probability for each row.
    NumberedMaps,
    /// `ZipMap` with text classes.
    NamedMaps,
}

impl Output {
    /// Reads one score for each row, or tells in words why the output has none.
    ///
    /// What counts is the shape that came out: files declare wrong ones.
    pub(super) fn read(&self, value: &DynValue, scores: &mut [f64]) -> Result<(), String> {
        match self.form {
            Form::Float => {
                let (shape, data) = value
                    .try_extract_tensor::<f32>()
                    .map_err(|error| said(&error))?;
                self.pick(shape, data, scores)
            }
            Form::Double => {
                let (shape, data) = value
                    .try_extract_tensor::<f64>()
                    .map_err(|error| said(&error))?;
                self.pick(shape, data, scores)
            }
            Form::NumberedMaps => {
                self.unzip(scores, maps::<i64>(value).map_err(|error| said(&error))?)
            }
            Form::NamedMaps => {
                self.unzip(scores, maps::<String>(value).map_err(|error| said(&error))?)
            }
        }
    }

    fn pick<T: Copy + Into<f64>>(
        &self,
        shape: &[i64],
        data: &[T],
        scores: &mut [f64],
    ) -> Result<(), String> {
        let n_rows = scores.len();
        let n_said = shape
            .first()
            .map_or(1, |rows| usize::try_from(*rows).unwrap_or(0));
        if n_said != n_rows {
            return Err(format!(
                "output `{}` has shape {shape:?} for {n_rows} rows",
                self.name
            ));
        }
        let width = data.len() / n_rows;
        let column = self.column(width)?;
        for (score, row) in scores.iter_mut().zip(data.chunks_exact(width)) {
            *score = row[column].into();
        }
        Ok(())
    }

    /// The exporters write the classes of a table in the order of their keys; so do maps here.
    fn unzip<K: Ord>(&self, scores: &mut [f64], rows: Vec<Vec<(K, f32)>>) -> Result<(), String> {
        if rows.len() != scores.len() {
            return Err(format!(
                "output `{}` has {} maps for {} rows",
                self.name,
                rows.len(),
                scores.len()
            ));
        }
        for (score, mut classes) in scores.iter_mut().zip(rows) {
            classes.sort_by(|a, b| a.0.cmp(&b.0));
            *score = f64::from(classes[self.column(classes.len())?].1);
        }
        Ok(())
    }

    fn column(&self, width: usize) -> Result<usize, String> {
        match self.class {
            Some(class) if class < width => Ok(class),
            None if width == 1 => Ok(0),
            Some(class) => Err(format!(
                "the manifest takes class {class} of output `{}`, which has {width} classes, counted from 0",
                self.name
            )),
            None => Err(format!(
                "output `{}` has {width} classes; say with `class` which is the score",
                self.name
            )),
        }
    }
}

type Maps<K> = Vec<Vec<(K, f32)>>;

fn maps<K>(value: &DynValue) -> ort::Result<Maps<K>>
where
    K: ort::value::IntoTensorElementType + Clone + std::hash::Hash + Eq,
{
    let sequence = value.view().downcast::<DynSequenceValueType>()?;
    let maps = sequence.try_extract_sequence::<DynMapValueType>()?;
    maps.iter()
        .map(ort::value::Value::try_extract_key_values)
        .collect()
}
