//! Decide calls over NATS.

use std::fmt::Write;

use async_nats::{Client, HeaderMap};
use expect_test::expect;
use tokio::sync::oneshot;

use super::world::World;
use crate::api::requests;

#[tokio::test(flavor = "multi_thread")]
async fn a_nats_request_is_answered_like_a_post() {
    let world = World::start(Some("s3cret")).await;
    let (stop, stopped) = oneshot::channel::<()>();
    let requests = world.streams.requests("attune.decide");
    let served = tokio::spawn(requests::serve(world.api.clone(), requests, async {
        let _gone = stopped.await;
    }));
    let client = async_nats::connect(world.server.url()).await.unwrap();
    let ask = async |body: String| ask(&client, body).await;
    let body = r#"{"customer":"ada","placement":"hero","decision_key":"k","limit":1}"#;
    let (failure, replied) = ask(body.to_owned()).await;
    assert_eq!(failure, "- -");
    let bearer = [("authorization", "Bearer s3cret")];
    let posted = world.send("POST", "/v1/decide", &bearer, body).await.json();
    let replied: serde_json::Value = serde_json::from_str(&replied).unwrap();
    assert_eq!(replied["decision_id"], posted["decision_id"]);
    assert_eq!(replied["offers"], posted["offers"]);

    let mut said = String::new();
    for body in [
        "{".to_owned(),
        r#"{"customer":"ada","placement":"hreo"}"#.to_owned(),
        " ".repeat(65_537),
    ] {
        let (failure, problem) = ask(body).await;
        writeln!(said, "{failure}\n  {problem}").unwrap();
    }
    expect![[r#"
        400 the request is not right
          {"type":"urn:attune:problem:bad-request","title":"the request is not right","status":400,"detail":"the body is not JSON: EOF while parsing an object at line 1 column 1"}
        404 there is no such placement
          {"type":"urn:attune:problem:unknown-placement","title":"there is no such placement","status":404,"detail":"unknown placement `hreo`, did you mean `hero`? the policies have `footer`, `hero`, `side`"}
        413 the request is too large
          {"type":"urn:attune:problem:too-large","title":"the request is too large","status":413,"detail":"a body has at most 65536 bytes"}
    "#]].assert_eq(&said);

    stop.send(()).unwrap();
    served.await.unwrap();
}

/// Asks until somebody answers: nobody does until the subscription stands.
///
/// Returns the headers that say what failed, and the body.
async fn ask(client: &Client, body: String) -> (String, String) {
    let reply = loop {
        match client.request("attune.decide", body.clone().into()).await {
            Ok(reply) => break reply,
            Err(_) => tokio::task::yield_now().await,
        }
    };
    let headers = reply.headers.unwrap_or_else(HeaderMap::new);
    let header = |name: &str| {
        headers
            .get(name)
            .map_or("-".to_owned(), ToString::to_string)
    };
    let failure = format!(
        "{} {}",
        header("Nats-Service-Error-Code"),
        header("Nats-Service-Error")
    );
    (failure, String::from_utf8(reply.payload.to_vec()).unwrap())
}
