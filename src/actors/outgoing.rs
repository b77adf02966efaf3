//! What a commit lets leave, as messages.

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;

use crate::actors::engine::Engine;
use crate::actors::record::{Commit, Dead, Forward};
use crate::domain::{Action, Answer, Crossing, CustomerId, EventId, Map};
use crate::stream::{Delivery, Lane, Outgoing};

/// Something that leaves; what is in the event stream is read when its turn comes.
#[derive(Clone, Debug)]
pub enum Item {
    /// A message.
    Ready(Box<Outgoing>),
    /// An event that could not be handled.
    Dead(Dead),
    /// An event of another partition.
    Forward(Forward),
}

/// Returns everything that leaves because of a commit, in order.
pub fn items(engine: &Engine, commit: &Commit) -> Vec<Item> {
    let ready = |out| Item::Ready(Box::new(out));
    let mut items = Vec::new();
    items.extend(
        commit
            .actions
            .iter()
            .map(|action| ready(of_action(engine, action))),
    );
    items.extend(
        commit
            .answers
            .iter()
            .map(|answer| ready(of_answer(engine, answer))),
    );
    items.extend(
        commit
            .crossings
            .iter()
            .map(|crossing| ready(of_crossing(engine, crossing))),
    );
    items.extend(commit.dead.iter().cloned().map(Item::Dead));
    items.extend(commit.forwards.iter().cloned().map(Item::Forward));
    items
}

impl Item {
    /// Returns the id and the lane under which it is published.
    pub fn id(&self, engine: &Engine) -> (Lane, String) {
        match self {
            Self::Ready(out) => (out.lane, out.id.clone()),
            Self::Dead(dead) => (
                Lane::DeadLetters,
                format!("dlq-{}-{}", engine.created, dead.seq),
            ),
            Self::Forward(to) => (Lane::Events, format!("fwd-{}-{}", engine.created, to.seq)),
        }
    }

    /// Returns the lane in which it is published.
    pub fn lane(&self) -> Lane {
        match self {
            Self::Ready(out) => out.lane,
            Self::Dead(_) => Lane::DeadLetters,
            Self::Forward(_) => Lane::Events,
        }
    }

    /// Returns the sequence of the event whose bytes are needed.
    pub fn needs(&self) -> Option<u64> {
        match self {
            Self::Ready(_) => None,
            Self::Dead(dead) => Some(dead.seq),
            Self::Forward(forward) => Some(forward.seq),
        }
    }

    /// Makes the message; `event` is what [`Item::needs`] asked for, if it is still there.
    pub fn message(&self, engine: &Engine, event: Option<Delivery>) -> Option<Outgoing> {
        match self {
            Self::Ready(out) => Some((**out).clone()),
            Self::Dead(dead) => Some(of_dead(engine, dead, event, self.id(engine).1)),
            Self::Forward(to) => {
                let event = event?;
                let subject = format!("{}.events.{}", engine.prefix, to.token);
                let mut headers = vec![("Attune-Event-Id", header(to.event.as_str()))];
                headers.extend(
                    event
                        .traceparent
                        .map(|id| ("traceparent", id.into_string())),
                );
                let (lane, id) = self.id(engine);
                Some(Outgoing {
                    lane,
                    subject,
                    id,
                    headers,
                    payload: event.payload,
                })
            }
        }
    }
}

fn of_action(engine: &Engine, action: &Action) -> Outgoing {
    let subject = format!(
        "{}.actions.{}.{}",
        engine.prefix, action.channel, action.journey
    );
    let mut headers = vec![("Content-Type", "application/json".to_owned())];
    headers.extend(
        action
            .traceparent
            .iter()
            .map(|id| ("traceparent", id.to_string())),
    );
    let shown = Shown {
        action_id: &action.action_id,
        channel: &action.channel,
        customer: &action.customer,
        data: &action.data,
        decided_at: action.decided_at.to_string(),
        event_id: &action.event_id,
        instance: action.instance,
        journey: &action.journey,
        key: &action.key,
        step: &action.step,
        template: &action.template,
        trace: &action.trace,
    };
    let id = action.action_id.to_string();
    // Text under text keys: there is nothing that could fail.
    let payload = serde_json::to_vec(&shown).unwrap_or_default();
    message(Lane::Actions, subject, id, headers, payload)
}

