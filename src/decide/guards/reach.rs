//! Suppression and reachability: whether there is an address, and whether it may be used.

use std::sync::Arc;

use crate::decide::env::Env;
use crate::decide::guards::{Asked, Block, address};
use crate::domain::Timestamp;
use crate::domain::suppression::Scope;

/// Blocks what is on the suppression list, whatever its class.
pub fn suppressed(asked: &Asked<'_>) -> Option<Block> {
    let address = asked.address();
    let (detail, until) = entry(&asked.env, &asked.send.channel, address.as_deref())?;
    Some(Block::new("SUPPRESSED", detail, until))
}

/// Says what of a channel is on the suppression list, for answers that are for the channel.
pub fn barred(env: &Env<'_>, channel: &str) -> Option<Arc<str>> {
    let declared = env.bundle.limits.channel(channel);
    let address = address(&declared, env.profile);
    let (detail, _) = entry(env, channel, address.as_deref())?;
    Some(detail.into())
}

fn entry(
    env: &Env<'_>,
    channel: &str,
    address: Option<&str>,
) -> Option<(String, Option<Timestamp>)> {
    let entry = env.profile.suppressed.against(channel, address, env.now)?;
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
    Some((detail, entry.until))
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
