//! `POST /v1/decide`: how many a second and how soon, against a handler that returns a constant.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::ensure;
use attune::api::{Api, router};
use attune::clock::Clock;
use attune::release::{Folder, Releases};
use attune::store::Engine;
use axum::Router;
use axum::routing::post;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use crate::events::{Crowd, publish};
use crate::latency::{at, millis};
use crate::machine::until;
use crate::row::{Row, per_second};
use crate::stages::{self, Stages};
use crate::throughput::{runtime, scaled};
use crate::world::{World, start, until_taken};

/// Connections of the client.
const N_CONNECTIONS: usize = 32;
/// Requests a second when it is not saturated.
const RATE: u32 = 1_000;
/// Offers of the placement.
const N_OFFERS: usize = 20;
/// Who asks: customers with a few events each.
const N_EVENTS: usize = 20_000;
/// Who they are.
const SEED: u64 = 3;
/// What the handler that does nothing says.
const CONSTANT: &str = r#"{"decision_id":"0","offers":[]}"#;

/// Measures the engine and the constant: saturated, and at a steady rate.
pub fn over_http() -> anyhow::Result<Vec<Row>> {
    let n = scaled(40_000);
    let (constant, measured) = runtime()?.block_on(async {
        let mut constant = ask(constant().await?, n, None).await?;
        let measured = through_the_node(n).await?;
        constant.merge(ask(self::constant().await?, n, None).await?);
        anyhow::Ok((constant, measured))
    })?;
    let Measured {
        saturated,
        steady,
        stages,
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
        p99("saturated".into(), &saturated, Some(&constant), ms(10)),
        p99(format!("{RATE} requests/s"), &steady, None, ms(2)),
        stages::row("µs a decision, saturated".into(), stages),
    ])
}

/// What came of some requests.
struct Load {
    took: Duration,
    /// The shortest first.
    latencies: Vec<Duration>,
}

impl Load {
    #[expect(clippy::cast_precision_loss, reason = "counts are small")]
    fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.took.as_secs_f64()
    }

    fn merge(&mut self, other: Self) {
        self.took += other.took;
        self.latencies.extend(other.latencies);
        self.latencies.sort_unstable();
    }
}

/// What the engine did.
struct Measured {
    saturated: Load,
    steady: Load,
    stages: String,
}

#[expect(clippy::cast_precision_loss, reason = "counts are small")]
async fn through_the_node(n: usize) -> anyhow::Result<Measured> {
    let world = World::start().await?;
    let mut config = world.config(Engine::Sled, &policy()?)?;
    config.clock = Clock::Stream;
    config.policies.models = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let node = Arc::new(start(&config).await?);
    until(async || Ok(node.ready().is_ok())).await?;
    let (mut crowd, mut names) = (Crowd::new(0), Crowd::new(SEED));
    let events = (0..N_EVENTS).map(|idx| crowd.event_of("attune", idx, &names.name(), None));
    publish(world.client().await?, events).await?;
    until_taken(&node, N_EVENTS as u64).await?;
    let releases = Releases::new(node.engine.clone(), Folder::default());
    let api = Api::new(node.clone(), Arc::new(releases), None);
    let address = serve(router(Arc::new(api))).await?;
    ask(address, n / 10, None).await?;
    let before = Stages::of(&node);
    let n_commits = node.engine.meters.commits.get();
    let saturated = ask(address, n, None).await?;
    let n_asked = saturated.latencies.len() as u64;
    let n_commits = node.engine.meters.commits.get() - n_commits;
    let stages = format!(
        "{}; {:.1} decisions a commit",
        before.since(&node, n_asked),
        n_asked as f64 / n_commits as f64
    );
    let steady = ask(address, scaled(10_000), Some(RATE)).await?;
    node.stop().await;
    Ok(Measured {
        saturated,
        steady,
        stages,
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

async fn serve(router: Router) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(attune::api::serve(listener, router, std::future::pending()));
    Ok(address)
}

/// Asks so often over all connections, as fast as answers come or at a steady rate.
async fn ask(address: SocketAddr, n: usize, rate: Option<u32>) -> anyhow::Result<Load> {
    let mut clients = Vec::new();
    for _ in 0..N_CONNECTIONS {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (client, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        clients.push(client);
    }
    let bodies = bodies(n);
    let start = Instant::now();
    let lanes = (0..).zip(clients).zip(bodies.chunks(n / N_CONNECTIONS));
    let asking = lanes.map(|((lane, client), bodies)| {
        tokio::spawn(one(client, bodies.to_vec(), lane, rate, start))
    });
    let asking: Vec<_> = asking.collect();
    let mut latencies = Vec::with_capacity(n);
    for lane in asking {
        latencies.extend(lane.await??);
    }
    let took = start.elapsed();
    latencies.sort_unstable();
    Ok(Load { took, latencies })
}

/// Asks over one connection; at a steady rate a request counts from when it was due.
async fn one(
    mut client: SendRequest<Full<Bytes>>,
    bodies: Vec<Bytes>,
    lane: u32,
    rate: Option<u32>,
    start: Instant,
) -> anyhow::Result<Vec<Duration>> {
    let mut latencies = Vec::with_capacity(bodies.len());
    for (idx, body) in (0_u32..).zip(bodies) {
        let lanes = u32::try_from(N_CONNECTIONS)?;
        let due = rate.map(|rate| start + Duration::from_secs(1) * (idx * lanes + lane) / rate);
        if let Some(due) = due {
            tokio::time::sleep_until(due.into()).await;
        }
        let sent = due.unwrap_or_else(Instant::now);
        client.ready().await?;
        let response = client.send_request(request(body)?).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        ensure!(
            status.is_success(),
            "{status}: {}",
            String::from_utf8_lossy(&body)
        );
        latencies.push(sent.elapsed());
    }
    Ok(latencies)
}

/// Returns what is asked: for those who have just been seen, in the order in which they were.
fn bodies(n: usize) -> Vec<Bytes> {
    let mut crowd = Crowd::new(SEED);
    let names: Vec<String> = (0..N_EVENTS).map(|_| crowd.name()).collect();
    let body = |name: &String| {
        format!(r#"{{"customer":"{name}","placement":"home","context":{{"page":"start"}}}}"#).into()
    };
    names.iter().cycle().take(n).map(body).collect()
}

fn request(body: Bytes) -> anyhow::Result<hyper::Request<Full<Bytes>>> {
    Ok(hyper::Request::post("/v1/decide")
        .header("host", "localhost")
        .header("content-type", "application/json")
        .body(Full::new(body))?)
}
