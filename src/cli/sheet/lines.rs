//! Tables as text: CSV, and one JSON object a line.

use std::io::{self, Write};

use crate::cli::csv;
use crate::cli::sheet::{Column, Field, Kind, Out};

/// CSV with a header.
pub struct Csv {
    out: Out,
    line: String,
}

impl Csv {
    /// Writes the header.
    ///
    /// # Errors
    ///
    /// The writer fails.
    pub fn new(out: Out, columns: &[Column]) -> io::Result<Self> {
        let mut csv = Self {
            out,
            line: String::new(),
        };
        let names = columns.iter().map(|column| column.name.as_str());
        csv.write(names)?;
        Ok(csv)
    }

    /// Writes a row.
    ///
    /// # Errors
    ///
    /// The writer fails.
    pub fn row(&mut self, row: &[Field]) -> io::Result<()> {
        let texts: Vec<String> = row.iter().map(text).collect();
        self.write(texts.iter().map(String::as_str))
    }

    fn write<'a>(&mut self, fields: impl Iterator<Item = &'a str>) -> io::Result<()> {
        self.line.clear();
        for (idx, field) in fields.enumerate() {
            if idx > 0 {
                self.line.push(',');
            }
            csv::push(&mut self.line, field);
        }
        self.line.push('\n');
        self.out.write_all(self.line.as_bytes())
    }

    /// Writes what is left.
    ///
    /// # Errors
    ///
    /// The writer fails.
    pub fn end(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Returns the shortest text that reads back as the value.
fn text(field: &Field) -> String {
    match field {
        field if !field.is_known() => String::new(),
        Field::Null => String::new(),
        Field::Text(text) => text.to_string(),
        Field::Double(number) => number.to_string(),
        Field::Single(number) => number.to_string(),
        Field::Whole(number) => number.to_string(),
        Field::Bool(yes) => u8::from(*yes).to_string(),
        Field::Time(at) => at.to_string(),
    }
}

/// One JSON object a line. A single column without a name is the whole line.
pub struct Jsonl {
    out: Out,
    columns: Vec<Column>,
}

impl Jsonl {
    /// Starts.
    pub fn new(out: Out, columns: Vec<Column>) -> Self {
        Self { out, columns }
    }

    /// Writes a row.
    ///
    /// # Errors
    ///
    /// The writer fails.
    pub fn row(&mut self, row: &[Field]) -> io::Result<()> {
        if let ([column], [Field::Text(text)]) = (&self.columns[..], row)
            && column.name.is_empty()
        {
            self.out.write_all(text.as_bytes())?;
            return self.out.write_all(b"\n");
        }
        self.out.write_all(b"{")?;
        for (idx, (column, field)) in self.columns.iter().zip(row).enumerate() {
            if idx > 0 {
                self.out.write_all(b",")?;
            }
            serde_json::to_writer(&mut self.out, &column.name)?;
            self.out.write_all(b":")?;
            field_to(&mut self.out, column.kind, field)?;
        }
        self.out.write_all(b"}\n")
    }

    /// Writes what is left.
    ///
    /// # Errors
    ///
    /// The writer fails.
    pub fn end(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn field_to(out: &mut Out, kind: Kind, field: &Field) -> io::Result<()> {
    match field {
        Field::Null => out.write_all(b"null"),
        Field::Text(text) if kind == Kind::Json => out.write_all(text.as_bytes()),
        Field::Text(text) => Ok(serde_json::to_writer(out, text)?),
        // What is not a number is `null` in JSON.
        Field::Double(number) => Ok(serde_json::to_writer(out, number)?),
        Field::Single(number) => Ok(serde_json::to_writer(out, number)?),
        Field::Whole(number) => Ok(serde_json::to_writer(out, number)?),
        Field::Bool(yes) => Ok(serde_json::to_writer(out, yes)?),
        Field::Time(at) => write!(out, "\"{at}\""),
    }
}
