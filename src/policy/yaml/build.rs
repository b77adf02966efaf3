//! From parser events to the tree, with the traps of YAML as diagnostics.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use serde_saphyr::granit_parser::{
    Event, Options, Parser, ScalarStyle, ScanError, Span, StrInput, StructureStyle,
};

use crate::policy::diagnostic::{Diagnostic, Source};
use crate::policy::yaml::{Content, Scalar, Style, Yaml};

/// The longest file, in bytes.
pub const BYTES_MAX: usize = 1 << 20;
/// The most nodes of a file.
const NODES_MAX: usize = 20_000;
/// The deepest nesting of a file: a branch takes four levels.
pub const DEPTH_MAX: usize = 100;

/// The file cannot be read further; the reason is reported.
struct Stopped;

/// Reads the documents of a file as far as they can be read.
pub fn read(source: &Source, problems: &mut Vec<Diagnostic>) -> (Vec<Yaml>, bool) {
    if source.text.len() > BYTES_MAX {
        let message = format!("the file has more than {BYTES_MAX} bytes");
        let problem = Diagnostic::new(source, "yaml_too_large", 0..0, message)
            .help("split it: files of one folder are read together");
        problems.push(problem);
        return (Vec::new(), false);
    }
    if let Some(at) = source.text.find(char::REPLACEMENT_CHARACTER) {
        problems.push(not_text(source, at));
        return (Vec::new(), false);
    }
    let mut builder = Builder {
        parser: Parser::new_from_str_with_options(&source.text, options()),
        source,
        problems,
        n_nodes: 0,
    };
    let mut documents = Vec::new();
    let finished = builder.documents(&mut documents).is_ok();
    (documents, finished)
}

/// Whoever reads files puts this letter where there is none.
fn not_text(source: &Source, at: usize) -> Diagnostic {
    let end = at + char::REPLACEMENT_CHARACTER.len_utf8();
    // What is around it may do anything to a terminal.
    let tame = |letter: char| letter.is_ascii_control() && letter != '\n';
    let text = source.text.replace(tame, "?");
    let shown = Source::new(&source.name, &text);
    Diagnostic::new(&shown, "not_utf8", at..end, "the file is not UTF-8")
        .label("no letter")
        .help("save it as UTF-8; is it a policy file at all?")
}

fn options() -> Options {
    let mut options = Options::default();
    options.disallow_directives = true;
    options.emit_unresolved_aliases = true;
    options.set_emit_comments(false);
    options.flow_nesting_limit = DEPTH_MAX;
    options.block_nesting_limit = DEPTH_MAX;
    options
}

struct Builder<'a> {
    parser: Parser<'a, StrInput<'a>>,
    source: &'a Source,
    problems: &'a mut Vec<Diagnostic>,
    n_nodes: usize,
}

impl<'a> Builder<'a> {
    fn documents(&mut self, documents: &mut Vec<Yaml>) -> Result<(), Stopped> {
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::StreamEnd) {
                return Ok(());
            }
            if event.is_node() {
                let document = self.node(event, span, 0)?;
                documents.extend(Some(document).filter(|document| !document.is_nothing()));
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'a>, Span), Stopped> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => {
                let problem = super::traps::syntax(self.source, &error);
                self.problems.push(problem);
                Err(Stopped)
            }
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Yaml, Stopped> {
        self.count(&span, depth)?;
        let traps_before = self.problems.len();
        self.problems
            .extend(super::traps::node(self.source, &event, &span));
        let trapped = self.problems.len() > traps_before;
        let line = u32::try_from(span.start.line()).unwrap_or(u32::MAX);
        let mut bytes = bytes(self.source, &span);
        let content = if let Event::Scalar(text, style, _, _) = event {
            let style = style_of(style);
            // The parser says `~` for a value that is not there.
            let absent = style == Style::Plain && bytes.is_empty();
            let text: Arc<str> = if absent {
                "".into()
            } else {
                text.as_ref().into()
            };
            let eaten = match style {
                Style::Plain => super::traps::eaten(self.source, &text, bytes.clone()),
                Style::Single | Style::Double | Style::Block => None,
            };
            let trapped = trapped || eaten.is_some();
            self.problems.extend(eaten);
            if trapped {
                Content::Broken
            } else {
                Content::Scalar(Scalar { text, style })
            }
        } else if let Event::SequenceStart(style, _, _) = event {
            let mut items = self.items(depth, &mut bytes)?;
            self.lint_items(style, &mut items);
            Content::List(items)
        } else if let Event::MappingStart(style, _, _) = event {
            let entries = self.entries(depth, &mut bytes)?;
            Content::Map(self.lint_entries(style, entries))
        } else {
            Content::Broken
        };
        Ok(Yaml {
            content,
            span: bytes,
            line,
        })
    }

    fn count(&mut self, span: &Span, depth: usize) -> Result<(), Stopped> {
        self.n_nodes += 1;
        let what = if self.n_nodes > NODES_MAX {
            format!("the file has more than {NODES_MAX} nodes")
        } else if depth > DEPTH_MAX {
            format!("the file is nested deeper than {DEPTH_MAX} levels")
        } else {
            return Ok(());
        };
        let at = bytes(self.source, span);
        let problem = Diagnostic::new(self.source, "yaml_too_large", at.start..at.start + 1, what)
            .help("split the file, or make it simpler");
        self.problems.push(problem);
        Err(Stopped)
    }

