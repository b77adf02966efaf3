//! Lines of CSV: fields in and out, one record a line.

use std::borrow::Cow;

/// Splits a line into its fields; a field in quotes may hold commas and doubled quotes, no end of line.
///
/// # Errors
///
/// What is wrong with the line.
pub fn split(line: &str) -> Result<Vec<Cow<'_, str>>, String> {
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        let (field, after) = match rest.strip_prefix('"') {
            Some(quoted) => unquote(quoted)?,
            None => match rest.split_once(',') {
                Some((field, after)) => (Cow::Borrowed(field), Some(after)),
                None => (Cow::Borrowed(rest), None),
            },
        };
        fields.push(field);
        match after {
            Some(after) => rest = after,
            None => return Ok(fields),
        }
    }
}

/// Splits a line into as many fields as its table has columns.
///
/// # Errors
///
/// What is wrong with the line; other fields than columns, too: what stands where is not known then.
pub fn record(line: &str, n_columns: usize) -> Result<Vec<Cow<'_, str>>, String> {
    let fields = split(line)?;
    if fields.len() == n_columns {
        return Ok(fields);
    }
    Err(format!("fields: {} instead of {n_columns}", fields.len()))
}

/// Reads up to the closing quote; returns the field and what follows its comma.
fn unquote(text: &str) -> Result<(Cow<'_, str>, Option<&str>), String> {
    let mut owned = String::new();
    let mut rest = text;
    loop {
        let Some((part, after)) = rest.split_once('"') else {
            return Err("a quoted field does not end on its line".into());
        };
        if let Some(more) = after.strip_prefix('"') {
            owned.push_str(part);
            owned.push('"');
            rest = more;
            continue;
        }
        let field = if owned.is_empty() {
            Cow::Borrowed(part)
        } else {
            owned.push_str(part);
            Cow::Owned(owned)
        };
        return match (after.strip_prefix(','), after.is_empty()) {
            (Some(after), _) => Ok((field, Some(after))),
            (None, true) => Ok((field, None)),
            (None, false) => Err("text after the closing quote of a field".into()),
        };
    }
}

/// Appends a field, in quotes if it needs them.
pub fn push(line: &mut String, field: &str) {
    if !field.contains(['"', ',', '\n', '\r']) {
        line.push_str(field);
        return;
    }
    line.push('"');
    line.push_str(&field.replace('"', "\"\""));
    line.push('"');
}

#[cfg(test)]
mod tests {
    use super::{push, split};

    #[test]
    fn fields_come_back_as_they_went() {
        for fields in [
            vec![""],
            vec!["a", "", "b c"],
            vec!["a,b", "say \"yes\"", "\"", ",\",", ""],
        ] {
            let quoted = fields.iter().map(|field| {
                let mut line = String::new();
                push(&mut line, field);
                line
            });
            let line = quoted.collect::<Vec<_>>().join(",");
            assert_eq!(split(&line).unwrap(), fields, "{line}");
        }
    }

    #[test]
    fn a_broken_quote_is_an_error() {
        assert!(split("a,\"b").unwrap_err().contains("does not end"));
        assert!(split("\"a\"b,c").unwrap_err().contains("after the closing"));
    }
}
