//! Consent for the channel and the purpose: a no always counts, and marketing needs a yes.

use crate::decide::guards::{Asked, Block};
use crate::domain::consent::{MARKETING, Status};
use crate::policy::journey::Class;

/// Blocks what the customer has not allowed.
pub fn check(asked: &Asked<'_>) -> Option<Block> {
    let consent = &asked.env.profile.consent;
    let (channel, own) = (asked.send.channel.as_ref(), asked.purpose());
    let marketing = asked.class() == Class::Marketing;
    let no = purposes(asked).into_iter().find_map(|purpose| {
        let status = consent
            .of(channel, purpose)
            .filter(|status| status.is_no())?;
        Some((purpose, status.as_str().unwrap_or_default()))
    });
    let unknown = || {
        let needs = marketing && asked.channel.asks_consent;
        let lacks = needs && consent.of(channel, own) != Some(Status::Granted);
        lacks.then_some((own, "unknown"))
    };
    let (purpose, status) = no.or_else(unknown)?;
    let detail = format!("profile.consent.{channel}.{purpose} [{status}]");
    Some(Block::new("NO_CONSENT", detail, None))
}

/// Writes what the customer has said of the purposes that count.
pub fn values(asked: &Asked<'_>) -> String {
    let channel = asked.send.channel.as_ref();
    let said = |purpose: &str| {
        let status = asked.env.profile.consent.of(channel, purpose);
        let status = status.and_then(Status::as_str).unwrap_or("unknown");
        format!("profile.consent.{channel}.{purpose} [{status}]")
    };
    let [own, besides] = purposes(asked);
    if own == besides {
        return said(own);
    }
    format!("{}; {}", said(own), said(besides))
}

/// Returns the purposes that a no to counts for: who wants no marketing wants none under another name.
fn purposes<'a>(asked: &'a Asked<'_>) -> [&'a str; 2] {
    let own = asked.purpose();
    let marketing = asked.class() == Class::Marketing;
    [own, if marketing { MARKETING } else { own }]
}
