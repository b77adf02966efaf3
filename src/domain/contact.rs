//! Sends that count against frequency caps: reserved by the decision, confirmed or released by feedback.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::domain::{Duration, Timestamp, Value};

/// The track event by which a channel says that an action arrived: `action_id`.
pub const CONFIRMED: &str = "Delivery Confirmed";
/// The track event by which a channel says that an action will never arrive: `action_id`; `definite: false` if it may yet.
pub const FAILED: &str = "Delivery Failed";

/// One send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Fingerprint of the action's id.
    pub action: u64,
    /// When it was decided.
    pub at: Timestamp,
    /// It arrived: no failure releases it any more.
    pub confirmed: bool,
}

/// What a channel says of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Fingerprint of the action's id.
    pub action: u64,
    /// It arrived; else it never will.
    pub arrived: bool,
}

impl Delivery {
    /// Reads the feedback of an event; a failure that is not definite says nothing.
    pub fn read(event: &str, properties: &Value) -> Option<Self> {
        let arrived = match event {
            CONFIRMED => true,
            FAILED if properties.get("definite") != Some(&Value::Bool(false)) => false,
            _ => return None,
        };
        let action = fingerprint(properties.get("action_id")?.as_str()?);
        Some(Self { action, arrived })
    }
}

/// Stands for an action's id.
pub fn fingerprint(action_id: &str) -> u64 {
    xxh3_64(action_id.as_bytes())
}

/// The counted sends by channel, by time; as many as the caps allow within their longest window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Contacts(BTreeMap<Arc<str>, Vec<Contact>>);

impl Contacts {
    /// Reserves a place; what is older than `keep` is forgotten.
    pub fn reserve(&mut self, channel: &Arc<str>, action: u64, at: Timestamp, keep: Duration) {
        let contacts = self.0.entry(channel.clone()).or_default();
        contacts.retain(|contact| contact.at > at - keep);
        contacts.push(Contact {
            action,
            at,
            confirmed: false,
        });
    }

    /// Confirms a place, or releases it.
    pub fn settle(&mut self, delivery: Delivery) {
        for contacts in self.0.values_mut() {
            contacts.retain(|contact| {
                delivery.arrived || contact.confirmed || contact.action != delivery.action
            });
            let own = contacts
                .iter_mut()
                .filter(|contact| contact.action == delivery.action);
            own.for_each(|contact| contact.confirmed = true);
        }
        self.0.retain(|_, contacts| !contacts.is_empty());
    }

    /// Returns when the sends after a time were decided, in order.
    ///
    /// - `channel`: `None` counts every channel.
    pub fn after(&self, edge: Timestamp, channel: Option<&str>) -> Vec<Timestamp> {
        let of = self
            .0
            .iter()
            .filter(|(of, _)| channel.is_none_or(|channel| of.as_ref() == channel));
        let times = of
            .flat_map(|(_, contacts)| contacts)
            .map(|contact| contact.at);
        let mut times: Vec<Timestamp> = times.filter(|at| *at > edge).collect();
        times.sort_unstable();
        times
    }

    /// Returns when the last send was decided.
    pub fn last_at(&self) -> Option<Timestamp> {
        let all = self.0.values().flatten();
        all.map(|contact| contact.at).max()
    }

    /// Returns the sends by channel.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[Contact])> {
        self.0
            .iter()
            .map(|(channel, contacts)| (channel.as_ref(), contacts.as_slice()))
    }
}
