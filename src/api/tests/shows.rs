//! What is shown of customers, and of the server.

use std::fmt::Write;

use expect_test::expect;

use super::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_shown_with_features_by_name_and_runs_in_progress() {
    let world = World::start(None).await;
    world.ada().await;
    world
        .decide(r#"{"customer":"ada","placement":"hero","decision_key":"k"}"#)
        .await;
    let answered = world.get("/v1/customers/ada").await;
    assert_eq!(answered.status, 200);
    let fields = answered.json();
    let lines = fields.as_object().unwrap().iter();
    let lines: Vec<_> = lines
        .map(|(name, field)| format!("{name}: {field}\n"))
        .collect();
    expect![[r#"
        cart: {"currency":"EUR","item_count":3.0,"items":[{"category":null,"name":null,"price":2.0,"product_id":"pen","quantity":1.0},{"category":null,"name":null,"price":40.0,"product_id":"bag","quantity":2.0}],"updated_at":"2026-01-05T10:03:00.000Z","value":82.0}
        consent: {}
        contacts: {}
        features: {"product_pages":1}
        id: "ada"
        journeys: [{"entered_at":"2026-01-05T10:03:00.000Z","instance":1,"journey":"cart","key":"","locals":{"buy":0.25},"shadow":false,"step":"1","waits_until":"2026-01-05T10:33:00.000Z"}]
        last_input_at: "2026-01-05T10:03:00.000Z"
        next_timer: "2026-01-05T10:33:00.000Z"
        offers_given: {"welcome":["2026-01-05T10:03:00.000Z"]}
        past: []
        session: {"index":1,"last_at":"2026-01-05T10:03:00.000Z","n_events":4,"running":true,"started_at":"2026-01-05T10:00:00.000Z"}
        suppressions: []
        traits: {"name":"Ada"}
    "#]].assert_eq(&lines.concat());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timeline_says_why_and_why_not_the_newest_first() {
    let world = World::start(None).await;
    world.ada().await;
    world
        .decide(r#"{"customer":"ada","placement":"hero","decision_key":"k"}"#)
        .await;
    let answered = world.get("/v1/customers/ada/timeline").await;
    let mut lines = String::new();
    for line in answered.json()["timeline"].as_array().unwrap() {
        writeln!(lines, "{line}").unwrap();
    }
    expect![[r#"
        {"at":"2026-01-05T10:03:00.000Z","detail":"shipping, welcome; not INELIGIBLE club","event":null,"instance":null,"journey_or_placement":"hero","reason":null,"shadow":false,"step":null,"text":"hero offers shipping, welcome; not INELIGIBLE club","times":1,"what":"ranked"}
        {"at":"2026-01-05T10:03:00.000Z","detail":"until 2026-01-05T10:33:00.000Z","event":null,"instance":1,"journey_or_placement":"cart","reason":null,"shadow":false,"step":"1","text":"cart run 1 waits until 2026-01-05T10:33:00.000Z","times":1,"what":"waits"}
        {"at":"2026-01-05T10:03:00.000Z","detail":"0.250000","event":null,"instance":1,"journey_or_placement":"cart","reason":"purchase-intent","shadow":false,"step":"0","text":"cart run 1 scored 0.2500 with purchase-intent","times":1,"what":"scored"}
        {"at":"2026-01-05T10:03:00.000Z","detail":null,"event":"m4","instance":1,"journey_or_placement":"cart","reason":null,"shadow":false,"step":null,"text":"cart run 1 began","times":1,"what":"entered"}
        {"at":"2026-01-05T10:02:00.000Z","detail":"profile.cart.value > 20 [2 > 20] cart.yaml:3","event":"m3","instance":null,"journey_or_placement":"cart","reason":"WHERE","shadow":false,"step":null,"text":"cart did not begin, its condition is not true (WHERE): profile.cart.value > 20 [2 > 20] cart.yaml:3","times":1,"what":"refused"}
    "#]].assert_eq(&lines);
    let only = async |query: &str| {
        let timeline = world
            .get(&format!("/v1/customers/ada/timeline?{query}"))
            .await
            .json();
        timeline["timeline"].as_array().unwrap().len()
    };
    assert_eq!(only("journey=hero").await, 1);
    assert_eq!(only("journey=cart&limit=2").await, 2);
    assert_eq!(only("journey=nothing").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_path_or_query_is_a_problem() {
    let world = World::start(None).await;
    let mut said = String::new();
    for (method, path) in [
        ("GET", "/v1/customers/nobody"),
        ("GET", "/v1/customers/nobody/timeline"),
        ("GET", "/v1/customers/a%2Fb%20%C3%A9"),
        ("GET", "/v1/customers/%20"),
        ("GET", "/v1/customers/%FF"),
        ("GET", "/v1/customers/ada/timeline?limit=0"),
        ("GET", "/v1/customers/ada/timeline?limit=many"),
        ("GET", "/v1/customers/ada/timeline?jorney=cart"),
        ("GET", "/v1/customer/ada"),
        ("GET", "/"),
        ("GET", "/v1/decide"),
        ("DELETE", "/v1/customers/ada"),
    ] {
        let answered = world.send(method, path, &[], "").await;
        assert_eq!(answered.header("content-type"), "application/problem+json");
        assert_eq!(answered.json()["status"], answered.status.as_u16());
        let allow = answered.header("allow");
        let body = &answered.body;
        writeln!(said, "{method} {path} (allow {allow})\n  {body}").unwrap();
    }
    expect![[r#"
        GET /v1/customers/nobody (allow -)
          {"type":"urn:attune:problem:unknown-customer","title":"the customer is not known","status":404,"detail":"nothing is known of customer `nobody`"}
        GET /v1/customers/nobody/timeline (allow -)
          {"type":"urn:attune:problem:unknown-customer","title":"the customer is not known","status":404,"detail":"nothing is known of customer `nobody`"}
        GET /v1/customers/a%2Fb%20%C3%A9 (allow -)
          {"type":"urn:attune:problem:unknown-customer","title":"the customer is not known","status":404,"detail":"nothing is known of customer `a/b é`"}
        GET /v1/customers/%20 (allow -)
          {"type":"urn:attune:problem:bad-request","title":"the request is not right","status":400,"detail":"a customer id is empty"}
        GET /v1/customers/%FF (allow -)
          {"type":"urn:attune:problem:bad-request","title":"the request is not right","status":400,"detail":"the path is not UTF-8"}
        GET /v1/customers/ada/timeline?limit=0 (allow -)
          {"type":"urn:attune:problem:bad-request","title":"the request is not right","status":400,"detail":"`limit` is `0`, a whole number from 1 on is expected"}
        GET /v1/customers/ada/timeline?limit=many (allow -)
          {"type":"urn:attune:problem:bad-request","title":"the request is not right","status":400,"detail":"`limit` is `many`, a whole number from 1 on is expected"}
        GET /v1/customers/ada/timeline?jorney=cart (allow -)
          {"type":"urn:attune:problem:bad-request","title":"the request is not right","status":400,"detail":"unknown parameter `jorney`, did you mean `journey`?"}
        GET /v1/customer/ada (allow -)
          {"type":"urn:attune:problem:no-route","title":"there is nothing here","status":404,"detail":"`/v1/customer/ada` is not a path of this API; `/openapi.json` has all"}
        GET / (allow -)
          {"type":"urn:attune:problem:no-route","title":"there is nothing here","status":404,"detail":"`/` is not a path of this API; `/openapi.json` has all"}
        GET /v1/decide (allow POST)
          {"type":"urn:attune:problem:no-method","title":"the method is not right","status":405,"detail":"`/v1/decide` does not take GET; the header `Allow` says what it takes"}
        DELETE /v1/customers/ada (allow GET,HEAD)
          {"type":"urn:attune:problem:no-method","title":"the method is not right","status":405,"detail":"`/v1/customers/ada` does not take DELETE; the header `Allow` says what it takes"}
    "#]].assert_eq(&said);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_numbers_are_written_as_prometheus_reads_them() {
    let world = World::start(None).await;
    world.ada().await;
    let answered = world.get("/metrics").await;
    assert_eq!(
        answered.header("content-type"),
        "text/plain; version=0.0.4; charset=utf-8"
    );
    // What the machine decides is left out, and budgets, which have a test of their own.
    let unsteady = ["#", "stage", "commit", "checkpoint", "rounds", "offer"];
    let name = |line: &str| line.trim_start_matches("attune_").to_owned();
    let steady = |line: &&str| !unsteady.iter().any(|start| name(line).starts_with(start));
    let lines: Vec<_> = answered.body.lines().filter(steady).collect();
    expect![[r#"
        attune_actions_total 0
        attune_lessons_total 0
        attune_budget_given_total 0
        attune_budget_refusals_total 0
        attune_customer_state_bytes_total 0
        attune_customers_oversized_total 0
        attune_dead_letters_total 0
        attune_decisions_total 0
        attune_duplicates_total 0
        attune_events_total 4
        attune_forwarded_total 0
        attune_journey_entries_total 1
        attune_partition_restarts_total 0
        attune_policies_rejected_total 0
        attune_policies_reloads_total 0
        attune_scores_unavailable_total 0
        attune_segment_crossings_total 0
        attune_shadow_actions_total 0
        attune_customer_state_bytes_max 0
        attune_ready 1
        attune_resident_customers 1
        attune_policies_info{revision="0",bundle="1dd9d9f73fe6c36f"} 1
        attune_policies_stale 0
        attune_policies_last_reload_timestamp_seconds 0
        attune_journey_people{journey="cart"} 1
    "#]]
    .assert_eq(&(lines.join("\n") + "\n"));
    assert!(
        answered
            .body
            .contains("attune_stage_runs_total{stage=\"step\"}")
    );
    // Every sample stands below the type of its name, and is a number.
    let mut typed = "";
    for line in answered.body.lines() {
        if let Some(head) = line.strip_prefix("# TYPE ") {
            typed = head.split(' ').next().unwrap();
        } else if !line.starts_with('#') {
            let (series, value) = line.split_once(' ').unwrap();
            assert_eq!(series.split('{').next().unwrap(), typed);
            assert!(value.parse::<f64>().unwrap() >= 0.0, "{line}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_is_ready_until_nats_is_gone() {
    let mut world = World::start(None).await;
    assert_eq!(world.get("/livez").await.body, r#"{"status":"alive"}"#);
    assert_eq!(
        world.get("/readyz").await.body,
        r#"{"status":"ready","policies":{"revision":0,"bundle":"1dd9d9f73fe6c36f"}}"#
    );
    world.server.kill9();
    super::world::until(|| world.node.ready().is_err()).await;
    let answered = world.get("/readyz").await;
    assert_eq!(answered.status, 503);
    assert_eq!(answered.header("retry-after"), "1");
    assert!(
        answered.body.contains("not connected to NATS"),
        "{}",
        answered.body
    );
    assert_eq!(world.get("/livez").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_shown_with_its_columns_and_what_it_makes_of_unknown_values() {
    let world = World::start(None).await;
    let mut shown = String::new();
    for path in [
        "/v1/models",
        "/v1/models/purchase-intent",
        "/v1/models/purchase-intend",
    ] {
        writeln!(shown, "{}", world.get(path).await.body).unwrap();
    }
    expect![[r#"
        {"models":[{"model":"purchase-intent","about":"","n_inputs":1,"per_offer":false,"metrics":{}}]}
        {"model":"purchase-intent","about":"","n_inputs":1,"per_offer":false,"metrics":{},"file":"model.onnx","inputs":[{"column":"pages","from":"profile.features.product_pages","type":"number","unknown":"0"}],"output":{"name":"probabilities","class":1}}
        {"type":"urn:attune:problem:unknown-model","title":"there is no such model","status":404,"detail":"unknown model `purchase-intend`, did you mean `purchase-intent`? `GET /v1/models` lists those that are live"}
    "#]]
    .assert_eq(&shown);
}
