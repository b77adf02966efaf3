//! From the tree and the comments to lines.

use std::ops::Range;

use crate::policy::format::comments::{Comment, Comments, column};
use crate::policy::format::scalar::scalar;
use crate::policy::yaml::{Content, Scalar, Style, Yaml};

/// Writes one document.
pub struct Printer<'t> {
    /// As it was written.
    pub text: &'t str,
    /// Those that are not written yet.
    pub comments: Comments,
    /// What is written; behind its last line break stands the line that is not finished.
    done: String,
    /// The byte of `text` up to which everything is written but comments.
    at: usize,
    /// Whether a block has just begun, before which no blank line stays.
    begins: bool,
}

impl<'t> Printer<'t> {
    /// Begins a document.
    pub fn new(text: &'t str, comments: Comments, begins: bool) -> Self {
        Self {
            text,
            comments,
            done: String::new(),
            at: 0,
            begins,
        }
    }

    /// Writes the root.
    pub fn root(&mut self, node: &Yaml) {
        let limit = self.text.len();
        if self.is_block(node) {
            self.block(node, 0, limit);
        } else {
            self.own_lines(node.span.start, 0);
            self.leaf(node, 0, limit);
        }
    }

    /// Ends the document with the comments that are left.
    pub fn end(mut self) -> String {
        self.own_lines(self.text.len(), 0);
        self.done
    }

    fn is_block(&self, node: &Yaml) -> bool {
        let text = &self.text[node.span.clone()];
        match &node.content {
            Content::Map(_) => !text.starts_with('{'),
            // A list without an indent of its own begins with its first item.
            Content::List(items) => {
                let first = items.first().map(|item| item.span.start);
                first == Some(node.span.start) || !text.starts_with('[')
            }
            Content::Scalar(_) | Content::Broken => false,
        }
    }

    /// Writes a block; its first line may have begun with the dash of an item.
    ///
    /// - `limit`: where the next node behind it begins.
    fn block(&mut self, node: &Yaml, indent: usize, limit: usize) {
        if let Some(entries) = node.entries() {
            for (k, (key, value)) in entries.iter().enumerate() {
                let next = entries.get(k + 1).map_or(limit, |(key, _)| key.span.start);
                self.begin(key.span.start, indent);
                self.entry(key, value, indent, next);
            }
        } else {
            let items = node.items();
            for (k, item) in items.iter().enumerate() {
                let next = items.get(k + 1).map_or(limit, |item| item.span.start);
                self.begin(item.span.start, indent);
                self.item(item, indent, next);
            }
        }
        self.rest(node, indent, limit);
    }

    /// Begins the line of an entry or item, unless a dash has begun it.
    fn begin(&mut self, start: usize, indent: usize) {
        if self.width() == 0 {
            self.own_lines(start, indent);
            self.blank(start);
            self.indent(indent);
        }
    }

    fn item(&mut self, item: &Yaml, indent: usize, next: usize) {
        self.push("- ", self.at);
        if self.is_block(item) {
            self.block(item, indent + 2, next);
        } else {
            self.leaf(item, indent, next);
        }
    }

    fn entry(&mut self, key: &Yaml, value: &Yaml, indent: usize, next: usize) {
        if let Content::Scalar(it) = &key.content {
            self.push(&scalar(it, false), key.span.end);
        }
        self.push(":", key.span.end);
        if self.is_block(value) {
            self.finish(value.span.start);
            self.begins = true;
            self.block(value, indent + 2, next);
            return;
        }
        self.push(" ", key.span.end);
        self.leaf(value, indent, next);
    }

    /// Writes a scalar or a flow collection, and ends its line.
    fn leaf(&mut self, node: &Yaml, indent: usize, next: usize) {
        let slice = &self.text[node.span.clone()];
        match &node.content {
            Content::Scalar(it) if it.style == Style::Block => {
                self.folded(node, it, indent + 2);
                return;
            }
            Content::Scalar(_) if slice.contains('\n') => {
                let gap = " ".repeat(indent + 2);
                let lines = slice.lines().map(str::trim).enumerate();
                let line = |(k, line): (usize, &str)| match k {
                    0 => line.to_owned(),
                    _ => format!("{gap}{line}").trim_end().to_owned(),
                };
                let lines: Vec<String> = lines.map(line).collect();
                self.push(&lines.join("\n"), node.span.end);
            }
            Content::Scalar(it) => self.push(&scalar(it, false), node.span.end),
            Content::Map(_) | Content::List(_) | Content::Broken => self.flow(node, indent),
        }
        self.finish(next);
    }

