//! Tokens, the gate, and a real listener.

use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tower_service::Service;

use super::world::{Answered, World};
use crate::api::auth::Secret;
use crate::api::{Gate, gated, routes, serve};

const OPEN: [&str; 3] = ["/livez", "/readyz", "/openapi.json"];

#[tokio::test(flavor = "multi_thread")]
async fn every_route_but_the_open_ones_needs_the_token() {
    let world = World::start(Some("s3cret")).await;
    for (method, path, _) in routes() {
        let path_of = path.replace("{id}", "ada");
        let send = async |headers: &[(&str, &str)]| {
            world.send(method.as_str(), &path_of, headers, "{").await
        };
        if OPEN.contains(&path) {
            assert_eq!(send(&[]).await.status, 200, "{path}");
            continue;
        }
        for wrong in [
            "",
            "s3cret",
            "Bearer",
            "Bearer ",
            "Bearer s3cre",
            "Bearer s3crets",
            "Basic s3cret",
            "Bearer S3CRET",
        ] {
            let answered = send(&[("authorization", wrong)]).await;
            assert_eq!(answered.status, 401, "{path} with `{wrong}`");
            assert_eq!(
                answered.header("www-authenticate"),
                "Bearer realm=\"attune\""
            );
            assert_eq!(answered.header("content-type"), "application/problem+json");
        }
        assert_eq!(send(&[]).await.status, 401, "{path}");
        for right in ["Bearer s3cret", "bearer s3cret"] {
            assert_ne!(
                send(&[("authorization", right)]).await.status,
                401,
                "{path}"
            );
        }
    }
}

#[test]
fn a_secret_is_not_shown() {
    assert_eq!(format!("{:?}", Secret::new("s3cret")), "…");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_gate_is_alive_but_not_ready() {
    let gate = Arc::new(Gate::default());
    let get = async |path: &str| {
        let request = Request::get(path).body(Body::empty()).unwrap();
        Answered::of(gated(gate.clone()).call(request).await.unwrap()).await
    };
    assert_eq!(get("/livez").await.status, 200);
    assert!(
        get("/readyz")
            .await
            .body
            .contains("\"the server is starting\"")
    );
    gate.wait_for("NATS does not answer");
    let answered = get("/v1/customers/ada").await;
    assert_eq!(answered.status, 503);
    assert_eq!(answered.header("retry-after"), "1");
    assert!(
        answered
            .body
            .contains("\"the server is starting: NATS does not answer\""),
        "{}",
        answered.body
    );
    let world = World::start(None).await;
    gate.open(world.router.clone());
    assert_eq!(get("/readyz").await.status, 200);
    assert_eq!(get("/v1/customers/ada").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_finishes_the_request_that_is_on_its_way() {
    let world = World::start(None).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let served = tokio::spawn(serve(listener, world.router.clone(), async {
        let _gone = stopped.await;
    }));
    let mut stream = TcpStream::connect(address).await.unwrap();
    let body = r#"{"customer":"ada","placement":"hero"}"#;
    let (first, rest) = body.split_at(10);
    let head = format!(
        "POST /v1/decide HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\nexpect: 100-continue\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // The server asks for the body: it has taken the request.
    let mut asked = [0; 25];
    stream.read_exact(&mut asked).await.unwrap();
    assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(first.as_bytes()).await.unwrap();
    stop.send(()).unwrap();
    stream.write_all(rest.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    served.await.unwrap().unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}
