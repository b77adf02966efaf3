//! Tables as Parquet: typed columns, compressed, some thousands of rows in memory.

use std::io::Write as _;
use std::sync::Arc;

use anyhow::{Context, bail};
use parquet::basic::{Compression, GzipLevel, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{Type, TypePtr};

use crate::cli::sheet::{Column, Field, Kind, Out};

/// So many rows are gathered to one group at most.
const GROUP_ROWS_MAX: usize = 16_384;

/// So many bytes of text are gathered to one group at most, and one row.
const GROUP_BYTES_MAX: usize = 16 << 20;

/// A file being written.
pub struct Parquet {
    columns: Vec<Column>,
    gathered: Vec<Vec<Field>>,
    n_gathered: usize,
    n_bytes: usize,
    /// `None` when it is closed.
    writer: Option<SerializedFileWriter<Out>>,
}

impl Parquet {
    /// Starts a file.
    ///
    /// # Errors
    ///
    /// The writer fails.
    pub fn new(out: Out, columns: Vec<Column>) -> anyhow::Result<Self> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::GZIP(GzipLevel::try_new(3)?))
            .set_created_by(format!("attune {}", env!("CARGO_PKG_VERSION")))
            .build();
        let writer = SerializedFileWriter::new(out, schema(&columns)?, Arc::new(properties))?;
        Ok(Self {
            gathered: columns.iter().map(|_| Vec::new()).collect(),
            columns,
            n_gathered: 0,
            n_bytes: 0,
            writer: Some(writer),
        })
    }

    /// Takes a row.
    ///
    /// # Errors
    ///
    /// The writer fails.
    pub fn row(&mut self, row: &[Field]) -> anyhow::Result<()> {
        for (column, field) in self.gathered.iter_mut().zip(row) {
            if let Field::Text(text) = field {
                self.n_bytes += text.len();
            }
            column.push(field.clone());
        }
        self.n_gathered += 1;
        if self.n_gathered >= GROUP_ROWS_MAX || self.n_bytes >= GROUP_BYTES_MAX {
            self.group()?;
        }
        Ok(())
    }

    /// Writes what is left, and the footer.
    ///
    /// # Errors
    ///
    /// The writer fails.
    pub fn end(&mut self) -> anyhow::Result<()> {
        if self.n_gathered > 0 {
            self.group()?;
        }
        let writer = self.writer.take().context("the file is closed")?;
        writer.into_inner()?.flush()?;
        Ok(())
    }

    fn group(&mut self) -> anyhow::Result<()> {
        let writer = self.writer.as_mut().context("the file is closed")?;
        let mut group = writer.next_row_group()?;
        for (column, fields) in self.columns.iter().zip(&mut self.gathered) {
            let mut to = group.next_column()?.context("a column is missing")?;
            write(to.untyped(), column, fields)?;
            to.close()?;
            fields.clear();
        }
        group.close()?;
        (self.n_gathered, self.n_bytes) = (0, 0);
        Ok(())
    }
}

/// Every column may be null.
fn schema(columns: &[Column]) -> anyhow::Result<TypePtr> {
    let fields: Result<Vec<TypePtr>, _> = columns.iter().map(field).collect();
    let root = Type::group_type_builder("attune").with_fields(fields?);
    Ok(Arc::new(root.build()?))
}

fn field(column: &Column) -> anyhow::Result<TypePtr> {
    let (physical, logical) = match column.kind {
        Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        Kind::Json => (Physical::BYTE_ARRAY, Some(LogicalType::Json)),
        Kind::Double => (Physical::DOUBLE, None),
        Kind::Single => (Physical::FLOAT, None),
        Kind::Whole => (Physical::INT64, None),
        Kind::Bool => (Physical::BOOLEAN, None),
        Kind::Time => {
            let millis = LogicalType::timestamp(true, TimeUnit::MILLIS);
            (Physical::INT64, Some(millis))
        }
    };
    let field = Type::primitive_type_builder(&column.name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical);
    Ok(Arc::new(field.build()?))
}

/// Writes the fields of a column: the values that are there, and for each field whether it is.
fn write(to: &mut ColumnWriter<'_>, column: &Column, fields: &[Field]) -> anyhow::Result<()> {
    let levels: Vec<i16> = fields
        .iter()
        .map(|field| i16::from(field.is_known()))
        .collect();
    let levels = Some(&levels[..]);
    match to {
        ColumnWriter::ByteArrayColumnWriter(to) => {
            let bytes = |text: &str| ByteArray::from(text.as_bytes().to_vec());
            let texts = values(fields, |field| field.text().map(bytes));
            to.write_batch(&texts, levels, None)?;
        }
        ColumnWriter::DoubleColumnWriter(to) => {
            let numbers = values(fields, Field::double);
            to.write_batch(&numbers, levels, None)?;
        }
        ColumnWriter::FloatColumnWriter(to) => {
            let numbers = values(fields, Field::single);
            to.write_batch(&numbers, levels, None)?;
        }
        ColumnWriter::Int64ColumnWriter(to) => {
            to.write_batch(&values(fields, Field::whole), levels, None)?;
        }
        ColumnWriter::BoolColumnWriter(to) => {
            to.write_batch(&values(fields, Field::truth), levels, None)?;
        }
        ColumnWriter::Int32ColumnWriter(_)
        | ColumnWriter::Int96ColumnWriter(_)
        | ColumnWriter::FixedLenByteArrayColumnWriter(_) => {
            bail!("column `{}` has a type that is not written", column.name)
        }
    }
    Ok(())
}

fn values<T>(fields: &[Field], value: impl Fn(&Field) -> Option<T>) -> Vec<T> {
    let known = fields.iter().filter(|field| field.is_known());
    known.filter_map(value).collect()
}
