//! What a placement has learnt, over HTTP.

use expect_test::expect;

use super::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_placement_shows_how_it_learns_and_what_is_compared() {
    let world = World::start(None).await;
    let hero = world.get("/v1/placements/hero").await;
    let bundle = &world.node.engine.live.get().bundle.id.clone();
    expect![[r#"{"placement":"hero","bundle":"<bundle>","explore":"none","control":0.0,"holdout":0.0,"challenger":null,"learners":[],"months":[]}"#]]
        .assert_eq(&hero.body.replace(&**bundle, "<bundle>"));
    let none = world.get("/v1/placements/heroe").await;
    assert_eq!(none.status.as_u16(), 404);
    assert!(none.body.contains("did you mean `hero`?"), "{}", none.body);
}
