//! Rows in, files out, and back.

use std::fs;

use expect_test::expect;
use tempfile::tempdir;

use super::{Column, Field, Format, Kind, Sheet};
use crate::domain::Timestamp;

#[test]
fn text_forms_say_what_is_not_known() {
    let (csv, jsonl) = (written(Format::Csv), written(Format::Jsonl));
    expect![[r#"
        name,"of, it",double,single,whole,yes,at
        "Zoë, ""the
        first""","{""a"":[1,null]}",0.1,0.1,-9223372036854775808,1,2026-01-05T10:00:00.250Z
        ,,,,,,
        ,[],,,0,0,1970-01-01T00:00:00.000Z
    "#]]
    .assert_eq(&String::from_utf8(csv).unwrap());
    expect![[r#"
        {"name":"Zoë, \"the\nfirst\"","of, it":{"a":[1,null]},"double":0.1,"single":0.1,"whole":-9223372036854775808,"yes":true,"at":"2026-01-05T10:00:00.250Z"}
        {"name":null,"of, it":null,"double":null,"single":null,"whole":null,"yes":null,"at":null}
        {"name":"","of, it":[],"double":null,"single":null,"whole":0,"yes":false,"at":"1970-01-01T00:00:00.000Z"}
    "#]].assert_eq(&String::from_utf8(jsonl).unwrap());
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_reads_back_as_it_was_written() {
    use parquet::file::reader::{FileReader, SerializedFileReader};

    let bytes = bytes::Bytes::from(written(Format::Parquet));
    let reader = SerializedFileReader::new(bytes).unwrap();
    let rows = reader.get_row_iter(None).unwrap();
    let rows: Vec<String> = rows.map(|row| row.unwrap().to_string()).collect();
    let rows = rows.join("\n") + "\n";
    expect![[r#"
        {name: "Zoë, "the
        first"", of, it: "{"a":[1,null]}", double: 0.1, single: 0.1, whole: -9223372036854775808, yes: true, at: 2026-01-05 10:00:00.250 +00:00}
        {name: null, of, it: null, double: null, single: null, whole: null, yes: null, at: null}
        {name: "", of, it: "[]", double: null, single: null, whole: 0, yes: false, at: 1970-01-01 00:00:00.000 +00:00}
    "#]].assert_eq(&rows);
}

#[cfg(feature = "parquet")]
#[test]
fn many_rows_are_many_groups() {
    use parquet::file::reader::{FileReader, SerializedFileReader};

    let folder = tempdir().unwrap();
    let path = folder.path().join("many.parquet");
    let columns = vec![Column::new("n", Kind::Whole)];
    let mut sheet = Sheet::create(Some(&path), Format::Parquet, columns).unwrap();
    for n in 0..40_000 {
        sheet.row(&[Field::Whole(n)]).unwrap();
    }
    assert_eq!(sheet.end().unwrap(), 40_000);
    let reader = SerializedFileReader::new(fs::File::open(path).unwrap()).unwrap();
    let metadata = reader.metadata();
    assert_eq!(metadata.num_row_groups(), 3);
    assert_eq!(metadata.file_metadata().num_rows(), 40_000);
}

#[test]
fn a_table_that_does_not_come_to_its_end_leaves_nothing() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("table.csv");
    fs::write(&path, "before").unwrap();
    let mut sheet = Sheet::create(Some(&path), Format::Csv, columns()).unwrap();
    sheet.row(&rows()[0]).unwrap();
    drop(sheet);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    assert_eq!(fs::read_to_string(path).unwrap(), "before");
}

#[test]
fn a_table_that_cannot_have_its_name_leaves_nothing() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("table.csv");
    let is_empty = || fs::read_dir(folder.path()).unwrap().count() == 0;
    let sheet = Sheet::create(Some(&path), Format::Csv, columns()).unwrap();
    fs::create_dir(&path).unwrap();
    sheet.end().unwrap_err();
    let refused = Sheet::create(Some(&path), Format::Csv, columns());
    let why = refused.err().unwrap().to_string();
    assert!(why.ends_with("is a folder"), "{why}");
    fs::remove_dir(&path).unwrap();
    assert!(is_empty());
    #[cfg(feature = "parquet")]
    {
        // Two columns of one name: Parquet has no such table.
        let twice = vec![Column::new("", Kind::Text), Column::new("", Kind::Text)];
        Sheet::create(Some(&path), Format::Parquet, twice).err();
        assert!(is_empty());
    }
}

#[test]
fn parquet_needs_a_file() {
    let refused = Sheet::create(None, Format::Parquet, columns());
    let why = refused.err().unwrap().to_string();
    assert!(why.contains("--out"), "{why}");
}

fn columns() -> Vec<Column> {
    vec![
        Column::new("name", Kind::Text),
        Column::new("of, it", Kind::Json),
        Column::new("double", Kind::Double),
        Column::new("single", Kind::Single),
        Column::new("whole", Kind::Whole),
        Column::new("yes", Kind::Bool),
        Column::new("at", Kind::Time),
    ]
}

fn rows() -> Vec<Vec<Field>> {
    let at = Timestamp::parse("2026-01-05T10:00:00.250Z").unwrap();
    vec![
        vec![
            Field::Text("Zoë, \"the\nfirst\"".into()),
            Field::Text(r#"{"a":[1,null]}"#.into()),
            Field::Double(0.1),
            Field::Single(0.1),
            Field::Whole(i64::MIN),
            Field::Bool(true),
            Field::Time(at),
        ],
        vec![Field::Null; 7],
        vec![
            Field::Text("".into()),
            Field::Text("[]".into()),
            Field::Double(f64::NAN),
            Field::Single(f32::NAN),
            Field::Whole(0),
            Field::Bool(false),
            Field::Time(Timestamp::from_millis(0)),
        ],
    ]
}

fn written(format: Format) -> Vec<u8> {
    let folder = tempdir().unwrap();
    let path = folder.path().join("table");
    let mut sheet = Sheet::create(Some(&path), format, columns()).unwrap();
    for row in rows() {
        sheet.row(&row).unwrap();
    }
    assert_eq!(sheet.end().unwrap(), 3);
    fs::read(path).unwrap()
}
