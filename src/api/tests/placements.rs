//! What a placement has learnt, over HTTP.

use std::time::Duration;

use expect_test::expect;

use super::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_placement_shows_how_it_learns_and_what_is_compared() {
    let world = World::start(None).await;
    let hero = world.get("/v1/placements/hero").await;
    let bundle = &world.node.engine.live.get().bundle.id.clone();
    expect![[r#"{"placement":"hero","bundle":"<bundle>","explore":"none","control":0.0,"holdout":0.0,"challenger":null,"learners":[],"months":[],"budgets":[]}"#]]
        .assert_eq(&hero.body.replace(&**bundle, "<bundle>"));
    let none = world.get("/v1/placements/heroe").await;
    assert_eq!(none.status.as_u16(), 404);
    assert!(none.body.contains("did you mean `hero`?"), "{}", none.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_decisions_of_strangers_are_no_part_of_what_is_compared() {
    let world = World::start(None).await;
    world.ada().await;
    let months = async || world.get("/v1/placements/footer").await.json()["months"].to_string();
    for key in ["k1", "k1", "k2"] {
        let call = format!(r#"{{"customer":"eve","placement":"footer","decision_key":"{key}"}}"#);
        assert_eq!(world.decide(&call).await.status, 200);
    }
    assert_eq!(months().await, "[]");
    world
        .decide(r#"{"customer":"ada","placement":"footer"}"#)
        .await;
    // The answer leaves before it is counted.
    let counted = async {
        while months().await == "[]" {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let counted = tokio::time::timeout(Duration::from_secs(10), counted).await;
    counted.expect("it is counted");
    expect![[r#"[{"arms":[{"arm":"champion","decisions":1,"outcomes":[{"n":0,"outcome":"impression","rate":{"high":0.7934506856227626,"low":0.0,"value":0.0}},{"n":0,"outcome":"click","rate":{"high":0.7934506856227626,"low":0.0,"value":0.0}},{"n":0,"outcome":"conversion","rate":{"high":0.7934506856227626,"low":0.0,"value":0.0}},{"n":0,"outcome":"rejection","rate":{"high":0.7934506856227626,"low":0.0,"value":0.0}}]}],"lifts":[],"month":"2026-01"}]"#]].assert_eq(&months().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_is_shared_by_everybody_and_shown() {
    let world = World::start(None).await;
    world.ada().await;
    let mut given = Vec::new();
    for who in [
        r#""customer":"ada","#,
        r#""customer":"bea","#,
        "",
        r#""customer":"cid","#,
    ] {
        let answer = world
            .decide(&format!(r#"{{{who}"placement":"side"}}"#))
            .await;
        given.push(answer.json()["offers"].as_array().unwrap().len());
    }
    assert_eq!(given, [1, 1, 0, 0]);
    let side = world.get("/v1/placements/side").await.json();
    let budget = side["budgets"].to_string();
    expect![[r#"[{"ends":"2026-01-06T00:00:00.000Z","leased":2,"left":0,"limit":2,"offer":"gift","period":"2026-01-05","used":2}]"#]].assert_eq(&budget);
    let numbers = world.get("/metrics").await.body;
    let budget = numbers
        .lines()
        .filter(|line| line.contains("budget") && !line.starts_with('#'));
    let budget: Vec<&str> = budget.collect();
    expect![[r#"
        attune_budget_given_total 2
        attune_budget_refusals_total 2
        attune_offer_budget_limit{offer="gift"} 2
        attune_offer_budget_used{offer="gift"} 2
        attune_offer_budget_leased{offer="gift"} 2"#]]
    .assert_eq(&budget.join("\n"));
}
