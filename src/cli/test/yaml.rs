//! What is expected, written as an author would.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::domain::Value;
use crate::policy::test::{Sent, Wanted};

/// Writes the value of an expectation.
pub fn value(wanted: &Wanted) -> String {
    match wanted {
        Wanted::Sent(sent) | Wanted::WouldSend(sent) => {
            some(&sent.iter().map(send).collect::<Vec<_>>())
        }
        Wanted::State(state) => state.as_str().into(),
        Wanted::AtStep(text) | Wanted::Reason(text) => scalar(text),
        Wanted::Runs(n) => n.to_string(),
        Wanted::Blocked(codes) | Wanted::Refused(codes) => some(&texts(codes)),
        Wanted::Offer(None) | Wanted::Next(None) => "none".into(),
        Wanted::Offer(Some(id)) => scalar(id),
        Wanted::Offers(ids) => {
            let ids: Vec<String> = ids.iter().map(|id| scalar(id)).collect();
            if ids.is_empty() {
                "none".into()
            } else {
                list(&ids)
            }
        }
        Wanted::Lost(lost) => {
            let pairs = lost.iter().map(|(id, code)| (scalar(id), code.to_string()));
            map(pairs)
        }
        Wanted::Segments(inside, outside) => {
            let sides = [("in", inside), ("out", outside)];
            let named = sides.into_iter().filter(|(_, names)| !names.is_empty());
            map(named.map(|(key, names)| (key.into(), list(&texts(names)))))
        }
        Wanted::Trait(_, value) => plain(value),
        Wanted::Next(Some(at)) => at.to_string(),
    }
}

/// Writes an expectation with its key.
pub fn entry(wanted: &Wanted) -> String {
    match wanted {
        Wanted::Trait(path, _) => format!("traits: {{ {}: {} }}", scalar(path), value(wanted)),
        Wanted::Sent(_)
        | Wanted::WouldSend(_)
        | Wanted::State(_)
        | Wanted::AtStep(_)
        | Wanted::Reason(_)
        | Wanted::Runs(_)
        | Wanted::Blocked(_)
        | Wanted::Refused(_)
        | Wanted::Offer(_)
        | Wanted::Offers(_)
        | Wanted::Lost(_)
        | Wanted::Segments(..)
        | Wanted::Next(_) => format!("{}: {}", wanted.key(), value(wanted)),
    }
}

fn send(sent: &Sent) -> String {
    let Sent {
        template,
        channel,
        with,
    } = sent;
    if channel.is_none() && with.is_none() {
        return scalar(template);
    }
    let channel = channel.iter().map(|it| ("channel".into(), scalar(it)));
    let with = with.iter().map(|with| {
        let pairs = with
            .iter()
            .map(|(path, value)| (scalar(path), plain(value)));
        ("with".into(), map(pairs))
    });
    let template = ("template".into(), scalar(template));
    map([template].into_iter().chain(channel).chain(with))
}

/// Writes none as `none` and one without brackets.
fn some(items: &[String]) -> String {
    match items {
        [] => "none".into(),
        [one] => one.clone(),
        [_, _, ..] => list(items),
    }
}

fn texts(names: &BTreeSet<Arc<str>>) -> Vec<String> {
    names.iter().map(|name| scalar(name)).collect()
}

fn list(items: &[String]) -> String {
    format!("[{}]", items.join(", "))
}

fn map(pairs: impl Iterator<Item = (String, String)>) -> String {
    let pairs: Vec<String> = pairs
        .map(|(key, value)| format!("{key}: {value}"))
        .collect();
    if pairs.is_empty() {
        return "{}".into();
    }
    format!("{{ {} }}", pairs.join(", "))
}

/// Writes plain data.
pub fn plain(value: &Value) -> String {
    match value {
        Value::Text(text) => scalar(text),
        Value::List(items) => list(&items.iter().map(plain).collect::<Vec<_>>()),
        Value::Map(entries) => map(entries.iter().map(|(key, it)| (scalar(key), plain(it)))),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// Writes a text, in quotes where YAML would read it otherwise.
pub fn scalar(text: &str) -> String {
    const WORDS: [&str; 8] = ["true", "false", "null", "yes", "no", "on", "off", "y"];
    let starts = text.starts_with(|c: char| c.is_alphabetic());
    let ends = !text.ends_with(' ');
    let letters = |c: char| c.is_alphanumeric() || "-_. /+@".contains(c);
    let is_word = WORDS.contains(&text.to_ascii_lowercase().as_str()) || text == "n";
    if starts && ends && text.chars().all(letters) && !is_word {
        return text.into();
    }
    Value::text(text).to_string()
}
