//! Tables as files: Parquet, CSV, or one JSON object a line, a row in memory at a time.
//!
//! A file appears under its name when it is whole: before, and after an interruption, nothing does.

mod lines;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(test)]
mod tests;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use anyhow::Context;

use crate::domain::Timestamp;

/// How a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Columns for data frames and warehouses: typed, compressed.
    Parquet,
    /// Text with a header; what is not known is an empty field.
    Csv,
    /// One JSON object a line; what is not known is `null`.
    Jsonl,
}

impl Format {
    /// Returns the form that the end of a file's name asks for.
    ///
    /// # Errors
    ///
    /// It asks for none.
    pub fn of(path: &Path) -> anyhow::Result<Self> {
        match path.extension().and_then(OsStr::to_str) {
            Some("parquet") => Ok(Self::Parquet),
            Some("csv") => Ok(Self::Csv),
            Some("jsonl" | "ndjson") => Ok(Self::Jsonl),
            Some(_) | None => anyhow::bail!(
                "`{}` ends neither in .parquet nor in .csv nor in .jsonl",
                path.display()
            ),
        }
    }
}

impl FromStr for Format {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        clap::ValueEnum::from_str(text, false)
    }
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// A JSON value as text; an object in a line of JSON.
    Json,
    /// A double.
    Double,
    /// A 32-bit float: an input of a model.
    Single,
    /// A whole number.
    Whole,
    /// True or false.
    Bool,
    /// A time, in milliseconds.
    Time,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
}

impl Column {
    /// Names a column.
    pub fn new(name: impl Into<String>, kind: Kind) -> Self {
        Self {
            name: name.into(),
            kind,
        }
    }
}

/// A value of a row; of its column's kind.
#[derive(Clone, Debug, PartialEq)]
pub enum Field {
    /// Not known.
    Null,
    /// Text, or JSON as text.
    Text(Arc<str>),
    /// A double.
    Double(f64),
    /// A 32-bit float; NaN is not known.
    Single(f32),
    /// A whole number.
    Whole(i64),
    /// True or false.
    Bool(bool),
    /// A time.
    Time(Timestamp),
}

impl Field {
    fn is_known(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Double(number) => !number.is_nan(),
            Self::Single(number) => !number.is_nan(),
            Self::Text(_) | Self::Whole(_) | Self::Bool(_) | Self::Time(_) => true,
        }
    }

    fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self {
            return Some(text);
        }
        None
    }

    fn double(&self) -> Option<f64> {
        if let Self::Double(number) = self {
            return Some(*number);
        }
        None
    }

    fn single(&self) -> Option<f32> {
        if let Self::Single(number) = self {
            return Some(*number);
        }
        None
    }

    fn truth(&self) -> Option<bool> {
        if let Self::Bool(yes) = self {
            return Some(*yes);
        }
        None
    }

    fn whole(&self) -> Option<i64> {
        match self {
            Self::Whole(number) => Some(*number),
            Self::Time(at) => Some(at.as_millis()),
            Self::Null | Self::Text(_) | Self::Double(_) | Self::Single(_) | Self::Bool(_) => None,
        }
    }
}

/// A table that is being written.
pub struct Sheet {
    to: To,
    place: Option<Place>,
    n_rows: u64,
}

/// A file that is not whole yet; when it is dropped before, it is removed.
struct Place {
    /// Its name of the time being.
    part: PathBuf,
    /// Its own.
    path: PathBuf,
    is_whole: bool,
}

enum To {
    Csv(lines::Csv),
    Jsonl(lines::Jsonl),
    #[cfg(feature = "parquet")]
    Parquet(Box<parquet::Parquet>),
}

/// Where bytes go.
type Out = BufWriter<Box<dyn Write + Send>>;

impl Sheet {
    /// Starts a table, in a file, or on standard output without one.
    ///
    /// # Errors
    ///
    /// The file cannot be written, or Parquet is asked for on standard output, or of a build without it.
    pub fn create(
        path: Option<&Path>,
        format: Format,
        columns: Vec<Column>,
    ) -> anyhow::Result<Self> {
        let Some(path) = path else {
            anyhow::ensure!(
                format != Format::Parquet,
                "Parquet is written to a file: add `--out FILE`"
            );
            let out = BufWriter::new(Box::new(io::stdout()) as Box<dyn Write + Send>);
            return Ok(Self {
                to: To::new(out, format, columns)?,
                place: None,
                n_rows: 0,
            });
        };
        let (place, file) = Place::create(path)?;
        let out = BufWriter::new(Box::new(file) as Box<dyn Write + Send>);
        Ok(Self {
            to: To::new(out, format, columns)?,
            place: Some(place),
            n_rows: 0,
        })
    }

    /// Writes a row, one field a column.
    ///
    /// # Errors
    ///
    /// The writer fails.
    pub fn row(&mut self, row: &[Field]) -> anyhow::Result<()> {
        self.n_rows += 1;
        let written = match &mut self.to {
            To::Csv(csv) => csv.row(row).map_err(anyhow::Error::from),
            To::Jsonl(lines) => lines.row(row).map_err(anyhow::Error::from),
            #[cfg(feature = "parquet")]
            To::Parquet(parquet) => parquet.row(row),
        };
        written.context("cannot write a row")
    }

    /// Returns how many rows were written.
    pub fn n_rows(&self) -> u64 {
        self.n_rows
    }

    /// Ends the table and gives the file its name.
    ///
    /// # Errors
    ///
    /// The writer fails, or the file cannot be moved.
    pub fn end(mut self) -> anyhow::Result<u64> {
        match &mut self.to {
            To::Csv(csv) => csv.end()?,
            To::Jsonl(lines) => lines.end()?,
            #[cfg(feature = "parquet")]
            To::Parquet(parquet) => parquet.end()?,
        }
        if let Some(place) = &mut self.place {
            place.publish()?;
        }
        Ok(self.n_rows)
    }
}

impl Place {
    fn create(path: &Path) -> anyhow::Result<(Self, File)> {
        anyhow::ensure!(!path.is_dir(), "`{}` is a folder", path.display());
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let part = path.with_file_name(name);
        let file =
            File::create(&part).with_context(|| format!("cannot write `{}`", part.display()))?;
        let place = Self {
            part,
            path: path.to_owned(),
            is_whole: false,
        };
        Ok((place, file))
    }

    fn publish(&mut self) -> anyhow::Result<()> {
        let failed = || format!("cannot write `{}`", self.path.display());
        fs::rename(&self.part, &self.path).with_context(failed)?;
        self.is_whole = true;
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.is_whole {
            // Nobody is left to tell.
            let _left = fs::remove_file(&self.part);
        }
    }
}

impl To {
    fn new(out: Out, format: Format, columns: Vec<Column>) -> anyhow::Result<Self> {
        Ok(match format {
            Format::Csv => Self::Csv(lines::Csv::new(out, &columns)?),
            Format::Jsonl => Self::Jsonl(lines::Jsonl::new(out, columns)),
            #[cfg(feature = "parquet")]
            Format::Parquet => Self::Parquet(Box::new(parquet::Parquet::new(out, columns)?)),
            #[cfg(not(feature = "parquet"))]
            Format::Parquet => {
                anyhow::bail!("this build writes no Parquet (feature `parquet`): use csv or jsonl")
            }
        })
    }
}
