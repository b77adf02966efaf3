//! Questions about a customer, over HTTP.

use std::fmt::Write as _;

use expect_test::expect;

use super::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn an_expression_has_a_value_or_says_what_of_it_is_unknown() {
    let world = World::start(None).await;
    world.ada().await;
    let mut said = String::new();
    for body in [
        r#"{"customer":"ada","expression":"profile.cart.value > 20"}"#,
        r#"{"customer":"ada","expression":"now()","at":"2026-01-06T00:00:00Z"}"#,
        r#"{"customer":"ada","expression":"event.properties.price * context.n","event":{"event":"Product Added","properties":{"price":2}},"context":{"n":21}}"#,
        r#"{"customer":"ada","expression":"count('Product Viewed', '1d')"}"#,
        r#"{"customer":"ada","expression":"profile.cart.valu"}"#,
        r#"{"customer":"ada","expresion":"1"}"#,
        r#"{"customer":"ada"}"#,
        r#"{"customer":"ada","expression":"1","at":"noon"}"#,
        r#"{"customer":"ada","expression":"1","event":{"event":""}}"#,
        r#"{"customer":"ada","expression":"1","context":[]}"#,
        r#"{"customer":"nobody","expression":"1"}"#,
        "[]",
        "{",
    ] {
        let answered = world.send("POST", "/v1/eval", &[], body).await;
        writeln!(
            said,
            "{body}\n  {} {}",
            answered.status.as_u16(),
            answered.body
        )
        .unwrap();
    }
    let bundle = &world.node.engine.live.get().bundle.id.clone();
    expect![[r#"
        {"customer":"ada","expression":"profile.cart.value > 20"}
          200 {"customer":"ada","expression":"profile.cart.value > 20","at":"2026-01-05T10:03:00.000Z","last_input_at":"2026-01-05T10:03:00.000Z","basis":{"what":"now","n_events":null,"since":null,"complete":null,"agrees":null},"bundle":"<bundle>","known":true,"value":true,"type":"bool","unknown":[],"warnings":[]}
        {"customer":"ada","expression":"now()","at":"2026-01-06T00:00:00Z"}
          200 {"customer":"ada","expression":"now()","at":"2026-01-06T00:00:00.000Z","last_input_at":"2026-01-05T10:03:00.000Z","basis":{"what":"ahead","n_events":null,"since":null,"complete":null,"agrees":null},"bundle":"<bundle>","known":true,"value":1767657600000,"type":"number","unknown":[],"warnings":[]}
        {"customer":"ada","expression":"event.properties.price * context.n","event":{"event":"Product Added","properties":{"price":2}},"context":{"n":21}}
          200 {"customer":"ada","expression":"event.properties.price * context.n","at":"2026-01-05T10:03:00.000Z","last_input_at":"2026-01-05T10:03:00.000Z","basis":{"what":"now","n_events":null,"since":null,"complete":null,"agrees":null},"bundle":"<bundle>","known":true,"value":42,"type":"number","unknown":[],"warnings":[]}
        {"customer":"ada","expression":"count('Product Viewed', '1d')"}
          200 {"customer":"ada","expression":"count('Product Viewed', '1d')","at":"2026-01-05T10:03:00.000Z","last_input_at":"2026-01-05T10:03:00.000Z","basis":{"what":"now","n_events":null,"since":null,"complete":null,"agrees":null},"bundle":"<bundle>","known":false,"value":null,"type":"unknown","unknown":[{"part":"count('Product Viewed', '1d')","why":"the live policies do not keep it: nobody asked for it while it happened; once a policy does, it counts from then on"}],"warnings":[]}
        {"customer":"ada","expression":"profile.cart.valu"}
          400 {"type":"urn:attune:problem:wrong-expression","title":"the expression is not right","status":400,"detail":"unknown field `profile.cart.valu`, did you mean `profile.cart.value`?","errors":[{"file":"expression","code":"unknown_field","message":"unknown field `profile.cart.valu`, did you mean `profile.cart.value`?","line":1,"column":14,"help":"`profile.cart` has `value`, `currency`, `items`, `item_count`, `updated_at`"}],"shown":"attune::unknown_field\n\n  × unknown field `profile.cart.valu`, did you mean `profile.cart.value`?\n   ╭─[expression:1:14]\n 1 │ profile.cart.valu\n   ·              ──┬─\n   ·                ╰── here\n   ╰────\n  help: `profile.cart` has `value`, `currency`, `items`, `item_count`, `updated_at`\n"}
        {"customer":"ada","expresion":"1"}
          400 {"type":"urn:attune:problem:bad-request","title":"the request is not right","status":400,"detail":"unknown field `expresion`, did you mean `expression`?"}
        {"customer":"ada"}
          400 {"type":"urn:attune:problem:bad-request","title":"the request is not right","status":400,"detail":"missing field `expression`"}
        {"customer":"ada","expression":"1","at":"noon"}
          400 {"type":"urn:attune:problem:bad-request","title":"the request is not right","status":400,"detail":"`at` is \"noon\", a time such as `2026-01-31T10:00:00Z` is expected"}
        {"customer":"ada","expression":"1","event":{"event":""}}
          400 {"type":"urn:attune:problem:bad-request","title":"the request is not right","status":400,"detail":"`event`: a track event has no `event`"}
        {"customer":"ada","expression":"1","context":[]}
          400 {"type":"urn:attune:problem:bad-request","title":"the request is not right","status":400,"detail":"`context` is [], an object is expected"}
        {"customer":"nobody","expression":"1"}
          404 {"type":"urn:attune:problem:unknown-customer","title":"the customer is not known","status":404,"detail":"nothing is known of customer `nobody`"}
        []
          400 {"type":"urn:attune:problem:bad-request","title":"the request is not right","status":400,"detail":"the body is a JSON object with `customer` and `expression`"}
        {
          400 {"type":"urn:attune:problem:bad-request","title":"the request is not right","status":400,"detail":"the body is not JSON: EOF while parsing an object at line 1 column 1"}
    "#]].assert_eq(&said.replace(bundle.as_ref(), "<bundle>"));
    let before = world.get("/v1/customers/ada").await.body;
    let body = r#"{"customer":"ada","expression":"profile.cart.items"}"#;
    world.send("POST", "/v1/eval", &[], body).await;
    assert_eq!(world.get("/v1/customers/ada").await.body, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_needs_the_token() {
    let world = World::start(Some("secret")).await;
    let body = r#"{"customer":"ada","expression":"1"}"#;
    assert_eq!(world.send("POST", "/v1/eval", &[], body).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn at_a_time_of_the_past_the_customer_is_as_they_were_then() {
    let world = World::start(None).await;
    world.ada().await;
    let mut said = String::new();
    for at in ["10:02:30", "09:00:00", "10:03:00", "11:00:00"] {
        let body = format!(
            r#"{{"customer":"ada","expression":"profile.cart.value","at":"2026-01-05T{at}Z"}}"#
        );
        let answered = world.send("POST", "/v1/eval", &[], &body).await.json();
        let of = |key: &str| answered[key].to_string();
        let (value, basis) = (of("value"), of("basis"));
        writeln!(said, "{at} {value} {} {basis}", of("last_input_at")).unwrap();
    }
    expect![[r#"
        10:02:30 2 "2026-01-05T10:02:00.000Z" {"agrees":null,"complete":true,"n_events":3,"policies":[{"revision":0,"since":null}],"policies_complete":true,"since":"2026-01-05T10:00:00.000Z","what":"replay"}
        09:00:00 0 null {"agrees":null,"complete":true,"n_events":0,"policies":[{"revision":0,"since":null}],"policies_complete":true,"since":null,"what":"replay"}
        10:03:00 82 "2026-01-05T10:03:00.000Z" {"agrees":null,"complete":null,"n_events":null,"since":null,"what":"now"}
        11:00:00 82 "2026-01-05T10:03:00.000Z" {"agrees":null,"complete":null,"n_events":null,"since":null,"what":"ahead"}
    "#]].assert_eq(&said);
}
