//! `POST /v1/decide`: how many a second and how soon, against a handler that returns a constant.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use async_nats::jetstream::context::{ContextBuilder, PublishError};
use async_nats::jetstream::{Context, stream};
use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use bytes::Bytes;

use crate::clients::{Load, N_CONNECTIONS, Shop, ask, serve};
use crate::latency::{at, millis};
use crate::row::{Row, per_second};
use crate::stages::{self, Stages};
use crate::throughput::{runtime, scaled};
use crate::world::World;

/// Requests a second when it is not saturated.
const RATE: u32 = 1_000;
/// Offers of the placement.
const N_OFFERS: usize = 20;
/// What the handler that does nothing says.
const CONSTANT: &str = r#"{"decision_id":"0","offers":[]}"#;

/// Measures the engine and the constant: saturated, and at a steady rate.
pub fn over_http() -> anyhow::Result<Vec<Row>> {
    let n = scaled(40_000);
    let (constant, keeping, measured) = runtime()?.block_on(async {
        let mut constant = ask(constant().await?, n, None, "").await?;
        let measured = through_the_node(n).await?;
        constant.merge(ask(self::constant().await?, n, None, "").await?);
        let keeping = keeping(n, measured.sizes).await?;
        anyhow::Ok((constant, keeping, measured))
    })?;
    let Measured {
        saturated,
        steady,
        stages,
        sizes,
    } = measured;
    let ratio = saturated.rate() / constant.rate();
    let what = format!("POST /v1/decide, {N_OFFERS} offers, one tree-ensemble call");
    let p99 = |name: String, of: &Load, reference: Option<&Load>, most: Duration| Row {
        what: format!("{what}, p99, {name}"),
        figure: millis(at(&of.latencies, 0.99)),
        reference: reference.map_or_else(String::new, |of| millis(at(&of.latencies, 0.99))),
        ratio: None,
        goal: format!("< {}", millis(most)),
        ok: at(&of.latencies, 0.99) < most,
    };
    let ms = Duration::from_millis;
    Ok(vec![
        Row {
            what: format!("{what}, {N_CONNECTIONS} connections"),
            figure: per_second(saturated.rate()),
            reference: per_second(constant.rate()),
            ratio: Some(ratio),
            goal: "≥ 0.3".into(),
            ok: ratio >= 0.3,
        },
        Row {
            what: format!(
                "the same, against a handler that appends {} bytes an answer, waits, and publishes {}",
                sizes[0], sizes[1]
            ),
            figure: per_second(saturated.rate()),
            reference: per_second(keeping.rate()),
            ratio: Some(saturated.rate() / keeping.rate()),
            goal: "stated".into(),
            ok: true,
        },
        p99("saturated".into(), &saturated, Some(&constant), ms(10)),
        p99(format!("{RATE} requests/s"), &steady, None, ms(2)),
        stages::row("µs a decision, saturated".into(), stages),
    ])
}

/// What the engine did.
struct Measured {
    saturated: Load,
    steady: Load,
    stages: String,
    /// Bytes of its record in the state log and of its message, on average.
    sizes: [usize; 2],
}

#[expect(clippy::cast_precision_loss, reason = "counts are small")]
async fn through_the_node(n: usize) -> anyhow::Result<Measured> {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let shop = Shop::open(&policy()?, &models).await?;
    let (node, address) = (&shop.node, shop.address);
    ask(address, n / 10, None, "").await?;
    let before = Stages::of(node);
    let n_commits = node.engine.meters.commits.get();
    let n_bytes = node.engine.meters.commit_bytes.get();
    let saturated = ask(address, n, None, "").await?;
    let n_asked = saturated.latencies.len() as u64;
    let n_commits = node.engine.meters.commits.get() - n_commits;
    let stages = format!(
        "{}; {:.1} decisions a commit",
        before.since(node, n_asked),
        n_asked as f64 / n_commits as f64
    );
    let steady = ask(address, scaled(10_000), Some(RATE), "").await?;
    let n_bytes = node.engine.meters.commit_bytes.get() - n_bytes;
    let logged = shop.logged().await?;
    node.stop().await;
    let n_all = n_asked + steady.latencies.len() as u64;
    Ok(Measured {
        saturated,
        steady,
        stages,
        sizes: [usize::try_from(n_bytes / n_all)?, logged],
    })
}

/// Offers of many values, some with conditions, in one placement with one model.
fn policy() -> anyhow::Result<String> {
    let mut policy = String::from("offers:\n");
    for idx in 0..N_OFFERS {
        let when = match idx % 3 {
            0 => "count('Product Viewed', '7d') >= 0",
            1 => "count('Order Completed') < 1000",
            _ => "true || profile.cart.value > 50",
        };
        writeln!(
            policy,
            "  offer-{idx:02}: {{ placements: [home], value: {}, when: \"{when}\", data: {{ title: Offer {idx} }} }}",
            1 + idx % 7,
        )?;
    }
    policy.push_str("placements:\n  home: { model: purchase-intent, limit: 3 }\n");
    Ok(policy)
}

async fn constant() -> anyhow::Result<SocketAddr> {
    let answer = async |_: Bytes| CONSTANT;
    serve(Router::new().route("/v1/decide", post(answer))).await
}

/// Serves a handler that decides nothing and keeps each answer: one message must be stored before it is given, and
/// another one is on its way by then.
async fn keeping(n: usize, sizes: [usize; 2]) -> anyhow::Result<Load> {
    let world = World::start().await?;
    let context = ContextBuilder::new()
        .max_ack_inflight(8_192)
        .build(world.client().await?);
    for name in ["log", "decisions"] {
        let config = stream::Config {
            name: name.to_uppercase(),
            subjects: vec![format!("{name}.>")],
            ..stream::Config::default()
        };
        context.create_stream(config).await?;
    }
    let [record, message] = sizes.map(|n| Bytes::from(vec![b'x'; n]));
    let answer = async move |_: Bytes| {
        let kept = keep(&context, record.clone(), message.clone()).await;
        kept.map(|()| CONSTANT)
            .map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
    };
    let address = serve(Router::new().route("/v1/decide", post(answer))).await?;
    ask(address, n, None, "").await
}

async fn keep(context: &Context, record: Bytes, message: Bytes) -> Result<(), PublishError> {
    context.publish("log.1", record).await?.await?;
    let logged = context.publish("decisions.home", message).await?;
    tokio::spawn(logged.into_future());
    Ok(())
}