    fn items(&mut self, depth: usize, span: &mut Range<usize>) -> Result<Vec<Yaml>, Stopped> {
        let mut items: Vec<Yaml> = Vec::new();
        loop {
            let (event, at) = self.next()?;
            if matches!(event, Event::SequenceEnd | Event::StreamEnd) {
                span.end = end(
                    self.source,
                    &at,
                    items.last().map(|item| item.span.end),
                    span,
                );
                return Ok(items);
            }
            items.push(self.node(event, at, depth + 1)?);
        }
    }

    fn entries(
        &mut self,
        depth: usize,
        span: &mut Range<usize>,
    ) -> Result<Vec<(Yaml, Yaml)>, Stopped> {
        let mut entries: Vec<(Yaml, Yaml)> = Vec::new();
        loop {
            let (event, at) = self.next()?;
            if matches!(event, Event::MappingEnd | Event::StreamEnd) {
                let last = entries
                    .last()
                    .map(|(key, value)| value.span.end.max(key.span.end));
                span.end = end(self.source, &at, last, span);
                return Ok(entries);
            }
            let key = self.node(event, at, depth + 1)?;
            let (event, at) = self.next()?;
            let value = self.node(event, at, depth + 1)?;
            entries.push((key, value));
        }
    }

    /// Marks the pieces of a text that YAML cut at a comma.
    fn lint_items(&mut self, style: StructureStyle, items: &mut [Yaml]) {
        let mut depth = 0;
        for item in items {
            let opens = super::traps::opens(item);
            let begins = depth == 0 && opens > 0;
            if style != StructureStyle::Flow || (depth <= 0 && !begins) {
                continue;
            }
            let problem = begins.then(|| super::traps::comma(self.source, item));
            self.problems.extend(problem);
            depth += opens;
            item.content = Content::Broken;
        }
    }

    /// Warns of keys and values that other tools read otherwise.
    fn lint_texts(&mut self, key: &Yaml, value: &Yaml) {
        for (node, is_key) in [(key, true), (value, false)] {
            if let Content::Scalar(Scalar {
                text,
                style: Style::Plain,
            }) = &node.content
            {
                let problem = super::traps::ambiguous(self.source, text, node.span.clone(), is_key);
                self.problems.extend(problem);
            }
        }
    }

    /// Drops what cannot be a key: other kinds, second ones, and the tail of a text that YAML cut at a comma.
    fn lint_entries(
        &mut self,
        style: StructureStyle,
        entries: Vec<(Yaml, Yaml)>,
    ) -> Vec<(Yaml, Yaml)> {
        let mut seen: BTreeMap<Arc<str>, u32> = BTreeMap::new();
        let mut kept: Vec<(Yaml, Yaml)> = Vec::new();
        let mut cut = false;
        for (key, mut value) in entries {
            if cut && value.is_nothing() {
                continue;
            }
            cut = style == StructureStyle::Flow && super::traps::opens(&value) > 0;
            if cut {
                self.problems.push(super::traps::comma(self.source, &value));
                value.content = Content::Broken;
            }
            if style == StructureStyle::Flow && super::traps::is_tail(self.source, &key, &value) {
                self.problems.push(super::traps::tail(self.source, &key));
                continue;
            }
            let Some(text) = key.text() else {
                self.problems
                    .extend(super::traps::odd_key(self.source, &key));
                continue;
            };
            if let Some(line) = seen.insert(text.clone(), key.line) {
                let problem = super::traps::second_key(self.source, &key, text, line);
                self.problems.push(problem);
                continue;
            }
            self.lint_texts(&key, &value);
            kept.push((key, value));
        }
        kept
    }
}

/// Returns the end of a collection: behind its bracket, or where its last child ends.
fn end(source: &Source, at: &Span, last: Option<usize>, span: &Range<usize>) -> usize {
    let closing = bytes(source, at);
    if closing.is_empty() {
        last.unwrap_or(span.end)
    } else {
        closing.end
    }
}

fn style_of(style: ScalarStyle) -> Style {
    match style {
        ScalarStyle::Plain => Style::Plain,
        ScalarStyle::SingleQuoted => Style::Single,
        ScalarStyle::DoubleQuoted => Style::Double,
        ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
    }
}

/// Returns a span in bytes of the file.
pub fn bytes(source: &Source, span: &Span) -> Range<usize> {
    let len = source.text.len();
    let start = span.start.byte_offset().unwrap_or(0).min(len);
    let end = span.end.byte_offset().unwrap_or(start).clamp(start, len);
    start..end
}

/// Returns where the parser gave up.
pub fn stopped_at(source: &Source, error: &ScanError) -> usize {
    let marker = error.marker();
    marker.byte_offset().unwrap_or_else(|| {
        let chars = source.text.char_indices();
        chars
            .map(|(at, _)| at)
            .nth(marker.index())
            .unwrap_or(source.text.len())
    })
}
