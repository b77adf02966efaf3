//! Problems as annotations of a GitHub workflow.

use crate::policy::{Diagnostic, Diagnostics};

/// Returns one workflow command a line.
pub fn github(problems: &Diagnostics) -> String {
    let written = problems.0.iter().take(Diagnostics::WRITTEN_MAX);
    let lines: Vec<String> = written.map(line).collect();
    lines.join("\n")
}

fn line(problem: &Diagnostic) -> String {
    let source = &problem.source;
    let (line, column) = source.position(problem.span.start);
    let (end_line, end_column) = source.position(problem.span.end);
    // Columns are shown for a problem within one line only.
    let columns = if end_line == line {
        format!(",col={column},endColumn={end_column}")
    } else {
        String::new()
    };
    let help = problem.help.as_deref();
    let help = help.map(|help| format!("\n{help}")).unwrap_or_default();
    format!(
        "::{} file={},line={line},endLine={end_line}{columns},title={}::{}",
        problem.severity.as_str(),
        property(&source.name),
        property(&format!("attune::{}", problem.code)),
        data(&format!("{}{help}", problem.message)),
    )
}

/// Escapes the text behind the last `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Escapes the value of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
