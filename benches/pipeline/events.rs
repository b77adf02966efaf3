//! Made-up events: the same ones every time.

use std::collections::VecDeque;

use async_nats::jetstream::context::ContextBuilder;
use attune::domain::{CustomerId, Timestamp};

use crate::person::{Die, traits};

/// How many customers there are; how often one acts falls with the rank to the power of 0.9.
pub const N_CUSTOMERS: usize = 100_000;
/// The exponent.
const SKEW: f64 = 0.9;
/// Published events whose acknowledgement is waited for, at most.
const WINDOW: usize = 4_096;
/// When the first event happens: 2026-01-01T00:00:00Z.
const START: i64 = 1_767_225_600_000;
/// The time between two events: 100,000 customers are then as busy as those of a large shop.
const STEP: i64 = 40;

/// Who does what, as a fair die says.
pub struct Crowd {
    shares: Vec<f64>,
    die: Die,
}

impl Crowd {
    /// Starts from a seed.
    #[expect(clippy::cast_precision_loss, reason = "ranks are small")]
    pub fn new(seed: u64) -> Self {
        let mut sum = 0.0;
        let weight = |rank: usize| ((rank + 1) as f64).powf(-SKEW);
        let mut add = |rank| {
            sum += weight(rank);
            sum
        };
        let shares = (0..N_CUSTOMERS).map(&mut add).collect();
        let die = Die::new(seed);
        Self { shares, die }
    }

    /// Throws the die: `[0, 1)`.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are kept")]
    fn throw(&mut self) -> f64 {
        (self.die.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn customer(&mut self) -> usize {
        let total = self.shares.last().copied().unwrap_or(1.0);
        let at = self.throw() * total;
        self.shares
            .partition_point(|share| *share <= at)
            .min(N_CUSTOMERS - 1)
    }

    /// Returns somebody's name.
    pub fn name(&mut self) -> String {
        format!("customer-{:06}", self.customer())
    }

    /// Returns the subject and the 300 bytes of an event: 14 of 100 fill a cart, 4 order, the rest look.
    pub fn event(&mut self, prefix: &str, idx: usize) -> (String, String) {
        self.event_called(prefix, idx, None)
    }

    /// Returns an event, also one of a given name.
    pub fn event_called(
        &mut self,
        prefix: &str,
        idx: usize,
        name: Option<&str>,
    ) -> (String, String) {
        let customer = self.name();
        self.event_of(prefix, idx, &customer, name)
    }

    /// Returns an event of somebody, also one of a given name.
    pub fn event_of(
        &mut self,
        prefix: &str,
        idx: usize,
        customer: &str,
        name: Option<&str>,
    ) -> (String, String) {
        let thrown = match self.throw() {
            x if x < 0.14 => "Product Added",
            x if x < 0.18 => "Order Completed",
            _ => "Product Viewed",
        };
        let name = name.unwrap_or(thrown);
        let at = START + STEP * i64::try_from(idx).unwrap_or(i64::MAX);
        let at = Timestamp::from_millis(at);
        let price = 1.0 + (self.throw() * 20_000.0).floor() / 100.0;
        let payload = format!(
            r#"{{"type":"track","messageId":"event-{idx:08}","userId":"{customer}","event":"{name}","timestamp":"{at}","properties":{{"product_id":"P{product:05}","name":"A thing to buy","category":"Things","price":{price:.2},"quantity":1,"currency":"EUR"}},"context":{{"library":{{"name":"bench"}},"locale":"de-DE"}}}}"#,
            product = idx * 7_919 % 50_000,
        );
        (subject(prefix, customer), payload)
    }
}

/// Returns the subject and the 1.1 KB of somebody who says who they are.
pub fn person(prefix: &str, idx: usize) -> (String, String) {
    let customer = format!("customer-{idx:07}");
    let traits = traits(idx as u64);
    let payload = format!(r#"{{"type":"identify","userId":"{customer}","traits":{traits}}}"#);
    (subject(prefix, &customer), payload)
}

fn subject(prefix: &str, customer: &str) -> String {
    let token = CustomerId::parse(customer).map_or_else(|_| String::new(), |of| of.token());
    format!("{prefix}.events.{token}")
}

/// Publishes messages, acknowledged and many at a time.
pub async fn publish(
    client: async_nats::Client,
    messages: impl Iterator<Item = (String, String)>,
) -> anyhow::Result<()> {
    let context = ContextBuilder::new()
        .max_ack_inflight(2 * WINDOW)
        .build(client);
    let mut waiting = VecDeque::with_capacity(WINDOW);
    for (subject, payload) in messages {
        waiting.push_back(context.publish(subject, payload.into()).await?);
        if waiting.len() >= WINDOW
            && let Some(ack) = waiting.pop_front()
        {
            ack.await?;
        }
    }
    for ack in waiting {
        ack.await?;
    }
    Ok(())
}
