//! What a placement has learnt, over HTTP.

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