/// An action as subscribers see it.
#[derive(Serialize)]
struct Shown<'a> {
    action_id: &'a str,
    channel: &'a str,
    customer: &'a CustomerId,
    data: &'a Map,
    decided_at: String,
    event_id: &'a EventId,
    instance: u32,
    journey: &'a str,
    key: &'a str,
    step: &'a str,
    template: &'a str,
    trace: &'a [Arc<str>],
}

fn of_answer(engine: &Engine, answer: &Answer) -> Outgoing {
    let subject = format!("{}.decisions.{}", engine.prefix, answer.placement);
    let headers = vec![("Content-Type", "application/json".to_owned())];
    let id = answer.decision_id.to_string();
    message(
        Lane::Decisions,
        subject,
        id,
        headers,
        answer.to_json(true).into_bytes(),
    )
}

fn of_crossing(engine: &Engine, crossing: &Crossing) -> Outgoing {
    let (segment, way) = (&crossing.segment, crossing.way.as_str());
    let subject = format!("{}.segments.{segment}.{way}", engine.prefix);
    let mut headers = vec![("Content-Type", "application/json".to_owned())];
    let traceparent = crossing.traceparent.iter();
    headers.extend(traceparent.map(|id| ("traceparent", id.to_string())));
    let id = crossing.crossing_id.to_string();
    message(
        Lane::Segments,
        subject,
        id,
        headers,
        crossing.to_json().into_bytes(),
    )
}

fn message(
    lane: Lane,
    subject: String,
    id: String,
    headers: Vec<(&'static str, String)>,
    payload: Vec<u8>,
) -> Outgoing {
    let payload = Bytes::from(payload);
    Outgoing {
        lane,
        subject,
        id,
        headers,
        payload,
    }
}

fn of_dead(engine: &Engine, dead: &Dead, event: Option<Delivery>, id: String) -> Outgoing {
    let mut headers = vec![
        ("Attune-Reason", dead.reason.clone()),
        ("Attune-Error", header(&dead.error)),
        ("Attune-Stream-Seq", dead.seq.to_string()),
    ];
    let payload = match event {
        // The headers count towards the largest message, too.
        Some(event) if event.payload.len() + 4_096 <= engine.payload_max => event.payload,
        Some(_) => {
            headers.push((
                "Attune-Payload",
                "too large; read it from the event stream".into(),
            ));
            Bytes::new()
        }
        None => {
            headers.push(("Attune-Payload", "gone from the event stream".into()));
            Bytes::new()
        }
    };
    let subject = format!("{}.dlq.{}", engine.prefix, dead.reason);
    Outgoing {
        lane: Lane::DeadLetters,
        subject,
        id,
        headers,
        payload,
    }
}

/// Returns the dead letter of a message that the server will never take; its content is in the state log and, for
/// an action, what led to it is in the customer's timeline.
pub fn undeliverable(engine: &Engine, id: &str, error: &crate::stream::Error) -> Outgoing {
    let subject = format!("{}.dlq.undeliverable", engine.prefix);
    let headers = vec![
        ("Attune-Reason", "undeliverable".to_owned()),
        ("Attune-Error", header(&error.to_string())),
        ("Attune-Message-Id", header(id)),
    ];
    message(
        Lane::DeadLetters,
        subject,
        format!("dlq-{id}"),
        headers,
        Vec::new(),
    )
}

/// Cuts a text to what a header can hold: one line of at most 1,000 characters.
fn header(text: &str) -> String {
    let line = |c: char| if c.is_control() { ' ' } else { c };
    text.chars()
        .map(line)
        .take(1_000)
        .collect::<String>()
        .trim()
        .to_owned()
}
