//! Maps with known keys.

use std::ops::Range;

use crate::policy::compile::desk::{Desk, list};
use crate::policy::suggest;
use crate::policy::yaml::Yaml;

/// The entries of a map whose keys were checked.
pub struct Fields<'y> {
    /// How messages call the map.
    what: String,
    known: Vec<String>,
    entries: &'y [(Yaml, Yaml)],
    /// Where a missing key is reported.
    at: Range<usize>,
}

impl<'y> Fields<'y> {
    /// Returns a value; an empty one was reported and counts as absent.
    pub fn get(&self, key: &str) -> Option<&'y Yaml> {
        let (_, value) = self.entry(key)?;
        Some(value).filter(|value| !value.is_nothing() && !value.is_broken())
    }

    /// Tells if the key is there, whatever its value.
    pub fn has(&self, key: &str) -> bool {
        self.entry(key).is_some()
    }

    /// Tells if a key was written that suggests this one: one mistake is reported once.
    fn misspells(&self, key: &str) -> bool {
        let written = self
            .entries
            .iter()
            .filter_map(|(written, _)| written.text());
        let mut others =
            written.filter(|written| !self.known.iter().any(|it| it.as_str() == written.as_ref()));
        others.any(|written| suggest::nearest(written, [key]).is_some())
    }

    fn entry(&self, key: &str) -> Option<&'y (Yaml, Yaml)> {
        let is_it = |entry: &&(Yaml, Yaml)| entry.0.text().is_some_and(|text| text.as_ref() == key);
        self.entries.iter().find(is_it)
    }
}

impl Desk {
    /// Opens a map and checks its keys: `later` ones are known and not there yet.
    pub fn fields<'y>(
        &mut self,
        node: &'y Yaml,
        what: &str,
        known: &[&str],
        later: &[&str],
    ) -> Option<Fields<'y>> {
        let Some(entries) = node.entries() else {
            let help = format!("write it with keys: {}", list(known));
            self.wrong_type(node, &format!("{what} is a map"), &help);
            return None;
        };
        for (key, value) in entries {
            self.check_key(key, value, what, known, later);
        }
        let at = entries
            .first()
            .map_or_else(|| node.span.clone(), |(key, _)| key.span.clone());
        let what = what.to_owned();
        let known = known.iter().map(|key| (*key).to_owned()).collect();
        Some(Fields {
            what,
            known,
            entries,
            at,
        })
    }

    fn check_key(&mut self, key: &Yaml, value: &Yaml, what: &str, known: &[&str], later: &[&str]) {
        let Some(name) = key.text() else { return };
        let name = name.as_ref();
        if later.contains(&name) {
            let help = format!("leave it out; keys of {what} are {}", list(known));
            self.advise(
                "not_supported",
                key.span.clone(),
                format!("`{name}` is not supported yet"),
                help,
            );
        } else if !known.contains(&name) {
            let hint = suggest::hint(name, known.iter().copied());
            let help = format!("keys of {what} are {}", list(known));
            self.advise(
                "unknown_key",
                key.span.clone(),
                format!("unknown key `{name}` in {what}{hint}"),
                help,
            );
        } else if value.is_nothing() {
            let help = "write a value, or remove the key; what belongs to it is indented deeper";
            self.advise(
                "missing_value",
                key.span.clone(),
                format!("`{name}` has no value"),
                help,
            );
        }
    }

    /// Returns a value that must be there.
    pub fn need<'y>(&mut self, fields: &Fields<'y>, key: &str) -> Option<&'y Yaml> {
        if !fields.has(key) && !fields.misspells(key) {
            let message = format!("`{key}` is missing in {}", fields.what);
            self.advise(
                "missing_key",
                fields.at.clone(),
                message,
                format!("add `{key}: ..`"),
            );
        }
        fields.get(key)
    }
}
