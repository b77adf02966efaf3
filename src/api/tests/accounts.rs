//! Why a customer is in a journey, or is not, over HTTP.

use std::fmt::Write as _;

use expect_test::{Expect, expect};

use super::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn an_account_says_how_a_customer_and_a_journey_stand() {
    let world = World::start(None).await;
    world.ada().await;
    let answered = world.get("/v1/customers/ada/why?journey=cart").await;
    assert_eq!(answered.status, 200, "{}", answered.body);
    let bundle = &world.node.engine.live.get().bundle.id;
    let mut shown = String::new();
    for (name, field) in answered.json().as_object().unwrap() {
        let lines = field.as_array().filter(|lines| !lines.is_empty());
        match lines {
            Some(lines) => {
                let lines = lines.iter().map(|line| format!("  {line}\n"));
                writeln!(shown, "{name}\n{}", lines.collect::<String>().trim_end()).unwrap();
            }
            None => writeln!(shown, "{name}: {field}").unwrap(),
        }
    }
    expect![[r#"
        at: "2026-01-05T10:03:00.000Z"
        basis: {"agrees":null,"complete":null,"n_events":null,"since":null,"what":"now"}
        bundle: "<bundle>"
        customer: "ada"
        entry
          {"mark":"open","part":"enter.event","place":"cart.yaml:2","reason":null,"remedy":null,"text":"Product Added","values":"no event is at hand"}
          {"mark":"met","part":"where","place":"cart.yaml:3","reason":null,"remedy":null,"text":"profile.cart.value > 20","values":"82 > 20"}
          {"mark":"missed","part":"on_repeat","place":"cart.yaml:2","reason":"ALREADY_IN","remedy":"run 1 had ended","text":"while a run is in progress, another entry changes nothing","values":"run 1"}
          {"mark":"met","part":"reentry","place":"cart.yaml:2","reason":null,"remedy":null,"text":"again 1 day after a run has ended","values":"no run has ended that is remembered"}
        event: null
        journey: "cart"
        last: {"at":"2026-01-05T10:03:00.000Z","detail":null,"event":"m4","instance":1,"journey_or_placement":"cart","reason":null,"shadow":false,"step":null,"text":"cart run 1 began","times":1,"what":"entered"}
        last_input_at: "2026-01-05T10:03:00.000Z"
        place: "cart.yaml:2"
        reason: "ALREADY_IN"
        remedy: "run 1 had ended"
        revision: 0
        runs
          {"does":"wait 30 minutes","ends":[],"entered_at":"2026-01-05T10:03:00.000Z","instance":1,"key":"","listens":[],"place":"cart.yaml:6","shadow":false,"step":"1","waits_since":"2026-01-05T10:03:00.000Z","waits_until":"2026-01-05T10:33:00.000Z"}
        sends
          {"channel":"email","guards":[{"mark":"met","part":"consent","place":"cart.yaml:7","reason":null,"remedy":null,"text":"the customer has not said no to marketing by email","values":"profile.consent.email.marketing [unknown]"},{"mark":"met","part":"suppression","place":"cart.yaml:7","reason":null,"remedy":null,"text":"neither the address, nor the channel, nor the customer is on the suppression list","values":"nothing is on the list"},{"mark":"met","part":"quiet_hours","place":"cart.yaml:7","reason":null,"remedy":null,"text":"at any time of the day: there are no quiet hours","values":""},{"mark":"met","part":"limits","place":"cart.yaml:7","reason":null,"remedy":null,"text":"as often as it comes: there is no frequency cap","values":""},{"mark":"met","part":"priority","place":"cart.yaml:7","reason":null,"remedy":null,"text":"no journey of a higher priority sends there at that moment; this one has 0","values":"priority 0; no other run may send there"}],"place":"cart.yaml:7","remedy":null,"step":"2","template":"nudge"}
        text: "ada is in cart since 2026-01-05T10:03:00.000Z"
        verdict: "refused"
    "#]].assert_eq(&shown.replace(bundle.as_ref(), "<bundle>"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_says_why_each_offer_is_given_or_not() {
    let world = World::start(None).await;
    world.ada().await;
    let asked = "/v1/customers/ada/why/offers?placement=hero&context={%22page%22:%22home%22}";
    let first = world.get(asked).await;
    assert_eq!(first.status, 200, "{}", first.body);
    let decide = r#"{"customer":"ada","placement":"hero"}"#;
    world.decide(decide).await;
    let json = world.get(asked).await.json();
    let mut shown = String::new();
    for part in [
        "place",
        "arm",
        "given",
        "runner_up",
        "lost",
        "passed_over",
        "last",
    ] {
        let field = &json[part];
        match field.as_array().filter(|lines| !lines.is_empty()) {
            Some(lines) => {
                let lines = lines.iter().map(|line| format!("  {line}\n"));
                writeln!(shown, "{part}\n{}", lines.collect::<String>().trim_end()).unwrap();
            }
            None => writeln!(shown, "{part}: {field}").unwrap(),
        }
    }
    expect![[r#"
        place: "offers.yaml:9"
        arm: null
        given
          {"c":1.0,"l":1.0,"offer":"shipping","p":1.0,"place":"offers.yaml:3","priority":4.0,"probability":1.0,"propensity":null,"text":"priority 4.000000 from p 1 (no model), context 1, value 4 and levers 1","v":4.0}
        runner_up: null
        lost
          {"detail":"context.page == 'club' [\"home\" == \"club\"] offers.yaml:5","offer":"club","place":"offers.yaml:5","priority":null,"reason":"INELIGIBLE","remedy":"context.page were 'club'","rule":"offers.yaml:5"}
          {"detail":"1/1 per 1w, frees at 2026-01-12T10:03:00.000Z","offer":"welcome","place":"offers.yaml:4","priority":null,"reason":"CAP","remedy":"it were 2026-01-12T10:03:00.000Z or later","rule":null}
        passed_over: []
        last
          {"at":"2026-01-05T10:03:00.000Z","detail":"shipping, welcome; not INELIGIBLE club","event":null,"instance":null,"journey_or_placement":"hero","reason":null,"shadow":false,"step":null,"text":"hero offers shipping, welcome; not INELIGIBLE club","times":1,"what":"ranked"}
    "#]].assert_eq(&shown);
    for (wrong, status) in [
        ("placement=heroe", 404),
        ("", 400),
        ("placment=hero", 400),
        ("placement=hero&context=3", 400),
    ] {
        let answered = world
            .get(&format!("/v1/customers/ada/why/offers?{wrong}"))
            .await;
        assert_eq!(answered.status.as_u16(), status, "{}", answered.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_made_up_event_and_the_past_are_judged() {
    check(
        &[
            "bea/why?journey=cart",
            "bea/why?journey=cart&event={%22event%22:%22Product%20Added%22}",
            "bea/why?journey=cart&event={%22event%22:%22Product%20Viewed%22}",
            "bea/why?journey=cart&at=2026-01-05T10:00:00Z",
            "bea/why?journey=cart&at=2026-01-05T09:00:00Z",
        ],
        &expect![[r#"
            bea/why?journey=cart 200
              text: "bea did not enter cart at 2026-01-05T10:00:00.000Z (WHERE)"
              verdict: "refused"
              reason: "WHERE"
              remedy: "profile.cart.value were more than 20"
              basis: {"agrees":null,"complete":null,"n_events":null,"since":null,"what":"now"}
            bea/why?journey=cart&event={%22event%22:%22Product%20Added%22} 200
              text: "bea did not enter cart at 2026-01-05T10:00:00.000Z (WHERE)"
              verdict: "refused"
              reason: "WHERE"
              remedy: "profile.cart.value were more than 20"
              event: {"at":"2026-01-05T10:00:00.000Z","handled_at":"2026-01-05T10:00:00.000Z","id":"made-up","name":"Product Added"}
              basis: {"agrees":null,"complete":null,"n_events":null,"since":null,"what":"now"}
            bea/why?journey=cart&event={%22event%22:%22Product%20Viewed%22} 200
              text: "bea did not enter cart at 2026-01-05T10:00:00.000Z (WHERE)"
              verdict: "refused"
              reason: "EVENT"
              remedy: "the event were `Product Added` and profile.cart.value were more than 20"
              event: {"at":"2026-01-05T10:00:00.000Z","handled_at":"2026-01-05T10:00:00.000Z","id":"made-up","name":"Product Viewed"}
              basis: {"agrees":null,"complete":null,"n_events":null,"since":null,"what":"now"}
            bea/why?journey=cart&at=2026-01-05T10:00:00Z 200
              text: "bea did not enter cart at 2026-01-05T10:00:00.000Z (WHERE)"
              verdict: "refused"
              reason: "WHERE"
              remedy: "profile.cart.value were more than 20"
              event: {"at":"2026-01-05T10:00:00.000Z","handled_at":"2026-01-05T10:00:00.000Z","id":"m1","name":"Product Added"}
              basis: {"agrees":true,"complete":true,"n_events":1,"policies":[{"revision":0,"since":null}],"policies_complete":true,"since":"2026-01-05T10:00:00.000Z","what":"replay"}
            bea/why?journey=cart&at=2026-01-05T09:00:00Z 200
              text: "of bea and cart nothing was decided lately"
              verdict: "refused"
              reason: "WHERE"
              remedy: "profile.cart.value were more than 20"
              basis: {"agrees":null,"complete":true,"n_events":0,"policies":[{"revision":0,"since":null}],"policies_complete":true,"since":null,"what":"replay"}
        "#]],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_question_is_a_problem() {
    check(
        &[
            "bea/why?journey=cart&event=3",
            "bea/why?journey=cart&event={}",
            "bea/why?journey=cart&at=noon",
            "bea/why?journey=cart&at=2026-01-06T10:00:00Z",
            "bea/why?journey=cart&at=2026-01-05T10:00:00Z&event={}",
            "bea/why?journey=card",
            "bea/why",
            "bea/why?jorney=cart",
            "nobody/why?journey=cart",
        ],
        &expect![[r#"
            bea/why?journey=cart&event=3 400
              title: "the request is not right"
              detail: "`event` is no JSON object: a JSON object is expected"
            bea/why?journey=cart&event={} 400
              title: "the request is not right"
              detail: "`event`: a track event has no `event`"
            bea/why?journey=cart&at=noon 400
              title: "the request is not right"
              detail: "`at` is `noon`, a time such as `2026-01-31T10:00:00Z` is expected"
            bea/why?journey=cart&at=2026-01-06T10:00:00Z 400
              title: "the request is not right"
              detail: "`at` is 2026-01-06T10:00:00.000Z, a time of the past is expected: it is 2026-01-05T10:00:00.000Z"
            bea/why?journey=cart&at=2026-01-05T10:00:00Z&event={} 400
              title: "the request is not right"
              detail: "`at` plays real events, `event` makes one up: give one of them"
            bea/why?journey=card 404
              title: "there is no such journey"
              detail: "unknown journey `card`, did you mean `cart`? the live policies have `cart`"
            bea/why 400
              title: "the request is not right"
              detail: "missing parameter `journey`"
            bea/why?jorney=cart 400
              title: "the request is not right"
              detail: "unknown parameter `jorney`, did you mean `journey`?"
            nobody/why?journey=cart 404
              title: "the customer is not known"
              detail: "nothing is known of customer `nobody`"
        "#]],
    )
    .await;
}

/// Asks about `bea`, who has put something cheap into the cart.
async fn check(paths: &[&str], expected: &Expect) {
    let world = World::start(None).await;
    let told = r#"{"type":"track","event":"Product Added","userId":"bea","messageId":"m1","timestamp":"2026-01-05T10:00:00Z","properties":{"product_id":"pen","price":2}}"#;
    world.tell("bea", &[told]).await;
    let mut said = String::new();
    for path in paths {
        let answered = world.get(&format!("/v1/customers/{path}")).await;
        let fields = answered.json();
        let keys = [
            "text", "verdict", "reason", "remedy", "event", "basis", "title", "detail",
        ];
        let some = keys.iter().filter(|key| !fields[**key].is_null());
        let some: Vec<String> = some
            .map(|key| format!("  {key}: {}", fields[*key]))
            .collect();
        let status = answered.status.as_u16();
        writeln!(said, "{path} {status}\n{}", some.join("\n")).unwrap();
    }
    expected.assert_eq(&said);
}
