//! What stands inside `{ }` and `[ ]`.

use crate::policy::format::print::Printer;
use crate::policy::format::scalar::scalar;
use crate::policy::yaml::{Content, Yaml};

/// The longest line that a collection is joined to, in characters.
const WIDTH_MAX: usize = 100;

/// Writes a node on one line.
fn line(text: &str, node: &Yaml) -> String {
    match &node.content {
        Content::Scalar(it) => scalar(it, true),
        Content::List(items) => {
            let items: Vec<String> = items.iter().map(|item| line(text, item)).collect();
            format!("[{}]", items.join(", "))
        }
        Content::Map(entries) if entries.is_empty() => "{}".into(),
        Content::Map(entries) => {
            let entry = |(key, value): &(Yaml, Yaml)| {
                let entry = format!("{}: {}", line(text, key), line(text, value));
                entry.trim_end().to_owned()
            };
            let entries = entries.iter().map(entry).collect::<Vec<_>>().join(", ");
            // An item of a list may be a single entry without braces.
            if text[node.span.clone()].starts_with('{') {
                format!("{{ {entries} }}")
            } else {
                entries
            }
        }
        Content::Broken => String::new(),
    }
}

impl Printer<'_> {
    /// Writes a node behind what stands in the line: joined if the author has joined it, or if it fits.
    pub fn flow(&mut self, node: &Yaml, indent: usize) {
        let joined = line(self.text, node);
        let width = self.width() + joined.chars().count();
        let is_joined = !self.text[node.span.clone()].contains('\n');
        let fits = width <= WIDTH_MAX && !self.comments.any_in(&node.span);
        let is_leaf = matches!(node.content, Content::Scalar(_) | Content::Broken);
        if is_joined || fits || is_leaf {
            self.push(&joined, node.span.end);
        } else {
            self.broken(node, indent);
        }
    }

    /// Writes a collection with every item or entry on a line of its own.
    fn broken(&mut self, node: &Yaml, indent: usize) {
        let closing = if let Some(entries) = node.entries() {
            self.push("{", node.span.start);
            for (key, value) in entries {
                self.flow_line(key, indent);
                self.push(&format!("{}: ", line(self.text, key)), key.span.end);
                self.flow(value, indent + 2);
                self.push(",", value.span.end);
            }
            "}"
        } else {
            self.push("[", node.span.start);
            for item in node.items() {
                self.flow_line(item, indent);
                self.flow(item, indent + 2);
                self.push(",", item.span.end);
            }
            "]"
        };
        self.finish(node.span.end);
        self.own_lines(node.span.end, indent + 2);
        self.indent(indent);
        self.push(closing, node.span.end);
    }

    fn flow_line(&mut self, node: &Yaml, indent: usize) {
        self.finish(node.span.start);
        self.own_lines(node.span.start, indent + 2);
        self.indent(indent + 2);
    }
}
