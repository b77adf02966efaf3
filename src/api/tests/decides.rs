//! Decide calls, right and wrong.

use std::fmt::Write;

use expect_test::expect;

use super::world::World;
use crate::actors::Limits;

const ASK: &str = r#"{"customer":"ada","placement":"hero","decision_key":"k1","explain":true}"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_answered_with_offers_and_why() {
    let world = World::start(None).await;
    world.ada().await;
    let answered = world.decide(ASK).await;
    assert_eq!(answered.status, 200);
    assert_eq!(answered.header("content-type"), "application/json");
    expect![[r#"
        {"decision_id":"34feaf38d2ba90f5a1494156c6b665e2","customer":"ada","placement":"hero","offers":[{"offer":"shipping","propensity":null,"priority":4.0,"probability":1.0,"explored":false,"value":4.0,"factors":{"p":1.0,"c":1.0,"v":4.0,"l":1.0},"data":{"title":"Free shipping"},"reasons":["priority 4.000000 from p 1 (no model), context 1, value 4 and levers 1"]},{"offer":"welcome","propensity":0.25,"priority":2.0,"probability":1.0,"explored":false,"value":8.0,"factors":{"p":0.25,"c":1.0,"v":8.0,"l":1.0},"inputs":{"model":"purchase-intent","row":[1.0]},"data":null,"reasons":["priority 2.000000 from p 0.250000, context 1, value 8 and levers 1"]}],"losers":[{"offer":"club","reason":"INELIGIBLE","detail":"context.page == 'club' [unknown == \"club\"] offers.yaml:5","priority":null}],"passed_over":[],"models":[{"name":"purchase-intent","version":null}],"bundle":"1dd9d9f73fe6c36f","degraded":false,"fallback":false,"decided_at":"2026-01-05T10:03:00.000Z"}
    "#]].assert_eq(&(answered.body.clone() + "\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_with_its_key_is_the_same_decision_and_others_are_not() {
    let world = World::start(None).await;
    let id = async |body: &str| world.decide(body).await.json()["decision_id"].to_string();
    assert_eq!(id(ASK).await, id(ASK).await);
    let plain = r#"{"customer":"ada","placement":"hero"}"#;
    assert_ne!(id(plain).await, id(plain).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn context_and_limit_reach_the_decision() {
    let world = World::start(None).await;
    let offers = async |body: &str| {
        let answer = world.decide(body).await.json();
        let offers = answer["offers"].as_array().unwrap();
        let ids: Vec<_> = offers
            .iter()
            .map(|offer| offer["offer"].as_str().unwrap())
            .collect();
        ids.join(" ")
    };
    let club = r#"{"customer":"eve","placement":"hero","context":{"page":"club"}}"#;
    // Of her nothing is known: what has a cap would have to be remembered.
    assert_eq!(offers(club).await, "club shipping");
    let one = r#"{"customer":"eve","placement":"hero","limit":1,"context":{"page":"club"}}"#;
    assert_eq!(offers(one).await, "club");
    let nulls = r#"{"customer":"eve","placement":"footer","limit":null,"context":null,"explain":null,"decision_key":null}"#;
    assert_eq!(offers(nulls).await, "tea");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_known_gets_an_answer_and_leaves_nothing_behind() {
    let world = World::start(None).await;
    world.ada().await;
    let n_residents = || world.node.engine.meters.residents.get();
    let n_before = n_residents();
    for call in [
        r#"{"customer":"bot","placement":"hero"}"#,
        r#"{"customer":"bot","placement":"hero"}"#,
        r#"{"customer":null,"placement":"hero"}"#,
        r#"{"placement":"hero","decision_key":"k"}"#,
    ] {
        let answer = world.decide(call).await.json();
        assert_eq!(answer["offers"][0]["offer"], "shipping", "{call}");
    }
    assert_eq!(world.get("/v1/customers/bot").await.status, 404);
    assert_eq!(world.get("/v1/customers/nobody-k").await.status, 404);
    assert_eq!(n_residents(), n_before);
    world.tell("bot", &[r#"{"type":"track","event":"Product Viewed","userId":"bot","messageId":"b1","timestamp":"2026-01-05T10:02:00Z"}"#]).await;
    assert_eq!(world.get("/v1/customers/bot").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_no_call_is_refused() {
    let calls = [
        "",
        "nonsense",
        "[]",
        "7",
        r#"{"customer":"ada","placement":"hero""#,
        r#"{"customer":"ada","placement":"hero"} x"#,
    ];
    let expected = expect![[r#"

          {"type":"urn:attune:problem:bad-request","title":"the request is not right","status":400,"detail":"the body is not JSON: EOF while parsing a value at line 1 column 0"}
        nonsense
          {"type":"urn:attune:problem:bad-request","title":"the request is not right","status":400,"detail":"the body is not JSON: expected ident at line 1 column 2"}
        []
          {"type":"urn:attune:problem:bad-request","title":"the request is not right","status":400,"detail":"invalid type: sequence, expected a JSON object with `placement`, and `customer` if it is known"}
        7
          {"type":"urn:attune:problem:bad-request","title":"the request is not right","status":400,"detail":"invalid type: integer `7`, expected a JSON object with `placement`, and `customer` if it is known"}
        {"customer":"ada","placement":"hero"
          {"type":"urn:attune:problem:bad-request","title":"the request is not right","status":400,"detail":"the body is not JSON: EOF while parsing an object at line 1 column 36"}
        {"customer":"ada","placement":"hero"} x
          {"type":"urn:attune:problem:bad-request","title":"the request is not right","status":400,"detail":"the body is not JSON: trailing characters at line 1 column 39"}
    "#]];
    expected.assert_eq(&said(&calls).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_is_missing_unknown_or_there_twice_is_named() {
    let calls = [
        "{}",
        r#"{"customer":"ada"}"#,
        r#"{"customer":"ada","placement":"hero","custmer":"eve"}"#,
        r#"{"customer":"ada","placement":"hero","now":"2026"}"#,
        r#"{"customer":"ada","customer":"eve","placement":"hero"}"#,
    ];
    let expected = expect![[r#"
        {}
          {"type":"urn:attune:problem:bad-request","title":"the request is not right","status":400,"detail":"missing field `placement`"}
        {"customer":"ada"}
          {"type":"urn:attune:problem:bad-request","title":"the request is not right","status":400,"detail":"missing field `placement`"}
        {"customer":"ada","placement":"hero","custmer":"eve"}
          {"type":"urn:attune:problem:bad-request","title":"the request is not right","status":400,"detail":"unknown field `custmer`, did you mean `customer`?"}
        {"customer":"ada","placement":"hero","now":"2026"}
          {"type":"urn:attune:problem:bad-request","title":"the request is not right","status":400,"detail":"unknown field `now`, expected one of `customer`, `placement`, `context`, `limit`, `decision_key`, `explain`"}
        {"customer":"ada","customer":"eve","placement":"hero"}
          {"type":"urn:attune:problem:bad-request","title":"the request is not right","status":400,"detail":"duplicate field `customer`"}
    "#]];
    expected.assert_eq(&said(&calls).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_is_not_right_is_shown() {
    let long_id = format!(r#"{{"customer":"{}","placement":"hero"}}"#, "c".repeat(513));
    let calls = [
        r#"{"customer":7,"placement":"hero"}"#,
        r#"{"customer":" ","placement":"hero"}"#,
        r#"{"customer":"a\u0000","placement":"hero"}"#,
        r#"{"customer":"ada","placement":["hero"]}"#,
        r#"{"customer":"ada","placement":"hero","context":"page"}"#,
        r#"{"customer":"ada","placement":"hero","explain":"yes"}"#,
        r#"{"customer":"ada","placement":"hreo"}"#,
        r#"{"customer":"ada","placement":"sidebar"}"#,
        &long_id,
    ];
    let expected = expect![[r#"
        {"customer":7,"placement":"hero"}
          {"type":"urn:attune:problem:bad-request","title":"the request is not right","status":400,"detail":"`customer`: invalid type: integer `7`, expected a string"}
        {"customer":" ","placement":"hero"}
          {"type":"urn:attune:problem:bad-request","title":"the request is not right","status":400,"detail":"a customer id is empty"}
        {"customer":"a\u0000","placement":"hero"}
          {"type":"urn:attune:problem:bad-request","title":"the request is not right","status":400,"detail":"a customer id has a control character"}
        {"customer":"ada","placement":["hero"]}
          {"type":"urn:attune:problem:bad-request","title":"the request is not right","status":400,"detail":"`placement`: invalid type: sequence, expected a string"}
        {"customer":"ada","placement":"hero","context":"page"}
          {"type":"urn:attune:problem:bad-request","title":"the request is not right","status":400,"detail":"`context`: a JSON object is expected"}
        {"customer":"ada","placement":"hero","explain":"yes"}
          {"type":"urn:attune:problem:bad-request","title":"the request is not right","status":400,"detail":"`explain`: invalid type: string \"yes\", expected a boolean"}
        {"customer":"ada","placement":"hreo"}
          {"type":"urn:attune:problem:unknown-placement","title":"there is no such placement","status":404,"detail":"unknown placement `hreo`, did you mean `hero`? the policies have `footer`, `hero`, `side`"}
        {"customer":"ada","placement":"sidebar"}
          {"type":"urn:attune:problem:unknown-placement","title":"there is no such placement","status":404,"detail":"unknown placement `sidebar`; the policies have `footer`, `hero`, `side`"}
        {"customer":"ccccccccccccccccccccccccccccccccccccccccccccccc
          {"type":"urn:attune:problem:bad-request","title":"the request is not right","status":400,"detail":"a customer id has 513 bytes, at most 512 are allowed"}
    "#]];
    expected.assert_eq(&said(&calls).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_or_key_out_of_its_bounds_is_refused() {
    let long_key = format!(
        r#"{{"customer":"ada","placement":"hero","decision_key":"{}"}}"#,
        "k".repeat(257)
    );
    let calls = [
        r#"{"customer":"ada","placement":"hero","limit":0}"#,
        r#"{"customer":"ada","placement":"hero","limit":101}"#,
        r#"{"customer":"ada","placement":"hero","limit":1.5}"#,
        r#"{"customer":"ada","placement":"hero","limit":-1}"#,
        r#"{"customer":"ada","placement":"hero","limit":"3"}"#,
        r#"{"customer":"ada","placement":"hero","decision_key":""}"#,
        &long_key,
    ];
    let expected = expect![[r#"
        {"customer":"ada","placement":"hero","limit":0}
          {"type":"urn:attune:problem:bad-request","title":"the request is not right","status":400,"detail":"`limit` is 0, a whole number from 1 to 100 is expected"}
        {"customer":"ada","placement":"hero","limit":101}
          {"type":"urn:attune:problem:bad-request","title":"the request is not right","status":400,"detail":"`limit` is 101, a whole number from 1 to 100 is expected"}
        {"customer":"ada","placement":"hero","limit":1.5}
          {"type":"urn:attune:problem:bad-request","title":"the request is not right","status":400,"detail":"`limit` is 1.5, a whole number from 1 to 100 is expected"}
        {"customer":"ada","placement":"hero","limit":-1}
          {"type":"urn:attune:problem:bad-request","title":"the request is not right","status":400,"detail":"`limit` is -1, a whole number from 1 to 100 is expected"}
        {"customer":"ada","placement":"hero","limit":"3"}
          {"type":"urn:attune:problem:bad-request","title":"the request is not right","status":400,"detail":"`limit` is \"3\", a whole number from 1 to 100 is expected"}
        {"customer":"ada","placement":"hero","decision_key":""}
          {"type":"urn:attune:problem:bad-request","title":"the request is not right","status":400,"detail":"`decision_key` is empty"}
        {"customer":"ada","placement":"hero","decision_key":"kkkkkkk
          {"type":"urn:attune:problem:bad-request","title":"the request is not right","status":400,"detail":"`decision_key` has 257 bytes, at most 256 are allowed"}
    "#]];
    expected.assert_eq(&said(&calls).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_above_64_kilobytes_is_refused() {
    let world = World::start(None).await;
    let large = format!(
        r#"{{"customer":"ada","placement":"hero","context":{{"x":"{}"}}}}"#,
        "x".repeat(65_500)
    );
    let answered = world.decide(&large).await;
    expect![[r#"
        {"type":"urn:attune:problem:too-large","title":"the request is too large","status":413,"detail":"a body has at most 65536 bytes"}
    "#]].assert_eq(&(answered.body + "\n"));
    let fits = large.replacen(&"x".repeat(100), "", 1);
    assert_eq!(world.decide(&fits).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_calls_are_told_to_come_back() {
    let limits = Limits {
        asks: 0,
        ..Limits::default()
    };
    let world = World::with_limits(None, limits).await;
    let answered = world.decide(ASK).await;
    assert_eq!(answered.status, 503);
    assert_eq!(answered.header("retry-after"), "1");
    expect![[r#"
        {"type":"urn:attune:problem:overloaded","title":"the server has too much to do","status":503,"detail":"too many decide calls are waiting, try again in a moment"}
    "#]].assert_eq(&(answered.body + "\n"));
}

/// Makes calls that are wrong and returns what is said of each.
async fn said(calls: &[&str]) -> String {
    let world = World::start(None).await;
    let mut said = String::new();
    for call in calls {
        let answered = world.decide(call).await;
        assert_eq!(answered.header("content-type"), "application/problem+json");
        assert_eq!(answered.json()["status"], answered.status.as_u16());
        let start = &call[..call.len().min(60)];
        writeln!(said, "{start}\n  {}", answered.body).unwrap();
    }
    said
}
