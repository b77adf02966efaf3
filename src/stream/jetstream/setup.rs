//! Opening: the server's version, the six streams, and what they survive.

use std::time::Duration;

use async_nats::jetstream::stream::{
    Config, DiscardPolicy, Info, PersistenceMode, RetentionPolicy, StorageType, SubjectTransform,
};
use serde_json::json;

use super::super::layout::{Layout, Stream};
use super::super::{Durability, Error, Extent, Opened};
use super::request::{Failure, request};
use super::{Shared, varz};
use crate::domain::Timestamp;

/// Opens; see [`super::Streams::open`].
pub(super) async fn open(shared: &Shared) -> Result<Opened, Error> {
    let timeout = shared.options.connect.timeout;
    let answered = tokio::time::timeout(timeout, shared.client.flush()).await;
    if !matches!(answered, Ok(Ok(()))) {
        let state = shared.link.health(&shared.client);
        let why = state.err().unwrap_or_else(|| "no answer in time".into());
        return Err(Error::Unreachable(why));
    }
    let server = shared.client.server_info();
    check_version(&server.version).map_err(Error::Setup)?;
    let mut created = None;
    for stream in Stream::ALL {
        let info = ensure(shared, stream).await?;
        if stream == Stream::Events {
            created = Some(created_at(&info));
        }
    }
    Ok(Opened {
        durability: durability(shared).await?,
        server_version: server.version,
        payload_max: shared.client.max_payload(),
        n_partitions: shared.layout().n_partitions,
        created: created.unwrap_or(Timestamp::MIN),
    })
}

/// Returns the extent of the event stream.
pub(super) async fn extent(shared: &Shared) -> Result<Extent, Error> {
    let info = info(shared, &shared.name(Stream::Events)).await?;
    Ok(Extent {
        first_seq: info.state.first_sequence.max(1),
        last_seq: info.state.last_sequence,
        created: created_at(&info),
        n_partitions: partitions(&info.config).unwrap_or(shared.layout().n_partitions),
    })
}

/// Asks for the state of a stream.
pub(super) async fn info(shared: &Shared, name: &str) -> Result<Info, Failure> {
    request(shared, format!("STREAM.INFO.{name}"), &json!({})).await
}

fn created_at(info: &Info) -> Timestamp {
    let millis = info.created.unix_timestamp_nanos() / 1_000_000;
    Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
}

/// Demands a version without the races of deduplication after a change of leader.
///
/// Source: nats-server pull request 8106, in 2.12.9 and 2.14.1.
pub(in crate::stream) fn check_version(version: &str) -> Result<(), String> {
    let mut numbers = version
        .split(['.', '-', '+'])
        .map_while(|part| part.parse::<u32>().ok());
    let mut next = || numbers.next().unwrap_or(0);
    let found = (next(), next(), next());
    let good = match found {
        (2, 12, patch) => patch >= 9,
        (2, 13, _) => false,
        found => found >= (2, 14, 1),
    };
    if good {
        return Ok(());
    }
    Err(format!(
        "nats-server {version} is not supported, 2.12.9 or later of 2.12, or 2.14.1 or later is needed: \
         others may lose or double messages when a leader changes"
    ))
}

/// Creates a stream that is missing; checks one that is there.
async fn ensure(shared: &Shared, stream: Stream) -> Result<Info, Error> {
    let want = config(shared.layout(), stream);
    let found = match info(shared, &want.name).await {
        Err(Failure::NotFound(_)) => {
            request(shared, format!("STREAM.CREATE.{}", want.name), &want).await
        }
        found => found,
    };
    let found = found?;
    check(&want, &found.config).map_err(Error::Setup)?;
    Ok(found)
}

/// Returns what a stream must be.
pub(in crate::stream) fn config(layout: &Layout, stream: Stream) -> Config {
    let takes = layout.takes(stream);
    let is_events = stream == Stream::Events;
    let transform = is_events.then(|| SubjectTransform {
        source: takes.clone(),
        destination: layout.stored_as(),
    });
    let bytes_max = layout.limits.events_bytes.filter(|_| is_events);
    Config {
        name: layout.name(stream),
        subjects: vec![takes],
        subject_transform: transform,
        retention: RetentionPolicy::Limits,
        storage: StorageType::File,
        // Full: the publisher hears of it. Nothing that is not read is dropped for room.
        discard: DiscardPolicy::New,
        num_replicas: layout.replicas,
        duplicate_window: layout.limits.duplicate_window,
        max_age: layout.age(stream).unwrap_or(Duration::ZERO),
        max_bytes: bytes_max.map_or(-1, |bytes| i64::try_from(bytes).unwrap_or(i64::MAX)),
        max_messages: -1,
        max_messages_per_subject: -1,
        max_message_size: -1,
        allow_direct: true,
        ..Config::default()
    }
}

