//! YAML as a tree in which every node knows where it stands.

mod build;
mod locate;
mod traps;

use std::ops::Range;
use std::sync::Arc;

pub use build::BYTES_MAX;
pub use traps::is_cut_by_comment;

use crate::policy::diagnostic::{Diagnostic, Source};

/// A node.
#[derive(Clone, Debug)]
pub struct Yaml {
    /// What it is.
    pub content: Content,
    /// Bytes of the file.
    pub span: Range<usize>,
    /// Line, from 1.
    pub line: u32,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum Content {
    /// A text, a number, a bool or nothing at all: what it means is up to the reader.
    Scalar(Scalar),
    /// A list.
    List(Vec<Yaml>),
    /// A map; keys are scalars and unique.
    Map(Vec<(Yaml, Yaml)>),
    /// Something that was reported already: readers say nothing more.
    Broken,
}

/// A scalar.
#[derive(Clone, Debug)]
pub struct Scalar {
    /// Its value after quotes and escapes.
    pub text: Arc<str>,
    /// How it was written.
    pub style: Style,
}

/// How a scalar was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// As it is.
    Plain,
    /// Between `'`.
    Single,
    /// Between `"`.
    Double,
    /// Below `|` or `>`.
    Block,
}

/// Reads the documents of a file as far as they can be read; what is wrong goes to `problems`.
///
/// Returns the documents and whether the file was read to its end.
pub fn read(source: &Source, problems: &mut Vec<Diagnostic>) -> (Vec<Yaml>, bool) {
    build::read(source, problems)
}

/// Texts that are read as something else, here or by other tools, where they have no quotes.
const RESERVED: [&str; 13] = [
    "null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf", "fail", "none",
];

/// Tells if a text means the same with quotes and without.
pub fn is_word(text: &str) -> bool {
    let begins = text.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '(');
    begins && !RESERVED.iter().any(|it| it.eq_ignore_ascii_case(text))
}

impl Yaml {
    /// Returns the text of a scalar.
    pub fn text(&self) -> Option<&Arc<str>> {
        if let Content::Scalar(scalar) = &self.content {
            Some(&scalar.text)
        } else {
            None
        }
    }

    /// Returns the items of a list; anything else is its only item.
    pub fn items(&self) -> &[Yaml] {
        if let Content::List(items) = &self.content {
            items
        } else {
            std::slice::from_ref(self)
        }
    }

    /// Returns the entries of a map.
    pub fn entries(&self) -> Option<&[(Yaml, Yaml)]> {
        if let Content::Map(entries) = &self.content {
            Some(entries)
        } else {
            None
        }
    }

    /// Returns the key of a map, with its node.
    pub fn entry(&self, key: &str) -> Option<(&Yaml, &Yaml)> {
        let is_it = |entry: &&(Yaml, Yaml)| entry.0.text().is_some_and(|text| text.as_ref() == key);
        self.entries()?
            .iter()
            .find(is_it)
            .map(|(key, value)| (key, value))
    }

    /// Tells if nothing stands here: no value, `~` or `null`.
    pub fn is_nothing(&self) -> bool {
        let Content::Scalar(scalar) = &self.content else {
            return false;
        };
        scalar.style == Style::Plain && matches!(scalar.text.as_ref(), "" | "~" | "null")
    }

    /// Tells if the node was reported already.
    pub fn is_broken(&self) -> bool {
        matches!(self.content, Content::Broken)
    }

    /// Names the kind of a node in a message.
    pub fn kind(&self) -> &'static str {
        match &self.content {
            Content::Scalar(_) if self.is_nothing() => "nothing",
            Content::Scalar(_) => "a text",
            Content::List(_) => "a list",
            Content::Map(_) => "a map",
            Content::Broken => "broken",
        }
    }

    /// Writes the node without comments and layout: equal content gives equal text.
    pub fn canonical(&self, out: &mut String) {
        self.canonical_without(None, out);
    }

    /// Writes the node as [`Yaml::canonical`] does, but for one key of the outermost map.
    pub fn canonical_without(&self, left_out: Option<&str>, out: &mut String) {
        match &self.content {
            Content::Scalar(scalar) => {
                let is_plain = scalar.style == Style::Plain || is_word(&scalar.text);
                let mark = if is_plain { '=' } else { '\'' };
                out.push(mark);
                out.push_str(&scalar.text.len().to_string());
                out.push(':');
                out.push_str(&scalar.text);
            }
            Content::List(items) => {
                out.push('[');
                for item in items {
                    item.canonical(out);
                }
                out.push(']');
            }
            Content::Map(entries) => {
                out.push('{');
                let stays = |key: &Self| key.text().map(AsRef::as_ref) != left_out;
                let stays = |key: &Self| left_out.is_none() || stays(key);
                for (key, value) in entries.iter().filter(|(key, _)| stays(key)) {
                    key.canonical(out);
                    value.canonical(out);
                }
                out.push('}');
            }
            Content::Broken => out.push('!'),
        }
    }

    /// Returns the byte of the file that a byte of a scalar's value was written at; exact but for odd escapes.
    pub fn locate(&self, file: &str, at: usize) -> usize {
        let Content::Scalar(scalar) = &self.content else {
            return self.span.start;
        };
        let slice = file.get(self.span.clone()).unwrap_or_default();
        self.span.start + locate::locate(slice, scalar, at)
    }
}
