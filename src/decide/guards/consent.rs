//! Consent for the channel and the purpose: a no always counts, and marketing needs a yes.

use crate::decide::env::Env;
use crate::decide::guards::{Asked, Block};
use crate::domain::consent::{MARKETING, Status};
use crate::policy::journey::Class;
use crate::policy::limits::Channel;

/// Consent that is missing.
pub struct Permit<'a> {
    /// For what.
    pub purpose: &'a str,
    /// How it stands.
    pub status: &'static str,
}

/// Blocks what the customer has not allowed.
pub fn check(asked: &Asked<'_>) -> Option<Block> {
    let channel = asked.send.channel.as_ref();
    let marketing = asked.class() == Class::Marketing;
    let missing = missing(
        &asked.env,
        (channel, &asked.channel),
        asked.purpose(),
        marketing,
    );
    let Permit { purpose, status } = missing?;
    let detail = format!("profile.consent.{channel}.{purpose} [{status}]");
    Some(Block::new("NO_CONSENT", detail, None))
}

/// Returns the consent that an answer for a channel lacks.
///
/// - `purpose`: `transactional` and `mandatory` need no yes; everything else is marketing.
pub fn permit<'a>(env: &Env<'_>, channel: &str, purpose: &'a str) -> Option<Permit<'a>> {
    let others = [Class::Transactional, Class::Mandatory];
    let marketing = others.iter().all(|class| class.as_str() != purpose);
    let declared = env.bundle.limits.channel(channel);
    missing(env, (channel, &declared), purpose, marketing)
}

fn missing<'a>(
    env: &Env<'_>,
    (name, channel): (&str, &Channel),
    own: &'a str,
    marketing: bool,
) -> Option<Permit<'a>> {
    let consent = &env.profile.consent;
    let no = both(own, marketing).into_iter().find_map(|purpose| {
        let status = consent.of(name, purpose).filter(|status| status.is_no())?;
        let status = status.as_str().unwrap_or_default();
        Some(Permit { purpose, status })
    });
    let unknown = || {
        let needs = marketing && channel.asks_consent;
        let lacks = needs && consent.of(name, own) != Some(Status::Granted);
        lacks.then_some(Permit {
            purpose: own,
            status: "unknown",
        })
    };
    no.or_else(unknown)
}

/// Writes what the customer has said of the purposes that count.
pub fn values(asked: &Asked<'_>) -> String {
    let channel = asked.send.channel.as_ref();
    let said = |purpose: &str| {
        let status = asked.env.profile.consent.of(channel, purpose);
        let status = status.and_then(Status::as_str).unwrap_or("unknown");
        format!("profile.consent.{channel}.{purpose} [{status}]")
    };
    let [own, besides] = both(asked.purpose(), asked.class() == Class::Marketing);
    if own == besides {
        return said(own);
    }
    format!("{}; {}", said(own), said(besides))
}

/// Returns the purposes that a no to counts for: who wants no marketing wants none under another name.
fn both(own: &str, marketing: bool) -> [&str; 2] {
    [own, if marketing { MARKETING } else { own }]
}