/// Compares what a stream must be with what it is.
pub(in crate::stream) fn check(want: &Config, have: &Config) -> Result<(), String> {
    let name = &want.name;
    if let (Some(wanted), Some(there)) = (partitions(want), partitions(have))
        && wanted != there
    {
        return Err(format!(
            "stream {name} was created with {there} partitions, the configuration says {wanted}; \
             the number is fixed for the life of the streams: set it back to {there}, or use another prefix"
        ));
    }
    let differences: Vec<String> = settings(want)
        .into_iter()
        .zip(settings(have))
        .filter(|(wanted, there)| wanted != there)
        .map(|((what, wanted), (_, there))| {
            format!("`{what}` is {there}, the configuration says {wanted}")
        })
        .collect();
    if differences.is_empty() {
        return Ok(());
    }
    Err(format!(
        "stream {name} is there with other settings: {}; change the configuration, or the stream with \
         `nats stream edit`",
        differences.join("; ")
    ))
}

/// Reads the number of partitions that the event stream was created with.
fn partitions(config: &Config) -> Option<u16> {
    let transform = config.subject_transform.as_ref()?;
    let (_, rest) = transform.destination.split_once("partition(")?;
    rest.split_once(',')?.0.trim().parse().ok()
}

/// Returns the settings that matter, by name, as text for people.
fn settings(config: &Config) -> Vec<(&'static str, String)> {
    let transform = config.subject_transform.as_ref();
    let transform = transform.map(|it| format!("{} → {}", it.source, it.destination));
    let is_async = config.persist_mode == Some(PersistenceMode::Async);
    let unlimited = |limit: i64| {
        if limit <= 0 {
            "unlimited".into()
        } else {
            limit.to_string()
        }
    };
    vec![
        ("subjects", config.subjects.join(" ")),
        (
            "subject_transform",
            transform.unwrap_or_else(|| "none".into()),
        ),
        ("retention", format!("{:?}", config.retention)),
        ("storage", format!("{:?}", config.storage)),
        ("discard", format!("{:?}", config.discard)),
        ("num_replicas", config.num_replicas.to_string()),
        ("duplicate_window", format!("{:?}", config.duplicate_window)),
        ("max_age", format!("{:?}", config.max_age)),
        ("max_bytes", unlimited(config.max_bytes)),
        ("max_msgs", unlimited(config.max_messages)),
        (
            "max_msgs_per_subject",
            unlimited(config.max_messages_per_subject),
        ),
        ("max_msg_size", unlimited(config.max_message_size.into())),
        ("allow_direct", config.allow_direct.to_string()),
        ("no_ack", config.no_ack.to_string()),
        ("sealed", config.sealed.to_string()),
        ("deny_purge", config.deny_purge.to_string()),
        ("persist_mode async", is_async.to_string()),
        ("mirror", config.mirror.is_some().to_string()),
        ("sources", config.sources.is_some().to_string()),
    ]
}

/// Finds what an acknowledged message survives; refuses less than is required.
async fn durability(shared: &Shared) -> Result<Durability, Error> {
    let syncs_always = match &shared.options.varz_url {
        Some(url) => varz::syncs_always(url).await?,
        None => false,
    };
    let found = match (shared.layout().replicas, syncs_always) {
        (3.., _) => Durability::Machine,
        (_, true) => Durability::Power,
        (_, false) => Durability::Process,
    };
    let required = shared.options.require_durability;
    if found >= required {
        return Ok(found);
    }
    Err(Error::Setup(format!(
        "durability `{required}` is required, but what is proved is `{found}`: set `sync_interval: always` \
         in nats-server and name its monitoring page (`varz_url`), or use 3 replicas"
    )))
}
