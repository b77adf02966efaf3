//! `split`: arms by chance.

use std::sync::Arc;

use crate::policy::compile::arms::Fork;
use crate::policy::compile::steps::{Flow, Spot};
use crate::policy::expr::shape::Shape;
use crate::policy::journey::{Act, Share};
use crate::policy::yaml::{Content, Yaml};

/// The result's name when the author gives none.
const BIND: &str = "split";
/// How far a sum of shares may be from 100%, so that three times 33.33..% can be written.
const SLACK: f64 = 1e-6;

/// Compiles a split: `{ a: 50%, b: 50% }`, or with arms that have steps; returns it and whether nobody goes on behind it.
pub fn split(flow: &mut Flow<'_>, node: &Yaml, spot: Spot<'_>) -> (Option<Act>, bool) {
    let Some(entries) = node.entries() else {
        let help = "write `split: { a: 50%, b: 50% }`, or `split: { arms: [..] }`";
        flow.desk
            .wrong_type(node, "`split` is a map of shares", help);
        return (None, false);
    };
    let bind = match node.entry("as") {
        Some((_, node)) => flow.desk.local(node),
        None => Some(BIND.into()),
    };
    let salt = match node.entry("salt") {
        Some((_, node)) => flow.desk.text(node, "`salt`"),
        None => Some("".into()),
    };
    // The arms' own steps see the result too.
    flow.bind(bind.as_ref(), Shape::Text);
    let mut fork = Fork::new(flow, spot);
    let shares = match node.entry("arms") {
        Some((_, arms)) => {
            flow.desk
                .fields(node, "`split` with `arms`", &["arms", "salt", "as"], &[]);
            long(flow, &mut fork, arms)
        }
        None => short(flow, &mut fork, entries),
    };
    let arms = shares.and_then(|shares| ends(flow, node, shares));
    let closed = fork.close(flow);
    let act = || {
        Some(Act::Split {
            salt: salt?,
            arms: arms?,
            bind: bind?,
        })
    };
    let act = act();
    let closed = closed && act.is_some();
    (act, closed)
}

/// An arm whose `end` is still its share.
fn short(flow: &mut Flow<'_>, fork: &mut Fork<'_>, entries: &[(Yaml, Yaml)]) -> Option<Vec<Share>> {
    let mut arms = Vec::new();
    for (key, value) in entries {
        if matches!(key.text().map(AsRef::as_ref), Some("as" | "salt")) {
            continue;
        }
        let name = flow.desk.name(key, "an arm");
        let share = share(flow, value);
        let first = fork.lay(flow, None, "");
        arms.push(arm(name, share, first));
    }
    arms.into_iter().collect()
}

fn long(flow: &mut Flow<'_>, fork: &mut Fork<'_>, node: &Yaml) -> Option<Vec<Share>> {
    let Content::List(items) = &node.content else {
        let help = "write `- name: ..` with `share: 50%` and `then: ..`";
        flow.desk.wrong_type(node, "`arms` is a list", help);
        return None;
    };
    let mut arms: Vec<Option<Share>> = Vec::new();
    for (k, item) in items.iter().enumerate() {
        let known = ["name", "share", "then"];
        let fields = flow.desk.fields(item, "an arm", &known, &[])?;
        let name_node = flow.desk.need(&fields, "name");
        let name = name_node.and_then(|node| flow.desk.name(node, "an arm"));
        let share_node = flow.desk.need(&fields, "share");
        let share = share_node.and_then(|node| share(flow, node));
        let same = |arm: &Share| name.as_ref() == Some(&arm.name);
        if let (Some(name), Some(node)) = (&name, name_node)
            && arms.iter().flatten().any(same)
        {
            let message = format!("arm `{name}` is declared twice");
            let help = "give every arm a name of its own";
            flow.desk
                .advise("duplicate_name", node.span.clone(), message, help);
        }
        let first = fork.lay(flow, fields.get("then"), &format!("split.{k}"));
        arms.push(arm(name, share, first));
    }
    arms.into_iter().collect()
}

fn arm(name: Option<Arc<str>>, share: Option<f64>, first: Option<usize>) -> Option<Share> {
    Some(Share {
        name: name?,
        end: share?,
        first,
    })
}

/// Reads `50%`; returns `0.5`.
fn share(flow: &mut Flow<'_>, node: &Yaml) -> Option<f64> {
    let text = flow.desk.text(node, "a share")?;
    let digits = |text: &&str| {
        text.bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
    };
    let percent = text.strip_suffix('%').map(str::trim).filter(digits);
    let percent = percent.and_then(|number| number.parse::<f64>().ok());
    let share = percent.filter(|percent| *percent <= 100.0);
    if share.is_none() {
        let message = format!("`{text}` is not a share of the customers");
        let help = "write a percentage from 0 to 100: `50%`";
        flow.desk
            .advise("bad_value", node.span.clone(), message, help);
    }
    share.map(|percent| percent / 100.0)
}

/// Adds the shares up, so that every arm knows where its part ends; together they are everybody.
fn ends(flow: &mut Flow<'_>, node: &Yaml, mut arms: Vec<Share>) -> Option<Vec<Share>> {
    let mut sum = 0.0;
    for arm in &mut arms {
        sum += arm.end;
        arm.end = sum;
    }
    if (sum - 1.0).abs() > SLACK {
        let percent = (sum * 1e8).round() / 1e6;
        let message = format!("the shares add up to {percent}%, not to 100%");
        let help = "let them be everybody: an arm whose people just go on is one, too";
        flow.desk
            .advise("bad_value", node.span.clone(), message, help);
        return None;
    }
    // INVARIANT: a draw below 1 finds an arm, however the sum was rounded.
    arms.last_mut()?.end = 1.0;
    Some(arms)
}
