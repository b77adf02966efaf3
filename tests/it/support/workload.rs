//! A deterministic shop: customers, events in the order of their time, and policies with timers.

use attune::domain::{CustomerId, Duration, Timestamp};
use attune::stream::{JetStream, Lane, Outgoing, Streams};
use serde_json::json;

use super::chance::Chance;

/// How many partitions the streams have.
pub const PARTITIONS: u16 = 4;

/// How many customers send their own events to their own partition.
const REGULARS: usize = 100;

/// How many customers come with the token of another partition.
const STRAYS: usize = 12;

/// When the first event happens: 2026-03-01T00:00:00Z, in milliseconds.
const START: i64 = 1_772_323_200_000;

/// One message for the event stream.
#[derive(Clone, Debug)]
pub struct Message {
    token: String,
    id: String,
    payload: String,
}

impl Message {
    /// Returns the token of its subject.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Returns its `Nats-Msg-Id`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns its bytes.
    pub fn payload(&self) -> &str {
        &self.payload
    }
}

/// What is published, and how many events have to be forwarded.
pub struct Workload {
    /// In order.
    pub messages: Vec<Message>,
    /// How many of them arrive in the wrong partition.
    pub n_strays: u64,
}

/// The files of the policies, by name.
pub const POLICIES: [(&str, &str); 6] = [
    (
        "cart.yaml",
        "
journey: abandoned-cart
class: marketing
enter:
  event: Product Added
  where: size(profile.cart.items) > 0
  reentry: { after_exit: 10m }
  on_repeat: ignore
goal: { event: Order Completed, within: 3d }
exit: { when: size(profile.cart.items) == 0, reason: cart emptied }
steps:
  - hold_until: { quiet: 30m, of: [Product Added, Product Removed], max: 2h }
  - offer: { placement: cart_recovery, as: pick }
  - send: { channel: email, template: cart-nudge, with: { offer: pick, items: profile.cart.items } }
  - set: { profile.traits.nudged_at: now() }
  - wait: 45m
  - send: { channel: push, template: cart-last-call, with: { views: \"count('Product Viewed', '1d')\" } }
",
    ),
    (
        "browse.yaml",
        "
journey: browse
class: marketing
enter: { event: Product Viewed, reentry: { after_exit: 5m } }
steps:
  - wait: 20m
  - offer: { placement: home, as: pick }
  - send: { channel: push, template: browse, with: { offer: pick, plan: profile.traits.plan } }
",
    ),
    (
        "close.yaml",
        "
journey: close
class: transactional
enter: { event: close, reentry: always }
steps:
  - send: { channel: probe, template: close }
",
    ),
    (
        "finish.yaml",
        "
journey: finish
class: transactional
enter: { event: finish, reentry: always }
steps:
  - send: { channel: probe, template: finish }
",
    ),
    (
        "offers.yaml",
        "
offers:
  shipping:
    placements: [cart_recovery, home]
    value: 5
    cap: 2 per 3h
  loyal:
    placements: [cart_recovery]
    value: 9
    when: count('Order Completed') > 0
    cap: 1 per 4h
  news:
    placements: [home, cart_recovery]
    value: 1
placements:
  cart_recovery: { limit: 1, fallback: news }
  home: { limit: 2, fallback: news }
channels:
  email: { address: none, consent: not_required }
  push: { address: none, consent: not_required }
",
    ),
    (
        "segments.yaml",
        "
segments:
  browsing: count('Product Viewed', '40m') > 0
  nudged: profile.traits.nudged_at > ago('3h')
  waiting: in_segment('nudged') && !in_segment('browsing')
",
    ),
];

impl Workload {
    /// Makes a workload of so many messages.
    pub fn new(seed: u64, n: usize) -> Self {
        let mut shop = Shop::new(seed);
        for _ in 0..n {
            shop.happens();
        }
        Self {
            messages: shop.messages,
            n_strays: shop.n_strays,
        }
    }
}

/// Returns one event a partition that sends an action at once; `at` is what its clock says.
pub fn probes(name: &str, at: Timestamp) -> Vec<Message> {
    let probe = |partition| {
        let names = (0..).map(|n| format!("{name}-{n}"));
        let customer = names
            .map(|name| CustomerId::parse(&name).expect("a good id"))
            .find(|id| id.partition(PARTITIONS).0 == partition)
            .expect("some name falls into every partition");
        let id = format!("{name}-{partition}");
        let payload = json!({
            "type": "track", "event": name, "userId": customer, "messageId": id,
            "timestamp": at.to_string(),
        });
        Message {
            token: customer.token(),
            id,
            payload: payload.to_string(),
        }
    };
    (0..PARTITIONS).map(probe).collect()
}

/// Returns when the shop opens.
pub fn opening() -> Timestamp {
    Timestamp::from_millis(START)
}

/// Returns a time when every timer of the workload is due.
pub fn closing() -> Timestamp {
    opening() + Duration::from_secs(90 * 24 * 3_600)
}

/// Publishes one after the other, each until it is acknowledged: the order in the stream is that of the workload.
pub async fn publish(streams: &JetStream, messages: &[Message]) {
    for message in messages {
        while publish_one(streams, message).await.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}

async fn publish_one(streams: &JetStream, message: &Message) -> Result<u64, attune::stream::Error> {
    let out = Outgoing {
        lane: Lane::Events,
        subject: streams.subject(Lane::Events, &message.token),
        id: message.id.clone(),
        headers: Vec::new(),
        payload: message.payload.clone().into(),
    };
    streams.publish(out).await?.await
}

struct Shop {
    chance: Chance,
    now: Timestamp,
    regulars: Vec<CustomerId>,
    strays: Vec<CustomerId>,
    messages: Vec<Message>,
    n_strays: u64,
}

impl Shop {
    fn new(seed: u64) -> Self {
        let id = |name: String| CustomerId::parse(&name).expect("a good id");
        Self {
            chance: Chance::new(seed),
            now: opening(),
            regulars: (0..REGULARS)
                .map(|n| id(format!("regular-{n:03}")))
                .collect(),
            strays: (0..STRAYS).map(|n| id(format!("stray-{n:02}"))).collect(),
            messages: Vec::new(),
            n_strays: 0,
        }
    }

    fn happens(&mut self) {
        self.now = self.now + Duration::from_millis(self.chance.below(40_000));
        let idx = self.chance.index(self.regulars.len());
        let customer = self.regulars[idx].clone();
        match self.chance.below(100) {
            0..40 => self.shopped(&customer, "Product Viewed"),
            40..68 => self.shopped(&customer, "Product Added"),
            68..76 => self.shopped(&customer, "Product Removed"),
            76..80 => self.shopped(&customer, "Order Completed"),
            80..86 => self.identified(&customer),
            86..89 => self.broken(&customer),
            89..93 => self.doubled(),
            _ => self.strayed(),
        }
    }

    fn shopped(&mut self, customer: &CustomerId, event: &str) {
        let product = self.chance.below(12);
        let payload = json!({
            "type": "track", "event": event, "userId": customer, "messageId": self.next_id(),
            "timestamp": self.now.to_string(),
            "properties": {
                "product_id": format!("p-{product}"), "price": 5 * product + 4, "quantity": 1,
                "currency": "EUR", "order_id": self.next_id(),
            },
        });
        self.push(customer.token(), payload.to_string());
    }

    fn identified(&mut self, customer: &CustomerId) {
        let plan = ["free", "basic", "pro"][self.chance.index(3)];
        let payload = json!({
            "type": "identify", "userId": customer, "messageId": self.next_id(),
            "timestamp": self.now.to_string(),
            "traits": { "plan": plan, "visits": self.chance.below(100) },
        });
        self.push(customer.token(), payload.to_string());
    }

    /// Something that cannot be read, different each time.
    fn broken(&mut self, customer: &CustomerId) {
        let payload = match self.chance.below(3) {
            0 => format!("{{\"type\": \"track\", \"messageId\": \"{}", self.next_id()),
            1 => json!({ "type": "bogus", "messageId": self.next_id() }).to_string(),
            _ => json!({ "type": "track", "event": "nobody", "messageId": self.next_id() })
                .to_string(),
        };
        self.push(customer.token(), payload);
    }

    /// A sender that tries again: the same bytes as one of the last messages.
    fn doubled(&mut self) {
        let recent = self.messages.len().min(150);
        if recent == 0 {
            return;
        }
        let idx = self.messages.len() - 1 - self.chance.index(recent);
        let Message { token, payload, .. } = self.messages[idx].clone();
        if payload.contains("regular") {
            self.push(token, payload);
        }
    }

    /// A customer whose sender uses a wrong token. What is forwarded comes later than it happened, so that the
    /// customer's last event alone begins something that waits.
    fn strayed(&mut self) {
        if self.strays.is_empty() {
            return;
        }
        let idx = self.chance.index(self.strays.len());
        let customer = self.strays[idx].clone();
        let is_last = self.chance.below(12) == 0;
        let own = customer.partition(PARTITIONS);
        let tokens = (0..).map(|n| format!("wrong-{n}"));
        let token = tokens
            .into_iter()
            .find(|token| attune::domain::Partition::of_token(token, PARTITIONS) != own)
            .expect("some token falls into another partition");
        let before = self.messages.len();
        if is_last {
            self.shopped(&customer, "Product Added");
            self.strays.swap_remove(idx);
        } else {
            self.identified(&customer);
        }
        self.messages[before].token = token;
        self.n_strays += 1;
    }

    fn next_id(&self) -> String {
        format!("m-{:06}", self.messages.len())
    }

    fn push(&mut self, token: String, payload: String) {
        let id = format!("n-{:06}", self.messages.len());
        self.messages.push(Message { token, id, payload });
    }
}
