//! What a placement has learnt, over HTTP.

use serde_json::Value;

use super::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn outcomes_teach_and_the_placement_shows_it() {
    let world = World::start(None).await;
    world.ada().await;
    let decide = r#"{"customer":"bob","placement":"footer"}"#;
    let answer = world.send("POST", "/v1/decide", &[], decide).await.json();
    let choice = &answer["offers"][0];
    assert_eq!(
        (choice["offer"].as_str(), choice["probability"].as_f64()),
        (Some("news"), Some(1.0))
    );
    assert_eq!(answer["arm"], "champion");
    let id = answer["decision_id"].as_str().unwrap();
    let told = |name: &str| {
        format!(
            r#"{{"type":"track","event":"{name}","userId":"bob","messageId":"{name}","timestamp":"2026-01-05T10:04:00Z","properties":{{"decision_id":"{id}"}}}}"#
        )
    };
    let (seen, clicked) = (told("Offer Impression"), told("Offer Clicked"));
    world.tell("bob", &[&seen, &clicked]).await;
    let state = shown(&world).await;
    let offer = &state["learners"][0]["offers"][0];
    assert_eq!(
        (&offer["n"], &offer["positives"]),
        (&Value::from(1.0), &Value::from(1.0))
    );
    let arm = &state["months"][0]["arms"][0];
    assert_eq!(
        (&arm["arm"], &arm["decisions"]),
        (&Value::from("champion"), &Value::from(1))
    );
    assert_eq!(arm["outcomes"][1]["n"], 1);
    let none = world.get("/v1/placements/foter").await;
    assert_eq!(none.status.as_u16(), 404);
    assert!(
        none.body.contains("did you mean `footer`?"),
        "{}",
        none.body
    );
}

/// Waits until the board has the commit.
async fn shown(world: &World) -> Value {
    for _ in 0..200 {
        let state = world.get("/v1/placements/footer").await.json();
        if state["learners"][0]["offers"][0]["positives"] == 1.0 {
            return state;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the board never shows it");
}
