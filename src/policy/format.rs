//! `attune fmt`: the same policy, laid out in one way.
//!
//! Order, comments, blank lines and the author's choice between block and flow stay; indents, spaces and quotes become
//! regular. The text of an expression is left as it is: a journey's revision is made of it.

mod comments;
mod flow;
mod print;
mod scalar;

use crate::policy::diagnostic::{Diagnostic, Diagnostics, Severity, Source};
use crate::policy::yaml;
use comments::Comments;
use print::Printer;

/// Lays a policy file out.
///
/// # Errors
///
/// The file is not YAML that policies may be written in, or laying it out would change what it says.
pub fn format(source: &Source) -> Result<String, Diagnostics> {
    let text = source.text.trim_start_matches('\u{feff}');
    let source = Source::new(&source.name, &text.replace("\r\n", "\n"));
    let before = read(&source)?;
    let chunks = chunks(&source.text);
    let last = chunks.len().saturating_sub(1);
    let laid = chunks.iter().enumerate();
    let laid = laid.map(|(k, chunk)| document(&source.name, chunk, k == 0, k == last));
    let text = laid.collect::<Vec<_>>().join("---\n");
    let after = read(&Source::new(&source.name, &text));
    if after.is_ok_and(|after| after == before) {
        return Ok(text);
    }
    let message = "this file cannot be laid out without a change to what it says";
    let problem = Diagnostic::new(&source, "cannot_format", 0..0, message);
    let help = "it was left alone: lay it out by hand";
    Err(Diagnostics(vec![problem.help(help)]))
}

/// What a file says: its documents, its comments, and what is odd about it.
#[derive(PartialEq)]
struct Said {
    documents: String,
    comments: Vec<String>,
    n_warnings: usize,
}

fn read(source: &Source) -> Result<Said, Diagnostics> {
    let mut problems = Vec::new();
    let (roots, _) = yaml::read(source, &mut problems);
    if problems.iter().any(|it| it.severity == Severity::Error) {
        return Err(Diagnostics(problems).errors());
    }
    let mut documents = String::new();
    for root in &roots {
        root.canonical(&mut documents);
        documents.push('\n');
    }
    Ok(Said {
        documents,
        comments: Comments::find(&source.text, &roots).texts(),
        n_warnings: problems.len(),
    })
}

/// Cuts a file at the lines between its documents; what is empty is left out. What stands behind the dashes is of the next one.
fn chunks(text: &str) -> Vec<&str> {
    const SIGNS: [&str; 2] = ["---", "..."];
    let mut chunks = Vec::new();
    let (mut start, mut at) = (0, 0);
    for line in text.split_inclusive('\n') {
        let rest = SIGNS.iter().find_map(|sign| line.strip_prefix(sign));
        if let Some(rest) = rest.filter(|rest| !rest.starts_with(|c: char| !c.is_whitespace())) {
            chunks.push(&text[start..at]);
            start = at + line.len() - rest.trim_start_matches([' ', '\t', '\n']).len();
        }
        at += line.len();
    }
    chunks.push(&text[start..]);
    chunks.retain(|chunk| !chunk.trim().is_empty());
    chunks
}

/// Lays one document out. Next to another document a blank line may stay.
fn document(name: &str, chunk: &str, is_first: bool, is_last: bool) -> String {
    let (roots, _) = yaml::read(&Source::new(name, chunk), &mut Vec::new());
    let comments = Comments::find(chunk, &roots);
    let mut printer = Printer::new(chunk, comments, is_first);
    for root in &roots {
        printer.root(root);
    }
    let mut text = printer.end();
    let mut lines = chunk.lines().rev();
    if !is_last && lines.next().is_some_and(|line| line.trim().is_empty()) {
        text.push('\n');
    }
    text
}
