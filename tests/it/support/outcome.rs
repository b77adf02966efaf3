//! What a run came to: what left, and what is known of everybody.

use std::collections::BTreeMap;

use async_nats::jetstream::stream::Stream;
use attune::actors::census;
use attune::actors::packing::Packing;
use attune::domain::{Partition, Profile};
use attune::store::{self, Table};
use futures::StreamExt;

use super::process::Site;
use super::workload::PARTITIONS;

/// What left a run and what it knows; equal for runs that differ in their crashes alone.
#[derive(Debug, Default, PartialEq)]
pub struct Outcome {
    /// By id: payload and how often it is there.
    pub actions: Left,
    /// By id: payload and how often it is there.
    pub decisions: Left,
    /// By id: payload and how often it is there.
    pub crossings: Left,
    /// By reason and original bytes, which are different for each: how often they are there.
    pub dead: Left,
    /// By customer.
    pub profiles: BTreeMap<String, Profile>,
}

/// What is in a stream, by id: the payload, and how often it is there.
pub type Left = BTreeMap<String, (String, usize)>;

impl Outcome {
    /// Reads what a site has come to; its server must have stopped.
    pub async fn of(site: &Site) -> Self {
        let by_id = |header: &str, _: &str| header.to_owned();
        // The sequence of a dead letter's event depends on what was forwarded when: it stands for nothing.
        let by_bytes = |_: &str, payload: &str| payload.to_owned();
        Self {
            actions: read(site, "ATTUNE_ACTIONS", "Nats-Msg-Id", by_id).await,
            decisions: read(site, "ATTUNE_DECISIONS", "Nats-Msg-Id", by_id).await,
            crossings: read(site, "ATTUNE_SEGMENTS", "Nats-Msg-Id", by_id).await,
            dead: read(site, "ATTUNE_DLQ", "Attune-Reason", by_bytes).await,
            profiles: profiles(site),
        }
    }

    /// Fails with the first difference.
    pub fn must_be(&self, expected: &Self, what: &str) {
        same("actions", &self.actions, &expected.actions, what);
        same("decisions", &self.decisions, &expected.decisions, what);
        same("crossings", &self.crossings, &expected.crossings, what);
        same("dead letters", &self.dead, &expected.dead, what);
        for (customer, profile) in &expected.profiles {
            assert_eq!(
                self.profiles.get(customer),
                Some(profile),
                "{what}: {customer}"
            );
        }
        assert_eq!(
            self.profiles.len(),
            expected.profiles.len(),
            "{what}: customers"
        );
    }
}

fn same(of: &str, found: &Left, expected: &Left, what: &str) {
    let lost: Vec<_> = expected
        .iter()
        .filter(|(id, _)| !found.contains_key(*id))
        .take(5)
        .collect();
    assert!(lost.is_empty(), "{what}: {of} were lost: {lost:#?}");
    for (id, left) in found {
        assert_eq!(left.1, 1, "{what}: {of}: more than once: {id} {}", left.0);
        assert_eq!(Some(left), expected.get(id), "{what}: {of}: {id}");
    }
}

async fn stream(site: &Site, name: &str) -> Stream {
    let client = async_nats::connect(site.nats.url()).await;
    let context = async_nats::jetstream::new(client.expect("nats-server is there"));
    context.get_stream(name).await.expect("the stream is there")
}

/// Returns how many messages a stream has ever had.
pub async fn last_seq(site: &Site, name: &str) -> u64 {
    stream(site, name).await.cached_info().state.last_sequence
}

/// Returns how many probes of a name have sent their actions.
pub async fn n_answered(site: &Site, name: &str) -> usize {
    let stream = stream(site, "ATTUNE_ACTIONS").await;
    let subject = format!("attune.actions.probe.{name}");
    let mut subjects = stream
        .info_with_subjects(subject)
        .await
        .expect("the subjects are counted");
    subjects
        .next()
        .await
        .map_or(0, |count| count.expect("a count").1)
}

async fn read(site: &Site, name: &str, header: &str, key: impl Fn(&str, &str) -> String) -> Left {
    let stream = stream(site, name).await;
    let mut left = Left::new();
    for seq in 1..=stream.cached_info().state.last_sequence {
        let message = stream
            .direct_get(seq)
            .await
            .expect("every message is there");
        let header = message
            .headers
            .get(header)
            .map(|value| value.as_str().to_owned());
        let header = header.expect("every message has the header");
        let payload = String::from_utf8_lossy(&message.payload).into_owned();
        let entry = left
            .entry(key(&header, &payload))
            .or_insert_with(|| (format!("{header} {payload}"), 0));
        assert_eq!(
            entry.0,
            format!("{header} {payload}"),
            "one id, two payloads"
        );
        entry.1 += 1;
    }
    left
}

/// Reads every profile from the store, as the last checkpoint left it.
fn profiles(site: &Site) -> BTreeMap<String, Profile> {
    let options = store::Options {
        cache_bytes: 16 << 20,
        ..store::Options::default()
    };
    let store = store::open(site.engine, &site.data(), &options).expect("the store opens");
    let packing = Packing::load(store.as_ref()).expect("the dictionaries can be read");
    for id in (0..PARTITIONS).map(Partition) {
        let counted = census::count(store.as_ref(), &packing, id).expect("images can be read");
        let kept = census::load(store.as_ref(), &packing, id).expect("the census can be read");
        assert_eq!(kept, counted, "where people are");
    }
    let rows = store.scan(Table::Customers, &[]..&[], usize::MAX);
    let rows = rows.expect("the store can be read");
    let open = |(_, row): (Vec<u8>, Vec<u8>)| {
        let (_, profile) = packing.open(&row).expect("an image can be read");
        (profile.id.to_string(), profile)
    };
    rows.into_iter().map(open).collect()
}
