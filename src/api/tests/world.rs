//! A node on a real NATS server, with its API; time is the events'.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use bytes::Bytes;
use tempfile::TempDir;
use tower_service::Service;

use crate::actors::board::Board;
use crate::actors::engine::CrashPoint;
use crate::actors::exchange::Exchange;
use crate::actors::live::{Live, Policies};
use crate::actors::packing::Packing;
use crate::actors::{Engine, Limits, Node};
use crate::api::{Api, router};
use crate::clock::Clock;
use crate::domain::{CustomerId, Score};
use crate::policy::{Source, compile};
use crate::release::{Folder, Releases};
use crate::scoring::Scripted;
use crate::store::Memory;
use crate::stream::server::{NatsServer, Settings, find_program};
use crate::stream::{self, Connect, JetStream, Lane, Layout, Outgoing, Streams};
use crate::telemetry::Meters;

const POLICIES: [&str; 3] = [
    "
model: purchase-intent
file: model.onnx
features:
  product_pages: { count: Product Viewed, window: session }
inputs:
  - { column: pages, from: profile.features.product_pages, unknown: 0 }
output: { name: probabilities, class: 1 }
",
    "
journey: cart
enter: { event: Product Added, where: profile.cart.value > 20, reentry: { after_exit: 1d } }
steps:
  - score: { model: purchase-intent, as: buy }
  - wait: 30m
  - send: { channel: email, template: nudge }
---
channels: { email: { address: none, consent: not_required } }
",
    "
offers:
  shipping: { placements: [hero], value: 4, data: { title: Free shipping } }
  welcome: { placements: [hero], value: 8, when: count('Order Completed') == 0, cap: 1 per 7d, model: purchase-intent }
  club: { placements: [hero], value: 5, when: context.page == 'club' }
  tea: { placements: [footer], value: 1 }
  gift: { placements: [side], budget: 2 per day }
placements:
  hero: { limit: 4 }
  footer: { limit: 1, control: 2% }
  side: {}
",
];

/// What a test works with.
pub struct World {
    pub node: Arc<Node>,
    pub streams: JetStream,
    pub api: Arc<Api>,
    pub server: NatsServer,
    pub router: Router,
    _dir: TempDir,
}

/// An answer over HTTP.
pub struct Answered {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl World {
    /// Starts everything and waits until it is ready.
    pub async fn start(token: Option<&str>) -> Self {
        Self::with_limits(token, Limits::default()).await
    }

    /// Starts everything with other bounds.
    pub async fn with_limits(token: Option<&str>, limits: Limits) -> Self {
        let dir = TempDir::new().unwrap();
        let program = find_program(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        let server = NatsServer::start(Settings::new(program, dir.path().to_owned()))
            .await
            .unwrap();
        let streams = connect(&server).await;
        let node = Arc::new(Node::start(Arc::new(engine(&streams, limits).await)));
        until(|| node.ready().is_ok()).await;
        let folder = Folder::default();
        let releases = Arc::new(Releases::new(node.engine.clone(), folder));
        let api = Arc::new(Api::new(node.clone(), releases, token));
        let router = router(api.clone());
        Self {
            node,
            streams,
            api,
            server,
            router,
            _dir: dir,
        }
    }

    /// Publishes events of a customer, one JSON each, and waits until they are applied.
    pub async fn tell(&self, customer: &str, events: &[&str]) {
        let token = CustomerId::parse(customer).unwrap().token();
        let events_before = self.node.engine.meters.events.get();
        for (event, n) in events.iter().zip(0_u32..) {
            let out = Outgoing {
                lane: Lane::Events,
                subject: self.streams.subject(Lane::Events, &token),
                id: format!("{customer}-{n}"),
                headers: Vec::new(),
                payload: Bytes::copy_from_slice(event.as_bytes()),
            };
            self.streams.publish(out).await.unwrap().await.unwrap();
        }
        let n_events = events_before + events.len() as u64;
        until(|| self.node.engine.meters.events.get() >= n_events).await;
    }

    /// Makes the customer `ada`: a page, a cheap product, a dear one.
    pub async fn ada(&self) {
        let events = [
            r#"{"type":"identify","userId":"ada","messageId":"m1","timestamp":"2026-01-05T10:00:00Z","traits":{"name":"Ada"}}"#,
            r#"{"type":"track","event":"Product Viewed","userId":"ada","messageId":"m2","timestamp":"2026-01-05T10:01:00Z"}"#,
            r#"{"type":"track","event":"Product Added","userId":"ada","messageId":"m3","timestamp":"2026-01-05T10:02:00Z","properties":{"product_id":"pen","price":2,"currency":"EUR"}}"#,
            r#"{"type":"track","event":"Product Added","userId":"ada","messageId":"m4","timestamp":"2026-01-05T10:03:00Z","properties":{"product_id":"bag","price":40,"quantity":2}}"#,
        ];
        self.tell("ada", &events).await;
    }

    /// Sends a request with headers.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answered {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let response = self.router.clone().call(request).await.unwrap();
        Answered::of(response).await
    }

    /// Gets a page.
    pub async fn get(&self, path: &str) -> Answered {
        self.send("GET", path, &[], "").await
    }

    /// Makes a decide call.
    pub async fn decide(&self, body: &str) -> Answered {
        self.send("POST", "/v1/decide", &[], body).await
    }
}

impl Answered {
    pub async fn of(response: axum::response::Response) -> Self {
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 1 << 20).await.unwrap();
        Self {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    /// Returns the body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Returns a header; `-` without it.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("-", |value| value.to_str().unwrap())
    }
}

/// Connects to a server.
pub async fn connect(server: &NatsServer) -> JetStream {
    let options = stream::Options {
        connect: Connect {
            urls: vec![server.url()],
            ..Connect::default()
        },
        layout: Layout::new("attune", 2).unwrap(),
        ..stream::Options::default()
    };
    JetStream::connect(options).await.unwrap()
}

async fn engine(streams: &JetStream, limits: Limits) -> Engine {
    let opened = streams.open().await.unwrap();
    let sources: Vec<Source> = POLICIES
        .iter()
        .zip(["model.yaml", "cart.yaml", "offers.yaml"])
        .map(|(text, name)| Source::new(name, text))
        .collect();
    let bundle =
        Arc::new(compile(&sources).unwrap_or_else(|wrong| panic!("{}", wrong.render(false))));
    let scorer = Scripted::default().with("purchase-intent", Score::Value(0.25));
    Engine {
        live: Live::new(Policies::new(0, bundle, Arc::new(scorer))),
        streams: Arc::new(streams.clone()),
        store: Arc::new(Memory::default()),
        packing: Packing::default(),
        clock: Clock::Event,
        prefix: "attune".into(),
        n_partitions: opened.n_partitions,
        payload_max: opened.payload_max,
        created: opened.created.as_millis(),
        limits,
        board: Board::default(),
        exchange: Exchange::new(opened.n_partitions),
        meters: Meters::default(),
        crash: CrashPoint::default(),
    }
}

/// Waits for something that happens soon.
pub async fn until(happened: impl Fn() -> bool) {
    for _ in 0..2_000 {
        if happened() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it did not happen within 10 seconds");
}
