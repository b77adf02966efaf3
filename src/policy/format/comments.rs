//! Comments, which the tree does not keep.

use std::collections::VecDeque;
use std::ops::Range;

use crate::policy::yaml::{Content, Yaml};

/// The comments of a text, in order.
pub struct Comments {
    left: VecDeque<Comment>,
}

/// One comment.
#[derive(Clone)]
pub struct Comment {
    /// Bytes of the text.
    pub span: Range<usize>,
    /// How many characters stand before it in its line.
    pub column: usize,
    /// With its `#`, as it is written from here on.
    pub text: String,
}

impl Comments {
    /// Finds them: a `#` outside of all scalars.
    pub fn find(text: &str, roots: &[Yaml]) -> Self {
        let mut scalars = Vec::new();
        for root in roots {
            collect(root, &mut scalars);
        }
        let mut left = VecDeque::new();
        let mut at = 0;
        let end = text.len()..text.len();
        for scalar in scalars.into_iter().chain(std::iter::once(end)) {
            while let Some(found) = text.get(at..scalar.start).and_then(|gap| gap.find('#')) {
                let start = at + found;
                let line = text[start..].lines().next().unwrap_or_default();
                at = start + line.len();
                left.push_back(Comment {
                    span: start..at,
                    column: column(text, start),
                    text: spaced(line),
                });
            }
            at = at.max(scalar.end);
        }
        Self { left }
    }

    /// Returns what they say.
    pub fn texts(&self) -> Vec<String> {
        self.left.iter().map(|it| it.text.clone()).collect()
    }

    /// Takes the next one if it fits.
    pub fn take(&mut self, fits: impl Fn(&Comment) -> bool) -> Option<Comment> {
        let is_next = self.left.front().is_some_and(fits);
        is_next.then(|| self.left.pop_front()).flatten()
    }

    /// Returns where the next one begins, if it stands inside.
    pub fn next_in(&self, span: &Range<usize>) -> Option<usize> {
        let start = self.left.front()?.span.start;
        span.contains(&start).then_some(start)
    }

    /// Tells if one stands inside.
    pub fn any_in(&self, span: &Range<usize>) -> bool {
        self.left.iter().any(|it| span.contains(&it.span.start))
    }
}

/// Returns how many characters stand before a byte in its line.
pub fn column(text: &str, at: usize) -> usize {
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    text[start..at].chars().count()
}

fn collect(node: &Yaml, scalars: &mut Vec<Range<usize>>) {
    match &node.content {
        Content::Scalar(_) => scalars.push(node.span.clone()),
        Content::List(items) => items.iter().for_each(|item| collect(item, scalars)),
        Content::Map(entries) => {
            for (key, value) in entries {
                collect(key, scalars);
                collect(value, scalars);
            }
        }
        Content::Broken => {}
    }
}

/// Puts a space behind the `#` of prose.
fn spaced(line: &str) -> String {
    let line = line.trim_end();
    match line.strip_prefix('#') {
        Some(rest) if rest.starts_with(char::is_alphanumeric) => format!("# {rest}"),
        Some(_) | None => line.to_owned(),
    }
}
