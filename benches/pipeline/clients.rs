//! Those who ask `POST /v1/decide`: over so many connections, as fast as answers come or at a steady rate.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::ensure;
use attune::actors::Node;
use attune::api::{Api, router};
use attune::clock::Clock;
use attune::release::{Folder, Releases};
use attune::store::Engine;
use axum::Router;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use crate::events::{Crowd, publish};
use crate::machine::until;
use crate::world::{World, start, until_taken};

/// Connections of the client.
pub const N_CONNECTIONS: usize = 32;
/// Who asks: customers with a few events each.
const N_EVENTS: usize = 20_000;
/// Who they are.
const SEED: u64 = 3;
/// The context of all requests.
const START: &str = r#""context":{"page":"start"}"#;

/// A node that answers, with customers who have been seen.
pub struct Shop {
    /// The node.
    pub node: Arc<Node>,
    /// Where it answers.
    pub address: SocketAddr,
    world: World,
}

impl Shop {
    /// Opens it.
    ///
    /// - `models`: the folder of the models.
    pub async fn open(policy: &str, models: &Path) -> anyhow::Result<Self> {
        let world = World::start().await?;
        let mut config = world.config(Engine::Sled, policy)?;
        config.clock = Clock::Stream;
        config.policies.models = models.to_owned();
        let node = Arc::new(start(&config).await?);
        until(async || Ok(node.ready().is_ok())).await?;
        let (mut crowd, mut names) = (Crowd::new(0), Crowd::new(SEED));
        let events = (0..N_EVENTS).map(|idx| crowd.event_of("attune", idx, &names.name(), None));
        publish(world.client().await?, events).await?;
        until_taken(&node, N_EVENTS as u64).await?;
        let releases = Releases::new(node.engine.clone(), Folder::default());
        let api = Api::new(node.clone(), Arc::new(releases), None);
        let address = serve(router(Arc::new(api))).await?;
        Ok(Self {
            node,
            address,
            world,
        })
    }

    /// Returns how many bytes a decision takes in its stream, on average.
    pub async fn logged(&self) -> anyhow::Result<usize> {
        let context = async_nats::jetstream::new(self.world.client().await?);
        let state = context
            .get_stream("ATTUNE_DECISIONS")
            .await?
            .get_info()
            .await?
            .state;
        Ok(usize::try_from(state.bytes / state.messages.max(1))?)
    }
}

/// What came of some requests.
pub struct Load {
    /// How long all of them took.
    pub took: Duration,
    /// The shortest first.
    pub latencies: Vec<Duration>,
}

impl Load {
    #[expect(clippy::cast_precision_loss, reason = "counts are small")]
    /// Requests a second.
    pub fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.took.as_secs_f64()
    }

    /// Takes in another load.
    pub fn merge(&mut self, other: Self) {
        self.took += other.took;
        self.latencies.extend(other.latencies);
        self.latencies.sort_unstable();
    }
}

/// Serves at a port of its own.
pub async fn serve(router: Router) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(attune::api::serve(listener, router, std::future::pending()));
    Ok(address)
}

/// Asks so often over all connections, as fast as answers come or at a steady rate.
///
/// - `more`: what a request says beside the customer, the placement and the context.
pub async fn ask(
    address: SocketAddr,
    n: usize,
    rate: Option<u32>,
    more: &str,
) -> anyhow::Result<Load> {
    let mut clients = Vec::new();
    for _ in 0..N_CONNECTIONS {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (client, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        clients.push(client);
    }
    let bodies = bodies(n, more);
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

/// Asks over one connection; a request counts from when it is sent, at a steady rate from when it was due if the answer
/// before it came later than that. (A timer of tokio is up to 1 ms late: that is not the server's.)
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
        let overdue = due.filter(|due| *due < Instant::now());
        if let Some(due) = due {
            tokio::time::sleep_until(due.into()).await;
        }
        let sent = overdue.unwrap_or_else(Instant::now);
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
fn bodies(n: usize, more: &str) -> Vec<Bytes> {
    let mut crowd = Crowd::new(SEED);
    let names: Vec<String> = (0..N_EVENTS).map(|_| crowd.name()).collect();
    let body = |name: &String| {
        format!(r#"{{"customer":"{name}","placement":"home",{START}{more}}}"#).into()
    };
    names.iter().cycle().take(n).map(body).collect()
}

fn request(body: Bytes) -> anyhow::Result<hyper::Request<Full<Bytes>>> {
    Ok(hyper::Request::post("/v1/decide")
        .header("host", "localhost")
        .header("content-type", "application/json")
        .body(Full::new(body))?)
}