    /// Writes a `|` or `>` text below its header.
    fn folded(&mut self, node: &Yaml, it: &Scalar, indent: usize) {
        let (head, raw) = self.folded_parts(node);
        let mut marks = self.text[head.clone()].replace(|c: char| c.is_ascii_digit(), "");
        let spaces = |line: &str| line.len() - line.trim_start_matches(' ').len();
        let is_full = |line: &&str| !line.trim().is_empty();
        // Spaces that belong to the text; with any the header must say where it begins.
        let n_own = it.text.lines().find(is_full).map_or(0, spaces);
        let n_cut = raw.lines().find(is_full).map_or(0, spaces);
        let n_cut = n_cut.saturating_sub(n_own);
        let keeps = marks.contains('+');
        if n_own > 0 {
            marks.push('2');
        }
        self.push(&marks, head.end);
        self.finish(node.span.start);
        for line in raw.trim_end().lines() {
            let line = line.get(n_cut..).unwrap_or_default();
            self.indent(indent);
            self.push(line, node.span.end);
            self.end_line();
        }
        let n_blank = it.text.len() - it.text.trim_end_matches('\n').len();
        for _ in 1..n_blank * usize::from(keeps) {
            self.done.push('\n');
        }
    }

    /// Returns where the header of a `|` or `>` text stands, and the lines below it.
    fn folded_parts(&self, node: &Yaml) -> (Range<usize>, &'t str) {
        let text = self.text;
        let above = text[..node.span.start].trim_end();
        let start = above.rfind('\n').map_or(0, |end| end + 1);
        let comment = self.comments.next_in(&(start..above.len()));
        let line = text[..comment.unwrap_or(above.len())].trim_end();
        let start = line.rfind(char::is_whitespace).map_or(0, |end| end + 1);
        let raw = text[above.len()..node.span.end].split_once('\n');
        (start..line.len(), raw.unwrap_or_default().1)
    }

    /// Writes comments before a byte on lines of their own.
    pub fn own_lines(&mut self, limit: usize, indent: usize) {
        while let Some(comment) = self.comments.take(|it| it.span.start < limit) {
            self.own_line(&comment, indent);
        }
    }

    fn own_line(&mut self, comment: &Comment, indent: usize) {
        self.blank(comment.span.start);
        self.indent(indent);
        self.push(&comment.text, self.at);
        self.end_line();
    }

    /// Writes the comments at the end of a block: those that are indented like it.
    fn rest(&mut self, node: &Yaml, indent: usize, limit: usize) {
        let start = column(self.text, node.span.start);
        let fits = |it: &Comment| it.span.start < limit && it.column >= start;
        while let Some(comment) = self.comments.take(fits) {
            self.own_line(&comment, indent);
        }
    }

    /// Keeps one of the blank lines that stand above the line of a byte, except where a block begins.
    fn blank(&mut self, at: usize) {
        let line = self.text[..at].rfind('\n').map_or(0, |end| end + 1);
        let mut above = self.text[..line].lines().rev();
        let is_blank = above.next().is_some_and(|line| line.trim().is_empty());
        if is_blank && !self.begins && !self.done.ends_with("\n\n") {
            self.done.push('\n');
        }
    }

    /// Begins a line.
    pub fn indent(&mut self, indent: usize) {
        self.done += &" ".repeat(indent);
    }

    /// Writes a part of a line, which stands for the text up to a byte.
    pub fn push(&mut self, part: &str, end: usize) {
        self.done += part;
        self.at = end;
    }

    /// Returns how many characters the line has.
    pub fn width(&self) -> usize {
        let line = self.done.rsplit('\n').next().unwrap_or_default();
        line.chars().count()
    }

    /// Ends the line, with the comment that stands behind it.
    ///
    /// - `limit`: where the next node begins.
    pub fn finish(&mut self, limit: usize) {
        let (text, at) = (self.text, self.at);
        let behind = |it: &Comment| {
            let between = text.get(at..it.span.start).unwrap_or_default();
            it.span.start < limit && !between.contains('\n')
        };
        if let Some(comment) = self.comments.take(behind) {
            self.done.truncate(self.done.trim_end_matches(' ').len());
            let n_spaces = comment.column.saturating_sub(self.width()).max(2);
            self.indent(n_spaces);
            self.done += &comment.text;
        }
        self.end_line();
    }

    fn end_line(&mut self) {
        self.done.truncate(self.done.trim_end_matches(' ').len());
        self.done.push('\n');
        self.begins = false;
    }
}
