//! Suppression and reachability: whether there is an address, and whether it may be used.

use crate::decide::guards::{Asked, Block};
use crate::domain::suppression::Scope;

/// Blocks what is on the suppression list, whatever its class.
pub fn suppressed(asked: &Asked<'_>) -> Option<Block> {
    let list = &asked.env.profile.suppressed;
    let entry = list.against(
        &asked.send.channel,
        asked.address().as_deref(),
        asked.env.now,
    )?;
    let what = match &entry.scope {
        Scope::All => "everything".to_owned(),
        Scope::Channel(channel) => format!("channel {channel}"),
        // The address itself is nobody's business who reads a trace.
        Scope::Address(_) => "this address".to_owned(),
    };
    let until = entry
        .until
        .map_or_else(|| "lifted".to_owned(), |until| until.to_string());
    let detail = format!("suppressed {what} [by {}, until {until}]", entry.by);
    Some(Block::new("SUPPRESSED", detail, entry.until))
}

/// Says how much is on the list; what stands there is nobody's business who reads a trace.
pub fn listed(asked: &Asked<'_>) -> String {
    match asked.env.profile.suppressed.iter().count() {
        0 => "nothing is on the list".into(),
        1 => "1 entry is on the list, of something else or over".into(),
        n => format!("{n} entries are on the list, of something else or over"),
    }
}

/// Says that there is an address, and not which.
pub fn known(asked: &Asked<'_>) -> String {
    let path = &asked.channel.address;
    if path.is_empty() {
        return String::new();
    }
    format!("profile.traits.{} [known]", path.join("."))
}

/// Blocks what has nowhere to go.
pub fn unreachable(asked: &Asked<'_>) -> Option<Block> {
    let path = &asked.channel.address;
    if path.is_empty() || asked.address().is_some() {
        return None;
    }
    let detail = format!("profile.traits.{} [unknown]", path.join("."));
    Some(Block::new("UNREACHABLE", detail, None))
}
